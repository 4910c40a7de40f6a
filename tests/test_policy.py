"""What the owner allows: of two policies the stricter value of each line, until a person accepts the looser one."""

from __future__ import annotations

import errno
import json
import tomllib
from datetime import UTC, datetime, time
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from topcalls_tools import Client, PlaceCall, policies
from topcalls_tools.api.phone_numbers import Number, NumberPage
from topcalls_tools.connect import Line
from topcalls_tools.contacts import Contact, contacts
from topcalls_tools.errors import Misconfigured, Refused
from topcalls_tools.guard import Allow, Facts
from topcalls_tools.guard.policy import (
    ORDERS,
    Policy,
    changes,
    described,
    held,
    host,
    looser,
    pack,
    policy,
    stricter,
    tightened,
    written,
)
from topcalls_tools.guard.rules import RULES, in_policy
from topcalls_tools.policies import ACCEPTED, accept
from topcalls_tools.settings import IN_POLICY, Settings

from .conftest import CALL, NUMBER, World, owner
from .owner import PERMISSIVE

ROOT = Path(__file__).parent.parent
PACKS = ("personal", "outreach", "sandbox")
NOWHERE = "+14155550199"
NOW = datetime(2026, 11, 25, 18, 0, tzinfo=UTC)
NUMBERS = {"US": NUMBER, "DE": "+493055501401", "CH": "+41445550142"}
OWNS = ("", "US", "US DE", "CH")
"""Countries that an account's active numbers may be in."""


def spans() -> st.SearchStrategy[str]:
    times = st.sampled_from(["00:00", "07:00", "08:30", "12:00", "18:00", "21:00", "24:00"])
    pairs = st.tuples(times, times).map(sorted).filter(lambda pair: pair[0] < pair[1])
    return pairs.map("-".join) | st.just("never")


def some(*values: Any) -> st.SearchStrategy[list[Any]]:
    return st.lists(st.sampled_from(values), unique=True, max_size=len(values))


CAPS = st.none() | st.sampled_from([0, 0.5, 10, 60, 100_000])
COUNTS = st.none() | st.integers(0, 4)
TRUTH = st.booleans()
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "approval": st.sampled_from(["person", "slips", "none"]),
    "numbers": st.none() | some(NUMBER, NOWHERE, "+493055501401"),
    "countries": st.just("own") | some("US", "DE", "CH", "own"),
    "hours": spans(),
    "warned_hours": spans(),
    "days": some("mon", "tue", "sat", "sun") | st.sampled_from(["mon-fri", "never", "fri-mon"]),
    "minutes_per_call": CAPS,
    "minutes_per_day": CAPS,
    "minutes_per_month": CAPS,
    "calls_per_day": COUNTS,
    "calls_at_once": COUNTS,
    "attempts_per_day": COUNTS,
    "duplicate_minutes": st.sampled_from([0, 0.5, 60]),
    "voicemail": st.sampled_from(["hang_up", "leave_message"]),
    "webhook_hosts": some("example.com", "127.0.0.1"),
    "webhook_url": st.sampled_from(["https://example.com/a", "https://example.com/b"]),
    **dict.fromkeys(
        ("holidays", "every_zone", "consent", "selling", "campaigns", "announce_recording"), TRUTH
    ),
}
POLICIES = st.fixed_dictionaries({"pack": st.sampled_from(PACKS)}, optional=VALUES).map(
    lambda lines: policy(lines, "personal")
)


def may(name: str, one: Policy) -> Any:
    """All that a line allows, by its meaning and not by its order: as something that `<=` compares."""
    value = getattr(one, name)
    match name:
        case "hours" | "warned_hours":
            return frozenset(range(value.opens, value.closes))
        case "numbers":
            return frozenset({NUMBER, NOWHERE, "+493055501401", "anybody"}) if value is None else value
        case "countries":
            return frozenset((own, country) for own in OWNS for country in allowed(value, own))
        case "days" | "webhook_hosts":
            return value
        case "webhook_url":
            return frozenset({value} - {None})
        case "approval":
            return ("person", "slips", "none").index(value)
        case "voicemail":
            return ("hang_up", "leave_message").index(value)
        case "every_zone" | "consent" | "announce_recording" | "duplicate_minutes":
            return -value
        case _:
            return float("inf") if value is None else value


