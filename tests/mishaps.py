"""What befalls a caller at a given moment: it is killed, or held up for longer than anybody waits; and whose clock it has.

The product has no part in it: commits are seen through SQLAlchemy, requests through httpx.
"""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from typing import Any

import httpx
from sqlalchemy import Engine, event
from sqlalchemy.engine.default import DefaultDialect

COMMITS = ("before commit", "after commit")
SENDS = ("before send", "after send", "before reply", "after reply")
MOMENTS = COMMITS + SENDS
STALLED = "stalled"
"""What a caller says who is held up; it goes on when it is told how much time has passed."""
_SPINS = 0.004
"""The most real seconds that a sleep takes."""
_SENT = {
    "http11.send_request_headers.started": "before send",
    "http11.send_request_body.complete": "after send",
    "http11.receive_response_headers.complete": "before reply",
    "http11.receive_response_body.complete": "after reply",
}


@dataclass(frozen=True, slots=True)
class Mishap:
    """SIGKILL at the nth moment of its kind, counted from 1; or `stalls`, and nothing goes on until it may."""

    moment: str
    nth: int
    stalls: bool = False


class Time:
    """The time of one process, ahead of real time: sleeping takes hardly any."""

    def __init__(self, ahead: timedelta) -> None:
        self._ahead, self._slept = ahead, 0.0

    def clock(self) -> datetime:
        return datetime.now(UTC) + self._ahead

    def timer(self) -> float:
        return time.monotonic() + self._slept

    def passes(self, span: timedelta) -> None:
        """Let time pass for this process alone."""
        self._ahead += span
        self._slept += span.total_seconds()

    def rest(self, seconds: float) -> None:
        """Sleep: only the timer goes on, for the clock is everybody's."""
        self._slept += seconds
        time.sleep(min(seconds, _SPINS))


class Fate:
    """Counts moments; at the one that was chosen this process is killed, or waits for a word on its line."""

    def __init__(self, mishap: Mishap | None, time: Time, line: Connection, patience: float) -> None:
        self._mishap, self._time, self._line, self._patience = mishap, time, line, patience
        self._left = mishap.nth if mishap else 0
        if mishap and mishap.moment in COMMITS:
            self._watch_commits()

    def comes(self, moment: str) -> None:
        if self._mishap and moment == self._mishap.moment:
            self._left -= 1
            if self._left == 0 and self._mishap.stalls:
                self._line.send(STALLED)
                self._time.passes(self._line.recv())
            elif self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    def _watch_commits(self) -> None:
        committed, writes = DefaultDialect.do_commit, [False]

        @event.listens_for(Engine, "commit")
        def _(db: Any) -> None:
            writes[0] = not db.get_execution_options().get("reads")
            if writes[0]:
                self.comes("before commit")

        def commit(dialect: Any, db: Any) -> None:
            committed(dialect, db)
            if writes[0]:
                self.comes("after commit")

        DefaultDialect.do_commit = commit  # type: ignore[method-assign]

    def watch(self, request: httpx.Request, *, blocking: bool) -> None:
        """Follow a request on its way, and wait for its reply no longer than these tests have time."""

        def trace(name: str, _: Any) -> None:
            self.comes(_SENT.get(name, ""))

        async def async_trace(name: str, _: Any) -> None:
            trace(name, _)

        given = request.extensions
        waits = {**given["timeout"], "read": min(self._patience, given["timeout"]["read"])}
        request.extensions = {**given, "timeout": waits, "trace": trace if blocking else async_trace}


class Transport(httpx.HTTPTransport):
    def __init__(self, fate: Fate) -> None:
        super().__init__()
        self._fate = fate

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self._fate.watch(request, blocking=True)
        return super().handle_request(request)


class AsyncTransport(httpx.AsyncHTTPTransport):
    def __init__(self, fate: Fate) -> None:
        super().__init__()
        self._fate = fate

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self._fate.watch(request, blocking=False)
        return await super().handle_async_request(request)
