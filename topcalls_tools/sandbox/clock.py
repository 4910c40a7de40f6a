"""The sandbox's time: one row that turns real time into sandbox time."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from .store import Book, Row

Real = Callable[[], datetime]
"""Where real time comes from: an aware instant in UTC."""

FASTEST = 100_000.0
LONGEST_STEP = 366 * 86_400.0
LAST = 253_000_000_000_000
"""The last millisecond that the clock may show, in the year 9987: dates end soon after."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Clock:
    """Sandbox time in milliseconds since 1970, kept in the store so that every process reads the same."""

    def __init__(self, real: Real) -> None:
        self._real = real

    def now(self, book: Book) -> int:
        return self.shown(book.rows("clock")[0])

    def shown(self, row: Row) -> int:
        """The instant that a row of the clock shows now."""
        elapsed = max(0, milliseconds(self._real()) - int(row["real"]))
        return min(LAST, int(row["sandbox"]) + int(elapsed * float(row["speed"])))

    def pace(self, book: Book) -> float:
        """Sandbox seconds per real second."""
        return float(book.rows("clock")[0]["speed"])

    def start(self, book: Book) -> int:
        """Set sandbox time to real time, once, when the file is made."""
        real = milliseconds(self._real())
        self._rebase(book, real, 1.0, None)
        return real

    def speed(self, book: Book, times: float) -> None:
        """Let sandbox time pass `times` as fast as real time; 0 stops it, and only steps move it on."""
        if not (math.isfinite(times) and 0 <= times <= FASTEST):
            raise ValueError(f"speed must be a number from 0 to {FASTEST:.0f}")
        self._rebase(book, self.now(book), times, None if times == 1 else os.getpid())

    def advance(self, book: Book, seconds: float) -> None:
        """Step forward; time never goes back."""
        if not (math.isfinite(seconds) and 0 <= seconds <= LONGEST_STEP):
            raise ValueError(f"advance_seconds must be a number from 0 to {LONGEST_STEP:.0f}, a year")
        row = book.rows("clock")[0]
        then = min(LAST, self.now(book) + round(seconds * 1000))
        self._rebase(book, then, float(row["speed"]), row["owner_pid"])

    def adopt(self, book: Book) -> None:
        """Fall back to real pace when the process that chose another is gone."""
        row = book.rows("clock")[0]
        if float(row["speed"]) != 1 and not _alive(row["owner_pid"]):
            self.speed(book, 1)

    def release(self, book: Book) -> None:
        """Fall back to real pace when this process chose another and stops serving."""
        if book.rows("clock")[0]["owner_pid"] == os.getpid():
            self.speed(book, 1)

    def _rebase(self, book: Book, sandbox: int, speed: float, owner: Any) -> None:
        row = {"id": 1, "real": milliseconds(self._real()), "sandbox": sandbox, "speed": speed}
        book.put("clock", row | {"owner_pid": owner})


def milliseconds(at: datetime) -> int:
    """An aware instant as milliseconds since 1970."""
    return (at - _EPOCH) // timedelta(milliseconds=1)


def iso(at: int | None) -> str | None:
    """Milliseconds since 1970 as TopCalls writes a time; nothing stays nothing (contract A3)."""
    return None if at is None else written(at)


def written(at: int) -> str:
    """Milliseconds since 1970 as `2025-12-22T10:30:00.123Z`."""
    then = _EPOCH + timedelta(milliseconds=at)
    return then.isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def before(cursor: str) -> int:
    """The first millisecond that is not strictly earlier than a cursor; a time without zone is UTC."""
    then = datetime.fromisoformat(cursor)
    aware = then if then.tzinfo else then.replace(tzinfo=UTC)
    return -((_EPOCH - aware) // timedelta(milliseconds=1))


def _alive(pid: int | None) -> bool:
    if pid is None:
        return False
    if pid == os.getpid():
        return True
    if sys.platform == "win32":
        return False  # signal 0 would end the process there
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
