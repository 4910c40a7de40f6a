"""Spans of time as people name them, by the clock of the place: days of summer and winter, ends, and nonsense."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from topcalls_tools.cli.span import FORMS, span

BERLIN, NEW_YORK = ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York")
NOW = datetime(2026, 12, 1, 9, 30, 15, 250_000, UTC)
"""A Tuesday; in Berlin 10:30."""


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("words", "instant"),
    [
        ("now", "2026-12-01T09:30:15Z"),
        ("today", "2026-11-30T23:00Z"),
        ("Yesterday", "2026-11-29T23:00Z"),
        (" monday ", "2026-11-29T23:00Z"),
        ("tuesday", "2026-11-30T23:00Z"),
        ("last tuesday", "2026-11-23T23:00Z"),
        ("last Monday", "2026-11-29T23:00Z"),
        ("wednesday", "2026-11-24T23:00Z"),
        ("2026-11-01", "2026-10-31T23:00Z"),
        ("2026-07-01", "2026-06-30T22:00Z"),
        ("2026-11-01T14:30", "2026-11-01T13:30Z"),
        ("2026-11-01 14:30", "2026-11-01T13:30Z"),
        ("2026-11-01T14:30:05Z", "2026-11-01T14:30:05Z"),
        ("2026-11-01T14:30+05:30", "2026-11-01T09:00Z"),
        ("30m", "2026-12-01T09:00:15Z"),
        ("12h ago", "2026-11-30T21:30:15Z"),
        ("7d", "2026-11-24T09:30:15Z"),
        ("2 w", "2026-11-17T09:30:15Z"),
        ("60d", "2026-10-02T08:30:15Z"),
    ],
)
def test_a_moment_is_read_by_the_clock_of_the_place(words: str, instant: str) -> None:
    assert span(words, None, NOW, BERLIN).since == at(instant)


@pytest.mark.parametrize(
    ("since", "until", "hours"),
    [
        ("yesterday", "yesterday", 24),
        ("2026-11-01", "2026-11-01", 25),
        ("2026-03-08", "2026-03-08", 23),
        ("monday", "today", 48),
        ("2026-11-30T10:00", "2026-11-30T10:30", 0.5),
    ],
)
def test_a_day_is_meant_whole_on_the_days_when_clocks_change_too(
    since: str, until: str, hours: float
) -> None:
    when = span(since, until, NOW, NEW_YORK)
    assert when.since
    assert when.until
    assert (when.until - when.since).total_seconds() == hours * 3600
    assert when.holds(when.since)
    assert not when.holds(when.until)


def test_seven_days_ago_is_the_same_hour_on_the_wall() -> None:
    after_summer = datetime(2026, 11, 3, 15, 0, tzinfo=UTC)  # 10:00 in New York, where it was UTC-4 before
    assert span("7d", None, after_summer, NEW_YORK).since == at("2026-10-27T10:00-04:00")


@pytest.mark.parametrize(
    ("since", "until", "words"),
    [
        ("soon", None, FORMS),
        ("tomorrow", None, FORMS),
        ("2026-13-01", None, FORMS),
        ("14:30", None, FORMS),
        ("2026-W48", None, FORMS),
        ("", None, FORMS),
        ("-3d", None, FORMS),
        ("today", "yesterday", "yesterday is not after today"),
        ("now", "now", "is not after"),
        (None, "9999-12-31", "not in the calendar"),
        ("0001-01-01T00:00+14:00", None, "not in the calendar"),
    ],
)
def test_what_cannot_be_meant_is_a_sentence_that_says_what_can(
    since: str | None, until: str | None, words: str
) -> None:
    with pytest.raises(ValueError, match="; ") as refused:
        span(since, until, NOW, BERLIN)
    assert words in str(refused.value)


def test_without_a_zone_it_is_the_machines_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "America/Los_Angeles")
    time.tzset()
    try:
        when = span("2026-07-01", "2026-12-01", NOW)
        assert (when.since, when.until) == (at("2026-07-01T07:00Z"), at("2026-12-02T08:00Z"))
        assert f"{when.local(NOW):%H:%M}" == "01:30"
        assert span("yesterday", None, NOW).since == at("2026-11-30T08:00Z")
    finally:
        monkeypatch.undo()
        time.tzset()
