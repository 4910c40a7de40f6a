"""Hours: against tables of offsets and clock changes that were written down by hand, with no time zone
database and none of the product's arithmetic.

Every window of the tables begins and ends at a whole quarter of an hour, and so do all offsets and clock
changes of 2026: what holds at the beginning of a quarter holds in all of it.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta, timezone
from functools import lru_cache

import pytest
from pydantic import BaseModel, ValidationError

from topcalls_tools.guard.hours import NEVER, Span, Window, earliest, holidays_known, state

START = datetime(2026, 1, 1, tzinfo=UTC)
QUARTER = timedelta(minutes=15)
YEAR = 365 * 96
"""Quarters of an hour in 2026."""
AHEAD = 14 * 96

Clock = tuple[int, tuple[tuple[str, int], ...]]
"""Minutes east of Greenwich on 1 January 2026; then from when on (UTC) it is how many."""


def north(offset: int, on: str, off: str, by: int = 60) -> Clock:
    return offset, ((on, offset + by), (off, offset))


def south(summer: int, off: str, on: str, by: int = 60) -> Clock:
    return summer, ((off, summer - by), (on, summer))


EUROPE = ("03-29 01:00", "10-25 01:00")
FIXED = {
    "Europe/Kaliningrad": 120,
    "Europe/Moscow": 180,
    "Europe/Samara": 240,
    "Asia/Yekaterinburg": 300,
    "Asia/Omsk": 360,
    "Asia/Novosibirsk": 420,
    "Asia/Irkutsk": 480,
    "Asia/Yakutsk": 540,
    "Asia/Vladivostok": 600,
    "Asia/Magadan": 660,
    "Asia/Kamchatka": 720,
    "Asia/Kabul": 270,
    "Asia/Kolkata": 330,
    "Asia/Kathmandu": 345,
    "Asia/Yangon": 390,
    "Asia/Tokyo": 540,
    "Australia/Perth": 480,
    "Australia/Eucla": 525,
    "Australia/Brisbane": 600,
    "Pacific/Apia": 780,
    "Pacific/Kiritimati": 840,
    "Pacific/Marquesas": -570,
    "Pacific/Niue": -660,
    "America/Asuncion": -180,
    "America/Phoenix": -420,
}
CLOCKS: dict[str, Clock] = {
    "Europe/London": north(0, *EUROPE),
    "Europe/Lisbon": north(0, *EUROPE),
    "Europe/Berlin": north(60, *EUROPE),
    "Europe/Athens": north(120, *EUROPE),
    "Atlantic/Azores": north(-60, *EUROPE),
    "America/Nuuk": north(-120, *EUROPE),
    "Antarctica/Troll": north(0, *EUROPE, by=120),
    "Asia/Beirut": north(120, "03-28 22:00", "10-24 21:00"),
    "Asia/Jerusalem": north(120, "03-27 00:00", "10-24 23:00"),
    "Africa/Cairo": north(120, "04-23 22:00", "10-29 21:00"),
    "Africa/Casablanca": south(60, "02-15 02:00", "03-22 02:00"),  # for Ramadan
    "America/New_York": north(-300, "03-08 07:00", "11-01 06:00"),
    "America/Chicago": north(-360, "03-08 08:00", "11-01 07:00"),
    "America/Denver": north(-420, "03-08 09:00", "11-01 08:00"),
    "America/Los_Angeles": north(-480, "03-08 10:00", "11-01 09:00"),
    "America/St_Johns": north(-210, "03-08 05:30", "11-01 04:30"),
    "America/Havana": north(-300, "03-08 05:00", "11-01 05:00"),
    "America/Santiago": south(-180, "04-05 03:00", "09-06 04:00"),
    "Australia/Sydney": south(660, "04-04 16:00", "10-03 16:00"),
    "Australia/Adelaide": south(630, "04-04 16:30", "10-03 16:30"),
    "Australia/Lord_Howe": south(660, "04-04 15:00", "10-03 15:30", by=30),
    "Pacific/Auckland": south(780, "04-04 14:00", "09-26 14:00"),
    "Pacific/Chatham": south(825, "04-04 14:00", "09-26 14:00"),
    **{name: (offset, ()) for name, offset in FIXED.items()},
}
RUSSIA = tuple(FIXED)[:11]
AUSTRALIA = tuple(name for name in CLOCKS if name.startswith("Australia/"))
GERMANY = {
    (date(2026, month, day) - START.date()).days
    for month, day in [(1, 1), (4, 3), (4, 6), (5, 1), (5, 14), (5, 25), (10, 3), (12, 25), (12, 26)]
} | {365}
"""The holidays of the whole of Germany, by the day of 2026, and New Year's Day of 2027."""


