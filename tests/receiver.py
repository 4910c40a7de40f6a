"""A server of webhooks on loopback that writes down what comes."""

from __future__ import annotations

import json
import random
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Receiver:
    """A server of webhooks; it writes down what comes. With `chance` it refuses some of it the first time."""

    chance: random.Random | None = None
    came: dict[tuple[str, str, str], list[str]] = field(default_factory=lambda: defaultdict(list))
    """For subject, event and path, the delivery ids in the order in which they came."""
    bodies: dict[str, str] = field(default_factory=dict)
    """What came last under a delivery id."""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def status(self, path: str, event: str, delivery: str, body: str) -> int:
        """Write a webhook down; the status of the answer."""
        told = json.loads(body)
        with self.lock:
            known = delivery in self.bodies
            self.bodies[delivery] = body
            self.came[told.get("call_id") or told["campaign_id"], event, path].append(delivery)
            return 200 if known or self.chance is None or self.chance.random() < 0.8 else 500

    @contextmanager
    def open(self) -> Iterator[str]:
        receiver = self

        class Told(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(length := int(self.headers["content-length"]))
                if len(body) < length:
                    return  # who sent it is dead
                event, delivery = self.headers["x-topcalls-event"], self.headers["x-topcalls-delivery"]
                self.send_response(receiver.status(self.path, event, delivery, body.decode()))
                self.send_header("content-length", "0")
                self.end_headers()

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
