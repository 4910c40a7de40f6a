"""A call as dated events, written when it is placed; what is seen of it depends on the instant alone."""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass, replace
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

Speaker = Literal["assistant", "user"]
AFTERWARDS = 15_000
"""Milliseconds from the end of an answered call until recording and summary are there (contract A104)."""
WORDS_PER_SECOND = 2.6


@dataclass(frozen=True, slots=True)
class Finding:
    """What a turn brought to light: the label for the call's disposition, and a sentence for its summary."""

    label: str
    said: str


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
    """Who is reached, as the summary names them."""
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
    found = Seen()
    for event in script.events:
        if event.at > now or (cut is not None and event.at > cut):
            break
        found = _after(found, event)
    return found if cut is None or cut > now else _cut(script, found, cut, now)


def _after(found: Seen, event: Event) -> Seen:
    match event:
        case Ringing(at=at):
            return replace(found, rang_at=at)
        case Answered(at=at, by=by):
            return replace(
                found, status="in_progress", call_status="in-progress", started_at=at, answered_by=by
            )
        case Said():
            return replace(found, turns=(*found.turns, event))
        case Ended(at=at, outcome=outcome, error=error):
            status = "completed" if outcome == "completed" else "failed"
            return replace(found, status=status, call_status=outcome, ended_at=at, error=error)
        case Processed(at=at, summary=summary, disposition=disposition):
            return replace(found, done_at=at, summary=summary, disposition=disposition)


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


RANK = ("booked", "cancelled", "rescheduled", "confirmed", "declined", "agreed", "answered", "informed")
"""Which finding names the whole call, the weightiest first."""


def summed_up(person: str, points: int, turns: tuple[Said, ...]) -> tuple[str, str]:
    """Summary and disposition, from nothing but what was said."""
    findings = [turn.finding for turn in turns if turn.finding]
    labels = {finding.label for finding in findings}
    label = next((known for known in RANK if known in labels), None) or next(
        iter(sorted(labels)), "no_result"
    )
    parts = [f"Spoke with {person}." if turns else f"Reached {person}; nothing was said."]
    parts += [finding.said for finding in findings]
    if len(findings) < points:
        parts.append(f"The call ended early: {len(findings)} of {points} points were settled.")
    return " ".join(parts), label


def spoken_ms(words: str) -> int:
    """How long it takes to say something."""
    return max(600, round(len(words.split()) / WORDS_PER_SECOND * 1000))


def dice(seed: str, ordinal: int) -> random.Random:
    """Chance that falls the same way on every machine."""
    digest = hashlib.sha256(f"{seed}:{ordinal}".encode()).digest()
    return random.Random(int.from_bytes(digest, "big"))


SCRIPT: TypeAdapter[Script] = TypeAdapter(Script)
"""Writes a script as JSON and reads it back."""
