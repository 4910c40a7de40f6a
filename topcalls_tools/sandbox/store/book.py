"""One transaction in hand: rows of the tables, asked for by column, comparison and value."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..errors import SandboxError
from . import statements
from .statements import Wanted
from .tables import MARK, VERSION

Row = dict[str, Any]


def equal(**values: Any) -> tuple[Wanted, ...]:
    """Conditions that columns have these values; None is looked for as such."""
    return tuple([(name, "is" if value is None else "=", value) for name, value in values.items()])


class Book:
    """One transaction in hand."""

    def __init__(self, line: sqlite3.Connection) -> None:
        self._line = line

    def prepare(self, path: Path, reset: bool) -> bool:
        """Make the tables where there are none, or anew; tell whether they are new."""
        version = self._pragma("user_version")
        strange = self._pragma("application_id") != MARK
        if strange and self._tables():
            raise SandboxError(f"{path} belongs to another program; give another path.")
        if not strange and not reset and version != VERSION:
            raise SandboxError(
                f"{path} was made by another version; `topcalls sandbox --reset` makes it anew."
            )
        if not strange and not reset:
            return False
        for name in self._tables():
            self._line.execute(f'DROP TABLE "{name}"')
        for statement in statements.creation():
            self._line.execute(statement)
        self._line.execute(f"PRAGMA user_version = {VERSION}")
        self._line.execute(f"PRAGMA application_id = {MARK}")
        return True

    def meta(self, name: str) -> str | None:
        """What is noted about the whole world under a name."""
        found = self.find("meta", name=name)
        return None if found is None else str(found["value"])

    def glance(self, digest: str = "") -> tuple[Row, Row | None]:
        """What every request needs to know: the clock, when a campaign wakes, the latest instant of a ledger,
        whether faults are ordered; and the key with a digest, if there is one."""
        found = self._line.execute(statements.glance(), {"digest": digest}).fetchone()
        names = (*statements.NAMES["clock"], "wakes_at", "latest", "faulty")
        key = dict(zip(statements.NAMES["keys"], found[len(names) :], strict=True))
        clock = dict(zip(names, found, strict=False))
        return clock, self._read("keys", [key])[0] if key["digest"] else None

    def next(self, kind: str, at: int) -> tuple[int, int]:
        """Ordinal of the next object of a kind, and a `created_at` that no other of the kind has."""
        fresh = {"kind": kind, "ordinal": 1, "last_created_at": at}
        ordinal, created = self._line.execute(statements.next_of_kind(), fresh).fetchone()
        return int(ordinal), int(created)

    def made(self, kind: str) -> tuple[int, int]:
        """Ordinal and `created_at` of the last object of a kind; zeros where there is none."""
        last = self.find("kinds", kind=kind)
        return (int(last["ordinal"]), int(last["last_created_at"])) if last else (0, 0)

    def add(self, table: str, *rows: Mapping[str, Any]) -> None:
        """Add rows; what is left out is null."""
        empty = dict.fromkeys(statements.NAMES[table])
        many = [statements.stored(table, {**empty, **row}) for row in rows]
        if len(many) == 1:
            self._line.execute(statements.added(table), many[0])
        elif many:
            self._line.executemany(statements.added(table), many)

    def put(self, table: str, row: Mapping[str, Any]) -> None:
        """Add a row in place of the one with its primary key, if there is one."""
        self.remove(table, **{name: row[name] for name in statements.KEYS[table]})
        self.add(table, row)

    def find(self, table: str, **values: Any) -> Row | None:
        """The one row whose columns have these values."""
        empty = tuple(name for name, value in values.items() if value is None)
        found = self._line.execute(statements.found(table, tuple(values), empty), values).fetchone()
        if found is None:
            return None
        return self._read(table, [dict(zip(statements.NAMES[table], found, strict=True))])[0]

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
        if limit is not None:
            values["most"] = limit
        names = only or statements.NAMES[table]
        asked = statements.asked(table, shape, order, limit is not None, only)
        return self._read(
            table, [dict(zip(names, row, strict=True)) for row in self._line.execute(asked, values)]
        )

    def sums(self, table: str, columns: Sequence[str], *wanted: Wanted) -> tuple[int, ...]:
        """Sums of columns over the rows that meet every condition."""
        shape, values = statements.shaped(wanted)
        found = self._line.execute(statements.summed(table, tuple(columns), shape), values).fetchone()
        return tuple(map(int, found))

    def count(self, table: str, *wanted: Wanted) -> int:
        shape, values = statements.shaped(wanted)
        return int(self._line.execute(statements.counted(table, shape), values).fetchone()[0])

    def change(self, table: str, *wanted: Wanted, **values: Any) -> int:
        """Set columns of the rows that meet every condition; tells how many there were."""
        shape, where = statements.shaped(wanted)
        statement = statements.changed(table, tuple(values), shape)
        return self._line.execute(statement, where | statements.stored(table, values, "new_")).rowcount

    def change_each(self, table: str, key: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
        """Set columns of many rows, each found by the columns of `key`; all rows have the same columns."""
        many = list(rows)
        if not many:
            return
        new = tuple(name for name in many[0] if name not in key)
        statement = statements.changed(table, new, tuple((name, "=") for name in key))
        values = [
            {f"w{place}": row[name] for place, name in enumerate(key)}
            | statements.stored(table, {name: row[name] for name in new}, "new_")
            for row in many
        ]
        self._line.executemany(statement, values)

    def remove(self, table: str, *wanted: Wanted, **values: Any) -> None:
        """Remove the rows that meet every condition and whose columns have these values."""
        shape, where = statements.shaped((*wanted, *equal(**values)))
        self._line.execute(statements.removed(table, shape), where)

    def _read(self, table: str, rows: list[Row]) -> list[Row]:
        """Rows as they were stored, with our values in the place of SQLite's."""
        for name, read in statements.ODD[table]:
            for row in rows:
                if row.get(name) is not None:
                    row[name] = read(row[name])
        return rows

    def _pragma(self, name: str) -> int:
        return int(self._line.execute(f"PRAGMA {name}").fetchone()[0])

    def _tables(self) -> list[str]:
        named = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        return [str(name) for (name,) in self._line.execute(named)]
