"""While a call is followed, whoever waits is told where it stands; a wait that is cut hangs up nothing and
leaves nothing behind."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from contextlib import asynccontextmanager, suppress
from typing import Any, TypedDict

import anyio
import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langgraph.graph import START, StateGraph
from mcp import Client as MCP
from mcp import StdioServerParameters

from mcp_server.server import serve
from topcalls_tools import AsyncClient, Client, FollowCall, GetCall, PlaceCall, StopCall, TopCallsToolkit
from topcalls_tools.connect import Line
from topcalls_tools.flow.steps import Tell

from .conftest import CALL, World

ERAS = ["auto", "legacy"]
STAYS = "+14155550008"


@pytest.fixture
def call(world: World, client: Client) -> str:
    """A call in progress that ends when it is hung up."""
    placed = client.send(PlaceCall(**{**CALL, "phone_number": STAYS})).call_id
    world.advance(60)
    assert client.send(GetCall(call_id=placed)).status == "in_progress"
    return placed


class Heard:
    """Hears notices; the call is hung up at the first, so that the wait has an end."""

    def __init__(self, line: Line, call: str) -> None:
        self._line, self._call = line, call
        self.told: list[tuple[float, float | None, str | None]] = []

    async def __call__(self, elapsed: float, seconds: float | None, words: str | None) -> None:
        self.told.append((elapsed, seconds, words))
        if len(self.told) == 1:
            await AsyncClient(line=self._line).send(StopCall(call_id=self._call))

    def check(self) -> None:
        elapsed, seconds, words = self.told[0]
        assert 0 <= elapsed < 25
        assert seconds == 25
        assert (words or "").startswith("The call is in progress")


def nobody_waits(line: Line) -> bool:
    return (line.watch.waiters, line.bell.ears, line.watch._looking) == (0, 0, None)


@asynccontextmanager
async def served(line: Line, mode: str, stdio: bool, world: World, home: Any):
    if stdio:
        env = {**os.environ, "TOPCALLS_API_KEY": world.key, "TOPCALLS_BASE_URL": world.url}
        server: Any = StdioServerParameters(command=sys.executable, args=["-m", "mcp_server"], env=env)
        async with MCP(server, mode=mode) as mcp:
            yield mcp
    else:
        async with AsyncClient(line=line) as client, MCP(serve(client), mode=mode) as mcp:
            yield mcp


@pytest.mark.parametrize("stdio", [False, True], ids=["in process", "stdio"])
@pytest.mark.parametrize("mode", ERAS)
async def test_an_mcp_client_hears_progress(
    world: World, line: Line, home: Any, call: str, mode: str, stdio: bool
) -> None:
    heard = Heard(line, call)
    async with served(line, mode, stdio, world, home) as mcp:
        # turns to be told have come already, so that only the end of the call is news
        arguments = {"call_id": call, "from_turn": 1000}
        result = await mcp.call_tool("follow_call", arguments, progress_callback=heard)
    assert result.structured_content["status"] == "cancelled"
    heard.check()
    assert nobody_waits(line)


@pytest.mark.parametrize("stdio", [False, True], ids=["in process", "stdio"])
@pytest.mark.parametrize("mode", ERAS)
async def test_a_request_that_an_mcp_client_cancels_hangs_up_nothing_and_leaves_nothing_behind(
    world: World, line: Line, home: Any, call: str, mode: str, stdio: bool
) -> None:
    waiting = anyio.Event()

    async def waits(*_: Any) -> None:
        waiting.set()

    async with served(line, mode, stdio, world, home) as mcp:
        async with anyio.create_task_group() as group:
            arguments = {"call_id": call, "from_turn": 1000, "wait_seconds": 40}
            group.start_soon(lambda: mcp.call_tool("follow_call", arguments, progress_callback=waits))
            await waiting.wait()
            group.cancel_scope.cancel()
        seen = await mcp.call_tool("get_call", {"call_id": call})
        assert seen.structured_content["status"] == "in_progress"
        if not stdio:
            while not nobody_waits(line):
                await anyio.lowlevel.checkpoint()
        heard = Heard(line, call)
        arguments = {"call_id": call, "from_turn": 1000}
        result = await mcp.call_tool("follow_call", arguments, progress_callback=heard)
        assert result.structured_content["status"] == "cancelled"


@pytest.mark.parametrize("mode", ERAS)
async def test_a_client_that_goes_away_in_the_middle_of_a_wait_leaves_nothing_behind(
    world: World, line: Line, home: Any, call: str, mode: str
) -> None:
    waiting = anyio.Event()

    async def waits(*_: Any) -> None:
        waiting.set()

    async with anyio.create_task_group() as group:
        async with served(line, mode, False, world, home) as mcp:

            async def follow() -> None:
                arguments = {"call_id": call, "from_turn": 1000, "wait_seconds": 40}
                with suppress(Exception):  # the connection ends under it
                    await mcp.call_tool("follow_call", arguments, progress_callback=waits)

            group.start_soon(follow)
            await waiting.wait()
        group.cancel_scope.cancel()
    assert nobody_waits(line)
    assert Client(line=line).send(GetCall(call_id=call)).status == "in_progress"


async def test_a_task_that_is_cancelled_while_it_follows_hangs_up_nothing(line: Line, call: str) -> None:
    waiting = asyncio.Event()
    async with AsyncClient(line=line) as client:
        request = FollowCall(call_id=call, from_turn=1000, wait_seconds=40)
        tasks = [
            asyncio.ensure_future(client.send(request, tell=lambda notice: waiting.set())) for _ in range(3)
        ]
        await waiting.wait()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert all(task.cancelled() for task in tasks)
        assert nobody_waits(line)
        assert (await client.send(GetCall(call_id=call))).status == "in_progress"


def test_ctrl_c_while_a_call_is_followed_hangs_up_nothing(line: Line, client: Client, call: str) -> None:
    def interrupted(notice: Tell) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        client.send(FollowCall(call_id=call, from_turn=1000, wait_seconds=40), tell=interrupted)
    assert nobody_waits(line)
    assert client.send(GetCall(call_id=call)).status == "in_progress"


def test_threads_that_follow_one_call_all_hear_of_its_end(line: Line, call: str) -> None:
    many = 6
    waiting = threading.Barrier(many + 1)
    ends: list[str | None] = []

    def follow() -> None:
        told: list[Tell] = []

        def tell(notice: Tell) -> None:
            told.append(notice)
            if len(told) == 1:
                waiting.wait(60)

        request = FollowCall(call_id=call, from_turn=1000, wait_seconds=40)
        ends.append(Client(line=line).send(request, tell=tell).status)

    threads = [threading.Thread(target=follow) for _ in range(many)]
    for thread in threads:
        thread.start()
    waiting.wait(60)
    Client(line=line).send(StopCall(call_id=call))
    for thread in threads:
        thread.join()
    assert ends == ["cancelled"] * many
    assert nobody_waits(line)


class Handler(BaseCallbackHandler):
    """Collects custom events; the call is hung up at the first."""

    def __init__(self, client: Client, call: str) -> None:
        self._client, self._call = client, call
        self.events: list[tuple[str, dict[str, Any]]] = []

    def on_custom_event(self, name: str, data: Any, **_: Any) -> None:
        self.events.append((name, data))
        if len(self.events) == 1:
            self._client.send(StopCall(call_id=self._call))


def followed(client: Client) -> Any:
    return next(tool for tool in TopCallsToolkit(client=client).get_tools() if tool.name == "follow_call")


@pytest.mark.parametrize("way", ["invoke", "ainvoke"])
def test_a_langchain_run_gets_a_custom_event(client: Client, call: str, way: str) -> None:
    handler, tool = Handler(client, call), followed(client)
    arguments: Any = {"call_id": call, "from_turn": 1000}
    if way == "invoke":
        tool.invoke(arguments, config={"callbacks": [handler]})
    else:
        asyncio.run(tool.ainvoke(arguments, config={"callbacks": [handler]}))
    name, told = handler.events[0]
    assert name == "follow_call"
    assert told["tool"] == "follow_call"
    assert told["seconds"] == 25
    assert told["words"].startswith("The call is in progress")


async def test_a_langchain_event_stream_shows_where_the_call_stands(client: Client, call: str) -> None:
    seen = []
    arguments: Any = {"call_id": call, "from_turn": 1000}
    async for event in followed(client).astream_events(arguments, version="v2"):
        if event["event"] == "on_custom_event" and not seen:
            seen.append(event["data"]["words"])
            await client.twin().send(StopCall(call_id=call))
    assert seen[0].startswith("The call is in progress")


class State(TypedDict):
    """What passes through the graph."""

    told: str


@pytest.mark.parametrize("way", ["stream", "astream"])
def test_a_graph_streams_where_the_call_stands(client: Client, call: str, way: str) -> None:
    tool = followed(client)
    arguments: Any = {"call_id": call, "from_turn": 1000}

    def node(state: State) -> State:
        return {"told": tool.invoke(arguments)}

    async def anode(state: State) -> State:
        return {"told": await tool.ainvoke(arguments)}

    graph = StateGraph(State)
    graph.add_node("follow", node if way == "stream" else anode)
    graph.add_edge(START, "follow")
    told: list[Any] = []

    def hear(chunk: Any) -> None:
        told.append(chunk)
        if len(told) == 1:
            client.send(StopCall(call_id=call))

    async def each() -> None:
        async for chunk in graph.compile().astream({"told": ""}, stream_mode="custom"):
            await asyncio.to_thread(hear, chunk)

    if way == "astream":
        asyncio.run(each())
    else:
        for chunk in graph.compile().stream({"told": ""}, stream_mode="custom"):
            hear(chunk)
    assert told[0]["tool"] == "follow_call"
    assert told[0]["words"].startswith("The call is in progress")


def test_outside_of_any_run_a_langchain_tool_waits_all_the_same(client: Client, call: str) -> None:
    tool = followed(client)
    client.send(StopCall(call_id=call))
    assert "cancelled" in tool.func({"call_id": call, "from_turn": 1000, "wait_seconds": 0.01})[0]
