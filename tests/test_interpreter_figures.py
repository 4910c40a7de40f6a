"""The labelled requests: what is right and wrong in each set, that the page tells it, and how a phrase is written."""

from __future__ import annotations

import pytest

from topcalls_tools.interpreter.notation import Phrase, parts
from topcalls_tools.interpreter.sentence import sentence

from . import interpreting
from .test_interpreter import acts


@pytest.mark.parametrize("name", ["requests", "requests_held_out", "requests_learned"])
def test_no_labelled_request_comes_to_what_was_not_wanted(name: str) -> None:
    assert [(one.said, one.read) for one in interpreting.judged(name) if one.outcome == "wrong"] == []


def test_no_request_of_the_set_that_nothing_is_learned_from_comes_to_a_wrong_action() -> None:
    wrong = [one.read for one in interpreting.judged("requests_third") if one.outcome == "wrong"]
    assert [one for one in wrong if acts(one)] == []


def test_three_of_four_requests_that_nothing_is_learned_from_are_read_rightly() -> None:
    wanted = [one.outcome for one in interpreting.judged("requests_third") if not one.refusal]
    assert wanted.count("right") >= 0.75 * len(wanted)


def test_every_learned_request_is_read_rightly() -> None:
    assert [one.said for one in interpreting.judged("requests_learned") if one.outcome != "right"] == []


def test_the_published_figures_are_the_measured_ones() -> None:
    assert interpreting.PAGE.read_text() == interpreting.page()


@pytest.mark.parametrize(
    ("phrase", "has", "has_not"),
    [
        ("hang up", ["hang up", "Hang-up!"], ["hang", "hang up now"]),
        ("(stop|cut off)? <it>", ["it", "stop that", "cut off it"], ["cut it"]),
        ("call {whom} , {task}", ["call Ann, ask", "call Ann. Ask. Wait"], ["call Ann ask", "call, ask"]),
        ("stop {call}", ["stop it, all"], ["stop", "stop it. Now"]),
        ("(a (b|c) d?)", ["a b", "a c d"], ["a d"]),
    ],
)
def test_a_phrase_is_a_whole_sentence(phrase: str, has: list[str], has_not: list[str]) -> None:
    read_as = Phrase(tuple(parts(phrase, {"it": (("it",), ("that",))})))
    assert [one for one in (*has, *has_not) if any(True for _ in read_as.whole(sentence(one)))] == has


@pytest.mark.parametrize(
    ("written", "wrong"), [("(open", ValueError), ("a | b", ValueError), ("<no>", KeyError)]
)
def test_what_is_no_phrase_is_refused(written: str, wrong: type[Exception]) -> None:
    with pytest.raises(wrong):
        tuple(parts(written, {}))
