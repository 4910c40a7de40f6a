"""One yes to several calls: it is written down whole, and looked at again when the turn of a call comes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from sqlalchemy import select, update

from ..errors import Refused
from . import AskRow, DialRow
from . import statements as say
from .evidence import answered, append, asked
from .rows import as_asks, as_dials, stored
from .store import Journal, named
from .tables import asks, dials


def said_no(journal: Journal, account: str, digest: str, now: datetime) -> bool:
    """Whether this very list was said no to, and that no still counts."""
    alive = asks.c.account == account, asks.c.digest == digest, asks.c.expires_at > now
    with journal.storage.reading() as db:
        return db.scalar(select(asks.c.key).where(*alive, asks.c.decision == "no").limit(1)) is not None


def answered_list(journal: Journal, mine: AskRow) -> None:
    """Write down a question about a list together with its answer: it never stands open, so nothing but the
    terminal that put it can answer it."""
    with journal.writing() as db:
        named(db, mine)
        db.execute(say.NEW_ASK, stored(mine, asks))
        append(db, asked(mine, mine.asked_at), answered(mine))


def counts(journal: Journal, whole: AskRow, key: str, digest: str, now: datetime) -> None:
    """See whether the yes to a list counts for one of its calls, about which the question with this key was
    put; that question ends with the list.

    Raises Refused where the list's yes counts no more, or since the list was shown a no was said to it or to
    the same call, or the same call was placed.
    """
    no = select(asks.c.key).where(
        asks.c.account == whole.account,
        asks.c.digest.in_((whole.digest, digest)),
        asks.c.decision == "no",
        asks.c.decided_at >= whole.asked_at,
    )
    since = select(dials.c.key).where(
        dials.c.account == whole.account,
        dials.c.digest == digest,
        dials.c.state != "failed",
        dials.c.sent_at >= whole.asked_at,
    )
    with journal.writing() as db:
        of, mine = (
            next(iter(as_asks(db, db.execute(say.ASK, {"key": one}).mappings().all())), None)
            for one in (whole.key, key)
        )
        if of is None or of.decision != "yes" or of.expires_at <= now:
            raise Refused("call-list", "The yes to this list counts no more; run it again to be asked anew.")
        if db.scalar(no.limit(1)):
            raise Refused("call-list", "A no was said meanwhile, so it was not placed; run the list again.")
        if db.scalar(since.limit(1)):
            raise Refused("call-list", "This very call was placed meanwhile; run the list again to go on.")
        if mine and mine.expires_at > of.expires_at:
            db.execute(update(asks).where(asks.c.key == key).values(expires_at=of.expires_at))
            append(db, asked(replace(mine, expires_at=of.expires_at), now))


def dialled(journal: Journal, account: str, callees: Iterable[str]) -> list[DialRow]:
    """Every dial of an account to some numbers, by their digests, that may have rung; newest first."""
    wanted = select(dials).where(
        dials.c.account == account, dials.c.callee.in_(tuple(callees)), dials.c.state != "failed"
    )
    with journal.storage.reading() as db:
        return as_dials(db, db.execute(wanted.order_by(dials.c.sent_at.desc())).mappings().all())
