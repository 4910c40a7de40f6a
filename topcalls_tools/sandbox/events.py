"""Webhooks as they are due: which events there are, whom they are for, and what each says (contract 5)."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from .caller import Caller
from .clock import iso
from .script import AFTERWARDS, Answered, Ended, Processed, Script
from .store import Row
from .telling import told

BY_DEFAULT = ("call.completed", "call.failed")
"""What a call's webhook is told when its events are not named (contract A53)."""
ENDED_WELL = "call.completed"
QUEUED = "call.queued"
ONCE = frozenset({QUEUED, "call.started", ENDED_WELL, "call.failed"})
"""What happens to a call no more than once; all else may happen again."""
LATEST = AFTERWARDS
"""Milliseconds after the end of a call until nothing more is told of it."""
_OF_A_PAUSE = ("total_contacts", "pending_contacts")


@dataclass(frozen=True, slots=True)
class Target:
    """Somebody who is told: where, of what, and in whose name. Each gets a delivery of its own (A112)."""

    source: str
    url: str
    events: Collection[str]
    filters: Mapping[str, Any] = field(default_factory=dict)
    disposition: str | None = None
    """The only disposition that a subscription is about, if it names one."""

    def wants(self, event: str, payload: Mapping[str, Any], converts: Collection[str]) -> bool:
        if event not in self.events or self.disposition not in (None, payload.get("disposition")):
            return False
        facts = {**payload, "is_conversion": payload.get("disposition") in converts}
        return all(_fits(facts.get(name), wanted) for name, wanted in self.filters.items())


def targets(row: Row, caller: Caller) -> list[Target]:
    """All who are told of a call: its own address or its campaign's, and the subscriptions."""
    own = row["metadata"]
    found = []
    if own.get("webhook_url"):
        found.append(Target("call", own["webhook_url"], own["webhook_events"]))
    if row["campaign_id"]:
        found += campaign_targets(caller.book.rows("campaigns", ("id", "=", row["campaign_id"]))[0])
    return found + subscribed(caller)


def campaign_targets(campaign: Row) -> list[Target]:
    """Who is told of a campaign and of its calls: its own address, where it has one."""
    url = campaign["webhook_url"]
    return [Target("campaign", url, campaign["webhook_events"])] if url else []


def subscribed(caller: Caller) -> list[Target]:
    """The account's subscriptions; in this version only completed calls are told (contract 3.6)."""
    rows = caller.book.rows("subscriptions", ("account_id", "=", caller.account), ("deleted_at", "is", None))
    return [target(row) for row in rows]


def target(subscription: Row) -> Target:
    event, disposition = re.match(r"(call\.completed)?\.?(.*)", subscription["event"]).groups()  # type: ignore[union-attr]
    heard = (event,) if event else ()  # other names are reserved
    return Target(
        subscription["id"], subscription["url"], heard, subscription["filters"], disposition or None
    )


def schedule(
    row: Row,
    script: Script,
    whom: list[Target],
    caller: Caller,
    *,
    converts: Collection[str] = (),
    since: int = 0,
) -> None:
    """Write down what is to be sent about a call from `since` on: its script says when and what."""
    if not whom:
        return
    there = caller.book.rows("deliveries", ("subject_id", "=", row["id"]), only=("id",)) if since else []
    known, due = {one["id"] for one in there}, []
    for event, at in _happenings(row, script):
        if event == QUEUED:
            at = min(at, caller.now)  # a time that never repeats may run ahead of the clock
        if at < since or not any(event in one.events for one in whom):
            continue
        payload = _told_of_call(event, row, at)
        due += [
            _delivery(caller, event, one, row["id"], at, payload)
            for one in whom
            if one.wants(event, payload, converts)
        ]
    caller.book.add("deliveries", *(one for one in due if one["id"] not in known))


def call_off(call_id: str, caller: Caller) -> None:
    """Nothing that has not happened yet is told any more (contract A68, A69)."""
    caller.book.remove("deliveries", ("subject_id", "=", call_id), ("created_at", ">", caller.now))


def happened(event: str, campaign: Row, stats: Mapping[str, Any], caller: Caller, reason: str = "") -> None:
    """Something happened to a campaign just now; its address is told (contract A114)."""
    whom = [one for one in campaign_targets(campaign) if event in one.events]
    told_of = _OF_A_PAUSE if event == "campaign.paused" else tuple(stats)
    payload = {
        "event": event,
        "campaign_id": campaign["id"],
        "name": campaign["name"],
        "status": campaign["status"],
        **({"reason": reason} if reason else {}),
        "stats": {name: stats[name] for name in told_of},
        "occurred_at": iso(caller.now),
    }
    rows = [_delivery(caller, event, one, campaign["id"], caller.now, payload) for one in whom]
    caller.book.add("deliveries", *rows)


