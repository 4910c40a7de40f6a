"""`topcalls watch` as a person sees it: turns as they come, a key that hangs one call up, and leaving, which hangs
up none."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from topcalls_tools import AsyncClient, Client, GetCall, PlaceCall, StopCall
from topcalls_tools.cli.watch import KEYS, _live

from .conftest import CALL, World
from .test_cli import Terminal

STAYS = "+14155550008"


@pytest.fixture
def calls(world: World, client: Client, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Two calls in progress that end when they are hung up."""
    for name, value in {
        "TOPCALLS_API_KEY": world.key,
        "TOPCALLS_BASE_URL": world.url,
        "TERM": "xterm",
    }.items():
        monkeypatch.setenv(name, value)
    placed = [
        client.send(PlaceCall(**{**CALL, "phone_number": STAYS, "task": f"{CALL['task']} {which}"})).call_id
        for which in ("One.", "Two.")
    ]
    world.advance(60)
    return placed


def statuses(client: Client, calls: list[str]) -> list[Any]:
    return [client.send(GetCall(call_id=call)).status for call in calls]


def test_one_key_hangs_one_call_up_and_the_other_goes_on(
    world: World, client: Client, calls: list[str]
) -> None:
    screen = Terminal("watch")
    screen.until("The call is in progress")
    screen.until("[2]   1 agent")
    screen.type("1")
    screen.until("[1] Hung up.")
    assert statuses(client, calls) == ["cancelled", "in_progress"]
    world.advance(60)
    screen.until("[1] summary, derived")
    screen.type("q")
    screen.until("Nothing is watched any more; the calls go on.")
    assert screen.end() == 0
    assert statuses(client, calls) == ["cancelled", "in_progress"]


@pytest.mark.parametrize("key", ["q", "\x03"], ids=["q", "Ctrl-C"])
def test_leaving_hangs_up_nothing(client: Client, calls: list[str], key: str) -> None:
    screen = Terminal("watch", *calls)
    screen.until("The key beside a call hangs it up")
    screen.until("[2]   1 agent")
    screen.type(key)
    screen.until("Nothing is watched any more; the calls go on.")
    assert screen.end() == 0
    assert statuses(client, calls) == ["in_progress", "in_progress"]


def test_arrows_and_what_is_pasted_hang_up_nothing(client: Client, calls: list[str]) -> None:
    screen = Terminal("watch")
    screen.until("[2]   1 agent")
    screen.type("\x1b[1;2A")
    screen.type("12")
    screen.type("q")
    screen.until("Nothing is watched any more; the calls go on.")
    assert screen.end() == 0
    assert statuses(client, calls) == ["in_progress", "in_progress"]


@pytest.mark.parametrize("paste", ["x" * 64 + "1", "x" * 63 + "é1"])
def test_a_long_paste_hangs_up_nothing(client: Client, calls: list[str], paste: str) -> None:
    screen = Terminal("watch")
    screen.until("[2]   1 agent")
    screen.type(paste)
    client.send(StopCall(call_id=calls[1]))
    screen.until("[2] The call is over")
    screen.type("q")
    screen.until("Nothing is watched any more; the calls go on.")
    assert screen.end() == 0
    assert "Hanging up" not in screen.screen
    assert statuses(client, calls) == ["in_progress", "cancelled"]


def test_a_call_for_which_no_key_is_left_is_hung_up_by_none(client: Client, calls: list[str]) -> None:
    keyed = [f"00000000-0000-4000-8000-{number:012}" for number in range(1, len(KEYS))]
    screen = Terminal("watch", calls[1], *keyed, calls[0])
    screen.until("Could you tell me")
    os.write(screen._ours, b"\xe9")
    client.send(StopCall(call_id=calls[1]))
    screen.until("[1] The call is over")
    screen.type("q")
    screen.until("Nothing is watched any more; the calls go on.")
    assert screen.end() == 0
    assert "Hanging up" not in screen.screen
    assert statuses(client, calls) == ["in_progress", "cancelled"]


async def test_of_the_live_calls_one_whose_id_cannot_be_sent_is_left_out_and_said(
    capsys: pytest.CaptureFixture[str],
) -> None:
    rows = [{"id": name, "status": "in_progress"} for name in ("c1", "a/b", "c2")]
    transport = httpx.MockTransport(lambda _: httpx.Response(200, json={"data": rows}))
    async with AsyncClient(api_key="tc_test_x", base_url="http://127.0.0.1:9", transport=transport) as client:
        assert [call.call_id for call in await _live(client)] == ["c2", "c1"]
    assert "Left out as their ids cannot be asked for: 1." in capsys.readouterr().err


def watched(*arguments: str) -> tuple[int, list[str]]:
    command = [sys.executable, "-m", "topcalls_tools.cli", "watch", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    return done.returncode, (done.stdout + done.stderr).splitlines()


def test_without_a_terminal_every_turn_stands_in_lines_of_its_own(
    world: World, client: Client, calls: list[str], home: Path
) -> None:
    for call in calls:
        client.send(StopCall(call_id=call))
    world.advance(60)
    code, lines = watched(*calls)
    assert code == 0
    assert lines[0] == "Practice: no phone rang."
    for call in calls:
        whole = client.send(GetCall(call_id=call))
        turns = [
            int(found[1]) for line in lines if (found := re.match(rf"{call} +(\d+) (agent|person)", line))
        ]
        assert turns == [turn.id for turn in whole.transcript]
        assert f"{call} The call is over: cancelled." in lines


def test_a_call_that_is_unknown_is_said_and_the_others_are_watched(
    world: World, client: Client, calls: list[str]
) -> None:
    for call in calls:
        client.send(StopCall(call_id=call))
    world.advance(60)
    nobody = "00000000-0000-4000-8000-000000000000"
    code, lines = watched(nobody, calls[0])
    assert code == 4
    assert any(line.startswith(f"{nobody} ") and "404" in line for line in lines)
    assert f"{calls[0]} The call is over: cancelled." in lines


def test_where_no_call_is_live_it_says_so(world: World, client: Client, calls: list[str]) -> None:
    for call in calls:
        client.send(StopCall(call_id=call))
    assert watched() == (0, ["Practice: no phone rang.", "No call is live."])


def test_what_is_no_id_is_refused_before_anything_is_sent(calls: list[str]) -> None:
    code, lines = watched("a/b")
    assert code == 2
    assert "call_id" in lines[-1]
