"""Answers about calls: place one, look at it, stop it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..api.calls import Call, CallPage, CallPlaced, CancelCall, GetCall, ListCalls, PlaceCall, StopCall
from ..endpoint import Stopped
from . import events, ledger, offer
from .caller import Caller, Fresh, Scene
from .clock import iso
from .numbers import active
from .people.conversation import written
from .people.live import talked
from .problem import Wrong, invalid, invalid_state, not_found
from .script import AFTERWARDS, SCRIPT, Answered, Ended, Processed, Ringing, Script, Seen, closed
from .store import Row
from .telling import call_seen, in_list, told


def place(request: PlaceCall, caller: Caller) -> CallPlaced:
    """Queue a call: the whole of it is written now, unless somebody here means to pick up."""
    request = offer.completed(request.model_copy(update={"from_number": _caller_id(request, caller)}))
    held = ledger.hold(request.max_duration, caller)
    yours = caller.book.find("claims", account_id=caller.account, number=request.phone_number) is not None
    fresh = caller.fresh("call")
    if yours:
        script = talked(caller.scene.seed, request, fresh.ordinal, fresh.created_at, ())
    else:
        script = script_of(request, fresh, caller)
    row = dialled(request, script, fresh, caller.scene, metadata(request))
    row |= {"account_id": caller.account, "key": caller.key, "held": held, "yours": yours}
    caller.book.add("calls", row)
    events.schedule(row, script, events.targets(row, caller), caller)
    return CallPlaced(call_id=fresh.id, provider_call_id=row["external_call_id"], status="queued")


def script_of(request: PlaceCall, fresh: Fresh, caller: Caller, unwritten: Iterable[Row] = ()) -> Script:
    """What will happen on a call that the people of this world answer.

    `unwritten` are the account's calls that were placed before it and are not in the book yet.
    """
    person, earlier = caller.scene.people.of(request.phone_number, caller.scene.seed), 0
    if person.answers_on_attempt > 1:
        mine = (("account_id", "=", caller.account), ("phone_number", "=", request.phone_number))
        earlier = caller.book.count("calls", *mine)
        earlier += sum(call["phone_number"] == request.phone_number for call in unwritten)
    return written(caller.scene.seed, request, fresh.ordinal, fresh.created_at, person, earlier)


def dialled(
    request: PlaceCall, script: Script, fresh: Fresh, scene: Scene, configuration: Mapping[str, Any]
) -> Row:
    """The row of a call that is queued now; its account, key and campaign are the dialler's to add."""
    return {
        "id": fresh.id,
        "created_at": fresh.created_at,
        "ordinal": fresh.ordinal,
        "phone_number": request.phone_number,
        "from_number": request.from_number,
        "external_call_id": scene.identity(f"provider:{fresh.id}"),
        "metadata": configuration,
        "campaign_id": None,
        "lead_id": None,
        **dates(script),
    }


def listed(request: ListCalls, caller: Caller) -> CallPage:
    wanted: list[tuple[str, str, object]] = []
    if request.campaign_id:
        wanted += [("campaign_id", "=", request.campaign_id)]
    if request.status:  # an outcome is written when the call is placed, and known once it has ended
        wanted += [("outcome", "=", request.status), ("ends_at", "<=", caller.now)]
    rows, cursor = caller.page("calls", request.limit, request.cursor, *wanted)
    return CallPage(data=tuple(in_list(row, caller.now) for row in rows), next_cursor=iso(cursor))


def one(request: GetCall, caller: Caller) -> Call:
    return told(own(request.call_id, caller), caller.now)


def stop(request: StopCall, caller: Caller) -> Stopped:
    """Cut the line, or drop a call that has not begun; what was spoken is billed (contract A68)."""
    _cut("stop", request.call_id, caller)
    return Stopped(ok=True, status="cancelled")


def cancel(request: CancelCall, caller: Caller) -> Stopped:
    """Drop a call that has not begun (contract A69)."""
    _cut("cancel", request.call_id, caller)
    return Stopped(ok=True)


def fail(call_id: str, caller: Caller) -> None:
    """The line breaks down in the middle of a call; what was said until then is kept (contract A101)."""
    row = in_progress(call_id, caller)
    spoken = tuple(event for event in SCRIPT.validate_json(row["script"]).events if event.at <= caller.now)
    broken = Ended(caller.now, "failed", "The line broke down")
    rewrite(row, closed(Script(row["created_at"], "", 0, spoken), broken), caller)


