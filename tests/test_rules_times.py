"""The rules of time, one table each: the hours where a phone is, how often it rang, and when last."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import pytest

from topcalls_tools import AddPhoneNumber, PlaceCall, StartCampaign
from topcalls_tools.contacts import Contact
from topcalls_tools.guard import Allow, AskPerson, Facts, Refuse, Rung, Verdict
from topcalls_tools.guard.policy import Policy, policy
from topcalls_tools.guard.rules.times import attempts, duplicate, hours

from .conftest import CALL
from .test_hours import START, first, night, personal, quarters

BERLIN, MOSCOW, NOWHERE = "+493055501401", "+79161234567", "+80012345678"
TOLL_FREE = ("+18005551234", "+448001111111", "+498001234567")
OUTREACH: dict[str, Any] = {"pack": "outreach", "countries": ["DE"]}
ANY = 'let the owner give it hours = "any" in contacts.toml.'


def lines(**given: Any) -> Policy:
    return policy(given, "personal")


def said(verdict: Verdict) -> str | None:
    """A refusal as its sentence, what a person may decide as it is, else nothing."""
    match verdict:
        case Refuse():
            return str(verdict)
        case AskPerson(why):
            return why
        case Allow():
            return None


def at(when: str) -> datetime:
    return datetime.strptime(f"{when} +0000", "%Y-%m-%d %H:%M %z")


def contact(number: str, **more: Any) -> Mapping[str, Contact]:
    return {number: Contact(name="Ann", number=number, **more)}


def place(number: str) -> PlaceCall:
    return PlaceCall(**{**CALL, "phone_number": number})


@pytest.mark.parametrize(
    ("number", "now", "given", "more", "words"),
    [
        (BERLIN, "2026-11-23 07:00", {}, {}, None),
        (BERLIN, "2026-11-23 19:59", {}, {}, None),
        (
            BERLIN,
            "2026-11-23 06:15",
            {},
            {},
            "It is 07:15 on Monday there (Europe/Berlin), outside 08:00-21:00.",
        ),
        (
            BERLIN,
            "2026-11-23 20:00",
            {},
            {},
            "It is 21:00 on Monday there (Europe/Berlin), outside 08:00-21:00.",
        ),
        (
            BERLIN,
            "2026-11-23 22:40",
            {},
            {},
            "It is 23:40 on Monday there (Europe/Berlin), and the owner's hours for calls are 07:00-23:00; "
            f"call from 2026-11-24 06:00 UTC, 07:00 on Tuesday there (Europe/Berlin); or {ANY}",
        ),
        (
            BERLIN,
            "2026-12-24 17:00",
            OUTREACH,
            {},
            "It is 18:00 on Thursday there (Europe/Berlin), and the owner's hours for calls are 10:00-18:00 on "
            "Monday to Saturday, public holidays apart; call from 2026-12-28 09:00 UTC, 10:00 on Monday there "
            f"(Europe/Berlin); or {ANY}",
        ),
        (
            BERLIN,
            "2026-11-23 12:00",
            {"hours": "never", "warned_hours": "never"},
            {},
            "It is 13:00 on Monday there (Europe/Berlin), and the owner's hours for calls are never; let the "
            "owner widen the hours in policy.toml (with a live key, topcalls policy accept makes it count).",
        ),
        (BERLIN, "2026-11-23 22:40", {}, {"hours": "any"}, None),
        (BERLIN, "2026-11-23 22:40", {}, {"mine": True}, None),
        (BERLIN, "2026-11-23 22:40", {}, {"zone": "America/New_York"}, None),
        (
            BERLIN,
            "2026-11-23 12:00",
            {},
            {"zone": "Asia/Tokyo"},
            "It is 21:00 on Monday there (Asia/Tokyo), outside 08:00-21:00.",
        ),
        (
            MOSCOW,
            "2026-11-23 12:00",
            {},
            {},
            "It is 14:00 on Monday to 00:00 on Tuesday there, by where the phone is, which may be outside "
            "08:00-21:00.",
        ),
        (MOSCOW, "2026-11-23 07:00", {}, {}, None),
        (
            MOSCOW,
            "2026-11-23 07:00",
            OUTREACH,
            {},
            "It is 09:00 on Monday to 19:00 there, by where the phone is, and the owner's hours for calls are "
            "10:00-18:00 on Monday to Saturday, public holidays apart; let the owner give it a zone in contacts.toml.",
        ),
        (MOSCOW, "2026-11-23 07:00", OUTREACH, {"zone": "Europe/Moscow"}, None),
        *((number, "2026-11-23 03:00", {}, {}, None) for number in TOLL_FREE),
        (
            NOWHERE,
            "2026-11-23 12:00",
            {},
            {},
            f"{NOWHERE} belongs to no country, and nobody knows what time it is there; {ANY}",
        ),
        (
            NOWHERE,
            "2026-11-23 12:00",
            {},
            {"zone": "Europe/Berlin"},
            f"{NOWHERE} belongs to no country, and nobody knows what time it is there; {ANY}",
        ),
        (NOWHERE, "2026-11-23 12:00", {}, {"hours": "any"}, None),
        (
            "+10000000000",
            "2026-11-23 12:00",
            {},
            {},
            "What time it is at +10000000000 is unknown; let the owner give it a zone in contacts.toml.",
        ),
        (
            "+24762889",
            "2026-11-23 12:00",
            OUTREACH,
            {},
            "Whether it is a public holiday there is unknown, and the owner allows no calls on those; let the "
            "owner allow calls on holidays in policy.toml (with a live key, topcalls policy accept makes it count); "
            f"or {ANY}",
        ),
    ],
)
def test_a_phone_rings_in_the_owners_hours_by_the_clock_where_it_is(
    number: str, now: str, given: dict[str, Any], more: dict[str, Any], words: str | None
) -> None:
    facts = Facts(at(now), contacts=contact(number, **more) if more else {})
    assert said(hours(place(number), facts, lines(**given))) == words


@pytest.mark.parametrize(
    "number", [NOWHERE, "+80812345678", "+878101234567890", "+88213000000", "+97912345678"]
)
def test_a_number_without_a_country_is_closed_at_every_hour_of_a_year(number: str) -> None:
    for hour in range(0, 365 * 24, 29):
        verdict = hours(place(number), Facts(START + timedelta(hours=hour)), lines())
        assert isinstance(verdict, Refuse)
        assert verdict.earliest is None


@pytest.mark.parametrize("number", TOLL_FREE)
def test_a_toll_free_number_of_a_country_is_open_at_every_hour_of_a_year(number: str) -> None:
    for hour in range(0, 365 * 24, 29):
        assert hours(place(number), Facts(START + timedelta(hours=hour)), lines()) == Allow()


@pytest.mark.parametrize(
    ("number", "zone", "given"),
    [
        (BERLIN, None, "Europe/Berlin"),
        ("+61255501234", None, "Australia/Sydney"),
        ("+14155550123", None, "America/Los_Angeles"),
        (BERLIN, "Pacific/Chatham", "Pacific/Chatham"),
        (MOSCOW, "Asia/Kamchatka", "Asia/Kamchatka"),
        ("+61412345678", "Australia/Lord_Howe", "Australia/Lord_Howe"),
    ],
)
@pytest.mark.parametrize("expected", [personal, night])
def test_the_rule_says_what_a_table_of_clocks_says(
    number: str, zone: str | None, given: str, expected: Any
) -> None:
    """Every 245 minutes of a year: allowed, asked, or refused until exactly when."""
    owner = lines(hours="02:15-03:30", warned_hours="00:00-00:30") if expected is night else lines()
    contacts = contact(number, zone=zone) if zone else {}
    cells, action = quarters(expected, given), place(number)
    for now in (START + timedelta(minutes=245 * turn) for turn in range(365 * 24 * 60 // 245)):
        match hours(action, Facts(now, contacts=contacts), owner):
            case Refuse(earliest=earliest):
                assert earliest == first(cells, now) != now, now
            case AskPerson():
                assert cells[(now - START) // timedelta(minutes=15)] == "warned", now
            case _:
                assert cells[(now - START) // timedelta(minutes=15)] == "open", now


NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
State = Literal["sending", "placed", "unknown"]


def rang(*minutes: float, state: State = "placed", under_way: bool = False) -> tuple[Rung, ...]:
    return tuple(Rung(NOW - timedelta(minutes=ago), state, under_way) for ago in minutes)


THREE = f"{BERLIN} was dialled 3 times in the last 24 hours, and the owner allows 3; call again from"


@pytest.mark.parametrize(
    ("rung", "given", "more", "words", "minutes"),
    [
        ((), {}, {}, None, None),
        (rang(10, 70), {}, {}, None, None),
        (
            rang(10, 70, 200),
            {},
            {},
            f"{THREE} 2026-11-24 08:40 UTC, 09:40 on Tuesday there (Europe/Berlin).",
            1240,
        ),
        (
            rang(10, 70, 200.5),
            {},
            {},
            f"{THREE} 2026-11-24 08:40 UTC, 09:40 on Tuesday there (Europe/Berlin).",
            1239.5,
        ),
        (rang(10, 70, 1440), {}, {}, None, None),
        (
            rang(10, 70, 1439),
            {},
            {},
            f"{THREE} 2026-11-23 12:01 UTC, 13:01 on Monday there (Europe/Berlin).",
            1,
        ),
        (
            rang(1, state="unknown") + rang(2, state="sending") + rang(3),
            {},
            {},
            f"{THREE} 2026-11-24 11:57 UTC, 12:57 on Tuesday there (Europe/Berlin).",
            1437,
        ),
        (
            rang(10, 20, 30, 40),
            {},
            {"zone": "Asia/Tokyo"},
            f"{BERLIN} was dialled 4 times in the last 24 hours, and the owner allows 3; call again from "
            "2026-11-24 11:30 UTC, 20:30 on Tuesday there (Asia/Tokyo).",
            1410,
        ),
        (
            rang(10),
            {"attempts_per_day": 1},
            {},
            f"{BERLIN} was dialled once in the last 24 hours, and the owner allows 1; call again from "
            "2026-11-24 11:50 UTC, 12:50 on Tuesday there (Europe/Berlin).",
            1430,
        ),
        (
            (),
            {"attempts_per_day": 0},
            {},
            f"{BERLIN} was dialled 0 times in the last 24 hours, and the owner allows 0; let the owner raise "
            "attempts_per_day in policy.toml (with a live key, topcalls policy accept makes it count).",
            None,
        ),
        (rang(1, 2, 3, 4), {}, {"mine": True}, None, None),
    ],
)
def test_a_number_is_dialled_only_so_often_in_a_day(
    rung: tuple[Rung, ...],
    given: dict[str, Any],
    more: dict[str, Any],
    words: str | None,
    minutes: float | None,
) -> None:
    """`minutes` from now on is when it may be dialled again."""
    facts = Facts(NOW, contacts=contact(BERLIN, **more) if more else {}, rung={BERLIN: rung})
    verdict = attempts(place(BERLIN), facts, lines(**given))
    assert said(verdict) == words
    free = None if minutes is None else NOW + timedelta(minutes=minutes)
    assert getattr(verdict, "earliest", None) == free


def test_at_the_earliest_time_that_it_says_a_number_may_be_dialled() -> None:
    rung = rang(10, 70, 200.5, 300)
    verdict = attempts(place(BERLIN), Facts(NOW, rung={BERLIN: rung}), lines())
    assert isinstance(verdict, Refuse)
    assert verdict.earliest
    for more, allowed in ((timedelta(microseconds=-1), False), (timedelta(), True)):
        again = attempts(place(BERLIN), Facts(verdict.earliest + more, rung={BERLIN: rung}), lines())
        assert isinstance(again, Allow) == allowed


def test_without_a_limit_a_number_is_dialled_as_often_as_one_likes() -> None:
    unbounded = lines().model_copy(update={"attempts_per_day": None})
    assert attempts(place(BERLIN), Facts(NOW, rung={BERLIN: rang(1, 2, 3, 4)}), unbounded) == Allow()


CALLED = f"{BERLIN} is being called since 11:50 UTC; follow_call tells what is said, stop_call ends it."


@pytest.mark.parametrize(
    ("rung", "given", "more", "words"),
    [
        ((), {}, {}, None),
        (rang(60), {}, {}, None),
        (
            rang(59),
            {},
            {},
            f"{BERLIN} was called at 11:01 UTC; within 60 minutes this may be a repetition.",
        ),
        (
            rang(59, 300),
            {"duplicate_minutes": 400},
            {},
            f"{BERLIN} was called at 11:01 UTC; within 400 minutes this may be a repetition.",
        ),
        (rang(0), {"duplicate_minutes": 0}, {}, None),
        (rang(10, under_way=True), {}, {}, CALLED),
        (rang(5) + rang(10, under_way=True), {}, {}, CALLED),
        (rang(5, state="unknown") + rang(10, under_way=True), {"duplicate_minutes": 0}, {}, CALLED),
        (
            rang(900, state="unknown"),
            {},
            {},
            f"Nobody knows whether {BERLIN} rang at 21:00 UTC; this may be a repetition.",
        ),
        (
            rang(5) + rang(900, state="sending"),
            {},
            {},
            f"Nobody knows whether {BERLIN} rang at 21:00 UTC; this may be a repetition.",
        ),
        (rang(1440, state="unknown"), {}, {}, None),
        (rang(10, under_way=True), {}, {"mine": True}, None),
        (rang(10, state="unknown"), {}, {"mine": True}, None),
        (rang(10), {}, {"mine": True}, None),
    ],
)
def test_a_second_call_is_refused_during_the_first_and_asked_about_soon_after(
    rung: tuple[Rung, ...], given: dict[str, Any], more: dict[str, Any], words: str | None
) -> None:
    facts = Facts(NOW, contacts=contact(BERLIN, **more) if more else {}, rung={BERLIN: rung})
    assert said(duplicate(place(BERLIN), facts, lines(**given))) == words


@pytest.mark.parametrize("check", [hours, attempts, duplicate])
def test_only_the_number_that_is_called_counts(check: Any) -> None:
    """Not the one from which it is called, another number's calls, nor a deed that dials nobody by name."""
    midnight = datetime(2026, 11, 23, 23, 30, tzinfo=UTC)
    many = tuple(Rung(midnight - timedelta(minutes=ago), "placed", True) for ago in (1, 2, 3))
    facts = Facts(midnight, rung={BERLIN: many})
    called = PlaceCall(**{**CALL, "phone_number": "+14155550123", "from_number": BERLIN})
    for action in (called, AddPhoneNumber(number=BERLIN), StartCampaign(campaign_id="k")):
        assert check(action, facts, lines()) == Allow()
    assert isinstance(check(place(BERLIN), facts, lines()), Refuse)
