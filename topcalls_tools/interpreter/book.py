"""The phrase book of a language: what is said, and which action it orders.

A book is data, a file of `phrases/`; `notation.py` says how a phrase is written.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from functools import cache, cached_property
from importlib.resources import files
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from ..errors import Misconfigured
from .gist import Gist
from .notation import Part, Phrase, Words, expanded, parts


class Order(BaseModel):
    """Phrases that order the same."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tool: str
    any: tuple[str, ...] = ()
    gist: tuple[str, ...] = ()
    """What must be said, in any sequence, with "&" between; after ";" what may be said besides. It counts
    where no phrase fits."""
    means: str
    """What is done, with the slots in it."""
    question: bool = False
    """Whether it may be asked as a question; of an order that may not, a question mark makes a doubt."""
    firm: bool = False
    """Whether a question orders it only with a "please": it does too much for "can you ...?"."""
    unsure: str | None = None
    """Why it is a doubt even where nothing else fits: a sentence of `say`."""
    reasons: bool = False
    """Whether its phrases read a reason themselves, which stands after other orders and says nothing."""
    weak: bool = False
    """Whether it counts only where no other order fits."""
    state: Literal["live", "answered_first", "talking", "queued", "startable", "pausable"] | None = None
    """What the call or campaign may be."""
    arguments: Mapping[str, str | int] = {}
    """Arguments that the words themselves are."""
    task: str = "{task}"
    """What the agent is told."""


class Topic(BaseModel):
    """What a sentence that is not understood may be about, by words in it; and what works then."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    any: tuple[str, ...]
    why: str
    example: str


class Book(BaseModel):
    """A file of `phrases/`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    say: Mapping[str, str]
    """Sentences that a person reads."""
    same: Mapping[str, str]
    """Words that are read as others, such as contractions; in phrases too."""
    digits: Mapping[str, str]
    """How the digits of a number are said one by one."""
    kin: tuple[tuple[str, ...], ...]
    """Words that people call the same relative by."""
    count: Mapping[str, float]
    """Numbers as words."""
    examples: Mapping[str, str]
    """A sentence that works, for every tool."""
    lengths: Mapping[str, float]
    """Lengths of time, with the minutes of each `{n}`."""
    limits: tuple[str, ...]
    """How somebody says how long a call may last."""
    clauses: tuple[str, ...]
    """The same, where a clause says nothing else."""
    options: tuple[str, ...]
    """Clauses that say something else of the call."""
    to: tuple[str, ...]
    """How a call is named by whom it is to."""
    tongues: Mapping[str, str]
    """Languages by their names."""
    groups: Mapping[str, tuple[str, ...]]
    orders: tuple[Order, ...]
    topics: tuple[Topic, ...]

    @cached_property
    def alike(self) -> dict[str, Words]:
        """Words that are read as others."""
        return {one: tuple(other.split()) for one, other in self.same.items()}

    @cached_property
    def _expanded(self) -> dict[str, tuple[Words, ...]]:
        found: dict[str, tuple[Words, ...]] = {}
        for name, phrases in self.groups.items():
            found[name] = tuple(
                dict.fromkeys(one for each in phrases for one in expanded(each, found, self.alike))
            )
        return found

    @cached_property
    def read(self) -> tuple[tuple[Order, tuple[Phrase, ...]], ...]:
        """Every order with its phrases, as they are looked for."""
        return tuple((one, tuple(map(self.phrase, one.any))) for one in self.orders)

    @cached_property
    def read_gists(self) -> tuple[tuple[Order, tuple[Gist, ...]], ...]:
        """Every order with its gists, as they are looked for."""
        return tuple(
            (one, tuple(self._gist(each, one) for each in one.gist)) for one in self.orders if one.gist
        )

    def _gist(self, written: str, order: Order) -> Gist:
        needs, _, may = written.partition(";")
        said, besides = (
            [self.phrase(one) for one in each.split("&") if one.strip()] for each in (needs, may)
        )
        return Gist(said, besides, self.group("little" if order.question else "little_ordered"))

    @cached_property
    def read_lengths(self) -> tuple[tuple[Phrase, float], ...]:
        """The lengths, as they are looked for."""
        return tuple((self.phrase(one), each) for one, each in self.lengths.items())

    @cached_property
    def read_limits(self) -> tuple[Phrase, ...]:
        """The limits, as they are looked for."""
        return tuple(map(self.phrase, self.limits))

    @cached_property
    def read_clauses(self) -> tuple[Phrase, ...]:
        """Clauses that are a limit, as they are looked for."""
        return tuple(map(self.phrase, self.clauses))

    @cached_property
    def read_options(self) -> tuple[Phrase, ...]:
        """The other clauses, as they are looked for."""
        return tuple(map(self.phrase, self.options))

    @cached_property
    def call_to(self) -> tuple[Phrase, ...]:
        """The names of a call by whom it is to."""
        return tuple(map(self.phrase, self.to))

    @cached_property
    def hints(self) -> tuple[tuple[Topic, tuple[Phrase, ...]], ...]:
        """Every topic with its phrases."""
        return tuple((one, tuple(map(self.phrase, one.any))) for one in self.topics)

    def phrase(self, written: str) -> Phrase:
        """A phrase as it is looked for. Raises ValueError where it is none, KeyError for an unknown group."""
        return Phrase(tuple(parts(written, self._expanded, self.alike)))

    @cached_property
    def vocabulary(self) -> frozenset[str]:
        """Every word that it knows."""
        phrases = [*(one for _, every in self.read for one in every), *self.read_limits, *self.read_clauses]
        gists = [one for _, every in self.read_gists for each in every for one in (*each.needs, *each.may)]
        said = (one.words for one in (*phrases, *gists))
        grouped = ({word for one in each for word in one} for each in self._expanded.values())
        return frozenset().union(*said, *grouped, self.count, self.tongues, self.digits)

    @cache  # noqa: B019 - a book lives as long as the program
    def group(self, name: str) -> tuple[Phrase, ...]:
        """The phrases of a group."""
        return tuple(Phrase((Part(one),)) for one in _by_length(self._expanded[name]))

    @cache  # noqa: B019
    def openings(self, name: str) -> dict[str, tuple[Phrase, ...]]:
        """The phrases of a group by their first words: of hundreds few begin with what is said."""
        found: dict[str, list[Phrase]] = {}
        for phrase in self.group(name):
            for first in phrase.parts[0].by_first:
                found.setdefault(first, []).append(phrase)
        return {first: tuple(phrases) for first, phrases in found.items()}

    @cache  # noqa: B019
    def words(self, name: str) -> frozenset[str]:
        """The single words of a group."""
        return frozenset(one[0] for one in self._expanded[name] if len(one) == 1)

    def __hash__(self) -> int:
        return id(self)


@cache
def book(language: str) -> Book:
    """The phrase book of a language. Raises Misconfigured where there is none."""
    folder = files("topcalls_tools.interpreter").joinpath("phrases")
    there = sorted(one.name.removesuffix(".toml") for one in folder.iterdir() if one.name.endswith(".toml"))
    if language not in there:
        raise Misconfigured(f"There is no phrase book for {language!r}; there are {', '.join(there)}.")
    return Book.model_validate(tomllib.loads(folder.joinpath(f"{language}.toml").read_text("utf-8")))


def _by_length(phrases: Sequence[Words]) -> list[Words]:
    return sorted(phrases, key=len, reverse=True)


def filled(template: str, **values: Any) -> str:
    """A sentence of the book with its values."""
    for name, value in values.items():
        template = template.replace("{" + name + "}", str(value))
    return template
