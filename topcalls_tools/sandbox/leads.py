"""Answers about leads, and the lists whose leads campaigns dial."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..api.campaigns import ENDED
from ..api.leads import (
    CreateLead,
    DeleteLead,
    GetLead,
    ImportLeads,
    Lead,
    LeadCreated,
    LeadPage,
    LeadsImported,
    LeadUpdated,
    ListLeads,
    UpdateLead,
)
from ..endpoint import Deleted
from .caller import Caller
from .clock import iso
from .plans import Contact
from .problem import Problem, Wrong, not_found
from .store import Row

GIVEN = ("name", "phone_number", "status", "tags", "email", "notes", "metadata")
"""What a caller says of a lead."""
_AT_ONCE = 1000


def listed(request: ListLeads, caller: Caller) -> LeadPage:
    wanted: list[tuple[str, str, object]] = []
    if request.phone:
        wanted += [("phone_number", "=", request.phone)]
    if request.status:
        wanted += [("status", "=", request.status)]
    if request.tag:
        wanted += [("tags", "has", request.tag)]
    if request.list_id:
        wanted += [("id", "on list", request.list_id)]
    rows, cursor = caller.page("leads", request.limit, request.cursor, *wanted)
    return LeadPage(
        data=tuple(Lead(**_facts(row, caller)) for row in rows),
        has_more=cursor is not None,
        next_cursor=iso(cursor),
    )


def one(request: GetLead, caller: Caller) -> Lead:
    return Lead(**_facts(_own(request.lead_id, caller), caller))


def create(request: CreateLead, caller: Caller) -> LeadCreated:
    """Make a lead, or put a known one on the list: a number is a lead once."""
    known = caller.book.find("leads", account_id=caller.account, phone_number=request.phone_number)
    if known is None:
        (known,) = _made([_given(request)], caller)
        attach([known["id"]], request.list_id, caller)
        return LeadCreated(**_facts(known, caller), existed=False)
    attach([known["id"]], request.list_id, caller)
    return LeadCreated(**_facts(known, caller), existed=True)


def bulk(request: ImportLeads, caller: Caller) -> LeadsImported:
    """Bring many in at once: a known number is changed (merge) or left as it is (skip)."""
    first: dict[str, dict[str, Any]] = {}
    for lead in request.leads:
        number, said = lead.phone_number, _given(lead)
        if request.mode == "merge" or number not in first:
            first[number] = {**first.get(number, {}), **said}
    known = _known(list(first), caller)
    fresh = _made([said for number, said in first.items() if number not in known], caller)
    changed = [known[number] for number in first if number in known] if request.mode == "merge" else []
    for row in changed:
        _change(row, first[row["phone_number"]], caller)
    ids = {row["phone_number"]: row["id"] for row in (*fresh, *known.values())}
    attach([ids[number] for number in first], request.list_id, caller)
    return LeadsImported(
        success=True,
        inserted=len(fresh),
        updated=len(changed),
        duplicates=len(request.leads) - len(fresh),
        total_processed=len(request.leads),
        duration_ms=len(request.leads),
    )


def update(request: UpdateLead, caller: Caller) -> LeadUpdated:
    row, said = _own(request.lead_id, caller), _given(request)
    number = said.get("phone_number", row["phone_number"])
    other = caller.book.find("leads", account_id=caller.account, phone_number=number)
    if other and other["id"] != row["id"]:
        detail = "The account has a lead with this number"
        raise Problem(400, "duplicate", "Duplicate", detail, Wrong("phone_number", "is another lead's"))
    if request.notes_append is not None:
        said["notes"] = "\n".join(filter(None, (row["notes"], request.notes_append)))
    return LeadUpdated(**_facts(_change(row, said, caller), caller))


def delete(request: DeleteLead, caller: Caller) -> Deleted:
    """Take a lead off one list, or out of the account; off its last list it goes altogether."""
    row = _own(request.lead_id, caller)
    lists = _lists(row["id"], caller)
    if request.list_id is not None and request.list_id not in lists:
        raise not_found("lead with this id on this list")
    if request.list_id is None or lists == [request.list_id]:
        _detach(row["id"], lists, caller)
        caller.book.remove("leads", id=row["id"])
    else:
        _detach(row["id"], [request.list_id], caller)
    return Deleted(deleted=True)


def enlist(contacts: Sequence[Contact], list_id: str, caller: Caller) -> None:
    """Make leads of a campaign's contacts, where the account has none with the number, and list them."""
    said = {
        one.phone_number: {
            "name": one.name,
            "phone_number": one.phone_number,
            **({"metadata": one.facts} if one.facts else {}),
        }
        for one in contacts
    }
    known = _known(list(said), caller)
    fresh = _made([one for number, one in said.items() if number not in known], caller)
    ids = {row["phone_number"]: row["id"] for row in (*fresh, *known.values())}
    attach([ids[number] for number in said], list_id, caller)


