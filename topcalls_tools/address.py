"""Where a key may be sent."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from .api.fields import loopback
from .errors import Misconfigured

LIVE_URL = "https://api.topcalls.ai"
KEY = re.compile(r"[\x21-\x7e]{8,512}")
"""The form of a key, as far as it is known."""


def same(one: str | None, other: str | None) -> bool:
    """Whether two addresses are one, however they are written; None is TopCalls' own. What is none is no
    other's."""
    try:
        return _parts(one or LIVE_URL) == _parts(other or LIVE_URL)
    except ValueError:
        return False


def _parts(text: str) -> tuple[str | int | None, ...]:
    parts = urlsplit(text)
    port = parts.port or {"https": 443, "http": 80}.get(parts.scheme)
    user, host = parts.netloc.rpartition("@")[0], (parts.hostname or "").rstrip(".")
    return parts.scheme, user, host, port, parts.path.rstrip("/"), parts.query


def address(key: str | None, base_url: str | None) -> str | None:
    """The address for a key, or None for the sandbox of this process.

    Raises Misconfigured where key and address do not fit: a live key goes only to https on another machine, a
    sandbox key never to TopCalls.
    """
    if key is None:
        if not base_url:
            return None
        raise Misconfigured(
            "TOPCALLS_BASE_URL is set and TOPCALLS_API_KEY is not; set both, or neither for the sandbox."
        )
    if not key:
        raise Misconfigured(
            "TOPCALLS_API_KEY is set and empty, which is never taken for practice; set it to your key, or "
            "unset it for the key of topcalls login, else the sandbox."
        )
    if not KEY.fullmatch(key):
        raise Misconfigured(
            "TOPCALLS_API_KEY is no key; copy it again from the account settings at topcalls.ai, or unset it "
            "for the sandbox."
        )
    given = (base_url or LIVE_URL).rstrip("/")
    try:
        parts = urlsplit(given)
        host, _ = (parts.hostname or "").rstrip("."), parts.port
    except ValueError:
        raise Misconfigured(
            "TOPCALLS_BASE_URL is no address; give one such as https://api.topcalls.ai."
        ) from None
    if parts.scheme not in ("http", "https") or not host or parts.query or "@" in parts.netloc:
        raise Misconfigured("TOPCALLS_BASE_URL is no address; give one such as https://api.topcalls.ai.")
    here = loopback(host)
    if key.startswith("tc_test_"):
        if host == urlsplit(LIVE_URL).hostname:
            raise Misconfigured(
                "A tc_test_ key belongs to a sandbox; set TOPCALLS_BASE_URL to the address that "
                "topcalls sandbox prints."
            )
        if not here and parts.scheme != "https":
            raise Misconfigured("A key goes over plain http to this machine alone; use an https address.")
        return given
    if here or parts.scheme != "https":
        raise Misconfigured(
            "A live key is sent only over https and never to this machine; unset TOPCALLS_API_KEY for the "
            "sandbox, or TOPCALLS_BASE_URL for TopCalls."
        )
    return given
