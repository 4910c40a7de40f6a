"""The statements that the book runs: SQLAlchemy writes each once for its shape, and sqlite3 runs the text.

Between one request and the next only values change, and building a statement costs ten times what SQLite
takes to run it.
"""

from __future__ import annotations

import json
import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    ColumnElement,
    Float,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    bindparam,
    func,
    insert,
    literal_column,
    select,
)
from sqlalchemy.dialects.sqlite import dialect
from sqlalchemy.dialects.sqlite import insert as upsert
from sqlalchemy.schema import CreateIndex, CreateTable
from sqlalchemy.sql import ClauseElement

from .tables import INDEXES, TABLES

Wanted = tuple[str, str, Any]
"""A condition: column, comparison, value. `is` goes with None alone, `has` asks whether a JSON list holds a
value, `on list` whether a lead is on a list."""
Shape = tuple[tuple[str, str], ...]
"""Conditions without their values."""

_KINDS: dict[str, Any] = {"": String, "int": Integer, "float": Float, "bool": Boolean, "json": JSON}
_READ: dict[str, Callable[[Any], Any]] = {"bool": bool, "json": json.loads}
"""What turns a stored value into ours, where they differ."""
_DIALECT = dialect(paramstyle="named")
_NONE, _ONE = literal_column("0", Integer), literal_column("1", Integer)
"""Written out, for a plain number would become a value to be given each time."""


def _said(table: str) -> Iterator[tuple[str, str, bool, bool]]:
    """Name, kind, whether it is in the primary key, whether it may be missing."""
    for said in TABLES[table].split():
        name, _, kind = said.rstrip("!?").partition(":")
        yield name, kind, said.endswith("!"), said.endswith("?")


_ALL = MetaData()
_TABLES = {
    table: Table(
        table,
        _ALL,
        *(Column(name, _KINDS[kind], primary_key=key, nullable=may) for name, kind, key, may in _said(table)),
        # Small rows under several names are kept in the index itself: one tree to write instead of two.
        sqlite_with_rowid=sum(key for *_, key, _ in _said(table)) < 2,
    )
    for table in TABLES
}
for _table, _sorts in INDEXES.items():
    for _sort in _sorts:
        _of = [_TABLES[_table].c[name] for name in _sort.split()]
        _there = _of[0].is_not(None) if _of[0].nullable else None
        Index(f"{_table}_by_{_sort.replace(' ', '_')}", *_of, sqlite_where=_there)
NAMES = {table: tuple(of.c.keys()) for table, of in _TABLES.items()}
KEYS = {table: tuple(column.name for column in of.primary_key) for table, of in _TABLES.items()}
ODD = {table: [(name, _READ[kind]) for name, kind, *_ in _said(table) if kind in _READ] for table in TABLES}
"""The columns whose stored values are not ours yet, and what reads them."""
_AS_JSON = {table: [name for name, kind, *_ in _said(table) if kind == "json"] for table in TABLES}


