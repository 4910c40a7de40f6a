"""Adding up: what the journal knows that bears on a deed, read inside the transaction that claims it."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, and_, func, or_, select

from . import Inquiry, Ledger
from .tables import dials, do_not_call, stops, utc

DAY = timedelta(hours=24)
AT_MOST = timedelta(minutes=70)
"""The longest that a call can be under way: an hour, and what ringing and TopCalls' books take."""


def ledger(db: Connection, inquiry: Inquiry, now: datetime) -> Ledger:
    """Read the ledger of an account, in one transaction with whatever depends on it."""
    ours = (dials.c.account == inquiry.account) & (dials.c.key != inquiry.besides)
    today = db.scalar(
        select(func.sum(func.coalesce(dials.c.used_minutes, dials.c.minutes))).where(
            ours, dials.c.sent_at > now - DAY
        )
    )
    # TopCalls' balance knows a call once it has answered for it; until then its minutes are ours to count.
    unanswered = dials.c.state.in_(("sending", "unknown"))
    answered_since = and_(dials.c.state == "placed", dials.c.settled_at >= inquiry.looked_at)
    unseen = db.scalar(
        select(func.sum(dials.c.minutes)).where(
            ours,
            dials.c.closed_at.is_(None),
            dials.c.sent_at > now - AT_MOST,
            or_(unanswered, answered_since),
        )
    )
    return Ledger(
        day_minutes=today or 0,
        unseen_minutes=unseen or 0,
        blocked=_blocked(db, inquiry),
        stopped_at=utc(db.scalar(select(stops.c.at).where(stops.c.account == inquiry.account))),
    )


def _blocked(db: Connection, inquiry: Inquiry) -> frozenset[str]:
    if not inquiry.callees:
        return frozenset()
    asked = do_not_call.c.number.in_(inquiry.callees)
    return frozenset(db.scalars(select(do_not_call.c.number).where(asked)))
