"""Calls: place one, look at it, stop it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from ..action import Effect, Record, ToolDefault
from ..endpoint import Brake, Done, Endpoint
from .account import GetBalance
from .call_arguments import CallArguments
from .fields import (
    CallId,
    CampaignId,
    Limit,
    Page,
    Paged,
    Spoken,
)
from .phone_numbers import ListPhoneNumbers
from .transcript import SHOWN_BYTES, SHOWN_TURNS, ShownTurn, Turn, shown_turn

CallStatus = Literal["pending", "queued", "in_progress", "completed", "failed", "cancelled"]
CallOutcome = Literal[
    "in-progress", "completed", "failed", "no-answer", "busy", "rejected", "cancelled", "dispatch_timeout"
]
ENDED = frozenset({"completed", "failed", "cancelled"})
"""Statuses that nothing leaves."""
MACHINES = frozenset({"voicemail", "ivr"})
"""What answers where no person does."""


class CallFacts(Record):
    """What lists and single reads both say of a call."""

    id: str
    """Handle of the call."""
    status: CallStatus | str | None = None
    """TopCalls' progress with the call."""
    call_status: CallOutcome | str | None = None
    """The telephone's outcome; absent until the phone was answered or gave up."""
    phone_number: str | None = None
    """Number called."""
    from_phone_number: str | None = None
    """Caller id."""
    duration: float | None = None
    """Length in minutes, with a fraction."""
    answered_by: Literal["human", "voicemail", "ivr", "unknown"] | str | None = None
    """Who or what answered."""
    call_summary: Spoken | None = None
    """What came of the call, written by AI from what was said; about 15 seconds after the end."""
    error_message: str | None = None
    """Why the call failed."""
    recording_url: str | None = None
    """Where the recording is, about 15 seconds after the end."""
    campaign_id: str | None = None
    """Campaign that made the call, if one did."""
    lead_id: str | None = None
    """Lead that was called, if a campaign made the call."""
    created_at: str | None = None
    """When it was placed, ISO 8601 UTC."""
    started_at: str | None = None
    """When it was answered, ISO 8601 UTC."""
    end_at: str | None = None
    """When it ended, ISO 8601 UTC."""


class ListedCall(CallFacts):
    """A call as lists show it."""

    disposition: Spoken | None = None
    """Label of the result, such as confirmed, derived from what was said."""
    actual_duration_billed: float | None = None
    """Minutes billed."""


class CallView(CallFacts):
    """A call as get_call shows it to a model: its last turns."""

    completed: bool | None = None
    """True once summary and recording are in place."""
    turns: tuple[ShownTurn, ...] = ()
    """The last turns of the conversation, at most 10."""
    turns_total: int = 0
    """How many turns there are; follow_call reads them from any turn on."""
    first_turn: int | None = None
    """Number of the first turn shown."""


class Call(CallFacts):
    """A call and what became of it."""

    account_id: str | None = None
    """Account that placed it."""
    external_call_id: str | None = None
    """The telephone provider's id."""
    completed: bool | None = None
    """True once TopCalls has finished with the call: transcript, recording and summary are in place."""
    transcript: tuple[Turn, ...] = ()
    """The conversation so far, in order; grows during the call."""
    metadata: dict[str, Any] | None = None
    """Configuration of the call and the caller's own data."""

    @property
    def ended(self) -> bool:
        return self.status in ENDED


class CallInList(ListedCall):
    """A call as the list gives it, with its transcript."""

    transcript: tuple[Turn, ...] = ()
    """The conversation so far, in order."""


class CallPage(Page[CallInList]):
    """Calls, newest first."""


class ListedCallPage(Page[ListedCall]):
    """Calls as tools show them, newest first."""


class CallPlaced(Done):
    """A call that TopCalls has accepted."""

    call_id: str
    """Handle for following, stopping or reading the call."""
    provider_call_id: str | None = None
    """The telephone provider's id."""
    status: CallStatus | str | None = None
    """Where the call stands: queued."""