@cache
def allowed(countries: frozenset[str], own: str) -> frozenset[str]:
    """Which of these countries are called by an account whose active numbers are in these."""
    active = NumberPage(data=[Number(id="n", number=NUMBERS[one], status="active") for one in own.split()])
    facts, one = Facts(NOW, (active,)), policy({"countries": countries}, "personal")
    check = RULES["countries"].check
    return frozenset(
        where
        for where, number in NUMBERS.items()
        if check(PlaceCall(phone_number=number, task="Ask when they close."), facts, one) == Allow()
    )


def test_every_line_that_limits_something_is_among_the_values() -> None:
    assert VALUES.keys() == ORDERS.keys()
    rest = Policy.model_fields.keys() - ORDERS.keys()
    assert rest == {"pack", "caller", "language", "price_per_minute", "currency"}


@given(POLICIES, POLICIES)
def test_what_is_held_allows_in_no_line_more_than_either(wanted: Policy, accepted: Policy) -> None:
    counts = held(wanted, accepted)
    for name in ORDERS:
        assert may(name, counts) <= may(name, wanted), name
        assert may(name, counts) <= may(name, accepted), name


@given(POLICIES, POLICIES)
def test_what_is_held_is_all_that_both_allow(wanted: Policy, accepted: Policy) -> None:
    counts = held(wanted, accepted)
    for name in ORDERS:
        one, other = may(name, wanted), may(name, accepted)
        assert may(name, counts) == (one & other if isinstance(one, frozenset) else min(one, other)), name


@given(POLICIES, POLICIES)
def test_nothing_waits_exactly_where_all_that_is_wanted_counts(wanted: Policy, accepted: Policy) -> None:
    assert (looser(wanted, accepted) == ()) is (held(wanted, accepted) == wanted)
    assert not looser(wanted, wanted)


@given(POLICIES, POLICIES)
def test_holding_twice_changes_nothing(wanted: Policy, accepted: Policy) -> None:
    counts = held(wanted, accepted)
    assert held(counts, accepted) == counts
    assert held(counts, counts) == counts
    assert looser(counts, accepted) == ()


@given(POLICIES)
def test_a_policy_that_is_written_down_reads_the_same(one: Policy) -> None:
    lines = json.loads(json.dumps(written(one)))
    assert policy(lines, "personal") == one
    assert policy(lines, "personal").version == one.version


@given(POLICIES, POLICIES)
def test_a_line_that_differs_is_told_with_its_way(wanted: Policy, accepted: Policy) -> None:
    told = {one.name: one for one in changes(wanted, accepted)}
    assert {name for name, one in told.items() if one.more} == {*looser(wanted, accepted)}
    assert {name for name, one in told.items() if one.less} == {*looser(accepted, wanted)}
    for name in ORDERS:
        assert (name in told) is (getattr(wanted, name) != getattr(accepted, name))


