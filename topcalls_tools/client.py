"""The drivers: they carry out the steps of flows, one blocking and one not."""

from __future__ import annotations

import inspect
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import closing
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self, TypeVar

import anyio
from anyio.lowlevel import RunVar

from .action import Action, R
from .api.fields import Page, Paged
from .errors import Declined, Misconfigured, TopCallsError
from .flow import perform
from .flow.steps import Answer, Ask, Flow, Keep, Send, Sleep, Step, T, Tell
from .following.bell import Bell
from .holding import Held, in_thread, rung

if TYPE_CHECKING:
    import httpx

    from .connect import Line
    from .http import AsyncPool, Pool

Approve = Callable[[Ask], "bool | Answer | None"]
"""Asks a person: True is a yes, False a no, None that nobody answered."""
AsyncApprove = Callable[[Ask], "bool | Answer | Awaitable[bool | Answer | None] | None"]
Hear = Callable[[Tell], object]
"""Hears where things stand while a call is waited for."""
AsyncHear = Callable[[Tell], "object | Awaitable[object]"]
P = TypeVar("P", bound=Page[Any])


class Client:
    """TopCalls, blocking. `client.send(PlaceCall(...))` returns a `CallPlaced`.

    Without a key it speaks to the sandbox on this machine. `approve` is asked before anything that spends,
    adds or deletes; with a live key and without it such requests are `Declined`. May be shared by threads.
    """

    def __init__(
        self,
        api_key: str | None = None,
        base_url: str | None = None,
        *,
        approve: Approve | None = None,
        line: Line | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.line = line or _line(api_key, base_url)
        self._approve, self._transport = approve, transport

    def send(
        self,
        request: Action[R],
        answer: Answer | None = None,
        *,
        approve: Approve | None = None,
        tell: Hear | None = None,
    ) -> R:
        """Carry out one request. Raises a TopCallsError whose `happened` tells whether it took effect.
        `approve` goes before the client's own for this request; `tell` hears where things stand while a call
        is followed."""
        return self.run(perform(request, self.line.desk(), answer), approve, tell)

    def pages(self, request: Paged[P]) -> Iterator[P]:
        """Every page of a list, newest first; nothing comes twice, and a page that is `cut` says so."""
        seen: set[str] = set()
        more: Paged[P] | None = request
        while more:
            page = self.send(more)
            fresh = page.fresh(seen, cut=more.passes_over(page))
            new = bool(fresh.data) or fresh.cut  # a page without news is of a list that goes in a circle
            if new or more is request:
                yield fresh
            more = more.after(page) if new else None

    def run(self, flow: Flow[T], approve: Approve | None = None, tell: Hear | None = None) -> T:
        """Drive a flow to its end; errors of a step are thrown into the flow, which may catch them."""
        with closing(flow):
            advance, outcome = flow.send, None
            while True:
                try:
                    step = advance(outcome)
                except StopIteration as end:
                    done: T = end.value
                    return done
                if tell and isinstance(step, Tell):
                    tell(step)
                try:
                    advance, outcome = flow.send, self._step(step, approve or self._approve)
                except TopCallsError as error:
                    advance, outcome = flow.throw, error

    def _step(self, step: Step, approve: Approve | None) -> Any:
        match step:
            case Send(request, seconds):
                return self._pool.send(request, seconds)
            case Sleep(seconds, None):
                time.sleep(seconds)
            case Sleep(seconds, Bell() as bell, rings):
                woken = threading.Event()
                with bell.heard(woken.set, rings):
                    woken.wait(seconds)
            case Keep(work):
                return work()
            case Ask():
                return _answer(approve(step), step) if approve else _unasked(step, self.line)
            case Tell():
                return None

    def twin(self) -> AsyncClient:
        """The same line, not blocking; asks in the same way."""
        return AsyncClient(line=self.line, approve=self._approve)

    @cached_property
    def _pool(self) -> Pool:
        from .http import Pool

        return Pool(self.line, self._transport)

    def close(self) -> None:
        """Close connections; the sandbox server, if this client started one, ends with them."""
        self.disconnect()
        self.line.close()

    def disconnect(self) -> None:
        """Close connections; the line stays for whoever shares it."""
        if "_pool" in vars(self):
            self._pool.close()
            del self._pool

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class AsyncClient:
    """TopCalls, not blocking. Same flows, same words as `Client`; one connection pool for each event loop."""

    def __init__(
        self,
        api_key: str | None = None,
        base_url: str | None = None,
        *,
        approve: AsyncApprove | None = None,
        line: Line | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.line = line or _line(api_key, base_url)
        self._approve, self._transport = approve, transport
        self._pools: RunVar[AsyncPool | None] = RunVar(f"topcalls-{id(self)}")

    async def send(
        self,
        request: Action[R],
        answer: Answer | None = None,
        *,
        approve: AsyncApprove | None = None,
        tell: AsyncHear | None = None,
    ) -> R:
        """The same."""
        return await self.run(perform(request, self.line.desk(), answer), approve, tell)

    async def pages(self, request: Paged[P]) -> AsyncIterator[P]:
        """Every page of a list, newest first; nothing comes twice, and a page that is `cut` says so."""
        seen: set[str] = set()
        more: Paged[P] | None = request
        while more:
            page = await self.send(more)
            fresh = page.fresh(seen, cut=more.passes_over(page))
            new = bool(fresh.data) or fresh.cut  # a page without news is of a list that goes in a circle
            if new or more is request:
                yield fresh
            more = more.after(page) if new else None

    async def run(
        self, flow: Flow[T], approve: AsyncApprove | None = None, tell: AsyncHear | None = None
    ) -> T:
        """The same. A cancellation waits while the journal is at work, and from a deed's first byte until
        it is settled, as long as a call may take: nobody should have to wonder whether a phone rang."""
        with closing(flow), Held(self.line.timer) as held:
            advance, outcome = flow.send, None
            while True:
                try:
                    step = advance(outcome)
                except StopIteration as end:
                    done: T = end.value
                    return done
                if tell and isinstance(step, Tell) and inspect.isawaitable(heard := tell(step)):
                    await heard
                work = self._step(step, approve or self._approve)
                try:
                    advance, outcome = flow.send, await held.through(step, work)
                except TopCallsError as error:
                    advance, outcome = flow.throw, error

    async def _step(self, step: Step, approve: AsyncApprove | None) -> Any:
        match step:
            case Send(request, seconds):
                return await (await self._pool()).send(request, seconds)
            case Sleep(seconds, None):
                await anyio.sleep(seconds)
            case Sleep(seconds, Bell() as bell, rings):
                await rung(bell, rings, seconds)
            case Keep(work):
                return await in_thread(work)
            case Ask():
                return await _asked(approve, step) if approve else _unasked(step, self.line)
            case Tell():
                return None

    def twin(self) -> Client:
        """The same line, blocking; asks in the same way, where that way does not need a loop."""
        return Client(line=self.line, approve=self._approve)  # type: ignore[arg-type]

    async def _pool(self) -> AsyncPool:
        pool = self._pools.get(None)
        if pool is None:
            pool = await in_thread(self._connected)
            self._pools.set(pool)
        return pool

    def _connected(self) -> AsyncPool:
        from .http import AsyncPool

        return AsyncPool(self.line, self._transport)

    async def aclose(self) -> None:
        """Close this loop's connections; the sandbox server, if this client started one, ends with them."""
        if pool := self._pools.get(None):
            self._pools.set(None)
            await pool.aclose()
        await in_thread(self.line.close)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()


def _line(api_key: str | None, base_url: str | None) -> Line:
    from .connect import Line
    from .settings import Settings

    return Line(Settings.load(api_key=api_key, base_url=base_url))


def _unasked(ask: Ask, line: Line) -> Answer:
    """Nobody was named who could be asked: practice goes on and says so, and so does what the owner's list of
    numbers and budget cover; anything else does not."""
    if line.approval == "none" and ask.covered:
        return Answer(True, ask.seal, "none")
    if line.strict:
        raise Declined(
            "This needs a person's yes and nobody can be asked here, so nothing was sent; give the client or "
            "toolkit approve=, run the command in a terminal, or use an assistant that shows forms."
        )
    return Answer(True, ask.seal, "practice")


async def _asked(approve: AsyncApprove, ask: Ask) -> Answer:
    """Ask without stopping the loop: a plain function may wait for a person, so it gets a thread."""
    said = approve(ask) if inspect.iscoroutinefunction(approve) else await in_thread(lambda: approve(ask))
    return _answer(await said if inspect.isawaitable(said) else said, ask)


def _answer(said: bool | Answer | None, ask: Ask) -> Answer:
    """Only True is a yes and only False a no; everything else is no answer."""
    if isinstance(said, Answer):
        return said
    if inspect.iscoroutine(said):
        said.close()
        raise Misconfigured(
            "approve= is asynchronous and this call is not; use AsyncClient, or a plain function."
        )
    return Answer(said if isinstance(said, bool) else None, ask.seal)
