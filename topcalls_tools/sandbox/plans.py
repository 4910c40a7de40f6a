"""A campaign as somebody writes it down: in a file, through the controls, or in the seeded world."""

from __future__ import annotations

import tomllib
from datetime import datetime, time
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, field_validator

from ..api.calls import PlaceCall
from ..api.fields import JsonObject, PhoneNumber, WebhookUrl
from .clock import LAST, milliseconds, written
from .errors import SandboxError
from .hours import Hours
from .offer import completed


def _on_the_wall(at: time) -> time:
    if at.tzinfo:
        raise ValueError("is local to the campaign's timezone; write it without an offset, such as 09:00:00")
    return at


def _within_the_clock(at: datetime) -> datetime:
    if at.tzinfo is None:
        raise ValueError("needs an offset; write a time such as 2026-12-01T09:00:00Z")
    if not 0 <= milliseconds(at) <= LAST:
        raise ValueError(f"is no time that the clock can show; it goes from {written(0)} to {written(LAST)}")
    return at


Text = Annotated[str, Field(min_length=1, max_length=1000)]
TimeOfDay = Annotated[time, AfterValidator(_on_the_wall)]
Instant = Annotated[datetime, AfterValidator(_within_the_clock)]
"""Aware, and within what the clock may show."""


class _Written(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Contact(_Written):
    """Somebody on a campaign's list; `facts` stand in the task as {{name}}."""

    name: Text
    phone_number: PhoneNumber
    facts: JsonObject = {}


class Plan(_Written):
    """How a campaign calls, and whom. Times of day are local to its zone."""

    name: Text
    task: Annotated[str, Field(min_length=10, max_length=20_000)]
    first_sentence: Text | None = None
    contacts: tuple[Contact, ...] = ()
    from_number: PhoneNumber | None = None
    mode: Literal["realtime", "legacy"] = "realtime"
    voice: Text | None = None
    timezone: str = "America/New_York"
    opens: TimeOfDay = time(9)
    closes: TimeOfDay = time(18)
    weekdays: frozenset[Annotated[int, Field(ge=1, le=7)]] = frozenset({1, 2, 3, 4, 5})
    max_parallel_calls: Annotated[int, Field(ge=1, le=1000)] = 5
    max_retries: Annotated[int, Field(ge=0, le=10)] = 2
    retry_minutes: Annotated[int, Field(ge=1, le=10_080)] = 30
    max_duration: Annotated[float, Field(ge=1, le=60)] = 5
    conversion_outcomes: tuple[Text, ...] = ("confirmed", "booked")
    webhook_url: WebhookUrl | None = None
    webhook_events: tuple[Text, ...] = ()
    scheduled_at: Instant | None = None

    @field_validator("timezone")
    @classmethod
    def _known(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ValueError, OSError, KeyError):  # ZoneInfoNotFoundError is a KeyError
            raise ValueError("is no time zone; write one such as Europe/Berlin") from None
        return name

    @field_validator("weekdays")
    @classmethod
    def _some(cls, days: frozenset[int]) -> frozenset[int]:
        if not days:
            raise ValueError("needs at least one day, 1 being Monday")
        return days

    @cached_property
    def hours(self) -> Hours:
        return Hours(self.timezone, self.opens, self.closes, self.weekdays)

    @cached_property
    def request(self) -> PlaceCall:
        """The call that it makes, to nobody in particular."""
        return PlaceCall.model_construct(
            phone_number="",
            task=self.task,
            first_sentence=self.first_sentence,
            from_number=self.from_number,
            mode=self.mode,
            voice=self.voice,
            max_duration=self.max_duration,
        )

    def completed(self, **given: Any) -> PlaceCall:
        """The call that it makes, with what its account's campaign has filled in."""
        return completed(self.request.model_copy(update=given))

    def kept(self) -> dict[str, Any]:
        """What the campaign's row keeps of it: all but its contacts, who have rows of their own."""
        return self.model_dump(mode="json", exclude={"contacts"}, exclude_defaults=True)


def plans(path: Path) -> tuple[Plan, ...]:
    """The campaigns of a TOML file: tables `[[campaigns]]`. Raises SandboxError with what is wrong."""
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
        if strange := [name for name in found if name != "campaigns"]:
            raise SandboxError(
                f"{path}: {strange[0]!r} is read by nobody; write each campaign as [[campaigns]]."
            )
        if not isinstance(each := found.get("campaigns", []), list):
            raise TypeError("campaigns is no list of tables")
        return tuple(Plan.model_validate(one) for one in each)
    except ValidationError as wrong:
        item = wrong.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, item["loc"])) or "a campaign"
        said = item["msg"].removeprefix("Value error, ")
        raise SandboxError(f"{path}: {where}: {said}.") from None
    except (OSError, ValueError, TypeError) as error:
        raise SandboxError(f"{path} cannot be read ({error}); write TOML with [[campaigns]].") from None
