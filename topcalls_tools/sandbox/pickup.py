"""Picking up: a number that somebody here claims rings on the page, and they answer in their own words."""

from __future__ import annotations

from ..api.calls import PlaceCall
from ..api.fields import E164
from . import calls
from .caller import Caller
from .people.live import LONGEST, Deed, talked
from .problem import Wrong, invalid, invalid_state
from .store import Row
from .telling import call_seen

DEEDS = {"pick_up": "queued", "decline": "queued", "say": "in_progress", "hang_up": "in_progress"}
"""What may be done to a call that rings here, and how the call must stand."""


def claim(number: object, caller: Caller) -> str:
    """From now on calls to this number ring on the page."""
    try:
        given = E164.parse(str(number))
    except ValueError as wrong:
        raise invalid(Wrong("number", str(wrong))) from None
    caller.book.put("claims", {"account_id": caller.account, "number": given})
    return given


def give_up(number: str, caller: Caller) -> None:
    caller.book.remove("claims", account_id=caller.account, number=number)


def claims(caller: Caller) -> list[str]:
    rows = caller.book.rows("claims", ("account_id", "=", caller.account), order="number")
    return [str(row["number"]) for row in rows]


def done(deed: str, call_id: str, words: str, caller: Caller) -> None:
    """Pick up, decline, say something or hang up; the rest of the call is written anew."""
    row = calls.own(call_id, caller)
    if not row["yours"]:
        raise invalid_state("Call does not ring on the page; claim its number before it is placed")
    seen = call_seen(row, caller.now)
    if seen.status != DEEDS[deed] or (deed == "pick_up" and seen.rang_at is None):
        raise invalid_state(f"Call is {seen.status}")
    if deed == "say" and not 0 < len(words.strip()) <= LONGEST:
        raise invalid(Wrong("words", f"must have 1 to {LONGEST} characters"))
    calls.noted(call_id, deed, words.strip(), caller)
    _rewrite(row, caller)


def _rewrite(row: Row, caller: Caller) -> None:
    """The script as it follows from all that was done; what it no longer says is not sent."""
    said = caller.book.rows("interventions", ("call_id", "=", row["id"]), order="number")
    deeds = [Deed(one["at"], one["kind"], one["words"]) for one in said]
    request = PlaceCall.model_construct(
        **{**row["metadata"], "phone_number": row["phone_number"], "from_number": row["from_number"]}
    )
    script = talked(caller.scene.seed, request, row["ordinal"], row["created_at"], deeds)
    calls.rewrite(row, script, caller)
