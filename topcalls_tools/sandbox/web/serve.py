"""Runs the sandbox's application on loopback: beside the program, or in the foreground."""

from __future__ import annotations

import gc
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import uvicorn
from uvicorn.protocols.http.auto import AutoHTTPProtocol

from ..box import Sandbox
from ..errors import SandboxError
from .app import CUT

HOST = "127.0.0.1"
READY_WITHIN = 15.0


@dataclass(frozen=True, slots=True)
class Served:
    """A sandbox that answers at `url` until it is closed."""

    url: str
    sandbox: Sandbox
    _server: uvicorn.Server
    _thread: threading.Thread

    def close(self) -> None:
        """Stop answering. The file keeps everything."""
        self._server.should_exit = True
        self._thread.join(timeout=5)
        self.sandbox.courier.close()
        self.sandbox.release()

    def __enter__(self) -> Served:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def serve_in_background(sandbox: Sandbox, *, port: int = 0) -> Served:
    """Answer on a free port from a thread of this process, and return once it does."""
    line = bound(port)
    server = _server(sandbox)
    sandbox.adopt()
    thread = threading.Thread(
        target=server.run, kwargs={"sockets": [line]}, name="topcalls-sandbox", daemon=True
    )
    thread.start()
    until = time.monotonic() + READY_WITHIN
    while not server.started:
        if not thread.is_alive() or time.monotonic() > until:
            raise SandboxError("The sandbox's server did not start; its log says why.")
        time.sleep(0.005)
    sandbox.courier.open()
    return Served(f"http://{HOST}:{line.getsockname()[1]}", sandbox, server, thread)


def serve_forever(
    sandbox: Sandbox, port: int | socket.socket, speed: float, ready: Callable[[str], None]
) -> None:
    """Answer until interrupted, on a port or on the socket that has it already.

    `ready` is told the address; the clock's speed is 1 again at the end.
    """
    sandbox.adopt()
    line = bound(port) if isinstance(port, int) else port
    sandbox.speed(speed)
    ready(f"http://{HOST}:{line.getsockname()[1]}")
    sandbox.courier.open()
    gc.collect()
    gc.freeze()  # what is loaded stays: looking for garbage in it time and again would take a tenth of it
    try:
        _server(sandbox).run(sockets=[line])
    finally:
        sandbox.courier.close()
        sandbox.speed(1)


def bound(port: int) -> socket.socket:
    """A socket that listens already, so that nobody who reads the address comes too early.

    Raises SandboxError where the port cannot be had.
    """
    # With its protocol named, asyncio turns Nagle's delay off; without, each reply waits 40 ms.
    line = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    line.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        line.bind((HOST, port))
        line.listen(128)
    except (OSError, OverflowError):
        line.close()
        raise SandboxError(f"Port {port} cannot be used; name another, or 0 for a free one.") from None
    return line


class _Line(AutoHTTPProtocol):  # type: ignore[misc, valid-type]  # one of two, chosen by what is installed
    """A connection that an application can cut without a word."""

    app: Any

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        inner = self.app

        async def app(scope: Any, receive: Any, send: Any) -> None:
            await inner({**scope, CUT: transport.abort}, receive, send)

        self.app = app


def _server(sandbox: Sandbox) -> uvicorn.Server:
    told = uvicorn.Config(
        sandbox.app(),
        http=_Line,
        log_level="warning",
        access_log=False,
        lifespan="off",
        timeout_graceful_shutdown=2,
        server_header=False,
    )
    return uvicorn.Server(told)
