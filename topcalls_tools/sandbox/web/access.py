"""Who may use the controls and the page: programs of this machine with a key, and a browser with a cookie."""

from __future__ import annotations

import secrets
from urllib.parse import urlsplit

from ...api.fields import loopback
from ..problem import Problem, forbidden, unauthorized
from ..store import Book, Row
from .arrivals import Arrived
from .gateway import digest, holder

LOOKS = "calls:read"
"""The scope with which a key may look at what the controls show."""
CODE_LASTS = 24 * 3_600_000
COOKIE_LASTS = 30 * 24 * 3_600_000
"""Real milliseconds for which an unused code and a browser's cookie are good."""


def from_here(arrived: Arrived) -> None:
    """Only this machine: no page of another site, no name that merely leads here."""
    host, origin = arrived.headers.get("host", ""), arrived.headers.get("origin")
    try:
        here = loopback(urlsplit(f"//{host}").hostname)
    except ValueError:
        here = False
    if not here:
        raise forbidden("The sandbox's controls answer to loopback addresses alone")
    if origin not in (None, f"http://{host}"):
        raise forbidden("The sandbox's controls do not answer to other sites")


def account(book: Book, arrived: Arrived, real: int) -> str:
    """Whose controls are used: by a key that may, or by the page's cookie, and then from the page alone.

    `real` is real time, here and below, in milliseconds since 1970.
    """
    if "authorization" in arrived.headers:
        return str(_allowed(holder(book, arrived), arrived)["account_id"])
    found = book.find("sessions", digest=digest(_cookie(arrived)), kind="cookie")
    if found is None or found["until"] < real:
        raise unauthorized("Send a key, or open the page by a link from the terminal")
    if arrived.method != "GET" and arrived.headers.get("origin") is None:
        raise forbidden("The page's cookie changes nothing without the page's own Origin")
    return str(found["account_id"])


def _allowed(key: Row, arrived: Arrived) -> Row:
    if key["scopes"] is None:
        return key
    if arrived.method != "GET":
        raise forbidden("Only a key without a list of scopes changes anything here")
    if LOOKS not in key["scopes"]:
        raise forbidden(f"This key lacks the scope {LOOKS}")
    return key


def new_code(book: Book, account_id: str, real: int) -> str:
    """A code that opens the page once."""
    code = secrets.token_urlsafe(16)
    _keep(book, code, account_id, "code", real, CODE_LASTS)
    return code


def redeem(book: Book, code: object, arrived: Arrived, real: int) -> str:
    """Take a code for a cookie: the value of Set-Cookie. A code counts once."""
    if arrived.headers.get("origin") is None:
        raise forbidden("A code is redeemed by the page alone")
    found = book.find("sessions", digest=digest(str(code)), kind="code")
    if found is None or found["until"] < real:
        raise Problem(401, "unauthorized", "Unauthorized", "This code is unknown or used; take a fresh link")
    book.remove("sessions", digest=found["digest"])
    token = secrets.token_urlsafe(32)
    _keep(book, token, found["account_id"], "cookie", real, COOKIE_LASTS)
    return (
        f"{_name(arrived)}={token}; HttpOnly; SameSite=Strict; Path=/sandbox/; Max-Age={COOKIE_LASTS // 1000}"
    )


def _keep(book: Book, secret: str, account_id: str, kind: str, real: int, lasts: int) -> None:
    """Keep the digest of a new secret, and none that has expired."""
    book.remove("sessions", ("until", "<", real))
    row = {"digest": digest(secret), "account_id": account_id, "kind": kind, "until": real + lasts}
    book.add("sessions", row)


def _cookie(arrived: Arrived) -> str:
    """Our cookie among those of the host's other programs, who may write theirs as they like."""
    cookies = (part.strip().partition("=") for part in arrived.headers.get("cookie", "").split(";"))
    return next((value for name, _, value in cookies if name == _name(arrived)), "")


def _name(arrived: Arrived) -> str:
    """Cookies know no ports: each server's has a name of its own."""
    return f"topcalls_{arrived.headers.get('host', '').rpartition(':')[2]}"
