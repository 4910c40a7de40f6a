"""One transaction in hand: rows of the tables, asked for by column, comparison and value."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from . import statements
from .errors import SandboxError
from .statements import Wanted
from .tables import MARK, VERSION

Row = dict[str, Any]


def equal(**values: Any) -> tuple[Wanted, ...]:
    """Conditions that columns have these values; None is looked for as such."""
    return tuple((name, "is" if value is None else "=", value) for name, value in values.items())


class Book:
    """One transaction in hand."""

    def __init__(self, line: Connection) -> None:
        self._line = line

    def prepare(self, path: Path, reset: bool) -> bool:
        """Make the tables where there are none, or anew; tell whether they are new."""
        version = self._pragma("user_version")
        strange = self._pragma("application_id") != MARK
        if strange and self._tables():
            raise SandboxError(f"{path} belongs to another program; give another path.")
        if not strange and not reset and version != VERSION:
            raise SandboxError(
                f"{path} was made by another version of the sandbox; --reset makes it anew, without calls."
            )
        if not strange and not reset:
            return False
        for name in self._tables():
            self._line.exec_driver_sql(f'DROP TABLE "{name}"')
        statements.ALL.create_all(self._line)
        self._line.exec_driver_sql(f"PRAGMA user_version = {VERSION}")
        self._line.exec_driver_sql(f"PRAGMA application_id = {MARK}")
        return True

    def meta(self, name: str) -> str | None:
        """What is noted about the whole world under a name."""
        found = self.find("meta", name=name)
        return None if found is None else str(found["value"])

    def note(self, name: str, value: str | None) -> None:
        """Note something about the whole world; None strikes it out."""
        self.remove("meta", name=name)
        if value is not None:
            self.add("meta", {"name": name, "value": value})

    def glance(self) -> Row:
        """What every request needs to know: the clock, when a campaign wakes, whether faults are ordered."""
        return dict(self._line.execute(statements.GLANCE).mappings().one())

    def next(self, kind: str, at: int) -> tuple[int, int]:
        """Ordinal of the next object of a kind, and a `created_at` that no other of the kind has."""
        made = self._line.execute(statements.NEXT, {"kind": kind, "ordinal": 1, "last_created_at": at}).one()
        return int(made.ordinal), int(made.last_created_at)

    def made(self, kind: str) -> tuple[int, int]:
        """Ordinal and `created_at` of the last object of a kind; zeros where there is none."""
        last = self.find("kinds", kind=kind)
        return (int(last["ordinal"]), int(last["last_created_at"])) if last else (0, 0)

    def add(self, table: str, *rows: Mapping[str, Any]) -> None:
        """Add rows, all with the same columns; what is left out is null."""
        if rows:
            self._line.execute(statements.added(table), [dict(row) for row in rows])

    def put(self, table: str, row: Mapping[str, Any]) -> None:
        """Add a row in place of the one with its primary key, if there is one."""
        self.remove(
            table, **{column.name: row[column.name] for column in statements.BY_NAME[table].primary_key}
        )
        self.add(table, row)

    def find(self, table: str, **values: Any) -> Row | None:
        """The one row whose columns have these values."""
        return next(iter(self.rows(table, *equal(**values), limit=1)), None)

    def rows(
        self,
        table: str,
        *wanted: Wanted,
        order: str = "",
        limit: int | None = None,
        only: tuple[str, ...] = (),
    ) -> list[Row]:
        """Rows that meet every condition, ordered by columns (`-` in front: falling), so many at most.

        `only` names the columns that are read, where not all of them are.
        """
        shape, values = statements.shaped(wanted)
        asked = statements.asked(table, shape, order, limit is not None, only)
        found = self._line.execute(asked, values | {"limit_": limit})
        return [dict(row) for row in found.mappings()]

    def sums(self, table: str, columns: Sequence[str], *wanted: Wanted) -> tuple[int, ...]:
        """Sums of columns over the rows that meet every condition."""
        shape, values = statements.shaped(wanted)
        return tuple(
            map(int, self._line.execute(statements.summed(table, tuple(columns), shape), values).one())
        )

    def count(self, table: str, *wanted: Wanted) -> int:
        shape, values = statements.shaped(wanted)
        return int(self._line.execute(statements.counted(table, shape), values).scalar_one())

    def change(self, table: str, *wanted: Wanted, **values: Any) -> int:
        """Set columns of the rows that meet every condition; tells how many there were."""
        shape, asked = statements.shaped(wanted)
        named = {f"new_{name}": value for name, value in values.items()}
        return int(
            self._line.execute(statements.changed(table, tuple(values), shape), asked | named).rowcount
        )

    def change_each(self, table: str, key: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
        """Set columns of many rows, each found by the columns of `key`; all rows have the same columns."""
        many = [
            {f"w{key.index(name)}" if name in key else f"new_{name}": value for name, value in row.items()}
            for row in rows
        ]
        if many:
            new = tuple(name.removeprefix("new_") for name in many[0] if name.startswith("new_"))
            self._line.execute(statements.changed(table, new, tuple((name, "=") for name in key)), many)

    def remove(self, table: str, *wanted: Wanted, **values: Any) -> None:
        """Remove the rows that meet every condition and whose columns have these values."""
        shape, asked = statements.shaped((*wanted, *equal(**values)))
        self._line.execute(statements.removed(table, shape), asked)

    def _pragma(self, name: str) -> int:
        return int(self._line.exec_driver_sql(f"PRAGMA {name}").scalar_one())

    def _tables(self) -> list[str]:
        named = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        return [str(name) for name in self._line.exec_driver_sql(named).scalars()]
