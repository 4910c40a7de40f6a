"""What a fresh account finds: minutes, a carrier, numbers, and campaigns in every state with their past."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, time
from random import Random

from ..api.phone_numbers import AddPhoneNumber
from . import clock
from .caller import Caller
from .campaigns import became, new_campaign, own
from .dialer import carry_on
from .hours import Hours
from .numbers import new_number
from .plans import Contact, Plan
from .script import dice
from .seeds import ENDINGS, FIRST, LAST, SEEDS, ZONES, Seed

MINUTE = 60_000
DAY = 24 * 60 * MINUTE
_SINCE = 1_735_689_600_000
"""When TopCalls' own carrier came to be: the first of January 2025."""

_OPENS, _CLOSES = time(9), time(18)
NUMBERS = (("+18005551234", "Main Line"), ("+14155550100", "Second Line"))


def default_carrier(caller: Caller) -> None:
    """TopCalls' own carrier, which every account sees."""
    fresh = caller.fresh("carrier", _SINCE)
    caller.book.add(
        "carriers",
        {
            "id": fresh.id,
            "created_at": fresh.created_at,
            "voip_carrier_sid": caller.identity("voip:topcalls"),
            "carrier_name": "TopCalls",
            "is_default": True,
        },
    )


def account(caller: Caller, name: str, allocated: int, bonus: int, plans: Iterable[Plan] | None) -> None:
    """An account with minutes (in hundredths), two numbers, and campaigns: these, or our own with their past.

    The past is another month's: its calls are there, and the minutes are whole.
    """
    caller.book.add(
        "accounts",
        {
            "id": caller.account,
            "name": name,
            "allocated": _PLENTY,
            "bonus": 0,
            "held": 0,
            "billed": 0,
            "settled_at": 0,
        },
    )
    for number, label in NUMBERS:
        new_number(AddPhoneNumber(number=number, label=label), caller, caller.now - 60 * DAY)
    if plans is None:
        _past(caller)
    else:
        for plan in plans:
            new_campaign(plan, caller)
    minutes = {"allocated": allocated, "bonus": bonus, "held": 0, "billed": 0, "settled_at": caller.now}
    caller.book.change("accounts", ("id", "=", caller.account), **minutes)


_PLENTY = 10**9
"""Minutes while the past is worked out."""


def _past(caller: Caller) -> None:
    """Make our campaigns, and let what has happened to them happen, in order of time."""
    chance = dice(caller.scene.seed, 0)
    deeds: list[tuple[int, int, str, str]] = []
    for place, seed in enumerate(SEEDS):
        made = caller.now - seed.days * DAY
        zone = _resting(caller.now)[place % 2] if seed.fate == "running" else "America/New_York"
        plan = _plan(seed, zone, chance, caller.now)
        row = new_campaign(plan, replace(caller, now=made))
        deeds += [(at, place, row["id"], deed) for at, deed in _fate(seed, plan, made, caller.now)]
    for at, _, campaign_id, deed in sorted(deeds):
        then = replace(caller, now=at)
        _until(then)
        row = own(campaign_id, then)
        status, event = _DEEDS[deed]
        became(row, status, then, event)
    _until(caller)


_DEEDS = {
    "start": ("running", "campaign.started"),
    "pause": ("paused", "campaign.paused"),
    "stop": ("cancelled", "campaign.stopped"),
}


def _until(caller: Caller) -> None:
    while not carry_on(caller.book, caller.scene, caller.now):
        pass


def _fate(seed: Seed, plan: Plan, made: int, now: int) -> Iterator[tuple[int, str]]:
    """What somebody did to a campaign, and when."""
    opened, _ = plan.hours.window(made)
    match seed.fate:
        case "completed":
            yield opened, "start"
        case "cancelled" | "paused":
            yield opened, "start"
            yield opened + 5 * MINUTE, "stop" if seed.fate == "cancelled" else "pause"
        case "running":
            closed = _closed(plan.timezone, now)
            yield closed - 9 * MINUTE, "start"


def _plan(seed: Seed, zone: str, chance: Random, now: int) -> Plan:
    in_a_week = datetime.fromtimestamp(min(now + 7 * DAY, clock.LAST) // 1000, UTC)
    return Plan(
        name=seed.name,
        task=seed.task,
        contacts=tuple(_contacts(seed.size, ZONES[zone], chance)),
        timezone=zone,
        opens=_OPENS,
        closes=_CLOSES,
        weekdays=frozenset(range(1, 8)) if seed.fate == "running" else frozenset(range(1, 6)),
        max_parallel_calls=2,
        scheduled_at=in_a_week if seed.fate == "scheduled" else None,
    )


def _contacts(size: int, form: str, chance: Random) -> Iterator[Contact]:
    """People with numbers of a form; hardly two share one, and leads with one number are one lead."""
    endings, weights = list(ENDINGS), list(ENDINGS.values())
    for _ in range(size):
        ending = chance.choices(endings, weights)[0] or f"{chance.randrange(2000, 10_000)}"
        number = "".join(chance.choice("23456789") if c == "x" else c for c in form[:-4])
        name = f"{chance.choice(FIRST)} {chance.choice(LAST)}"
        yield Contact(name=name, phone_number=number + ending)


def _resting(now: int) -> list[str]:
    """Zones where business has closed a while ago, the latest first: their campaigns rest for hours now."""
    closed = {zone: now - _closed(zone, now) for zone in ZONES}
    return sorted((zone for zone in ZONES if closed[zone] >= 10 * MINUTE), key=closed.__getitem__)


def _closed(zone: str, now: int) -> int:
    """When business last closed in a zone where every day is a working day."""
    return Hours(zone, _OPENS, _CLOSES, frozenset(range(1, 8))).window(now - DAY)[1]
