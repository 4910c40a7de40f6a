"""A call's row as replies and webhooks tell it."""

from __future__ import annotations

from typing import Any

from ..api.calls import Call, CallInList
from ..api.fields import Spoken
from ..api.transcript import Turn
from . import ledger
from .clock import iso
from .script import SCRIPT, Seen, seen
from .store import Row

RECORDINGS = "https://recordings.topcalls.invalid/"


def told(row: Row, now: int) -> Call:
    """A call as the single read tells it."""
    return as_seen(row, call_seen(row, now))


def as_seen(row: Row, call: Seen) -> Call:
    """A call as the single read tells what is seen of it."""
    return Call(
        **_facts(row, call),
        account_id=row["account_id"],
        external_call_id=row["external_call_id"],
        completed=call.done_at is not None,
        metadata=row["metadata"],
    )


def in_list(row: Row, now: int) -> CallInList:
    """A call as lists tell it."""
    call = call_seen(row, now)
    return CallInList(
        **_facts(row, call),
        disposition=Spoken(call.disposition) if call.disposition else None,
        actual_duration_billed=None if call.ended_at is None else ledger.minutes(call.hundredths),
    )


def call_seen(row: Row, now: int) -> Seen:
    """What a row's script and what was done to it show at an instant."""
    script = SCRIPT.validate_json(row["script"])
    cut = row["ends_at"] if row["outcome"] == "cancelled" else None
    return seen(script, cut, now)


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
        "duration": None if call.ended_at is None else ledger.minutes(call.hundredths),
        "started_at": iso(call.started_at),
        "end_at": iso(call.ended_at),
        "campaign_id": row["campaign_id"],
        "lead_id": row["lead_id"],
        "answered_by": call.answered_by,
        "error_message": call.error,
        "recording_url": f"{RECORDINGS}{row['id']}.wav" if call.recorded else None,
        "transcript": tuple(turns),
        "call_summary": Spoken(call.summary) if call.summary else None,
    }
