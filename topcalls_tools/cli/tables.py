"""Tables that fit where they are printed: a terminal's width, or plain lines that nothing is cut from."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import click

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

GAP = 2
"""Columns between two cells; one where that makes a table fit."""

PLAIN = 80
"""Columns where there is no terminal to have any; only what stands behind a bar is folded there."""


def on_screen() -> bool:
    """Whether what is printed goes to a terminal; elsewhere nothing is decorated, folded or cut."""
    return sys.stdout.isatty()


def columns() -> int | None:
    """Columns of the terminal that standard output is; None where it is none."""
    return screen().width if on_screen() else None


def screen() -> Console:
    """Where is printed: a terminal with its colours, unless NO_COLOR forbids them, or plain text that is not
    folded."""
    from rich.console import Console

    if on_screen():
        return Console(highlight=False)
    return Console(highlight=False, force_terminal=False, color_system=None, soft_wrap=True, width=PLAIN)


def say(sentence: str) -> None:
    """Print a sentence of ours, at a terminal folded between words."""
    if on_screen():
        from rich.text import Text

        screen().print(Text(sentence))
    else:
        click.echo(sentence)


def show(names: Sequence[str], rows: Sequence[Sequence[str]], whole: str = "id") -> None:
    """Print a table. Cells are on one line and hold nothing that steers a terminal; those of the column
    `whole` are never folded, so that they can be copied."""
    if on_screen():
        console = screen()
        console.print(fitted(names, rows, console.width, whole))
    else:
        for line in plain(names, rows):
            click.echo(line)


def facts(rows: Sequence[tuple[str, str]]) -> None:
    """Print names and values, a line each."""
    if on_screen():
        screen().print(_pairs(rows))
    else:
        for line in _aligned(rows):
            click.echo(line)


def fitted(
    names: Sequence[str], rows: Sequence[Sequence[str]], width: int, whole: str = "id"
) -> RenderableType:
    """A table of at most `width` columns: folded between words where it must be, and where even that leaves
    no room each row as a list of names and values."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    columns = _turned(names, rows)
    least = [
        max(_least(cell, name == whole) for cell in (name, *cells))
        for name, cells in zip(names, columns, strict=True)
    ]
    if sum(least) + len(least) - 1 > width:
        return Group(*(part for row in rows for part in _block(dict(zip(names, row, strict=True)), whole)))
    most = [max(map(_width, (name, *cells))) for name, cells in zip(names, columns, strict=True)]
    gap = GAP if sum(most) + GAP * (len(most) - 1) <= width else 1
    table = Table(box=None, pad_edge=False, padding=(0, gap, 0, 0))
    for name, narrowest, cells in zip(names, least, columns, strict=True):
        side: Literal["left", "right"] = "right" if _figures(cells) else "left"
        table.add_column(name, overflow="fold", min_width=narrowest, no_wrap=name == whole, justify=side)
    for row in rows:
        table.add_row(*map(Text, row))
    return table


def plain(names: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """A table as lines for pipes and files, first the names."""
    return _aligned([tuple(names), *map(tuple, rows)], [_figures(cells) for cells in _turned(names, rows)])


def _aligned(rows: Sequence[tuple[str, ...]], right: Sequence[bool] = (False, False)) -> list[str]:
    """Cells below each other, figures by their last digit."""
    widths = [max(map(_width, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        rooms = [" " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True)]
        cells = [
            room + cell if figures else cell + room
            for cell, room, figures in zip(row, rooms, right, strict=True)
        ]
        lines.append((" " * GAP).join(cells).rstrip())
    return lines


def _figures(cells: Sequence[str]) -> bool:
    """Whether a column holds figures."""
    return bool(cells) and all(re.fullmatch(r"[0-9][0-9,.]*", cell) for cell in cells)


def _block(row: dict[str, str], whole: str) -> list[RenderableType]:
    """A row by itself: what is to be copied in a line of its own, names and values below it, a blank line."""
    from rich.text import Text

    head = [Text(row[whole], style="bold")] if whole in row else []
    return [*head, _pairs([(name, cell) for name, cell in row.items() if cell and name != whole]), Text()]


def _pairs(rows: Sequence[tuple[str, str]]) -> RenderableType:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in rows:
        table.add_row(Text(name, style="bold"), Text(value))
    return table


def _turned(names: Sequence[str], rows: Sequence[Sequence[str]]) -> list[tuple[str, ...]]:
    """The cells of each column."""
    return list(zip(*rows, strict=True)) if rows else [() for _ in names]


def _least(cell: str, whole: bool) -> int:
    """The columns that a cell needs at least."""
    return _width(cell) if whole else min(MOST_WORD, max(map(_width, cell.split()), default=0))


MOST_WORD = 16
"""Columns that the longest word of a cell may ask for; a longer one is folded."""


def _width(text: str) -> int:
    from rich.cells import cell_len

    return cell_len(text)
