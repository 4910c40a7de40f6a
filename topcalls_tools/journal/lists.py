"""One yes to several calls: the yes to the list, and the yes to each of its calls, made from it when its turn
comes."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select

from ..errors import Refused
from . import AskRow, DialRow
from . import statements as say
from .evidence import answered, append, asked
from .rows import as_asks, as_dials, stored
from .store import Journal, named
from .tables import asks, dials


def said_no(journal: Journal, account: str, digest: str, now: datetime) -> bool:
    """Whether this very list was said no to, and that no still counts."""
    with journal.storage.reading() as db:
        return any(row.decision == "no" for row in _same(db, account, digest, now))


def answered_list(journal: Journal, mine: AskRow) -> None:
    """Write down a question about a list together with its answer: it never stands open, so nothing but the
    terminal that put it can answer it."""
    with journal.writing() as db:
        named(db, mine)
        _new(db, mine)


def agreed_call(journal: Journal, whole: AskRow, mine: AskRow, now: datetime) -> None:
    """Write down the yes to one call of a list: given when the list's was, and for a while from `now`.

    Raises Refused where the list's yes counts no more, where this yes was made before, or where the same call
    was asked about or placed by somebody else since the list was shown.
    """
    with journal.writing() as db:
        of = _row(db, whole.key)
        if of is None or of.decision != "yes" or of.expires_at <= now:
            raise Refused("call-list", "The yes to this list counts no more; run it again to be asked anew.")
        if _row(db, mine.key) is not None:
            raise Refused("one-yes-one-deed", "The yes to this call was used before; run the list again.")
        others = [row for row in _same(db, mine.account, mine.digest, now) if _hinders(row, whole)]
        since = select(dials.c.key).where(
            dials.c.account == mine.account,
            dials.c.digest == mine.digest,
            dials.c.state != "failed",
            dials.c.sent_at >= whole.asked_at,
        )
        if others or db.scalar(since.limit(1)):
            raise Refused(
                "call-list",
                "This very call was placed, asked about or said no to elsewhere; run the list again to see "
                "how it stands.",
            )
        _new(db, mine)


def dialled(journal: Journal, account: str, callees: Iterable[str]) -> list[DialRow]:
    """Every dial of an account to some numbers, by their digests, that may have rung; newest first."""
    wanted = select(dials).where(
        dials.c.account == account, dials.c.callee.in_(tuple(callees)), dials.c.state != "failed"
    )
    with journal.storage.reading() as db:
        return as_dials(db, db.execute(wanted.order_by(dials.c.sent_at.desc())).mappings().all())


def _hinders(row: AskRow, whole: AskRow) -> bool:
    """Whether a question about the same call is open, or was answered so that this one is not placed too. One
    that was used before the list was shown stands in it; one that a list left unused is given anew."""
    return row.decision != "yes" or (row.used_at is not None and row.used_at >= whole.asked_at)


def _same(db: Connection, account: str, digest: str, now: datetime) -> list[AskRow]:
    alive = asks.c.account == account, asks.c.digest == digest, asks.c.expires_at > now
    return as_asks(db, db.execute(select(asks).where(*alive)).mappings().all())


def _row(db: Connection, key: str) -> AskRow | None:
    return next(iter(as_asks(db, db.execute(say.ASK, {"key": key}).mappings().all())), None)


def _new(db: Connection, row: AskRow) -> None:
    """A question that is written down with its answer."""
    values: dict[str, Any] = stored(row, asks)
    db.execute(insert(asks), values)
    append(db, asked(row, row.asked_at), answered(row))