def transferred(row: Row, to: str, caller: Caller) -> None:
    """A call was handed on to somebody else just now."""
    known = _known("call.transferred", told(row, caller.now).model_dump(mode="json"))
    payload = {**known, "transfer_to": to, "transferred_at": iso(caller.now)}
    for one in targets(row, caller):
        if "call.transferred" in one.events:
            caller.book.add(
                "deliveries", _delivery(caller, "call.transferred", one, row["id"], caller.now, payload)
            )


def _happenings(row: Row, script: Script) -> Iterator[tuple[str, int]]:
    yield QUEUED, row["created_at"]
    for event in script.events:
        match event:
            case Answered(at=at):
                yield "call.started", at
            case Ended(at=at, outcome=outcome) if outcome != "completed":
                yield "call.failed", at
            case Processed(at=at, summary=summary) if summary is not None and row["outcome"] == "completed":
                yield ENDED_WELL, at


def _told_of_call(event: str, row: Row, at: int) -> dict[str, Any]:
    """The documented payload of an event, as the call stands at that moment (contract A113, A114)."""
    call = told(row, at).model_dump(mode="json")
    known = _known(event, call)
    ours = {"campaign_id": row["campaign_id"], "lead_id": row["lead_id"]}
    times = {name: call[name] for name in ("created_at", "started_at", "end_at")}
    match event:
        case "call.queued":
            return {**known, **ours, "created_at": call["created_at"]}
        case "call.started":
            return {**known, **ours, "created_at": call["created_at"], "started_at": call["started_at"]}
        case "call.failed":
            why = {"error_message": call["error_message"], "duration": call["duration"]}
            return {**known, **why, **ours, **times}
        case _:
            names = ("duration", "transcript", "recording_url", "call_summary", "answered_by")
            said = {name: call[name] for name in names}
            data = {"request_data": row["metadata"].get("request_data", {})}
            return {**known, **said, **ours, "disposition": row["disposition"], **times, "metadata": data}


def _known(event: str, call: Mapping[str, Any]) -> dict[str, Any]:
    """What every event says of a call."""
    names = ("phone_number", "from_phone_number", "status", "call_status")
    return {"event": event, "call_id": call["id"], **{name: call[name] for name in names}}


def _delivery(
    caller: Caller, event: str, whom: Target, subject_id: str, at: int, payload: Mapping[str, Any]
) -> Row:
    """A row of what is to be sent; its id follows from what it is about, so that it is never made twice."""
    about = f"delivery:{subject_id}:{event}:{whom.source}"
    if event not in ONCE:
        about = f"{about}:{at}:{_before(caller, event, whom, subject_id)}"
    return {
        "id": caller.identity(about),
        "account_id": caller.account,
        "created_at": at,
        "event": event,
        "url": whom.url,
        "subject_id": subject_id,
        "source": whom.source,
        "body": json.dumps(payload, ensure_ascii=False),
        "status": "pending",
        "due_at": at,
        "leased_until": 0,
    }


def _before(caller: Caller, event: str, whom: Target, subject_id: str) -> int:
    """How often somebody was told the same of a campaign or call already: it may happen twice at once."""
    same = (("subject_id", "=", subject_id), ("event", "=", event), ("source", "=", whom.source))
    return caller.book.count("deliveries", *same)


def _fits(value: Any, wanted: Any) -> bool:
    """Equal, or any of an array, or SQL's LIKE (contract 3.6)."""
    if isinstance(wanted, list):
        return any(_fits(value, one) for one in wanted)
    if isinstance(wanted, str) and isinstance(value, str) and re.search("[%_]", wanted):
        return _like(value, wanted)
    return isinstance(value, bool) is isinstance(wanted, bool) and bool(value == wanted)


def _like(value: str, pattern: str) -> bool:
    """SQL's LIKE as SQLite has it: `%` is anything, `_` any character, and A to Z are a to z."""
    first, *others = (re.escape(part).replace("_", ".") for part in re.split("%+", pattern))
    # What was found first is never looked for again further on (?>): that could only waste time.
    found = "".join(f"(?>.*?{part})" for part in others[:-1])
    end = f".*{others[-1]}" if others else ""
    return re.fullmatch(first + found + end, value, re.IGNORECASE | re.ASCII | re.DOTALL) is not None
