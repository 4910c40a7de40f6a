"""The sandbox's accounts and their keys, as its owner sees them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ..api import CATALOG
from .caller import Caller
from .errors import SandboxError
from .store import Book
from .web.gateway import digest

SCOPES = tuple(sorted({kind.scope for kind in CATALOG if kind.scope}))
HINT = 6
"""Characters of a key that a list shows, the last."""


@dataclass(frozen=True, slots=True)
class Key:
    """A key as lists show it. `scopes` is None where it may do everything."""

    account: str
    name: str
    hint: str
    scopes: tuple[str, ...] | None
    revoked: bool


def named(book: Book, name: str) -> str:
    """The id of the account with a name."""
    if row := book.find("accounts", name=name):
        return str(row["id"])
    known = ", ".join(str(one["name"]) for one in book.rows("accounts"))
    raise SandboxError(f"There is no account {name}; there are {known}.")


def check_free(book: Book, name: str) -> None:
    if book.find("accounts", name=name):
        raise SandboxError(f"There is an account {name} already; choose another name.")


def add_key(caller: Caller, key: str, name: str, scopes: Iterable[str] | None) -> str:
    """Let a key in. Only its digest is kept: the file gives no key away."""
    allowed = None if scopes is None else sorted(set(scopes))
    if unknown := set(allowed or ()) - set(SCOPES):
        raise SandboxError(f"There is no scope {', '.join(sorted(unknown))}; there are {', '.join(SCOPES)}.")
    row = {"digest": digest(key), "account_id": caller.account, "name": name, "hint": key[-HINT:]}
    caller.book.add("keys", row | {"created_at": caller.now, "scopes": allowed, "revoked": False})
    return key


def revoked(book: Book, key: str) -> bool:
    return book.find("keys", digest=digest(key), revoked=True) is not None


def keys(book: Book) -> list[Key]:
    accounts = {row["id"]: str(row["name"]) for row in book.rows("accounts")}
    return [
        Key(
            accounts[row["account_id"]],
            row["name"],
            row["hint"],
            None if row["scopes"] is None else tuple(row["scopes"]),
            row["revoked"],
        )
        for row in book.rows("keys", order="created_at hint")
    ]


def revoke(book: Book, hint: str) -> None:
    """Take the one key back that ends so."""
    found = [row for row in book.rows("keys", ("revoked", "=", False)) if row["hint"].endswith(hint)]
    if len(found) != 1 or not hint:
        raise SandboxError(
            f"{len(found) if hint else 'No'} keys end with {hint!r}; give the last {HINT} characters of one."
        )
    book.change("keys", ("digest", "=", found[0]["digest"]), revoked=True)
