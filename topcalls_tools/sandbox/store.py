"""One SQLite file that several processes share, and transactions on it."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy.pool import QueuePool

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
        self._pool = _pool(path)
        # SQLite's own waiting sleeps ever longer; threads of one process take turns at once.
        self._turn = threading.Lock()
        try:
            _write_ahead(self._pool)
        except sqlite3.DatabaseError:
            self.close()
            raise SandboxError(f"{path} is no sandbox file; give another path.") from None

    @contextmanager
    def read(self) -> Iterator[Book]:
        """A look at one instant; takes no lock."""
        with _transaction(self._pool, "BEGIN") as book:
            yield book

    @contextmanager
    def write(self) -> Iterator[Book]:
        """The only writer of the file until the block ends; an exception undoes it all."""
        # A plain BEGIN that turns into a writer later cannot wait for its turn; SQLite refuses it at once.
        with self._turn, _transaction(self._pool, "BEGIN IMMEDIATE") as book:
            yield book

    def close(self) -> None:
        self._pool.dispose()


@contextmanager
def _transaction(pool: QueuePool, begin: str) -> Iterator[Book]:
    with closing(pool.connect()) as held:
        line: Any = held.driver_connection
        line.execute(begin)
        try:
            yield Book(line)
        except BaseException:
            line.execute("ROLLBACK")
            raise
        line.execute("COMMIT")


def _pool(path: Path) -> QueuePool:
    def opened() -> Any:
        # No isolation level: else the driver begins transactions of its own.
        line = sqlite3.connect(
            path,
            timeout=WAITS_MS / 1000,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=500,
        )
        line.execute("PRAGMA synchronous = NORMAL")
        return line

    return QueuePool(opened, pool_size=8, max_overflow=40, reset_on_return=None)


def _write_ahead(pool: QueuePool) -> None:
    """Switch the file to WAL; SQLite does not wait for its turn here, so we do."""
    for left in reversed(range(500)):
        try:
            with closing(pool.connect()) as held:
                held.cursor().execute("PRAGMA journal_mode = WAL")
                return
        except sqlite3.OperationalError as busy:
            if not left or "locked" not in str(busy):
                raise
            time.sleep(0.02)
