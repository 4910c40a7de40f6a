"""Calls: place one, look at it, stop it."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from ..action import Arguments, Effect, ForCode, Record, ToolDefault
from ..endpoint import Brake, Done, Endpoint
from .account import GetBalance
from .fields import (
    CallId,
    CampaignId,
    Handle,
    JsonObject,
    Limit,
    Number,
    Page,
    Paged,
    PhoneNumber,
    Spoken,
    WebhookUrl,
)
from .phone_numbers import ListPhoneNumbers
from .placeholders import filled
from .transcript import SHOWN_BYTES, SHOWN_TURNS, ShownTurn, Turn, shown_turn

CallStatus = Literal["pending", "queued", "in_progress", "completed", "failed", "cancelled"]
CallOutcome = Literal[
    "in-progress", "completed", "failed", "no-answer", "busy", "rejected", "cancelled", "dispatch_timeout"
]
ENDED = frozenset({"completed", "failed", "cancelled"})
"""Statuses that nothing leaves."""


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
    """Label of the result, such as confirmed."""
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


class ToolFunction(Arguments):
    """A function of yours that the AI agent may call during the call, through your webhook."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
    """Its name."""
    description: Annotated[str, Field(min_length=1)]
    """What it does, for the agent."""
    parameters: JsonObject
    """Its arguments as a JSON Schema."""


EventName = Literal["call.queued", "call.started", "call.completed", "call.failed", "call.transferred"]


class CallArguments(Arguments):
    """What place_call sends, and check_call looks at."""

    phone_number: PhoneNumber
    """Number to call, international: plus sign, country code, number, such as +14155550123."""
    task: Annotated[str, Field(min_length=10, max_length=20_000)] | None = None
    """What the agent should achieve, in plain words, at least 10 characters. Give this or instructions."""
    instructions: Annotated[str, Field(min_length=10, max_length=60_000)] | None = None
    """Full system prompt of the agent instead of task, at least 10 characters."""
    first_sentence: Annotated[str, Field(min_length=1, max_length=1000)] | None = None
    """What the agent says first. Without it the agent opens freely."""
    from_number: PhoneNumber | None = None
    """Caller id: an active number from list_phone_numbers. Default: the account's."""
    mode: Literal["realtime", "legacy"] = "realtime"
    """realtime answers in under half a second; legacy is slower and takes custom voices."""
    voice: Annotated[str, Field(min_length=1, max_length=100)] | None = None
    """Voice id from list_voices that fits the mode, such as sage. Default: alloy."""
    model: Annotated[str, Field(min_length=1, max_length=100)] | None = None
    """Model id from list_models that fits the mode. Default: the mode's own."""
    temperature: Annotated[Number, Field(ge=0, le=2)] | None = None
    """Freedom of wording, 0 to 2, where the model takes it."""
    max_duration: Annotated[Number, Field(ge=1, le=60)] = 10
    """Minutes after which the call is hung up, 1 to 60."""
    background_audio: Annotated[str, Field(min_length=1, max_length=50)] | None = None
    """Ambience behind the voice, such as office. Default: none."""
    background_audio_gain: Annotated[str, Field(min_length=1, max_length=50)] | None = None
    """Loudness of the ambience, such as low, medium or high."""
    knowledge_base_ids: Annotated[tuple[Handle, ...], Field(max_length=50)] | None = None
    """Ids of knowledge bases that the agent may use."""
    request_data: JsonObject | None = None
    """Facts for the agent by name, such as {"patient_name": "Ann"}; {{patient_name}} in task or
    first_sentence."""
    webhook_url: Annotated[WebhookUrl | None, ForCode()] = None
    """Where events of this call are sent: an https address."""
    webhook_events: Annotated[tuple[EventName, ...] | None, ForCode()] = None
    """Which events are sent; call.completed and call.failed by default."""
    tools: Annotated[tuple[ToolFunction, ...] | None, ForCode()] = None
    """Functions of yours that the agent may call during the call."""

    @model_validator(mode="after")
    def _one_brief(self) -> Self:
        if (self.task is None) == (self.instructions is None):
            raise ValueError("task or instructions: give one of the two, such as a task in plain words")
        return self

    def opening(self) -> str | None:
        """What the agent says first, as it will be spoken: with the facts of request_data in it."""
        return self.first_sentence and filled(self.first_sentence, self.request_data)


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
