"""Tables: none is wider than the terminal, ids can be copied, and in a pipe nothing is cut or decorated."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from rich.cells import cell_len
from rich.console import Console

from topcalls_tools.cli.tables import fitted, plain

from .conftest import World
from .test_cli import Terminal, keyed

__all__ = ["keyed"]
ID = "564d4fd4-03bc-400a-abe0-05540fbeff88"
NAMES = ("id", "created_at", "phone_number", "why", "minutes")
CELLS = some.text(some.characters(exclude_categories=("C", "Z"), exclude_characters="\u034f"), max_size=40)
PROSE = some.lists(CELLS, max_size=6).map(" ".join)
ROWS = some.lists(some.tuples(some.just(ID), CELLS, CELLS, PROSE, some.just("12.50")), min_size=1, max_size=4)


def printed(rows: list[tuple[str, ...]], width: int) -> list[str]:
    screen = Console(file=io.StringIO(), width=width, color_system=None, highlight=False)
    screen.print(fitted(NAMES, rows, width))
    return screen.file.getvalue().splitlines()  # type: ignore[attr-defined]


@settings(max_examples=150, deadline=None)
@given(rows=ROWS, width=some.integers(36, 200))
def test_no_table_is_wider_than_its_terminal_and_every_id_is_whole(
    rows: list[tuple[str, ...]], width: int
) -> None:
    lines = printed(rows, width)
    assert max(map(cell_len, lines)) <= width
    assert sum(line.split()[:1] == [ID] for line in lines) == len(rows)


@settings(max_examples=100, deadline=None)
@given(rows=ROWS)
def test_lines_for_pipes_hold_every_cell_whole_below_its_name(rows: list[tuple[str, ...]]) -> None:
    lines = plain(NAMES, rows)
    assert len(lines) == len(rows) + 1
    assert not any("\t" in line or line != line.rstrip() for line in lines)
    for line, row in zip(lines[1:], rows, strict=True):
        assert all(cell.strip() in line for cell in row)


def test_where_there_is_room_a_table_has_a_line_for_each_row() -> None:
    rows = [(ID, "2026-12-01 04:14", "+4915112345678", "Nobody answered.", "0.50")]
    for width, lines in ((200, 2), (100, 2), (80, 3)):
        assert len(printed(rows, width)) == lines, width
    assert printed(rows, 40)[:2] == [ID, "created_at    2026-12-01 04:14"]


def test_figures_stand_below_each_other_by_their_last_digit() -> None:
    told = plain(("what", "calls"), [("one", "7"), ("other", "1,066")])
    assert told == ["what   calls", "one        7", "other  1,066"]


@pytest.mark.parametrize("command", [("list-calls",), ("list-campaigns",), ("report",), ("journal", "list")])
def test_a_pipe_gets_plain_text_however_narrow_the_terminal_and_whatever_forces_colours(
    keyed: World, home: Path, command: tuple[str, ...]
) -> None:
    place = ["place-call", "--phone-number", "+14155550123", "--task", "Ask_when_they_open.", "--json"]
    told: list[str] = []
    for arguments in (place, command):
        done = subprocess.run(
            [sys.executable, "-m", "topcalls_tools.cli", *arguments],
            env={**os.environ, "COLUMNS": "20", "FORCE_COLOR": "1", "TERM": "xterm-256color"},
            capture_output=True,
            check=True,
            encoding="utf-8",
        )
        told.append(done.stdout)
    call_id = json.loads(told[0])["call_id"]
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f█]", told[1])
    if command == ("list-calls",):
        assert re.search(rf"^{call_id}  \d{{4}}-\d\d-\d\d \d\d:\d\d  \+14155550123 ", told[1], re.M)


@pytest.mark.parametrize(("env", "coloured"), [({"NO_COLOR": "1"}, False), ({}, True)])
def test_no_color_leaves_a_terminal_without_colours(
    keyed: World, env: dict[str, str], coloured: bool
) -> None:
    terminal = Terminal("report", **env, TERM="xterm-256color")
    assert terminal.end() == 0, terminal.screen
    assert "█" in terminal.screen
    assert bool(re.search(r"\x1b\[[0-9;]*(?:3[0-7]|9[0-7]|38;)", terminal.screen)) is coloured
