"""What the runs of the fault matrix share: a sandbox in a process of its own, a proxy before it, stores, and time."""

from __future__ import annotations

import logging
import multiprocessing
import signal
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from datetime import timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from topcalls_tools.journal.store import Journal
from topcalls_tools.sandbox import Sandbox, open_sandbox, serve_forever

from . import postgres
from .callers import Errand, Told, run
from .mishaps import STALLED
from .proxy import Proxy

DONE_WITHIN = 60.0
"""Real seconds after which a caller hangs."""
_PROCESSES = multiprocessing.get_context("forkserver")  # children of a process that has imported all this
_PRELOADED = [
    *("tests.matrix", "tests.killing"),
    *(
        "topcalls_tools.flow.consent",
        "topcalls_tools.contacts",
        "topcalls_tools.guard.rules",
        "topcalls_tools.http",
    ),
    *(
        "topcalls_tools.journal.heads",
        "alembic.command",
        "anyio._backends._asyncio",
        "httpcore",
        "jsonschema",
    ),
    *(
        "langchain_core.tracers.context",
        "langchain_core.tracers.langchain",
        "phonenumbers.geocoder",
        "phonenumbers.timezone",
    ),
    *("sqlalchemy.dialects.postgresql.psycopg", "sqlalchemy.dialects.sqlite.pysqlite"),
]
"""What a caller would otherwise load on first use, each one anew."""


class Stage:
    """Made by `stage()`. Accounts, journals and folders are new for each run; the clock goes on."""

    def __init__(
        self, folder: Path, sandbox: Sandbox, url: str, proxy: Proxy, cluster: postgres.Cluster | None
    ) -> None:
        self.folder, self.proxy, self.cluster = folder, proxy, cluster
        self.ahead = timedelta()
        self._sandbox = sandbox
        self._http = httpx.Client(base_url=url, trust_env=False, timeout=30)
        self._file = folder / "journal.db"
        Journal(self._file).close()
        self._database = cluster.new() if cluster else ""
        if cluster:
            Journal(self._database).close()

    @property
    def stores(self) -> tuple[str, ...]:
        return ("sqlite", "postgresql") if self.cluster else ("sqlite",)

    def account(self) -> str:
        """The key of an account that nobody else uses."""
        return self._sandbox.add_account(plans=())

    @contextmanager
    def journal(self, store: str, *, made: bool) -> Iterator[tuple[Path, str | None]]:
        """A folder and, in PostgreSQL, an address; `made` says that the journal's tables are there already."""
        with tempfile.TemporaryDirectory(dir=self.folder) as home:
            if store == "sqlite" or self.cluster is None:
                if made:
                    (Path(home) / "journal.db").write_bytes(self._file.read_bytes())
                yield Path(home), None
                return
            url = self.cluster.new(urlsplit(self._database).path[1:] if made else "template1")
            try:
                yield Path(home), url
            finally:
                self.cluster.drop(url)

    def step(self, seconds: float, key: str) -> None:
        """Let time pass, for the sandbox and for every caller that is sent out from now on."""
        self.proxy.quiet()
        self._control("POST", "clock", key, {"advance_seconds": seconds})
        self.ahead += timedelta(seconds=seconds)

    def order(self, kind: str, route: str, times: int, key: str) -> None:
        """Order a fault in the sandbox itself."""
        self._control("POST", "faults", key, {"route": route, "kind": kind, "next": times, "seconds": 0})

    def mend(self, key: str) -> None:
        self._control("DELETE", "faults", key)

    def rings(self, key: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._control("GET", "rings", key).json()["data"]
        return found

    def _control(self, method: str, what: str, key: str, said: Any = None) -> httpx.Response:
        signed = {"Authorization": f"Bearer {key}"}
        return self._http.request(method, f"/sandbox/{what}", json=said, headers=signed).raise_for_status()

    def close(self) -> None:
        self._http.close()


@contextmanager
def stage(cluster: postgres.Cluster | None) -> Iterator[Stage]:
    """Set everything up, once for all runs; without a cluster on SQLite alone."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        sandbox = stack.enter_context(closing(open_sandbox(folder / "sandbox.db", seed="faults", plans=())))
        _PROCESSES.set_forkserver_preload(_PRELOADED)
        here, there = _PROCESSES.Pipe(duplex=False)
        server = _PROCESSES.Process(target=_serve, args=(folder / "sandbox.db", there), daemon=True)
        server.start()
        stack.callback(server.join)
        stack.callback(server.kill)
        there.close()
        url = here.recv()
        proxy = stack.enter_context(closing(Proxy(urlsplit(url).port or 0)))
        yield stack.enter_context(closing(Stage(folder, sandbox, url, proxy, cluster)))


class Caller:
    """A process that was sent out with an errand."""

    def __init__(self, errand: Errand) -> None:
        self.errand = errand
        self._line, there = _PROCESSES.Pipe()
        self._process = _PROCESSES.Process(target=run, args=(errand, there), daemon=True)
        self._process.start()
        there.close()

    def ready(self) -> None:
        """Wait until it can begin. Raises ChildProcessError where it cannot: the test itself is wrong."""
        try:
            self._line.recv()
        except EOFError:
            raise ChildProcessError(f"A caller cannot even begin: {self.errand}") from None

    def go(self, passed: timedelta = timedelta()) -> None:
        """Let it begin, or go on after so much time."""
        with suppress(OSError):
            self._line.send(passed)

    def told(self) -> Told | str | None:
        """What it was told in the end, STALLED where it is held up, None where it was killed.

        Raises RuntimeError where it broke down or hangs.
        """
        try:
            if not self._line.poll(DONE_WITHIN):
                self._process.kill()
                raise RuntimeError(f"A caller hangs: {self.errand}")
            told: Told | str | None = self._line.recv()
        except (EOFError, ConnectionError):
            told = None
        if told == STALLED:
            return told
        self._line.close()
        self._process.join()
        mishap = self.errand.mishap
        if self._process.exitcode not in (0, -signal.SIGKILL if mishap and not mishap.stalls else 0):
            raise RuntimeError(f"A caller broke down with exit code {self._process.exitcode}: {self.errand}")
        return told


def sent_out(errands: Sequence[Errand]) -> list[Caller]:
    """Send processes out at one moment."""
    callers = [Caller(errand) for errand in errands]
    for one in callers:
        one.ready()
    for one in callers:
        one.go()
    return callers


def _serve(path: Path, ready: Connection) -> None:
    logging.disable(logging.ERROR)  # of every line that is cut, uvicorn would say so
    serve_forever(open_sandbox(path), 0, 1, ready.send)
