"""When a number may be called: by the clock where it rings, and by when it was called last."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import phonenumbers
from phonenumbers import PhoneNumberType

from ...api.calls import PlaceCall
from ...api.fields import E164
from ...places import here_and_there, kind, parsed, region, time_in, zones
from .. import Allow, AskPerson, Facts, Refuse, Rung, Verdict, called
from ..hours import NEVER, Window, earliest, holidays_known, state
from . import in_policy, rule

if TYPE_CHECKING:
    from ..policy import Policy

_DAY = timedelta(hours=24)
_ANY = 'let the owner give it hours = "any" in contacts.toml'
_ZONE = "let the owner give it a zone in contacts.toml"


@rule(
    of=PlaceCall,
    source="8:00-21:00: 47 CFR 64.1200(c)(1); zones as libphonenumber knows them",
    checked="2026-11-25",
)
def hours(action: PlaceCall, facts: Facts, policy: Policy) -> Verdict:
    """A phone rings in the owner's hours alone, by the clock where it is, with a warning at their edges or
    where they may be over. Exempt are the owner's own numbers, contacts with hours "any", and a country's
    toll-free numbers."""
    for number in called(action):
        contact = facts.contacts.get(number)
        if contact and (contact.mine or contact.hours == "any"):
            continue
        if _without_country(number):
            return Refuse(f"{number} belongs to no country, and nobody knows what time it is there", _ANY)
        if kind(number) == PhoneNumberType.TOLL_FREE:
            continue
        names = _zones(number, facts)
        if not names:
            return Refuse(f"What time it is at {number} is unknown", _ZONE)
        window = _window(policy)
        match state(window, names, facts.now, region(number)):
            case "warned":
                which = "outside" if len(names) == 1 else "which may be outside"
                return AskPerson(f"{_time(names, facts)}, {which} {replace(window, warned=NEVER)}.")
            case "closed":
                return _closed(window, names, facts, region(number))
    return Allow()


@rule(of=PlaceCall, source="house", checked="2026-11-25")
def attempts(action: PlaceCall, facts: Facts, policy: Policy) -> Verdict:
    """In 24 hours a number is dialled no more often than the owner allows. The owner's own are exempt."""
    most = policy.attempts_per_day
    for number in called(action):
        recent = _recent(number, facts)
        if most is None or len(recent) < most or _mine(number, facts):
            continue
        times = "once" if len(recent) == 1 else f"{len(recent)} times"
        why = f"{number} was dialled {times} in the last 24 hours, and the owner allows {most}"
        if most == 0:
            return Refuse(why, in_policy("raise attempts_per_day"))
        free = recent[most - 1].at + _DAY
        return Refuse(why, f"call again from {here_and_there(free, _zones(number, facts))}", free)
    return Allow()


@rule(of=PlaceCall, source="house", checked="2026-11-25")
def duplicate(action: PlaceCall, facts: Facts, policy: Policy) -> Verdict:
    """A number is not called while it is being called; and a second call is asked about as a repetition soon
    after the first, or while nobody knows whether that one rang. The owner's own numbers are exempt."""
    for number in called(action):
        recent = () if _mine(number, facts) else _recent(number, facts)
        if on := next((rung for rung in recent if rung.under_way), None):
            why = f"{number} is being called since {_utc(on.at)}"
            return Refuse(why, "follow_call tells what is said, stop_call ends it")
        if unsure := next((rung for rung in recent if rung.state != "placed"), None):
            when = _utc(unsure.at)
            return AskPerson(f"Nobody knows whether {number} rang at {when}; this may be a repetition.")
        if recent and _minutes(facts.now - recent[0].at) < policy.duplicate_minutes:
            within = f"within {policy.duplicate_minutes:,.10g} minutes this may be a repetition"
            return AskPerson(f"{number} was called at {_utc(recent[0].at)}; {within}.")
    return Allow()


def _window(policy: Policy) -> Window:
    return Window(policy.hours, policy.warned_hours, policy.days, policy.holidays, policy.every_zone)


def _closed(window: Window, names: Sequence[str], facts: Facts, country: str | None) -> Refuse:
    if not window.holidays and not holidays_known(country, facts.now.year):
        return Refuse(
            "Whether it is a public holiday there is unknown, and the owner allows no calls on those",
            f"{in_policy('allow calls on holidays')}; or {_ANY}",
        )
    why = f"{_time(names, facts)}, and the owner's hours for calls are {window}"
    if opens := earliest(window, names, facts.now, country):
        return Refuse(why, f"call from {here_and_there(opens, names)}; or {_ANY}", opens)
    return Refuse(why, _ZONE if len(names) > 1 else in_policy("widen the hours"))


def _time(names: Sequence[str], facts: Facts) -> str:
    return time_in(names, facts.now).rstrip(".")


def _zones(number: E164, facts: Facts) -> Sequence[str]:
    contact = facts.contacts.get(number)
    return zones(number, contact.zone if contact else None)


def _recent(number: E164, facts: Facts) -> tuple[Rung, ...]:
    """What was dialled within 24 hours, newest first."""
    return tuple(rung for rung in facts.rung.get(number, ()) if facts.now - rung.at < _DAY)


def _mine(number: E164, facts: Facts) -> bool:
    contact = facts.contacts.get(number)
    return contact is not None and contact.mine


def _minutes(time: timedelta) -> float:
    return time.total_seconds() / 60


def _utc(at: datetime) -> str:
    return f"{at.astimezone(UTC):%H:%M} UTC"


def _without_country(number: E164) -> bool:
    code = parsed(number).country_code or 0
    return phonenumbers.region_code_for_country_code(code) == phonenumbers.REGION_CODE_FOR_NON_GEO_ENTITY
