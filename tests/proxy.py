"""A line between callers and the sandbox that cuts and mangles by plan, and keeps a log of its own.

It reads the journal with plain SQL and shares no code with what it watches. Each request is read whole before its
first byte goes on; the plan says how far it, and its reply, get.
"""

from __future__ import annotations

import hashlib
import socket
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass, field

import psycopg

from .sockets import (
    HOST,
    PLACES,
    REGIONS,
    connected,
    end,
    garbled,
    gone,
    header,
    listening,
    offset,
    read_message,
)

AT_MOST = 3.0
"""Seconds that anything is held back, should the caller never give up."""
CUTS = (
    *(f"{way} {region} {place}" for way in ("request", "reply") for region in REGIONS for place in PLACES),
    *("closed", "unheard", "unanswered", "reply end", "late", "held", "overdue", "twice"),
    *(f"garbled {region}" for region in REGIONS),
    *("429", "500", "502", "503", "500 after", "502 after", "503 after"),
)
"""Everything that can become of an exchange.

`closed`: nothing goes on. `unheard`: the request goes on, and both lines are closed at once. `unanswered`: its reply is
dropped. `reply end`: closed after the whole reply. `late`: the reply waits until the caller has given up. `held`: the
request does; `overdue`: it waits for the end of all cuts. `twice`: it goes on two times. A status: said in place of the
reply, without handing the request on, or `after` that.
"""
_PAGE = b"<html><h1>Something is wrong</h1></html>"
_INSTEAD = {
    "429": b"HTTP/1.1 429 Too Many Requests\r\nretry-after: 0\r\n",
    "500": b"HTTP/1.1 500 Internal Server Error\r\n",
    "502": b"HTTP/1.1 502 Bad Gateway\r\ncontent-type: text/html\r\n",
    "503": b"HTTP/1.1 503 Service Unavailable\r\n",
}
_SQL = "SELECT asks.decision, dials.state FROM dials JOIN asks ON asks.key = dials.key WHERE dials.key = "


@dataclass(frozen=True, slots=True)
class Cut:
    """What becomes of an exchange: one of CUTS, or "" for nothing. `reset` ends connections without a goodbye; nobody
    can connect meanwhile, and for `down` seconds afterwards. `share` says how far inside a region it is cut."""

    kind: str = ""
    reset: bool = False
    down: float = 0
    share: float = 0.5


Plan = Callable[[str, int], Cut]
"""Decides by "METHOD /path", and by how many of that came before."""


@dataclass(slots=True)
class Exchange:
    """One request as it came, how far it got, and how far its reply did."""

    method: str
    path: str
    key: str | None
    body: bytes
    cut: Cut
    written: str
    """What the journal held for the key before the first byte went on: "yes sending", or "" for nothing."""
    length: int
    at: float = field(default_factory=time.time)
    passed: int = 0
    """Bytes of the request that went on, the last time it was sent."""
    whole: int = 0
    """How often it went on whole."""
    status: int | None = None
    """The server's."""
    answered: int = 0
    """Bytes of the server's reply."""
    returned: int = 0
    """Bytes of a reply that went back."""

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.body).hexdigest()[:12]

    def __str__(self) -> str:
        cut = f"{self.cut.kind or 'whole'}{' reset' * self.cut.reset}{' down' * bool(self.cut.down)}"
        there = f"{self.passed}/{self.length} on, {self.whole} whole"
        back = f"{self.returned}/{self.answered} back of {self.status}"
        return f"{self.method} {self.path} {self.key} {self.digest} [{cut}] {there}, {back}, {self.written!r}"


class Proxy:
    """Listens on a port of its own until it is closed, with a thread for each connection."""

    def __init__(self, server: int) -> None:
        self._server = server
        self._line = listening()
        self.port = int(self._line.getsockname()[1])
        self._lock = threading.Lock()
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
                    exchange = self._arrived(message)
                    down = exchange.cut.down and self._shut_for_now()
                    stays = _Passage(exchange, message, caller, self._server, self._calm).run()
                    reset = exchange.cut.reset
                    if down:
                        threading.Thread(
                            target=self._open_after, args=(exchange.cut.down,), daemon=True
                        ).start()
        finally:
            with self._lock:
                self._open.discard(caller)
            end(caller, reset=reset and not stays)

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


@dataclass(slots=True)
class _Passage:
    """One exchange under way: the caller's line, the server's, and what becomes of both."""

    exchange: Exchange
    message: bytes
    caller: socket.socket
    server: int
    calm: threading.Event

    def run(self) -> bool:
        """Do what the plan says; whether the caller's line goes on."""
        cut = self.exchange.cut
        match cut.kind.split():
            case [] | ["twice"]:
                if cut.kind:
                    self._forward()
                return self._back(self._forward())
            case ["closed"]:
                pass
            case ["request", region, place]:
                self._send(self.message[: offset(self.message, region, place, cut.share)])
            case ["unheard"]:
                self._send(self.message)
            case ["unanswered"]:
                self._forward()
            case ["held" | "overdue"]:
                self._wait_for_caller(beyond=cut.kind == "overdue")
                self._forward()
            case ["late"]:
                reply = self._forward()
                self._wait_for_caller()
                self._back(reply)
            case ["reply", "end"]:
                self._back(self._forward())
            case ["reply", region, place]:
                reply = self._forward()
                self._back(reply[: offset(reply, region, place, cut.share)])
            case ["garbled", region]:
                self._back(garbled(self._forward(), region, cut.share))
            case [status, *after]:
                if after:
                    self._forward()
                return self._back(_INSTEAD[status] + b"content-length: %d\r\n\r\n" % len(_PAGE) + _PAGE)
        return False

    def _forward(self) -> bytes:
        """Hand the whole request on, and give the reply as far as it comes."""
        reply = b""
        with closing(connected(self.server)) as line:
            self._pass(line, self.message)
            with suppress(OSError):
                reply = read_message(line)
        with suppress(IndexError, ValueError):
            self.exchange.status = int(reply.split(b" ", 2)[1])
        self.exchange.answered = len(reply)
        return reply

    def _send(self, part: bytes) -> None:
        """Hand a part on and wait for nothing."""
        if part:
            line = connected(self.server)
            self._pass(line, part)
            end(line, reset=self.exchange.cut.reset)

    def _pass(self, line: socket.socket, part: bytes) -> None:
        line.sendall(part)
        self.exchange.passed = len(part)
        self.exchange.whole += len(part) == self.exchange.length

    def _back(self, reply: bytes) -> bool:
        """Pass a reply back; whether the caller's line goes on after it."""
        try:
            self.caller.sendall(reply)
        except OSError:  # the caller has gone
            return False
        self.exchange.returned = len(reply)
        return bool(reply) and not self.exchange.cut.down

    def _wait_for_caller(self, *, beyond: bool = False) -> None:
        """Wait until the caller has given up; `beyond` that, until nothing is cut any more."""
        until = time.monotonic() + AT_MOST
        while not self.calm.is_set() and (beyond or not gone(self.caller)) and time.monotonic() < until:
            self.calm.wait(0.01)


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
