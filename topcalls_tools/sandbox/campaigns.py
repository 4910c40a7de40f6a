"""Answers about campaigns: look at them, start and pause them."""

from __future__ import annotations

from typing import Any

from ..api.campaigns import (
    Campaign,
    CampaignFacts,
    CampaignPage,
    CampaignStarted,
    CampaignStats,
    GetCampaign,
    ListCampaigns,
    PauseCampaign,
    StartCampaign,
)
from ..endpoint import Stopped
from .caller import Caller, next_cursor, span
from .clock import iso
from .ledger import ledger, minutes
from .problem import Problem, insufficient, invalid_state, not_found
from .store import Row


def listed(request: ListCampaigns, caller: Caller) -> CampaignPage:
    page = span(request.limit, request.cursor)
    rows = caller.book.campaigns(caller.account, caller.now, request.status, **page)
    return CampaignPage(
        data=tuple(CampaignFacts(**_facts(_due(row, caller))) for row in rows[: page["limit"] - 1]),
        next_cursor=iso(next_cursor(rows, request.limit)),
    )


def one(request: GetCampaign, caller: Caller) -> Campaign:
    row = _own(request.campaign_id, caller)
    return Campaign(**_facts(row), stats=_stats(row))


def start(request: StartCampaign, caller: Caller) -> CampaignStarted:
    """Start, or resume what was paused (contract A74)."""
    row = _own(request.campaign_id, caller)
    if row["status"] not in ("draft", "scheduled", "paused"):
        raise invalid_state(f"Campaign is {row['status']}")
    if not row["pending"]:
        raise Problem(400, "validation_error", "Invalid request body", "Campaign has no pending contact")
    if not (free := ledger(caller).free):
        raise insufficient(1, minutes(free))
    began = row["started_at"] or caller.now
    caller.book.change("campaigns", id=row["id"], status="running", started_at=began, updated_at=caller.now)
    return CampaignStarted(ok=True)


def pause(request: PauseCampaign, caller: Caller) -> Stopped:
    row = _own(request.campaign_id, caller)
    if row["status"] != "running":
        raise invalid_state(f"Campaign is {row['status']}")
    caller.book.change(
        "campaigns", id=row["id"], status="paused", started_at=row["started_at"], updated_at=caller.now
    )
    return Stopped(ok=True)


def _own(campaign_id: str, caller: Caller) -> Row:
    if row := caller.own("campaigns", campaign_id):
        return _due(row, caller)
    raise not_found("campaign with this id")


def _due(row: Row, caller: Caller) -> Row:
    """A scheduled campaign runs when its time has come (contract 4.2)."""
    at = row["scheduled_at"]
    if row["status"] == "scheduled" and at is not None and at <= caller.now:
        return {**row, "status": "running", "started_at": at, "updated_at": at}
    return row


_TIMES = ("scheduled_at", "started_at", "completed_at", "created_at", "updated_at")
_PLAIN = (
    "id", "account_id", "name", "status", "from_number", "mode", "voice", "timezone", "max_parallel_calls",
    "max_retries", "conversion_outcomes", "webhook_url", "webhook_events",
)  # fmt: skip


def _facts(row: Row) -> dict[str, Any]:
    return {**{name: row[name] for name in _PLAIN}, **{name: iso(row[name]) for name in _TIMES}}


def _stats(row: Row) -> CampaignStats:
    """Figures that add up (contract A73)."""
    done = row["completed"] + row["failed"]
    total = row["pending"] + row["in_progress"] + done
    return CampaignStats(
        total_contacts=total,
        pending_contacts=row["pending"],
        calls_in_progress=row["in_progress"],
        calls_completed=row["completed"],
        calls_failed=row["failed"],
        conversions=row["conversions"],
        connection_rate=round(row["completed"] / done, 4) if done else 0.0,
        completion_rate=round(done / total, 4) if total else 0.0,
        minutes_used=minutes(row["minutes"]),
    )
