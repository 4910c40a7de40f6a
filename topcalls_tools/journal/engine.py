"""How the journal's store is opened: SQLite in a file, or PostgreSQL by its URL; one writer at a time."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, create_engine, event, inspect, make_url, text
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as NoConnection

from ..errors import Misconfigured, Refused
from .tables import HEAD

_ALL_WRITERS = 7_208_225_537
"""The number of the lock that PostgreSQL's writers take, one after the other."""
_READS = {"reads": True}
ANSWERS_WITHIN = 2, 5
"""Seconds in which PostgreSQL must take a connection, answer a statement and be given the next one of a
transaction: the least where patience is short, and the most."""


class Storage:
    """Where the journal is kept. `where` is a file, or a URL such as postgresql://user:word@host/name.

    `patience` is how many seconds to wait for another writer. Raises Misconfigured where it cannot be opened,
    and Refused where it cannot be used.
    """

    def __init__(self, where: Path | str, patience: float = 10) -> None:
        self._engine = _in_file(where, patience) if isinstance(where, Path) else _by_url(where, patience)
        self._name = self._engine.url.set(query={}).render_as_string(hide_password=True)
        if isinstance(where, Path):
            self._name = str(where)
        with self.reading() as db:
            ready = version_of(db) == HEAD
        if not ready:
            with self.writing() as db:
                if version_of(db) != HEAD:  # of several processes at once, one was first
                    _migrate(db)

    def close(self) -> None:
        """Close its connections."""
        self._engine.dispose()

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One transaction that has the write lock from its first statement, on the disk when it ends."""
        with self._spoken(), self._engine.begin() as db:
            yield db

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """One transaction that waits for nobody."""
        with self._spoken(), self._engine.connect().execution_options(**_READS) as db, db.begin():
            yield db

    def scrub(self) -> None:
        """Leave nothing of what was deleted in the file's free pages. PostgreSQL's VACUUM is its owner's."""
        if self._engine.dialect.name == "sqlite":
            with self._spoken(), self._engine.connect() as db:
                raw: Any = db.connection.driver_connection
                raw.execute("VACUUM")
                raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    @contextmanager
    def _spoken(self) -> Iterator[None]:
        """A store that cannot be used is a refusal in words."""
        try:
            yield
        except NoConnection:
            raise Refused(
                "journal",
                f"The journal {self._name} is busy and nothing was sent; the same call again goes on.",
            ) from None
        except (SQLAlchemyError, sqlite3.Error) as error:
            reason = str(getattr(error, "orig", None) or type(error).__name__).strip().partition("\n")[0]
            raise Refused(
                "journal",
                f"The journal {self._name} cannot be used ({reason}) and nothing was sent; make its store "
                "readable and writable, or name another (TOPCALLS_JOURNAL, TOPCALLS_HOME).",
            ) from None


def ready(where: Path | str, patience: float = 10) -> bool:
    """Whether there is a journal that can be read as it is, of no earlier version than this one. Nothing is
    made, and nothing brought up to date. One that cannot be used counts as ready: who opens it hears why."""
    if isinstance(where, Path) and not (where.exists() and where.stat().st_size):
        return False
    engine = as_it_is(where, patience)
    try:
        with engine.connect().execution_options(**_READS) as db:
            version = version_of(db)
    except (SQLAlchemyError, sqlite3.Error):
        return True
    finally:
        engine.dispose()
    return version is not None and version >= HEAD


def as_it_is(where: Path | str, patience: float = 10) -> Engine:
    """A store to be read as it is: nothing is made there, and nothing brought up to date."""
    if not isinstance(where, Path):
        return _by_url(where, patience)
    query = {"mode": "ro", "uri": "true"}
    if not where.with_name(f"{where.name}-wal").exists():  # nobody has it open, and none need be made
        query["immutable"] = "1"
    return create_engine(URL.create("sqlite", database=f"file:{quote(str(where))}", query=query))


def _in_file(path: Path, patience: float) -> Engine:
    if not path.exists():
        try:
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        except OSError as error:
            raise Misconfigured(
                f"The journal {path} cannot be made ({error.strerror}); name a writable directory in "
                "TOPCALLS_HOME."
            ) from None
    engine = create_engine(
        URL.create("sqlite", database=str(path)), connect_args={"timeout": patience}, pool_timeout=patience
    )

    @event.listens_for(engine, "connect")
    def _(db: Any, _: object) -> None:
        db.isolation_level = None  # sqlite3 opens transactions late and shared; we take the write lock first
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=FULL")

    @event.listens_for(engine, "begin")
    def _(db: Connection) -> None:
        db.exec_driver_sql("BEGIN" if db.get_execution_options().get("reads") else "BEGIN IMMEDIATE")

    return engine


def _by_url(url: str, patience: float) -> Engine:
    within = int(min(max(patience, ANSWERS_WITHIN[0]), ANSWERS_WITHIN[1]))
    limits = {"lock_timeout": patience, "idle_in_transaction_session_timeout": within}
    try:
        parts = make_url(url)
        if parts.drivername not in ("postgresql", "postgresql+psycopg"):
            raise ArgumentError
        from .patience import Patient

        engine = create_engine(
            parts.set(drivername="postgresql+psycopg"),
            pool_pre_ping=True,
            pool_timeout=patience,
            connect_args={
                "connect_timeout": within,
                "options": " ".join(f"-c {name}={max(1, int(at * 1000))}" for name, at in limits.items()),
            },
        )
    except (ArgumentError, ValueError):
        raise Misconfigured(
            "TOPCALLS_JOURNAL is no address of a PostgreSQL database; give one such as "
            "postgresql://user:password@host/topcalls, or unset it for the file journal.db."
        ) from None
    except ModuleNotFoundError:
        raise Misconfigured(
            "A journal in PostgreSQL needs psycopg; pip install 'topcalls-tools[postgresql]'."
        ) from None

    @event.listens_for(engine, "do_connect")
    def _(dialect: object, record: object, args: Any, facts: dict[str, Any]) -> Patient:
        connection = Patient.connect(*args, **facts)
        connection.within = within
        return connection

    @event.listens_for(engine, "begin")
    def _(db: Connection) -> None:
        if not db.get_execution_options().get("reads"):
            raw: Any = db.connection.driver_connection
            with raw.waiting(patience):
                db.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_ALL_WRITERS})")

    return engine


def version_of(db: Connection) -> str | None:
    """The version of a journal's tables; None where there are none."""
    if not inspect(db).has_table("alembic_version"):
        return None
    version: str | None = db.scalar(text("SELECT version_num FROM alembic_version"))
    return version


def _migrate(db: Connection) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = db
    try:
        command.upgrade(config, HEAD)
    except CommandError:
        raise Misconfigured(
            "The journal was written by a newer version of TopCalls Tools; update the package, or name "
            "another (TOPCALLS_JOURNAL, TOPCALLS_HOME)."
        ) from None
