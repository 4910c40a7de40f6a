"""A call as dated events, written when it is placed; what is seen of it depends on the instant alone."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter

Speaker = Literal["assistant", "user"]
AFTERWARDS = 15_000
"""Milliseconds from the end of an answered call until recording and summary are there (contract A104)."""
WORDS_PER_SECOND = 2.6


@dataclass(frozen=True, slots=True)
class Finding:
    """What a turn brought to light: the label for the call's disposition, and a sentence for its summary."""

    label: str
    """Empty where it says nothing about the outcome."""
    said: str
    aside: Literal[True] | None = None
    """True where it settles none of the points that the agent was to bring up."""


@dataclass(frozen=True, slots=True)
class Ringing:
    at: int
    kind: Literal["ringing"] = "ringing"


@dataclass(frozen=True, slots=True)
class Answered:
    at: int
    by: Literal["human", "voicemail", "ivr"]
    kind: Literal["answered"] = "answered"


@dataclass(frozen=True, slots=True)
class Said:
    """A turn of the conversation; `at` is when it begins."""

    at: int
    speaker: Speaker
    words: str
    finding: Finding | None = None
    kind: Literal["said"] = "said"


@dataclass(frozen=True, slots=True)
class Ended:
    at: int
    outcome: str
    error: str | None = None
    kind: Literal["ended"] = "ended"


@dataclass(frozen=True, slots=True)
class Processed:
    """The worker has finished with the call; summary and disposition are None where nobody answered."""

    at: int
    summary: str | None = None
    disposition: str | None = None
    kind: Literal["processed"] = "processed"


Event = Annotated[Ringing | Answered | Said | Ended | Processed, Field(discriminator="kind")]


@dataclass(frozen=True, slots=True)
class Script:
    """All that will happen unless somebody intervenes, in order of time."""

    created_at: int
    person: str
    """Who is reached, named by the summary if they gave their name; empty for a machine."""
    points: int
    """How many things the agent is to bring up."""
    events: tuple[Event, ...]


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known of a call at one instant; times are milliseconds since 1970."""

    status: str = "queued"
    call_status: str | None = None
    rang_at: int | None = None
    started_at: int | None = None
    ended_at: int | None = None
    done_at: int | None = None
    answered_by: str | None = None
    turns: tuple[Said, ...] = ()
    error: str | None = None
    summary: str | None = None
    disposition: str | None = None

    @property
    def hundredths(self) -> int:
        """Length in hundredths of a minute: what is billed (contract A125)."""
        if self.started_at is None or self.ended_at is None:
            return 0
        return (self.ended_at - self.started_at + 300) // 600

    @property
    def recorded(self) -> bool:
        return self.done_at is not None and self.started_at is not None


def seen(script: Script, cut: int | None, now: int) -> Seen:
    """The call at the instant `now`. `cut` is when somebody stopped or cancelled it, if anybody did."""
    facts: dict[str, Any] = {}
    turns: list[Said] = []
    for event in script.events:
        if event.at > now or (cut is not None and event.at > cut):
            break
        if isinstance(event, Said):
            turns.append(event)
        else:
            facts |= _facts(event)
    found = Seen(**facts, turns=tuple(turns))
    return found if cut is None or cut > now else _cut(script, found, cut, now)


def _facts(event: Ringing | Answered | Ended | Processed) -> dict[str, Any]:
    """What an event makes known of a call."""
    match event:
        case Ringing(at=at):
            return {"rang_at": at}
        case Answered(at=at, by=by):
            return {
                "status": "in_progress", "call_status": "in-progress", "started_at": at, "answered_by": by
            }  # fmt: skip
        case Ended(at=at, outcome=outcome, error=error):
            status = "completed" if outcome == "completed" else "failed"
            return {"status": status, "call_status": outcome, "ended_at": at, "error": error}
        case Processed(at=at, summary=summary, disposition=disposition):
            return {"done_at": at, "summary": summary, "disposition": disposition}


def _cut(script: Script, found: Seen, cut: int, now: int) -> Seen:
    """A line that was cut: what was said stays and is summed up; an unanswered call is done at once."""
    done = cut + AFTERWARDS if found.started_at is not None else cut
    found = replace(
        found,
        status="cancelled",
        call_status="cancelled",
        ended_at=max(cut, script.created_at),  # times that never repeat may run ahead of the clock
        done_at=done if done <= now else None,
    )
    if not found.recorded:
        return found
    summary, disposition = summed_up(script.person, script.points, found.turns)
    return replace(found, summary=summary, disposition=disposition)


def closed(script: Script, ended: Ended) -> Script:
    """The script with its end: what comes later is dropped, and the worker's part is added."""
    kept = tuple(event for event in script.events if event.at <= ended.at)
    if not any(isinstance(event, Answered) for event in kept):
        return replace(script, events=(*kept, ended, Processed(ended.at)))
    turns = tuple(event for event in kept if isinstance(event, Said))
    summary, disposition = summed_up(script.person, script.points, turns)
    return replace(script, events=(*kept, ended, Processed(ended.at + AFTERWARDS, summary, disposition)))


