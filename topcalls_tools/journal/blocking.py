"""Numbers that are not to be called, for every machine that shares the journal: their digests alone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, delete, insert

from . import evidence
from .evidence import Link
from .statements import BLOCKED, LINE, NEW_LINE
from .store import Journal
from .tables import do_not_call

_AT_ONCE = 500


def blocked(journal: Journal, digests: Sequence[str]) -> frozenset[str]:
    """Those of some numbers that are not to be called, by their digests."""
    with journal.storage.reading() as db:
        return _blocked(db, digests)


def block(journal: Journal, account: str, line: str, digests: Sequence[str], at: datetime) -> None:
    """Have numbers not called from now on, by the digests that the guard asks for. Twice is once. The key, of
    which `line` is a digest, stays this account's: under another name it would know nothing of them."""
    with journal.writing() as db:
        if db.scalar(LINE, {"line": line}) is None:
            db.execute(NEW_LINE, {"line": line, "account": account})
        known = _blocked(db, digests)
        if fresh := [one for one in dict.fromkeys(digests) if one not in known]:
            db.execute(insert(do_not_call), [{"number": one, "at": at} for one in fresh])
            evidence.append(db, *(Link(account, at, "blocked", one, {}) for one in fresh))


def unblock(journal: Journal, account: str, digests: Sequence[str], at: datetime) -> None:
    """Let numbers be called again."""
    with journal.writing() as db:
        for one in sorted(_blocked(db, digests)):
            db.execute(delete(do_not_call).where(do_not_call.c.number == one))
            evidence.append(db, Link(account, at, "unblocked", one, {}))


def _blocked(db: Connection, digests: Sequence[str]) -> frozenset[str]:
    found: set[str] = set()
    for start in range(0, len(digests), _AT_ONCE):
        found.update(db.scalars(BLOCKED, {"callees": digests[start : start + _AT_ONCE]}))
    return frozenset(found)
