"""Numbers that are not to be called, for every machine that shares the journal: their digests alone."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, insert, select

from . import evidence
from .evidence import Link
from .store import Journal
from .tables import do_not_call


def block(journal: Journal, account: str, digest: str, at: datetime) -> None:
    """Have a number not called from now on, by the digest that the guard asks for. Twice is once."""
    with journal.writing() as db:
        if not db.scalar(select(do_not_call.c.number).where(do_not_call.c.number == digest)):
            db.execute(insert(do_not_call).values(number=digest, at=at))
            evidence.append(db, Link(account, at, "blocked", digest, {}))


def unblock(journal: Journal, account: str, digest: str, at: datetime) -> bool:
    """Let a number be called again; whether it was blocked here."""
    with journal.writing() as db:
        gone = bool(db.execute(delete(do_not_call).where(do_not_call.c.number == digest)).rowcount)
        if gone:
            evidence.append(db, Link(account, at, "unblocked", digest, {}))
        return gone
