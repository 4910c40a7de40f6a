"""Who asks, when, and in which transaction: what every answer of the sandbox starts from."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from functools import lru_cache

from .clock import before
from .people import People
from .problem import Wrong, invalid
from .store import Book, Row

_SPACE = uuid.uuid5(uuid.NAMESPACE_URL, "https://topcalls.invalid/sandbox")
PAGE = 50
"""Rows of a page when no limit is given (contract 1.5)."""


@dataclass(frozen=True, slots=True)
class Fresh:
    """A new object's id, its number within its kind, and when it is made."""

    id: str
    ordinal: int
    created_at: int


@dataclass(frozen=True, slots=True)
class Scene:
    """What is the same for every request: the seed of all chance, and the people who answer the phones."""

    seed: str
    people: People
    world: str = ""
    """What tells a world from those that stood in its file before; empty in the first."""

    def identity(self, name: str) -> str:
        """An id that is the same wherever the same seed is used, but in no two worlds of one file: whoever
        wrote down what an earlier one did takes nothing of this one for that."""
        return str(uuid.uuid5(_space(f"{self.seed}\n{self.world}" if self.world else self.seed), name))


@dataclass(frozen=True, slots=True)
class Caller:
    """One request's account, instant and transaction. `key` is its Idempotency-Key, `by` its API key."""

    account: str
    now: int
    scene: Scene
    book: Book
    key: str | None = None
    by: str = ""

    def identity(self, name: str) -> str:
        return self.scene.identity(name)

    def kind(self, name: str) -> str:
        """A kind of object of this account: its members are counted, and no two are made at one time."""
        return f"{self.account}:{name}"

    def fresh(self, name: str, at: int | None = None) -> Fresh:
        """Begin an object of a kind: ids follow from the seed, times never repeat (contract A22)."""
        kind = self.kind(name)
        ordinal, created = self.book.next(kind, self.now if at is None else at)
        return Fresh(self.identity(f"{kind}:{ordinal}"), ordinal, created)

    def several(self, name: str, count: int) -> list[Fresh]:
        """Begin many objects of a kind at once."""
        kind = self.kind(name)
        made, last = self.book.made(kind)
        first = max(self.now, last + 1)
        if count:
            row = {"kind": kind, "ordinal": made + count, "last_created_at": first + count - 1}
            self.book.put("kinds", row)
        return [
            Fresh(self.identity(f"{kind}:{made + n}"), made + n, first + n - 1) for n in range(1, count + 1)
        ]

    def own(self, table: str, id: str) -> Row | None:
        """An object of this account; those of others look absent (contract A7)."""
        return self.book.find(table, id=id, account_id=self.account)

    def page(
        self, table: str, limit: int | None, cursor: str | None, *wanted: tuple[str, str, object]
    ) -> tuple[list[Row], int | None]:
        """A page of this account's rows, newest first, and the cursor of the next (contract A21)."""
        most = limit or PAGE
        try:
            older = (("created_at", "<", before(cursor)),) if cursor is not None else ()
        except ValueError:
            raise invalid(Wrong("cursor", "is none that a page gave", "unreadable")) from None
        rows = self.book.rows(
            table, ("account_id", "=", self.account), *older, *wanted, order="-created_at", limit=most + 1
        )
        more = len(rows) > most  # one row more than is shown tells whether there is another page
        return rows[:most], int(rows[most - 1]["created_at"]) if more else None


@lru_cache(maxsize=8)
def _space(seed: str) -> uuid.UUID:
    return uuid.uuid5(_SPACE, seed)
