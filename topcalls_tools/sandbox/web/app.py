"""The sandbox as a web application."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import anyio
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from ...wire import Reply
from ..problem import Problem, not_found
from ..store import Busy
from . import docs, openapi, page
from .access import from_here
from .arrivals import LARGEST, Arrived
from .controls import Controls
from .faults import Answer
from .gateway import Gateway

CUT = "topcalls.cut"
"""Under this name the server puts into the scope what cuts the line of a request."""
_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
_DRAINED = 16 * LARGEST
"""Bytes that are read and dropped, so that a sender of too much still reads why it was refused."""
_LOOKS_EVERY = 0.25
_PINGS_EVERY = 15.0


def application(gateway: Gateway, controls: Controls) -> Starlette:
    """One door for everything; what it leads to is read off the catalogue."""
    errands = anyio.CapacityLimiter(4)  # who waits for webhooks to be sent takes no thread from anybody else

    async def door(request: Request) -> Response:
        arrived = await _arrived(request)
        if arrived.method in ("GET", "HEAD") and (found := _file(arrived)):
            return _response(found)
        if arrived.path == "/sandbox/events":
            return await _events(arrived, controls)
        if arrived.path.startswith("/sandbox/"):
            limiter = errands if arrived.path == "/sandbox/deliveries" else None
            answer: Answer = await anyio.to_thread.run_sync(controls.reply, arrived, limiter=limiter)
        else:
            try:  # under a millisecond: threads that take turns at Python's lock would cost more than that
                answer = gateway.reply(arrived, waits=False)
            except Busy:
                answer = await run_in_threadpool(gateway.reply, arrived)
        if answer.late:
            await anyio.sleep(answer.late)
        cut = request.scope.get(CUT, lambda: None)  # another server closes a line that nothing came over
        return _Cut(cut) if answer.reply is None else _response(answer.reply)

    async def odd_method(request: Request, error: Exception) -> Response:
        return _response(not_found("such path or method").reply())

    return Starlette(
        routes=[Route("/{path:path}", door, methods=_METHODS)],
        exception_handlers={HTTPException: odd_method},
    )


def _file(arrived: Arrived) -> Reply | None:
    """What is the same for everybody on this machine: the page, the API's description, and its page."""
    found = openapi.reply() if arrived.path == "/openapi.json" else None
    found = found or page.reply(arrived.path) or docs.reply(arrived.path)
    if found is None:
        return None
    try:
        from_here(arrived)
    except Problem as problem:
        return problem.reply()
    return found


async def _events(arrived: Arrived, controls: Controls) -> Response:
    """The overview whenever it changes, as server-sent events, until the browser goes away or its key or
    cookie is good no more."""

    def look(last: Any, ping: bool) -> tuple[Any, str]:
        """What is there, and how it is told: not at all where nothing but the time has changed."""
        now = controls.overview(controls.account(arrived))
        seen = {**now, "now": None}
        return seen, json.dumps(now, ensure_ascii=False) if ping or seen != last else ""

    try:
        first = await run_in_threadpool(look, None, True)
    except Problem as problem:
        return _response(problem.reply())

    async def changes() -> AsyncIterator[str]:
        (last, told), quiet = first, 0.0
        while True:
            if told:
                yield f"data: {told}\n\n"
                quiet = 0.0
            quiet += _LOOKS_EVERY
            await anyio.sleep(_LOOKS_EVERY)
            try:
                last, told = await run_in_threadpool(look, last, quiet >= _PINGS_EVERY)
            except Problem:
                return

    return StreamingResponse(changes(), media_type="text/event-stream", headers={"cache-control": "no-store"})


class _Cut(Response):
    """No reply at all: the line is cut."""

    def __init__(self, cut: Callable[[], None]) -> None:
        super().__init__()
        self._cut = cut

    async def __call__(self, scope: object, receive: object, send: object) -> None:
        self._cut()


async def _arrived(request: Request) -> Arrived:
    body, read = bytearray(), 0
    try:
        async for chunk in request.stream():
            read += len(chunk)
            body += chunk[: max(0, LARGEST + 1 - len(body))]
            if read > _DRAINED:
                break
    except ClientDisconnect:
        raise HTTPException(400) from None
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in request.scope["headers"]}
    query = dict(request.query_params) if request.scope["query_string"] else {}
    return Arrived(request.method, request.scope["path"], query, headers, bytes(body))


def _response(reply: Reply) -> Response:
    return Response(reply.content or None, reply.status, dict(reply.headers))
