"""Rate limits, enforced where the sandbox is started with them."""

from __future__ import annotations

import math

from ...api.calls import PlaceCall
from ...endpoint import Endpoint
from ..problem import Problem, rate_limited
from ..store import Book

MINUTE = 60_000
REQUESTS = 60
"""Requests a minute that one key may send (contract A25)."""
NEW_CALLS = 10
"""Calls a minute that one account may place (contract A25)."""


def count(book: Book, now: int, key: str, account: str, kind: type[Endpoint] | None) -> Problem | None:  # type: ignore[type-arg]
    """Count a request; the refusal where it is one too many. A refused one does not count."""
    counted = [(f"key:{key}", REQUESTS)]
    if kind is PlaceCall:
        counted.append((f"calls:{account}", NEW_CALLS))
    for who, most in counted:
        book.remove("hits", ("who", "=", who), ("at", "<=", now - MINUTE))
        lately = book.rows("hits", ("who", "=", who), order="at")
        if len(lately) >= most:
            return rate_limited(math.ceil((int(lately[-most]["at"]) + MINUTE - now) / 1000))
    book.add("hits", *({"who": who, "at": now} for who, _ in counted))
    return None
