"""Everything that somebody might try against the guard, over every surface; the sandbox's own record says what rang."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from anyio.from_thread import BlockingPortal

from topcalls_tools import Client, PlaceCall
from topcalls_tools.dnc import DoNotCall
from topcalls_tools.errors import TopCallsError
from topcalls_tools.settings import Settings

from .adversary import BLOCKED, CASES, TASK, Case, honest
from .assistants import (
    EVERYWHERE,
    SURFACES,
    Anew,
    Assistant,
    anew,
    assistant,
    file,
    homes,
    no,
    nothing,
    policy_line,
    portal,
    rehearsed,
    town,
    yes,
)
from .conftest import World

__all__ = ["anew", "homes", "portal", "town"]
BAR = "  │ "


@pytest.fixture(scope="module")
def everybody(town: World, portal: BlockingPortal, homes: Callable[..., Path]) -> Iterator[list[Assistant]]:
    """An assistant on each surface, each with a home of its own; their owner lets every country be called."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("TOPCALLS_HOME", raising=False)
        contexts, assistants = [], []
        for surface in SURFACES:
            home = homes(f"{EVERYWHERE}\ncampaigns = false")
            line, person = rehearsed(town.settings(home, rehearse=True, toolsets="all"))
            DoNotCall(home / "dnc.log").add("sandbox", BLOCKED, None, line.clock())
            contexts.append(assistant(surface, line, person, portal))
            assistants.append(contexts[-1].__enter__())
        yield assistants
        for context in contexts:
            context.__exit__(None, None, None)


def test_there_are_at_least_150_cases() -> None:
    assert len({case.what for case in CASES}) == len(CASES) >= 150


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.what)
def test_no_forbidden_phone_rings_whoever_agrees_and_none_without_a_yes(
    town: World, everybody: list[Assistant], case: Case
) -> None:
    before, leads = len(town.rings()), town.get("/v1/leads")
    for one in everybody:
        if case.rings:
            assert tried(one, case, None).error
            assert one.person.asked
        told = tried(one, case, True)
        assert told.error == (case.rings is None), (one.surface, told)
        if case.rings is None:
            assert not one.person.asked, (one.surface, told)
        else:
            (question,) = one.person.agreed
            assert_shown(question, case)
        if case.code and one.surface == "client":
            assert case.code in told.words
    rang = town.rings()[before:]
    assert [ring["phone_number"] for ring in rang] == [case.rings] * (len(everybody) if case.rings else 0)
    for ring in rang:
        spoken = town.get(f"/v1/calls/{ring['call_id']}")["metadata"]
        assert spoken["first_sentence"].startswith(
            "Hello, this is an AI assistant calling on behalf of Ann Meyer."
        )
    if case.rings:
        town.advance(1200)  # nobody speaks any more
    assert town.get("/v1/leads") == leads


def tried(one: Assistant, case: Case, answer: bool | None) -> Any:
    one.person.forget()
    one.person.says = yes if answer else nothing
    return one.call(case.tool, case.given)


def assert_shown(question: str, case: Case) -> None:
    """The number that rings stands in the question, and nothing that was given stands on a line of ours."""
    lines = question.split("\n")
    quoted = [line.removeprefix(BAR) for line in lines if line.startswith(BAR)]
    ours = "\n".join(line for line in lines if not line.startswith(BAR))
    assert case.rings in quoted
    for part in case.shows:
        assert any(part in line for line in quoted), part
    for text in case.given.values():
        if isinstance(text, str) and text != case.given["phone_number"]:
            for piece in text.split("\n"):
                assert not piece.strip() or piece not in ours.split("\n"), piece
    assert "SYSTEM" not in ours
    assert not [character for character in question if character != "\n" and not character.isprintable()]


SEEN = "+14155550123"
CALL = {"phone_number": SEEN, "task": TASK}


def blocks(one: Assistant) -> None:
    DoNotCall(one.line.settings.home / "dnc.log").add("sandbox", SEEN, None, one.line.clock())


