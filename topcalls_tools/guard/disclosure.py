"""The words in which a call says that an AI speaks and that it is recorded, and whether they were spoken."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Literal

from pydantic import BaseModel, ConfigDict

from ..api.transcript import Turn


class Wording(BaseModel):
    """What one language says of it; a file of `openings/` each."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    opening: str
    """That an AI assistant speaks, and for whom: `{caller}` stands there."""
    opening_without_caller: str
    """That an AI assistant speaks."""
    recorded: str
    """That the call is recorded."""
    says: tuple[str, ...]
    """Words that tell of an AI, however they came to be said."""
    says_recorded: tuple[str, ...]
    """Words that tell of a recording."""
    denials: tuple[str, ...] = ()
    """Words before such words that make them a denial: "I am not an AI assistant"."""
    contrasts: tuple[str, ...] = ()
    """Words between the two that end the denial: "not a person but an AI assistant"."""
    denials_after: tuple[str, ...] = ()
    """Denials that follow, in a language that has them there and none before; they may be parts of a word."""


@cache
def wordings() -> Mapping[str, Wording]:
    """The wording of each language, by its ISO 639-1 code."""
    folder = sorted(files("topcalls_tools.guard").joinpath("openings").iterdir(), key=lambda file: file.name)
    return {
        file.name.removesuffix(".toml"): Wording.model_validate(tomllib.loads(file.read_text("utf-8")))
        for file in folder
        if file.name.endswith(".toml")
    }


def disclosed(turns: Iterable[Turn]) -> int | None:
    """The number of the first turn in which the agent said that it is an AI; None where it never did.

    Any language of ours counts, whatever the call began in. What tells of an AI is told by words alone: an
    agent that talks about artificial intelligence and never about itself counts too.
    """
    return _first(turns, "says")


def announced(turns: Iterable[Turn]) -> int | None:
    """The number of the first turn in which the agent said that the call is recorded; None where it never
    did."""
    return _first(turns, "says_recorded")


Told = Literal["says", "says_recorded"]
NEAR = 6
"""Words before what is told, and after it, among which a denial counts."""
CLAUSE = "|"
"""What folded words have in the place of a full stop or a comma: no denial reaches beyond."""


def _first(turns: Iterable[Turn], told: Told) -> int | None:
    spoken = (turn for turn in turns if turn.user == "assistant")
    return next((turn.id for turn in spoken if _tells(turn.text.words, told)), None)


def _tells(words: str, told: Told) -> bool:
    """Whether something is told and not denied. Languages share phrases, so their denials count in all."""
    text = f" {_folded(words)} "
    return any(
        not (_denied_after(text[end:]) if denied_after else _denied_before(text[:start]))
        for phrase, denied_after in _phrases(told)
        for start, end in _places(phrase, text)
    )


def _places(phrase: str, text: str) -> Iterator[tuple[int, int]]:
    """Where a phrase stands as whole words; Japanese has no blanks between them."""
    blank = "" if phrase[-1] >= "\u3000" else " "
    wanted = f"{blank}{phrase}{blank}"
    start = text.find(wanted)
    while start >= 0:
        yield start + len(blank), start + len(blank) + len(phrase)
        start = text.find(wanted, start + 1)


def _denied_before(words: str) -> bool:
    near = words.rpartition(CLAUSE)[2].split()[-NEAR:]
    turned = max((place for place, word in enumerate(near) if word in _small("contrasts")), default=-1)
    clause = f" {' '.join(near[turned + 1 :])} "
    return any(f" {denial} " in clause for denial in _small("denials"))


def _denied_after(words: str) -> bool:
    near = " ".join(words.partition(CLAUSE)[0].split()[:NEAR])
    return any(denial in near for denial in _small("denials_after"))


@cache
def _phrases(told: Told) -> tuple[tuple[str, bool], ...]:
    """Every folded phrase, and whether its language denies it afterwards."""
    return tuple(
        (_folded(said), bool(one.denials_after)) for one in wordings().values() for said in getattr(one, told)
    )


@cache
def _small(kind: Literal["denials", "contrasts", "denials_after"]) -> frozenset[str]:
    return frozenset(_folded(word) for one in wordings().values() for word in getattr(one, kind))


_INITIALS = re.compile(r"\b([^\W\d_])\.\s?([^\W\d_])\b\.?")
_ENDS_A_CLAUSE = re.compile(r"[.,;:!?…—。、｡､]+")
_DOTLESS = str.maketrans("ıł", "il")


def _folded(words: str) -> str:
    """Words without case, accents and punctuation, one blank apart; `A.I.` is AI."""
    plain = unicodedata.normalize("NFKD", _INITIALS.sub(r"\1\2", words).casefold()).translate(_DOTLESS)
    bare = "".join(character for character in plain if not unicodedata.combining(character))
    clauses = (re.sub(r"[^\w\s]", " ", clause) for clause in _ENDS_A_CLAUSE.split(bare))
    return " ".join(f" {CLAUSE} ".join(clauses).split())
