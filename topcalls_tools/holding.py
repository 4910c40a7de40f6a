"""How the driver that does not block waits: in threads, for bells, and with cancellations held back."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, Self

import anyio

from .errors import Unreachable
from .flow.steps import IN_ALL, Ask, Keep, Send, Step, T
from .following.bell import Bell


class Held:
    """Holds a cancellation back where giving way would leave a deed in doubt, and gives way after that."""

    def __init__(self, timer: Callable[[], float]) -> None:
        self._timer, self._begun, self._until = timer, False, 0.0
        self._cancelled: BaseException | None = None

    async def through(self, step: Step, work: Coroutine[Any, Any, Any]) -> Any:
        """Carry out one step. Raises CancelledError where it may give way before it."""
        match step:
            case Send(request) if request.method != "GET":
                self._begun = True
            case Ask():  # what came before it is settled
                self._begun = False
        if self._cancelled and not (self._begun and self._timer() < self._until):
            work.close()
            raise self._cancelled
        if not self._begun and not isinstance(step, Keep):
            return await work
        import asyncio  # a program that blocks needs none

        task = asyncio.ensure_future(work)
        with anyio.CancelScope(shield=True):
            while not task.done():
                try:
                    await asyncio.wait({task})
                except asyncio.CancelledError as cancelled:
                    if not self._cancelled:
                        self._cancelled, self._until = cancelled, self._timer() + IN_ALL
        if task.cancelled():  # by a loop that ends with all its tasks: an answer that is lost
            raise Unreachable("This was cut off; look whether it happened before you try again.")
        return task.result()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._cancelled:
            raise self._cancelled


async def rung(bell: Bell, rings: int, seconds: float) -> None:
    """Wait for a bell, which any thread may ring."""
    import asyncio

    loop, woken = asyncio.get_running_loop(), asyncio.Event()

    def wake() -> None:
        with suppress(RuntimeError):  # the loop has ended, and nobody waits on it any more
            loop.call_soon_threadsafe(woken.set)

    with bell.heard(wake, rings), anyio.move_on_after(seconds):
        await woken.wait()


async def in_thread(work: Callable[[], T]) -> T:
    """Wait for a person or a store in a thread of its own: however many hang, the next one is not held up."""
    return await anyio.to_thread.run_sync(work, limiter=anyio.CapacityLimiter(1))
