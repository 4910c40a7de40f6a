"""The receiver of webhooks: an ASGI app that believes what is signed, keeps it, answers, and works later.

What a webhook says of a call is a notice and nothing more: the call is read again before anything depends on
it.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import anyio
from anyio import to_thread
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from ..errors import TopCallsError
from ..journal import deliveries
from ..journal.deliveries import Delivery
from ..wire import moment
from .afterwards import Afterwards, End

if TYPE_CHECKING:
    from pydantic import SecretStr

    from ..client import AsyncClient, Client

__all__ = ["End", "Receiver"]

MOST_BYTES = 1_048_576
"""Of a body: the longest call that TopCalls places is a fifth of that."""
REQUESTS_AT_ONCE = 64
READ_WITHIN = 8.0
"""Seconds in which a body must be here."""
STORE_WITHIN = 0.75
"""Seconds in which it must be kept: TopCalls is answered within one (contract 5.3)."""
STORES_AT_ONCE = 8
"""How many threads may wait for the journal; while all do, more are told to come again."""
REPLAYED = timedelta(hours=23)
"""What tells of a time longer ago is refused. What is younger is known again by its body: the journal keeps
that for a day at least."""
AHEAD = timedelta(minutes=5)
"""How far TopCalls' clock may be ahead of ours."""
_UNREAD = (408, 413)
_TIMES = ("created_at", "started_at", "end_at", "transferred_at", "occurred_at")
_BY_STATUS = {"queued": "queued", "in_progress": "started", "completed": "completed", "failed": "failed"}


