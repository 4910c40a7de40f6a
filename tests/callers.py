"""A process that wants a call, through one of the surfaces, and may meet with a mishap on the way."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass
from datetime import timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import anyio
import mcp_types
from mcp import Client as MCP

from mcp_server.server import serve
from topcalls_tools import AsyncClient, Client, PlaceCall
from topcalls_tools.connect import Line
from topcalls_tools.errors import TopCallsError
from topcalls_tools.flow.reconcile import reconcile
from topcalls_tools.flow.steps import Ask, Sleep
from topcalls_tools.langchain import TopCallsToolkit
from topcalls_tools.settings import Settings

from .broken import break_it
from .mishaps import AsyncTransport, Fate, Mishap, Time, Transport

ACCOUNT = "matrix"
SECRET = "one for all replicas"
SURFACES = ("client", "async client", "langchain", "async langchain", "mcp", "legacy mcp")
READS = timedelta(seconds=1)
"""How long a person has a form before them."""


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
    mishap: Mishap | None = None
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
    time = Time(errand.ahead)
    caller = _Caller(errand, time, Fate(errand.mishap, time, line, errand.patience))
    line.send(None)
    line.recv()
    line.send(caller.told())


class _Caller:
    """One surface over one line, whose time is in our hands and whose person says yes."""

    def __init__(self, errand: Errand, time: Time, fate: Fate) -> None:
        self._errand, self._time, self._fate = errand, time, fate
        settings = Settings(
            api_key=errand.key,  # type: ignore[arg-type]
            base_url=errand.url,
            home=errand.home,
            journal=errand.journal,  # type: ignore[arg-type]
            secret=SECRET,  # type: ignore[arg-type]
            account=ACCOUNT,
            rehearse=True,
        )
        self._line = Line(settings, clock=time.clock, timer=time.timer)

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
        client = Client(line=self._line, approve=lambda ask: self._yes(), transport=Transport(self._fate))
        inner = client._step
        client._step = lambda step, ask: (
            self._time.rest(step.seconds) if isinstance(step, Sleep) else inner(step, ask)
        )  # type: ignore[method-assign]
        return client

    def _async_client(self) -> AsyncClient:
        async def approve(ask: Ask) -> bool:
            return self._yes()

        client = AsyncClient(line=self._line, approve=approve, transport=AsyncTransport(self._fate))
        inner = client._step

        async def step(one: Any, approve: Any) -> Any:
            return self._time.rest(one.seconds) if isinstance(one, Sleep) else await inner(one, approve)

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
        self._time.passes(READS)
        return True


def _tool_call(arguments: dict[str, Any]) -> dict[str, Any]:
    return {"type": "tool_call", "name": PlaceCall.tool, "id": "1", "args": arguments}


def _from_tool(message: Any) -> Told:
    if message.status == "error":
        return Told(None, None, str(message.content))
    return Told(message.artifact.call_id, True, "")
