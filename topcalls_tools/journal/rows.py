"""Between the rows of the journal and those of its tables: what is personal stands apart there."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from sqlalchemy import Connection, RowMapping, Table

from . import AskRow, DialRow
from .evidence import known
from .tables import utc


def as_ask(db: Connection, row: RowMapping) -> AskRow:
    """A question as it was asked, with what is still known of whom it was about."""
    kept = known(db, row["key"])[row["key"]]
    of_others = {
        "target": kept.get("target", ""),
        "question": kept.get("question"),
        "reply": kept.get("reply"),
    }
    return AskRow(**_plain(row), **of_others)


def as_dial(db: Connection, row: RowMapping) -> DialRow:
    """A dial as it was sent, with what is still known of whom it rang."""
    kept = known(db, row["key"])[row["key"]]
    of_others = {
        "target": kept.get("target", ""),
        "arguments": kept.get("arguments", {}),
        "reply": kept.get("reply"),
    }
    return DialRow(**_plain(row), **of_others)


def stored(row: AskRow | DialRow, table: Table) -> dict[str, Any]:
    """What a table keeps of a row."""
    return {field.name: getattr(row, field.name) for field in fields(row) if field.name in table.c}


def _plain(row: RowMapping) -> dict[str, Any]:
    return {name: utc(value) for name, value in row.items()}
