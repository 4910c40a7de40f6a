"""The bell: it wakes every waiter of the process, misses nobody, and keeps nobody who has left."""

from __future__ import annotations

import threading
from typing import Any

import anyio
import pytest

from topcalls_tools import AsyncClient, Client
from topcalls_tools.connect import Line
from topcalls_tools.flow.steps import Flow, Sleep
from topcalls_tools.following.bell import Bell

LONG = 600.0


def waits(bell: Bell, since: int = 0) -> Flow[str]:
    yield Sleep(LONG, bell, since)
    return "woken"


def listening(bell: Bell, many: int) -> None:
    """Wait until so many listen."""
    while bell.ears < many:
        threading.Event().wait(0.001)


def test_one_ring_wakes_threads_and_loops_alike(line: Line) -> None:
    bell, woken = line.bell, []

    async def several() -> None:
        async with anyio.create_task_group() as group:
            for _ in range(3):
                group.start_soon(one)

    async def one() -> None:
        woken.append(await AsyncClient(line=line).run(waits(bell)))

    threads = [
        threading.Thread(target=lambda: woken.append(Client(line=line).run(waits(bell)))) for _ in range(3)
    ]
    threads.append(threading.Thread(target=lambda: anyio.run(several)))
    for thread in threads:
        thread.start()
    listening(bell, 6)
    bell.ring()
    for thread in threads:
        thread.join()
    assert woken == ["woken"] * 6
    assert bell.ears == 0


@pytest.mark.parametrize("driver", ["sync", "async"])
def test_a_ring_between_the_look_and_the_wait_is_not_missed(line: Line, driver: str) -> None:
    since = line.bell.rings
    line.bell.ring()
    flow: Any = waits(line.bell, since)
    woken = (
        Client(line=line).run(flow) if driver == "sync" else anyio.run(AsyncClient(line=line).run, flow, None)
    )
    assert woken == "woken"


async def test_a_wait_that_is_cancelled_leaves_no_ear(line: Line) -> None:
    async with anyio.create_task_group() as group:
        group.start_soon(AsyncClient(line=line).run, waits(line.bell))
        while not line.bell.ears:
            await anyio.lowlevel.checkpoint()
        group.cancel_scope.cancel()
    assert line.bell.ears == 0
    line.bell.ring()


async def test_a_loop_that_has_ended_is_no_trouble_for_who_rings(line: Line) -> None:
    bell = line.bell
    flow = waits(bell)
    thread = threading.Thread(target=lambda: anyio.run(AsyncClient(line=line).run, flow, None))
    thread.start()
    listening(bell, 1)
    ears = tuple(bell._ears)
    bell.ring()
    thread.join()
    for ear in ears:
        ear()