ORDER: list[tuple[str, Any, Any, Any]] = [
    ("approval", "none", "slips", "slips"),
    ("approval", "slips", "person", "person"),
    ("numbers", None, [NUMBER], [NUMBER]),
    ("numbers", [NUMBER, NOWHERE], [NUMBER, "+493055501401"], [NUMBER]),
    ("numbers", [NUMBER], [NOWHERE], []),
    ("countries", ["DE", "US"], ["DE"], ["DE"]),
    ("countries", "own", [], []),
    ("countries", "own", ["own"], "own"),
    ("countries", "own", ["DE", "US"], ["own", "DE", "US"]),
    ("countries", ["own", "DE", "US"], ["DE", "CH"], ["own", "DE"]),
    ("countries", ["own", "DE"], ["own", "US"], []),
    ("hours", "08:00-21:00", "10:00-23:00", "10:00-21:00"),
    ("hours", "08:00-12:00", "12:00-21:00", "never"),
    ("warned_hours", "07:00-23:00", "never", "never"),
    ("days", "mon-sat", "fri-mon", "mon,fri,sat"),
    ("days", "mon", "tue", "never"),
    ("holidays", True, False, False),
    ("every_zone", False, True, True),
    ("consent", False, True, True),
    ("selling", True, False, False),
    ("campaigns", True, False, False),
    ("minutes_per_call", None, 10, 10),
    ("minutes_per_day", 600, 60, 60),
    ("minutes_per_month", 0, 60, 0),
    ("calls_per_day", None, 20, 20),
    ("calls_at_once", 1, 2, 1),
    ("attempts_per_day", 3, 0, 0),
    ("duplicate_minutes", 0, 60, 60),
    ("voicemail", "leave_message", "hang_up", "hang_up"),
    ("announce_recording", False, True, True),
    ("webhook_hosts", ["a.example", "b.example"], ["b.example"], ["b.example"]),
    ("webhook_url", "https://a.example/1", "https://a.example/2", None),
]


@pytest.mark.parametrize(("name", "one", "other", "less"), ORDER)
def test_of_two_values_of_a_line_the_stricter_counts(name: str, one: Any, other: Any, less: Any) -> None:
    first, second = policy({name: one}, "personal"), policy({name: other}, "personal")
    wanted = getattr(policy({name: less}, "personal"), name)
    assert stricter(name, first, second) == stricter(name, second, first) == wanted
    assert {row[0] for row in ORDER} == ORDERS.keys()


@pytest.mark.parametrize(("one", "other"), [("own", ["DE"]), (["DE"], "own")])
def test_own_countries_and_a_list_both_hold_until_the_other_is_accepted(one: Any, other: Any) -> None:
    wanted, accepted = policy({"countries": one}, "personal"), policy({"countries": other}, "personal")
    assert written(held(wanted, accepted))["countries"] == ["DE", "own"]
    assert looser(wanted, accepted) == ("countries",)
    assert held(wanted, wanted) == wanted


def standing(home: Path, text: str | None = None, **given: Any) -> Any:
    """The policy of a rehearsal in a folder, with what its policy.toml says."""
    home.mkdir(exist_ok=True)
    if text is not None:
        (home / "policy.toml").write_text(text)
    return Line(Settings.load(home=home, rehearse=True, **given)).standing()


def test_where_nothing_was_accepted_the_pack_personal_is_the_most_that_counts(home: Path) -> None:
    found = standing(home, 'pack = "outreach"\ncountries = ["US"]\nminutes_per_day = 30\n')
    personal = policy({}, "personal")
    assert found.accepted == personal
    assert found.waiting == looser(found.wanted, personal)
    assert {"countries", "selling", "campaigns", "calls_per_day"} <= {*found.waiting}
    counts = found.counts
    assert (counts.consent, counts.selling, counts.calls_per_day, counts.minutes_per_day) == (
        True,
        False,
        20,
        30,
    )
    assert found.origin["calls_per_day"] == "pack personal"
    assert found.origin["minutes_per_day"] == "policy.toml"
    assert found.origin["consent"] == "pack outreach"


def test_a_line_says_where_its_value_comes_from(home: Path) -> None:
    system = home.with_name("system.toml")
    system.write_text("minutes_per_call = 5\nminutes_per_month = 5000\n")
    owner(
        home,
        'hours = "09:00-12:00"\nminutes_per_day = 90\n',
        accepted='hours = "10:00-14:00"\nminutes_per_day = 80',
    )
    found = standing(home, system=system)
    assert {
        name: found.origin[name] for name in ("pack", "language", "consent", "caller", "minutes_per_call")
    } == {
        "pack": "default",
        "language": "default",
        "consent": "pack personal",
        "caller": "policy.toml",
        "minutes_per_call": str(system),
    }
    assert found.origin["minutes_per_day"] == "what was accepted"
    assert found.origin["hours"] == "policy.toml, within what was accepted"
    assert written(found.counts)["hours"] == "10:00-12:00"