KNOWN = f'[[contact]]\nname = "Dana"\nnumber = "{SEEN}"\n'
AGREED = f'{KNOWN}consent = {{ basis = "explicit_consent", date = 2026-11-01, note = "letter" }}\n'
MEANWHILE: dict[str, Callable[[Assistant], Any]] = {
    **{
        f"{name} becomes {value}": policy_line(name, value)
        for name, value in (
            ("minutes_per_call", "1"), ("minutes_per_day", "1"), ("minutes_per_month", "1"), ("calls_per_day", "0"),
            ("calls_at_once", "0"), ("attempts_per_day", "0"), ("numbers", "[]"), ("numbers", '["+14155550199"]'),
            ("countries", '["DE"]'), ("hours", '"never"'), ("consent", "true"), ("caller", '"Bob"'),
            ("language", '"de"'), ("pack", '"outreach"'), ("pack", '"sandbox"'), ("no_such_line", "1"),
            ("minutes_per_call", '"many"'), ("approval", '"whatever"'),
        )
    },
    "the policy is no TOML": file("policy.toml", "caller = "),
    "the policy is emptied": file("policy.toml", ""),
    "the policy is gone": lambda one: (one.line.settings.home / "policy.toml").unlink(),
    "what was accepted is gone": lambda one: (one.line.settings.home / "policy.accepted").unlink(),
    "what was accepted is forged": file("policy.accepted", '{"sandbox": {"policy": {}, "seal": ""}}'),
    "the system allows less": file("system.toml", "minutes_per_call = 1\n"),
    "the system's file is no TOML": file("system.toml", "]"),
    "the contact gets another name": file("contacts.toml", KNOWN.replace("Dana", "Carol")),
    "the contact gets a second name": file("contacts.toml", KNOWN + KNOWN.replace("Dana", "Carol")),
    "the contact is gone": file("contacts.toml", ""),
    "the contacts are no TOML": file("contacts.toml", "[[contact"),
    "the number is blocked": blocks,
    "the number is blocked by a tool": lambda one: one.line.desk().dnc().add("sandbox", SEEN, "no", one.line.clock()),
    "the blocked numbers are unreadable": file("dnc.log", "+14155550123\n"),
    "eleven minutes pass": lambda one: one.person.time.passes(timedelta(minutes=11)),
}  # fmt: skip
"""What happens while a person reads, after which their yes counts no more."""


@pytest.mark.parametrize("surface", ["langchain", "mcp"])
@pytest.mark.parametrize("what", MEANWHILE)
def test_a_yes_is_void_where_something_was_changed_meanwhile(
    town: World, anew: Anew, what: str, surface: str
) -> None:
    one = anew(surface, 'countries = ["US", "DE"]')
    file("contacts.toml", KNOWN)(one)
    before = len(town.rings())

    def says(question: str) -> bool:
        MEANWHILE[what](one)
        return True

    one.person.says = says
    told = one.call("place_call", CALL)
    assert one.person.agreed
    assert told.error
    assert len(town.rings()) == before


@pytest.mark.parametrize("surface", ["langchain", "mcp", "legacy mcp"])
def test_the_same_yes_counts_where_nothing_was_changed_or_a_policy_only_wants_more(
    town: World, anew: Anew, surface: str
) -> None:
    one = anew(surface, "minutes_per_call = 10")
    before = len(town.rings())

    def says(question: str) -> bool:
        policy_line("minutes_per_call", "60")(one)
        return True

    one.person.says = says
    told = one.call("place_call", CALL)
    assert not told.error, told
    assert one.call("place_call", {**CALL, "phone_number": honest(90), "max_duration": 11}).error
    assert [ring["phone_number"] for ring in town.rings()[before:]] == [SEEN]
    town.advance(1200)


LOOSENED = {
    "minutes_per_call": ("60", "5"),
    "minutes_per_day": ("1000", "5"),
    "minutes_per_month": ("1000", "5"),
    "calls_per_day": ("100", "0"),
    "calls_at_once": ("100", "0"),
    "attempts_per_day": ("100", "0"),
    "countries": ('["US", "DE"]', '["DE"]'),
    "numbers": (f'["{SEEN}"]', '["+14155550199"]'),
    "hours": ('"00:00-24:00"', '"never"\nwarned_hours = "never"'),
    "consent": ("false", "true"),
}
"""A line of policy.toml as it was written by hand, and as it was accepted."""


@pytest.mark.parametrize("surface", ["client", "mcp"])
@pytest.mark.parametrize("name", LOOSENED)
def test_a_policy_that_was_loosened_by_hand_waits_for_a_yes_of_its_own(
    town: World, anew: Anew, name: str, surface: str
) -> None:
    wanted, accepted = (f"{name} = {value}" for value in LOOSENED[name])
    one = anew(surface, wanted, accepted=accepted)
    before = len(town.rings())
    assert one.call("place_call", CALL).error
    assert not one.person.asked
    assert len(town.rings()) == before


