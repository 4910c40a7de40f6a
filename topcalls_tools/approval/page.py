"""The approval page: one question in the person's own browser, served on this machine alone.

It writes the answer down and never dials. A file that only the owner can read opens it, by a code that counts
once.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol
from urllib.parse import parse_qs

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ..errors import TopCallsError
from ..journal import AskRow, Decision
from .listening import Listening, listen
from .rendering import filled, page, question_page, told

CODE_LASTS = timedelta(seconds=60)
"""How long the code that opens the page counts."""
SESSION_LASTS = timedelta(minutes=15)
"""How long the page says what became of a question."""
OPENS_AGAIN = timedelta(seconds=60)
"""How soon the same question opens another window: who closed the first may have it back."""
MOST_BYTES = 4_096
"""The largest form that is read."""


class Asks(Protocol):
    """What the page needs of the journal."""

    def asked(self, key: str) -> AskRow | None: ...

    def decide(self, key: str, decision: Decision, by: str, now: datetime, shown: float | None) -> AskRow: ...

    def close_ask(self, key: str, now: datetime) -> None: ...


@dataclass(frozen=True, slots=True)
class _Opening:
    """A code that was handed to a browser, and the file that holds it."""

    key: str
    file: Path
    until: datetime


@dataclass(frozen=True, slots=True)
class _Session:
    """A browser that redeemed a code: it sees one question, and its forms carry this token."""

    key: str
    token: str
    until: datetime


class Page:
    """The approval page of this process. `browser` shows a file and says whether it could; `clock` is real
    time; `directory` is the owner's own."""

    def __init__(
        self,
        asks: Callable[[], Asks],
        *,
        browser: Callable[[Path], bool],
        clock: Callable[[], datetime],
        directory: Path,
    ) -> None:
        self._asks, self._browser, self._clock, self._directory = asks, browser, clock, directory
        self._lock = threading.Lock()
        self._openings: dict[str, _Opening] = {}
        self._redeemed: dict[str, _Opening] = {}
        self._sessions: dict[str, _Session] = {}
        self._opened_at: dict[str, datetime] = {}
        self._server: Listening | None = None

    @property
    def address(self) -> str:
        """Where it answers, once a question was opened."""
        return self._server.address if self._server else ""

    def open(self, key: str) -> bool:
        """Show a question to the person; False where no browser could be started."""
        with self._lock:
            now = self._clock()
            self._forget(now)
            if (before := self._opened_at.get(key)) and now - before < OPENS_AGAIN:
                return True
            if self._server is None:
                self._server = listen(self._app())
            code = secrets.token_urlsafe(32)
            file = self._directory / f"{_NAMED}{secrets.token_hex(8)}.html"
            opening = _Opening(key, file, now + CODE_LASTS)
            self._openings[code] = opening
            try:
                _write(opening.file, filled("open.html", address=self.address, code=code))
                shown = self._browser(opening.file)
            except OSError:
                shown = False
            if shown:
                self._opened_at[key] = now
            else:
                del self._openings[code]
                opening.file.unlink(missing_ok=True)
            return shown

    def close(self) -> None:
        """Stop answering, and leave no file behind."""
        with self._lock:
            for opening in self._openings.values():
                opening.file.unlink(missing_ok=True)
            self._openings.clear()
            if self._server is not None:
                self._server.close()
                self._server = None

    def _app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/open", self._guarded(self._redeem, null=True), methods=["POST"]),
                Route("/", self._guarded(self._question), methods=["GET"]),
                Route("/answer", self._guarded(self._answer), methods=["POST"]),
                Route("/{path:path}", self._guarded(_nowhere), methods=_EVERY),
            ],
            # Starlette's own words for these come without our headers.
            exception_handlers={405: _no_such_method, 500: _broken},
        )

    def _guarded(
        self, work: Callable[[Request], Awaitable[Response]], *, null: bool = False
    ) -> Callable[[Request], Awaitable[Response]]:
        """Only by our own name, and what changes something only from our own page."""

        async def guarded(request: Request) -> Response:
            origin = request.headers.get("origin")
            own = origin == self.address or (null and origin == "null")
            if request.headers.get("host") != self.address.removeprefix("http://"):
                return told("This page has another address; open it as it was opened.", 421)
            if request.method != "GET" and not own:
                return told("This came from another page, and nothing was written.", 403)
            try:
                return await work(request)
            except TopCallsError as error:
                return told(str(error), 503)

        return guarded

    async def _redeem(self, request: Request) -> Response:
        """Take the code for a cookie, once. A second use closes the question: somebody else has the code."""
        code = (await _form(request)).get("code", "")
        now = self._clock()
        with self._lock:
            used, opening = self._redeemed.get(code), self._openings.pop(code, None)
            if opening is not None:
                opening.file.unlink(missing_ok=True)
                self._redeemed[code] = opening
        if used is not None:
            await run_in_threadpool(self._asks().close_ask, used.key, now)
            return told(
                "This code was used before, so the question was closed and nothing is done; the same call "
                "again asks anew.",
                403,
            )
        if opening is None or opening.until <= now:
            return told("This code is unknown or too old; the same call again opens a new window.", 403)
        cookie = secrets.token_urlsafe(32)
        session = _Session(opening.key, secrets.token_urlsafe(32), now + SESSION_LASTS)
        with self._lock:
            self._sessions[cookie] = session
        # Not a redirect: a browser that came from a file sends no strict cookie along with one.
        response = page("onward.html")
        response.set_cookie(self._cookie, cookie, httponly=True, samesite="strict", path="/")
        return response

    async def _question(self, request: Request) -> Response:
        session = self._session(request)
        if session is None:
            return told("This is not the window that was opened; the same call again opens one.", 403)
        row = await run_in_threadpool(self._asks().asked, session.key)
        if row is None or row.question is None or row.decision is not None or row.expires_at <= self._clock():
            return told(_state(row))
        return question_page(row.question, session.token, _shown(row), _time(row.expires_at))

    async def _answer(self, request: Request) -> Response:
        session = self._session(request)
        given = await _form(request)
        said = _ANSWERS.get(given.get("answer", ""))
        token = given.get("token", "").encode()
        if session is None or not secrets.compare_digest(token, session.token.encode()):
            return told("This form is not the one of your window, and nothing was written.", 403)
        if said is None:
            return told("The answer is yes or no, and nothing was written.", 400)
        row = await run_in_threadpool(self._asks().asked, session.key)
        if row is None:
            return told(_state(None))
        if said == "yes" and given.get("shown") != _shown(row):
            return page("changed.html")
        now, minutes = self._clock(), row.minutes if said == "yes" else None
        row = await run_in_threadpool(self._asks().decide, session.key, said, "page", now, minutes)
        return told(_state(row if row.decision else None))

    def _session(self, request: Request) -> _Session | None:
        session = self._sessions.get(request.cookies.get(self._cookie, ""))
        return session if session and session.until > self._clock() else None

    @property
    def _cookie(self) -> str:
        """Browsers keep the cookies of all ports of an address together."""
        return f"topcalls_{self.address.rpartition(':')[2]}"

    def _forget(self, now: datetime) -> None:
        for code in [code for code, opening in self._openings.items() if opening.until <= now]:
            self._openings.pop(code).file.unlink(missing_ok=True)
        self._sessions = {name: one for name, one in self._sessions.items() if one.until > now}
        for file in self._directory.glob(f"{_NAMED}*.html"):  # of a process that was killed
            with suppress(OSError):
                if file.stat().st_mtime < now.timestamp() - CODE_LASTS.total_seconds():
                    file.unlink()
        since = now - SESSION_LASTS
        self._redeemed = {code: one for code, one in self._redeemed.items() if one.until > since}
        self._opened_at = {key: at for key, at in self._opened_at.items() if at > since}