@given(POLICIES, st.fixed_dictionaries({}, optional={"pack": st.sampled_from(PACKS), **VALUES}))
def test_the_systems_file_only_tightens(mine: Policy, system: dict[str, Any]) -> None:
    lines = {name: value for name, value in system.items() if value is not None}
    found = tightened(mine, lines)
    assert looser(found, mine) == ()
    named = {**(pack(lines["pack"]) if "pack" in lines else {}), **lines}
    if "hours" in lines:
        named["warned_hours"] = lines.get("warned_hours", lines["hours"])
    ceiling = policy({**written(mine), **named}, "personal")
    hosts = ceiling.webhook_hosts
    for name in ORDERS:
        if name == "webhook_url" and "webhook_hosts" in named and host(mine.webhook_url) not in hosts:
            assert found.webhook_url is None
        elif name in named:
            assert may(name, found) <= may(name, ceiling)
        else:
            assert getattr(found, name) == getattr(mine, name)
    assert tightened(found, lines) == found


def test_the_owner_cannot_loosen_what_the_systems_file_says(home: Path, world: World) -> None:
    system = home.with_name("system.toml")
    system.write_text("minutes_per_call = 5\n")
    owner(home, "minutes_per_call = 60\n")
    with Client(
        line=Line(world.settings(home, rehearse=True, system=system)), approve=lambda ask: True
    ) as client:
        with pytest.raises(Refused, match="the owner allows 5; set max_duration to 5"):
            client.send(PlaceCall(**CALL))
        assert client.send(PlaceCall(**CALL, max_duration=5)).call_id
        system.write_text("minutes_per_call = 4\n# read at the next call\n")
        with pytest.raises(Refused, match="the owner allows 4"):
            client.send(PlaceCall(phone_number=NOWHERE, task=CALL["task"], max_duration=5))


SEALED = ("seal", "policy", "account", "secret", "cut", "list", "deep", "text", "moved")


@pytest.mark.parametrize("what", SEALED)
def test_an_acceptance_that_was_not_written_here_counts_as_none(home: Path, what: str) -> None:
    """Changed by hand, made up, of another account, or sealed under another secret."""
    owner(home, "minutes_per_day = 600\n", account="office" if what in ("account", "moved") else "sandbox")
    path = home / ACCEPTED
    entries = json.loads(path.read_text())
    before = standing(home, account="office" if what in ("account", "moved") else "sandbox")
    assert before.counts.minutes_per_day == 600
    match what:
        case "seal":
            entries["rehearsal sandbox"]["seal"] = "ü" * 64
        case "policy":
            entries["rehearsal sandbox"]["policy"]["minutes_per_day"] = 601
        case "moved":
            entries["rehearsal sandbox"] = entries["rehearsal office"]
        case "list":
            entries = [entries]
        case "secret":
            (home / "secret").write_bytes(b"x" * 32)
    text = {"cut": path.read_text()[:-9], "deep": "[" * 100_000, "text": "\udcff"}.get(
        what, json.dumps(entries)
    )
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    found = standing(home)
    assert found.accepted == policy({}, "personal")
    assert found.counts.minutes_per_day == 60
    assert {"minutes_per_day", "hours"} <= {*found.waiting}


def test_an_acceptance_that_cannot_be_read_counts_as_none(home: Path) -> None:
    owner(home, "minutes_per_day = 600\n")
    (home / ACCEPTED).unlink()
    (home / ACCEPTED).mkdir()
    assert standing(home).counts.minutes_per_day == 60


