"""How a request goes out and its reply comes in: the only file that names httpx."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import anyio
import httpx

from .api.fields import loopback
from .errors import Misconfigured, Offline, Unreachable
from .wire import Reply, Request

if TYPE_CHECKING:
    from .connect import Line


class Pool:
    """Connections to the address of a line, kept alive; where that is the sandbox, it is started."""

    def __init__(self, line: Line, transport: httpx.BaseTransport | None) -> None:
        self._line = line
        with _usable():
            self._http = httpx.Client(**_options(line), transport=transport)

    def send(self, request: Request, seconds: float) -> Reply:
        """Raises Offline where nothing was sent, Unreachable where nobody knows."""
        with _unreachable():
            until = time.monotonic() + seconds
            with self._http.stream(**_call(request, seconds)) as response:
                chunks = []
                for chunk in response.iter_bytes():
                    chunks.append(chunk)
                    if time.monotonic() > until:  # httpx limits each read, not all of them
                        raise httpx.ReadTimeout("the reply took too long")
                return _reply(response, b"".join(chunks), self._line)

    def close(self) -> None:
        self._http.close()


class AsyncPool:
    """The same for one event loop. Made in a thread: a sandbox may have to be started first."""

    def __init__(self, line: Line, transport: httpx.AsyncBaseTransport | None) -> None:
        self._line = line
        with _usable():
            self._http = httpx.AsyncClient(**_options(line), transport=transport)

    async def send(self, request: Request, seconds: float) -> Reply:
        """Raises Offline where nothing was sent, Unreachable where nobody knows."""
        with _unreachable():
            with anyio.fail_after(seconds):
                response = await self._http.request(**_call(request, seconds))
            return _reply(response, response.content, self._line)

    async def aclose(self) -> None:
        await self._http.aclose()


@contextmanager
def _usable() -> Iterator[None]:
    """Says in words why no connection can be set up: an address, a proxy or a certificate file of the
    owner's."""
    try:
        yield
    except (ImportError, OSError, ValueError, httpx.InvalidURL) as error:
        raise Misconfigured(
            f"No connection can be set up ({error}); check TOPCALLS_BASE_URL, the proxy variables and "
            "SSL_CERT_FILE."
        ) from None


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
    except (httpx.HTTPError, TimeoutError):
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
    return {
        **what,
        "json": request.body,
        "headers": request.headers,
        "timeout": httpx.Timeout(seconds, connect=min(seconds, 5.0)),
    }


def _reply(response: httpx.Response, content: bytes, line: Line) -> Reply:
    if (key := line.key().encode()) in content:  # a page that echoes what it was sent
        content = content.replace(key, b"[key]")
    told = {name: response.headers[name] for name in _TOLD if name in response.headers}
    return Reply(response.status_code, content, told)


_TOLD = ("retry-after", "date", "content-type")
"""The headers of a reply that somebody here goes by."""
