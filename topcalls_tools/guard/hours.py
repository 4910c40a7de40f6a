"""When a phone may ring: spans of hours in the callee's time, and when a window opens next."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any, Literal
from zoneinfo import ZoneInfo

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from ..places import zone

Hour = Literal["open", "warned", "closed"]
AHEAD = timedelta(days=14)
"""How far `earliest` looks."""
_DAY = 24 * 60
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_SPAN = re.compile(r"([01][0-9]|2[0-4]):([0-5][0-9])-([01][0-9]|2[0-4]):([0-5][0-9])")


@dataclass(frozen=True, slots=True)
class Span:
    """A part of the day, in minutes since midnight on the wall: from `opens` on, until before `closes`. As a
    field of a pydantic model it is written as text: "08:00-21:00", "00:00-24:00", or "never"."""

    opens: int
    closes: int

    @classmethod
    def parse(cls, text: str) -> Span:
        """Read a span such as 08:00-21:00. Raises ValueError with a sentence."""
        if text == str(NEVER):
            return NEVER
        if found := _SPAN.fullmatch(text):
            hour, minute, last_hour, last_minute = map(int, found.groups())
            opens, closes = hour * 60 + minute, last_hour * 60 + last_minute
            if opens < closes <= _DAY:
                return cls(opens, closes)
        raise ValueError('is no span of hours; write it as "08:00-21:00", the earlier time first')

    def __contains__(self, at: time) -> bool:
        return self.opens <= at.hour * 60 + at.minute < self.closes

    def __and__(self, other: Span) -> Span:
        """What lies in both."""
        opens, closes = max(self.opens, other.opens), min(self.closes, other.closes)
        return Span(opens, closes) if opens < closes else NEVER

    def __str__(self) -> str:
        if self.opens >= self.closes:
            return "never"
        return "-".join(f"{minutes // 60:02}:{minutes % 60:02}" for minutes in (self.opens, self.closes))

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        read = core_schema.no_info_after_validator_function(cls.parse, core_schema.str_schema())
        return core_schema.json_or_python_schema(
            json_schema=read,
            python_schema=core_schema.union_schema([core_schema.is_instance_schema(cls), read]),
            serialization=core_schema.to_string_ser_schema(),
        )


NEVER = Span(0, 0)


@dataclass(frozen=True, slots=True)
class Window:
    """When numbers may be called: plainly, or with a warning."""

    plain: Span
    warned: Span
    days: frozenset[int] = frozenset(range(7))
    """The days of the week, Monday is 0."""
    holidays: bool = True
    """Whether it is open on public holidays too."""
    every_zone: bool = False
    """Whether it must be open in every zone that the phone may be in; else it is closed only where it is
    closed in all of them."""

    def __str__(self) -> str:
        both = self.plain & self.warned
        spans = sorted({self.plain, self.warned} - {both} or {both}, key=lambda span: span.opens)
        days = "" if len(self.days) == len(_DAYS) else f" on {_named(sorted(self.days))}"
        apart = "" if self.holidays else ", public holidays apart"
        return f"{' or '.join(map(str, spans))}{days}{apart}"


def state(window: Window, zones: Sequence[str], now: datetime, country: str | None) -> Hour:
    """Whether a phone may ring now (aware), somewhere in `zones` (IANA names) in a country (ISO 3166).

    Only national holidays are known, from the library `holidays`. Closed where a zone is unknown or there is
    none, and where a window that keeps holidays meets a country whose holidays are unknown.
    """
    places = _places(zones)
    return _state(window, places, now, country) if places else "closed"


def earliest(window: Window, zones: Sequence[str], now: datetime, country: str | None) -> datetime | None:
    """The first instant from now on (aware) that is not closed, in UTC; None where none is within 14 days."""
    places, now = _places(zones), now.astimezone(UTC)
    edges = {edge for place in places for edge in _edges(window, place, now) if now <= edge <= now + AHEAD}
    opens = (at for at in (now, *sorted(edges)) if places and _state(window, places, at, country) != "closed")
    return next(opens, None)


def holidays_known(country: str | None, year: int) -> bool:
    """Whether the public holidays of a country (ISO 3166) are known for a year."""
    return country is not None and _holidays(country, year) is not None


def _places(zones: Sequence[str]) -> tuple[ZoneInfo, ...]:
    """The zones by their names; none at all where one is unknown, since the phone may be there."""
    found = tuple(place for name in zones if (place := zone(name)))
    return found if len(found) == len(zones) else ()


def _state(window: Window, places: Sequence[ZoneInfo], at: datetime, country: str | None) -> Hour:
    hours = {_hour(window, at.astimezone(place), country) for place in places}
    if len(hours) == 1:
        return hours.pop()
    return "closed" if window.every_zone and "closed" in hours else "warned"


def _hour(window: Window, there: datetime, country: str | None) -> Hour:
    at = there.time()
    plain = at in window.plain
    if there.weekday() not in window.days or not (plain or at in window.warned):
        return "closed"
    if not window.holidays and _may_be_holiday(there.date(), country):
        return "closed"
    return "open" if plain else "warned"


def _may_be_holiday(day: date, country: str | None) -> bool:
    known = None if country is None else _holidays(country, day.year)
    return known is None or day in known


@lru_cache(256)
def _holidays(country: str, year: int) -> frozenset[date] | None:
    """The national holidays of a year; None where the library does not know the country or the year."""
    from holidays import country_holidays  # 80 ms

    try:
        book = country_holidays(country, years=year)
    except NotImplementedError:
        return None
    return frozenset(book) if book.start_year <= year <= book.end_year else None


def _edges(window: Window, place: ZoneInfo, now: datetime) -> Iterator[datetime]:
    """Every instant of the days ahead at which the window may open in a zone: when a span begins, or when
    the clocks change. Instants besides do no harm: each is looked at.

    A time that the clocks skip or show twice has two instants, one for each offset. Yesterday counts: clocks
    that go back soon after midnight show its end again.
    """
    today = now.astimezone(place).date()
    for ahead in range(-1, AHEAD.days + 2):
        midnight = datetime.combine(today + timedelta(days=ahead), time())
        for minutes in {window.plain.opens, window.warned.opens}:
            wall = midnight + timedelta(minutes=minutes)
            yield from (wall.replace(tzinfo=place, fold=fold).astimezone(UTC) for fold in (0, 1))
        yield from _changes(place, now + timedelta(days=ahead))


def _changes(place: ZoneInfo, at: datetime) -> Iterator[datetime]:
    """The instant at which a zone's clocks change in the 24 hours from `at` on, to the second. No zone
    changes them twice in a day."""
    first, seconds = at.replace(microsecond=0), 24 * 60 * 60
    before = first.astimezone(place).utcoffset()
    if (first + timedelta(seconds=seconds)).astimezone(place).utcoffset() == before:
        return
    unchanged = 0
    while seconds - unchanged > 1:
        middle = (unchanged + seconds) // 2
        if (first + timedelta(seconds=middle)).astimezone(place).utcoffset() == before:
            unchanged = middle
        else:
            seconds = middle
    yield first + timedelta(seconds=seconds)


def _named(days: Sequence[int]) -> str:
    if len(days) > 2 and days[-1] - days[0] == len(days) - 1:
        return f"{_DAYS[days[0]]} to {_DAYS[days[-1]]}"
    return " and ".join(_DAYS[day] for day in days) or "no day"