def test_a_line_that_is_newer_than_the_acceptance_was_not_accepted(home: Path) -> None:
    """As another version of the program left it: sealed, without a line that is there now."""
    home.mkdir()
    settings = Settings.load(home=home)
    wanted = policy({**tomllib.loads("minutes_per_day = 600\ncalls_per_day = 500\n")}, "personal")

    class Earlier(Policy):
        def model_dump(self, **given: Any) -> dict[str, Any]:
            lines = super().model_dump(**given)
            del lines["calls_per_day"]
            return lines

    accept(
        settings, "sandbox", False, Earlier(**dict(wanted.model_dump(mode="json"))), settings.secret_bytes()
    )
    found = standing(home, "minutes_per_day = 600\ncalls_per_day = 500\n")
    assert (found.counts.minutes_per_day, found.counts.calls_per_day) == (600, 20)


def test_what_is_accepted_for_an_account_leaves_the_others_alone(home: Path) -> None:
    owner(home, "minutes_per_day = 600\n", account="one")
    settings = Settings.load(home=home)
    accept(settings, "two", False, policy({"minutes_per_day": 90}, "personal"), settings.secret_bytes())
    for account, minutes in (("one", 600), ("two", 90), ("three", 60)):
        assert standing(home, account=account).counts.minutes_per_day == minutes
    assert (home / ACCEPTED).stat().st_mode & 0o777 == 0o600


def test_a_yes_in_rehearsal_is_none_with_a_live_key_of_that_account(home: Path) -> None:
    looser = policy({"minutes_per_day": 600}, "personal")
    home.mkdir()
    (home / "policy.toml").write_text("minutes_per_day = 600\n")
    settings = Settings.load(home=home)
    accept(settings, "live", False, looser, settings.secret_bytes())
    with_key = Line(Settings.load(home=home, api_key="tc_live_12345678", account="live"))
    assert standing(home, account="live").counts.minutes_per_day == 600
    assert with_key.standing().counts.minutes_per_day == 60
    entries = json.loads((home / ACCEPTED).read_text())
    (home / ACCEPTED).write_text(json.dumps({"live live": entries["rehearsal live"]}))
    assert with_key.standing().counts.minutes_per_day == 60, "sealed for the one, not for the other"
    (home / ACCEPTED).unlink()
    accept(settings, "live", True, looser, settings.secret_bytes())
    assert with_key.standing().counts.minutes_per_day == 600
    assert standing(home, account="live").counts.minutes_per_day == 60


UNREADABLE = {"cut": '{"live one": {', "list": "[]", "deep": "[" * 100_000, "text": "\udcff"}


@pytest.mark.parametrize("what", UNREADABLE)
def test_what_others_accepted_is_not_written_over_where_it_cannot_be_read(home: Path, what: str) -> None:
    owner(home)
    (home / ACCEPTED).write_bytes(UNREADABLE[what].encode("utf-8", "surrogateescape"))
    before, settings = (home / ACCEPTED).read_bytes(), Settings.load(home=home)
    with pytest.raises(Misconfigured, match=r"policy\.accepted cannot be read .*; mend it, or delete it"):
        accept(settings, "live", True, policy({}, "personal"), settings.secret_bytes())
    assert (home / ACCEPTED).read_bytes() == before
    (home / ACCEPTED).unlink()
    accept(settings, "live", True, policy({}, "personal"), settings.secret_bytes())
    assert (home / ACCEPTED).exists(), "the one before left nothing in the way"


