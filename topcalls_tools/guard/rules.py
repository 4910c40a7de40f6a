"""The rules, one function each: name, reason and remedy stand together, and nowhere else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import phonenumbers
from phonenumbers import PhoneNumberType, shortnumberinfo

from ..action import Action, Effect
from ..api.fields import E164
from . import Allow, Facts, Refuse, Verdict, numbers

Rule = Callable[[Action[Any], Facts], Verdict]
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
def never_numbers(action: Action[Any], facts: Facts) -> Verdict:
    """Emergency, short, premium-rate, satellite and unassigned numbers are never dialled, whatever anybody
    says."""
    if action.effect is not Effect.SPEND:
        return Allow()
    for number in numbers(action):
        if kind := _forbidden(number):
            works = "call an ordinary fixed-line, mobile or toll-free number"
            return Refuse(f"{number} is {kind}, and such numbers are never dialled", works)
    return Allow()


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