def personal(day: int, minute: int) -> str:
    if 480 <= minute < 1260:
        return "open"
    return "warned" if 420 <= minute < 1380 else "closed"


def outreach(day: int, minute: int) -> str:
    return "open" if 600 <= minute < 1080 and weekday(day) != 6 and day not in GERMANY else "closed"


def night(day: int, minute: int) -> str:
    """What begins and ends at times that clock changes skip, or show twice."""
    return "open" if 135 <= minute < 210 else "warned" if minute < 30 else "closed"


def two_days(day: int, minute: int) -> str:
    return "open" if weekday(day) in (1, 6) else "closed"


def weekday(day: int) -> int:
    return (day + 3) % 7  # 2026 begins on a Thursday


EXPECTED: dict[Callable[[int, int], str], Window] = {
    personal: Window(Span.parse("08:00-21:00"), Span.parse("07:00-23:00")),
    outreach: Window(Span.parse("10:00-18:00"), NEVER, frozenset(range(6)), holidays=False),
    night: Window(Span.parse("02:15-03:30"), Span.parse("00:00-00:30")),
    two_days: Window(Span.parse("00:00-24:00"), NEVER, frozenset({1, 6})),
}
by_window = pytest.mark.parametrize("expected", EXPECTED, ids=lambda expected: expected.__name__)


@lru_cache(64)
def quarters(expected: Callable[[int, int], str], name: str) -> tuple[str, ...]:
    """What every quarter of 2026 and the 15 days after is to be."""
    offset, changes = CLOCKS[name]
    since = {_quarter(when): minutes for when, minutes in changes}
    found = []
    for quarter in range(YEAR + 15 * 96):
        offset = since.get(quarter, offset)
        found.append(expected(*divmod(quarter * 15 + offset, 1440)))
    return tuple(found)


def together(expected: Callable[[int, int], str], names: Sequence[str], every_zone: bool) -> list[str]:
    """The same where a phone may be in several zones."""
    columns = zip(*(quarters(expected, name) for name in names), strict=True)
    return [_all(set(column), "closed" if every_zone else "warned") for column in columns]


def first(cells: Sequence[str], now: datetime) -> datetime | None:
    """The first instant from now on that is not closed."""
    quarter = (now - START) // QUARTER
    if cells[quarter] != "closed":
        return now
    ahead = (at for at in range(quarter + 1, quarter + AHEAD + 2) if cells[at] != "closed")
    opens = START + next(ahead, YEAR * 2) * QUARTER
    return opens if opens <= now + timedelta(days=14) else None


def moments(names: Sequence[str]) -> Iterator[datetime]:
    """Instants all through the year, and around each change of the clocks; most are no whole quarter."""
    yield from (START + timedelta(minutes=21_701 * turn, seconds=turn % 3) for turn in range(24))
    for name in names:
        for when, _ in CLOCKS[name][1]:
            change = START + _quarter(when) * QUARTER
            for hours in (-40, -25, -5, -3, -2, -1, 0, 1, 22):
                yield from (change + timedelta(hours=hours, seconds=more) for more in (-0.5, 0, 29 * 60))


@by_window
@pytest.mark.parametrize("name", CLOCKS)
def test_every_quarter_of_a_year_is_told_in_every_zone(
    name: str, expected: Callable[[int, int], str]
) -> None:
    """By one window at every quarter; by the others at some, and at each near a change of the clocks."""
    window, cells = EXPECTED[expected], quarters(expected, name)
    near = {_quarter(when) + more for when, _ in CLOCKS[name][1] for more in range(-200, 200)}
    for quarter in near.union(range(0, YEAR, 1 if expected is personal else 31)):
        now = START + quarter * QUARTER
        if state(window, (name,), now, "DE") != cells[quarter]:
            raise AssertionError(f"{now} is {cells[quarter]}")


@by_window
@pytest.mark.parametrize("name", CLOCKS)
def test_the_first_instant_that_is_not_closed_is_told_exactly(
    name: str, expected: Callable[[int, int], str]
) -> None:
    window, cells = EXPECTED[expected], quarters(expected, name)
    for now in moments((name,)):
        assert earliest(window, (name,), now, "DE") == first(cells, now), now


