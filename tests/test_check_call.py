"""check_call: that it agrees with place_call, that its earliest time is one, and that it leaves no trace."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from topcalls_tools import Client, PlaceCall
from topcalls_tools.connect import Line
from topcalls_tools.deeds import CheckCall
from topcalls_tools.deeds.check_call import CallCheck
from topcalls_tools.guard import AskPerson, Facts, Refuse
from topcalls_tools.guard.rules import RULES
from topcalls_tools.journal.engine import ready
from topcalls_tools.journal.store import Journal
from topcalls_tools.settings import Settings

from .owner import allowing, owner
from .phones import BERLIN, MONDAY, OTHERS, TASK, Phones


@pytest.fixture
def phones(home: Path) -> Callable[..., Phones]:
    def make(lines: str = "", **more: Any) -> Phones:
        return Phones(home, lines, **more)

    return make


def refusals(check: CallCheck) -> list[str]:
    return [one.rule for one in check.opinions if one.verdict == "refuse"]


def _nothing(one: Phones) -> None:
    pass


def _one_minute(one: Phones) -> None:
    one.place(OTHERS[0], used=1, max_duration=1)


def _nearly_all(one: Phones) -> None:
    one.place(OTHERS[0], used=9.5)


def _the_same_number(one: Phones) -> None:
    one.place(used=1)
    one.pass_(hours=6)


OFFICE = 'hours = "08:00-21:00"\nwarned_hours = "never"\n'
AFTERNOON = 'hours = "12:00-15:00"\nwarned_hours = "never"\n'


@pytest.mark.parametrize(
    ("lines", "now", "before", "minutes", "rules", "earliest"),
    [
        ("", MONDAY, _nothing, 10, [], "2026-11-23T14:02:00Z"),
        (OFFICE, MONDAY + timedelta(hours=7), _nothing, 10, ["hours"], "2026-11-24T07:00:00Z"),
        # Midnight of the first, by UTC, is 01:00 in Berlin.
        (f"{OFFICE}minutes_per_month = 1", MONDAY, _one_minute, 1, ["minutes-per-month"],
         "2026-12-01T07:00:00Z"),
        # The hours open at noon on Tuesday, and the number's day is over at 14:59.
        (f"{AFTERNOON}attempts_per_day = 1", MONDAY - timedelta(minutes=1), _the_same_number, 10,
         ["hours", "attempts"], "2026-11-24T13:59:00Z"),
        # It is over on Tuesday within the last second before 15:00, and times are told in whole ones.
        (f"{AFTERNOON}attempts_per_day = 1", MONDAY - timedelta(microseconds=1), _the_same_number, 10,
         ["hours", "attempts"], "2026-11-25T11:00:00Z"),
        ("minutes_per_day = 10", MONDAY, _nearly_all, 10, ["minutes-per-day"], "2026-11-24T14:00:00Z"),
        ("calls_per_day = 1", MONDAY, _nearly_all, 10, ["calls-per-day"], "2026-11-24T14:00:00Z"),
    ],
)  # fmt: skip
def test_the_earliest_time_is_the_first_at_which_the_call_is_permitted(
    phones: Callable[..., Phones], lines: str, now: datetime, before: Callable[[Phones], None], minutes: float,
    rules: list[str], earliest: str,
) -> None:  # fmt: skip
    one = phones(lines, now=now)
    before(one)
    one.pass_(minutes=2)
    said = one.check(max_duration=minutes)
    assert (refusals(said), said.earliest) == (rules, earliest)
    if rules:
        one.now = datetime.fromisoformat(earliest) - timedelta(seconds=1)
        assert not one.check(max_duration=minutes).permitted
    one.now = datetime.fromisoformat(earliest)
    assert one.check(max_duration=minutes).permitted
    one.place(max_duration=minutes)


def test_a_time_that_falls_into_closed_hours_moves_on(phones: Callable[..., Phones]) -> None:
    """The number's day is over while the owner's hours are: the next morning is the time."""
    one = phones("attempts_per_day = 1", now=MONDAY + timedelta(hours=7))
    one.place(used=1)
    owner(one.home, f"{OFFICE}attempts_per_day = 1")
    one.pass_(hours=1)
    said = one.check()
    assert refusals(said) == ["hours", "attempts"]
    assert said.earliest == "2026-11-25T07:00:00Z"
    one.now = datetime.fromisoformat(said.earliest)
    assert one.check().permitted


@pytest.mark.parametrize(
    ("lines", "lowered"),
    [
        ("minutes_per_day = 20", "minutes_per_day = 20"),
        ("", "calls_per_day = 1"),
        ("", "minutes_per_day = 9"),
    ],
    ids=["minutes come back call by call", "several calls too many", "more than the owner ever allows"],
)
def test_where_nobody_can_tell_when_no_time_is_told(
    phones: Callable[..., Phones], lines: str, lowered: str
) -> None:
    one = phones(lines)
    for number, used in zip(OTHERS, (0.1, 9.8, 9.8), strict=False):
        one.place(number, used=used)
        one.pass_(minutes=2)
    owner(one.home, lowered)
    said = one.check()
    assert (said.permitted, said.earliest, said.earliest_there) == (False, None, None)
    assert all(opinion.earliest is None for opinion in said.opinions)


@pytest.mark.parametrize(
    ("known", "earliest"),
    [
        ({"day_calls": 2, "oldest": MONDAY - timedelta(hours=20)}, MONDAY + timedelta(hours=4)),
        ({"day_calls": 3, "oldest": MONDAY - timedelta(hours=20)}, None),
    ],
)
def test_of_several_calls_too_many_only_the_first_is_known(
    known: dict[str, Any], earliest: datetime | None
) -> None:
    action = PlaceCall(phone_number=BERLIN, task=TASK)
    verdict = RULES["calls-per-day"].check(action, Facts(MONDAY, **known), allowing(calls_per_day=2))
    assert isinstance(verdict, Refuse)
    assert verdict.earliest == earliest


@pytest.mark.parametrize("number", [BERLIN, OTHERS[5]])
@pytest.mark.parametrize("seconds", [5, 29, 30, 45])
def test_once_a_call_has_ended_it_agrees_with_place_call(
    phones: Callable[..., Phones], number: str, seconds: float
) -> None:
    one = phones("calls_at_once = 1")
    one.place()
    one.pass_(seconds=seconds)
    assert not one.check(number).permitted
    one.end(0.3)
    assert one.check(number).permitted
    assert not one.refused(phone_number=number)


def test_in_practice_the_earliest_time_is_now(home: Path) -> None:
    home.mkdir()
    (home / "policy.toml").write_text('hours = "08:00-21:00"\nwarned_hours = "never"\ncaller = "Ann"\n')
    midnight = MONDAY + timedelta(hours=9)
    with closing(Line(Settings(home=home), clock=lambda: midnight)) as line:
        said = Client(line=line).send(CheckCall(phone_number=BERLIN, task=TASK))
    assert "hours" in [one.rule for one in said.opinions if one.verdict == "refuse_live"]
    assert (said.permitted, said.earliest) == (True, "2026-11-23T23:00:00Z")


def test_an_opening_that_does_not_fit_hides_no_other_rule(phones: Callable[..., Phones]) -> None:
    one = phones("minutes_per_call = 5")
    most = PlaceCall.input_schema()["properties"]["first_sentence"]["maxLength"]
    said = one.check(first_sentence="A" * most, max_duration=20)
    assert refusals(said) == ["opening", "minutes-per-call"]
    assert "never-numbers" in said.nothing_against
    assert (said.permitted, said.opening, said.earliest) == (False, None, None)
    assert str(one.check(max_duration=5).opening).startswith("Hello")


TWO_ZONES = """
[[contact]]
name = "Office"
number = "+493055501401"
zone = "Europe/Berlin"
hours = "any"

