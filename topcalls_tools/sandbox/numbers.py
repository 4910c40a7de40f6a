"""Answers about phone numbers and carriers."""

from __future__ import annotations

from typing import Any

from ..api.phone_numbers import (
    AddCarrier,
    AddPhoneNumber,
    Carrier,
    CarrierAdded,
    CarrierPage,
    DeleteCarrier,
    DeletePhoneNumber,
    GetPhoneNumber,
    ListPhoneNumbers,
    Number,
    NumberAdded,
    NumberPage,
)
from ..endpoint import Deleted
from .caller import Caller
from .clock import iso
from .problem import Problem, Wrong, forbidden, invalid, not_found
from .store import Row
from .store.book import equal

PROVISIONING = 2000
"""Milliseconds until a number on a carrier of the account's own is ready (contract A109)."""


def active(caller: Caller) -> list[str]:
    """The account's numbers that can be a caller id, oldest first (contract A58)."""
    return [number for number, ready_at in ready(caller).items() if ready_at <= caller.now]


def ready(caller: Caller) -> dict[str, int]:
    """From when on each of the account's numbers can be a caller id, those that can already among them."""
    rows = caller.book.rows(
        "numbers",
        ("account_id", "=", caller.account),
        ("status", "=", "active"),
        ("deleted_at", "is", None),
        order="created_at",
        only=("number", "ready_at"),
    )
    return {row["number"]: row["ready_at"] for row in rows}


def carriers(caller: Caller) -> CarrierPage:
    rows = _carriers(caller)
    return CarrierPage(data=tuple(Carrier(**_carrier(row), is_default=row["is_default"]) for row in rows))


def add_carrier(request: AddCarrier, caller: Caller) -> CarrierAdded:
    """Keep a carrier; its passwords are not kept at all (contract A79)."""
    fresh = caller.fresh("carrier")
    row = {
        "id": fresh.id,
        "account_id": caller.account,
        "created_at": fresh.created_at,
        "voip_carrier_sid": caller.identity(f"voip:{fresh.id}"),
        "sip_gateway_sid": caller.identity(f"gateway:{fresh.id}"),
        "carrier_name": request.carrier_name,
        "trunk_type": request.trunk_type,
        "sip_gateway": request.sip_gateway.model_dump(mode="json"),
        "is_default": False,
    }
    caller.book.add("carriers", row)
    return CarrierAdded(**_carrier(row))


def delete_carrier(request: DeleteCarrier, caller: Caller) -> Deleted:
    row = caller.own("carriers", request.carrier_id)
    if row is None:
        if caller.book.find("carriers", id=request.carrier_id, account_id=None):
            raise forbidden("TopCalls' own carrier cannot be deleted")
        raise not_found("carrier with this id")
    carried = equal(account_id=caller.account, voip_carrier_sid=row["voip_carrier_sid"], deleted_at=None)
    users = caller.book.rows("numbers", *carried, order="created_at")
    if users:
        said = [Wrong(str(user["id"]), "This number uses the carrier", "in_use") for user in users]
        raise Problem(400, "carrier_in_use", "Carrier In Use", "Numbers use this carrier", *said)
    caller.book.remove("carriers", id=row["id"])
    return Deleted(deleted=True)


def listed(request: ListPhoneNumbers, caller: Caller) -> NumberPage:
    """A page of numbers, without deleted ones; one in the making is pending (contract A87, A109)."""
    match request.status:
        case None:
            wanted: list[tuple[str, str, object]] = []
        case "pending":
            wanted = [("ready_at", ">", caller.now)]
        case status:
            wanted = [("ready_at", "<=", caller.now), ("status", "=", status)]
    rows, cursor = caller.page("numbers", request.limit, request.cursor, ("deleted_at", "is", None), *wanted)
    return NumberPage(data=tuple(_number(row, caller.now) for row in rows), next_cursor=iso(cursor))


def one(request: GetPhoneNumber, caller: Caller) -> Number:
    """A number, a deleted one too (contract A43)."""
    return _number(_own(request.phone_number_id, caller), caller.now)


def add(request: AddPhoneNumber, caller: Caller) -> NumberAdded:
    row = new_number(request, caller)
    return NumberAdded(**_facts(row, caller.now))


def new_number(request: AddPhoneNumber, caller: Caller, at: int | None = None) -> Row:
    """Register a number that the account does not have yet (contract A42, A90, A91)."""
    if caller.book.find("numbers", account_id=caller.account, number=request.number, deleted_at=None):
        raise Problem(
            400, "duplicate", "Duplicate", "The account has this number", Wrong("number", "is there already")
        )
    seen = _carriers(caller)
    sid = request.voip_carrier_sid
    wanted = [row for row in seen if (row["is_default"] if sid is None else row["voip_carrier_sid"] == sid)]
    if not wanted:
        raise invalid(Wrong("voip_carrier_sid", "is no carrier of the account", "unknown"))
    carrier, fresh = wanted[0], caller.fresh("number", at)
    byoc = carrier["account_id"] is not None
    row = {
        "id": fresh.id,
        "account_id": caller.account,
        "created_at": fresh.created_at,
        "number": request.number,
        "source": "byoc" if byoc else "topcalls",
        "phone_number_sid": caller.identity(f"number_sid:{fresh.id}"),
        "voip_carrier_sid": carrier["voip_carrier_sid"],
        "carrier_name": carrier["carrier_name"],
        "status": "active",
        "label": request.label,
        "updated_at": fresh.created_at,
        "ready_at": caller.now + PROVISIONING if byoc else 0,
        "deleted_at": None,
    }
    caller.book.add("numbers", row)
    return row


def delete(request: DeletePhoneNumber, caller: Caller) -> Deleted:
    row = _own(request.phone_number_id, caller)
    if row["deleted_at"] is not None:
        raise not_found("phone number with this id")
    caller.book.change("numbers", ("id", "=", row["id"]), deleted_at=caller.now, updated_at=caller.now)
    return Deleted(deleted=True)


def _carriers(caller: Caller) -> list[Row]:
    """TopCalls' own carrier and the account's, oldest first."""
    ours = caller.book.rows("carriers", ("account_id", "is", None), order="created_at")
    return ours + caller.book.rows("carriers", ("account_id", "=", caller.account), order="created_at")


def _own(number_id: str, caller: Caller) -> Row:
    if row := caller.own("numbers", number_id):
        return row
    raise not_found("phone number with this id")


def _carrier(row: Row) -> dict[str, Any]:
    kept = ("id", "account_id", "voip_carrier_sid", "sip_gateway_sid", "carrier_name", "trunk_type")
    return {**{name: row[name] for name in kept}, "created_at": iso(row["created_at"])}


def _facts(row: Row, now: int) -> dict[str, Any]:
    kept = (
        "id", "account_id", "number", "source", "phone_number_sid", "voip_carrier_sid", "carrier_name",
        "label",
    )  # fmt: skip
    status = "pending" if row["ready_at"] > now else row["status"]
    return {
        **{name: row[name] for name in kept},
        "status": status if row["deleted_at"] is None else "deleted",
        "created_at": iso(row["created_at"]),
    }


def _number(row: Row, now: int) -> Number:
    changed = max(row["updated_at"], row["ready_at"]) if row["ready_at"] <= now else row["updated_at"]
    return Number(**_facts(row, now), error_message=None, created_by_user_id=None, updated_at=iso(changed))