def test_of_two_acceptances_at_once_none_is_lost(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second begins after the first has read the file, and before it has written it."""
    owner(home, "minutes_per_day = 600\n", account="one")
    settings, wanted = Settings.load(home=home), policy({"minutes_per_day": 90}, "personal")
    read, told = policies._entries, []

    def meanwhile(path: Path) -> dict[str, Any]:
        found = read(path)
        monkeypatch.setattr(policies, "_entries", read)
        with pytest.raises(Misconfigured, match=r"is in the way.*; run topcalls policy accept again") as got:
            accept(settings, "three", False, wanted, settings.secret_bytes())
        told.append(got)
        return found

    monkeypatch.setattr(policies, "_entries", meanwhile)
    accept(settings, "two", False, wanted, settings.secret_bytes())
    assert told
    accept(settings, "three", False, wanted, settings.secret_bytes())
    for account, minutes in (("one", 600), ("two", 90), ("three", 90)):
        assert standing(home, account=account).counts.minutes_per_day == minutes


def test_an_acceptance_that_cannot_be_written_is_said_in_words(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner(home)
    before, settings = (home / ACCEPTED).read_bytes(), Settings.load(home=home)

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "no space")

    with monkeypatch.context() as patched:
        patched.setattr(policies.os, "fsync", full)
        with pytest.raises(Misconfigured, match=r"policy\.accepted cannot be written \(no space\)"):
            accept(settings, "live", True, policy({}, "personal"), settings.secret_bytes())
    assert (home / ACCEPTED).read_bytes() == before
    accept(settings, "live", True, policy({}, "personal"), settings.secret_bytes())
    assert (home / ACCEPTED).read_bytes() != before


LATE = time(22, 30)


@pytest.mark.parametrize(
    ("line", "hours", "warned"),
    [
        ('hours = "10:00-12:00"', "10:00-12:00", "10:00-12:00"),
        ('hours = "never"', "never", "never"),
        ('hours = "10:00-12:00"\nwarned_hours = "09:00-13:00"', "10:00-12:00", "09:00-13:00"),
        ('warned_hours = "09:00-22:00"', "08:00-21:00", "09:00-22:00"),
        ('pack = "personal"\nhours = "10:00-12:00"', "10:00-12:00", "10:00-12:00"),
    ],
)
def test_hours_alone_are_all_the_hours_there_are(home: Path, line: str, hours: str, warned: str) -> None:
    """From policy.toml and from the machine's file alike: no pack's warned hours come on top."""
    system = home.with_name("system.toml")
    for mine, theirs in ((line, ""), ("", line)):
        system.write_text(theirs)
        found = standing(home, mine, system=system)
        told = written(found.counts)
        assert (told["hours"], told["warned_hours"]) == (hours, warned)
        assert not found.waiting
        if warned != "07:00-23:00" and "warned" not in line:
            assert LATE not in found.counts.warned_hours
            assert found.origin["warned_hours"] == (str(system) if theirs else "policy.toml")


def test_a_machines_own_and_an_owners_list_are_what_both_allow(home: Path) -> None:
    system = home.with_name("system.toml")
    for mine, theirs in (('["DE"]', '"own"'), ('"own"', '["DE"]')):
        system.write_text(f"countries = {theirs}\n")
        owner(home, f"countries = {mine}\n")
        found = standing(home, system=system)
        assert written(found.counts)["countries"] == ["DE", "own"]
        assert allowed(found.counts.countries, "US DE") == {"DE"}
        assert allowed(found.counts.countries, "US") == set()


def test_an_owner_who_narrows_own_countries_is_heard_at_once(world: World, home: Path) -> None:
    """The sandbox's numbers are in the United States."""
    owner(home, 'countries = ["DE"]\n', accepted='countries = "own"')
    with pytest.raises(Refused, match="is in US, and the countries that may be called are: none") as got:
        rings(world, home)
    assert 'let the owner set countries = ["US"] in policy.toml' in str(got.value)
    owner(home, 'countries = "own"\n')
    assert rings(world, home).call_id


def test_lines_that_allow_less_are_told_until_they_are_accepted(home: Path) -> None:
    system = home.with_name("system.toml")
    system.write_text("calls_per_day = 4\nminutes_per_month = 100\n")
    lines = f'numbers = ["{NUMBER}"]\nminutes_per_day = 5\nminutes_per_month = 50\nminutes_per_call = 60\n'
    found = standing(home, lines, system=system)
    assert found.waiting == ("minutes_per_call",)
    assert found.unpinned == ("numbers", "minutes_per_day", "minutes_per_month"), "the system's hold anyway"
    accept(found.settings, "sandbox", False, found.wanted, found.settings.secret_bytes())
    assert standing(home, system=system).unpinned == ()
    freed = standing(home, "", system=system)
    assert freed.waiting == ("numbers", "minutes_per_day", "minutes_per_month")
    assert (freed.counts.numbers, freed.counts.minutes_per_day) == (frozenset({NUMBER}), 5)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('pack = ["personal"]', "pack: Input should be 'personal', 'outreach' or 'sandbox'"),
        ('pack = "nonsense"', "pack: Input should be 'personal', 'outreach' or 'sandbox'"),
        ('hours = "21:00-08:00"', 'hours: is no span of hours; write it as "08:00-21:00"'),
        ('days = "monday"', 'days: takes days such as "mon-sat"'),
        ("minutes_per_day = inf", "minutes_per_day: Input should be a finite number"),
        ("calls_at_once = 1.5", "calls_at_once: Input should be a valid integer"),
        ('countries = ["de"]', "countries: "),
        ('voicemail = "sing"', "voicemail: Input should be 'hang_up' or 'leave_message'"),
        ('caller = "a\\nb"', "caller: String should match pattern"),
        ('"tc_live_canary word" = 1', "does not know another key; correct it: it takes"),
        ("\x00", "cannot be read"),
    ],
)
def test_a_file_that_cannot_be_used_is_said_by_its_name(home: Path, text: str, words: str) -> None:
    with pytest.raises(Misconfigured) as mine:
        standing(home, text)
    assert "policy.toml" in str(mine.value)
    assert words in str(mine.value)
    system = home.with_name("system.toml")
    system.write_text(text)
    if "caller" in text:
        words = "does not know caller; correct it: it takes"
    with pytest.raises(Misconfigured) as theirs:
        standing(home, "", system=system)
    assert str(system) in str(theirs.value)
    assert words in str(theirs.value)
    for said in (str(mine.value), str(theirs.value)):
        assert "correct it" in said
        assert "canary" not in said
        assert "; Field required" not in said


