"""What others worded keeps its bar at every width: the plan, the question and a list of calls on narrow terminals."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from topcalls_tools import PlaceCall
from topcalls_tools.approval import terminal as asking
from topcalls_tools.cli.attended import plan
from topcalls_tools.flow.question import Question
from topcalls_tools.quoting import BAR, WIDTH, room

from .conftest import World
from .fifteen import OPEN
from .scripted import says, scripted
from .scripted import tool as called
from .test_ask_terminal import Tmux, by, keyed, status
from .test_cli import Terminal

__all__ = ["keyed"]
THEIRS = "zqx"
"""What every word of others begins with here, and none of ours has."""
WORDS = " ".join(f"{THEIRS}{number}" for number in range(40))
LONG = f"{WORDS} {THEIRS * 60}"
WIDTHS = (80, 50, 30)
ASKED = "[y/N]: "


def rows(screen: str, columns: int) -> Iterator[str]:
    """The screen as a terminal of so many columns shows it: what is longer goes on in the next row."""
    for line in re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\r", "", screen).split("\n"):
        yield from (line[at : at + columns] for at in range(0, max(1, len(line)), columns))


def unbarred(screen: str, columns: int) -> list[str]:
    """Rows in which words of others stand without a bar before them."""
    return [row for row in rows(screen, columns) if THEIRS[:2] in row.partition("│")[0]]


def whole(screen: str, columns: int) -> str:
    """What stands behind bars, put together again."""
    return "".join(row.partition("│")[2].replace(" ", "") for row in rows(screen, columns))


def declined(terminal: Terminal) -> str:
    terminal.until(ASKED)
    terminal.type("n\n")
    assert terminal.end() == 3, terminal.screen
    return terminal.screen


@pytest.mark.parametrize("columns", WIDTHS)
def test_the_question_of_a_command_has_its_bars(keyed: World, columns: int) -> None:
    screen = declined(Terminal("place-call", "--phone-number", OPEN, "--task", LONG, columns=columns))
    assert unbarred(screen, columns) == []
    assert LONG.replace(" ", "") in whole(screen, columns)


@pytest.mark.parametrize("columns", WIDTHS)
def test_in_tmux_the_question_has_its_bars_where_the_reply_goes_elsewhere(
    keyed: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    if shutil.which("tmux") is None:
        pytest.skip("tmux is not installed; `apt-get install tmux`.")
    monkeypatch.setenv("TASK", WORDS)
    with closing(Tmux(tmp_path, columns)) as tmux:
        tmux.type(f'topcalls place-call --phone-number {OPEN} --task "$TASK" > /dev/null', "Enter")
        screen = tmux.until(ASKED.strip())
        tmux.type("n", "Enter")
        tmux.until("Error: ")
    assert THEIRS in screen
    assert unbarred(screen, columns) == []


@pytest.mark.parametrize("columns", WIDTHS)
def test_the_plan_and_the_question_of_a_model_have_their_bars(keyed: World, columns: int) -> None:
    step = called("place_call", phone_number=OPEN, task=LONG, background_audio_gain="0.5")
    with scripted(step, says(f"{LONG}\n{LONG}")) as model:
        screen = declined(Terminal("ask", *by(model), "Call them.", columns=columns))
    assert unbarred(screen, columns) == []
    for part in (screen.partition("Place call?")[0], screen.partition("Place call?")[2]):
        assert LONG.replace(" ", "") in whole(part, columns)
    assert status(keyed) == []


@pytest.mark.parametrize("columns", WIDTHS)
def test_the_plan_of_a_chat_has_its_bars(keyed: World, columns: int) -> None:
    with scripted(called("block_number", phone_number=OPEN, reason=LONG), says("Done.")) as model:
        terminal = Terminal("chat", *by(model), columns=columns, PROMPT_TOOLKIT_NO_CPR="1")
        terminal.until("topcalls>")
        terminal.type("Block them.\r")
        terminal.until("Done.")
        shown = terminal.screen.partition("Plan: ")[2]
        terminal.type("/quit\r")
        assert terminal.end() == 0, terminal.screen
    assert unbarred(shown, columns) == []


@pytest.mark.parametrize("columns", WIDTHS)
def test_the_question_of_a_list_is_folded_and_has_its_bars(
    keyed: World, tmp_path: Path, columns: int
) -> None:
    people = tmp_path / "people.csv"
    people.write_text(f"name,number\n{WORDS},{OPEN}\n{THEIRS},+14155550144\n")
    screen = declined(Terminal("call-list", str(people), "--task", "Remind {{name}} of it.", columns=columns))
    assert unbarred(screen, columns) == []
    assert WORDS.replace(" ", "") in whole(screen, columns)
    question = screen.replace("\r", "").partition("Approve these 2 calls?")[0]
    assert max(map(len, question.split("\n"))) <= columns


def test_where_no_width_is_known_a_quoted_line_has_its_usual_width(
    capsys: pytest.CaptureFixture[str],
) -> None:
    question = Question("Sure?", (), (("about", WORDS),))
    assert asking.columns() is None
    asking.show(question)
    assert capsys.readouterr().err == f"{question.text(asking.WHOLE)}\n"
    assert room(None) == room(200) == WIDTH
    assert {len(line) for line in question.text().split("\n") if BAR in line} <= set(range(WIDTH + 5))


def test_a_terminal_that_says_its_width_is_believed_before_columns(keyed: World) -> None:
    terminal = Terminal("place-call", "--phone-number", OPEN, "--task", LONG, columns=50, COLUMNS="120")
    asked = declined(terminal).replace("\r", "").partition(ASKED)[0]
    assert max(map(len, asked.split("\n"))) <= 50


@given(st.integers(30, 120), st.text(max_size=300), st.sampled_from(["task", "voice", "background_audio"]))
def test_at_any_width_from_30_on_a_plan_fits_and_keeps_its_bars(columns: int, words: str, name: str) -> None:
    request = PlaceCall.model_construct(phone_number=OPEN, **{name: words})
    _, *lines = plan(request, columns)
    assert all(len(line) <= columns for line in lines)
    assert all("│" in line or line.strip() in (name, "phone_number") for line in lines)
