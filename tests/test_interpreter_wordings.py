"""Wordings that no phrase lists: slips, numbers in words, words in any order, and orders that are turned round."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from topcalls_tools.action import Effect
from topcalls_tools.interpreter import Doubt, Reading

from . import interpreting
from .test_interpreter import (
    CLINIC,
    ENDED,
    LIVE,
    MULLER,
    SCENE,
    SPOKEN,
    TURNED,
    WAITING,
    WAITS,
    acts,
    lower,
    read,
)

TURNED_TOO: dict[str, Callable[[str], str]] = {
    "denied politely": lambda said: f"please do not {lower(said)}",
    "denied by him": lambda said: f"I won't {lower(said)}",
    "not said": lambda said: f"I did not say {lower(said)}",
    "not needed": lambda said: f"No need to {lower(said)}",
    "not allowed": lambda said: f"You may not {lower(said)}",
    "mistyped denial": lambda said: f"dotn {lower(said)}",
    "mistyped later": lambda said: f"tommorow {lower(said)}",
    "asked": lambda said: f"Would it help to {lower(said)}?",
    "asked whether it was": lambda said: f"Did you {lower(said)}?",
    "made to wait": lambda said: f"When they answer, {lower(said)}",
    "for next week": lambda said: f"Later today {lower(said)}",
    "reported": lambda said: f"He said: {lower(said)}",
    "written": lambda said: f"She wrote, {lower(said)}",
    "read aloud": lambda said: f"The mail says, {lower(said)}",
    "ordered by another": lambda said: f"She told me to {lower(said)}",
    "thought": lambda said: f"I think, {lower(said)}",
    "quoted singly": lambda said: f"'{said[:-1]}' - what does that do?" if "'" not in said else "",
}
DENIES = ("don't", "dont", "do not", "never", "i don't", "no ")
"""How an order begins that is one by what it denies."""


@pytest.mark.parametrize("turn", [*TURNED.values(), *TURNED_TOO.values()], ids=[*TURNED, *TURNED_TOO])
def test_no_labelled_order_that_is_turned_round_is_one(turn: Callable[[str], str]) -> None:
    late = turn in (TURNED["taken back late"], TURNED["followed by another"], TURNED_TOO["quoted singly"])
    tried = [
        (turn(one.said), one.where)
        for name in ("requests", "requests_held_out")
        for one in interpreting.judged(name)[::7]
        if acts(one.read) and not one.said.lower().startswith(DENIES)
        if not (late and isinstance(one.read, Reading) and one.read.action.effect is Effect.SPEND)
    ]
    assert len(tried) > 10
    assert [said for said, where in tried if acts(interpreting.reading(said, where))] == []


@pytest.mark.parametrize(
    ("said", "tool", "told"),
    [
        ("hnag up", "stop_call", '"hnag" is read as "hang".'),
        ("stpo the call", "stop_call", '"stpo" is read as "stop".'),
        ("puase the winter survey", "pause_campaign", '"puase" is read as "pause".'),
        ("how is my blance", "get_balance", '"blance" is read as "balance".'),
    ],
)
def test_a_slip_is_read_as_the_one_word_that_it_can_be_and_told(said: str, tool: str, told: str) -> None:
    found = read(said)
    assert isinstance(found, Reading)
    assert (found.tool, found.besides) == (tool, (told,))


@pytest.mark.parametrize(
    "said",
    [
        "lunch the spring fair campaign",
        "cancer the call",
        "hng pu nwo",
        "hanging",
        "dotn hang up",
        "hand up",
        "slop",
    ],
)
def test_what_may_be_another_word_or_is_slip_after_slip_is_not_mended(said: str) -> None:
    assert not acts(read(said))


@pytest.mark.parametrize(
    ("said", "number"),
    [
        ("Call zero three zero, five five five oh one four nine nine and ask for Bob", "+493055501499"),
        (
            "call plus four nine three zero triple five oh one four double nine and ask for Bob",
            "+493055501499",
        ),
        ("Call 030 555 oh one four nine nine and ask for Bob", "+493055501499"),
    ],
)
def test_a_number_is_understood_digit_by_digit(said: str, number: str) -> None:
    found = read(said)
    assert isinstance(found, Reading)
    assert found.arguments["phone_number"] == number


@pytest.mark.parametrize(
    "said", ["Call one two three and ask for Bob", "Call the clinic and say one two three"]
)
def test_a_few_digits_in_words_are_no_number(said: str) -> None:
    found = read(said)
    assert not acts(found) or (isinstance(found, Reading) and found.arguments["phone_number"] == CLINIC)


@pytest.mark.parametrize("extension", ["ext. 12", ", extension 12,", "x12"])
def test_an_extension_is_kept_in_the_task(extension: str) -> None:
    found = read(f"Call 030 55501499 {extension} and ask for Bob")
    assert isinstance(found, Reading)
    assert found.arguments["phone_number"] == "+493055501499"
    assert "extension 12" in found.arguments["task"]


def test_both_calls_are_a_doubt_that_lists_each() -> None:
    other = LIVE.model_copy(update={"id": "live-4714-d", "phone_number": MULLER})
    found = read("hang up both calls", replace(SCENE, calls=(LIVE, other, ENDED)))
    assert isinstance(found, Doubt)
    assert [one.arguments for one in found.readings] == [{"call_id": LIVE.id}, {"call_id": other.id}]


def test_what_both_means_where_one_call_runs_is_that_one() -> None:
    found = read("stop all calls that are running")
    assert isinstance(found, Reading)
    assert found.arguments == {"call_id": LIVE.id}


@pytest.mark.parametrize(
    ("said", "tool"),
    [
        ("minutes we have got remaining, how many?", "get_balance"),
        ("the calls from yesterday that went wrong", "list_calls"),
        ("so how far along is the Winter survey by now", "get_campaign"),
        ("how did the last call turn out, any good?", "get_call"),
    ],
)
def test_what_only_reads_is_known_by_its_words_in_any_order(said: str, tool: str) -> None:
    found = read(said)
    assert isinstance(found, Reading)
    assert found.tool == tool


@pytest.mark.parametrize(
    "said", ["would it be rude to hang up now", "is my boss running late", "how many goats remain"]
)
def test_one_word_that_an_order_does_not_know_makes_it_none(said: str) -> None:
    assert isinstance(read(said), Doubt)


@pytest.mark.parametrize(
    "said",
    [
        "She is angry, hang up.",
        "hang up she is angry",
        "this is the wrong person, please end the call right now",
    ],
)
def test_a_reason_before_or_after_an_order_changes_nothing(said: str) -> None:
    found = read(said)
    assert isinstance(found, Reading)
    assert found.arguments == {"call_id": LIVE.id}


@pytest.mark.parametrize(
    "said", ["She said, hang up.", "I never wrote, hang up", "If she is angry, hang up", "They read: hang up"]
)
def test_what_was_said_or_may_come_is_no_reason(said: str) -> None:
    assert not acts(read(said))


@pytest.mark.parametrize(
    "said",
    [
        "call the clinic, Mario's and Anna Meyer and ask who is free",
        "call the clinic, she said to me yesterday",
        "call the clinic, when they open, and ask for Bob",
        "call the clinic, don't call Mario's",
        "ask the clinic whether Tuesday is free",  # who speaks with it now
    ],
)
def test_what_follows_a_name_is_a_task_only_where_it_says_how_things_stand(said: str) -> None:
    assert not acts(read(said))


def test_a_question_after_a_rest_is_the_tasks() -> None:
    found = read("Call Mario's, do you have a table for two?")
    assert not acts(found)
    found = read("Call Mario's: do they have a table for two?")
    assert isinstance(found, Reading)
    assert found.arguments["task"].startswith("Do they have a table for two")


def test_a_call_is_named_by_how_it_stands() -> None:
    found = read("cancel whatever hasn't started yet", WAITING)
    assert isinstance(found, Reading)
    assert found.arguments == {"call_id": WAITS.id}


def test_a_person_spoken_of_is_given_another_ring() -> None:
    found = read("give him another ring", SPOKEN)
    assert isinstance(found, Reading)
    assert found.arguments["phone_number"] == MULLER
