"""Adding up: what the journal knows that bears on a deed, read inside the transaction that claims it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection

from . import CLOCKS_DIFFER, Earlier, Inquiry, Ledger
from .statements import BLOCKED, COUNTED, EARLIER, NEW_MONTH, SUMS

DAY = timedelta(hours=24)
AT_MOST = timedelta(minutes=70)
"""The longest that a call can be under way: an hour, and what ringing and TopCalls' books take."""


def ledger(db: Connection, inquiry: Inquiry, now: datetime) -> Ledger:
    """Read the ledger of an account, in one transaction with whatever depends on it. Where two clocks leave
    open whether the balance knows a call, its minutes are counted."""
    since = {"day": now - DAY, "hour": now - AT_MOST, "looked_at": inquiry.looked_at - CLOCKS_DIFFER}
    month = {"month": _month(now), "first": datetime.fromisoformat(f"{_month(now)}-01T00:00+00:00")}
    ours = {"account": inquiry.account, "besides": inquiry.besides}
    sums = db.execute(SUMS, {**ours, **since, **month}).one()
    blocked: frozenset[str] = frozenset()
    earlier: tuple[Earlier, ...] = ()
    if whose := {"callees": inquiry.callees} if inquiry.callees else None:
        blocked = frozenset(db.scalars(BLOCKED, whose))
        earlier = tuple(
            Earlier(
                callee, sent_at, state, closed_at is None and state != "unknown" and sent_at > since["hour"]
            )
            for callee, sent_at, state, closed_at in db.execute(
                EARLIER, {**ours, **whose, "day": since["day"]}
            )
        )
    return Ledger(
        day_minutes=sums.day,
        month_minutes=sums.month,
        unseen_minutes=sums.unseen or 0,
        day_calls=sums.calls,
        oldest=sums.oldest,
        calls_under_way=sums.under_way,
        blocked=blocked,
        earlier=earlier,
        stopped_at=sums.stop,
    )


def count(db: Connection, account: str, sent_at: datetime, minutes: float) -> None:
    """Add to what the month of a dial has used or may yet use; less than nothing takes away."""
    month = _month(sent_at)
    if not db.execute(COUNTED, {"whose": account, "when": month, "more": minutes}).rowcount:
        db.execute(NEW_MONTH, {"account": account, "month": month, "minutes": minutes})


def _month(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m}"
