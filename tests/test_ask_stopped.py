"""A person says no, or stops, at a model's questions: one word ends what many calls asked for."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from topcalls_tools.agent import MOST_TOOLS

from .conftest import World
from .fifteen import OPEN
from .scripted import Model, Step, says, scripted, tool
from .test_ask_terminal import CTRL_C, CTRL_D, by, keyed, prompted, status
from .test_cli import Terminal, run

__all__ = ["keyed"]
ASKED = "Approve? [y/N]"
STOPPED = "Stopped; what was not done by now is not done."


def placing(number: int) -> tuple[str, dict[str, Any]]:
    return "place_call", {"phone_number": f"+141555501{number + 40}", "task": "Ask whether they are open."}


FLOOD = Step(tools=tuple(map(placing, range(MOST_TOOLS))))
ONE = Step(tools=(placing(1),))
TWO = Step(tools=(placing(1), placing(2)))
NEVER = says("This is never said.")


def chatting(model: Model, line: str) -> Terminal:
    terminal = Terminal("chat", "--no-follow", *by(model))
    terminal.until("topcalls>")
    terminal.type(f"{line}\r")
    return terminal


def then(terminal: Terminal, line: str, words: str) -> None:
    """Say another line, and wait for what comes of it."""
    prompted(terminal)
    terminal.type(f"{line}\r")
    terminal.screen = ""
    terminal.until(words)


def leave(terminal: Terminal) -> None:
    prompted(terminal)
    terminal.type("/quit\r")
    assert terminal.end() == 0, terminal.screen


def told(model: Model) -> Iterator[str]:
    """What the tools answered, as the model's last request has it."""
    return (one["content"] for one in model.requests[-1]["messages"] if one["role"] == "tool")


def test_one_ctrl_c_at_a_question_ends_all_that_a_model_has_called(keyed: World) -> None:
    with scripted(FLOOD, NEVER) as model:
        terminal = Terminal("ask", "--no-follow", *by(model), "Call them all.")
        terminal.until(ASKED)
        terminal.type(CTRL_C)
        assert terminal.end() == 1, terminal.screen
        assert len(model.requests) == 1
    assert terminal.screen.count(ASKED) == terminal.screen.count("Plan: ") == 1
    assert STOPPED in terminal.screen
    assert status(keyed) == []


def test_a_model_is_told_later_what_the_person_has_stopped(keyed: World) -> None:
    with scripted(FLOOD, says("They stay uncalled.")) as model:
        terminal = chatting(model, "Call them all.")
        terminal.until(ASKED)
        terminal.type(CTRL_C)
        terminal.until(STOPPED)
        then(terminal, "And now?", "They stay uncalled.")
        leave(terminal)
    roles = [one["role"] for one in model.requests[-1]["messages"]]
    assert roles == ["system", "user", "assistant", *["tool"] * MOST_TOOLS, "user"]
    assert all(one.startswith("The person has stopped this request") for one in told(model))
    assert sum("this was not done" in one for one in told(model)) == MOST_TOOLS - 1
    assert len(model.requests) == 2
    assert status(keyed) == []


def test_what_rang_before_a_person_stopped_is_not_forgotten(keyed: World) -> None:
    with scripted(TWO, says("One was placed.")) as model:
        terminal = chatting(model, "Call both.")
        terminal.until(ASKED)
        terminal.type("y\n")
        terminal.until("queued")
        terminal.screen = ""
        terminal.until(ASKED)
        terminal.type(CTRL_C)
        terminal.until(STOPPED)
        then(terminal, "And now?", "One was placed.")
        leave(terminal)
    (call,) = keyed.get("/v1/calls?limit=1")["data"]
    placed, stopped = sorted(told(model))  # "Practice: ..." comes before "The person ..."
    assert json.loads(placed.partition("\n")[2])["call_id"] == call["id"]
    assert stopped.startswith("The person has stopped this request")
    assert status(keyed) == ["queued"]


def test_one_no_is_a_no_to_all_calls_of_the_request(keyed: World) -> None:
    with scripted(FLOOD, Step(tools=(placing(49),)), says("You said no.")) as model:
        terminal = Terminal("ask", "--no-follow", *by(model), "Call them all.")
        terminal.until(ASKED)
        terminal.type("n\n")
        assert terminal.end() == 3, terminal.screen
        answers = list(told(model))
    assert terminal.screen.count(ASKED) == 1
    assert len(answers) == MOST_TOOLS + 1
    assert sum("The person said no to what uses call minutes" in one for one in answers) == MOST_TOOLS - 1
    assert "You said no." in terminal.screen
    assert status(keyed) == []


