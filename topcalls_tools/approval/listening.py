"""A small web server on loopback, in a thread of this process."""

from __future__ import annotations

import socket
import threading
import time
from dataclasses import dataclass

import uvicorn
from starlette.applications import Starlette

from ..errors import Misconfigured

HOST = "127.0.0.1"
READY_WITHIN = 15.0
"""Seconds in which it must answer."""


@dataclass(frozen=True, slots=True)
class Listening:
    """A server that answers at `address` until it is closed."""

    address: str
    _server: uvicorn.Server
    _thread: threading.Thread

    def close(self) -> None:
        """Stop answering."""
        self._server.should_exit = True
        self._thread.join(timeout=5)


def listen(app: Starlette) -> Listening:
    """Answer on a free port from a thread, and return once it does. Raises Misconfigured where it cannot."""
    line = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        line.bind((HOST, 0))
        line.listen(16)
    except OSError as error:
        line.close()
        raise Misconfigured(f"No port can be had on this machine ({error.strerror}).") from None
    config = uvicorn.Config(
        app, log_level="critical", access_log=False, lifespan="off", server_header=False, ws="none"
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(
        target=server.run, kwargs={"sockets": [line]}, name="topcalls-approval", daemon=True
    )
    thread.start()
    until = time.monotonic() + READY_WITHIN
    while not server.started:
        if not thread.is_alive() or time.monotonic() > until:
            raise Misconfigured("The approval page did not start.")
        time.sleep(0.005)
    return Listening(f"http://{HOST}:{line.getsockname()[1]}", server, thread)
