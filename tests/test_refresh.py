"""`--watch`: no more than a look in five seconds, errors that pass, and Ctrl-C; and what a shell completes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import click
import pytest

from topcalls_tools import Client
from topcalls_tools.api.calls import ListCalls
from topcalls_tools.cli.refresh import EVERY, watched
from topcalls_tools.cli.show import reply
from topcalls_tools.connect import Line
from topcalls_tools.errors import Offline, TooMany, TopCallsError, Unauthorized
from topcalls_tools.flow.steps import glance
from topcalls_tools.tools import TOOLS

from .conftest import World
from .test_cli import PLACE, Terminal, keyed, run
from .test_everyday import Counted

__all__ = ["keyed"]
COMMAND = [sys.executable, "-m", "topcalls_tools.cli"]


class Clock:
    """Time that passes when something takes it; Ctrl-C comes after so many looks."""

    def __init__(self, looks: int) -> None:
        self.now, self.looks, self.paused = 0.0, looks, list[float]()

    def timer(self) -> float:
        return self.now

    def pause(self, seconds: float) -> None:
        self.paused.append(seconds)
        self.now += seconds
        if len(self.paused) == self.looks:
            raise KeyboardInterrupt


def look(clock: Clock, draw: Callable[[], None]) -> None:
    watched(draw, pause=clock.pause, timer=clock.timer)


def test_a_watched_list_asks_once_in_five_seconds_at_most(
    line: Line, capsys: pytest.CaptureFixture[str]
) -> None:
    clock, sent, begun, request = Clock(6), Counted(), list[float](), ListCalls(limit=5)
    with Client(line=line, transport=sent) as client:

        def draw() -> None:
            begun.append(clock.now)
            reply(request.shown(client.run(glance(request, line.desk())), line.live), as_json=True)
            clock.now += len(begun) * 1.5  # each look takes longer than the one before

        look(clock, draw)
    assert len(sent.paths) == len(begun) == 6
    assert min(after - before for before, after in pairwise(begun)) >= EVERY
    shown = capsys.readouterr().out
    assert json.loads(shown)["live"] is False  # nothing changed: one document


def test_where_the_limit_is_reached_it_waits_as_long_as_topcalls_says_and_a_list_that_was_away_comes_back(
    capsys: pytest.CaptureFixture[str],
) -> None:
    troubles: list[TopCallsError | None] = [
        None,
        Offline("Away; wait."),
        None,
        TooMany("Slow; wait.", 429, wait_seconds=40),
    ]
    clock = Clock(len(troubles))

    def draw() -> None:
        if trouble := troubles[len(clock.paused)]:
            raise trouble
        click.echo("the list")

    look(clock, draw)
    assert capsys.readouterr().out.splitlines() == ["the list", "Away; wait.", "the list", "Slow; wait."]
    assert clock.paused == [5, 5, 5, 40]


def test_a_key_that_is_no_good_ends_it() -> None:
    def draw() -> None:
        raise Unauthorized("The key is unknown; make another.", 401)

    with pytest.raises(Unauthorized):
        look(Clock(3), draw)


def test_every_list_can_be_watched_and_nothing_else() -> None:
    for action in TOOLS:
        name = action.tool.replace("_", "-")
        assert ("--watch" in run(name, "--help").output) is name.startswith("list-"), name
    assert "--watch" in run("approvals", "--help").output


def test_a_watched_terminal_shows_what_is_new_and_ctrl_c_ends_it_in_peace(keyed: World) -> None:
    terminal = Terminal("list-calls", "--limit", "3", "--watch", TERM="xterm-256color")
    terminal.until("Ctrl-C ends it")
    call_id = json.loads(run(*PLACE, "--json").stdout)["call_id"]
    terminal.until(call_id)
    os.kill(terminal._process.pid, signal.SIGINT)
    assert terminal.end() == 0, terminal.screen
    assert "Traceback" not in terminal.screen
    assert "Aborted" not in terminal.screen


def test_a_watched_pipe_has_documents_one_after_the_other(keyed: World) -> None:
    with subprocess.Popen(
        [*COMMAND, "list-calls", "--limit", "1", "--watch", "--json"], stdout=subprocess.PIPE
    ) as process:
        assert process.stdout
        first = _document(process)
        call_id = json.loads(run(*PLACE, "--json").stdout)["call_id"]
        second = _document(process)
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
    assert first["data"] != second["data"]
    assert second["data"][0]["id"] == call_id


def _document(process: subprocess.Popen[bytes]) -> dict[str, Any]:
    assert process.stdout
    lines: list[bytes] = []
    deadline = time.monotonic() + 30
    while not lines or lines[-1] != b"}\n":
        assert time.monotonic() < deadline
        lines.append(process.stdout.readline())
    found: dict[str, Any] = json.loads(b"".join(lines))
    return found


def completed(*words: str) -> list[str]:
    """What a shell offers for the last word."""
    done = subprocess.run(
        COMMAND,
        env={
            **os.environ,
            "_TOPCALLS_COMPLETE": "bash_complete",
            "COMP_WORDS": " ".join(words),
            "COMP_CWORD": str(len(words) - 1),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    return [line.partition(",")[2] for line in done.stdout.splitlines() if line]


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (("topcalls", "list-ca"), ["list-calls", "list-campaigns", "list-carriers"]),
        (("topcalls", "rep"), ["report"]),
        (("topcalls", "report", "--s"), ["--since"]),
        (("topcalls", "place-call", "--mode", ""), ["realtime", "legacy"]),
        (("topcalls", "journal", "ver"), ["verify"]),
        (("topcalls", "recording", ""), []),
        (("topcalls", "get-call", "--call-id", ""), []),
    ],
)
def test_a_shell_completes_commands_and_options_and_no_calls(
    words: tuple[str, ...], offered: list[str]
) -> None:
    assert completed(*words) == offered


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_gets_its_script_and_nothing_is_opened_for_it(shell: str) -> None:
    done = subprocess.run(
        COMMAND,
        env={**os.environ, "_TOPCALLS_COMPLETE": f"{shell}_source"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "_TOPCALLS_COMPLETE" in done.stdout
    assert not os.path.exists(os.environ["TOPCALLS_HOME"])
