"""How much may be called: minutes, calls, and calls at once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from math import ceil
from typing import TYPE_CHECKING, Any, NamedTuple

from ...action import Action
from ...api.account import Balance
from ...api.calls import PlaceCall
from ...endpoint import Endpoint
from ...places import here_and_there
from .. import DIALS, Allow, AskPerson, Facts, Refuse, Verdict
from . import in_policy, rule

if TYPE_CHECKING:
    from ..policy import Policy


@rule(of=DIALS, source="contract 6.2", checked="2026-11-25", status="verified", always=True)
def minutes_left(action: Action[Any], facts: Facts, policy: Policy) -> Verdict:
    """A deed that may use more call minutes than are free is not begun; calls under way keep theirs."""
    balance = next((one for one in facts.seen if isinstance(one, Balance)), None)
    if balance is None:
        return Allow()
    if balance.remaining is None:
        return AskPerson("TopCalls did not say how many call minutes are left.")
    if not isinstance(action, PlaceCall):
        return Allow()  # a campaign uses what is free, and TopCalls pauses it then
    most, left = action.most_minutes(facts.seen), balance.free - facts.unseen_minutes
    if most <= left + _TINY:
        return Allow()
    works = _shorter(action, left) or "wait until calls under way have ended, or see to more minutes"
    return Refuse(_short(most, left, "are free"), works)


@rule(of=PlaceCall, source="house", checked="2026-11-25")
def minutes_per_call(action: PlaceCall, facts: Facts, policy: Policy) -> Verdict:
    """One call lasts no longer than the owner allows."""
    if policy.minutes_per_call is None or action.max_duration <= policy.minutes_per_call:
        return Allow()
    return Refuse(
        f"This call may last {action.max_duration:,.10g} minutes, and the owner allows "
        f"{policy.minutes_per_call:,.10g}",
        f"set max_duration to {policy.minutes_per_call:,.10g} or less",
    )


@rule(of=DIALS, source="house", checked="2026-11-25", always=True)
def minutes_per_day(action: Action[Any], facts: Facts, policy: Policy) -> Verdict:
    """In 24 hours no more call minutes are used, or reserved, than the owner allows. A campaign may use all
    that is free, and is refused where that is more."""
    limit, used = policy.minutes_per_day, facts.day_minutes
    back, whole = _day_over(facts), facts.day_calls == 1
    return _within(_Limit("minutes_per_day", limit, used, "in 24 hours", back, whole), action, facts)


@rule(of=DIALS, source="house", checked="2026-11-25", always=True)
def minutes_per_month(action: Action[Any], facts: Facts, policy: Policy) -> Verdict:
    """In a month, by UTC, no more call minutes are used, or reserved, than the owner allows. A campaign may
    use all that is free, and is refused where that is more."""
    month = facts.now.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    limit, used = policy.minutes_per_month, facts.month_minutes
    back = (month + timedelta(days=32)).replace(day=1)
    return _within(_Limit("minutes_per_month", limit, used, "a month", back), action, facts)


@rule(of=PlaceCall, source="house", checked="2026-11-25")
def calls_per_day(action: PlaceCall, facts: Facts, policy: Policy) -> Verdict:
    """In 24 hours no more calls are placed than the owner allows."""
    most = policy.calls_per_day
    if most is None or facts.day_calls < most:
        return Allow()
    more = in_policy("raise calls_per_day")
    free = _day_over(facts) if facts.day_calls == most else None  # when a second one is over, nobody knows
    return Refuse(
        f"{facts.day_calls} calls were placed in the last 24 hours, and the owner allows {most}",
        f"call from {here_and_there(free, ())}, or {more}" if free else more,
        free,
    )


@rule(of=PlaceCall, source="house", checked="2026-11-25")
def calls_at_once(action: PlaceCall, facts: Facts, policy: Policy) -> Verdict:
    """No more calls are under way at once than the owner allows."""
    most = policy.calls_at_once
    if most is None or facts.calls_under_way < most:
        return Allow()
    return Refuse(
        f"{facts.calls_under_way} of at most {most} calls are under way",
        "wait until one has ended (follow_call), or end one (stop_call)",
    )


_TINY = 1e-6
"""What sums of fractions may be off by."""


class _Limit(NamedTuple):
    """What a line of the policy allows within a time."""

    line: str
    most: float | None
    used: float
    when: str
    back: datetime | None
    """When minutes come back."""
    whole: bool = True
    """Whether those are all of them."""


def _day_over(facts: Facts) -> datetime | None:
    """When the first of the last 24 hours' dials counts no more."""
    return facts.oldest + timedelta(hours=24) if facts.oldest else None


def _within(limit: _Limit, action: Action[Any], facts: Facts) -> Verdict:
    if limit.most is None:
        return Allow()
    unknown = any(isinstance(one, Balance) and one.remaining is None for one in facts.seen)
    if unknown and not isinstance(action, PlaceCall):
        return Refuse(
            "What this may use is bounded by the call minutes left alone, and TopCalls did not say how many "
            "there are",
            "call people one by one",
        )
    needed = action.most_minutes(facts.seen) if isinstance(action, Endpoint) else 0
    left = limit.most - limit.used
    if needed <= left + _TINY:
        return Allow()
    why = _short(needed, left, f"of the owner's {limit.most:,.10g} {limit.when} are left")
    if works := _shorter(action, left):
        return Refuse(why, works)
    if needed > limit.most:  # nothing that comes back is enough
        return Refuse(why, in_policy(f"raise {limit.line} to {ceil(needed + limit.used - _TINY)}"))
    if limit.back is None:
        return Refuse(why, "wait until calls under way have ended")
    at = here_and_there(limit.back, ())
    if limit.whole:
        return Refuse(why, f"wait until {at}, when minutes come back", limit.back)
    return Refuse(why, f"wait: minutes come back call by call, the first at {at}")


def _shorter(action: Action[Any], left: float) -> str | None:
    """How a call fits into what is left, where there is a whole minute."""
    whole = int(left + _TINY)
    return f"set max_duration to {whole} or less" if isinstance(action, PlaceCall) and whole >= 1 else None


def _short(most: float, left: float, where: str) -> str:
    return f"This may use {most:,.10g} minutes and {max(0.0, left):,.10g} {where}"
