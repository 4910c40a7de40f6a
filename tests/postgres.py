"""A PostgreSQL of the system's own packages, on loopback in a folder of its own: nobody's data, gone at the end.

`from .postgres import database, postgresql` gives a test module both fixtures.
"""

from __future__ import annotations

import ctypes
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

READY_WITHIN = 30.0
MISSING = (
    "PostgreSQL is not here: apt-get install postgresql, or have initdb and postgres on PATH. "
    "TOPCALLS_TEST_POSTGRESQL=required makes this a failure."
)
_REQUIRED = os.environ.get("TOPCALLS_TEST_POSTGRESQL") == "required"  # read before a test clears it
_FASTER = ("fsync=off", "full_page_writes=off", "shared_buffers=32MB", "max_connections=200")
"""The processes that these tests kill are ours, never PostgreSQL's: nothing depends on its disk."""

_PARENT_DEATH = 1
"""PR_SET_PDEATHSIG of prctl(2)."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """A server that runs until its `with` block ends. It listens on a Unix socket in `folder`, and on loopback."""

    folder: Path
    port: int

    def url(self, name: str) -> str:
        """The address of a database, as TOPCALLS_JOURNAL takes it."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/{name}"

    def new(self, template: str = "template1") -> str:
        """Make a database that nobody else uses, as a copy of another one; gives its address."""
        name = f"journal_{uuid.uuid4().hex}"
        self.say(f"CREATE DATABASE {name} TEMPLATE {template}")
        return self.url(name)

    def drop(self, url: str) -> None:
        """Take a database away, whoever may still be connected to it."""
        self.say(f"DROP DATABASE IF EXISTS {url.rpartition('/')[2]} WITH (FORCE)")

    def say(self, statement: str) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as db:
            db.execute(statement.encode())


def programs() -> Path | None:
    """The folder with PostgreSQL's programs, of the newest version that is here."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name))
    on_path = shutil.which("initdb")
    found = [*debian[-1:], *([Path(on_path).resolve().parent] if on_path else [])]
    return next((path for path in found if (path / "initdb").exists() and (path / "postgres").exists()), None)


def wanted() -> bool:
    """Whether it is here; fails the test where it must be and is not."""
    if programs() is None and _REQUIRED:
        pytest.fail(MISSING)
    return programs() is not None


@contextmanager
def cluster() -> Iterator[Cluster]:
    """Start a server in a folder of its own; with the block it ends, and the folder is gone.

    PostgreSQL refuses to run as root, so root runs it as the user `postgres`. Raises FileNotFoundError where it
    is not installed.
    """
    bin = programs()
    if bin is None:
        raise FileNotFoundError(MISSING)
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))  # a socket's path may have 107 characters
    as_whom: dict[str, Any] = {}
    if os.geteuid() == 0:
        owner = pwd.getpwnam("postgres")
        os.chown(folder, owner.pw_uid, owner.pw_gid)
        as_whom = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": ()}
    where = str(folder / "cluster")
    made = [
        bin / "initdb",
        "-D",
        where,
        "-U",
        "postgres",
        "-A",
        "trust",
        "-E",
        "UTF8",
        "--locale=C",
        "--no-sync",
    ]
    port = _free_port()
    run = [bin / "postgres", "-D", where, "-k", str(folder), "-h", "127.0.0.1", "-p", str(port)]
    for setting in _FASTER:
        run += ["-c", setting]
    quiet: dict[str, Any] = {"cwd": folder, "stdout": subprocess.DEVNULL, **as_whom}
    try:
        subprocess.run(made, check=True, stderr=subprocess.PIPE, **quiet)
        with (folder / "log").open("wb") as log:
            server = subprocess.Popen(run, stderr=log, preexec_fn=_ends_with_us(), **quiet)
        try:
            one = Cluster(folder, port)
            _wait(one, server)
            yield one
        finally:
            server.send_signal(signal.SIGINT)  # a fast shutdown: it waits for no client
            server.wait(timeout=READY_WITHIN)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Cluster]:
    """One server for all tests that need one."""
    if not wanted():
        pytest.skip(MISSING)
    with cluster() as one:
        yield one


@pytest.fixture
def database(postgresql: Cluster) -> Iterator[str]:
    """The address of an empty database that no other test uses."""
    url = postgresql.new()
    yield url
    postgresql.drop(url)


def _ends_with_us() -> Callable[[], object] | None:
    """Where Linux can promise it: a server whose tests are killed ends too."""
    if sys.platform != "linux":
        return None
    system = ctypes.CDLL(None)
    return lambda: system.prctl(_PARENT_DEATH, signal.SIGINT)


def _wait(one: Cluster, server: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + READY_WITHIN
    while True:
        try:
            one.say("SELECT 1")
        except psycopg.OperationalError:
            if server.poll() is not None or time.monotonic() > until:
                log = (one.folder / "log").read_text("utf-8", "replace")
                raise RuntimeError(f"PostgreSQL did not start: {log[-500:]}") from None
            time.sleep(0.02)
        else:
            return


def _free_port() -> int:
    with socket.socket() as line:
        line.bind(("127.0.0.1", 0))
        return int(line.getsockname()[1])