class ListCalls(Paged[CallPage], route="GET /v1/calls", effect=Effect.READ, scope="calls:read"):
    """List calls, newest first, without transcripts. Free; get_call reads one with its conversation,
    get_campaign sums up a campaign."""

    status: Literal["completed", "no-answer", "failed", "busy", "dispatch_timeout"] | None = None
    """Only calls with this outcome (call_status)."""
    campaign_id: CampaignId | None = None
    """Only calls of this campaign; id from list_campaigns."""
    limit: Annotated[Limit | None, ToolDefault(10)] = None
    """How many to return, 1 to 200."""

    def view(self, reply: CallPage) -> ListedCallPage:
        bare = [ListedCall.model_validate(call.model_dump(exclude={"transcript"})) for call in reply.data]
        return ListedCallPage(data=tuple(bare), next_cursor=reply.next_cursor)


class GetCall(Endpoint[Call], route="GET /v1/calls/{call_id}", effect=Effect.READ, scope="calls:read"):
    """Look up one call: status, outcome, summary and its last turns. Free and immediate; follow_call waits
    for news and reads earlier turns."""

    call_id: CallId
    """Handle from place_call or list_calls."""

    def view(self, reply: Call) -> CallView:
        last: list[ShownTurn] = []
        room = SHOWN_BYTES
        for turn in reversed(reply.transcript[-SHOWN_TURNS:]):
            seen = shown_turn(turn)
            room -= len(seen.text.words.encode())
            if last and room < 0:
                break
            last.insert(0, seen)
        names = CallView.model_fields.keys() & Call.model_fields.keys()
        added = {
            name: value
            for name, value in (reply.model_extra or {}).items()
            if name not in CallView.model_fields
        }
        facts: dict[str, Any] = {**added, **{name: getattr(reply, name) for name in names}}
        first = last[0].turn if last else None
        shown: dict[str, Any] = {
            "turns": tuple(last),
            "turns_total": len(reply.transcript),
            "first_turn": first,
        }
        return CallView(**facts, **shown)


class PlaceCall(
    CallArguments,
    Endpoint[CallPlaced],
    route="POST /v1/calls",
    effect=Effect.SPEND,
    scope="calls:write",
    creates=True,
):
    """Phone a person and have an AI agent carry out a task. Rings a real phone at once and uses up to
    max_duration call minutes; nothing can be scheduled. A person is asked first. Returns when the call is
    queued: follow_call tells what is said, stop_call hangs up."""

    def preview(self) -> tuple[Endpoint[Any], ...]:
        return GetBalance(), ListPhoneNumbers(limit=200)

    def target(self, seen: tuple[Any, ...]) -> str:
        return self.phone_number

    def most_minutes(self, seen: tuple[Any, ...]) -> float:
        return self.max_duration


class StopCall(Brake, route="POST /v1/calls/{call_id}/stop", effect=Effect.BRAKE, scope="calls:write"):
    """Hang up a call that is queued or in progress. Works at once and without asking; what was said is
    kept and the minutes spoken are billed. Harmless when the call has ended; cancel_call drops one that
    has not begun."""

    call_id: CallId
    """Handle from place_call or list_calls."""

    calm = ENDED

    def look(self) -> GetCall:
        return GetCall(call_id=self.call_id)

    def instead(self, status: str) -> str:
        return "stop_call again is safe"


class CancelCall(Brake, route="POST /v1/calls/{call_id}/cancel", effect=Effect.BRAKE, scope="calls:write"):
    """Drop a call that has not started, before any phone rings. Costs nothing; stop_call hangs up a call in
    progress."""

    call_id: CallId
    """Handle from place_call or list_calls."""

    calm = ENDED

    def look(self) -> GetCall:
        return GetCall(call_id=self.call_id)

    def instead(self, status: str) -> str:
        return "stop_call hangs it up"
