"""What the journal knows of one call, by TopCalls' handle of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select

from . import AskRow, DialRow
from .deliveries import Delivery, of_call
from .evidence import entries
from .rows import as_asks, as_dials
from .statements import ASK
from .store import Journal
from .tables import dials


@dataclass(frozen=True, slots=True)
class Called:
    """A call as the journal knows it."""

    ask: AskRow | None = None
    dial: DialRow | None = None
    """None where it was not placed from here."""
    closed: Mapping[str, Any] = field(default_factory=dict)
    """What was written down when its books were closed, or when a campaign's call was heard."""
    deliveries: tuple[Delivery, ...] = ()
    """The webhooks that told of it, in the order in which they came."""
    stopped_at: datetime | None = None
    """When it was stopped from here, where that took effect and was written down."""


def called(journal: Journal, account: str, call_id: str) -> Called:
    """What the journal knows of a call; empty where it knows nothing."""
    told = tuple(of_call(journal, account, call_id))
    with journal.storage.reading() as db:
        row = db.execute(_DIAL_OF, {"account": account, "call": call_id}).mappings().first()
        links = [one for one in entries(db, call_id) if one.account == account]
        stops = (one.at for one in links if one.kind == "stop" and one.facts.get("ok"))
        stopped_at = next(stops, None)
        if row is None:
            heard = (one.facts for one in links if one.kind == "heard")
            return Called(closed=next(heard, {}), deliveries=told, stopped_at=stopped_at)
        (dial,) = as_dials(db, [row])
        asked = as_asks(db, db.execute(ASK, {"key": dial.key}).mappings().all())
        closed = (one.facts for one in entries(db, dial.key) if one.kind == "closed")
        return Called(next(iter(asked), None), dial, next(closed, {}), told, stopped_at)


_DIAL_OF = (
    select(dials)
    .where(dials.c.call_id == bindparam("call"), dials.c.account == bindparam("account"))
    .order_by(dials.c.sent_at.desc())
    .limit(1)
)
