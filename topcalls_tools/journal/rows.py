"""Between the rows of the journal and those of its tables: what is personal stands apart there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from sqlalchemy import Connection, RowMapping, Table

from . import AskRow, DialRow
from .evidence import known


def as_asks(db: Connection, rows: Sequence[RowMapping]) -> list[AskRow]:
    """Questions as they were asked, with what is still known of whom they were about."""
    kept = known(db, *(row["key"] for row in rows))
    return [AskRow(**row, **_personal(kept[row["key"]], "question")) for row in rows]


def as_dials(db: Connection, rows: Sequence[RowMapping]) -> list[DialRow]:
    """Dials as they were sent, with what is still known of whom they rang."""
    kept = known(db, *(row["key"] for row in rows))
    return [DialRow(**row, **_personal(kept[row["key"]], "arguments")) for row in rows]


def stored(row: AskRow | DialRow, table: Table) -> dict[str, Any]:
    """What a table keeps of a row."""
    return {field.name: getattr(row, field.name) for field in fields(row) if field.name in table.c}


def _personal(kept: dict[str, Any], name: str) -> dict[str, Any]:
    nothing: dict[str, Any] | None = {} if name == "arguments" else None
    return {"target": kept.get("target", ""), "reply": kept.get("reply"), name: kept.get(name, nothing)}
