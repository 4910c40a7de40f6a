"""A server on loopback that is not TopCalls: it answers what a test says, at the time that it says, and writes
down what it is sent."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PROBLEM = "application/problem+json"


@dataclass
class Stranger:
    """What is answered, by path; another path is 404. A value is JSON, or text; or status, type and JSON."""

    answers: Mapping[str, Any] = field(default_factory=dict)
    clock: Callable[[], datetime] | None = None
    """What the Date header says; None for no such header."""
    came: list[tuple[str, str]] = field(default_factory=list)
    """Method and whole path of everything that was sent here."""

    def answer(self, path: str) -> tuple[int, str, bytes]:
        said = self.answers.get(path.partition("?")[0], (404, PROBLEM, {"title": "Not Found", "status": 404}))
        status, kind, body = said if isinstance(said, tuple) else (200, "application/json", said)
        return status, kind, body.encode() if isinstance(body, str) else json.dumps(body).encode()

    @contextmanager
    def open(self) -> Iterator[str]:
        stranger = self

        class Told(BaseHTTPRequestHandler):
            def _any(self) -> None:
                stranger.came.append((self.command, self.path))
                self.rfile.read(int(self.headers.get("content-length", 0)))
                status, kind, body = stranger.answer(self.path)
                self.send_response_only(status)
                if stranger.clock:
                    self.send_header("date", format_datetime(stranger.clock(), usegmt=True))
                self.send_header("content-type", kind)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = _any

            def log_message(self, format: str, *args: Any) -> None:
                """Nobody reads along."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Told)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            server.server_close()