_NAMED = "approve-"
_ANSWERS: dict[str, Decision] = {"yes": "yes", "no": "no"}
_EVERY = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


async def _nowhere(request: Request) -> Response:
    return told("There is nothing here.", 404)


async def _no_such_method(request: Request, _: Exception) -> Response:
    return told("This page is read, and answered by its buttons; it does nothing else.", 405)


async def _broken(request: Request, _: Exception) -> Response:
    return told("This page failed. It dials nothing; open the question again to see how it stands.", 500)


async def _form(request: Request) -> dict[str, str]:
    """The fields of a form, the first of each name; none of one that is too long."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BYTES:
            return {}
    return {name: values[0] for name, values in parse_qs(body.decode("latin-1")).items()}


def _shown(row: AskRow) -> str:
    """What tells a question from the same one as it was before: asked again, it may use more."""
    return hashlib.sha256(json.dumps([row.question, row.minutes]).encode()).hexdigest()[:16]


def _state(row: AskRow | None) -> str:
    match row:
        case AskRow(decision="yes"):
            return (
                "Approved, and written down. This page dials nothing: the assistant goes on by itself, or "
                f"when it makes the same call again, until {_time(row.expires_at)}. You may close this "
                "window."
            )
        case AskRow(decision="no"):
            return "Declined, and written down: nothing is done. You may close this window."
        case _:
            return "This question is over, and nothing is done; the same call again asks anew."


def _time(moment: datetime) -> str:
    """A moment by the person's own clock."""
    return f"{moment.astimezone():%H:%M}"


def _write(path: Path, text: str) -> None:
    with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
        file.write(text)
