"""What a fresh account finds: its minutes, a carrier, numbers, and campaigns in every state."""

from __future__ import annotations

from typing import Any

from ..api.phone_numbers import AddPhoneNumber
from .caller import Caller, identity
from .numbers import new_number

HOUR = 3_600_000
DAY = 24 * HOUR
_SINCE = 1_735_689_600_000
"""When TopCalls' own carrier came to be: the first of January 2025."""

NUMBERS = (("+18005551234", "Main Line"), ("+14155550100", "Second Line"))

# name, status, zone, days since it was made, pending, in progress, completed, failed, conversions, minutes
CAMPAIGNS = (
    ("Spring check-up invitations", "completed", "America/New_York", 40, 0, 0, 131, 19, 74, 288_40),
    ("Old price list follow-up", "cancelled", "America/Chicago", 33, 52, 0, 21, 7, 4, 45_10),
    ("Insurance card updates", "paused", "America/Los_Angeles", 20, 64, 0, 27, 9, 15, 58_75),
    ("December reminders", "running", "America/New_York", 12, 80, 2, 30, 8, 12, 61_50),
    ("New year follow-up", "scheduled", "America/New_York", 6, 45, 0, 0, 0, 0, 0),
    ("Patient survey", "draft", "America/Denver", 3, 25, 0, 0, 0, 0, 0),
    ("Empty list", "draft", "America/Denver", 2, 0, 0, 0, 0, 0, 0),
)


def default_carrier(caller: Caller) -> None:
    """TopCalls' own carrier, which every account sees."""
    fresh = caller.fresh("carrier", _SINCE)
    caller.book.add(
        "carriers",
        {
            "id": fresh.id,
            "created_at": fresh.created_at,
            "voip_carrier_sid": identity(caller.seed, f"voip:{fresh.ordinal}"),
            "carrier_name": "TopCalls",
            "is_default": True,
        },
    )


def account(caller: Caller, allocated: int, bonus: int) -> None:
    """An account with minutes (in hundredths), two numbers and campaigns in every state."""
    caller.book.add("accounts", {"id": caller.account, "allocated": allocated, "bonus": bonus})
    for number, label in NUMBERS:
        new_number(AddPhoneNumber(number=number, label=label), caller, caller.now - 30 * DAY)
    for campaign in CAMPAIGNS:
        _campaign(caller, *campaign)


def _campaign(caller: Caller, name: str, status: str, zone: str, age: int, *figures: int) -> None:
    fresh = caller.fresh("campaign", caller.now - age * DAY)
    begun = status in ("running", "paused", "completed", "cancelled")
    started = min(caller.now, fresh.created_at + DAY) if begun else None
    completed = min(caller.now, fresh.created_at + 2 * DAY) if status == "completed" else None
    row: dict[str, Any] = {
        "id": fresh.id,
        "account_id": caller.account,
        "created_at": fresh.created_at,
        "name": name,
        "status": status,
        "from_number": NUMBERS[0][0],
        "mode": "realtime",
        "voice": "alloy",
        "timezone": zone,
        "conversion_outcomes": ["confirmed", "booked"],
        "webhook_events": [],
        "max_parallel_calls": 5,
        "max_retries": 2,
        "updated_at": completed or started or fresh.created_at,
        "scheduled_at": caller.now + 7 * DAY if status == "scheduled" else None,
        "started_at": started,
        "completed_at": completed,
    }
    names = ("pending", "in_progress", "completed", "failed", "conversions", "minutes")
    caller.book.add("campaigns", {**row, **dict(zip(names, figures, strict=True))})
