"""Adds calls up: what became of them, why they failed, their minutes and costs, and how many a day had."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from ..wire import moment

if TYPE_CHECKING:
    from ..api.calls import CallInList
    from .span import Span

FAILED = ("busy", "no-answer", "rejected", "dispatch_timeout", "failed", "broken")
"""The ways to end, of those in `deeds/outcomes.py`, in which the telephone failed a call."""
ALL = "all"
"""Stands among the outcomes of a day for all of them."""
BARS = 31
"""How many bars a chart has at most."""


@dataclass(slots=True)
class Sum:
    """Some calls: how many, and the minutes that those used of which that is told."""

    calls: int = 0
    minutes: float = 0.0

    def add(self, minutes: float) -> None:
        self.calls += 1
        self.minutes = round(self.minutes + minutes, 6)


@dataclass(frozen=True, slots=True)
class Failure:
    """A call that failed: which, when it was placed, to whom, how it ended, and TopCalls' own reason."""

    call_id: str
    at: datetime | None
    number: str
    case: str
    reason: str


@dataclass(slots=True)
class Tally:
    """The calls of a span of time, added up."""

    when: Span
    price: float | None = None
    """What a minute costs; None where the owner has not said."""
    currency: str = ""
    total: Sum = field(default_factory=Sum)
    untold: int = 0
    """Calls that were answered and have ended, and of which no minutes are told."""
    outcomes: dict[str, Sum] = field(default_factory=dict)
    """By the name of the case in `deeds/outcomes.py`."""
    failures: list[Failure] = field(default_factory=list)
    """Those that failed, in the order in which they were counted."""
    days: dict[date, dict[str, Sum]] = field(default_factory=dict)
    """By the day on which they were placed, by the clock of the place; then by case, and ALL."""
    hours: Counter[int] = field(default_factory=Counter)
    """By the hour of the day at which they were placed."""
    noted: Mapping[str, Collection[str]] = field(default_factory=dict)
    """What the journal heard that the person called asked, each kind once, by the id of the call."""
    heard: Counter[str] = field(default_factory=Counter)
    """In how many calls what was asked."""

    def add(self, call: CallInList) -> None:
        """Count one call."""
        from ..deeds.outcomes import answered, case_of

        case, used = case_of(call), minutes(call)
        self.heard.update(self.noted.get(call.id, ()))
        if used is None and answered(call) and call.end_at:
            self.untold += 1
        at = moment(call.created_at)
        sums = [self.total, self.outcomes.setdefault(case, Sum())]
        if at:
            here = self.when.local(at)
            day = self.days.setdefault(here.date(), {})
            sums += [day.setdefault(case, Sum()), day.setdefault(ALL, Sum())]
            self.hours[here.hour] += 1
        for one in sums:
            one.add(used or 0.0)
        if case in FAILED:
            number, reason = call.phone_number or "", call.error_message or ""
            self.failures.append(Failure(call.id, at, number, case, reason))

    def cost(self, used: float) -> float | None:
        """What minutes cost, to the cent; None where no price is set."""
        return None if self.price is None else round(used * self.price, 2)

    def reasons(self) -> list[tuple[tuple[str, str], list[Failure]]]:
        """The failures by case and TopCalls' own reason, the commonest first."""
        found: dict[tuple[str, str], list[Failure]] = {}
        for one in self.failures:
            found.setdefault((one.case, one.reason), []).append(one)
        return sorted(found.items(), key=lambda item: -len(item[1]))


def minutes(call: CallInList) -> float | None:
    """The minutes that a call used: those billed, else its length."""
    return call.duration if call.actual_duration_billed is None else call.actual_duration_billed


def tallied(calls: Iterable[CallInList], tally: Tally) -> Tally:
    """Count them all."""
    for call in calls:
        tally.add(call)
    return tally


def bars(tally: Tally) -> Mapping[str, int]:
    """How many calls each hour, day, week, month or year had: the finest of which a chart has room for. None
    is left out between the first and the last."""
    if not tally.days:
        return {}
    first, last = min(tally.days), max(tally.days)
    if first == last:
        hours = range(min(tally.hours), max(tally.hours) + 1)
        return {f"{hour:02}:00": tally.hours[hour] for hour in hours}
    named: dict[str, int] = {}
    for name in _UNITS:
        named = {}
        for day in (first + timedelta(days=after) for after in range((last - first).days + 1)):
            calls = tally.days[day][ALL].calls if day in tally.days else 0
            named[name(day)] = named.get(name(day), 0) + calls
        if len(named) <= BARS:
            break
    return named


_UNITS: tuple[Callable[[date], str], ...] = (
    lambda day: f"{day:%a %Y-%m-%d}",
    lambda day: f"week of {day - timedelta(days=day.weekday())}",
    lambda day: f"{day:%Y-%m}",
    lambda day: f"{day:%Y}",
)
"""What a chart may count by, from fine to coarse."""
