"""Spans of time as people name them: yesterday, monday, 2026-11-01 or 7d, by the clock of their own place."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any, TypeVar

import click

FORMS = (
    "a day (today, yesterday, monday, 2026-11-01), a time (2026-11-01T14:30, now), or 30m, 12h, 7d, 2w ago"
)
"""How a moment may be written."""
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_AGO = re.compile(r"([0-9]{1,5}) ?([mhdw])(?: ago)?")
_DAY = timedelta(days=1)
Command = TypeVar("Command", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Span:
    """From `since` on (aware), until before `until`; None where it has no end, or no beginning."""

    since: datetime | None = None
    until: datetime | None = None
    zone: tzinfo | None = None
    """Whose days these are; None is this machine's zone."""

    def holds(self, at: datetime) -> bool:
        """Whether an instant is in it."""
        return (self.since is None or self.since <= at) and (self.until is None or at < self.until)

    def local(self, at: datetime) -> datetime:
        """An instant by the clock of the place."""
        return at.astimezone(self.zone)


def span(since: str | None, until: str | None, now: datetime, zone: tzinfo | None = None) -> Span:
    """Read two moments as people write them; `now` is aware. A day as `until` is meant whole: until monday
    takes all of Monday in.

    Raises ValueError with a sentence: a moment in no known form, or an end before the beginning.
    """
    try:
        begins = None if since is None else _read(since, now, zone)
        ends = None if until is None else _read(until, now, zone)
        first = None if begins is None else _instant(begins, zone)
        last = None if ends is None else _instant(ends if isinstance(ends, datetime) else ends + _DAY, zone)
    except OverflowError:
        raise ValueError("such a time is not in the calendar; give one within these centuries") from None
    if first and last and last <= first:
        raise ValueError(f"{until} is not after {since}; let the span end after it begins")
    return Span(first, last, zone)


def options(command: Command) -> Command:
    """Give a command --since and --until."""
    until = click.option("--until", help="Only calls placed before it; a day is meant whole.")
    return click.option("--since", help=f"Only calls placed from then on: {FORMS}.")(until(command))


def _read(words: str, now: datetime, zone: tzinfo | None) -> date | datetime:
    """A day, or a moment; without a zone of its own it is one by the clock of the place."""
    text = " ".join(words.lower().split())
    here = now.astimezone(zone)
    if text == "now":
        return now
    if text in ("today", "yesterday"):
        return here.date() - (_DAY if text == "yesterday" else timedelta())
    if text.removeprefix("last ") in _DAYS:
        return _last(_DAYS.index(text.removeprefix("last ")), here.date(), today=not text.startswith("last "))
    if found := _AGO.fullmatch(text):
        amount = timedelta(**{_UNITS[found[2]]: int(found[1])})
        return now - amount if found[2] in "mh" else here.replace(tzinfo=None) - amount
    try:
        return date.fromisoformat(text) if re.fullmatch(r"\d{4}-\d\d-\d\d", text) else _written(words)
    except ValueError:
        raise ValueError(f"{words!r} is no time that is known here; write {FORMS}") from None


def _written(words: str) -> datetime:
    """A time as ISO 8601 writes it, with the date before it."""
    if not re.match(r"\s*\d{4}-\d\d-\d\d[T ]", words, re.I):
        raise ValueError(words)
    return datetime.fromisoformat(words.strip())


def _last(weekday: int, day: date, *, today: bool) -> date:
    """The last such day of the week; today counts where it may."""
    back = (day.weekday() - weekday) % 7
    return day - timedelta(days=back if back or today else 7)


def _instant(moment: date | datetime, zone: tzinfo | None) -> datetime:
    """A day's beginning, or a moment, as an instant in UTC without fractions of a second."""
    at = moment if isinstance(moment, datetime) else datetime.combine(moment, time())
    if at.tzinfo is None:
        at = at.replace(tzinfo=zone) if zone else at.astimezone()
    return at.astimezone(UTC).replace(microsecond=0)
