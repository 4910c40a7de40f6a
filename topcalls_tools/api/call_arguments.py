"""What a call is asked for with."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from ..action import Arguments, ForCode
from .fields import Handle, JsonObject, Number, PhoneNumber, WebhookUrl
from .placeholders import filled


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
