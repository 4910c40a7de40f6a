"""What was heard in calls, and how far a campaign's calls were heard; no word that was spoken."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, bindparam, select, update

from . import DialRow
from .evidence import Link, append
from .rows import as_dials
from .statements import DIAL, EARLIER
from .store import Journal
from .tables import dials, evidence


@dataclass(frozen=True, slots=True)
class HeardCall:
    """One call in which something was heard, as it was written down."""

    call_id: str
    at: datetime
    """When it was heard."""
    facts: dict[str, Any]
    """`heard` has the turn of each kind; `call_from` the first permitted time, where one was named."""
    dial: DialRow | None
    """What the call came of; None where the journal has lost it."""


def noted(journal: Journal, account: str, call_ids: Collection[str]) -> set[str]:
    """Those of some calls of an account's campaigns in which something was heard before."""
    with journal.storage.reading() as db:
        return set(db.scalars(_NOTED, {"account": account, "calls": list(call_ids)}))


def note(journal: Journal, campaign: DialRow, call_id: str, facts: dict[str, Any], now: datetime) -> None:
    """Write down what was heard in a call of a campaign, once."""
    with journal.writing() as db:
        if db.scalar(_NOTED, {"account": campaign.account, "calls": [call_id]}) is None:
            append(db, Link(campaign.account, now, "heard", call_id, {"dial": campaign.key, **facts}))


def heard_to(journal: Journal, campaign: DialRow, to: datetime) -> None:
    """Note that every call of a campaign that was placed before then was heard."""
    with journal.writing() as db:
        db.execute(_HEARD_TO, {"this": campaign.key, "to": to})


def of_dials(journal: Journal, keys: Collection[str]) -> dict[str, list[HeardCall]]:
    """What was heard of some dials: of a call one row at most, of a campaign one for each of its calls."""
    found: dict[str, list[HeardCall]] = {key: [] for key in keys}
    campaign = (evidence.c.kind == "heard") & evidence.c.facts["dial"].as_string().in_(found)
    own = (evidence.c.kind == "closed") & evidence.c.key.in_(found)
    with journal.storage.reading() as db:
        for row in db.execute(_HEARD.where(own | campaign)).mappings().all():
            found[row["facts"].get("dial", row["key"])].append(_call(row, {}))
    return found


def heard_since(journal: Journal, account: str, since: datetime) -> list[HeardCall]:
    """Every call of an account that was heard since then and in which something was, in that order."""
    with journal.storage.reading() as db:
        found = db.execute(_HEARD.where(_OF_ACCOUNT), {"account": account, "since": since}).mappings().all()
        rows = [row for row in found if row["facts"].get("heard")]
        keys = {row["facts"].get("dial", row["key"]) for row in rows}
        dialled = as_dials(db, _by_key(db, keys))
        return [_call(row, {dial.key: dial for dial in dialled}) for row in rows]


def rung_since(journal: Journal, account: str, callee: str, since: datetime) -> datetime | None:
    """When somebody, by the digest of a number, was first called again after then; None where never."""
    with journal.storage.reading() as db:
        found = db.execute(EARLIER, {"account": account, "callees": [callee], "day": since, "besides": ""})
        return min((row.sent_at for row in found), default=None)


def _call(row: RowMapping, of: dict[str, DialRow]) -> HeardCall:
    """A link as a call: a campaign's stands under its own id, another under its dial's key."""
    facts = {name: value for name, value in row["facts"].items() if name != "dial"}
    dial = of.get(row["facts"].get("dial", row["key"]))
    call_id = row["key"] if row["kind"] == "heard" else (dial and dial.call_id) or ""
    return HeardCall(call_id, row["at"], facts, dial)


def _by_key(db: Connection, keys: Collection[str]) -> list[RowMapping]:
    return [row for key in keys for row in db.execute(DIAL, {"key": key}).mappings()]


_NOTED = select(evidence.c.key).where(
    evidence.c.kind == "heard",
    evidence.c.account == bindparam("account"),  # two sandboxes in one journal may give the same id
    evidence.c.key.in_(bindparam("calls", expanding=True)),
)
_HEARD_TO = update(dials).where(dials.c.key == bindparam("this")).values(heard_to=bindparam("to"))
_HEARD = select(evidence).order_by(evidence.c.seq)
_OF_ACCOUNT = (
    evidence.c.kind.in_(("closed", "heard"))
    & (evidence.c.account == bindparam("account"))
    & (evidence.c.at >= bindparam("since"))
)
