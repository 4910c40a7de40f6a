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
from topcalls_tools.flow.steps import Ask
from topcalls_tools.sandbox import open_sandbox, serve_in_background
from topcalls_tools.settings import Settings
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


@pytest.fixture(scope="module")
def homes(town: World, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Makes homes: each with the policy of an owner, accepted unless another one was, and an empty journal."""
    made: dict[tuple[str, str | None], Path] = {}

    def home(lines: str = "", accepted: str | None = None) -> Path:
        if (lines, accepted) not in made:
            made[lines, accepted] = template = tmp_path_factory.mktemp("owners") / "template"
            owner(template, lines, accepted=accepted)
            line = Line(town.settings(template, rehearse=True))
            line.desk().journal()
            line.close()
        fresh = tmp_path_factory.mktemp("homes") / "home"
        shutil.copytree(made[lines, accepted], fresh)
        return fresh

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
    portal: BlockingPortal
    call: Call
    at_once: Callable[[list[tuple[str, Mapping[str, Any]]]], list[Told]]
    """Several calls at the same moment."""
    session: Any = None
    """The MCP session below, where there is one."""


def rehearsed(
    settings: Settings, says: Callable[[str], bool | None] = yes, ahead: timedelta = timedelta()
) -> tuple[Line, Person]:
    """A line with its own time, so much ahead of real time, and the person whom it asks."""
    time = Time(ahead)
    return Line(settings, clock=time.clock, timer=time.timer), Person(says, time)


@contextmanager
def assistant(
    surface: str, line: Line, person: Person, portal: BlockingPortal, *, forms: bool = True
) -> Iterator[Assistant]:
    """An assistant that is connected over one surface. In the MCP it shows forms, where it can."""
    with ExitStack() as stack:
        session = None
        match surface:
            case "client":
                client = stack.enter_context(Client(line=line, approve=person.approve))

                async def call(tool: str, given: Mapping[str, Any]) -> Told:
                    return await _to_thread(lambda: _sent(client, tool, given))
            case "langchain":
                client = stack.enter_context(Client(line=line))
                toolkit = TopCallsToolkit(client=client, approve=person.approve, toolsets="all")
                tools = {tool.name: tool for tool in toolkit.get_tools()}

                async def call(tool: str, given: Mapping[str, Any]) -> Told:
                    return await _invoked(tools, tool, given)
            case _:
                mode = "legacy" if surface == "legacy mcp" else "auto"
                session = stack.enter_context(
                    portal.wrap_async_context_manager(_connected(line, mode, person if forms else None))
                )

                async def call(tool: str, given: Mapping[str, Any]) -> Told:
                    return await _called(session, tool, given)

        yield Assistant(
            surface,
            line,
            person,
            portal,
            lambda tool, given: portal.call(call, tool, given),
            lambda calls: portal.call(_at_once, call, calls),
            session,
        )
        line.close()


Anew = Callable[..., Assistant]


@pytest.fixture
def anew(town: World, portal: BlockingPortal, homes: Callable[..., Path]) -> Iterator[Anew]:
    """Makes an assistant with a home, an owner and a person of its own."""
    with ExitStack() as stack:

        def make(
            surface: str, lines: str = "", says: Any = yes, *, forms: bool = True, **given: Any
        ) -> Assistant:
            home = homes(lines, **given)
            system = home / "system.toml"
            settings = town.settings(home, rehearse=True, toolsets="all", system=system, browser="none")
            line, person = rehearsed(settings, says)
            return stack.enter_context(assistant(surface, line, person, portal, forms=forms))

        yield make


def file(name: str, text: str) -> Callable[[Assistant], None]:
    """Somebody writes a file of the owner's."""

    def write(one: Assistant) -> None:
        (one.line.settings.home / name).write_text(text)

    return write


def policy_line(name: str, value: str) -> Callable[[Assistant], None]:
    """Somebody changes one line of policy.toml."""

    def write(one: Assistant) -> None:
        path = one.line.settings.home / "policy.toml"
        kept = [line for line in path.read_text().splitlines() if not line.startswith(f"{name} =")]
        path.write_text("\n".join([*kept, f"{name} = {value}", ""]))

    return write


@asynccontextmanager
async def _connected(line: Line, mode: str, person: Person | None) -> Any:
    forms: Any = {"elicitation_callback": person.form} if person else {}
    async with AsyncClient(line=line) as client, MCP(serve(client), mode=mode, **forms) as mcp:
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
