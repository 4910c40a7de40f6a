"""What can become of one exchange between a caller and the sandbox, from its first byte to its last.

It shares no code with what it cuts.
"""

from __future__ import annotations

import hashlib
import socket
import threading
import time
from contextlib import closing, suppress
from dataclasses import dataclass, field

from .sockets import PLACES, REGIONS, connected, end, garbled, gone, offset, read_message

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


@dataclass(frozen=True, slots=True)
class Cut:
    """What becomes of an exchange: one of CUTS, or "" for nothing. `reset` ends connections without a goodbye; nobody
    can connect meanwhile, and for `down` seconds afterwards. `share` says how far inside a region it is cut."""

    kind: str = ""
    reset: bool = False
    down: float = 0
    share: float = 0.5


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


@dataclass(slots=True)
class Passage:
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
