"""What goes wrong once a phone rings is told beside the outcome, and never in its place: by the book and by a model."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import httpx
import pytest

from topcalls_tools import PlaceCall, TopCallsToolkit
from topcalls_tools.approval import terminal
from topcalls_tools.cli.attended import Attended
from topcalls_tools.cli.by_model import ByModel
from topcalls_tools.cli.interrupts import Interrupts
from topcalls_tools.connect import Line
from topcalls_tools.errors import APIError, PaymentRequired, TooMany, Unreachable

from .conftest import World, owner
from .fifteen import OPEN
from .scripted import Model, says, scripted, tool
from .test_ask import ask
from .test_ask_terminal import approved
from .test_call_list import Odd
from .test_cli import run

CALL = f"Call {OPEN} and ask whether they are open on Labor Day."
PLACE = tool("place_call", phone_number=OPEN, task="Ask whether they are open on Labor Day.")
ONE, LIST, LEFT = "GET /v1/calls/{call_id}", "GET /v1/calls", "GET /v1/balance"
WHY = {"rate_limited": "TopCalls asks to wait", "cut_before": "TopCalls does not answer"}
NOTHING_DONE = (3, 4, 6)
"""The exit codes that say that nothing was done."""


@pytest.fixture
def keyed(world: World, home: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    owner(home)
    for name, value in {"TOPCALLS_API_KEY": world.key, "TOPCALLS_BASE_URL": world.url}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("topcalls_tools.flow.steps.PAUSES", ())
    world.pace(0)
    return world


def breaks(world: World, kind: str, *routes: str) -> None:
    """From now on these routes fail. What is limited asks to wait for longer than anybody waits."""
    for route in routes:
        fault = {"route": route, "kind": kind, "next": 10**6, "seconds": 120}
        httpx.post(
            f"{world.url}/sandbox/faults",
            json=fault,
            headers={"Authorization": f"Bearer {world.key}"},
            trust_env=False,
        ).raise_for_status()


def calls(world: World) -> list[dict[str, Any]]:
    found = world.get("/v1/calls?limit=200")["data"]
    return [one for one in found if not one.get("campaign_id")]


def told(model: Model) -> list[str]:
    return [one["content"] for one in model.requests[-1]["messages"] if one["role"] == "tool"]


@pytest.mark.parametrize("kind", WHY)
def test_a_call_that_cannot_be_followed_is_told_as_placed(keyed: World, kind: str) -> None:
    breaks(keyed, kind, ONE)
    done = ask(CALL)
    assert done.exit_code == 0 not in NOTHING_DONE, done.output
    (call,) = calls(keyed)
    assert f"call_id           {call['id']}" in done.stdout
    assert done.stderr.endswith(
        f"The call goes on, but cannot be followed now ({WHY[kind]}); topcalls follow-call --call-id "
        f"{call['id']} shows how it stands.\n"
    )
    assert "nothing was sent" not in done.output
    assert len(keyed.rings()) == 1


@pytest.mark.parametrize("kind", WHY)
def test_a_model_is_told_the_call_that_it_placed_where_it_cannot_be_followed(keyed: World, kind: str) -> None:
    breaks(keyed, kind, ONE)
    with scripted(PLACE, says("It is placed.")) as model:
        done = ask(CALL, model=model)
    assert done.exit_code == 0, done.output
    (call,) = calls(keyed)
    (answer,) = told(model)
    assert json.loads(answer.partition("\n")[2])["call_id"] == call["id"]
    assert f"The call goes on, but cannot be followed now ({WHY[kind]})" in done.stderr
    assert "It is placed." in done.stdout


@pytest.mark.parametrize("kind", WHY)
def test_the_message_of_a_tool_is_a_success_that_names_the_call(keyed: World, line: Line, kind: str) -> None:
    breaks(keyed, kind, ONE)
    tools = {one.name: one for one in TopCallsToolkit(client=Attended(line=line)).get_tools()}
    arguments = PLACE.tools[0][1]
    message = tools["place_call"].invoke(
        {"name": "place_call", "args": arguments, "id": "1", "type": "tool_call"}
    )
    assert message.status == "success"
    assert message.artifact.call_id == calls(keyed)[0]["id"]
    assert message.artifact.call_id in message.content


@pytest.mark.parametrize("route", [LIST, LEFT])
def test_minutes_that_cannot_be_told_hide_nothing_that_was_said(
    keyed: World, monkeypatch: pytest.MonkeyPatch, route: str
) -> None:
    keyed.pace(500)
    real = Attended._bill

    def then(person: Attended, call_id: str, reserved: float | None) -> None:
        breaks(keyed, "rate_limited", route)
        real(person, call_id, reserved)

    monkeypatch.setattr(Attended, "_bill", then)
    with scripted(PLACE, says("They are not open.")) as model:
        done = ask(CALL, model=model)
    assert done.exit_code == 0, done.output
    assert "person called" in done.stdout
    assert "Its minutes cannot be told now (TopCalls asks to wait); topcalls get-call" in done.stderr
    assert "cannot be followed" not in done.stderr
    assert '"call_id"' in told(model)[0]


def test_a_call_that_has_ended_is_not_said_to_go_on(keyed: World, monkeypatch: pytest.MonkeyPatch) -> None:
    keyed.pace(500)
    real = Attended._tell

    def then(person: Attended, now: Any) -> None:
        real(person, now)
        if now.ended:
            raise TooMany("Wait; then go on.", 429)

    monkeypatch.setattr(Attended, "_tell", then)
    done = ask(CALL)
    assert done.exit_code == 0, done.output
    assert "The call has ended, but cannot be followed now (TopCalls asks to wait); " in done.stderr


def test_a_call_that_was_followed_to_its_end_is_no_failure_where_its_minutes_cannot_be_told(
    keyed: World,
) -> None:
    assert ask(CALL, "--no-follow").exit_code == 0
    (call,) = calls(keyed)
    keyed.pace(500)
    breaks(keyed, "rate_limited", LEFT)
    done = ask(f"Follow call {call['id']}.")
    assert done.exit_code == 0, done.output
    assert "Its minutes cannot be told now (TopCalls asks to wait)" in done.stderr


def test_where_nothing_was_placed_a_call_that_cannot_be_followed_is_an_error(keyed: World) -> None:
    assert ask(CALL, "--no-follow").exit_code == 0
    (call,) = calls(keyed)
    breaks(keyed, "rate_limited", ONE)
    done = ask(f"Follow call {call['id']}.")
    assert done.exit_code == 4, done.output
    assert "Error: " in done.stderr


@pytest.fixture
def rehearsed(keyed: World, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setenv("TOPCALLS_REHEARSE", "1")
    monkeypatch.setenv("TERM", "xterm")
    return keyed


def hung_up(world: World, *broken: str) -> tuple[int, str]:
    """A call is approved, left, and hung up, while something is broken from the call's start on."""
    terminal = approved("ask", CALL)
    world.advance(12)
    terminal.until("The call is in progress.")
    breaks(world, "rate_limited", *broken)
    terminal.type("\x03")
    terminal.until("No longer waiting; the call goes on.")
    terminal.type("\x03")
    terminal.until("Hang up now?")
    terminal.type("y")
    return terminal.end(), terminal.screen


