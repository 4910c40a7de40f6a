"""One SQLite file that several processes share, and transactions on it."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import SandboxError
from .book import Book, Row

__all__ = ["Book", "Row", "Store"]

WAITS_MS = 10_000
"""How long a writer waits for a writer of another process."""


class Busy(Exception):
    """Somebody else writes just now, or there is much to make up for first."""


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
        self._idle: dict[bool, deque[sqlite3.Connection]] = {True: deque(), False: deque()}
        # SQLite's own waiting sleeps ever longer; threads of one process take turns at once.
        self._turn = threading.Lock()
        try:
            self._write_ahead()
        except sqlite3.DatabaseError:
            self.close()
            raise SandboxError(f"{path} is no sandbox file; give another path.") from None

    @contextmanager
    def read(self, *, waits: bool = True) -> Iterator[Book]:
        """A look at one instant; takes no lock."""
        with self._transaction("BEGIN", waits) as book:
            yield book

    @contextmanager
    def write(self, *, waits: bool = True) -> Iterator[Book]:
        """The only writer of the file until the block ends; an exception undoes it all.

        Raises Busy at once where somebody else writes and this one does not wait for its turn.
        """
        if not self._turn.acquire(blocking=waits):
            raise Busy
        try:
            # A plain BEGIN that turns into a writer later cannot wait for its turn: SQLite refuses it.
            with self._transaction("BEGIN IMMEDIATE", waits) as book:
                yield book
        finally:
            self._turn.release()

    def close(self) -> None:
        """Let go of the file."""
        for idle in self._idle.values():
            while idle:
                idle.pop().close()

    @contextmanager
    def _transaction(self, begin: str, waits: bool) -> Iterator[Book]:
        with self._line(waits) as line:
            try:
                line.execute(begin)
            except sqlite3.OperationalError as error:
                if waits or "locked" not in str(error):
                    raise
                raise Busy from None
            try:
                yield Book(line)
                line.execute("COMMIT")
            except BaseException:
                line.execute("ROLLBACK")
                raise

    @contextmanager
    def _line(self, waits: bool = True) -> Iterator[sqlite3.Connection]:
        """A connection to oneself: one that nobody uses just now, or another."""
        try:
            line = self._idle[waits].pop()
        except IndexError:
            line = _opened(self.path, WAITS_MS if waits else 0)
        try:
            yield line
        finally:
            self._idle[waits].append(line)

    def _write_ahead(self) -> None:
        """Switch the file to WAL; SQLite does not wait for its turn here, so we do."""
        for left in reversed(range(500)):
            try:
                with self._line() as line:
                    line.execute("PRAGMA journal_mode = WAL")
                    return
            except sqlite3.OperationalError as busy:
                if not left or "locked" not in str(busy):
                    raise
                time.sleep(0.02)


def _opened(path: Path, waits_ms: int) -> sqlite3.Connection:
    # No isolation level: else the driver begins transactions of its own.
    line = sqlite3.connect(
        path,
        timeout=waits_ms / 1000,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=500,
    )
    line.execute("PRAGMA synchronous = NORMAL")
    line.execute("PRAGMA wal_autocheckpoint = 8000")  # 32 MB: the pages written most are copied once for many
    return line
