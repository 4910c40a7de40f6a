"""The guard's sentences: what every rule says, the questions it is part of, and what check_call tells."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from click.testing import CliRunner

from topcalls_tools import Client, PlaceCall
from topcalls_tools.action import Action
from topcalls_tools.cli import topcalls
from topcalls_tools.connect import Line
from topcalls_tools.deeds import CheckCall
from topcalls_tools.errors import Declined, Refused
from topcalls_tools.flow.steps import Ask
from topcalls_tools.guard import Allow, AskPerson, Facts, Refuse, Rung, Verdict, judge, opinions
from topcalls_tools.guard.policy import Policy
from topcalls_tools.guard.rules import RULES, Check, rule
from topcalls_tools.settings import IN_POLICY

from .conftest import CALL, World, owner
from .scenes import (
    BERLIN,
    CHECKS,
    COLUMNS,
    PERSONAL,
    QUESTIONS,
    SCENES,
    asked,
    call,
    checked,
    known,
    lines,
    sentence,
)
from .snapshots import ROOT, documents

NAMES = [name for name in SCENES if name in RULES]
REFUSING = [name for name in NAMES if not SCENES[name].asks]
TIMED = {"hours", "attempts", "campaign-hours", "minutes-per-month", "calls-per-day"}
"""The rules that know until when they refuse."""
SYDNEY, MOSCOW = "+61255501234", "+79161234567"
EVE = datetime(2026, 12, 24, 17, 0, tzinfo=UTC)
OFTEN = {MOSCOW: tuple(Rung(EVE - timedelta(hours=hours), "placed", False) for hours in (1, 2, 3))}
LONGEST = [
    ("hours", BERLIN, known(now=EVE)),
    ("hours", SYDNEY, known(now=EVE)),
    ("hours", MOSCOW, known(now=EVE)),
    ("attempts", MOSCOW, known(now=EVE, rung=OFTEN)),
]
"""Many zones, many days, and the hours of a policy for many people."""


def test_every_rule_has_a_scene() -> None:
    missing = sorted(RULES.keys() - SCENES.keys())
    assert not missing, f"add a row for {', '.join(missing)} to SCENES in tests/scenes.py"
    assert RULES.keys() == SCENES.keys()


@pytest.mark.parametrize("name", NAMES)
def test_a_scene_is_about_its_rule_alone(name: str) -> None:
    """So that what is checked in is what somebody reads: the first refusal is the error."""
    scene = SCENES[name]
    refusing = [
        one.rule
        for one in opinions(scene.action, scene.facts, scene.policy)
        if isinstance(one.verdict, Refuse)
    ]
    assert refusing == ([] if scene.asks else [name])


@pytest.mark.parametrize("name", REFUSING)
def test_the_error_is_the_sentence_that_is_checked_in(name: str) -> None:
    scene = SCENES[name]
    with pytest.raises(Refused) as got:
        judge(scene.action, scene.facts, scene.policy)
    assert str(got.value) == sentence(name, scene)


@pytest.mark.parametrize("name", REFUSING)
def test_a_refusal_says_what_is_wrong_and_what_would_work(name: str) -> None:
    scene = SCENES[name]
    refuse = RULES[name].check(scene.action, scene.facts, scene.policy)
    assert isinstance(refuse, Refuse)
    for half in (refuse.why, refuse.works):
        assert half.strip(" .;") == half, "the halves are put together in one place"
        assert half
    assert re.match(r"[A-Z0-9+]", refuse.why)
    assert re.match(r"[a-z]", refuse.works)
    assert str(refuse) == f"{refuse.why}; {refuse.works}."


@pytest.mark.parametrize("name", REFUSING)
def test_where_time_is_the_reason_the_earliest_time_is_said(name: str) -> None:
    scene = SCENES[name]
    refuse = RULES[name].check(scene.action, scene.facts, scene.policy)
    assert isinstance(refuse, Refuse)
    assert (refuse.earliest is not None) == (name in TIMED)
    if refuse.earliest:
        assert refuse.earliest > scene.facts.now
        assert f"{refuse.earliest.astimezone(UTC):%Y-%m-%d %H:%M} UTC" in refuse.works


@pytest.mark.parametrize("name", NAMES)
def test_a_rule_says_it_in_four_lines(name: str) -> None:
    said = lines(sentence(name, SCENES[name]))
    assert len(said) <= 4
    assert all(len(line) <= COLUMNS for line in said)
    assert "\n" not in sentence(name, SCENES[name])


@pytest.mark.parametrize(("name", "number", "facts"), LONGEST)
def test_even_the_longest_refusals_take_four_lines(name: str, number: str, facts: Facts) -> None:
    verdict = RULES[name].check(call(number), facts, SCENES["consent"].policy)
    assert isinstance(verdict, Refuse)
    assert len(lines(str(Refused(name, str(verdict))))) <= 4


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_question_tells_what_every_rule_of_such_a_deed_said(name: str) -> None:
    scene, live = QUESTIONS[name]
    text = asked(scene, live)
    silent = re.findall(r"^Nothing against it: (.*)\.$", text, re.M)
    told = [*re.findall(r"\[rule: ([a-z-]+)\]$", text, re.M), *", ".join(silent).split(", ")]
    assert sorted(filter(None, told)) == sorted(
        name for name, rule in RULES.items() if isinstance(scene.action, rule.of)
    )


def test_a_question_about_a_call_that_may_not_sell_says_so() -> None:
    sells = {name: scene.policy.selling for name, (scene, _) in QUESTIONS.items() if name.startswith("call")}
    assert {True, False} == set(sells.values())
    for name, selling in sells.items():
        assert ("It is not for selling anything." in asked(*QUESTIONS[name]).splitlines()) != selling


@pytest.mark.parametrize("name", CHECKS)
def test_a_check_is_what_its_schema_says(name: str) -> None:
    jsonschema.validate(checked(CHECKS[name]), CheckCall.output_schema())


@pytest.mark.parametrize("name", CHECKS)
def test_a_check_hears_every_rule_of_a_call(name: str) -> None:
    told = checked(CHECKS[name])
    heard = [*(one["rule"] for one in told["opinions"]), *told["nothing_against"]]
    assert sorted(heard) == sorted(name for name, rule in RULES.items() if issubclass(PlaceCall, rule.of))


LONG = "This call may last 30 minutes; most are done in five."


def long_call(action: PlaceCall, facts: Facts, policy: Policy) -> Verdict:
    """A call that may last half an hour says so in its question; one of an hour is not placed."""
    if action.max_duration >= 60:
        return Refuse("This call may last an hour", "set max_duration to 59 or less")
    return AskPerson(LONG) if action.max_duration >= 30 else Allow()


@contextmanager
def added(check: Check) -> Iterator[str]:
    """A rule that is there for as long as the block lasts. Gives its name."""
    rule(of=PlaceCall, source="a source", checked="2026-11-25")(check)
    name = check.__name__.replace("_", "-")
    try:
        yield name
    finally:
        del RULES[name]


@pytest.fixture
def at_noon(world: World, home: Path) -> Iterator[Line]:
    """A rehearsal in which it is always noon of one Monday, in California."""
    owner(home)
    line = Line(world.settings(home, rehearse=True), clock=lambda: datetime(2026, 11, 23, 20, 0, tzinfo=UTC))
    yield line
    line.close()


def put(line: Line, request: Action[Any]) -> str:
    """The question about a deed, whose answer is no."""
    heard: list[str] = []

    def no(ask: Ask) -> bool:
        heard.append(ask.question.text())
        return False

    with Client(line=line, approve=no) as client, pytest.raises(Declined):
        client.send(request)
    return heard[0]


def test_a_new_rule_is_heard_everywhere_by_being_written(at_noon: Line) -> None:
    """One function: the question, the check, the refusal, the command and the page of rules follow."""
    half, hour = ({**CALL, "max_duration": minutes} for minutes in (30, 60))
    with added(long_call) as name, Client(line=at_noon) as client:
        assert f"{LONG} [rule: {name}]" in put(at_noon, PlaceCall(**half)).splitlines()
        told = client.send(CheckCall(**half))
        assert {(one.rule, one.verdict, one.why) for one in told.opinions} >= {(name, "ask", LONG)}
        assert not client.send(CheckCall(**hour)).permitted
        with pytest.raises(Refused, match=rf"59 or less\. \[rule: {name}\]$"):
            client.send(PlaceCall(**hour))
        assert name in client.send(CheckCall(**CALL)).nothing_against
        assert name in rows()
        assert f"`{name}`" in documents()[ROOT / "docs" / "rules.md"]
    assert name not in RULES
    assert name not in rows()
    assert name not in documents()[ROOT / "docs" / "rules.md"]
    assert LONG not in put(at_noon, PlaceCall(**{**CALL, "max_duration": 31}))


def rows() -> set[str]:
    """The names in the table of rules that the command prints."""
    done = CliRunner().invoke(topcalls, ["policy", "--rules", "--json"])
    return {row["rule"] for row in json.loads(done.output)["data"]}


def test_a_rule_without_a_scene_is_asked_for_one() -> None:
    with added(long_call) as name, pytest.raises(AssertionError, match=f"add a row for {name} to SCENES"):
        test_every_rule_has_a_scene()


def test_the_rules_of_the_scenes_refuse_a_policy_that_a_person_would_have() -> None:
    """The scenes are not about an owner who allows nothing: an ordinary call passes."""
    heard = judge(call(), known(), PERSONAL)
    assert not any(one.why for one in heard)


SAFETY = (ROOT / "docs" / "safety.md").read_text()


def test_the_page_of_safety_names_only_what_is_there() -> None:
    for name in re.findall(r"`(test_\w+\.py)`", SAFETY):
        assert (ROOT / "tests" / name).exists(), name
    for link in re.findall(r"\]\(([^)#]+)\)", SAFETY):
        assert (ROOT / "docs" / link).exists(), link
    commands = {tuple(words.split()) for words in re.findall(r"`topcalls\s+((?:[a-z][a-z-]*\s*)+)", SAFETY)}
    assert len(commands) > 5
    for words in commands:
        done = CliRunner().invoke(topcalls, [*words, "--help"])
        assert done.exit_code == 0, words
        assert f"topcalls {' '.join(words)} [OPTIONS]" in " ".join(done.output.split()), words
    settings = Policy.model_fields.keys() | IN_POLICY
    for line in re.findall(r"`([a-z_]+) = [^`]+`", SAFETY):
        assert line in settings, line


def test_no_page_says_of_itself_that_it_is_the_law() -> None:
    for path in (ROOT / "README.md", *(ROOT / "docs").glob("*.md")):
        words = " ".join(path.read_text().split())
        for said in re.findall(r"[^.:]*\b(?:compliant|legal advice)\b[^.:]*", words):
            assert re.search(r"\b(?:no|none|not|nothing)\b", said, re.I), (path.name, said)
