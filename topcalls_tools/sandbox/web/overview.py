"""What the page shows of an account, in one object."""

from __future__ import annotations

import json
from typing import Any

from .. import campaigns, pickup
from ..caller import Caller
from ..clock import iso
from ..deliveries import BLOCKED
from ..ledger import ledger
from ..numbers import active
from ..plans import Plan
from ..store import Row
from ..telling import as_seen, call_seen
from . import faults

SHOWN = 40
"""Calls and deliveries that are shown, the newest."""


def overview(caller: Caller) -> dict[str, Any]:
    """Everything at this instant; nothing but `now` changes while nothing happens."""
    clock = caller.book.rows("clock")[0]
    mine = ("account_id", "=", caller.account)
    calls = caller.book.rows("calls", mine, order="-created_at", limit=SHOWN)
    listed, _ = caller.page("campaigns", 200, None)
    return {
        "now": iso(caller.now),
        "speed": clock["speed"],
        "clock_set_at": iso(clock["real"]),
        "account": caller.book.rows("accounts", ("id", "=", caller.account))[0]["name"],
        "seed": caller.scene.seed,
        "balance": ledger(caller).balance().model_dump(mode="json"),
        "calls": [_call(row, caller) for row in calls],
        "campaigns": [_campaign(row, caller.now) for row in listed],
        "deliveries": deliveries(caller),
        "faults": [faults.told(row) for row in caller.book.rows("faults", mine, order="id")],
        "claims": pickup.claims(caller),
        "people": [_person(one) for one in caller.scene.people],
        "numbers": active(caller),
    }


def deliveries(caller: Caller, limit: int = SHOWN) -> list[dict[str, Any]]:
    """Webhooks of what has happened, the newest first, with each attempt to send them."""
    rows = caller.book.rows(
        "deliveries",
        ("account_id", "=", caller.account),
        ("created_at", "<=", caller.now),
        order="-created_at id",
        limit=limit,
    )
    ids = [row["id"] for row in rows]
    tried = caller.book.rows("attempts", ("delivery_id", "in", ids), order="number") if ids else []
    return [_delivery(row, [one for one in tried if one["delivery_id"] == row["id"]]) for row in rows]


def _delivery(row: Row, tried: list[Row]) -> dict[str, Any]:
    attempts = [{"at": iso(one["at"]), "status": one["status"], "error": one["error"]} for one in tried]
    names = ("id", "event", "url", "subject_id", "source", "status")
    return {
        **{name: row[name] for name in names},
        "due_at": iso(row["due_at"]),
        "note": BLOCKED if row["status"] == "blocked" else None,
        "attempts": attempts,
        "body": json.loads(row["body"]),
    }


def _call(row: Row, caller: Caller) -> dict[str, Any]:
    seen = call_seen(row, caller.now)
    person = caller.scene.people.of(row["phone_number"], caller.scene.seed).name
    return {
        **as_seen(row, seen).model_dump(mode="json"),
        "person": "You" if row["yours"] else person,
        "rang_at": iso(seen.rang_at),
        "disposition": seen.disposition,
        "yours": row["yours"],
    }


def _campaign(row: Row, now: int) -> dict[str, Any]:
    opens, _ = Plan.model_validate(row["plan"]).hours.window(now)
    told = campaigns.told(row).model_dump(mode="json")
    return {**told, "opens_at": iso(opens) if opens > now else None}


def _person(person: Any) -> dict[str, Any]:
    names = ("name", "language", "timezone", "temper")
    reached_by = [*person.endings, *person.numbers]
    return {**{name: getattr(person, name) for name in names}, "reached_by": reached_by}
