"""A line between callers and the sandbox that cuts and mangles by plan, and keeps a log of its own.

It reads the journal with plain SQL and shares no code with what it watches. Each request is read whole before its
first byte goes on; the plan says how far it, and its reply, get.
"""

from __future__ import annotations

import socket
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import closing, suppress

import psycopg

from .passage import AT_MOST, Cut, Exchange, Passage
from .sockets import HOST, end, header, listening, read_message

Plan = Callable[[str, int], Cut]
"""Decides by "METHOD /path", and by how many of that came before."""
_SQL = "SELECT asks.decision, dials.state FROM dials JOIN asks ON asks.key = dials.key WHERE dials.key = "


class Proxy:
    """Listens on a port of its own until it is closed, with a thread for each connection."""

    def __init__(self, server: int) -> None:
        self._server = server
        self._line = listening()
        self.port = int(self._line.getsockname()[1])
        self._lock = threading.Lock()
        self._passes, self._passing = threading.Condition(), 0
        self._threads: list[threading.Thread] = []
        self._open: set[socket.socket] = set()
        self._calm, self._down, self._closed = threading.Event(), threading.Event(), False
        self._plan: Plan = lambda what, number: Cut()
        self._journal = ""
        self.log: list[Exchange] = []
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    def begin(self, plan: Plan, journal: str) -> None:
        """Start a log. `journal` is a SQLite file, or the address of a PostgreSQL database."""
        self._plan, self._journal, self.log = plan, journal, []
        self._calm.clear()

    def calm(self) -> None:
        """Cut nothing any more: what was held back goes on, and connections that wait for a request are closed."""
        self._calm.set()
        with self._lock:
            for line in self._open:
                with suppress(OSError):
                    line.shutdown(socket.SHUT_RD)
            threads, self._threads = self._threads, []
        for thread in threads:
            thread.join(timeout=2 * AT_MOST)
        while self._down.is_set():
            time.sleep(0.002)

    def quiet(self) -> None:
        """Wait until nothing is on its way: a clock that jumps meanwhile would have held it back for so long."""
        with self._passes:
            self._passes.wait_for(lambda: self._passing == 0, timeout=2 * AT_MOST)

    def close(self) -> None:
        self._closed = True
        self.calm()
        self._shut()
        self._accepting.join(timeout=AT_MOST)

    def _accept(self) -> None:
        while not self._closed:
            try:
                line, _ = self._line.accept()
            except OSError:  # the port is closed, for now or for good
                while self._down.is_set():
                    time.sleep(0.001)
                continue
            thread = threading.Thread(target=self._serve, args=(line,), daemon=True)
            with self._lock:
                self._open.add(line)
                self._threads.append(thread)
            thread.start()

    def _serve(self, caller: socket.socket) -> None:
        """Pass exchanges on until one is cut, or the caller goes."""
        stays, reset = True, False
        try:
            with suppress(OSError):
                while stays and (message := read_message(caller)):
                    self._count(1)
                    try:
                        exchange = self._arrived(message)
                        down = exchange.cut.down and self._shut_for_now()
                        stays = Passage(exchange, message, caller, self._server, self._calm).run()
                    finally:
                        self._count(-1)
                    reset = exchange.cut.reset
                    if down:
                        threading.Thread(
                            target=self._open_after, args=(exchange.cut.down,), daemon=True
                        ).start()
        finally:
            with self._lock:
                self._open.discard(caller)
            end(caller, reset=reset and not stays)

    def _count(self, more: int) -> None:
        with self._passes:
            self._passing += more
            self._passes.notify_all()

    def _arrived(self, message: bytes) -> Exchange:
        head, _, body = message.partition(b"\r\n\r\n")
        method, address = (*head.split(b"\r\n")[0].decode("latin-1").split(" "), "", "")[:2]
        path, key = address.partition("?")[0], header(head, "idempotency-key")
        written = _written(self._journal, key) if key else ""
        with self._lock:
            number = sum((one.method, one.path) == (method, path) for one in self.log)
            cut = Cut() if self._calm.is_set() else self._plan(f"{method} {path}", number)
            exchange = Exchange(method, path, key, body, cut, written, len(message))
            self.log.append(exchange)
        return exchange

    def _shut_for_now(self) -> bool:
        """Refuse every connection; False where the port is shut already, or should not be any more."""
        with self._lock:
            if self._down.is_set() or self._calm.is_set():
                return False
            self._down.set()
        self._shut()
        return True

    def _open_after(self, seconds: float) -> None:
        self._calm.wait(seconds)
        self._line = listening(self.port)
        self._down.clear()

    def _shut(self) -> None:
        with suppress(OSError):
            self._line.shutdown(socket.SHUT_RDWR)  # closing alone does not wake who accepts
        self._line.close()


def _written(journal: str, key: str) -> str:
    """The answer and the state that anybody can read in a journal under a key."""
    try:
        if "://" in journal:
            with psycopg.connect(journal, autocommit=True) as pg:
                found = pg.execute((_SQL + "%s").encode(), (key,)).fetchone()
        else:
            with closing(sqlite3.connect(f"file:{journal}?mode=ro", uri=True, timeout=10)) as db:
                found = db.execute(_SQL + "?", (key,)).fetchone()
    except (sqlite3.Error, psycopg.Error) as error:
        return f"unreadable: {error}"
    return " ".join(map(str, found)) if found else ""
