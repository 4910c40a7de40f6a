"""Which numbers may be called, and from which."""

from __future__ import annotations

import tomllib
from functools import cache, lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import phonenumbers
from phonenumbers import PhoneNumberType, shortnumberinfo

from ...action import Action
from ...api.calls import PlaceCall
from ...api.fields import E164
from ...api.leads import CreateLead, ImportLeads, UpdateLead
from ...api.phone_numbers import Number, NumberPage
from ...places import kind, parsed, region
from .. import DIALS, Allow, AskPerson, Facts, Refuse, Verdict, called, reached
from . import in_policy, rule, some

if TYPE_CHECKING:
    from ..policy import Policy

_SATELLITE = frozenset({870, 881, 882, 883})
"""Country codes of satellite and other networks without a country, priced per minute in dollars (ITU
E.164)."""
_DISASTER = frozenset({888})
_SHORT = 8
"""Digits that a short number may have, an emergency number among them; there is none of more."""
_PREMIUM = frozenset({979})
"""International premium rate (ITU E.169.2)."""
_IN_REACH = (PlaceCall, CreateLead, ImportLeads, UpdateLead)
"""What names numbers that will ring: at once, or because a campaign finds them on a list."""
_ORDINARY = "call an ordinary fixed-line, mobile or toll-free number"


@rule(
    of=_IN_REACH,
    source="kinds of numbers as libphonenumber knows them; ITU E.164, E.169.2",
    checked="2026-11-23",
    always=True,
)
def never_numbers(action: Action[Any], facts: Facts, policy: Policy) -> Verdict:
    """Emergency, short, premium-rate, satellite and unassigned numbers are never dialled, and never put on a
    list from which they would be, whatever anybody says."""
    for number in reached(action, facts.seen):
        if kind := _forbidden(number):
            return Refuse(f"{number} is {kind}, and such numbers are never dialled", _ORDINARY)
    return Allow()


@rule(of=_IN_REACH, source="47 CFR 64.1200(a)(10), (d)(3)", checked="2026-11-23", always=True)
def do_not_call(action: Action[Any], facts: Facts, policy: Policy) -> Verdict:
    """A number that is not to be called is not called, whoever asks for it, and joins no list of people to
    call."""
    for number in reached(action, facts.seen):
        if number in facts.blocked:
            return Refuse(
                f"{number} is not to be called any more",
                "call somebody else; only the owner takes a number off that list, with topcalls dnc remove",
            )
    return Allow()


@rule(of=DIALS, source="house", checked="2026-11-25", always=True)
def only_these(action: Action[Any], facts: Facts, policy: Policy) -> Verdict:
    """Where the owner has named the numbers that may be called, no other is."""
    if policy.numbers is None:
        return Allow()
    if not called(action):
        return Refuse(
            f"{action.title()} phones people that policy.toml does not name", "call them one by one"
        )
    if others := set(called(action)) - policy.numbers:
        return Refuse(
            f"{', '.join(sorted(others))} is not among the numbers that policy.toml allows",
            f"call one of those, or {in_policy('add it to numbers')}",
        )
    return Allow()


@rule(of=PlaceCall, source="house", checked="2026-11-25")
def countries(action: PlaceCall, facts: Facts, policy: Policy) -> Verdict:
    """Only the countries are called that the owner named, or those of the account's active numbers, or those
    that are both."""
    for number in called(action):
        where = region(number)
        if where is None:
            return Refuse(f"{number} belongs to no country", _ORDINARY)
        allowed = policy.countries - {"own"}
        if own := "own" in policy.countries:
            allowed = _own(facts) & allowed if allowed else _own(facts)
        if where not in allowed:
            both = ", ".join(f'"{one}"' for one in sorted({*allowed, where}))
            return Refuse(
                f"{number} is in {where}, and the countries that may be called are: {some(allowed)}",
                in_policy(f"set countries = [{both}]" if own else f'add "{where}" to countries'),
            )
    return Allow()


@rule(of=PlaceCall, source="kinds of numbers as libphonenumber knows them", checked="2026-11-25")
def shared_cost(action: PlaceCall, facts: Facts, policy: Policy) -> Verdict:
    """A number that costs its caller more than others is asked about with a warning where ordinary businesses
    have such numbers (`ordinary.toml`), and refused elsewhere. Personal numbers and pagers are asked about
    too."""
    for number in called(action):
        if _ordinary(number):
            return AskPerson(f"{number} is a service number, which may cost more than others.")
        match kind(number):
            case PhoneNumberType.SHARED_COST:
                return Refuse(f"{number} is a shared-cost number", _ORDINARY)
            case PhoneNumberType.PERSONAL_NUMBER:
                return AskPerson(f"{number} is a personal number, which may cost more than others.")
            case PhoneNumberType.PAGER:
                return AskPerson(f"{number} is a pager, which may cost more than others.")
    return Allow()


@rule(
    of=PlaceCall,
    source="contract 3.1.1: from_number is an active number of the account",
    checked="2026-11-25",
    status="verified",
)
def from_number(action: PlaceCall, facts: Facts, policy: Policy) -> Verdict:
    """The caller id is an active number of the account."""
    held = _numbers(facts)
    if action.from_number is None:
        active = any(one.status == "active" for one in held)
        return Allow() if active else AskPerson("No active number was found from which TopCalls could call.")
    mine = next((one for one in held if one.number == action.from_number), None)
    if mine is not None and mine.status == "active":
        return Allow()
    why = (
        f"{action.from_number} is not a number of this account"
        if mine is None
        else (f"{action.from_number} is not active yet, or no longer")
    )
    usable = {number for one in held if one.status == "active" and (number := E164.read(one.number))}
    return Refuse(why, f"leave from_number out, or use an active one: {some(usable)}")


def _numbers(facts: Facts) -> tuple[Number, ...]:
    return tuple(one for page in facts.seen if isinstance(page, NumberPage) for one in page.data)


def _own(facts: Facts) -> frozenset[str]:
    """The countries of the account's active numbers."""
    active = (E164.read(one.number) for one in _numbers(facts) if one.status == "active")
    return frozenset(filter(None, (region(number) for number in active if number)))


@cache
def _ordinary_prefixes() -> tuple[str, ...]:
    found = tomllib.loads(files("topcalls_tools.guard").joinpath("ordinary.toml").read_text("utf-8"))
    return tuple(prefix for entry in found["numbers"] for prefix in entry["prefixes"])


def _ordinary(number: E164) -> bool:
    """Whether ordinary businesses have such numbers, though their callers pay more."""
    return number.startswith(_ordinary_prefixes())


@lru_cache(4096)  # an import names two thousand
def _forbidden(number: E164) -> str | None:
    found = parsed(number)
    code, national = found.country_code or 0, str(found.national_number)
    if code in _SATELLITE:
        return "a satellite number"
    if code in _PREMIUM:
        return "an international premium-rate number"
    if code in _DISASTER:
        return "a number for disaster relief"
    regions = phonenumbers.region_codes_for_country_code(code) if len(national) <= _SHORT else ()
    if any(shortnumberinfo.is_emergency_number(national, region) for region in regions):
        return "an emergency number"
    match kind(number):
        case PhoneNumberType.PREMIUM_RATE:
            return None if _ordinary(number) else "a premium-rate number"
        case PhoneNumberType.UNKNOWN:
            short = shortnumberinfo.is_possible_short_number(found)
            return "a short number" if short else "no number that is assigned in its country"
        case _:
            return None