[[contact]]
name = "Home"
number = "+493055501401"
zone = "Asia/Tokyo"
hours = "any"
"""


def test_where_two_entries_name_two_zones_nobody_says_what_time_it_is_there(
    phones: Callable[..., Phones],
) -> None:
    """Neither the check, nor the question, in the clock of this machine."""
    one = phones()
    (one.home / "contacts.toml").write_text(TWO_ZONES)
    said = one.check()
    assert (said.permitted, said.earliest_there) == (True, "2026-11-23 14:00 UTC")
    one.place()
    with sqlite3.connect(one.home / "journal.db") as db:
        shown = "".join(str(row) for row in db.execute("SELECT content FROM personal"))
    assert "What time it is there is unknown." in shown
    assert "Unknown" not in shown


def test_it_writes_nothing(phones: Callable[..., Phones]) -> None:
    one = phones()
    before = _files(one.home)
    assert one.check().permitted
    assert _files(one.home) == before
    assert "journal.db" not in before


@pytest.mark.parametrize(
    "earlier", [False, True], ids=["an empty journal", "a journal of an earlier version"]
)
def test_it_makes_nothing_of_a_journal_that_it_cannot_read(home: Path, earlier: bool) -> None:
    home.mkdir()
    with sqlite3.connect(home / "journal.db") as db:
        if earlier:
            db.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
            db.execute("INSERT INTO alembic_version VALUES ('0002')")
    db.close()
    (home / "policy.toml").write_text('caller = "Ann"\n')
    one, before = Phones(home, None), _files(home)
    assert one.check().permitted
    assert _files(home) == before
    assert "secret" not in before


def test_a_journal_is_ready_once_it_is_of_this_version(store: Path | str) -> None:
    assert not ready(store)
    Journal(store).close()
    assert ready(store)


@pytest.mark.parametrize(("version", "counts"), [("0004", False), ("0005", True), ("9999", True)])
def test_an_older_journal_is_not_ready_and_a_newer_one_is_opened_to_say_so(
    tmp_path: Path, version: str, counts: bool
) -> None:
    path = tmp_path / "a #1?" / "j.db"
    path.parent.mkdir()
    Journal(path).close()
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("UPDATE alembic_version SET version_num = ?", (version,))
    assert ready(path) == counts


def test_what_is_no_journal_is_opened_to_say_so(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    path.write_bytes(b"no database at all, but long enough" * 100)
    assert ready(path)


@pytest.mark.parametrize(
    ("number", "words"),
    [
        ("+447012345678", "is a personal number, which may cost more than others."),
        ("+15002345678", "is a personal number, which may cost more than others."),
        ("+447640123456", "is a pager, which may cost more than others."),
        ("+442079460018", None),
        ("+447700900123", None),
    ],
)
def test_personal_numbers_and_pagers_are_asked_about(number: str, words: str | None) -> None:
    verdict = RULES["shared-cost"].check(PlaceCall(phone_number=number, task=TASK), Facts(MONDAY), allowing())
    assert (isinstance(verdict, AskPerson) and verdict.why.removeprefix(f"{number} ")) == (words or False)


def _files(home: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(home.iterdir())}
