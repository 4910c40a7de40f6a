"""What the tests of webhooks share: a sandbox that signs, a server that writes down what it sends, and ours."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from pydantic import SecretStr

from topcalls_tools import Client, PlaceCall
from topcalls_tools.approval.listening import listen
from topcalls_tools.connect import Line
from topcalls_tools.sandbox import open_sandbox, serve_in_background
from topcalls_tools.webhooks import End, Receiver

from .conftest import World, owner
from .test_webhooks import Got
from .test_webhooks import Receiver as Catcher

SECRET = "the owner's secret, schön geheim"
TASK = "Ask whether they are open on Labor Day."
OVER = 240.0
"""Seconds of the sandbox after which a call is over and all of it was told."""


def signed(body: bytes, secret: str = SECRET) -> str:
    """What TopCalls says of a body, by the contract and not by our code (A123)."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


@dataclass
class Stage:
    """A sandbox, the owner's line to it, and what the sandbox sends to the owner's address."""

    world: World
    line: Line
    caught: Catcher
    ends: list[End] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    def receiver(self, secret: str | None = SECRET) -> Receiver:
        """A receiver as a process has it that begins now."""
        client = Client(line=self.line)
        return Receiver(client, SecretStr(secret) if secret else None, self.ends.append, self.said.append)

    def place(self, number: str = "+14155550018", **more: Any) -> str:
        return Client(line=self.line).send(PlaceCall(phone_number=number, task=TASK, **more)).call_id

    def told(self, seconds: float = OVER) -> list[Got]:
        """What the sandbox has sent by then."""
        self.world.advance(seconds)
        self.send()
        return self.caught.took()

    def send(self) -> None:
        headers = {"Authorization": f"Bearer {self.world.key}"}
        httpx.post(
            f"{self.world.url}/sandbox/deliveries", json={}, headers=headers, timeout=60
        ).raise_for_status()

    def call(self, call_id: str) -> Any:
        return self.world.get(f"/v1/calls/{call_id}")


@contextmanager
def staged(home: Path, caught: Catcher, url: str | None = None, *, reset: bool = False) -> Iterator[Stage]:
    """A sandbox that signs, and an owner whose calls ask for their events at `url`, or where it is caught."""
    owner(home, f'webhook_url = "{url or caught.url}/hook"\n')
    sandbox = open_sandbox(home / "world.db", reset=reset)
    sandbox.sign(SECRET)
    served = serve_in_background(sandbox)
    world = World(served, sandbox.key())
    line = Line(world.settings(home))
    try:
        yield Stage(world, line, caught)
    finally:
        line.close()
        served.close()


@contextmanager
def served(receiver: Receiver) -> Iterator[str]:
    """A receiver on loopback that keeps what comes and works nothing by itself."""
    server = listen(receiver.app)
    try:
        yield server.address
    finally:
        server.close()


def post(url: str, got: Got, *, patient: bool = True, **headers: str | None) -> int:
    """Send what was caught, or the like; the status of the answer. Who is `patient` sends it again, as TopCalls
    does, while there was no time to keep it: the machine of the tests may be busy."""
    whole: dict[str, str | None] = {
        name: value for name, value in got.headers.items() if name.startswith(("x-", "content-type"))
    }
    whole |= {name.replace("_", "-"): value for name, value in headers.items()}
    kept = {name: value.encode() for name, value in whole.items() if value is not None}
    for _ in range(60):
        status = httpx.post(url, content=got.body, headers=kept, timeout=30, trust_env=False).status_code
        if status != 503 or not patient:
            break
    return status


def made(body: dict[str, Any] | bytes, delivery: str | None = None, secret: str = SECRET) -> Got:
    """A webhook as TopCalls would sign it."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"x-topcalls-signature": signed(raw, secret)}
    return Got("/", headers | ({"x-topcalls-delivery": delivery} if delivery else {}), raw)