RANK = (
    "do_not_call", "wrong_number", "booked_callback", "booked", "ordered", "cancelled", "rescheduled",
    "confirmed", "declined", "agreed", "answered", "informed", "voicemail_left", "menu_reached", "hung_up",
)  # fmt: skip
"""Which finding names the whole call, the weightiest first; a label of the user's own goes before all."""


def summed_up(person: str, points: int, turns: tuple[Said, ...]) -> tuple[str, str]:
    """Summary and disposition, from nothing but what was said."""
    findings = [turn.finding for turn in turns if turn.finding]
    labels = [finding.label for finding in findings if finding.label]
    label = min(labels, key=lambda label: RANK.index(label) if label in RANK else -1, default="no_result")
    parts = [_met(person, turns), *(finding.said for finding in findings)]
    settled = sum(not finding.aside for finding in findings)
    if settled < points:
        were = "was" if settled == 1 else "were"
        told = "its one point was not" if points == 1 else f"{settled} of {points} points {were}"
        parts.append(f"The call ended early: {told} settled.")
    return " ".join(filter(None, parts)), label


def _met(person: str, turns: tuple[Said, ...]) -> str:
    """Who was spoken with, by the name that they gave; nothing where a machine tells of itself."""
    theirs = " ".join(turn.words for turn in turns if turn.speaker == "user")
    if not theirs:
        return "The phone was answered, and nobody spoke."
    if not person:
        return ""
    named = person if person in theirs else "the person who answered"
    return f"Spoke with {named}."


def spoken_ms(words: str) -> int:
    """How long it takes to say something."""
    return max(600, round(len(words.split()) / WORDS_PER_SECOND * 1000))


class Chance:
    """Chance that falls the same way on every machine; what is picked does not disturb what is thrown."""

    def __init__(self, seed: str, ordinal: int) -> None:
        self.dice = dice(seed, ordinal)
        self._picks, self._picked = _digest(f"{seed}:{ordinal}:tone"), 0

    def share(self) -> float:
        """The next number from 0 to below 1; they come round after 32."""
        self._picked += 1
        return self._picks[self._picked % 32] / 256

    def pick(self, choices: Sequence[str]) -> str:
        """One of several wordings."""
        return choices[int(self.share() * len(choices))]


def dice(seed: str, ordinal: int) -> random.Random:
    """The same throws for the same seed and ordinal."""
    return random.Random(int.from_bytes(_digest(f"{seed}:{ordinal}"), "big"))


def _digest(name: str) -> bytes:
    return hashlib.sha256(name.encode("utf-8", "replace")).digest()


class _Scripts:
    """Writes a script as JSON without what is not set, and reads it back."""

    def __init__(self) -> None:
        self._form: TypeAdapter[Script] = TypeAdapter(Script)

    def dump_json(self, script: Script) -> bytes:
        return self._form.dump_json(script, exclude_none=True)

    def validate_json(self, written: str | bytes) -> Script:
        return self._form.validate_json(written)


SCRIPT = _Scripts()
