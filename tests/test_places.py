"""Where a number rings: its country, and what time it is there."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from topcalls_tools import places
from topcalls_tools.api.fields import E164
from topcalls_tools.places import country, local_time, zones

MONDAY = datetime(2026, 11, 23, 17, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("number", "name"),
    [
        ("+14155550123", "United States"),
        ("+16135550123", "Canada"),
        ("+493055501401", "Germany"),
        ("+442079460018", "United Kingdom"),
        ("+77011234567", "Kazakhstan"),
        ("+79161234567", "Russia"),
        ("+18005551234", "country code +1"),
        ("+447700900123", "country code +44"),
        ("+80012345678", "country code +800"),
        ("+870773111632", "country code +870"),
    ],
)
def test_a_country_is_named_where_there_is_one(number: str, name: str) -> None:
    assert country(E164.parse(number)) == name


@pytest.mark.parametrize(
    ("number", "words"),
    [
        ("+14155550123", "It is 09:00 on Monday there (America/Los_Angeles)."),
        ("+493055501401", "It is 18:00 on Monday there (Europe/Berlin)."),
        ("+911126100000", "It is 22:30 on Monday there (Asia/Calcutta)."),
        ("+61255501234", "It is 04:00 on Tuesday there (Australia/Sydney)."),
        ("+6421123456", "It is 06:00 on Tuesday to 06:45 there, by where the phone is."),
        ("+79161234567", "It is 19:00 on Monday to 05:00 on Tuesday there, by where the phone is."),
        ("+18005551234", "It is 06:00 on Monday to 03:00 on Tuesday there, by where the phone is."),
        ("+80012345678", "What time it is there is unknown."),
        ("+870773111632", "What time it is there is unknown."),
        ("+10000000000", "What time it is there is unknown."),
    ],
    ids=lambda value: value if value.startswith("+") else "",
)
def test_the_local_time_is_said_in_words(number: str, words: str) -> None:
    """One zone, one beyond midnight, several in a country, several beyond midnight, and none."""
    assert local_time(E164.parse(number), MONDAY) == words


def test_a_number_of_many_zones_has_them_all_and_one_of_none_has_none() -> None:
    assert len(zones(E164.parse("+18005551234"))) > 30
    assert zones(E164.parse("+14155550123")) == ("America/Los_Angeles",)
    assert zones(E164.parse("+80012345678")) == ()


def test_several_zones_with_one_time_are_one_time() -> None:
    names = zones(E164.parse("+353851234567"))
    assert len(names) > 1
    assert local_time(E164.parse("+353851234567"), MONDAY).startswith("It is 17:00 on Monday there (")


@pytest.mark.parametrize(
    ("now", "words"),
    [
        (datetime(2026, 3, 8, 9, 59, tzinfo=UTC), "It is 01:59 on Sunday there (America/Los_Angeles)."),
        (datetime(2026, 3, 8, 10, 0, tzinfo=UTC), "It is 03:00 on Sunday there (America/Los_Angeles)."),
        (datetime(2026, 11, 1, 8, 30, tzinfo=UTC), "It is 01:30 on Sunday there (America/Los_Angeles)."),
        (datetime(2026, 11, 1, 9, 30, tzinfo=UTC), "It is 01:30 on Sunday there (America/Los_Angeles)."),
        (datetime(2026, 11, 1, 10, 30, tzinfo=UTC), "It is 02:30 on Sunday there (America/Los_Angeles)."),
    ],
)
def test_a_clock_change_is_followed(now: datetime, words: str) -> None:
    assert local_time(E164.parse("+14155550123"), now) == words


def test_a_clock_change_of_one_of_several_zones_is_followed() -> None:
    """Neither Auckland nor Chatham changes alone, and 45 minutes stay between them."""
    number = E164.parse("+6421123456")
    before, after = (datetime(2026, 9, 26, hour, 0, tzinfo=UTC) for hour in (13, 14))
    assert local_time(number, before) == "It is 01:00 on Sunday to 01:45 there, by where the phone is."
    assert local_time(number, after) == "It is 03:00 on Sunday to 03:45 there, by where the phone is."


def test_the_time_does_not_depend_on_the_zone_that_now_is_given_in() -> None:
    from zoneinfo import ZoneInfo

    number = E164.parse("+493055501401")
    assert local_time(number, MONDAY.astimezone(ZoneInfo("Asia/Tokyo"))) == local_time(number, MONDAY)


def test_a_zone_that_this_machine_does_not_know_is_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "ZoneInfo", _knows_nothing)
    assert local_time(E164.parse("+14155550123"), MONDAY) == "What time it is there is unknown."


def test_a_number_of_which_one_zone_is_unknown_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is left would say that the phone is there."""
    number, known = E164.parse("+6421123456"), places.zone
    assert zones(number) == ("Pacific/Auckland", "Pacific/Chatham")
    monkeypatch.setattr(places, "zone", lambda name: known(name) if name != "Pacific/Chatham" else None)
    assert zones(number) == ()


@pytest.mark.parametrize("name", ["Etc/Unknown", "", "Europe", "../Europe/Berlin", "Europe/Berlin\0"])
def test_what_is_no_zone_is_none(name: str) -> None:
    assert places.zone(name) is None


@pytest.mark.parametrize(
    ("number", "letters"),
    [
        ("+493055501401", "DE"),
        ("+18005551234", "US"),
        ("+77011234567", "KZ"),
        ("+80012345678", None),
        ("+870773111632", None),
        ("+10000000000", None),
    ],
)
def test_a_country_has_two_letters_where_there_is_one(number: str, letters: str | None) -> None:
    assert places.region(number) == letters


@pytest.mark.parametrize(
    ("number", "now", "words"),
    [
        ("+493055501401", MONDAY, "2026-11-23 17:00 UTC, 18:00 on Monday there (Europe/Berlin)"),
        (
            "+493055501401",
            MONDAY.replace(microsecond=1),
            "2026-11-23 17:01 UTC, 18:01 on Monday there (Europe/Berlin)",
        ),
        (
            "+6421123456",
            MONDAY,
            "2026-11-23 17:00 UTC, 06:00 on Tuesday to 06:45 there, by where the phone is",
        ),
        ("+80012345678", MONDAY.replace(second=59), "2026-11-23 17:01 UTC"),
    ],
)
def test_an_instant_is_said_here_and_there_and_never_too_early(
    number: str, now: datetime, words: str
) -> None:
    assert places.here_and_there(now, zones(E164.parse(number))) == words


@pytest.mark.parametrize("names", [("Etc/Unknown",), ("Europe/Berlin", "Etc/Unknown"), ()])
def test_where_a_zone_is_unknown_no_time_is_said_to_be_there(names: tuple[str, ...]) -> None:
    """Python would tell this machine's."""
    assert places.time_in(names, MONDAY) == "What time it is there is unknown."
    assert places.here_and_there(MONDAY, names) == "2026-11-23 17:00 UTC"


def test_the_zone_that_the_owner_names_is_the_one() -> None:
    number = E164.parse("+14155550123")
    assert zones(number, "Asia/Tokyo") == ("Asia/Tokyo",)
    assert zones(number, None) == ("America/Los_Angeles",)
    assert zones(number, "Etc/Unknown") == ()


def _knows_nothing(name: str) -> None:
    raise places.ZoneInfoNotFoundError(name)
