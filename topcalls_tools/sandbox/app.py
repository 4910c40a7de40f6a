"""The sandbox as a web application."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from ..wire import Reply
from .arrivals import LARGEST, Arrived
from .controls import Controls
from .gateway import Gateway
from .problem import not_found

_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
_DRAINED = 16 * LARGEST
"""Bytes that are read and dropped, so that a sender of too much still reads why it was refused."""


def application(gateway: Gateway) -> Starlette:
    """One door for everything; what it leads to is read off the catalogue."""
    controls = Controls(gateway)

    async def door(request: Request) -> Response:
        arrived = await _arrived(request)
        room = controls if arrived.path.startswith("/sandbox/") else gateway
        return _response(await run_in_threadpool(room.reply, arrived))

    async def odd_method(request: Request, error: Exception) -> Response:
        return _response(not_found("such path or method").reply())

    return Starlette(
        routes=[Route("/{path:path}", door, methods=_METHODS)],
        exception_handlers={HTTPException: odd_method},
    )


async def _arrived(request: Request) -> Arrived:
    body = bytearray()
    read = 0
    try:
        async for chunk in request.stream():
            read += len(chunk)
            body += chunk[: max(0, LARGEST + 1 - len(body))]
            if read > _DRAINED:
                break
    except ClientDisconnect:
        raise HTTPException(400) from None
    headers = {name.lower(): value for name, value in request.headers.items()}
    return Arrived(request.method, request.scope["path"], dict(request.query_params), headers, bytes(body))


def _response(reply: Reply) -> Response:
    return Response(reply.content or None, reply.status, dict(reply.headers))