def attach(ids: Sequence[str], list_id: str, caller: Caller) -> None:
    """Put leads on a list; campaigns of the list that have not ended will dial them, each of them once."""
    there = caller.book.rows("memberships", ("list_id", "=", list_id), ("lead_id", "in", list(ids)))
    new = [id for id in dict.fromkeys(ids) if id not in {row["lead_id"] for row in there}]
    # counted, so that a place on the list is never given twice
    rows = [
        {"list_id": list_id, "lead_id": id, "position": place.ordinal}
        for id, place in zip(new, caller.several(f"list:{list_id}", len(new)), strict=True)
    ]
    caller.book.add("memberships", *rows)
    mine = (("list_id", "=", list_id), ("account_id", "=", caller.account))
    for campaign in caller.book.rows("campaigns", *mine) if rows else ():
        if campaign["status"] in ENDED:
            continue
        its = (("campaign_id", "=", campaign["id"]), ("lead_id", "in", new))
        called = {one["lead_id"] for one in caller.book.rows("contacts", *its, only=("lead_id",))}
        fresh = {"campaign_id": campaign["id"], "state": "pending", "attempts": 0, "next_at": 0}
        contacts = [
            {**fresh, "lead_id": row["lead_id"], "position": row["position"]}
            for row in rows
            if row["lead_id"] not in called
        ]
        caller.book.add("contacts", *contacts)
        changed: dict[str, Any] = {"pending": campaign["pending"] + len(contacts)}
        if campaign["status"] == "running":
            changed["wakes_at"] = caller.now
        caller.book.change("campaigns", ("id", "=", campaign["id"]), **changed)


def _detach(lead_id: str, lists: Iterable[str], caller: Caller) -> None:
    """Take a lead off lists; whoever was still to be called for them is not called any more."""
    for list_id in lists:
        caller.book.remove("memberships", list_id=list_id, lead_id=lead_id)
        for campaign in caller.book.rows("campaigns", ("list_id", "=", list_id)):
            waiting = (
                ("campaign_id", "=", campaign["id"]),
                ("lead_id", "=", lead_id),
                ("state", "in", ["pending", "waiting"]),
            )
            if gone := caller.book.count("contacts", *waiting):
                caller.book.remove("contacts", *waiting)
                changed = {"pending": campaign["pending"] - gone}
                if campaign["status"] == "running":
                    changed["wakes_at"] = caller.now
                caller.book.change("campaigns", ("id", "=", campaign["id"]), **changed)


def _known(numbers: Sequence[str], caller: Caller) -> dict[str, Row]:
    """The account's leads with these numbers, by number."""
    mine = ("account_id", "=", caller.account)
    found: dict[str, Row] = {}
    for start in range(0, len(numbers), _AT_ONCE):
        some = ("phone_number", "in", numbers[start : start + _AT_ONCE])
        found |= {row["phone_number"]: row for row in caller.book.rows("leads", mine, some)}
    return found


def _made(said: Sequence[Mapping[str, Any]], caller: Caller) -> list[Row]:
    rows = []
    for one, fresh in zip(said, caller.several("lead", len(said)), strict=True):
        row = {**dict.fromkeys(GIVEN), "status": "New", "tags": [], **one}
        row |= {"id": fresh.id, "account_id": caller.account, "created_at": fresh.created_at}
        rows.append(row | {"updated_at": fresh.created_at, "converted_at": _converted(row, caller)})
    caller.book.add("leads", *rows)
    return rows


def _change(row: Row, said: Mapping[str, Any], caller: Caller) -> Row:
    row = {**row, **said, "updated_at": caller.now}
    row["converted_at"] = row["converted_at"] or _converted(row, caller)
    kept = {name: row[name] for name in (*GIVEN, "updated_at", "converted_at")}
    caller.book.change("leads", ("id", "=", row["id"]), **kept)
    return row


def _converted(row: Row, caller: Caller) -> int | None:
    return caller.now if row["status"] == "Converted" else None


def _given(request: Any) -> dict[str, Any]:
    """What a request says of a lead, as the row keeps it."""
    said: dict[str, Any] = request.model_dump(mode="json", exclude_none=True, include=set(GIVEN))
    return said


def _own(lead_id: str, caller: Caller) -> Row:
    if row := caller.own("leads", lead_id):
        return row
    raise not_found("lead with this id")


def _lists(lead_id: str, caller: Caller) -> list[str]:
    return [row["list_id"] for row in caller.book.rows("memberships", ("lead_id", "=", lead_id))]


def _facts(row: Row, caller: Caller) -> dict[str, Any]:
    times = ("created_at", "updated_at", "converted_at")
    return {
        "id": row["id"],
        "account_id": row["account_id"],
        **{name: row[name] for name in GIVEN},
        **{name: iso(row[name]) for name in times},
        "list_ids": tuple(_lists(row["id"], caller)),
    }
