"""The driver that does not block: nobody who is waited for holds up a brake, and a deed is not cancelled half done."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

from topcalls_tools import AsyncClient, GetBalance, StopCall
from topcalls_tools.connect import Line
from topcalls_tools.deeds import StopAll
from topcalls_tools.flow.steps import IN_ALL, Ask, Flow, Keep, Send, Sleep
from topcalls_tools.settings import Settings
from topcalls_tools.wire import Request

from .conftest import World
from .test_flow import PLACE
from .test_stop_all import TopCalls, talking

CROWD, THREADS = 45, 40
"""How many hang at once, and how many threads anyio has for everybody together."""
ANYTHING = httpx.MockTransport(
    lambda request: httpx.Response(
        200, json={"ok": True, "status": "cancelled", "data": [], "remaining": 500}
    )
)
FOREVER = 10.0
"""Seconds after which a brake is held up for good."""


class Crowd:
    """Hangs in threads until it is let go."""

    def __init__(self) -> None:
        self._loop, self._full, self._count = asyncio.get_running_loop(), asyncio.Event(), 0
        self._go, self._one = threading.Event(), threading.Lock()

    def hang(self, ask: Ask | None = None) -> None:
        with self._one:
            self._count += 1
            if self._count == THREADS:
                self._loop.call_soon_threadsafe(self._full.set)
        self._go.wait()

    async def holds_up(self, client: AsyncClient, send: Callable[[], Any]) -> bool:
        """Whether a brake comes through while so many hang."""
        hanging = [asyncio.ensure_future(send()) for _ in range(CROWD)]
        try:
            await self._full.wait()
            with anyio.move_on_after(FOREVER):
                return not (await client.send(StopCall(call_id="c1"))).ok
            return True
        finally:
            self._go.set()
            await asyncio.gather(*hanging, return_exceptions=True)


async def test_persons_who_are_asked_hold_up_no_brake(line: Line) -> None:
    crowd = Crowd()
    client = AsyncClient(line=line, approve=crowd.hang, transport=ANYTHING)
    assert not await crowd.holds_up(client, lambda: client.send(PLACE))


async def test_a_store_that_hangs_holds_up_no_brake(line: Line) -> None:
    crowd = Crowd()
    client = AsyncClient(line=line, transport=ANYTHING)

    def hangs() -> Flow[None]:
        yield Keep(crowd.hang)

    assert not await crowd.holds_up(client, lambda: client.run(hangs()))


class Slow(httpx.AsyncBaseTransport):
    """The way to a sandbox on which answers to what changes something wait until they are let go."""

    def __init__(self) -> None:
        self._inner = httpx.AsyncHTTPTransport()
        self.arrived, self.go = asyncio.Event(), asyncio.Event()
        self.posts = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        reply = await self._inner.handle_async_request(request)
        if request.method == "POST":
            self.posts += 1
            self.arrived.set()
            await self.go.wait()
        return reply

    async def aclose(self) -> None:
        await self._inner.aclose()


def unhurried(client: AsyncClient) -> AsyncClient:
    """The same client with pauses that take no time."""
    inner = client._step

    async def step(one: Any, approve: Any) -> Any:
        return None if isinstance(one, Sleep) else await inner(one, approve)

    client._step = step  # type: ignore[method-assign]
    return client


def states(line: Line) -> list[str]:
    return [row.state for row in line.desk().journal().dials(line.account)]


async def cancelled(task: asyncio.Task[Any]) -> bool:
    with suppress(asyncio.CancelledError):
        await task
    return task.cancelled()


@pytest.mark.parametrize("times", [1, 3])
async def test_a_dial_that_is_cancelled_on_its_way_is_settled_first(
    world: World, line: Line, times: int
) -> None:
    way = Slow()
    async with AsyncClient(line=line, transport=way) as client:
        task = asyncio.ensure_future(client.send(PLACE))
        await way.arrived.wait()
        for _ in range(times):
            task.cancel()
            await asyncio.sleep(0)
        assert states(line) == ["sending"]
        way.go.set()
        assert await cancelled(task)
        assert states(line) == ["placed"]
        assert (way.posts, len(world.rings())) == (1, 1)


async def test_a_caller_that_goes_away_leaves_a_dial_that_was_never_answered_to_be_finished(
    line: Line,
) -> None:
    async def lost(request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            return httpx.Response(200, json={"data": [], "remaining": 500})
        arrived.set()
        await go.wait()
        raise httpx.ReadTimeout("lost")

    arrived, go = asyncio.Event(), asyncio.Event()
    client = unhurried(AsyncClient(line=line, transport=httpx.MockTransport(lost)))
    task = asyncio.ensure_future(client.send(PLACE))
    await arrived.wait()
    task.cancel()
    await asyncio.sleep(0)
    go.set()
    assert await cancelled(task)
    assert states(line) == ["sending"]


async def test_a_scope_that_is_cancelled_waits_for_it_too(world: World, line: Line) -> None:
    way = Slow()
    async with AsyncClient(line=line, transport=way) as client, anyio.create_task_group() as tasks:
        tasks.start_soon(client.send, PLACE)
        await way.arrived.wait()
        tasks.cancel_scope.cancel()
        way.go.set()
    assert states(line) == ["placed"]
    assert len(world.rings()) == 1


def test_a_loop_that_ends_looks_for_the_call_whose_answer_it_cut_off(world: World, line: Line) -> None:
    async def main() -> Slow:
        way = Slow()
        client = unhurried(AsyncClient(line=line, transport=way))
        left.append(asyncio.ensure_future(client.send(PLACE)))
        await way.arrived.wait()
        return way

    left: list[asyncio.Task[Any]] = []
    way = asyncio.run(main())
    assert left[0].cancelled()
    assert states(line) == ["placed"]
    assert (way.posts, len(world.rings())) == (1, 1)


async def test_a_dial_that_is_cancelled_while_it_is_written_down_rings_and_is_settled(
    world: World, line: Line
) -> None:
    journal, loop, heard = line.desk().journal(), asyncio.get_running_loop(), threading.Event()
    claim = journal.claim

    def claiming(*given: Any) -> Any:
        loop.call_soon_threadsafe(task.cancel)
        loop.call_soon_threadsafe(loop.call_soon, heard.set)
        heard.wait()
        return claim(*given)

    journal.claim = claiming  # type: ignore[method-assign]
    async with AsyncClient(line=line) as client:
        task = asyncio.ensure_future(client.send(PLACE))
        assert await cancelled(task)
    assert states(line) == ["placed"]
    assert len(world.rings()) == 1


async def test_what_has_not_begun_gives_way_at_once(world: World, line: Line) -> None:
    async def never(ask: Ask) -> bool:
        asked.set()
        await asyncio.Event().wait()
        return True

    asked = asyncio.Event()
    async with AsyncClient(line=line) as client:
        task = asyncio.ensure_future(client.send(PLACE, approve=never))
        await asked.wait()
        task.cancel()
        assert await cancelled(task)
    assert states(line) == []
    assert world.rings() == []


async def test_a_question_after_another_deed_was_finished_gives_way_at_once(line: Line) -> None:
    async def never(ask: Ask) -> bool:
        asked.set()
        await asyncio.Event().wait()
        return True

    def two() -> Flow[None]:
        yield Send(Request("POST", "/v1/calls/c1/stop"), 1)
        yield Ask(None, "k", "d", "place_call", "somebody", 1, False)  # type: ignore[arg-type]

    asked = asyncio.Event()
    task = asyncio.ensure_future(AsyncClient(line=line, transport=ANYTHING).run(two(), never))
    await asked.wait()
    task.cancel()
    assert await cancelled(task)


async def test_a_read_gives_way_at_once(live: Callable[..., Line]) -> None:
    class Silent(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            asked.set()
            await asyncio.Event().wait()
            raise AssertionError

    asked = asyncio.Event()
    async with AsyncClient(line=live(), transport=Silent()) as client:
        task = asyncio.ensure_future(client.send(GetBalance()))
        await asked.wait()
        task.cancel()
        assert await cancelled(task)


async def test_stopping_everything_goes_on_for_a_call_s_time_and_gives_way_then(home: Path) -> None:
    now = [0.0]
    settings = Settings(api_key="tc_live_canary0123", base_url="https://x.invalid", home=home)
    line = Line(settings, timer=lambda: now[0])

    def refuse(request: httpx.Request) -> httpx.Response | None:
        if request.method != "POST":
            return None
        task.cancel()
        now[0] += IN_ALL / 3
        return httpx.Response(200, json={"ok": True})

    topcalls = TopCalls(refuse)
    topcalls.calls = {"c1": talking()}
    client = unhurried(AsyncClient(line=line, transport=httpx.MockTransport(topcalls)))
    task = asyncio.ensure_future(client.send(StopAll()))
    assert await cancelled(task)
    assert 2 <= topcalls.asked.count("POST /v1/calls/c1/stop") <= 4
