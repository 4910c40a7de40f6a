"""A bell that wakes every waiter of this process, in threads and on event loops alike."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Bell:
    """May be rung and listened to by any thread. Rings are counted, so that none is missed between a look
    and the wait that follows it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rings = 0
        self._ears: set[Callable[[], object]] = set()

    @property
    def rings(self) -> int:
        """How often it has rung."""
        return self._rings

    @property
    def ears(self) -> int:
        """How many listen now."""
        return len(self._ears)

    def ring(self) -> None:
        """Wake whoever listens. Returns at once."""
        with self._lock:
            self._rings += 1
            ears = tuple(self._ears)
        for ear in ears:
            ear()

    @contextmanager
    def heard(self, ear: Callable[[], object], since: int) -> Iterator[None]:
        """Call `ear` at each ring, and at once where it has rung more often than `since`. It is called in
        the thread that rings, and must neither wait nor raise."""
        with self._lock:
            self._ears.add(ear)
            missed = self._rings > since
        try:
            if missed:
                ear()
            yield
        finally:
            with self._lock:
                self._ears.discard(ear)