@pytest.mark.parametrize(
    "line", ['language = "de"', "price_per_minute = 1", "rehearse = true", "keep_days = 5"]
)
def test_the_systems_file_takes_limits_alone(home: Path, line: str) -> None:
    """What limits nothing would be passed over in silence there."""
    system = home.with_name("system.toml")
    system.write_text(line)
    with pytest.raises(Misconfigured, match=f"does not know {line.split()[0]}; correct it: it takes"):
        standing(home, "", system=system)


def test_a_system_file_that_is_a_folder_is_said_by_its_name(home: Path, tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match=r"cannot be read .*; let whoever looks after this machine"):
        standing(home, "", system=tmp_path)


def test_practice_is_no_pack_for_a_live_key(home: Path) -> None:
    with pytest.raises(Misconfigured, match="which is for practice"):
        standing(home, 'pack = "sandbox"')


def test_a_policy_says_no_more_than_it_has_lines(home: Path) -> None:
    with pytest.raises(ValidationError):
        policy({"nonsense": 1}, "personal")
    assert described().keys() == Policy.model_fields.keys()


def rings(world: World, home: Path, **call: Any) -> Any:
    with Client(line=Line(world.settings(home, rehearse=True)), approve=lambda ask: True) as client:
        return client.send(PlaceCall(**{**CALL, **call}))


def test_a_looser_line_does_not_count_until_it_is_accepted(world: World, home: Path) -> None:
    owner(home, "minutes_per_call = 30\n", accepted="minutes_per_call = 10")
    with pytest.raises(Refused, match="the owner allows 10; set max_duration to 10"):
        rings(world, home, max_duration=20)
    assert rings(world, home, max_duration=10).call_id
    owner(home, "minutes_per_call = 30\n")
    assert rings(world, home, max_duration=20, phone_number=NOWHERE).call_id
    assert len(world.rings()) == 2


