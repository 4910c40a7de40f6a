"""Replies on the terminal: JSON for programs, tables and turns for people."""

from __future__ import annotations

import json
from typing import Any

import click

from ..question import visible

NOT_TOLD = frozenset({"live", "data", "turns", "account_id"})
COLUMNS = (
    "id",
    "created_at",
    "phone_number",
    "number",
    "name",
    "carrier_name",
    "status",
    "call_status",
    "mode",
)
"""What a table of a list shows, where a row has it; the whole is in --json."""


def reply(shown: dict[str, Any], as_json: bool) -> None:
    """Print one reply as a tool surface shows it."""
    if as_json:
        click.echo(json.dumps(shown, ensure_ascii=False, indent=2))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False)
    if not shown["live"]:
        console.print(Text("Practice: no phone rang.", style="dim"))
    facts = Table(box=None, show_header=False, pad_edge=False)
    for name, value in shown.items():
        if name not in NOT_TOLD and not _rows(value):
            facts.add_row(Text(name, style="bold"), Text(_listed(value)))
    if facts.row_count:
        console.print(facts)
    for turn in shown.get("turns", ()):
        style = "cyan" if turn["speaker"] == "agent" else "green"
        console.print(
            Text(f"{turn['turn']:>3} {turn['speaker']}: ", style=style), Text(_quiet(turn["text"])), sep=""
        )
    for name, value in shown.items():
        if name not in NOT_TOLD and _rows(value):
            columns = tuple(dict.fromkeys(column for row in value for column in row))
            console.print(Text(name, style="bold"), _table(value, columns), sep="\n")
    if "data" in shown:
        console.print(_table(shown["data"], COLUMNS) if shown["data"] else "Nothing is listed.")


def listing(tools: list[dict[str, Any]], as_json: bool) -> None:
    """Print the tools that assistants are given."""
    if as_json:
        click.echo(json.dumps({"tools": tools}, ensure_ascii=False, indent=2))
        return
    width = max(len(tool["name"]) for tool in tools)
    for tool in tools:
        click.echo(f"{tool['name']:<{width}}  {tool['description'].partition('. ')[0].rstrip('.')}.")


def table(rows: list[dict[str, Any]]) -> None:
    """Print rows that all have the same columns."""
    from rich.console import Console

    Console(highlight=False).print(_table(rows, tuple(rows[0])) if rows else "Nothing is listed.")


def _table(rows: list[dict[str, Any]], names: tuple[str, ...]) -> Any:
    from rich.table import Table
    from rich.text import Text

    columns = [name for name in names if any(name in row for row in rows)]
    table = Table(box=None, pad_edge=False)
    for name in columns:
        table.add_column(name, overflow="fold", no_wrap=name == "id")
    for row in rows:
        table.add_row(*(Text(_cell(name, row.get(name, ""))) for name in columns))
    return table


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
    return ", ".join(map(_quiet, value)) if words else _plain(value)


def _plain(value: Any) -> str:
    return _quiet(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def _quiet(words: str) -> str:
    """Words of others without what would steer a terminal."""
    return "".join(map(visible, words))