@by_window
@pytest.mark.parametrize("every_zone", [True, False], ids=["every zone", "any zone"])
@pytest.mark.parametrize(
    "names",
    [RUSSIA, AUSTRALIA, ("Pacific/Auckland", "Pacific/Chatham"), ("America/New_York", "America/Los_Angeles")],
    ids=["Russia", "Australia", "New Zealand", "two coasts"],
)
def test_where_a_phone_may_be_in_several_zones_all_of_them_count(
    names: Sequence[str], every_zone: bool, expected: Callable[[int, int], str]
) -> None:
    plain = EXPECTED[expected]
    window = Window(plain.plain, plain.warned, plain.days, plain.holidays, every_zone)
    cells = together(expected, names, every_zone)
    for quarter in range(0, YEAR, 53):
        assert state(window, names, START + quarter * QUARTER, "DE") == cells[quarter]
    for now in list(moments(names))[::13]:
        assert earliest(window, names, now, "DE") == first(cells, now), now


def test_the_table_is_of_forty_zones_and_of_both_hemispheres() -> None:
    assert len(CLOCKS) >= 40
    spring = {name: changes[0][1] > offset for name, (offset, changes) in CLOCKS.items() if changes}
    assert sum(spring.values()) > 10
    assert sum(not forward for forward in spring.values()) > 5


def test_hours_that_meet_in_no_quarter_never_open() -> None:
    """Ten to six is over in Kamchatka before it begins in Kaliningrad."""
    window = Window(Span.parse("10:00-18:00"), NEVER, every_zone=True)
    assert earliest(window, RUSSIA, START, "RU") is None


PLAIN = Window(Span.parse("08:00-21:00"), NEVER)
NOON = datetime(2026, 6, 10, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "names",
    [(), ("Etc/Unknown",), ("Europe/Berlin", "Etc/Unknown"), ("Europe",), ("../Berlin",), ("",)],
)
def test_where_a_zone_is_unknown_it_is_closed_for_good(names: tuple[str, ...]) -> None:
    assert state(PLAIN, names, NOON, "DE") == "closed"
    assert earliest(PLAIN, names, NOON, "DE") is None


@pytest.mark.parametrize("country", [None, "AC", "XX", ""])
def test_unknown_holidays_close_only_a_window_that_keeps_holidays(country: str | None) -> None:
    keeps = Window(PLAIN.plain, NEVER, holidays=False)
    assert state(PLAIN, ("Europe/Berlin",), NOON, country) == "open"
    assert state(keeps, ("Europe/Berlin",), NOON, country) == "closed"
    assert earliest(keeps, ("Europe/Berlin",), NOON, country) is None
    assert not holidays_known(country, 2026)


def test_a_year_beyond_what_the_library_knows_is_unknown() -> None:
    keeps = Window(PLAIN.plain, NEVER, holidays=False)
    assert holidays_known("DE", 2026)
    assert not holidays_known("DE", 1900)
    assert state(keeps, ("Europe/Berlin",), NOON.replace(year=1900), "DE") == "closed"


def test_a_window_of_no_day_opens_never_and_one_of_one_day_within_a_week() -> None:
    tuesdays = Window(PLAIN.plain, NEVER, frozenset({1}))
    assert earliest(Window(PLAIN.plain, NEVER, frozenset()), ("Europe/Berlin",), NOON, "DE") is None
    assert earliest(tuesdays, ("Europe/Berlin",), NOON, "DE") == datetime(2026, 6, 16, 6, tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "opens"),
    [
        (datetime(2026, 12, 18, 7, tzinfo=UTC), datetime(2026, 12, 18, 7, tzinfo=UTC)),
        (datetime(2026, 12, 18, 20, tzinfo=UTC), None),
        (datetime(2026, 12, 25, 6, 59, 59, tzinfo=UTC), None),
        (datetime(2026, 12, 25, 7, tzinfo=UTC), datetime(2027, 1, 8, 7, tzinfo=UTC)),
        (datetime(2026, 12, 26, 12, tzinfo=UTC), datetime(2027, 1, 8, 7, tzinfo=UTC)),
    ],
)
def test_it_looks_fourteen_days_ahead_and_no_further(now: datetime, opens: datetime | None) -> None:
    """Christmas Day 2026 and New Year's Day 2027 are Fridays."""
    fridays = Window(PLAIN.plain, NEVER, frozenset({4}), holidays=False)
    assert earliest(fridays, ("Europe/Berlin",), now, "DE") == opens


def test_the_end_of_a_day_that_comes_twice_opens_twice() -> None:
    """At 00:01 on 7 November 2010 the clocks of Newfoundland went back to 23:01 on the 6th."""
    late = Window(Span.parse("23:30-23:45"), NEVER)
    again = datetime(2010, 11, 7, 3, tzinfo=UTC)
    assert earliest(late, ("America/St_Johns",), datetime(2010, 11, 7, 2, 30, 30, tzinfo=UTC), None) == again


