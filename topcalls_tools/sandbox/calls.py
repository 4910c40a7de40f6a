"""Answers about calls: place one, look at it, stop it."""

from __future__ import annotations

from typing import Any

from ..api.calls import (
    Call,
    CallInList,
    CallPage,
    CallPlaced,
    CancelCall,
    GetCall,
    ListCalls,
    PlaceCall,
    StopCall,
)
from ..api.fields import Spoken
from ..api.transcript import Turn
from ..endpoint import Stopped
from . import ledger as minutes
from . import offer
from .caller import Caller, identity, next_cursor, span
from .clock import iso
from .conversation import written
from .problem import Wrong, insufficient, invalid, invalid_state, not_found
from .script import AFTERWARDS, SCRIPT, Answered, Ended, Processed, Ringing, Script, Seen, seen
from .store import Row

RECORDINGS = "https://recordings.topcalls.invalid/"


def place(request: PlaceCall, caller: Caller) -> CallPlaced:
    """Queue a call: the whole of it is written now."""
    request = offer.completed(request.model_copy(update={"from_number": _caller_id(request, caller)}))
    held = minutes.hundredths(request.max_duration)
    free = minutes.ledger(caller).free
    if held > free:
        raise insufficient(request.max_duration, minutes.minutes(free))
    fresh = caller.fresh("call")
    script = written(caller.seed, request, fresh.ordinal, fresh.created_at)
    provider = identity(caller.seed, f"provider:{fresh.ordinal}")
    caller.book.add(
        "calls",
        {
            "id": fresh.id,
            "account_id": caller.account,
            "created_at": fresh.created_at,
            "ordinal": fresh.ordinal,
            "phone_number": request.phone_number,
            "from_number": request.from_number,
            "external_call_id": provider,
            "script": SCRIPT.dump_json(script).decode(),
            "metadata": _metadata(request),
            "key": caller.key,
            "held": held,
            **_dates(script),
        },
    )
    return CallPlaced(call_id=fresh.id, provider_call_id=provider, status="queued")


def listed(request: ListCalls, caller: Caller) -> CallPage:
    page = span(request.limit, request.cursor)
    rows = caller.book.calls(caller.account, caller.now, request.status, request.campaign_id, **page)
    shown = rows[: page["limit"] - 1]
    return CallPage(
        data=tuple(_in_list(row, call_seen(row, caller)) for row in shown),
        next_cursor=iso(next_cursor(rows, request.limit)),
    )


def one(request: GetCall, caller: Caller) -> Call:
    row = own(request.call_id, caller)
    call = call_seen(row, caller)
    return Call(
        **_facts(row, call),
        account_id=row["account_id"],
        external_call_id=row["external_call_id"],
        completed=call.done_at is not None,
        metadata=row["metadata"],
    )


def stop(request: StopCall, caller: Caller) -> Stopped:
    """Cut the line, or drop a call that has not begun; what was spoken is billed (contract A68)."""
    _end("stop", request.call_id, caller)
    return Stopped(ok=True, status="cancelled")


def cancel(request: CancelCall, caller: Caller) -> Stopped:
    """Drop a call that has not begun (contract A69)."""
    _end("cancel", request.call_id, caller)
    return Stopped(ok=True)


def own(call_id: str, caller: Caller) -> Row:
    if row := caller.own("calls", call_id):
        return row
    raise not_found("call with this id")


def call_seen(row: Row, caller: Caller) -> Seen:
    """What a row's script and what was done to it show at this instant."""
    script = SCRIPT.validate_json(row["script"])
    cut = row["ends_at"] if row["outcome"] == "cancelled" else None
    return seen(script, cut, caller.now)


def recording_url(row: Row, call: Seen) -> str | None:
    return f"{RECORDINGS}{row['id']}.wav" if call.recorded else None


def _end(kind: str, call_id: str, caller: Caller) -> None:
    row = own(call_id, caller)
    before = call_seen(row, caller)
    if before.ended_at is not None:
        raise invalid_state(f"Call is {before.status}")
    if kind == "cancel" and before.status == "in_progress":
        raise invalid_state("Call is in progress; use stop")
    caller.book.add("interventions", {"call_id": call_id, "at": caller.now, "kind": kind})
    ended = {"ends_at": caller.now, "outcome": "cancelled"}
    billed = call_seen({**row, **ended}, caller).hundredths
    done = caller.now + (AFTERWARDS if before.started_at is not None else 0)
    caller.book.change("calls", id=call_id, **ended, billed=billed, done_at=done)


def _caller_id(request: PlaceCall, caller: Caller) -> str:
    """The number that calls: an active one of the account (contract A58)."""
    numbers = caller.book.rows("numbers", account_id=caller.account, status="active", deleted_at=None)
    active = [str(row["number"]) for row in numbers if row["ready_at"] <= caller.now]
    if request.from_number is None and active:
        return active[0]
    if request.from_number in active:
        return str(request.from_number)
    said = "is no active number of the account" if active else "is needed; the account has no active number"
    raise invalid(Wrong("from_number", said, "not_active"))


def _metadata(request: PlaceCall) -> dict[str, Any]:
    """The accepted body without the number, with its defaults (contract A62)."""
    given = request.model_dump(mode="json", exclude_none=True, exclude={"phone_number"})
    defaults: dict[str, Any] = {
        "knowledge_base_ids": [],
        "request_data": {},
        "webhook_events": ["call.completed", "call.failed"],
        "tools": [],
    }
    return {**defaults, **given, "max_duration": _plain(request.max_duration)}


def _plain(number: float) -> float | int:
    return int(number) if float(number).is_integer() else number


def _dates(script: Script) -> dict[str, Any]:
    """What lists and sums look for, without reading the script again."""
    dates: dict[str, Any] = {"rings_at": None, "answered_at": None, "ends_at": None, "done_at": None}
    for event in script.events:
        match event:
            case Ringing(at=at):
                dates["rings_at"] = at
            case Answered(at=at):
                dates["answered_at"] = at
            case Ended(at=at, outcome=outcome):
                dates |= {"ends_at": at, "outcome": outcome}
            case Processed(at=at):
                dates["done_at"] = at
    return {**dates, "billed": seen(script, None, dates["ends_at"] or script.created_at).hundredths}


def _facts(row: Row, call: Seen) -> dict[str, Any]:
    """What the list and the single read both say."""
    turns = [
        Turn(id=number, user=turn.speaker, text=Spoken(turn.words), created_at=iso(turn.at))
        for number, turn in enumerate(call.turns, 1)
    ]
    return {
        "id": row["id"],
        "created_at": iso(row["created_at"]),
        "phone_number": row["phone_number"],
        "from_phone_number": row["from_number"],
        "status": call.status,
        "call_status": call.call_status,
        "duration": None if call.ended_at is None else minutes.minutes(call.hundredths),
        "started_at": iso(call.started_at),
        "end_at": iso(call.ended_at),
        "campaign_id": row["campaign_id"],
        "lead_id": row["lead_id"],
        "answered_by": call.answered_by,
        "error_message": call.error,
        "recording_url": recording_url(row, call),
        "transcript": tuple(turns),
        "call_summary": Spoken(call.summary) if call.summary else None,
    }


def _in_list(row: Row, call: Seen) -> CallInList:
    return CallInList(
        **_facts(row, call),
        disposition=Spoken(call.disposition) if call.disposition else None,
        actual_duration_billed=None if call.ended_at is None else minutes.minutes(call.hundredths),
    )