@pytest.mark.parametrize("value", ["none", "slips"])
def test_who_is_asked_cannot_be_changed_by_hand(town: World, anew: Anew, value: str) -> None:
    lines = f'numbers = ["{SEEN}"]\nminutes_per_day = 100'
    one = anew("mcp", f'{lines}\napproval = "{value}"', no, accepted=lines)
    before = len(town.rings())
    assert one.call("place_call", CALL).error
    assert len(one.person.asked) == 1
    assert (
        "no such tool"
        in one.call("confirm_action", {"slip": "A" * 24, "target": SEEN, "max_minutes": 10}).words
    )
    assert len(town.rings()) == before


def test_what_is_said_is_not_loosened_by_hand(town: World, anew: Anew) -> None:
    wanted = 'announce_recording = false\nvoicemail = "leave_message"'
    one = anew("client", wanted, accepted='announce_recording = true\nvoicemail = "hang_up"')
    placed = json.loads(one.call("place_call", {**CALL, "phone_number": honest(91)}).words)
    spoken = town.get(f"/v1/calls/{placed['call_id']}")["metadata"]
    assert "recorded" in spoken["first_sentence"]
    assert "hang up without leaving a message" in spoken["task"]
    town.advance(1200)


def _resealed(entry: Any, secret: bytes, account: str) -> None:
    text = f"policy of {account}\n{json.dumps(entry['policy'], sort_keys=True)}"
    entry["seal"] = hmac.new(secret, text.encode(), hashlib.sha256).hexdigest()


FORGERIES: dict[str, Callable[[Any], Any]] = {
    "the values are changed": lambda every: every["sandbox"]["policy"].update(minutes_per_call=60),
    "the seal is empty": lambda every: every["sandbox"].update(seal=""),
    "the seal is another account's": lambda every: every.update(sandbox=every["live"]),
    "another secret sealed it": lambda every: _resealed(every["sandbox"], b"x" * 32, "sandbox"),
    "nothing sealed it": lambda every: every["sandbox"].pop("seal"),
    "it is a list": lambda every: every.update(sandbox=[]),
    "the seal is a number": lambda every: every["sandbox"].update(seal=1),
    "the policy is none": lambda every: every["sandbox"].update(policy={}),
}


@pytest.mark.parametrize("what", FORGERIES)
def test_an_acceptance_that_was_forged_is_none(town: World, anew: Anew, what: str) -> None:
    """Then the pack for single calls holds, which allows ten minutes a call."""
    one = anew("client", "minutes_per_call = 60\nminutes_per_day = 1000\nminutes_per_month = 1000")
    path = one.line.settings.home / "policy.accepted"
    every = json.loads(path.read_text())
    FORGERIES[what](every)
    path.write_text(json.dumps(every))
    before = len(town.rings())
    told = one.call("place_call", {**CALL, "max_duration": 60})
    assert told.error
    assert not one.person.asked
    assert len(town.rings()) == before


ENVIRONMENT = (
    ("MINUTES_PER_CALL", "60"), ("LINES", '{"minutes_per_call": 60}'), ("PACK", "sandbox"), ("REHEARSE", "0"),
    ("REHEARSE", "false"), ("SYSTEM", "/nowhere"), ("APPROVAL", "none"), ("APPROVAL", "slips"), ("LIVE", "0"),
    ("SECRET", "another"), ("ACCOUNT", "another"), ("POLICY", "/nowhere"), ("PRACTICE", "1"), ("HOURS", "00:00-24:00"),
    ("TROUBLE", ""), ("KEEP_DAYS", "1"), ("CONSENT", "false"), ("NUMBERS", "[]"), ("DNC", "/nowhere"),
)  # fmt: skip


@pytest.mark.parametrize(("name", "value"), ENVIRONMENT)
def test_the_environment_loosens_nothing(
    town: World, homes: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    """A call that is too long, one to a blocked number, and one that is permitted but that nobody agrees to. It is
    noon there: what is refused is refused for its own reason."""
    home = homes("minutes_per_call = 5\nrehearse = true")
    now = datetime.now(UTC)
    noon = now.replace(hour=20, minute=0)
    blocked = honest(95)
    monkeypatch.setenv(f"TOPCALLS_{name}", value)
    settings = Settings.load(api_key=town.key, base_url=town.url, home=home)
    line, person = rehearsed(settings, nothing, (noon - now) % timedelta(days=1))
    DoNotCall(home / "dnc.log").add("sandbox", blocked, None, line.clock())
    before = len(town.rings())
    with Client(line=line, approve=person.approve) as client:
        for given in ({"max_duration": 6}, {"phone_number": blocked, "max_duration": 5}, {"max_duration": 5}):
            with pytest.raises(TopCallsError):
                client.send(PlaceCall.model_validate({**CALL, **given}))
    assert [question for question in person.asked if blocked in question] == []
    assert len(town.rings()) == before
