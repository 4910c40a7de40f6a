"""What the person called asks of whoever calls, heard in a transcript by lists of phrases.

The lists are data, a file `phrases/heard_<language>.toml` each, and every language is heard in every call.
Lists know wordings, not meanings: docs/words.md says how many they tell.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Literal, get_args
from zoneinfo import ZoneInfo

from ..api.calls import MACHINES, Call, CallInList
from ..api.transcript import Turn
from ..wire import moment
from .folding import END, PAUSE, folded, without
from .moments import Moment, Times
from .words import Listed, Lists, Text, compiled, written

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


def asked(call: Call | CallInList) -> tuple[Heard, ...]:
    """What the person called asks in a call. Where a machine is known to have answered, only a wish not to be
    called counts: a person may have taken over from a menu, and that wish is not to be missed."""
    wishes = heard(call.transcript)
    return tuple(wish for wish in wishes if wish.kind == "opt_out" or call.answered_by not in MACHINES)


def heard(turns: Iterable[Turn]) -> tuple[Heard, ...]:
    """What the person called asks, each kind once a turn. What the agent says counts for nothing, nor what a
    mailbox does."""
    return tuple(_each(turns))


def _each(turns: Iterable[Turn]) -> Iterator[Heard]:
    begun: list[str] = []
    """What they began to say and did not end, before the agent said a few words."""
    for turn in turns:
        words = folded(turn.text.words)
        if turn.user == "assistant":
            begun = begun if len(words) <= _FEW else []
            continue
        said = _told(words)
        if begun:
            before, whole = _told(begun), _told([*begun, *words])
            cut = {kind: one for kind, one in whole.items() if kind not in before and kind not in said}
            if "opt_out" in cut:
                said.pop("callback", None)  # "Please don't" and "call me again"
            said |= cut
        for kind, (label, when) in said.items():
            yield Heard(kind, turn.id, label, moment(turn.created_at), when)
        begun = [] if turn.text.words.rstrip().endswith(_ENDS) else _last([*begun, *words])


def _told(words: Sequence[str]) -> dict[Kind, tuple[str, Moment | None]]:
    """What somebody asks, by kind: in our words, and when they want to be called back."""
    found: dict[Kind, tuple[str, Moment | None]] = {}
    own = _after_a_mailbox(words)
    for language in _languages().values():
        texts = [Text(without([*one, END], language.listed.dropped)) for one in _readings(own)]
        for (kind, label), phrase in language.listed.phrases:
            if kind in found or kind == "mailbox" or (kind != "opt_out" and len(own) < len(words)):
                continue
            if not any(text.has(phrase) for text in texts):
                continue
            if kind != "callback":
                found[kind] = (label, None)
            elif sentences := language.asking(own):
                found[kind] = (label, language.moment(sentences))
    return found


def _after_a_mailbox(words: Sequence[str]) -> Sequence[str]:
    """The sentences after the last that sounds like a mailbox or a menu; all where none does. What stands
    before is part of the greeting, and what comes after it is a person's, who only spoke of one."""
    if not _is_mailbox(words):
        return words
    starts = [*(place for place, word in enumerate(words) if word == END), len(words)]
    first = bisect_left(starts, True, key=lambda place: not _is_mailbox(words[place:]))
    return words[starts[first] :]


def _readings(words: Sequence[str]) -> Iterator[Sequence[str]]:
    """Words as they stand; and with "Stop. Calling. Me." as one sentence."""
    yield words
    joined = [
        word
        for place, word in enumerate(words)
        if not (word == END and _alone(words, place - 1) and _alone(words, place + 1))
    ]
    if len(joined) < len(words):
        yield joined


_FEW = 5
"""Words of the agent that do not part what somebody says."""
_MOST_BEGUN = 30
"""Words of a sentence that was begun which count when it goes on."""
_ENDS = (".", "!", "?", "…", "。", ";")
_SPEECH = 100
"""Sentences above which a turn is searched for no moment."""
_Sound = Kind | Literal["mailbox"]


class _Lists(Lists[_Sound]):
    times: Times


@dataclass(frozen=True, slots=True)
class _Language:
    listed: Listed[tuple[_Sound, str]]
    times: Times

    def asking(self, words: Sequence[str]) -> list[list[str]]:
        """The sentences that ask to be called back, and not in the same breath not to be: "call again and I
        call the police". Of a speech that is the whole of it."""
        sentences = [*_sentences(words)]
        if len(sentences) > _SPEECH:
            return sentences
        return [one for one in sentences if self._has(one, "callback") and not self._has(one, "opt_out")]

    def moment(self, sentences: Sequence[Sequence[str]]) -> Moment | None:
        """The one moment that sentences name; none of a speech, which names many."""
        moments = {self.times.named(one) for one in (sentences if len(sentences) <= _SPEECH else ())}
        return moments.pop() if len(moments) == 1 else None

    def mailbox(self, words: Sequence[str]) -> bool:
        """Whether a mailbox or a menu speaks."""
        return self._has(words, "mailbox")

    def _has(self, words: Sequence[str], wanted: _Sound) -> bool:
        text = Text(without([*words, END], self.listed.dropped))
        return any(kind == wanted and text.has(phrase) for (kind, _), phrase in self.listed.phrases)


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
    return _Language(compiled(lists, lambda one: (one.kind, one.label)), lists.times)


def _is_mailbox(words: Sequence[str]) -> bool:
    return any(language.mailbox(words) for language in _languages().values())


def _alone(words: Sequence[str], place: int) -> bool:
    """Whether the word at a place is a sentence of its own."""
    return (
        0 <= place < len(words)
        and words[place] not in (END, PAUSE)
        and (place == 0 or words[place - 1] == END)
        and (place + 1 == len(words) or words[place + 1] == END)
    )


def _last(words: Sequence[str]) -> list[str]:
    """The last sentence, or the end of it."""
    begins = max((place + 1 for place, word in enumerate(words) if word == END), default=0)
    return [*words[max(begins, len(words) - _MOST_BEGUN) :]]


def _sentences(words: Sequence[str]) -> Iterator[list[str]]:
    sentence: list[str] = []
    for word in (*words, END):
        if word != END:
            sentence.append(word)
        elif sentence:
            yield sentence
            sentence = []
