"""The rules, one function each: name, reason and remedy stand together, and nowhere else."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import phonenumbers
from phonenumbers import PhoneNumberType, shortnumberinfo

from ..action import Action, Effect
from ..api.account import Balance
from ..api.calls import PlaceCall
from ..api.fields import E164
from ..endpoint import Endpoint
from . import Allow, AskPerson, Facts, Policy, Refuse, Verdict, numbers

Rule = Callable[[Action[Any], Facts, Policy], Verdict]
RULES: dict[str, Rule] = {}
"""Every rule by its name, in the order in which they are heard."""

_SATELLITE = frozenset({870, 881, 882, 883})
"""Country codes of satellite and other networks without a country, priced per minute in dollars (ITU
E.164)."""
_DISASTER = frozenset({888})
_PREMIUM = frozenset({979})
"""International premium rate (ITU E.169.2)."""


def rule(*, source: str, checked: str) -> Callable[[Rule], Rule]:
    """Register a rule under its function's name. `source` says where it comes from, `checked` when we
    looked."""

    def register(check: Rule) -> Rule:
        check.__doc__ = f"{check.__doc__} Source: {source}, checked {checked}."
        RULES[check.__name__.replace("_", "-")] = check
        return check

    return register


@rule(source="house; types of numbers from phonenumbers", checked="2026-11-23")
def never_numbers(action: Action[Any], facts: Facts, policy: Policy) -> Verdict:
    """Emergency, short, premium-rate, satellite and unassigned numbers are never dialled, whatever anybody
    says."""
    if action.effect is not Effect.SPEND:
        return Allow()
    for number in numbers(action):
        if kind := _forbidden(number):
            works = "call an ordinary fixed-line, mobile or toll-free number"
            return Refuse(f"{number} is {kind}, and such numbers are never dialled", works)
    return Allow()


@rule(source="house", checked="2026-11-25")
def do_not_call(action: Action[Any], facts: Facts, policy: Policy) -> Verdict:
    """A number that is not to be called is not called, whoever asks for it."""
    if action.effect is Effect.SPEND:
        for number in numbers(action):
            if number in facts.blocked:
                return Refuse(f"{number} is not to be called any more", "call somebody else")
    return Allow()


@rule(source="house", checked="2026-11-25")
def only_these(action: Action[Any], facts: Facts, policy: Policy) -> Verdict:
    """Where the owner has named the numbers that may be called, no other is."""
    if action.effect is not Effect.SPEND or policy.numbers is None:
        return Allow()
    called = {action.phone_number} if isinstance(action, PlaceCall) else set(numbers(action))
    if not called:
        return Refuse(
            f"{action.title()} phones people that policy.toml does not name", "call them one by one"
        )
    if others := called - policy.numbers:
        return Refuse(
            f"{', '.join(sorted(others))} is not among the numbers that policy.toml allows",
            "call one of those, or let the owner add it there",
        )
    return Allow()


@rule(source="house", checked="2026-11-25")
def minutes_left(action: Action[Any], facts: Facts, policy: Policy) -> Verdict:
    """A deed that may use more call minutes than are free is not begun; calls under way keep theirs."""
    balance = next((one for one in facts.seen if isinstance(one, Balance)), None)
    if action.effect is not Effect.SPEND or balance is None:
        return Allow()
    if balance.remaining is None:
        return AskPerson("TopCalls did not say how many call minutes are left.")
    return _room(action, facts, balance.free - facts.unseen_minutes, "are free")


@rule(source="house", checked="2026-11-25")
def minutes_per_day(action: Action[Any], facts: Facts, policy: Policy) -> Verdict:
    """In 24 hours no more call minutes are used, or reserved, than the owner allows."""
    if action.effect is not Effect.SPEND or policy.minutes_per_day is None:
        return Allow()
    unknown = any(isinstance(one, Balance) and one.remaining is None for one in facts.seen)
    if unknown and not isinstance(action, PlaceCall):
        return Refuse(
            "What this may use is bounded by the call minutes left alone, and TopCalls did not say how many "
            "there are",
            "call people one by one",
        )
    left = policy.minutes_per_day - facts.day_minutes
    return _room(action, facts, left, f"of the owner's {policy.minutes_per_day:,.10g} in 24 hours are left")


def _room(action: Action[Any], facts: Facts, left: float, where: str) -> Verdict:
    most = action.most_minutes(facts.seen) if isinstance(action, Endpoint) else 0
    if most <= left + 1e-6:  # sums of fractions
        return Allow()
    whole = int(left + 1e-6)
    works = "wait until calls under way have ended, or see to more minutes"
    if isinstance(action, PlaceCall) and whole >= 1:
        works = f"set max_duration to {whole} or less"
    return Refuse(f"This may use {most:,.10g} minutes and {max(0.0, left):,.10g} {where}", works)


@lru_cache(1024)
def _forbidden(number: E164) -> str | None:
    parsed = phonenumbers.parse(number)
    code, national = parsed.country_code or 0, str(parsed.national_number)
    if code in _SATELLITE:
        return "a satellite number"
    if code in _PREMIUM:
        return "an international premium-rate number"
    if code in _DISASTER:
        return "a number for disaster relief"
    regions = phonenumbers.region_codes_for_country_code(code)
    if any(shortnumberinfo.is_emergency_number(national, region) for region in regions):
        return "an emergency number"
    match phonenumbers.number_type(parsed):
        case PhoneNumberType.PREMIUM_RATE:
            return "a premium-rate number"
        case PhoneNumberType.UNKNOWN:
            short = shortnumberinfo.is_possible_short_number(parsed)
            return "a short number" if short else "no number that is assigned in its country"
        case _:
            return None
