"""A process that wants a call, through one of the surfaces, and may be killed at a given moment of it."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import anyio
import httpx
import mcp_types
from mcp import Client as MCP
from sqlalchemy import Engine, event
from sqlalchemy.engine.default import DefaultDialect

from mcp_server.server import serve
from topcalls_tools import AsyncClient, Client, PlaceCall
from topcalls_tools.connect import Line
from topcalls_tools.errors import TopCallsError
from topcalls_tools.langchain import TopCallsToolkit
from topcalls_tools.reconcile import reconcile
from topcalls_tools.settings import Settings
from topcalls_tools.steps import Ask, Sleep

from .broken import break_it

ACCOUNT = "matrix"
SURFACES = ("client", "async client", "langchain", "async langchain", "mcp", "legacy mcp")
COMMITS = ("before commit", "after commit")
SENDS = ("before send", "after send", "before reply", "after reply")
MOMENTS = COMMITS + SENDS
READS = timedelta(seconds=1)
"""How long a person has a form before them."""
_SPINS = 0.004
_SENT = {
    "http11.send_request_headers.started": "before send",
    "http11.send_request_body.complete": "after send",
    "http11.receive_response_headers.complete": "before reply",
    "http11.receive_response_body.complete": "after reply",
}


@dataclass(frozen=True, slots=True)
class Kill:
    """SIGKILL at the nth moment of its kind, counted from 1."""

    moment: str
    nth: int


@dataclass(frozen=True, slots=True)
class Errand:
    """What a process is sent to do. Without arguments it only finishes what others left."""

    surface: str
    url: str
    key: str
    home: Path
    journal: str | None
    ahead: timedelta
    """How far its clock is ahead of real time."""
    arguments: dict[str, Any] | None = None
    patience: float = 0.4
    """Real seconds that it waits for a reply. What a driver sleeps takes hardly any."""
    kill: Kill | None = None
    broken: str | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """What a caller was told in the end. `happened` is None where nobody knows, or where words alone came back."""

    call_id: str | None
    happened: bool | None
    words: str


def run(errand: Errand, line: Connection) -> None:
    """Get ready, wait for the word, do it, and tell what came of it."""
    for name in [name for name in os.environ if name.startswith("TOPCALLS_")]:
        del os.environ[name]
    break_it(errand.broken)
    fate = _Fate(errand)
    caller = _Caller(errand, fate)
    line.send(None)
    line.recv()
    line.send(caller.told())


class _Fate:
    """Counts moments, and kills this process at the one that was chosen."""

    def __init__(self, errand: Errand) -> None:
        kill, self._patience = errand.kill, errand.patience
        self._kill, self._left = kill, kill.nth if kill else 0
        if kill and kill.moment in COMMITS:
            self._watch_commits()

    def comes(self, moment: str) -> None:
        if self._kill and moment == self._kill.moment:
            self._left -= 1
            if not self._left:
                os.kill(os.getpid(), signal.SIGKILL)

    def _watch_commits(self) -> None:
        committed, writes = DefaultDialect.do_commit, [False]

        @event.listens_for(Engine, "commit")
        def _(db: Any) -> None:
            writes[0] = not db.get_execution_options().get("reads")
            if writes[0]:
                self.comes("before commit")

        def commit(dialect: Any, db: Any) -> None:
            committed(dialect, db)
            if writes[0]:
                self.comes("after commit")

        DefaultDialect.do_commit = commit  # type: ignore[method-assign]

    def watch(self, request: httpx.Request, *, blocking: bool) -> None:
        """Follow a request on its way, and wait for its reply no longer than these tests have time."""

        def trace(name: str, _: Any) -> None:
            self.comes(_SENT.get(name, ""))

        async def async_trace(name: str, _: Any) -> None:
            trace(name, _)

        given = request.extensions
        waits = {**given["timeout"], "read": min(self._patience, given["timeout"]["read"])}
        request.extensions = {**given, "timeout": waits, "trace": trace if blocking else async_trace}


class _Transport(httpx.HTTPTransport):
    def __init__(self, fate: _Fate) -> None:
        super().__init__()
        self._fate = fate

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self._fate.watch(request, blocking=True)
        return super().handle_request(request)


class _AsyncTransport(httpx.AsyncHTTPTransport):
    def __init__(self, fate: _Fate) -> None:
        super().__init__()
        self._fate = fate

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self._fate.watch(request, blocking=False)
        return await super().handle_async_request(request)


class _Caller:
    """One surface over one line, whose time is in our hands and whose person says yes."""

    def __init__(self, errand: Errand, fate: _Fate) -> None:
        self._errand, self._fate = errand, fate
        self._ahead, self._slept = errand.ahead, 0.0
        settings = Settings(
            api_key=errand.key,  # type: ignore[arg-type]
            base_url=errand.url,
            home=errand.home,
            journal=errand.journal,  # type: ignore[arg-type]
            secret="one for all replicas",  # type: ignore[arg-type]
            account=ACCOUNT,
            rehearse=True,
        )
        self._line = Line(
            settings,
            clock=lambda: datetime.now(UTC) + self._ahead,
            timer=lambda: time.monotonic() + self._slept,
        )

    def told(self) -> Told:
        arguments, surface = self._errand.arguments, self._errand.surface
        try:
            if arguments is None:
                client = self._client()
                return Told(None, None, str(client.run(reconcile(client.line.desk(), thorough=True))))
            match surface:
                case "client":
                    placed = self._client().send(PlaceCall(**arguments))
                    return Told(placed.call_id, True, "")
                case "async client":
                    placed = anyio.run(self._async_client().send, PlaceCall(**arguments))
                    return Told(placed.call_id, True, "")
                case "langchain":
                    return _from_tool(self._tool(self._client()).invoke(_tool_call(arguments)))
                case "async langchain":
                    tool = self._tool(self._async_client())
                    return _from_tool(asyncio.run(tool.ainvoke(_tool_call(arguments))))
                case _:
                    return anyio.run(self._through_mcp, "legacy" if surface == "legacy mcp" else "auto")
        except TopCallsError as error:
            return Told(None, error.happened, f"{type(error).__name__}: {error}")

    def _client(self) -> Client:
        client = Client(line=self._line, approve=lambda ask: self._yes(), transport=_Transport(self._fate))
        inner = client._step
        client._step = lambda step: self._rest(step.seconds) if isinstance(step, Sleep) else inner(step)  # type: ignore[method-assign]
        return client

    def _async_client(self) -> AsyncClient:
        async def approve(ask: Ask) -> bool:
            return self._yes()

        client = AsyncClient(line=self._line, approve=approve, transport=_AsyncTransport(self._fate))
        inner = client._step

        async def step(one: Any, approve: Any) -> Any:
            return self._rest(one.seconds) if isinstance(one, Sleep) else await inner(one, approve)

        client._step = step  # type: ignore[method-assign]
        return client

    def _tool(self, client: Client | AsyncClient) -> Any:
        return next(tool for tool in TopCallsToolkit(client=client).get_tools() if tool.name == "place_call")

    async def _through_mcp(self, mode: Any) -> Told:
        async def person(ctx: Any, form: Any) -> mcp_types.ElicitResult:
            return mcp_types.ElicitResult(action="accept", content={"yes": self._yes()})

        server = serve(self._async_client())
        async with MCP(server, mode=mode, elicitation_callback=person) as mcp:
            got = await mcp.call_tool(PlaceCall.tool, self._errand.arguments or {})
        content = got.structured_content
        words = "\n".join(getattr(block, "text", "") for block in got.content)
        return Told(
            content["call_id"] if content else None, True if content else None, words if got.is_error else ""
        )

    def _yes(self) -> bool:
        """What a person says who has read the question."""
        self._ahead += READS
        self._slept += READS.total_seconds()
        return True

    def _rest(self, seconds: float) -> None:
        self._slept += seconds
        time.sleep(min(seconds, _SPINS))


def _tool_call(arguments: dict[str, Any]) -> dict[str, Any]:
    return {"type": "tool_call", "name": PlaceCall.tool, "id": "1", "args": arguments}


def _from_tool(message: Any) -> Told:
    if message.status == "error":
        return Told(None, None, str(message.content))
    return Told(message.artifact.call_id, True, "")
