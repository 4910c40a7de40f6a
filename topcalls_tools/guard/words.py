"""What a text orders an agent to do, told by lists of phrases: to deny being an AI, to impersonate, to sell.

The lists are data, a file of `phrases/` for each language. A phrase is words that follow each other in one
sentence:

- `word`: this word, and `(word|two words)`: one of these; `<name>`: one of a group
- `?` after one of them: it may be absent
- `..`: up to three words, none of them beyond a comma; `...`: up to eight words
- `!(...)`, `!<name>`: none of these among the five words before, up to a comma
- `~(...)`, `~<name>`: none of these comes next

Lists are read as texts are: without case, accents and apostrophes. Words that mean nothing here ("please",
"the", "don't forget to") are the language's `dropped`; no phrase needs to allow for them.

Where a phrase may have got to in a text is a whole number with a bit for each word, so that the steps of a
phrase are the same for every text, however hostile it is.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from itertools import chain
from typing import Generic, Literal, TypeVar, get_args

from pydantic import BaseModel, ConfigDict

from .folding import END, PAUSE, Words, by_first, folded, without

Kind = Literal["denial", "impersonation", "selling"]
KINDS: tuple[Kind, ...] = get_args(Kind)
LANGUAGES = ("en", "es")

SHORT, LONG, BEFORE = 3, 8, 5
"""Words that `..` and `...` may skip, and among which `!` looks."""
OWN = "\x00"
"""Stands in the place of the caller's own name."""


@dataclass(frozen=True, slots=True)
class Order:
    """Something that a text orders, in our words: nothing of the text stands in it."""

    kind: Kind
    phrase: str
    """What is ordered, such as "an order to deny being an AI"."""
    language: str
    """Of the list that tells it, ISO 639-1."""


@lru_cache(maxsize=32)
def orders(text: str, caller: str | None = None) -> tuple[Order, ...]:
    """What a text orders, each once. To speak for the caller, a person or a company, is no impersonation."""
    words = folded(text, _vocabulary())
    found: dict[Order, None] = {}
    for language in LANGUAGES:
        listed = _listed(language)
        plain = Text(without(words, listed.dropped))
        own = Text(without(_owned(words, caller), listed.dropped)) if caller else plain
        for order, phrase in listed.phrases:
            if order not in found and (own if order.kind == "impersonation" else plain).has(phrase):
                found[order] = None
    return tuple(sorted(found, key=lambda order: KINDS.index(order.kind)))


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """One piece of a phrase: what the sign before it says of these words, or of none where it is a gap."""

    sign: str
    words: tuple[Words, ...] = ()


Phrase = tuple[Part, ...]


class Text:
    """A folded text, as the places where each word stands: bit n of a number is word n."""

    def __init__(self, words: Sequence[str]) -> None:
        self.places: dict[str, int] = {}
        self.pauses = 0
        place = 0
        for word in words:
            if word == PAUSE:
                self.pauses |= 1 << place
                continue
            self.places[word] = self.places.get(word, 0) | 1 << place
            place += 1
        self.ends = self.places.get(END, 0)
        self._all = (1 << place) - 1
        self._begins: dict[tuple[Words, ...], dict[int, int]] = {}

    def has(self, phrase: Phrase) -> bool:
        """Whether a phrase is anywhere in it."""
        reached = self._all
        for part in phrase:
            if not reached:
                return False
            match part.sign:
                case "":
                    reached = self._beyond(part.words, reached)
                case "?":
                    reached |= self._beyond(part.words, reached)
                case "!":
                    reached &= ~self._skip(self._beyond(part.words, self._all), BEFORE, self.pauses)
                case "~":
                    for begins in self._where(part.words).values():
                        reached &= ~begins
                case "..":
                    reached = reached | self._skip(reached, SHORT, self.pauses)
                case "...":
                    reached = self._skip(reached, LONG, 0)
        return reached != 0

    def _beyond(self, words: tuple[Words, ...], reached: int) -> int:
        """The places after one of these, where it begins at a place that was reached."""
        beyond = 0
        for length, begins in self._where(words).items():
            beyond |= (reached & begins) << length
        return beyond

    def _skip(self, reached: int, most: int, pauses: int) -> int:
        """These places and as many after each, within the sentence, and before a pause."""
        reached &= ~pauses
        for _ in range(most):
            reached |= ((reached & ~self.ends) << 1) & ~pauses
        return reached

    def _where(self, words: tuple[Words, ...]) -> Mapping[int, int]:
        """The places where one of these begins, by its length."""
        if (known := self._begins.get(words)) is None:
            known = self._begins[words] = {}
            for one in words:
                begins = self._all
                for offset, word in enumerate(one):
                    begins &= self.places.get(word, 0) >> offset
                    if not begins:
                        break
                else:
                    known[len(one)] = known.get(len(one), 0) | begins
        return known