def test_in_a_new_request_the_person_is_asked_again(keyed: World) -> None:
    with scripted(TWO, says("You said no."), Step(tools=(placing(3),)), says("Now.")) as model:
        terminal = chatting(model, "Call them.")
        terminal.until(ASKED)
        terminal.type("n\n")
        terminal.until("You said no.")
        then(terminal, "Do call them.", ASKED)
        terminal.type("y\n")
        terminal.until("Now.")
        leave(terminal)
    assert status(keyed) == ["queued"]


def test_a_no_to_a_call_is_none_to_what_stops_or_changes_something(keyed: World) -> None:
    (carrier, *_) = keyed.get("/v1/phone-numbers/carriers")["data"]
    adds = tool("add_phone_number", number="+49305550140", voip_carrier_sid=carrier["voip_carrier_sid"])
    with scripted(ONE, tool("block_number", phone_number=OPEN), adds, says("Blocked.")) as model:
        terminal = Terminal("ask", *by(model), "Call them.")
        terminal.until(ASKED)
        terminal.type("n\n")
        terminal.until("Plan: block_number")
        terminal.screen = ""
        terminal.until(ASKED)
        terminal.type("y\n")
        terminal.until("Blocked.")
        assert terminal.end() == 0, terminal.screen
        answers = list(told(model))
    assert not any("uses call minutes" in one for one in answers)
    assert "+49305550140" in answers[2]
    assert status(keyed) == []


def test_the_end_of_input_is_no_answer_to_that_one_question(keyed: World) -> None:
    with scripted(TWO, says("Nobody answered.")) as model:
        terminal = Terminal("ask", "--no-follow", *by(model), "Call both.")
        terminal.until(ASKED)
        terminal.type(CTRL_D)
        terminal.screen = ""
        terminal.until(ASKED)
        terminal.type("y\n")
        assert terminal.end() == 0, terminal.screen
        assert sum("Nobody answered, and nothing was sent" in one for one in told(model)) == 1
    assert status(keyed) == ["queued"]


def test_who_leaves_a_call_is_asked_about_no_further_one(keyed: World) -> None:
    with scripted(TWO, NEVER) as model:
        terminal = Terminal("ask", *by(model), "Call both.")
        terminal.until(ASKED)
        terminal.type("y\n")
        terminal.until("queued")
        keyed.advance(12)
        terminal.until("The call is in progress.")
        terminal.type(CTRL_C)
        assert terminal.end() == 0, terminal.screen
        assert len(model.requests) == 1
    assert terminal.screen.count(ASKED) == 1
    assert status(keyed) == ["in_progress"]


@pytest.mark.parametrize("keys", [CTRL_C, CTRL_D])
def test_a_question_that_was_stopped_waits_for_nobody(keyed: World, keys: str) -> None:
    terminal = Terminal("ask", f"Call {OPEN} and ask whether they are open.")
    terminal.until(ASKED)
    terminal.type(keys)
    assert terminal.end() == (1 if keys == CTRL_C else 3), terminal.screen
    assert json.loads(run("approvals", "--json").stdout)["data"] == []
    assert status(keyed) == []


def test_ctrl_c_at_the_question_of_a_command_is_no_answer(keyed: World) -> None:
    terminal = Terminal("place-call", "--phone-number", OPEN, "--task", "Ask whether they are open.")
    terminal.until(ASKED)
    terminal.type(CTRL_C)
    assert terminal.end() == 3, terminal.screen
    assert "Nobody answered, and nothing was sent" in terminal.screen


@pytest.mark.parametrize(("typed", "code"), [("YES\n", 0), ("\n", 3), ("No\n", 3)])
def test_other_words_are_no_answer_and_asked_about_again(keyed: World, typed: str, code: int) -> None:
    terminal = Terminal("place-call", "--phone-number", OPEN, "--task", "Ask whether they are open.")
    terminal.until(ASKED)
    terminal.type("maybe\n")
    terminal.until("That is no answer; y is a yes, n is a no.\r\nApprove? [y/N]")
    assert status(keyed) == []
    terminal.type(typed)
    assert terminal.end() == code, terminal.screen
    assert len(status(keyed)) == (1 if code == 0 else 0)
