"""Fetches a recording from where TopCalls keeps it: without the API key, bounded, and from nowhere else than
https or this machine's sandbox."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ipaddress import IPv6Address, IPv6Network
from typing import TYPE_CHECKING

from .api.fields import loopback, numeric
from .errors import Broken, NotFound, Refused, Unreachable

if TYPE_CHECKING:
    import httpx

    from .connect import Line

MOST_BYTES = 500_000_000
"""Bytes that a recording may have; an hour as telephones sound has some 60 million."""
MOST_SECONDS = 1800.0
"""How long fetching it may take."""
REDIRECTS = 5
NO_SOUND = ("text/", "application/json", "application/xml", "application/problem")
"""What begins the type of pages, which are no recordings."""


def fetched(
    address: str,
    line: Line,
    *,
    transport: httpx.BaseTransport | None = None,
    timer: Callable[[], float] = time.monotonic,
    most_bytes: int = MOST_BYTES,
) -> Iterator[bytes]:
    """The bytes of a recording, piece by piece; `address` is the recording_url of a call.

    Raises Refused where the address is none to fetch from, or the recording is too large; NotFound, Broken or
    Unreachable where it does not come, or not whole.
    """
    import httpx

    until = timer() + MOST_SECONDS
    url = _url(_here(address, line))
    for _ in range(REDIRECTS + 1):
        _allowed(url, line)
        away = not loopback(url.host)  # proxies are for what is away
        with (
            _whole(),
            httpx.Client(transport=transport, trust_env=away, auth=httpx.Auth()) as http,
            http.stream("GET", url, headers={"Accept-Encoding": "identity"}, timeout=20) as response,
        ):
            if not response.has_redirect_location:
                yield from _pieces(response, most_bytes, lambda: timer() > until)
                return
            url = url.join(_url(response.headers["location"]))
    raise Broken("The recording is behind too many redirections; try again later.", 502)


def _here(address: str, line: Line) -> str:
    """Where a recording is. The addresses that the sandbox gives lead nowhere; it serves them itself."""
    if line.live:
        return address
    from .sandbox.telling import RECORDINGS

    if not address.startswith(RECORDINGS):
        return address
    return f"{line.address()}/sandbox/recordings/{address.removeprefix(RECORDINGS)}"


def _url(address: str) -> httpx.URL:
    import httpx

    try:
        return httpx.URL(address)
    except httpx.InvalidURL:
        raise _elsewhere() from None


def _allowed(url: httpx.URL, line: Line) -> None:
    schemes: tuple[str, ...] = () if _nearby(url.host) else ("https",)
    if loopback(url.host) and not line.live:
        schemes = ("http", "https")
    if not (url.host and url.scheme in schemes):
        raise _elsewhere()


def _nearby(host: str) -> bool:
    """Whether a host is this machine, or an address that leads, or may lead, to no other than those around
    it."""
    address = numeric(host.rstrip("."))
    if isinstance(address, IPv6Address) and (address not in _ASSIGNED or address.sixtofour):
        return True  # in what stands outside, and in 6to4, another address may hide
    return loopback(host) or (address is not None and not address.is_global)


_ASSIGNED = IPv6Network("2000::/3")


def _elsewhere() -> Refused:
    return Refused(
        "recording",
        "The recording is at an address that is not https on the open internet, and nothing was fetched; "
        "get_call shows the address.",
    )


def _pieces(response: httpx.Response, most: int, late: Callable[[], bool]) -> Iterator[bytes]:
    status, kind = response.status_code, response.headers.get("content-type", "").lower()
    if status in (401, 403, 404, 410):
        raise NotFound(
            "The recording is not there any more, or not for us; read the call again for a fresh address.",
            404,
        )
    if status != 200:
        raise Broken(f"The recording cannot be fetched now ({status}); try again later.", status)
    if kind.startswith(NO_SOUND):
        raise Broken(
            "Where the recording should be there is a page, and nothing was saved; try again later.", 502
        )
    size, got = response.headers.get("content-length", ""), 0
    if size.isdigit() and int(size) > most:
        raise _too_large(most)
    for piece in response.iter_bytes():
        got += len(piece)
        if got > most:
            raise _too_large(most)
        if late():
            raise Unreachable("The recording took too long; try again, on a better line.")
        yield piece
    if not got:
        raise Broken("The recording is empty, and nothing was saved; try again later.", 502)


def _too_large(most: int) -> Refused:
    return Refused(
        "recording",
        f"The recording has more than {most // 1_000_000} MB, and nothing was saved; get_call shows its "
        "address, for a browser.",
    )


@contextmanager
def _whole() -> Iterator[None]:
    """Turns httpx's errors into ours."""
    import httpx

    try:
        yield
    except (httpx.HTTPError, httpx.InvalidURL):
        raise Unreachable(
            "The recording did not come, or not whole, and nothing was saved; look at the network and try "
            "again."
        ) from None
