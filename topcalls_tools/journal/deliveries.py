"""What webhooks told of calls and campaigns: that they came, and whether it was worked; no word that was
spoken."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Connection, Executable, bindparam, delete, func, insert, or_, select, tuple_, update

from ..api.calls import ENDED
from .store import Journal
from .tables import deliveries, dials

AT_ONCE = 200
"""How many deliveries are given, or forgotten, at a time."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One webhook as it came. Times are aware."""

    delivery: str
    """TopCalls' id of it, the same each time that it is sent to this account; at most 128 characters."""
    account: str
    digest: str
    """Of the body: the same body under another id is the same event."""
    event: str
    """Such as call.completed; at most 64 characters."""
    call_id: str | None
    """None where it tells of a campaign."""
    status: str | None
    """What it says of the call or campaign; at most 32 characters."""
    ours: bool
    """Whether the journal knew the call when it came, or has come to know it since."""
    at: datetime
    """When it came."""
    worked_at: datetime | None = None
    """When all was done that follows from it."""

    @property
    def ends(self) -> bool:
        """Whether it says that a call is over."""
        return self.call_id is not None and ends(self.event, self.status)


def ends(event: str, status: str | None) -> bool:
    """Whether an event of a call says that the call is over."""
    return status in ENDED or re.fullmatch(r"call\.(failed|completed(\.[a-z0-9_]+)?)", event) is not None


def keep(journal: Journal, delivery: Delivery) -> bool:
    """Write a delivery down, on the disk before this returns. Whether it is `ours` is told by the dials.

    False where one with this id, or with the same body, came before: then nothing is written.
    """
    with journal.writing() as db:
        if db.scalar(_SAME, {"id": delivery.delivery, "account": delivery.account, "body": delivery.digest}):
            return False
        ours = _placed_here(db, delivery)
        db.execute(insert(deliveries), asdict(delivery) | {"ours": ours})
        return True


def told(journal: Journal, account: str, since: datetime) -> dict[str, datetime]:
    """When the last delivery of each call came, of those calls of which one came since then."""
    with journal.storage.reading() as db:
        return {row[0]: row[1] for row in db.execute(_TOLD, {"account": account, "since": since})}


def of_call(journal: Journal, account: str, call_id: str) -> list[Delivery]:
    """Every delivery of one call, in the order in which they came. Whether one is ours is told anew: it may
    be here before the answer to the call that it tells of."""
    with journal.storage.reading() as db:
        return _deliveries(db, _OF_CALL, account=account, call=call_id)


def unworked(journal: Journal, account: str, most: int = AT_ONCE) -> list[Delivery]:
    """The oldest deliveries from which nothing has followed yet, in the order in which they came; ours first,
    so that however many of others keep none of ours waiting."""
    with journal.storage.reading() as db:
        return _deliveries(db, _UNWORKED, account=account, most=most)


def worked(journal: Journal, delivery: Delivery, now: datetime) -> None:
    """Note that all was done that follows from a delivery, and whether it was ours."""
    with journal.writing() as db:
        this = {"this": delivery.delivery, "mine": delivery.account}
        db.execute(_WORKED, {**this, "now": now, "known": delivery.ours})


def purge(journal: Journal, before: datetime, most: int = AT_ONCE) -> int:
    """Forget deliveries that came before then, oldest first; gives how many."""
    old = select(*_KEY).where(deliveries.c.at < before).order_by(deliveries.c.at).limit(most)
    with journal.storage.reading() as db:
        keys = [tuple(row) for row in db.execute(old)]
    if keys:
        with journal.writing() as db:
            db.execute(delete(deliveries).where(tuple_(*_KEY).in_(keys)))
    return len(keys)


def _placed_here(db: Connection, delivery: Delivery) -> bool:
    known = {"account": delivery.account, "call": delivery.call_id}
    return delivery.call_id is not None and db.scalar(_DIALLED, known) is not None


def _deliveries(db: Connection, statement: Executable, **given: object) -> list[Delivery]:
    return [Delivery(**row) for row in db.execute(statement, given).mappings()]


_KEY = (deliveries.c.account, deliveries.c.delivery)
_account = deliveries.c.account == bindparam("account")
_SAME = (
    select(deliveries.c.delivery)
    .where(_account, or_(deliveries.c.delivery == bindparam("id"), deliveries.c.digest == bindparam("body")))
    .limit(1)
)
_DIALLED = (
    select(dials.c.key)
    .where(dials.c.account == bindparam("account"), dials.c.call_id == bindparam("call"))
    .limit(1)
)
_TOLD = (
    select(deliveries.c.call_id, func.max(deliveries.c.at))
    .where(_account, deliveries.c.at >= bindparam("since"), deliveries.c.call_id.is_not(None))
    .group_by(deliveries.c.call_id)
)
_known = select(dials.c.key).where(
    dials.c.account == deliveries.c.account, dials.c.call_id == deliveries.c.call_id
)
_ours = or_(deliveries.c.ours, _known.exists())
_AS_KNOWN = select(*(one for one in deliveries.c if one.name != "ours"), _ours.label("ours")).where(_account)
_OF_CALL = _AS_KNOWN.where(deliveries.c.call_id == bindparam("call")).order_by(
    deliveries.c.at, deliveries.c.delivery
)
_UNWORKED = (
    _AS_KNOWN.where(deliveries.c.worked_at.is_(None))
    .order_by(_ours.desc(), deliveries.c.at, deliveries.c.delivery)
    .limit(bindparam("most"))
)
_WORKED = (
    update(deliveries)
    .where(deliveries.c.account == bindparam("mine"), deliveries.c.delivery == bindparam("this"))
    .values(worked_at=bindparam("now"), ours=bindparam("known"))
)