def stored(table: str, values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Values as SQLite takes them, each name behind a prefix."""
    found = {prefix + name: value for name, value in values.items()}
    for name in _AS_JSON[table]:
        if found.get(prefix + name) is not None:
            found[prefix + name] = json.dumps(values[name], ensure_ascii=False)
    return found


def shaped(wanted: Sequence[Wanted]) -> tuple[Shape, dict[str, Any]]:
    """The shape of conditions, and their values by place."""
    values = {
        f"w{place}": json.dumps(list(value)) if compared == "in" else value
        for place, (_, compared, value) in enumerate(wanted)
        if compared != "is"
    }
    return tuple([(name, compared) for name, compared, _ in wanted]), values


def creation() -> Iterator[str]:
    """What makes all tables and indexes."""
    for table in _ALL.sorted_tables:
        yield _text(CreateTable(table))
        yield from (_text(CreateIndex(index)) for index in table.indexes)


@cache
def asked(table: str, shape: Shape, order: str, limited: bool, only: tuple[str, ...]) -> str:
    of = _TABLES[table].c
    found = select(*(of[name] for name in only or NAMES[table])).where(*_conditions(table, shape))
    names = order.split()
    found = found.order_by(*(of[n[1:]].desc() if n.startswith("-") else of[n] for n in names))
    return _text(found) + (" LIMIT :most" if limited else "")


@cache
def found(table: str, names: tuple[str, ...], empty: tuple[str, ...]) -> str:
    """One row by the values of columns, of which some are null."""
    of = _TABLES[table].c
    equal = (of[name].is_(None) if name in empty else of[name] == bindparam(name) for name in names)
    return _text(select(*of).where(*equal)) + " LIMIT 1"


@cache
def summed(table: str, columns: tuple[str, ...], shape: Shape) -> str:
    of = _TABLES[table].c
    sums = (func.coalesce(func.sum(of[name]), _NONE) for name in columns)
    return _text(select(*sums).where(*_conditions(table, shape)))


@cache
def counted(table: str, shape: Shape) -> str:
    return _text(select(func.count()).select_from(_TABLES[table]).where(*_conditions(table, shape)))


@cache
def added(table: str) -> str:
    return _text(insert(_TABLES[table]))


@cache
def changed(table: str, names: tuple[str, ...], shape: Shape) -> str:
    of = _TABLES[table]
    new: dict[str, Any] = {name: bindparam(f"new_{name}") for name in names}
    return _text(of.update().where(*_conditions(table, shape)).values(new))


@cache
def removed(table: str, shape: Shape) -> str:
    return _text(_TABLES[table].delete().where(*_conditions(table, shape)))


@cache
def glance() -> str:
    """The clock, when a campaign wakes first, the latest instant of any ledger, whether faults are ordered,
    and one key."""
    wakes_at = _TABLES["campaigns"].c.wakes_at
    wakes = select(func.min(wakes_at)).where(wakes_at.is_not(None)).scalar_subquery()
    faulty = select(_TABLES["faults"].c.id).exists()
    latest = select(func.max(_TABLES["accounts"].c.settled_at)).scalar_subquery()
    clock, keys = _TABLES["clock"], _TABLES["keys"]
    found = select(clock, wakes.label("wakes_at"), latest.label("latest"), faulty.label("faulty"), keys)
    return _text(found.select_from(clock.outerjoin(keys, keys.c.digest == bindparam("digest"))))


@cache
def next_of_kind() -> str:
    """Count one more of a kind, made at a time that no other of the kind has."""
    of, fresh = _TABLES["kinds"].c, upsert(_TABLES["kinds"])
    later = func.max(fresh.excluded.last_created_at, of.last_created_at + _ONE)
    counted = {"ordinal": of.ordinal + _ONE, "last_created_at": later}
    made = fresh.on_conflict_do_update(index_elements=["kind"], set_=counted)
    return _text(made.returning(of.ordinal, of.last_created_at))


def _conditions(table: str, shape: Shape) -> list[ColumnElement[bool]]:
    of = _TABLES[table].c
    return [
        _COMPARED[compared](of[name], bindparam(f"w{place}", type_=String if compared == "has" else None))
        for place, (name, compared) in enumerate(shape)
    ]


def _has(column: Any, value: Any) -> ColumnElement[bool]:
    each = func.json_each(column).table_valued("value")
    return select(_ONE).select_from(each).where(each.c.value == value).exists()


def _among(column: Any, value: Any) -> ColumnElement[bool]:
    found: ColumnElement[bool] = column.in_(select(func.json_each(value).table_valued("value").c.value))
    return found


def _on_list(column: Any, value: Any) -> ColumnElement[bool]:
    of = _TABLES["memberships"].c
    found: ColumnElement[bool] = column.in_(select(of.lead_id).where(of.list_id == value))
    return found


_COMPARED: dict[str, Callable[[Any, Any], ColumnElement[bool]]] = {
    "=": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    "is": lambda column, _: column.is_(None),
    "in": _among,
    "has": _has,
    "on list": _on_list,
}


def _text(statement: ClauseElement) -> str:
    return str(statement.compile(dialect=_DIALECT))
