"""The drivers: they carry out the steps of flows, one blocking and one not. The only file naming httpx."""

from __future__ import annotations

import inspect
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import closing, contextmanager, suppress
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self, TypeVar

import anyio
import httpx
from anyio.lowlevel import RunVar

from .action import Action, R
from .api.fields import Page, Paged, loopback
from .errors import Declined, Misconfigured, Offline, TopCallsError, Unreachable
from .flow import perform
from .steps import Answer, Ask, Flow, Keep, Send, Sleep, Step, T
from .wire import Reply, Request

if TYPE_CHECKING:
    from .connect import Line

Approve = Callable[[Ask], "bool | Answer | None"]
"""Asks a person: True is a yes, False a no, None that nobody answered."""
AsyncApprove = Callable[[Ask], "bool | Answer | Awaitable[bool | Answer | None] | None"]
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

    def send(self, request: Action[R], answer: Answer | None = None) -> R:
        """Carry out one request. Raises a TopCallsError whose `happened` tells whether it took effect."""
        return self.run(perform(request, self.line.desk(), answer))

    def pages(self, request: Paged[P]) -> Iterator[P]:
        """Every page of a list, newest first; nothing comes twice."""
        seen: set[str] = set()
        more: Paged[P] | None = request
        while more:
            page = self.send(more)
            yield _fresh(page, seen)
            more = _next(more, page)

    def run(self, flow: Flow[T]) -> T:
        """Drive a flow to its end; errors of a step are thrown into the flow, which may catch them."""
        with closing(flow):
            advance, outcome = flow.send, None
            while True:
                try:
                    step = advance(outcome)
                except StopIteration as end:
                    done: T = end.value
                    return done
                try:
                    advance, outcome = flow.send, self._step(step)
                except TopCallsError as error:
                    advance, outcome = flow.throw, error

    def _step(self, step: Step) -> Any:
        match step:
            case Send(request, seconds):
                with _unreachable():
                    return _reply(self._http.request(**_call(request, seconds)), self.line)
            case Sleep(seconds):
                time.sleep(seconds)
            case Keep(work):
                return work()
            case Ask():
                return _answer(self._approve(step), step) if self._approve else _unasked(step, self.line)

    def twin(self) -> AsyncClient:
        """The same line, not blocking; asks in the same way."""
        return AsyncClient(line=self.line, approve=self._approve)

    @cached_property
    def _http(self) -> httpx.Client:
        return httpx.Client(**_options(self.line), transport=self._transport)

    def close(self) -> None:
        """Close connections; the sandbox server, if this client started one, ends with them."""
        if "_http" in vars(self):
            self._http.close()
        self.line.close()

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
        self._pool: RunVar[httpx.AsyncClient] = RunVar(f"topcalls-{id(self)}")

    async def send(
        self, request: Action[R], answer: Answer | None = None, *, approve: AsyncApprove | None = None
    ) -> R:
        """Carry out one request. `approve` goes before the client's own for this request."""
        return await self.run(perform(request, self.line.desk(), answer), approve)

    async def pages(self, request: Paged[P]) -> AsyncIterator[P]:
        """Every page of a list, newest first; nothing comes twice."""
        seen: set[str] = set()
        more: Paged[P] | None = request
        while more:
            page = await self.send(more)
            yield _fresh(page, seen)
            more = _next(more, page)

    async def run(self, flow: Flow[T], approve: AsyncApprove | None = None) -> T:
        """Drive a flow to its end; errors of a step are thrown into the flow, which may catch them."""
        with closing(flow):
            advance, outcome = flow.send, None
            while True:
                try:
                    step = advance(outcome)
                except StopIteration as end:
                    done: T = end.value
                    return done
                try:
                    advance, outcome = flow.send, await self._step(step, approve or self._approve)
                except TopCallsError as error:
                    advance, outcome = flow.throw, error

    async def _step(self, step: Step, approve: AsyncApprove | None) -> Any:
        match step:
            case Send(request, seconds):
                http = await self._http()
                with _unreachable():
                    return _reply(await http.request(**_call(request, seconds)), self.line)
            case Sleep(seconds):
                await anyio.sleep(seconds)
            case Keep(work):
                return await anyio.to_thread.run_sync(work)
            case Ask():
                return await _asked(approve, step) if approve else _unasked(step, self.line)

    def twin(self) -> Client:
        """The same line, blocking; asks in the same way, where that way does not need a loop."""
        return Client(line=self.line, approve=self._approve)  # type: ignore[arg-type]

    async def _http(self) -> httpx.AsyncClient:
        try:
            return self._pool.get()
        except LookupError:
            options = await anyio.to_thread.run_sync(_options, self.line)
            pool = httpx.AsyncClient(**options, transport=self._transport)
            self._pool.set(pool)
            return pool

    async def aclose(self) -> None:
        """Close this loop's connections; the sandbox server, if this client started one, ends with them."""
        with suppress(LookupError):
            await self._pool.get().aclose()
        await anyio.to_thread.run_sync(self.line.close)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()


