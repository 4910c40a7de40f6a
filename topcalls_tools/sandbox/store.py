"""One SQLite file that several processes share: tables, transactions, and what may be asked of them."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    ColumnElement,
    Connection,
    Float,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    and_,
    create_engine,
    event,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.engine import URL, Engine

from .errors import SandboxError
from .tables import INDEXES, MARK, TABLES, VERSION

Row = dict[str, Any]
_ALL = MetaData()
_KINDS: dict[str, Any] = {
    "": String,
    "int": Integer,
    "float": Float,
    "bool": Boolean,
    "json": JSON(none_as_null=True),
}


def _column(said: str) -> Column[Any]:
    name, _, kind = said.rstrip("!?").partition(":")
    return Column(name, _KINDS[kind], primary_key=said.endswith("!"), nullable=said.endswith("?"))


def _index(table: str, column: str) -> Index:
    return Index(f"{table}_by_{column}", "account_id", column)


_TABLES = {
    name: Table(name, _ALL, *map(_column, said.split()), *(_index(name, of) for of in INDEXES.get(name, ())))
    for name, said in TABLES.items()
}


class Store:
    """The file. `read` and `write` each open one transaction and give the book that belongs to it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        except OSError as error:
            raise SandboxError(
                f"{path} cannot be opened ({error.strerror}); give a file that can be written."
            ) from None
        self._engine = _engine(path)
        self._writer = self._engine.execution_options(immediate=True)
        try:
            _write_ahead(self._engine)
        except sqlite3.DatabaseError:
            self.close()
            raise SandboxError(f"{path} is no sandbox file; give another path.") from None

    @contextmanager
    def read(self) -> Iterator[Book]:
        """A look at one instant; takes no lock."""
        with self._engine.begin() as line:
            yield Book(line)

    @contextmanager
    def write(self) -> Iterator[Book]:
        """The only writer of the file until the block ends; an exception undoes it all."""
        with self._writer.begin() as line:
            yield Book(line)

    def close(self) -> None:
        self._engine.dispose()


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
        _ALL.create_all(self._line)
        self._line.exec_driver_sql(f"PRAGMA user_version = {VERSION}")
        self._line.exec_driver_sql(f"PRAGMA application_id = {MARK}")
        return True

    def meta(self, name: str) -> str:
        return str(self.rows("meta", name=name)[0]["value"])

    def clock(self) -> Row:
        return self.rows("clock")[0]

    def set_clock(self, **values: Any) -> None:
        self.remove("clock")
        self.add("clock", {"id": 1, **values})

    def next(self, kind: str, at: int) -> tuple[int, int]:
        """Ordinal of the next object of a kind, and a `created_at` that no other of the kind has."""
        last = self.find("kinds", kind=kind) or {"ordinal": 0, "last_created_at": at - 1}
        ordinal, created = int(last["ordinal"]) + 1, max(at, int(last["last_created_at"]) + 1)
        self.remove("kinds", kind=kind)
        self.add("kinds", {"kind": kind, "ordinal": ordinal, "last_created_at": created})
        return ordinal, created

    def add(self, table: str, row: Mapping[str, Any]) -> None:
        self._line.execute(insert(_TABLES[table]).values(dict(row)))

    def find(self, table: str, **equal: Any) -> Row | None:
        """The one row whose columns have these values."""
        return next(iter(self.rows(table, **equal)), None)

    def rows(self, table: str, **equal: Any) -> list[Row]:
        """All rows whose columns have these values, oldest first where rows have an age."""
        of = _TABLES[table]
        asked = select(of).where(*_equal(of, equal))
        if "created_at" in of.c:
            asked = asked.order_by(of.c.created_at)
        return self._found(asked)

    def change(self, table: str, *, id: str, **values: Any) -> None:
        of = _TABLES[table]
        self._line.execute(update(of).where(of.c.id == id).values(values))

    def remove(self, table: str, **equal: Any) -> None:
        of = _TABLES[table]
        self._line.execute(of.delete().where(*_equal(of, equal)))

    def calls(
        self, account: str, now: int, outcome: str | None, campaign: str | None, **page: int
    ) -> list[Row]:
        """A page of calls, newest first; an outcome is known once the call has ended."""
        of = _TABLES["calls"].c
        wanted = [of.campaign_id == campaign] if campaign else []
        if outcome:
            wanted += [of.ends_at <= now, of.outcome == outcome]
        return self._page("calls", account, wanted, **page)

    def campaigns(self, account: str, now: int, status: str | None, **page: int) -> list[Row]:
        """A page of campaigns, newest first; a scheduled one runs when its time has come."""
        of = _TABLES["campaigns"].c
        due = and_(of.status == "scheduled", of.scheduled_at <= now)
        match status:
            case None:
                wanted: list[ColumnElement[bool]] = []
            case "running":
                wanted = [or_(of.status == "running", due)]
            case "scheduled":
                wanted = [of.status == "scheduled", of.scheduled_at > now]
            case _:
                wanted = [of.status == status]
        return self._page("campaigns", account, wanted, **page)

    def numbers(self, account: str, now: int, status: str | None, **page: int) -> list[Row]:
        """A page of numbers, newest first, without deleted ones; one in the making is pending."""
        of = _TABLES["numbers"].c
        wanted: list[ColumnElement[bool]] = [of.deleted_at.is_(None)]
        if status == "pending":
            wanted += [of.ready_at > now]
        elif status:
            wanted += [of.ready_at <= now, of.status == status]
        return self._page("numbers", account, wanted, **page)

    def carriers(self, account: str) -> list[Row]:
        """TopCalls' own carrier and the account's, oldest first."""
        of = _TABLES["carriers"]
        seen = select(of).where(or_(of.c.account_id == account, of.c.account_id.is_(None)))
        return self._found(seen.order_by(of.c.created_at))

    def minutes(self, account: str, now: int) -> tuple[int, int]:
        """Hundredths of minutes that are held for calls under way, and that ended calls used."""
        of = _TABLES["calls"].c
        mine = of.account_id == account
        under_way = or_(of.ends_at.is_(None), of.ends_at > now)
        held = select(func.coalesce(func.sum(of.held), 0)).where(mine, under_way)
        billed = select(func.coalesce(func.sum(of.billed), 0)).where(mine, of.ends_at <= now)
        return int(self._line.execute(held).scalar_one()), int(self._line.execute(billed).scalar_one())

    def rings(self, account: str, now: int) -> list[Row]:
        """Calls whose phone has rung, in the order of ringing."""
        of = _TABLES["calls"]
        rang = or_(of.c.ends_at.is_(None), of.c.rings_at <= of.c.ends_at)
        asked = select(of).where(of.c.account_id == account, of.c.rings_at <= now, rang)
        return self._found(asked.order_by(of.c.rings_at, of.c.ordinal))

    def _page(
        self, table: str, account: str, wanted: list[ColumnElement[bool]], *, until: int, limit: int
    ) -> list[Row]:
        of = _TABLES[table]
        asked = select(of).where(of.c.account_id == account, of.c.created_at < until, *wanted)
        return self._found(asked.order_by(of.c.created_at.desc()).limit(limit))

    def _found(self, asked: Any) -> list[Row]:
        return [dict(row) for row in self._line.execute(asked).mappings()]

    def _pragma(self, name: str) -> int:
        return int(self._line.exec_driver_sql(f"PRAGMA {name}").scalar_one())

    def _tables(self) -> list[str]:
        named = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        return [str(name) for name in self._line.exec_driver_sql(named).scalars()]