def test_a_tighter_line_counts_at_once_beside_one_that_waits(world: World, home: Path) -> None:
    owner(
        home,
        "minutes_per_call = 5\nminutes_per_day = 600\n",
        accepted="minutes_per_call = 30\nminutes_per_day = 7",
    )
    with pytest.raises(Refused, match="the owner allows 5"):
        rings(world, home, max_duration=8)
    assert rings(world, home, max_duration=5).call_id
    with pytest.raises(Refused, match="minutes-per-day"):
        rings(world, home, max_duration=5, phone_number=NOWHERE)
    assert len(world.rings()) == 1


def test_a_policy_that_is_gone_is_not_taken_for_the_one_before(home: Path) -> None:
    """Settings that are gone leave their place in memory to the next."""
    owner(home, "minutes_per_day = 600\nrehearse = true\n")
    line = Line(Settings.load())
    assert line.standing().counts.minutes_per_day == 600
    for minutes in range(1, 40):
        (home / "policy.toml").write_text(f"rehearse = true\nminutes_per_day = {'x' * minutes}\n")
        assert line.trouble is not None
        (home / "policy.toml").write_text(f"rehearse = true\nminutes_per_day = {minutes}\n")
        assert line.standing().counts.minutes_per_day == minutes
        assert line.standing().settings is line.settings, "held on to, so that its place is not given away"


def rows(text: str, heading: str) -> dict[str, list[str]]:
    """The rows of the first table under a heading, by their first cell."""
    part = text.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    cells = [
        [cell.strip() for cell in line.strip("|").split(" | ")]
        for line in part.splitlines()
        if line[:3] == "| `"
    ]
    return {row[0].strip("`"): row[1:] for row in cells}


def test_the_documents_tell_of_each_line_what_each_pack_says() -> None:
    told = rows((ROOT / "docs/configuration.md").read_text(), "The packs")
    assert list(told) == [name for name in Policy.model_fields if name not in ("pack", "approval")]
    for place, name in enumerate(PACKS):
        values = written(policy({}, name))  # type: ignore[arg-type]
        for line, cells in told.items():
            value = values[line]
            words = "none" if value is None else f"`{json.dumps(value).removesuffix('.0')}`"
            assert cells[place] == words, (line, name)


def test_the_documents_tell_what_each_line_means() -> None:
    told = rows((ROOT / "docs/configuration.md").read_text(), "`policy.toml`")
    assert told.keys() == Policy.model_fields.keys() | IN_POLICY


def test_the_documented_policy_is_one(home: Path) -> None:
    text = (ROOT / "docs/configuration.md").read_text()
    example = text.partition("## `policy.toml`")[2].partition("```toml\n")[2].partition("```")[0]
    lines = tomllib.loads(example)
    assert Policy.model_fields.keys() - {"price_per_minute", "currency"} <= lines.keys()
    home.mkdir()
    found = standing(home, example)
    assert found.counts.hours == policy({}, "personal").hours


def test_the_documented_contacts_are_contacts(tmp_path: Path) -> None:
    text = (ROOT / "docs/configuration.md").read_text()
    path = tmp_path / "contacts.toml"
    path.write_text(text.partition("## `contacts.toml`")[2].partition("```toml\n")[2].partition("```")[0])
    known = contacts(path)
    assert known[NOWHERE].mine
    assert known[NUMBER].consent is not None
    told = rows(text, "`contacts.toml`")
    assert ", ".join(told).replace("`", "").split(", ") == list(Contact.model_fields)


def test_every_remedy_in_policy_toml_names_the_yes_that_makes_it_count() -> None:
    """Followed to the letter with a live key, it would change nothing without."""
    assert in_policy("raise calls_per_day") == (
        "let the owner raise calls_per_day in policy.toml (with a live key, topcalls policy accept makes it count)"
    )
    texts = {path.name: path.read_text() for path in (ROOT / "topcalls_tools/guard/rules").glob("*.py")}
    assert [name for name, text in texts.items() if "in policy.toml" in text] == ["__init__.py"]
    assert [name for name, text in texts.items() if "let the owner widen" in text] == []


def test_the_tests_owner_names_lines_that_there_are() -> None:
    assert PERMISSIVE.keys() <= Policy.model_fields.keys()
