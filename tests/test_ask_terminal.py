"""Requests in words at a real terminal: asked, approved, followed, left and hung up; and Ctrl-C at every moment of it."""

from __future__ import annotations

import os
import select
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from topcalls_tools.cli.interrupts import Interrupts

from .conftest import World, owner
from .fifteen import OPEN
from .scripted import Model, says, scripted, tool
from .test_ask import told_minutes
from .test_cli import Terminal

CALL = f"Call {OPEN} and ask whether they are open on Labor Day."
PLACE = tool("place_call", phone_number=OPEN, task="Ask whether they are open on Labor Day.")
CTRL_C, CTRL_D, UP = "\x03", "\x04", "\x1b[A"


@pytest.fixture
def keyed(world: World, home: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    owner(home)
    for name, value in {
        "TOPCALLS_API_KEY": world.key,
        "TOPCALLS_BASE_URL": world.url,
        "TOPCALLS_REHEARSE": "1",
        "TERM": "xterm",
        "PROMPT_TOOLKIT_NO_CPR": "1",
    }.items():
        monkeypatch.setenv(name, value)
    world.pace(0)
    return world


def status(world: World) -> list[str]:
    found = world.get("/v1/calls?limit=200")["data"]
    return [one["status"] for one in found if not one.get("campaign_id")]


def by(model: Model) -> tuple[str, ...]:
    return "--model", "openai:scripted", "--model-url", model.url


def prompted(terminal: Terminal) -> None:
    """Wait until it asks for the next line."""
    last = terminal.screen.splitlines()[-1]
    terminal.screen = last
    terminal.until("topcalls>")


def approved(*arguments: str) -> Terminal:
    terminal = Terminal(*arguments)
    terminal.until("Approve? [y/N]")
    terminal.type("y\n")
    terminal.until("queued")
    return terminal


def test_a_call_is_asked_about_followed_and_billed(keyed: World) -> None:
    terminal = Terminal("ask", CALL)
    terminal.until("Approve? [y/N]")
    assert status(keyed) == []
    screen = terminal.screen
    assert (
        screen.index("By the phrase book: ") < screen.index("Plan: place_call") < screen.index("Place call?")
    )
    keyed.pace(500)
    terminal.type("y\n")
    assert terminal.end() == 0, terminal.screen
    assert "person called  │ " in terminal.screen
    assert "Summary, derived from what was said:" in terminal.screen
    assert told_minutes(terminal.screen, keyed)


@pytest.mark.parametrize("way", ["book", "model"])
def test_a_no_rings_nothing_and_ends_with_3(keyed: World, way: str) -> None:
    with scripted(PLACE, says("You said no.")) as model:
        terminal = Terminal("ask", *(by(model) if way == "model" else ()), CALL)
        terminal.until("Approve? [y/N]")
        terminal.type("n\n")
        assert terminal.end() == 3, terminal.screen
    assert status(keyed) == []


def test_ctrl_c_stops_waiting_and_a_second_one_offers_to_hang_up(keyed: World) -> None:
    terminal = approved("ask", CALL)
    keyed.advance(12)
    terminal.until("The call is in progress.")
    terminal.type(CTRL_C)
    terminal.until("No longer waiting; the call goes on.")
    assert status(keyed) == ["in_progress"]
    terminal.type(CTRL_C)
    terminal.until("Hang up now?")
    assert status(keyed) == ["in_progress"]
    terminal.type("y")
    assert terminal.end() == 0, terminal.screen
    assert "Plan: stop_call" in terminal.screen
    assert status(keyed) == ["cancelled"]
    assert "10 reserved" in terminal.screen.rpartition("Plan: stop_call")[2]


@pytest.mark.parametrize("key", ["n", "\n", CTRL_C, CTRL_D])
def test_any_other_key_leaves_the_call_as_it_is(keyed: World, key: str) -> None:
    terminal = approved("ask", CALL)
    keyed.advance(12)
    terminal.until("The call is in progress.")
    terminal.type(CTRL_C)
    terminal.until("No longer waiting")
    terminal.type(CTRL_C)
    terminal.until("Hang up now?")
    terminal.type(key)
    assert terminal.end() == 0, terminal.screen
    assert "topcalls follow-call --call-id" in terminal.screen
    assert status(keyed) == ["in_progress"]


def test_who_presses_ctrl_c_once_leaves_and_the_call_goes_on(keyed: World) -> None:
    terminal = approved("ask", CALL)
    terminal.type(CTRL_C)
    terminal.until("The call goes on; topcalls follow-call --call-id")
    assert terminal.end() == 0
    assert "Hang up now?" not in terminal.screen
    assert status(keyed) == ["queued"]


def test_what_is_typed_before_the_offer_is_no_yes_to_it(keyed: World) -> None:
    terminal = approved("ask", CALL)
    keyed.advance(12)
    terminal.until("The call is in progress.")
    terminal.type(CTRL_C)
    terminal.until("No longer waiting")
    terminal.type(CTRL_C + "y")
    terminal.until("Hang up now?")
    assert status(keyed) == ["in_progress"]
    terminal.type("n")
    assert terminal.end() == 0
    assert status(keyed) == ["in_progress"]


def test_a_model_asks_through_the_same_question_and_says_nothing_after_the_person_has_left(
    keyed: World,
) -> None:
    with scripted(PLACE, says("This is never said.")) as model:
        terminal = approved("ask", *by(model), "Ask them whether they are open.")
        keyed.advance(12)
        terminal.until("The call is in progress.")
        terminal.type(CTRL_C)
        terminal.until("The call goes on; topcalls follow-call")
        assert terminal.end() == 0, terminal.screen
        assert len(model.requests) == 1
    assert "never said" not in terminal.screen
    assert status(keyed) == ["in_progress"]


def test_what_a_model_wants_after_the_person_has_gone_is_not_done(keyed: World) -> None:
    with scripted(tool("block_number", phone_number=OPEN), says("Done.")) as model:
        model.go = threading.Event()
        terminal = Terminal("chat", *by(model))
        terminal.until("topcalls>")
        terminal.type("Block them.\r")
        assert model.asked.wait(30)
        terminal.type(CTRL_C)
        terminal.until("Stopped; what was not done by now is not done.")
        model.go.set()
        terminal.type("And now?\r")
        terminal.until("Done.")
        terminal.type("/quit\r")
        assert terminal.end() == 0, terminal.screen
    assert "Plan: block_number" not in terminal.screen
    assert [one["role"] for one in model.requests[-1]["messages"]] == ["system", "user", "user"]


def test_a_chat_goes_on_after_a_call_was_left(keyed: World) -> None:
    terminal = Terminal("chat")
    terminal.until("This is a phrase book and no language model")
    terminal.until("topcalls>")
    terminal.type(f"{CALL}\r")
    terminal.until("Approve? [y/N]")
    terminal.type("y\n")
    terminal.until("queued")
    keyed.advance(12)
    terminal.until("The call is in progress.")
    terminal.type(CTRL_C)
    terminal.until("The call goes on; topcalls follow-call")
    terminal.type("Hang up now.\r")
    terminal.until("cancelled")
    prompted(terminal)
    terminal.type(CTRL_C)
    terminal.until("/quit leaves, as Ctrl-D does.")
    prompted(terminal)
    terminal.type(CTRL_D)
    assert terminal.end() == 0, terminal.screen
    assert status(keyed) == ["cancelled"]


def test_a_chat_remembers_and_completes_lines(keyed: World) -> None:
    terminal = Terminal("chat")
    terminal.until("topcalls>")
    terminal.type("How many minutes are left?\r")
    terminal.until("welcome_bonus_remaining")
    terminal.screen = ""
    terminal.type(UP + "\r")
    terminal.until("welcome_bonus_remaining")
    terminal.screen = ""
    terminal.type("/qu\t")
    terminal.until("it")
    terminal.type("\r")
    assert terminal.end() == 0, terminal.screen


def test_the_first_ctrl_c_raises_once_and_none_does_while_a_call_is_dialled() -> None:
    with pytest.raises(KeyboardInterrupt), Interrupts():
        signal.raise_signal(signal.SIGINT)
    with Interrupts() as interrupts:
        interrupts.held = True
        signal.raise_signal(signal.SIGINT)
        assert interrupts.count == 1
        with pytest.raises(KeyboardInterrupt):
            interrupts.release()
        signal.raise_signal(signal.SIGINT)
        assert interrupts.again()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


class Tmux:
    """A shell in a terminal of tmux, seen as a person sees it."""

    def __init__(self, folder: Path, columns: int = 100) -> None:
        self._socket = str(folder / "tmux")
        environment = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
        environment |= {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "PS1": "$ "}
        size = "-x", str(columns), "-y", "60"
        self._do("-f", "/dev/null", "new-session", "-d", "-s", "t", *size, "sh", env=environment)
        self._news = subprocess.Popen(
            ["tmux", "-S", self._socket, "-C", "attach", "-t", "t"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def _do(self, *arguments: str, **given: Any) -> str:
        done = subprocess.run(
            ["tmux", "-S", self._socket, *arguments], capture_output=True, text=True, check=True, **given
        )
        return done.stdout

    def type(self, words: str, *keys: str) -> None:
        if words:
            self._do("send-keys", "-t", "t", "-l", words)
        if keys:
            self._do("send-keys", "-t", "t", *keys)

    @property
    def screen(self) -> str:
        return self._do("capture-pane", "-p", "-t", "t")

    def until(self, words: str) -> str:
        deadline = time.monotonic() + 60
        while words not in (seen := self.screen):
            assert time.monotonic() < deadline, seen
            assert self._news.stdout
            if select.select([self._news.stdout], [], [], 0.2)[0]:
                os.read(self._news.stdout.fileno(), 65536)
        return seen

    def close(self) -> None:
        self._do("kill-server")
        self._news.wait(10)
        for pipe in (self._news.stdin, self._news.stdout):
            if pipe:
                pipe.close()


@pytest.fixture
def tmux(keyed: World, tmp_path: Path) -> Iterator[Tmux]:
    if shutil.which("tmux") is None:
        pytest.skip("tmux is not installed; `apt-get install tmux`.")
    tmux = Tmux(tmp_path)
    yield tmux
    tmux.close()


def test_in_tmux_a_person_asks_approves_follows_and_hangs_up(keyed: World, tmux: Tmux) -> None:
    tmux.type(f'topcalls ask "{CALL}"', "Enter")
    asked = tmux.until("Approve? [y/N]:")
    assert f"  phone_number  │ {OPEN}" in asked
    assert "first_sentence, as it will be spoken:" in asked
    tmux.type("y", "Enter")
    tmux.until("queued")
    keyed.advance(12)
    tmux.until("The call is in progress.")
    tmux.until("  1 agent          │ Hello, this is an AI assistant calling")
    tmux.type("", "C-c")
    tmux.until("No longer waiting; the call goes on.")
    tmux.type("", "C-c")
    tmux.until("Hang up now?")
    tmux.type("y")
    left = tmux.until(" left.")
    assert "It was stopped after it was answered." in left
    assert told_minutes(left, keyed)
    assert status(keyed) == ["cancelled"]
    assert len(keyed.rings()) == 1