class _Refusal(Exception):
    """A webhook that is not kept, and the status that says so."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


@dataclass
class Receiver:
    """Receives the webhooks of one account; `app` is an ASGI app that takes them at every path.

    With a `secret`, what is not signed with it is refused (contract A123); without one anybody who reaches
    the app can have a call of ours read again. `ended` is called when a call of ours is over, in a thread of
    its own, at least once for each: what was not worked when a process ended is worked by the next one.
    `say` hears, in sentences, what went wrong. With a live key what is older than `window` is refused; a
    sandbox's clock is its owner's to move.
    """

    client: Client | AsyncClient
    secret: SecretStr | None = None
    ended: Callable[[End], object] | None = None
    say: Callable[[str], object] = lambda sentence: None
    window: timedelta | None = None

    def __post_init__(self) -> None:
        from ..client import AsyncClient

        own = isinstance(self.client, AsyncClient)
        client = self.client.twin() if isinstance(self.client, AsyncClient) else self.client
        self._line = client.line
        if self.window is None and self._line.live:
            self.window = REPLAYED
        self._stores = threading.BoundedSemaphore(STORES_AT_ONCE)
        self.afterwards = Afterwards(client, self.ended, self.say, own=own)
        routes = [Route("/{path:path}", self._take, methods=["POST"])]
        self.app = _few(Starlette(routes=routes, lifespan=self._lifespan))

    @contextmanager
    def working(self) -> Iterator[None]:
        """Work what was kept, from a thread. The app's lifespan does; an app that it is mounted in may not
        pass that on, and enters this instead."""
        self.afterwards.begin()
        try:
            yield
        finally:
            self.afterwards.end()

    @asynccontextmanager
    async def _lifespan(self, app: Starlette) -> AsyncIterator[None]:
        await to_thread.run_sync(self.afterwards.begin)
        try:
            yield
        finally:
            await to_thread.run_sync(self.afterwards.end)

    async def _take(self, request: Request) -> Response:
        try:
            body = await _body(request)
            self._believe(request.headers.get("x-topcalls-signature"), body)
            delivery = self._read(request, body)
            fresh = await self._kept(delivery)
        except _Refusal as refusal:
            # What is still being sent is not read: the line is cut.
            close = {"connection": "close"} if refusal.status in _UNREAD else None
            return PlainTextResponse(f"{refusal}\n", refusal.status, close)
        except ClientDisconnect:
            return Response(status_code=400)  # nobody hears it
        return PlainTextResponse("Kept.\n" if fresh else "Kept before.\n")

    def _believe(self, signature: str | None, body: bytes) -> None:
        """Refuse what was not signed with the secret, over the very bytes that came."""
        if self.secret is None:
            return
        key = self.secret.get_secret_value().encode("utf-8", "surrogatepass")
        right = f"sha256={hmac.new(key, body, hashlib.sha256).hexdigest()}"
        if not hmac.compare_digest((signature or "").encode("utf-8", "surrogatepass"), right.encode()):
            raise _Refusal(401, "This is not signed with the secret of this receiver; TopCalls signs it.")

    def _read(self, request: Request, body: bytes) -> Delivery:
        told = _object(body)
        now = self._line.clock()
        if self.window:
            _timely(told, now, self.window)
        call_id, subject = _name(told, "call_id"), _name(told, "campaign_id")
        if call_id is None and subject is None:
            raise _Refusal(400, "This tells of no call and no campaign; send what TopCalls documents.")
        status = told.get("status")
        said = told.get("event") or request.headers.get("x-topcalls-event")
        if not (isinstance(said, str) and re.fullmatch(r"[a-z0-9_.]{1,64}", said)):
            noun = "campaign" if call_id is None else "call"
            said = f"{noun}.{_BY_STATUS.get(str(status), 'told')}"  # contract A122
        digest = hashlib.sha256(body).hexdigest()
        known = request.headers.get("x-topcalls-delivery", "")
        if not re.fullmatch(r"[\x21-\x7e]{8,128}", known):
            what = f"{self._line.account}\n{said}\n{call_id or subject}\n{status}"
            known = hashlib.sha256(what.encode("utf-8", "surrogatepass")).hexdigest()  # contract A121
        status = status if isinstance(status, str) and re.fullmatch(r"[a-z_-]{1,32}", status) else None
        last = deliveries.ends(said, status)
        return Delivery(
            delivery=known,
            account=self._line.account,
            digest=digest,
            event=said,
            call_id=call_id,
            status=status,
            ours=False,
            at=now,
            worked_at=None if call_id and last else now,
        )

    async def _kept(self, delivery: Delivery) -> bool:
        """Whether it is new; kept on the disk in either case. Where that takes too long TopCalls is to send
        it again, and hears so in time; what is kept after all is known then."""
        with anyio.move_on_after(STORE_WITHIN):
            try:
                return await to_thread.run_sync(self._keep, delivery, abandon_on_cancel=True)
            except TopCallsError as error:
                self.afterwards.say(f"A webhook could not be kept, and TopCalls will send it again: {error}")
        raise _Refusal(503, "This could not be kept in time; send it again.")

    def _keep(self, delivery: Delivery) -> bool:
        if not self._stores.acquire(blocking=False):
            raise _Refusal(503, "Others wait to be kept; send it again.")
        try:
            fresh = deliveries.keep(self._line.desk().journal(), delivery)
        finally:  # a thread that nobody waits for any more has its place until it is done
            self._stores.release()
        if fresh:
            self._line.bell.ring()
            self.afterwards.look()
        return fresh


def _few(app: ASGIApp) -> ASGIApp:
    """The same app for so many requests at once; more are told to come again."""
    at_once = 0

    async def few(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal at_once
        if scope["type"] == "http" and at_once >= REQUESTS_AT_ONCE:
            await PlainTextResponse("Too much comes at once; send it again.\n", 503)(scope, receive, send)
            return
        mine = int(scope["type"] == "http")
        at_once += mine
        try:
            await app(scope, receive, send)
        finally:
            at_once -= mine

    return few


async def _body(request: Request) -> bytes:
    """The bytes that were sent, up to a size and within a time."""
    too_much = _Refusal(413, f"This is larger than {MOST_BYTES:,} bytes, which no webhook is.")
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length) > MOST_BYTES:
        raise too_much
    body = bytearray()
    with anyio.move_on_after(READ_WITHIN):
        async for chunk in request.stream():
            body += chunk
            if len(body) > MOST_BYTES:
                raise too_much
        return bytes(body)
    raise _Refusal(408, "This came too slowly; send it again.")


def _object(body: bytes) -> dict[str, Any]:
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        told = None
    if not isinstance(told, dict):
        raise _Refusal(400, "This is no JSON object; send what TopCalls documents.")
    return told


def _timely(told: dict[str, Any], now: datetime, window: timedelta) -> None:
    """Refuse what tells of a time that is long past, or not yet, or of none: it may be a replay."""
    times = [at for name in _TIMES if isinstance(said := told.get(name), str) and (at := moment(said))]
    if not times or not now - window <= max(times) <= now + AHEAD:
        raise _Refusal(
            400, "No time in this is of today, so it may have been sent before; look at this machine's clock."
        )


def _name(told: dict[str, Any], name: str) -> str | None:
    """An id as it stands in a body; None where there is none that a journal can hold."""
    found = told.get(name)
    return found if isinstance(found, str) and re.fullmatch(r"[\x21-\x7e]{1,200}", found) else None
