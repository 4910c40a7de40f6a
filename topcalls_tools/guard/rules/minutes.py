"""How much may be called: minutes, calls, and calls at once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

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
    return _room(action, facts, balance.free - facts.unseen_minutes, "are free")


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
    """In 24 hours no more call minutes are used, or reserved, than the owner allows."""
    return _owners(action, facts, policy.minutes_per_day, facts.day_minutes, "in 24 hours", _day_over(facts))


@rule(of=DIALS, source="house", checked="2026-11-25", always=True)
def minutes_per_month(action: Action[Any], facts: Facts, policy: Policy) -> Verdict:
    """In a month, by UTC, no more call minutes are used, or reserved, than the owner allows."""
    month = facts.now.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    over = (month + timedelta(days=32)).replace(day=1)
    return _owners(action, facts, policy.minutes_per_month, facts.month_minutes, "a month", over)


@rule(of=PlaceCall, source="house", checked="2026-11-25")
def calls_per_day(action: PlaceCall, facts: Facts, policy: Policy) -> Verdict:
    """In 24 hours no more calls are placed than the owner allows."""
    most = policy.calls_per_day
    if most is None or facts.day_calls < most:
        return Allow()
    free, more = _day_over(facts), in_policy("raise calls_per_day")
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


def _day_over(facts: Facts) -> datetime | None:
    """When the first of the last 24 hours' dials counts no more."""
    return facts.oldest + timedelta(hours=24) if facts.oldest else None


def _owners(
    action: Action[Any], facts: Facts, limit: float | None, used: float, when: str, over: datetime | None
) -> Verdict:
    """Whether a deed fits into what the owner allows within a time; `over` is when minutes come back."""
    if limit is None:
        return Allow()
    unknown = any(isinstance(one, Balance) and one.remaining is None for one in facts.seen)
    if unknown and not isinstance(action, PlaceCall):
        return Refuse(
            "What this may use is bounded by the call minutes left alone, and TopCalls did not say how many "
            "there are",
            "call people one by one",
        )
    return _room(action, facts, limit - used, f"of the owner's {limit:,.10g} {when} are left", over)


def _room(
    action: Action[Any], facts: Facts, left: float, where: str, over: datetime | None = None
) -> Verdict:
    most = action.most_minutes(facts.seen) if isinstance(action, Endpoint) else 0
    if most <= left + 1e-6:  # sums of fractions
        return Allow()
    whole = int(left + 1e-6)
    works = "wait until calls under way have ended, or see to more minutes"
    if isinstance(action, PlaceCall) and whole >= 1:
        works, over = f"set max_duration to {whole} or less", None
    elif over:
        works = f"wait until {here_and_there(over, ())}, when minutes come back"
    return Refuse(f"This may use {most:,.10g} minutes and {max(0.0, left):,.10g} {where}", works, over)
