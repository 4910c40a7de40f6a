"""Messages of HTTP/1.1 on plain sockets: read whole, cut at a byte, garbled. Shares no code with the product."""

from __future__ import annotations

import random
import socket
import struct
import time
from contextlib import suppress

HOST = "127.0.0.1"
PORTS = 20_000, 30_000
"""Outside the range from which connections take theirs: a port that is closed for a while stays free."""
REGIONS = ("line", "head", "body")
PLACES = ("before", "first", "middle", "last")
"""Where a region is cut: before its first byte, after it, in between, and before its last one."""
_NONSENSE = b"\xff\x00\xff"


def offset(message: bytes, region: str, place: str, share: float) -> int:
    """Where a message is cut; `share` says how far inside, from 0 to 1."""
    line, head = message.find(b"\r\n") + 2, message.find(b"\r\n\r\n") + 4
    start, end = {"line": (0, line), "head": (line, head), "body": (head, len(message))}[region]
    if end <= start:
        return start
    inside = start + 1 + int(share * max(0, end - start - 2))
    return {"before": start, "first": start + 1, "middle": inside, "last": end - 1}[place]


def garbled(message: bytes, region: str, share: float) -> bytes:
    """A message with bytes that mean nothing: it cannot be taken for another one."""
    at = offset(message, region, "middle", share)
    if region == "line":
        at = min(at, 6)  # before the status: another status would be another message
    return message[:at] + _NONSENSE + message[at + len(_NONSENSE) :]


def read_message(line: socket.socket) -> bytes:
    """A request or reply, as far as it comes; nothing at the end of a connection."""
    message = b""
    while True:
        head, blank, body = message.partition(b"\r\n\r\n")
        if blank and len(body) >= int(header(head, "content-length") or 0):
            return message
        part = line.recv(65_536)
        if not part:
            return message
        message += part


def header(head: bytes, name: str) -> str | None:
    """The value of a header, by its name in small letters."""
    for line in head.split(b"\r\n")[1:]:
        said, _, value = line.partition(b":")
        if said.strip().lower() == name.encode():
            return value.strip().decode("latin-1")
    return None


def gone(line: socket.socket) -> bool:
    """Whether the other end has closed its side."""
    try:
        return line.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


def end(line: socket.socket, *, reset: bool) -> None:
    """Close a line; `reset` without a goodbye, and without what may still be on its way."""
    with suppress(OSError):
        if reset:
            line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        line.close()


def connected(port: int) -> socket.socket:
    line = socket.create_connection((HOST, port), timeout=30)
    line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return line


def listening(port: int = 0) -> socket.socket:
    """A socket that takes connections, on this port or on one of PORTS."""
    while True:
        line = socket.socket()
        line.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            line.bind((HOST, port or random.randrange(*PORTS)))
            line.listen(128)
        except OSError:
            line.close()
            time.sleep(0.001)
        else:
            return line
