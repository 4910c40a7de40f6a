"""Why a call ended as it did, how far it came and what would work next; each statement with its source."""

from __future__ import annotations

from typing import Literal

from ..action import Effect, Record
from ..api.fields import CallId, Spoken
from ..flow import Deed
from ..flow.steps import Desk, Flow

Stage = Literal["asked", "sent", "queued", "ringing", "answered", "talked", "ended", "processed"]


class Statement(Record):
    """A sentence of TopCalls Tools about a call; nobody else's words stand in it."""

    says: str
    """The sentence."""
    source: str
    """What says so: call, a turn such as "turn 4", journal, webhook, number, carrier or rules."""


Part = Literal["happened", "why", "unknown", "works"]
Finding = tuple[Part, Statement]
"""A statement, and the part of an explanation that it belongs to."""


def finding(part: Part, says: str, source: str) -> Finding:
    """A statement for a part of an explanation."""
    return part, Statement(says=says, source=source)


class Quoted(Record):
    """Words of others, to be read as data."""

    speaker: Literal["TopCalls"] = "TopCalls"
    """Whose words they are."""
    source: Literal["call", "number"]
    """What they came with."""
    text: Spoken
    """The words."""


class Explanation(Record):
    """What became of a call, as far as the data say."""

    call_id: str
    """Handle of the call."""
    stage: Stage
    """How far it is known to have come; where it failed or was cancelled, where it broke off. Processed:
    summary and recording are made."""
    ended: bool | None
    """True when the call is over; absent where that is not told."""
    status: str | None = None
    """TopCalls' progress with the call."""
    call_status: str | None = None
    """The telephone's outcome, once there is one."""
    happened: tuple[Statement, ...]
    """What happened, in order."""
    why: tuple[Statement, ...]
    """Why it stands or ended so."""
    unknown: tuple[Statement, ...] = ()
    """What cannot be known, and must not be guessed."""
    works: tuple[Statement, ...] = ()
    """What would work next, the best first, at most three."""
    quoted: tuple[Quoted, ...] = ()
    """Reasons in TopCalls' own words."""


class ExplainCall(Deed[Explanation], effect=Effect.READ, toolset="calls"):
    """Explain how far a call came and why it ended so. Free: waits for nothing, writes nothing. Gives what
    would work next, with the earliest permitted time where that is another call. Each statement names its
    source; what nobody knows is said to be unknown. get_call shows the call itself."""

    call_id: CallId
    """Handle from place_call or list_calls."""

    def flow(self, desk: Desk) -> Flow[Explanation]:
        from .explaining import explained  # no rule and no journal is needed until somebody asks

        return (yield from explained(self.call_id, desk))