K = TypeVar("K", bound=str)
L = TypeVar("L", bound=BaseModel)
T = TypeVar("T")


class Listing(BaseModel, Generic[K]):
    """Phrases of the same meaning."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: K
    label: str
    any: tuple[str, ...]


class Lists(BaseModel, Generic[K]):
    """A file of `phrases/`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    dropped: tuple[str, ...]
    groups: dict[str, tuple[str, ...]]
    phrases: tuple[Listing[K], ...]


@dataclass(frozen=True, slots=True)
class Listed(Generic[T]):
    """A file of phrases as it is looked for: each phrase, and what it tells."""

    dropped: Mapping[str, Sequence[Words]]
    phrases: tuple[tuple[T, Phrase], ...]


def written(name: str, form: type[L]) -> L:
    """A file of `phrases/` as it stands there."""
    path = files("topcalls_tools.guard").joinpath("phrases", f"{name}.toml")
    return form.model_validate(tomllib.loads(path.read_text("utf-8")))


def compiled(lists: Lists[K], tells: Callable[[Listing[K]], T]) -> Listed[T]:
    """Lists as they are looked for; `tells` gives what the phrases of a listing tell."""
    dropped = by_first(tuple(folded(one)) for one in lists.dropped)
    groups: dict[str, tuple[Words, ...]] = {}
    for name, options in lists.groups.items():
        groups[name] = tuple(_options(options, groups, dropped))
    read = tuple(
        (told, tuple(parsed(phrase, groups, dropped)))
        for one in lists.phrases
        for told in [tells(one)]
        for phrase in one.any
    )
    return Listed(dropped, read)


@cache
def _listed(language: str) -> Listed[Order]:
    return compiled(written(language, Lists[Kind]), lambda one: Order(one.kind, one.label, language))


@cache
def _vocabulary() -> frozenset[str]:
    words: set[str] = set()
    for listed in map(_listed, LANGUAGES):
        every = [
            *chain(*listed.dropped.values()),
            *chain(*(part.words for _, one in listed.phrases for part in one)),
        ]
        words.update(chain(*every))
    return frozenset(words)


_PIECE = re.compile(
    r"(?P<gap>\.{2,3})|(?P<sign>[!~]?)(?:\((?P<these>[^)]*)\)|<(?P<group>\w+)>|(?P<word>\w+))(?P<absent>\??)"
)


def parsed(
    phrase: str, groups: Mapping[str, tuple[Words, ...]], dropped: Mapping[str, Sequence[Words]]
) -> Iterator[Part]:
    """The parts of a phrase as written. Raises ValueError where it is none, KeyError for an unknown group."""
    if rest := _PIECE.sub("", phrase).strip():
        raise ValueError(f"{phrase!r} is no phrase: {rest!r} stands for nothing.")
    for piece in _PIECE.finditer(phrase):
        if gap := piece["gap"]:
            yield Part(gap)
            continue
        options = (f"<{piece['group']}>",) if piece["group"] else (piece["these"] or piece["word"]).split("|")
        words = tuple(_options(options, groups, dropped))
        if not words:
            raise ValueError(f"{phrase!r} wants words that are dropped: {piece[0]!r}.")
        yield Part(piece["sign"] or piece["absent"], words)


def _options(
    options: Iterable[str], groups: Mapping[str, tuple[Words, ...]], dropped: Mapping[str, Sequence[Words]]
) -> Iterator[Words]:
    for option in options:
        if option.startswith("<"):
            yield from groups[option.strip("<>")]
        elif words := tuple(without(folded(option), dropped)):
            yield words


def _owned(words: Sequence[str], caller: str) -> list[str]:
    """A text without the caller's name, where it stands whole."""
    name = folded(caller)
    kept: list[str] = []
    place = 0
    while place < len(words):
        own = bool(name) and words[place : place + len(name)] == name
        kept.append(OWN if own else words[place])
        place += len(name) if own else 1
    return kept