def test_who_hangs_up_is_told_so_where_the_minutes_cannot_be_told(rehearsed: World) -> None:
    code, screen = hung_up(rehearsed, LEFT)
    assert code == 0, screen
    assert "cancelled" in screen.rpartition("Plan: stop_call")[2]
    assert "Its minutes cannot be told now (TopCalls asks to wait)" in screen
    assert [call["status"] for call in calls(rehearsed)] == ["cancelled"]


def test_a_hang_up_that_fails_is_told_and_the_call_stays_placed(rehearsed: World) -> None:
    code, screen = hung_up(rehearsed, "POST /v1/calls/{call_id}/stop")
    assert code not in NOTHING_DONE, screen
    assert "Error: " in screen
    assert "The call may go on; topcalls stop-call --call-id" in screen
    assert [call["status"] for call in calls(rehearsed)] == ["in_progress"]


def test_ctrl_c_while_a_question_is_printed_ends_the_request_and_the_question(
    person: Attended, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(terminal, "approve", lambda ask: signal.raise_signal(signal.SIGINT))
    with scripted(PLACE, says("This is never said.")) as model:
        with pytest.raises(KeyboardInterrupt):
            ByModel(person, "openai:scripted", model.url, None).said("Call them.")
        assert len(model.requests) == 1
    assert json.loads(run("approvals", "--json").stdout)["data"] == []


def test_at_a_question_each_ctrl_c_counts() -> None:
    with Interrupts() as interrupts:
        interrupts.asking = True
        for _ in range(3):
            with pytest.raises(KeyboardInterrupt):
                signal.raise_signal(signal.SIGINT)


class Presses(httpx.HTTPTransport):
    """A way to the sandbox on which Ctrl-C is pressed while a dial is under way, and the dial is refused."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            signal.raise_signal(signal.SIGINT)
            return httpx.Response(402, json={"detail": "No minutes."})
        return super().handle_request(request)


@pytest.fixture
def person(keyed: World, line: Line, monkeypatch: pytest.MonkeyPatch) -> Attended:
    """Somebody at a terminal who says yes."""
    monkeypatch.setattr(terminal, "possible", lambda: True)
    monkeypatch.setattr(terminal, "approve", lambda ask: True)
    return Attended(line=line)


def test_ctrl_c_while_a_call_is_refused_ends_the_request_with_the_refusal(person: Attended) -> None:
    person._transport = Presses()
    with scripted(PLACE, says("This is never said.")) as model:
        by_model = ByModel(person, "openai:scripted", model.url, None)
        with pytest.raises(PaymentRequired):
            by_model.said("Call them.")
        assert len(model.requests) == 1


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (APIError("No. x", 418), "TopCalls answers with an error, 418"),
        (Unreachable("TopCalls cannot be reached, and nothing was sent; wait."), "TopCalls does not answer"),
    ],
)
def test_why_is_said_in_words_of_nothing_that_was_asked_for(
    person: Attended, monkeypatch: pytest.MonkeyPatch, capsys: Any, error: APIError, words: str
) -> None:
    def fails(self: Attended, call_id: str) -> None:
        raise error

    monkeypatch.setattr(Attended, "_watch", fails)
    with scripted(PLACE, says("Done.")) as model:
        assert ByModel(person, "openai:scripted", model.url, None).said("Call them.") == 0
    assert f"({words})" in capsys.readouterr().err


def test_a_call_whose_id_cannot_be_asked_for_is_told_as_placed(
    line: Line, world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    person = Attended(line=line)
    person._transport = Odd()
    placed = person.send(PlaceCall(phone_number="+14155550142", task="Ask when they open on Sunday."))
    assert placed.call_id == "c1.eu"
    assert "The call goes on, but cannot be followed now" in capsys.readouterr().err
    assert len(world.rings()) == 1
