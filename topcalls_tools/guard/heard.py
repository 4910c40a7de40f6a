"""What the person called asks of whoever calls, heard in a transcript by lists of phrases.

The lists are data, a file `phrases/heard_<language>.toml` each, and every language is heard in every call.
Lists know wordings, not meanings: docs/words.md says how many they tell.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from typing import Literal, get_args
from zoneinfo import ZoneInfo

from ..api.transcript import Turn
from .folding import END, folded, without
from .moments import Moment, Times
from .words import Listed, Lists, Phrase, Text, compiled, written

Kind = Literal["opt_out", "wrong_person", "robot", "callback"]
KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True, slots=True)
class Heard:
    """Something that the person called asked or said, in our words: none of theirs stand in it."""

    kind: Kind
    turn: int
    label: str
    """What they did, such as "asked not to be called"."""
    said_at: datetime | None = None
    """When, where TopCalls tells."""
    moment: Moment | None = None
    """When they want to be called back, where they named a time that can be read."""

    def instants(self, zones: Sequence[ZoneInfo]) -> tuple[datetime, ...]:
        """Every instant that they may mean, where the phone is in one of `zones`: "at five" is two. None
        where the words leave more open, or the zones do."""
        if self.moment is None or self.said_at is None:
            return ()
        meant = {self.moment.instants(self.said_at, place) for place in zones}
        return meant.pop() if len(meant) == 1 else ()


def heard(turns: Iterable[Turn]) -> tuple[Heard, ...]:
    """What the person called asks, each kind once a turn. What the agent says counts for nothing, nor what a
    mailbox does."""
    return tuple(one for turn in turns if turn.user != "assistant" for one in _in_turn(turn))


def _in_turn(turn: Turn) -> Iterator[Heard]:
    words = folded(turn.text.words)
    found: dict[Kind, Heard] = {}
    for language in _languages().values():
        text = Text(without(words, language.listed.dropped))
        for (kind, label), phrase in language.listed.phrases:
            if kind in found or not text.has(phrase):
                continue
            if kind == "mailbox":
                return
            moment = language.moment(words) if kind == "callback" else None
            found[kind] = Heard(kind, turn.id, label, _instant(turn.created_at), moment)
    yield from found.values()


_SPEECH = 100
"""Sentences above which a turn is searched for no moment."""
_Told = Kind | Literal["mailbox"]


class _Lists(Lists[_Told]):
    times: Times


@dataclass(frozen=True, slots=True)
class _Language:
    listed: Listed[tuple[_Told, str]]
    times: Times
    callbacks: tuple[Phrase, ...]

    def moment(self, words: Sequence[str]) -> Moment | None:
        """The one moment of the sentences that ask to be called back; none of a speech, which names many."""
        sentences = [*_sentences(words)]
        moments = {
            self.times.named(sentence)
            for sentence in (sentences if len(sentences) <= _SPEECH else ())
            if any(map(Text(without(sentence, self.listed.dropped)).has, self.callbacks))
        }
        return moments.pop() if len(moments) == 1 else None


@cache
def _languages() -> Mapping[str, _Language]:
    """Each language by its ISO 639-1 code."""
    names = sorted(file.name for file in files("topcalls_tools.guard").joinpath("phrases").iterdir())
    return {
        name.removeprefix("heard_").removesuffix(".toml"): _language(name.removesuffix(".toml"))
        for name in names
        if name.startswith("heard_") and name.endswith(".toml")
    }


def _language(name: str) -> _Language:
    lists = written(name, _Lists)
    listed = compiled(lists, lambda one: (one.kind, one.label))
    callbacks = tuple(phrase for (kind, _), phrase in listed.phrases if kind == "callback")
    return _Language(listed, lists.times, callbacks)


def _sentences(words: Sequence[str]) -> Iterator[list[str]]:
    sentence: list[str] = []
    for word in (*words, END):
        if word != END:
            sentence.append(word)
        elif sentence:
            yield sentence
            sentence = []


def _instant(created_at: str | None) -> datetime | None:
    """When a turn was spoken; None where TopCalls does not say it as it documents."""
    try:
        said = datetime.fromisoformat(created_at or "")
    except ValueError:
        return None
    return said if said.tzinfo else said.replace(tzinfo=UTC)
