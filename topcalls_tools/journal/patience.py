"""A connection to PostgreSQL that waits for each answer so long and no longer."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import psycopg

T = TypeVar("T")


class Patient(psycopg.Connection[Any]):
    """A server that stops answering ends it: what was not confirmed by then counts as not written.

    The time is kept here. A machine that froze, or a relay on the way, still takes every byte, so that no
    timeout of TCP runs out; and the server's own end with what it does not do.
    """

    within = 5.0
    """Seconds that the server has for an answer."""

    def wait(self, gen: Generator[Any, Any, T], *args: Any, **options: Any) -> T:
        """What psycopg calls when it waits for the server. Raises OperationalError, and is closed then."""
        return super().wait(self._timed(gen), *args, **options)

    @contextmanager
    def waiting(self, seconds: float) -> Iterator[None]:
        """Give the server so much more time, where it waits for others itself."""
        self.within += seconds
        try:
            yield
        finally:
            self.within -= seconds

    def _timed(self, gen: Generator[Any, Any, T]) -> Generator[Any, Any, T]:
        until = time.monotonic() + self.within
        try:
            step = next(gen)
            while True:
                ready = yield step
                if not ready and time.monotonic() >= until:
                    self.close()
                    raise psycopg.OperationalError(f"it did not answer within {self.within:g} seconds")
                step = gen.send(ready)
        except StopIteration as end:
            answer: T = end.value
            return answer
