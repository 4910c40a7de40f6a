"""The sandbox's time: one row that turns real time into sandbox time."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from .store import Book, Row

Real = Callable[[], datetime]
"""Where real time comes from: an aware instant in UTC."""

FASTEST = 100_000.0
BEAT = 1000
"""Real milliseconds in which whoever makes the clock run fast writes down where it stands."""
LONGEST_STEP = 366 * 86_400.0
LAST = 253_000_000_000_000
"""The last millisecond that the clock may show, in the year 9987: dates end soon after."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Clock:
    """Sandbox time in milliseconds since 1970, kept in the store so that every process reads the same."""

    def __init__(self, real: Real) -> None:
        self._real = real

    def now(self, book: Book) -> int:
        return self.shown(book.glance()[0])

    def shown(self, glance: Row) -> int:
        """The instant that a glance shows: never before what is billed, whatever real time does."""
        return self._at(glance, milliseconds(self._real()))

    def _at(self, glance: Row, real: int) -> int:
        elapsed = max(0, real - int(glance["real"]))
        if float(glance["speed"]) != 1 and not _alive(glance["owner_pid"]):
            elapsed = min(elapsed, BEAT)  # who made it run is gone, and with them all that did not happen
        then = int(glance["sandbox"]) + int(elapsed * float(glance["speed"]))
        return min(LAST, max(then, int(glance["latest"] or 0)))

    def pace(self, book: Book) -> float:
        """Sandbox seconds per real second."""
        return float(book.rows("clock")[0]["speed"])

    def start(self, book: Book) -> int:
        """Set sandbox time to real time, once, when the file is made."""
        real = milliseconds(self._real())
        _write(book, real, real, 1.0, None)
        return real

    def speed(self, book: Book, times: float) -> None:
        """Let sandbox time pass `times` as fast as real time; 0 stops it, and only steps move it on."""
        if not (math.isfinite(times) and 0 <= times <= FASTEST):
            raise ValueError(f"speed must be a number from 0 to {FASTEST:.0f}")
        real = milliseconds(self._real())
        _write(book, real, self._at(book.glance()[0], real), times, None if times == 1 else os.getpid())

    def advance(self, book: Book, seconds: float) -> None:
        """Step forward; time never goes back."""
        if not (math.isfinite(seconds) and 0 <= seconds <= LONGEST_STEP):
            raise ValueError(f"advance_seconds must be a number from 0 to {LONGEST_STEP:.0f}, a year")
        self._go_on(book, round(seconds * 1000))

    def beat(self, book: Book) -> None:
        """Write down how far a speed that this process chose has brought the clock; due every BEAT."""
        row = book.rows("clock")[0]
        if float(row["speed"]) != 1 and row["owner_pid"] == os.getpid():
            self._go_on(book, 0)

    def adopt(self, book: Book) -> None:
        """Fall back to real pace when the process that chose another is gone."""
        row = book.rows("clock")[0]
        if float(row["speed"]) != 1 and not _alive(row["owner_pid"]):
            self.speed(book, 1)

    def release(self, book: Book) -> None:
        """Fall back to real pace when this process chose another and stops serving."""
        if book.rows("clock")[0]["owner_pid"] == os.getpid():
            self.speed(book, 1)

    def _go_on(self, book: Book, step: int) -> None:
        glance, real = book.glance()[0], milliseconds(self._real())
        then = min(LAST, self._at(glance, real) + step)
        _write(book, real, then, float(glance["speed"]), glance["owner_pid"])


def _write(book: Book, real: int, sandbox: int, speed: float, owner: int | None) -> None:
    row = {"id": 1, "real": real, "sandbox": sandbox, "speed": speed, "owner_pid": owner}
    book.put("clock", row)


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
