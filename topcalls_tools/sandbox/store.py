"""One SQLite file that several processes share: its engine, and transactions on it."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, create_engine, event
from sqlalchemy.engine import URL, Engine

from .book import Book, Row
from .errors import SandboxError

__all__ = ["Book", "Row", "Store"]

WAITS_MS = 10_000
"""How long a writer waits for a writer of another process."""


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
        # SQLite's own waiting sleeps ever longer; threads of one process take turns at once.
        self._turn = threading.Lock()
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
        with self._turn, self._writer.begin() as line:
            yield Book(line)

    def close(self) -> None:
        self._engine.dispose()


def _engine(path: Path) -> Engine:
    engine = create_engine(
        URL.create("sqlite", database=str(path)),
        pool_size=8,
        max_overflow=40,
        connect_args={"timeout": WAITS_MS / 1000, "check_same_thread": False},
    )

    @event.listens_for(engine, "connect")
    def opened(connection: Any, _: Any) -> None:
        connection.isolation_level = None  # else the driver begins transactions of its own
        connection.execute(f"PRAGMA busy_timeout = {WAITS_MS}")
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
