"""Adding up: what the journal knows that bears on a deed, read inside the transaction that claims it."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection

from . import CLOCKS_DIFFER, Inquiry, Ledger
from .statements import BLOCKED, SUMS
from .tables import utc

DAY = timedelta(hours=24)
AT_MOST = timedelta(minutes=70)
"""The longest that a call can be under way: an hour, and what ringing and TopCalls' books take."""


def ledger(db: Connection, inquiry: Inquiry, now: datetime) -> Ledger:
    """Read the ledger of an account, in one transaction with whatever depends on it. Where two clocks leave
    open whether the balance knows a call, its minutes are counted."""
    since = {"day": now - DAY, "hour": now - AT_MOST, "looked_at": inquiry.looked_at - CLOCKS_DIFFER}
    ours = {"account": inquiry.account, "besides": inquiry.besides}
    sums = db.execute(SUMS, {**ours, **since}).one()
    blocked = db.scalars(BLOCKED, {"callees": inquiry.callees}) if inquiry.callees else ()
    return Ledger(sums.day, sums.unseen or 0, frozenset(blocked), utc(sums.stop))
