"""Following a call: wait until there is something to tell, and say how to go on."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, Strict

from ..action import Effect, Record
from ..api.calls import Call
from ..api.fields import WHOLE, CallId, Number, Spoken
from ..api.transcript import SHOWN_BYTES, SHOWN_TURNS, ShownTurn, shown_turn
from ..flow import Deed
from ..flow.steps import Desk, Flow
from ..following.sights import Sight
from .awaiting import Wait, awaited

MARGIN = 5.0
"""Seconds kept free at the end of a call, so that the last look still fits."""


class Following(Record):
    """What was said since the turn asked for, and where the call stands."""

    call_id: str
    """Handle of the call."""
    status: str | None = None
    """TopCalls' progress with the call."""
    call_status: str | None = None
    """The telephone's outcome, once there is one."""
    turns: tuple[ShownTurn, ...] = ()
    """The conversation from from_turn on, at most 10 turns."""
    next_turn: int = 1
    """What to give as from_turn next."""
    more: bool = False
    """True when further turns are there already."""
    ended: bool = False
    """True when the call is over."""
    completed: bool | None = None
    """True once summary and recording are in place."""
    answered_by: str | None = None
    """Who or what answered."""
    duration: float | None = None
    """Length in minutes, once it has ended."""
    call_summary: Spoken | None = None
    """What came of the call, derived from what was said."""
    error_message: str | None = None
    """Why the call failed."""
    recording_url: str | None = None
    """Where the recording is."""
    note: str
    """What to do next, in a sentence of TopCalls Tools."""


class FollowCall(Deed[Following], effect=Effect.READ, toolset="calls"):
    """Follow a call: read what was said, waiting for news while it is live. Returns when something new was
    said, the state changed, or the time is up; the call goes on meanwhile. get_call looks without waiting."""

    call_id: CallId
    """Handle from place_call or list_calls."""
    from_turn: Annotated[int, Strict(), Field(ge=1), WHOLE] = 1
    """First turn to return, from 1; next_turn of the result before. Default 1."""
    wait_seconds: Annotated[Number, Field(ge=0, le=40)] = 25
    """Longest wait in seconds, 0 to 40. Default 25."""

    def flow(self, desk: Desk) -> Flow[Following]:
        wait = Wait(desk, max(0.0, min(self.wait_seconds, desk.left() - MARGIN)))
        return self._told((yield from awaited(self.call_id, wait, self._news)))

    def _news(self, sight: Sight, first: Call) -> bool:
        call = sight.call or first
        return (
            sight.final
            or _state(call) != _state(first)
            or any(turn.id >= self.from_turn for turn in call.transcript)
        )

    def _told(self, sight: Sight) -> Following:
        call = sight.call
        assert call is not None
        fresh = [turn for turn in call.transcript if turn.id >= self.from_turn]
        turns: list[ShownTurn] = []
        room = SHOWN_BYTES
        for turn in fresh[:SHOWN_TURNS]:
            seen = shown_turn(turn)
            room -= len(seen.text.words.encode())
            if turns and room < 0:
                break
            turns.append(seen)
        more = len(turns) < len(fresh)
        next_turn = turns[-1].turn + 1 if turns else self.from_turn
        names = Following.model_fields.keys() & Call.model_fields.keys()
        facts = {name: getattr(call, name) for name in names} | {"completed": sight.final}
        return Following(
            **facts,
            call_id=self.call_id,
            turns=tuple(turns),
            next_turn=next_turn,
            more=more,
            ended=call.ended,
            note=_note(call, sight.final, more, next_turn),
        )


def _state(call: Call) -> tuple[object, ...]:
    return call.status, call.call_status


def _note(call: Call, final: bool, more: bool, next_turn: int) -> str:
    onward = f"follow_call with from_turn {next_turn}"
    if more:
        return f"There is more to read: {onward}."
    if not call.ended:
        return f"The call still runs and nothing is lost: {onward} goes on; stop_call hangs up."
    if final:
        return "The call is over and this is all of it."
    missing = [
        what
        for what, there in (("summary", call.call_summary), ("recording", call.recording_url))
        if there is None
    ]
    lacks = f"its {' and its '.join(missing)}" if missing else "TopCalls' word that all of it is there"
    return f"The call is over; {lacks} may come, about 15 seconds after the end: {onward} waits for it."