def test_a_day_that_a_country_skips_is_not_waited_for() -> None:
    """Samoa had no Friday 30 December 2011."""
    fridays, thursday = Window(PLAIN.plain, NEVER, frozenset({4})), datetime(2011, 12, 30, 8, tzinfo=UTC)
    assert earliest(fridays, ("Pacific/Apia",), thursday, None) == datetime(2012, 1, 5, 18, tzinfo=UTC)


def test_the_zone_in_which_now_is_given_changes_nothing() -> None:
    tokyo = NOON.replace(hour=2).astimezone(timezone(timedelta(hours=9)))
    assert state(PLAIN, ("Europe/Berlin",), tokyo, "DE") == "closed"
    assert earliest(PLAIN, ("Europe/Berlin",), tokyo, "DE") == datetime(2026, 6, 10, 6, tzinfo=UTC)


def test_the_last_instant_of_a_span_is_not_in_it_to_the_microsecond() -> None:
    end = datetime(2026, 6, 10, 19, tzinfo=UTC)
    assert state(PLAIN, ("Europe/Berlin",), end - timedelta(microseconds=1), "DE") == "open"
    assert state(PLAIN, ("Europe/Berlin",), end, "DE") == "closed"


def test_a_span_is_read_from_text_and_written_as_it_was() -> None:
    class Line(BaseModel):
        hours: Span

    for text in ("08:00-21:00", "00:00-24:00", "never", "23:59-24:00"):
        line = Line.model_validate({"hours": text})
        assert str(line.hours) == text
        assert line.model_dump(mode="json") == {"hours": text}
        assert Line.model_validate({"hours": line.hours}) == line
    assert time(23, 59, 59) in Span.parse("00:00-24:00")
    assert all(at not in NEVER for at in (time(), time(12), time.max))


@pytest.mark.parametrize(
    "text",
    [
        "21:00-08:00",
        "08:00-08:00",
        "24:00-24:00",
        "08:00-24:01",
        "08:60-21:00",
        "8:00-21:00",
        "08:00 - 21:00",
        "08:00–21:00",
        "08:00-21:00\n",
        "٠٨:٠٠-٢١:٠٠",
        "always",
        "",
    ],
)
def test_what_is_no_span_is_refused_in_a_sentence(text: str) -> None:
    class Line(BaseModel):
        hours: Span

    with pytest.raises(ValueError, match="write it as"):
        Span.parse(text)
    with pytest.raises(ValidationError):
        Line.model_validate({"hours": text})


@pytest.mark.parametrize(
    ("one", "other", "both"),
    [
        ("08:00-21:00", "10:00-18:00", "10:00-18:00"),
        ("08:00-12:00", "10:00-18:00", "10:00-12:00"),
        ("08:00-12:00", "12:00-18:00", "never"),
        ("08:00-12:00", "13:00-18:00", "never"),
        ("08:00-12:00", "never", "never"),
        ("00:00-24:00", "07:00-23:00", "07:00-23:00"),
    ],
)
def test_what_lies_in_both_spans(one: str, other: str, both: str) -> None:
    assert Span.parse(one) & Span.parse(other) == Span.parse(both)
    assert Span.parse(other) & Span.parse(one) == Span.parse(both)


@pytest.mark.parametrize(
    ("window", "words"),
    [
        (PLAIN, "08:00-21:00"),
        (Window(PLAIN.plain, Span.parse("07:00-23:00")), "07:00-23:00"),
        (Window(PLAIN.plain, Span.parse("09:00-12:00")), "08:00-21:00"),
        (Window(PLAIN.plain, Span.parse("21:00-22:00")), "08:00-21:00 or 21:00-22:00"),
        (Window(NEVER, NEVER), "never"),
        (EXPECTED[outreach], "10:00-18:00 on Monday to Saturday, public holidays apart"),
        (Window(PLAIN.plain, NEVER, frozenset({0, 2})), "08:00-21:00 on Monday and Wednesday"),
        (Window(PLAIN.plain, NEVER, frozenset()), "08:00-21:00 on no day"),
    ],
)
def test_a_window_says_when_it_is_not_closed(window: Window, words: str) -> None:
    assert str(window) == words


def test_holidays_are_looked_up_only_by_who_keeps_them() -> None:
    script = (
        "import sys; from datetime import *; from topcalls_tools.guard.hours import *\n"
        "span = Span.parse('08:00-21:00')\n"
        "state(Window(span, NEVER), ('Europe/Berlin',), datetime(2026, 6, 10, 12, tzinfo=UTC), 'DE')\n"
        "print('holidays' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def _quarter(when: str) -> int:
    return (datetime.strptime(f"2026-{when} +0000", "%Y-%m-%d %H:%M %z") - START) // QUARTER


def _all(found: set[str], mixed: str) -> str:
    if len(found) == 1:
        return found.pop()
    return mixed if "closed" in found else "warned"