def rewrite(row: Row, script: Script, caller: Caller) -> None:
    """Put another script in the place of a call's; what it no longer says is told to nobody."""
    after = {**row, **dates(script)}
    if after["ends_at"] is not None and after["ends_at"] <= caller.now:
        ledger.settle(caller, held=-row["held"], billed=after["billed"])  # before the call counts as ended
        _wake(after, caller)
    changed = {name: after[name] for name in after if after[name] != row[name]}
    caller.book.change("calls", ("id", "=", row["id"]), **changed)
    events.call_off(row["id"], caller)
    events.schedule(after, script, events.targets(after, caller), caller, since=caller.now)


def in_progress(call_id: str, caller: Caller) -> Row:
    row = own(call_id, caller)
    status = call_seen(row, caller.now).status
    if status != "in_progress":
        raise invalid_state(f"Call is {status}")
    return row


def own(call_id: str, caller: Caller) -> Row:
    if row := caller.own("calls", call_id):
        return row
    raise not_found("call with this id")


def noted(call_id: str, kind: str, words: str, caller: Caller) -> None:
    """Keep what somebody did to a call."""
    number = caller.book.count("interventions", ("call_id", "=", call_id)) + 1
    said = {"call_id": call_id, "number": number, "at": caller.now, "kind": kind, "words": words}
    caller.book.add("interventions", said)


def metadata(request: PlaceCall) -> dict[str, Any]:
    """The accepted body without the number, with its defaults (contract A62)."""
    given = request.model_dump(mode="json", exclude_none=True, exclude={"phone_number"})
    defaults: dict[str, Any] = {
        "knowledge_base_ids": [],
        "request_data": {},
        "webhook_events": list(events.BY_DEFAULT),
        "tools": [],
    }
    return {**defaults, **given, "max_duration": _plain(request.max_duration)}


def dates(script: Script) -> dict[str, Any]:
    """A script for its row, with what lists and sums look for without reading it again."""
    found: dict[str, Any] = {
        "script": SCRIPT.dump_json(script).decode(),
        **dict.fromkeys(("outcome", "rings_at", "answered_at", "ends_at", "done_at", "disposition")),
        "billed": 0,
    }
    for event in script.events:
        match event:
            case Ringing(at=at):
                found["rings_at"] = at
            case Answered(at=at):
                found["answered_at"] = at
            case Ended(at=at, outcome=outcome):
                found |= {"ends_at": at, "outcome": outcome}
            case Processed(at=at, disposition=disposition):
                found |= {"done_at": at, "disposition": disposition}
    answered, ended = found["answered_at"], found["ends_at"]
    return found | {"billed": Seen(started_at=answered, ended_at=ended).hundredths}


def _cut(kind: str, call_id: str, caller: Caller) -> None:
    row = own(call_id, caller)
    before = call_seen(row, caller.now)
    if before.ended_at is not None:
        raise invalid_state(f"Call is {before.status}")
    if kind == "cancel" and before.status == "in_progress":
        raise invalid_state("Call is in progress; use stop")
    noted(call_id, kind, "", caller)
    ended = {"ends_at": caller.now, "outcome": "cancelled"}
    billed = call_seen({**row, **ended}, caller.now).hundredths
    done = caller.now + (AFTERWARDS if before.started_at is not None else 0)
    rang = row["rings_at"] if before.rang_at is not None else None
    changed = {**ended, "billed": billed, "done_at": done, "rings_at": rang}
    ledger.settle(caller, held=-row["held"], billed=billed)  # before the call counts as ended
    caller.book.change("calls", ("id", "=", call_id), **changed)
    events.call_off(call_id, caller)
    _wake(row, caller)


def _wake(row: Row, caller: Caller) -> None:
    """Campaigns take note of a call that has ended before its time: its own, and those that lack minutes."""
    if row["campaign_id"]:
        caller.book.change("contacts", ("call_id", "=", row["id"]), ends_at=caller.now)
        caller.book.change("campaigns", ("id", "=", row["campaign_id"]), wakes_at=caller.now)
    running = (("account_id", "=", caller.account), ("status", "=", "running"))
    caller.book.change("campaigns", *running, wakes_at=caller.now)


def _caller_id(request: PlaceCall, caller: Caller) -> str:
    """The number that calls: an active one of the account (contract A58)."""
    known = active(caller)
    if request.from_number is None and known:
        return known[0]
    if request.from_number in known:
        return str(request.from_number)
    said = "is no active number of the account" if known else "is needed; the account has no active number"
    raise invalid(Wrong("from_number", said, "not_active"))


def _plain(number: float) -> float | int:
    return int(number) if float(number).is_integer() else number