def _equal(of: Table, values: Mapping[str, Any]) -> list[ColumnElement[bool]]:
    return [of.c[name].is_(None) if value is None else of.c[name] == value for name, value in values.items()]


def _engine(path: Path) -> Engine:
    engine = create_engine(
        URL.create("sqlite", database=str(path)),
        pool_size=8,
        max_overflow=40,
        connect_args={"timeout": 10, "check_same_thread": False},
    )

    @event.listens_for(engine, "connect")
    def opened(connection: Any, _: Any) -> None:
        connection.isolation_level = None  # else the driver begins transactions of its own
        connection.execute("PRAGMA busy_timeout = 10000")
        connection.execute("PRAGMA synchronous = NORMAL")

    @event.listens_for(engine, "begin")
    def begun(line: Connection) -> None:
        # A plain BEGIN that turns into a writer later cannot wait for its turn; SQLite refuses it at once.
        line.exec_driver_sql("BEGIN IMMEDIATE" if line.get_execution_options().get("immediate") else "BEGIN")

    return engine


def _write_ahead(engine: Engine) -> None:
    """Switch the file to WAL; SQLite does not wait for its turn here, so we do."""
    for left in reversed(range(500)):
        try:
            with closing(engine.raw_connection()) as line:
                line.cursor().execute("PRAGMA journal_mode = WAL")
                return
        except sqlite3.OperationalError as busy:
            if not left or "locked" not in str(busy):
                raise
            time.sleep(0.02)
