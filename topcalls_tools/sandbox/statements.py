"""The statements that the book runs, each built once for its shape and run with the values of the moment.

Building a statement costs more than SQLite's own work on it.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    ColumnElement,
    Delete,
    Float,
    Index,
    Insert,
    Integer,
    MetaData,
    Select,
    String,
    Table,
    Update,
    bindparam,
    func,
    insert,
    select,
)
from sqlalchemy.dialects.sqlite import insert as upsert

from .tables import INDEXES, TABLES

Wanted = tuple[str, str, Any]
"""A condition: column, comparison, value. `is` goes with None alone, `has` asks whether a JSON list holds a
value, `on list` whether a lead is on a list."""
Shape = tuple[tuple[str, str], ...]
"""Conditions without their values."""

ALL = MetaData()
_KINDS: dict[str, Any] = {
    "": String,
    "int": Integer,
    "float": Float,
    "bool": Boolean,
    "json": JSON(none_as_null=True),
}
_COMPARED: dict[str, Callable[[Any, Any], ColumnElement[bool]]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "is": lambda column, _: column.is_(None),
    "in": lambda column, value: column.in_(value),
    "has": lambda column, value: _has(column, value),
    "on list": lambda column, value: column.in_(_on_list(value)),
}


def _column(said: str) -> Column[Any]:
    name, _, kind = said.rstrip("!?").partition(":")
    return Column(name, _KINDS[kind], primary_key=said.endswith("!"), nullable=said.endswith("?"))


BY_NAME = {
    name: Table(
        name,
        ALL,
        *map(_column, said.split()),
        *(Index(f"{name}_by_{of.replace(' ', '_')}", *of.split()) for of in INDEXES.get(name, ())),
    )
    for name, said in TABLES.items()
}


def _has(column: Any, value: Any) -> ColumnElement[bool]:
    each = func.json_each(column).table_valued("value")
    return select(1).select_from(each).where(each.c.value == value).exists()


def _on_list(value: Any) -> Select[Any]:
    of = BY_NAME["memberships"].c
    return select(of.lead_id).where(of.list_id == value)


def shaped(wanted: Sequence[Wanted]) -> tuple[Shape, dict[str, Any]]:
    shape = tuple((name, compared) for name, compared, _ in wanted)
    return shape, {
        f"w{place}": value for place, (_, compared, value) in enumerate(wanted) if compared != "is"
    }


def _conditions(table: str, shape: Shape) -> list[ColumnElement[bool]]:
    of = BY_NAME[table].c
    return [
        _COMPARED[compared](
            of[name],
            bindparam(
                f"w{place}",
                type_=String if compared == "has" else of[name].type,
                expanding=compared == "in",
            ),
        )
        for place, (name, compared) in enumerate(shape)
    ]


@cache
def asked(table: str, shape: Shape, order: str, limited: bool, only: tuple[str, ...]) -> Select[Any]:
    of = BY_NAME[table]
    found = select(*(of.c[name] for name in only or of.c.keys())).where(*_conditions(table, shape))
    names = order.split()
    found = found.order_by(*(of.c[n[1:]].desc() if n.startswith("-") else of.c[n] for n in names))
    return found.limit(bindparam("limit_", type_=Integer)) if limited else found


@cache
def summed(table: str, columns: tuple[str, ...], shape: Shape) -> Select[Any]:
    of = BY_NAME[table].c
    return select(*(func.coalesce(func.sum(of[name]), 0) for name in columns)).where(
        *_conditions(table, shape)
    )


@cache
def counted(table: str, shape: Shape) -> Select[Any]:
    return select(func.count()).select_from(BY_NAME[table]).where(*_conditions(table, shape))


@cache
def added(table: str) -> Insert:
    return insert(BY_NAME[table])


@cache
def changed(table: str, names: tuple[str, ...], shape: Shape) -> Update:
    of = BY_NAME[table]
    new = {name: bindparam(f"new_{name}", type_=of.c[name].type) for name in names}
    return of.update().where(*_conditions(table, shape)).values(new)


@cache
def removed(table: str, shape: Shape) -> Delete:
    return BY_NAME[table].delete().where(*_conditions(table, shape))


GLANCE = select(
    BY_NAME["clock"],
    select(func.min(BY_NAME["campaigns"].c.wakes_at)).scalar_subquery().label("wakes_at"),
    select(BY_NAME["faults"].c.id).exists().label("faulty"),
)
_FRESH = upsert(BY_NAME["kinds"])
NEXT = _FRESH.on_conflict_do_update(
    index_elements=["kind"],
    set_={
        "ordinal": BY_NAME["kinds"].c.ordinal + 1,
        "last_created_at": func.max(_FRESH.excluded.last_created_at, BY_NAME["kinds"].c.last_created_at + 1),
    },
).returning(BY_NAME["kinds"].c.ordinal, BY_NAME["kinds"].c.last_created_at)