def _line(api_key: str | None, base_url: str | None) -> Line:
    from .connect import Line
    from .settings import Settings

    return Line(Settings.load(api_key=api_key, base_url=base_url))


def _unasked(ask: Ask, line: Line) -> Answer:
    """Nobody was named who could be asked: practice goes on and says so, anything else does not."""
    if line.strict:
        raise Declined(
            "This needs a person's yes and nobody can be asked here, so nothing was sent; give the "
            "client or toolkit "
            "approve=, run the command in a terminal, or use an assistant that shows forms."
        )
    return Answer(True, ask.seal, "practice")


async def _asked(approve: AsyncApprove, ask: Ask) -> Answer:
    """Ask without stopping the loop: a plain function may wait for a person, so it gets a thread."""
    said = (
        approve(ask) if inspect.iscoroutinefunction(approve) else await anyio.to_thread.run_sync(approve, ask)
    )
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


def _fresh(page: P, seen: set[str]) -> P:
    """A page without what earlier pages had: rows of one instant may come twice (contract A22)."""
    data = tuple(row for row in page.data if row.id not in seen)
    seen.update(row.id for row in data)
    return page.model_copy(update={"data": data})


def _next(request: Paged[P], page: P) -> Paged[P] | None:
    if page.next_cursor is None or page.next_cursor == request.cursor:
        return None
    return request.model_copy(update={"cursor": page.next_cursor})


@contextmanager
def _unreachable() -> Iterator[None]:
    """Turns httpx's errors into ours; the original could show the key and is left behind."""
    try:
        yield
    except (
        httpx.ConnectError,
        httpx.ConnectTimeout,
        httpx.PoolTimeout,
        httpx.ProxyError,
        httpx.UnsupportedProtocol,
    ):
        raise Offline(
            "TopCalls could not be reached and nothing was sent; check the network and TOPCALLS_BASE_URL."
        ) from None
    except httpx.HTTPError:
        raise Unreachable(
            "TopCalls did not answer in time; look whether it happened before you try again."
        ) from None


def _options(line: Line) -> dict[str, Any]:
    address = line.address()
    return {
        "base_url": address,
        "auth": _Bearer(line),
        "limits": httpx.Limits(keepalive_expiry=60),
        "trust_env": not loopback(httpx.URL(address).host),
    }


class _Bearer(httpx.Auth):
    """Puts the key into its one header."""

    def __init__(self, line: Line) -> None:
        self._line = line

    def auth_flow(self, request: httpx.Request) -> Iterator[httpx.Request]:  # type: ignore[override]
        request.headers["Authorization"] = f"Bearer {self._line.key()}"
        yield request


def _call(request: Request, seconds: float) -> dict[str, Any]:
    what = {"method": request.method, "url": request.path, "params": request.query or None}
    return {**what, "json": request.body, "headers": request.headers, "timeout": seconds}


def _reply(response: httpx.Response, line: Line) -> Reply:
    content = response.content
    if (key := line.key().encode()) in content:  # a page that echoes what it was sent
        content = content.replace(key, b"[key]")
    wait = response.headers.get("retry-after")
    return Reply(response.status_code, content, {"retry-after": wait} if wait else {})
