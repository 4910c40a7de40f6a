"""Who asks, when, and in which transaction: what every answer of the sandbox starts from."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from .clock import before
from .store import Book, Row

_SPACE = uuid.uuid5(uuid.NAMESPACE_URL, "https://topcalls.invalid/sandbox")
PAGE = 50
"""Rows of a page when no limit is given (contract 1.5)."""
ENDLESS = 2**62


@dataclass(frozen=True, slots=True)
class Fresh:
    """A new object's id, its number within its kind, and when it is made."""

    id: str
    ordinal: int
    created_at: int


@dataclass(frozen=True, slots=True)
class Caller:
    """One request's account, instant and transaction. `key` is its Idempotency-Key."""

    account: str
    now: int
    seed: str
    book: Book
    key: str | None = None

    def fresh(self, kind: str, at: int | None = None) -> Fresh:
        """Begin an object of a kind: ids follow from the seed, times never repeat."""
        ordinal, created = self.book.next(kind, self.now if at is None else at)
        return Fresh(identity(self.seed, f"{kind}:{ordinal}"), ordinal, created)

    def own(self, table: str, id: str) -> Row | None:
        """An object of this account; those of others look absent (contract A7)."""
        return self.book.find(table, id=id, account_id=self.account)


def identity(seed: str, name: str) -> str:
    """An id that is the same wherever the same seed is used."""
    return str(uuid.uuid5(uuid.uuid5(_SPACE, seed), name))


def span(limit: int | None, cursor: str | None) -> dict[str, int]:
    """What a page asks of the store: one row more than it shows tells whether there is another page."""
    return {"until": before(cursor) if cursor else ENDLESS, "limit": (limit or PAGE) + 1}


def next_cursor(rows: list[Row], limit: int | None) -> int | None:
    """`created_at` of the last row shown, when more follow (contract A21)."""
    shown = limit or PAGE
    return int(rows[shown - 1]["created_at"]) if len(rows) > shown else None
