"""An assistant's ways to the tools, and somebody who is asked: nobody waits, and time passes by word alone."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import mcp_types as types
import phonenumbers
import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal
from mcp import Client as MCP
from pydantic import ValidationError

from mcp_server.server import serve
from topcalls_tools import AsyncClient, Client, TopCallsToolkit
from topcalls_tools.action import sentence
from topcalls_tools.connect import Line
from topcalls_tools.deeds import ConfirmAction
from topcalls_tools.errors import TopCallsError
from topcalls_tools.sandbox import open_sandbox, serve_in_background
from topcalls_tools.settings import Settings
from topcalls_tools.steps import Ask
from topcalls_tools.tools import TOOLS

from .conftest import World
from .mishaps import Time
from .owner import owner

SURFACES = ("client", "langchain", "mcp", "legacy mcp")
READS = timedelta(seconds=2)
"""How long a person has a question before them."""
EVERYWHERE = f"countries = {sorted(phonenumbers.SUPPORTED_REGIONS)}"
"""The line of an owner who lets every country be called: the other rules are alone then."""
KINDS = {action.tool: action for action in (*TOOLS, ConfirmAction)}


@pytest.fixture(scope="module")
def portal() -> Iterator[BlockingPortal]:
    """The loop in which assistants live."""
    with start_blocking_portal() as portal:
        yield portal


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A sandbox for a whole module, in which no campaign runs."""
    sandbox = open_sandbox(tmp_path_factory.mktemp("town") / "world.db", plans=())
    served = serve_in_background(sandbox)
    yield World(served, sandbox.key())
    served.close()


def furnished(home: Path, town: World, lines: str = "", **given: Any) -> Path:
    """A home with a policy that was accepted and an empty journal, to be copied."""
    owner(home, lines, **given)
    line = Line(town.settings(home, rehearse=True))
    line.desk().journal()
    line.close()
    return home


class Person:
    """Somebody in charge. `says` answers a question by its text: True, False, or None for a closed form."""

    def __init__(self, says: Callable[[str], bool | None], time: Time) -> None:
        self.says, self.time = says, time
        self.asked: list[str] = []
        self.agreed: list[str] = []

    def answer(self, question: str) -> bool | None:
        self.time.passes(READS)
        self.asked.append(question)
        yes = self.says(question)
        if yes:
            self.agreed.append(question)
        return yes

    def forget(self) -> None:
        self.asked, self.agreed = [], []

    def approve(self, ask: Ask) -> bool | None:
        return self.answer(ask.question.text())

    async def form(self, ctx: Any, params: Any) -> types.ElicitResult:
        yes = self.answer(params.message)
        if yes is None:
            return types.ElicitResult(action="cancel")
        return types.ElicitResult(action="accept", content={"yes": yes})


def yes(question: str) -> bool:
    return True


def no(question: str) -> bool:
    return False


def nothing(question: str) -> None:
    return None


@dataclass(frozen=True, slots=True)
class Told:
    """What an assistant is told."""

    words: str
    error: bool


Call = Callable[[str, Mapping[str, Any]], Told]


@dataclass(frozen=True, slots=True)
class Assistant:
    """One surface, the line that it speaks over, and whom it asks."""

    surface: str
    line: Line
    person: Person
    call: Call
    at_once: Callable[[list[tuple[str, Mapping[str, Any]]]], list[Told]]
    """Several calls at the same moment."""
    session: Any = None
    """The MCP session below, where there is one."""


def rehearsed(settings: Settings, says: Callable[[str], bool | None] = yes) -> tuple[Line, Person]:
    """A line with its own time, and the person whom it asks."""
    time = Time(timedelta())
    return Line(settings, clock=time.clock, timer=time.timer), Person(says, time)


@contextmanager
def assistant(
    surface: str, line: Line, person: Person, portal: BlockingPortal, toolsets: str = "all"
) -> Iterator[Assistant]:
    """An assistant that is connected over one surface. In the MCP it shows forms."""
    with ExitStack() as stack:
        session = None
        match surface:
            case "client":
                client = stack.enter_context(Client(line=line, approve=person.approve))

                async def call(tool: str, given: Mapping[str, Any]) -> Told:
                    return await _to_thread(lambda: _sent(client, tool, given))
            case "langchain":
                client = stack.enter_context(Client(line=line))
                toolkit = TopCallsToolkit(client=client, approve=person.approve, toolsets=toolsets)
                tools = {tool.name: tool for tool in toolkit.get_tools()}

                async def call(tool: str, given: Mapping[str, Any]) -> Told:
                    return await _invoked(tools, tool, given)
            case _:
                mode = "legacy" if surface == "legacy mcp" else "auto"
                session = stack.enter_context(
                    portal.wrap_async_context_manager(_connected(line, mode, person))
                )

                async def call(tool: str, given: Mapping[str, Any]) -> Told:
                    return await _called(session, tool, given)

        yield Assistant(
            surface,
            line,
            person,
            lambda tool, given: portal.call(call, tool, given),
            lambda calls: portal.call(_at_once, call, calls),
            session,
        )
        line.close()


def copied(template: Path, home: Path) -> Path:
    """A home like another one, with a journal of its own."""
    shutil.copytree(template, home)
    return home


@asynccontextmanager
async def _connected(line: Line, mode: str, person: Person):  # type: ignore[no-untyped-def]
    async with (
        AsyncClient(line=line) as client,
        MCP(serve(client), mode=mode, elicitation_callback=person.form) as mcp,  # type: ignore[arg-type]
    ):
        yield mcp


def _sent(client: Client, tool: str, given: Mapping[str, Any]) -> Told:
    """As a program sends it, to which what is for code is open."""
    kind = KINDS[tool]
    try:
        request = kind.model_validate(dict(given))
        return Told(request.told(client.send(request), client.line.live), error=False)
    except ValidationError as wrong:
        return Told(sentence(wrong, kind), error=True)
    except TopCallsError as error:
        return Told(str(error), error=True)


async def _invoked(tools: Mapping[str, Any], tool: str, given: Mapping[str, Any]) -> Told:
    if tool not in tools:
        return Told("There is no such tool.", error=True)
    call = {"type": "tool_call", "id": "1", "name": tool, "args": dict(given)}
    message = await tools[tool].ainvoke(call)
    return Told(message.content, message.status == "error")


async def _called(session: Any, tool: str, given: Mapping[str, Any]) -> Told:
    from mcp.shared.exceptions import MCPError

    try:
        result = await session.call_tool(tool, dict(given))
    except MCPError as error:
        return Told(str(error), error=True)
    return Told("\n".join(block.text for block in result.content), bool(result.is_error))


async def _at_once(call: Any, calls: list[tuple[str, Mapping[str, Any]]]) -> list[Told]:
    import asyncio

    return list(await asyncio.gather(*(call(tool, given) for tool, given in calls)))


async def _to_thread(work: Callable[[], Told]) -> Told:
    from anyio.to_thread import run_sync

    return await run_sync(work)
