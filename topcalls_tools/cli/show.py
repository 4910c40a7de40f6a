"""Replies on the terminal: JSON for programs, tables and turns for people."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import click

from ..api.transcript import ShownTurn
from ..quoting import BAR, barred, in_json, quiet
from . import tables

NOT_TOLD = frozenset({"live", "data", "turns", "account_id", "derived", "quoted"})
COLUMNS = (
    "id",
    "created_at",
    "phone_number",
    "number",
    "name",
    "carrier_name",
    "status",
    "mode",
)
"""What a table of a list shows, where a row has it; the whole is in --json."""


def reply(shown: dict[str, Any], as_json: bool) -> None:
    """Print one reply as a tool surface shows it."""
    if as_json:
        click.echo(in_json(shown, indent=2))
        return
    from rich.text import Text

    console = tables.screen()
    if not shown["live"]:
        console.print(Text("Practice: no phone rang.", style="dim"))
    derived = shown.get("derived", ())
    told = {name: value for name, value in shown.items() if name not in (*NOT_TOLD, *derived)}
    tables.facts([(name, _listed(value)) for name, value in told.items() if not _rows(value)])
    for line in spoken(shown, console.width):
        console.print(line, soft_wrap=True)
    for name, value in told.items():
        if _rows(value):
            columns = tuple(dict.fromkeys(column for row in value for column in row if column not in derived))
            console.print(Text(name, style="bold"))
            _table(value, columns)
    if "data" in shown:
        _table([_outcome(row) for row in shown["data"]], COLUMNS)


def spoken(shown: dict[str, Any], width: int) -> Iterator[Any]:
    """All words of others in a reply, in lines of rich text: turns, what is derived from them, quotations."""
    from rich.text import Text

    for one in shown.get("turns", ()):
        yield from turn(ShownTurn.model_validate(one), width)
    for name in shown.get("derived", ()):
        if name in shown:  # else it stands in rows, whose tables show no such column
            yield Text(f"{name}, derived from what was said:", style="bold")
            yield from map(Text, barred(_words(shown[name]), width - len(BAR)))
    for one in shown.get("quoted", ()):
        yield Text(f"{one['speaker']} says of the {one['source']}:", style="bold")
        yield from map(Text, barred(one["text"], width - len(BAR)))


def turn(said: ShownTurn, width: int, before: str = "") -> Iterator[Any]:
    """One turn of a conversation in lines of rich text, none wider than `width` columns.

    What stands left of the bar is ours: `before`, the number of the turn, and who spoke. What was said stands
    right of it in every line, and nothing in it can look like ours or steer the terminal. The lines are cut
    already: print them with soft_wrap.
    """
    from rich.text import Text

    style = "cyan" if said.speaker == "agent" else "green"
    beside = f"{before}{said.turn:>3} {said.speaker:<13}"
    for line in barred(said.text.words, width - len(beside) - len(BAR), beside):
        ours, bar, theirs = line.partition(BAR)
        yield Text.assemble((ours + bar, style), theirs)
    if said.cut_from is not None:
        yield Text(f"{'':{len(beside)}}  cut here; {said.cut_from:,} characters in all", style="dim")


def listing(tools: list[dict[str, Any]], as_json: bool) -> None:
    """Print the tools that assistants are given."""
    if as_json:
        click.echo(in_json({"tools": tools}, indent=2))
        return
    width = max(len(tool["name"]) for tool in tools)
    for tool in tools:
        click.echo(f"{tool['name']:<{width}}  {tool['description'].partition('. ')[0].rstrip('.')}.")


def table(rows: list[dict[str, Any]]) -> None:
    """Print rows that all have the same columns."""
    _table(rows, tuple(rows[0]) if rows else ())


def _table(rows: list[dict[str, Any]], names: tuple[str, ...]) -> None:
    columns = [name for name in names if any(name in row for row in rows)]
    if rows:
        tables.show(columns, [[_cell(name, row.get(name, "")) for name in columns] for row in rows])
    else:
        click.echo("Nothing is listed.")


def _outcome(row: dict[str, Any]) -> dict[str, Any]:
    """A row of a list with one word for how it stands: of a call the telephone's, once it has one."""
    return {**row, "status": row["call_status"]} if row.get("call_status") else row


def _cell(name: str, value: Any) -> str:
    """A value in a table: times to the minute, for ids leave little room."""
    text = _plain(value)
    return text[:16].replace("T", " ") if name == "created_at" else text


def _rows(value: Any) -> bool:
    """Whether a value is a list of objects, which is a table of its own."""
    return isinstance(value, list) and bool(value) and all(isinstance(row, dict) for row in value)


def _listed(value: Any) -> str:
    """A value; of a list of words each word."""
    words = isinstance(value, list) and all(isinstance(one, str) for one in value)
    return ", ".join(map(quiet, value)) if words else _plain(value)


def _plain(value: Any) -> str:
    return quiet(_words(value))


def _words(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
