"""One call, followed by looking, by webhooks and by both, on three surfaces: one story, nothing lost or twice."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from topcalls_tools import Client, TopCallsToolkit
from topcalls_tools.connect import Line
from topcalls_tools.journal import deliveries

from .hooks import Stage, post, served, signed, staged
from .test_listen import environment
from .test_webhooks import Got, receiver

__all__ = ["receiver"]
Tool = Callable[[str, dict[str, Any]], Any]
HUMAN = "+14155550018"
SPEED = 12
"""The sandbox's clock: half a minute of talk takes some seconds, and is followed in several parts."""


class Post:
    """Brings what the sandbox sends to the receiver: as it comes, or as badly as a network can."""

    def __init__(self, stage: Stage, badly: bool) -> None:
        self._stage, self._badly = stage, badly
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.answers: list[int] = []
        self.forged: list[int] = []

    def __enter__(self) -> Post:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stage.send()  # what is due and was not sent yet
        self._closing.set()
        self._thread.join(60)

    def _run(self) -> None:
        held: list[Got] = []
        while not self._closing.wait(0.05):
            held += self._stage.caught.took()
            if len(held) > (1 if self._badly else 0):  # badly: delayed, until another one overtakes it
                self._bring(held)
                held = []
        self._bring(held + self._stage.caught.took())

    def _bring(self, held: list[Got]) -> None:
        """All that is held, to a receiver that lives no longer than that."""
        ours = self._stage.receiver()
        with served(ours) as url:
            for one in reversed(held) if self._badly else held:
                self._brought(url, one)
            ours.afterwards.work()

    def _brought(self, url: str, one: Got) -> None:
        if self._badly:
            forged = Got(one.path, one.headers, one.body.replace(b'"text": "', b'"text": "FORGED '))
            self.forged.append(post(url, forged, x_topcalls_signature=signed(forged.body, "another")))
            self.answers.append(post(url, one, x_topcalls_delivery=f"again-{len(self.answers)}-{id(one)}"))
        self.answers += [post(url, one), post(url, one)]


def replied(shown: str) -> Any:
    """The JSON of a reply; before it may stand a line that says that this is practice."""
    return json.loads(shown[shown.index("{") :])


@contextmanager
def by_langchain(stage: Stage) -> Iterator[Tool]:
    line = Line(stage.line.settings)
    tools = {tool.name: tool for tool in TopCallsToolkit(client=Client(line=line)).get_tools()}
    yield lambda name, arguments: replied(tools[name].invoke(arguments))
    line.close()


@contextmanager
def by_command(stage: Stage) -> Iterator[Tool]:
    def run(name: str, arguments: dict[str, Any]) -> Any:
        switches = [
            part for key, value in arguments.items() for part in (f"--{key.replace('_', '-')}", str(value))
        ]
        command = [sys.executable, "-m", "topcalls_tools.cli", name.replace("_", "-"), *switches, "--json"]
        done = subprocess.run(
            command,
            env=environment(stage),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=True,
        )
        return replied(done.stdout)

    yield run


@asynccontextmanager
async def by_mcp(stage: Stage) -> Any:
    from mcp import Client as MCP
    from mcp.client.stdio import StdioServerParameters

    server = StdioServerParameters(command=sys.executable, args=["-m", "mcp_server"], env=environment(stage))
    async with MCP(server) as client:

        async def call(name: str, arguments: dict[str, Any]) -> Any:
            result = await client.call_tool(name, arguments)
            assert not result.is_error, result
            return result.structured_content

        yield call


def onward(call_id: str, seen: dict[str, Any] | None) -> dict[str, Any] | None:
    """How an assistant goes on: as the reply says; None at the end."""
    if seen and seen["ended"] and seen["completed"] and not seen["more"]:
        return None
    return {"call_id": call_id, "from_turn": seen["next_turn"] if seen else 1, "wait_seconds": 20}


def story(parts: list[dict[str, Any]]) -> list[tuple[int, str, str]]:
    return [(turn["turn"], turn["speaker"], turn["text"]) for part in parts for turn in part["turns"]]


def truth(stage: Stage, call_id: str) -> list[tuple[int, str, str]]:
    names = {"assistant": "agent", "user": "person called"}
    return [(turn["id"], names[turn["user"]], turn["text"]) for turn in stage.call(call_id)["transcript"]]


def speed(stage: Stage) -> None:
    headers = {"Authorization": f"Bearer {stage.world.key}"}
    httpx.post(f"{stage.world.url}/sandbox/clock", json={"speed": SPEED}, headers=headers).raise_for_status()


@contextmanager
def followed_by(stage: Stage, way: str) -> Iterator[Post | None]:
    if way == "looking":
        yield None
        return
    with Post(stage, badly=way == "both, badly") as carried:
        yield carried


@pytest.fixture
def stage(home: Path, receiver: Any) -> Iterator[Stage]:
    with staged(home, receiver) as found:
        speed(found)
        yield found


def told_once(stage: Stage, call_id: str, carried: Post | None) -> None:
    """What the receiver made of it: each event once, the end told once, nothing of what was forged."""
    if carried is None:
        return
    assert {*carried.answers} == {200}
    assert {*carried.forged} <= {401}
    known = deliveries.of_call(stage.line.desk().journal(), stage.line.account, call_id)
    assert sorted(one.event for one in known) == ["call.completed", "call.queued", "call.started"]
    assert [story([end.facts()]) for end in stage.ends] == [truth(stage, call_id)]


WAYS = ["looking", "webhooks", "both, badly"]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("surface", [by_langchain, by_command])
def test_the_same_turns_in_the_same_order_none_lost_and_none_twice(
    stage: Stage, surface: Callable[[Stage], Any], way: str
) -> None:
    parts: list[dict[str, Any]] = []
    with followed_by(stage, way) as carried, surface(stage) as tool:
        call_id = stage.place(HUMAN)
        while arguments := onward(call_id, parts[-1] if parts else None):
            parts.append(tool("follow_call", arguments))
    assert story(parts) == truth(stage, call_id) != []
    assert len(parts) > 1
    told_once(stage, call_id, carried)


@pytest.mark.parametrize("way", WAYS)
async def test_and_the_same_over_mcp(stage: Stage, way: str) -> None:
    import anyio

    parts: list[dict[str, Any]] = []
    with followed_by(stage, way) as carried:
        async with by_mcp(stage) as tool:
            call_id = await anyio.to_thread.run_sync(stage.place, HUMAN)
            while arguments := onward(call_id, parts[-1] if parts else None):
                parts.append(await tool("follow_call", arguments))
    assert story(parts) == truth(stage, call_id) != []
    assert len(parts) > 1
    told_once(stage, call_id, carried)
