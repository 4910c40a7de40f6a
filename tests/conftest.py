"""What the tests share: a home of their own, a sandbox on loopback, and its clock in their hands."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from topcalls_tools import AsyncClient, Client
from topcalls_tools.connect import Line
from topcalls_tools.guard.compose import VOICEMAIL
from topcalls_tools.sandbox import Served, open_sandbox, serve_in_background
from topcalls_tools.settings import Settings

from .owner import allowing, owner
from .postgres import database, postgresql

__all__ = ["allowing", "database", "owner", "postgresql"]
NUMBER = "+14155550123"
CALL = {"phone_number": NUMBER, "task": "Ask whether they are open on Labor Day."}
SENT_TASK = f"{CALL['task']}\n{VOICEMAIL['hang_up']}"
"""The task as it is sent: the guard has completed it."""


# Whoever starts the tests in the background has Ctrl-C ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)


class World:
    """A sandbox that runs, as a judge sees it: which phones rang, and a clock to step."""

    def __init__(self, served: Served, key: str) -> None:
        self.url, self.key = served.url, key
        self._http = httpx.Client(
            base_url=served.url, headers={"Authorization": f"Bearer {key}"}, trust_env=False
        )

    def advance(self, seconds: float) -> None:
        self._http.post("/sandbox/clock", json={"advance_seconds": seconds}).raise_for_status()

    def pace(self, times: float) -> None:
        """Let its time pass so many times as fast as real time; 0 stops it."""
        self._http.post("/sandbox/clock", json={"speed": times}).raise_for_status()

    def rings(self) -> list[dict[str, Any]]:
        """The phones that rang, once every call placed so far has had time to ring."""
        self.advance(30)
        reply = self._http.get("/sandbox/rings")
        found: list[dict[str, Any]] = reply.json()["data"]
        return found

    def get(self, path: str) -> Any:
        return self._http.get(path).raise_for_status().json()

    def settings(self, home: Path, **given: Any) -> Settings:
        return Settings(api_key=self.key, base_url=self.url, home=home, **given)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A TOPCALLS_HOME that nobody else uses, and no setting of the person who runs the tests."""
    import os

    for name in list(os.environ):
        if name.startswith("TOPCALLS_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("TOPCALLS_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path / "home"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    sandbox = open_sandbox(tmp_path / "world.db")
    served = serve_in_background(sandbox)
    yield World(served, sandbox.key())
    served.close()


@pytest.fixture
def line(world: World, home: Path) -> Iterator[Line]:
    """The sandbox, spoken to as its owner, who allows nearly everything."""
    owner(home)
    line = Line(world.settings(home))
    yield line
    line.close()


@pytest.fixture
def rehearsal(world: World, home: Path) -> Iterator[Line]:
    """The sandbox under everything that a live key would meet, of an owner who allows nearly everything."""
    owner(home)
    line = Line(world.settings(home, rehearse=True))
    yield line
    line.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Path | str:
    """Where a journal is kept, in each of the two ways: a file, or a database's address."""
    if request.param == "sqlite":
        return tmp_path / "j.db"
    url: str = request.getfixturevalue("database")
    return url


@pytest.fixture
def client(line: Line) -> Client:
    return Client(line=line)


@pytest.fixture
def aclient(line: Line) -> AsyncClient:
    return AsyncClient(line=line)


@pytest.fixture
def live(home: Path) -> Callable[..., Line]:
    """A line to nowhere with a live key: what speaks over it hands in a transport."""

    def make(**given: Any) -> Line:
        if "account" in given or not (home / "policy.toml").exists():
            owner(home, account=given.get("account", "live"))
        return Line(
            Settings(api_key="tc_live_canary0123", base_url="https://topcalls.invalid", home=home, **given)
        )

    return make
