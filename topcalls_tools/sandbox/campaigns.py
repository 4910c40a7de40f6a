"""Campaigns: answers about them, and how one comes to be."""

from __future__ import annotations

from typing import Any

from ..api.campaigns import (
    ENDED,
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
from . import events, leads
from .caller import Caller
from .clock import iso, milliseconds
from .ledger import ledger, minutes
from .numbers import active
from .plans import Plan
from .problem import Problem, Wrong, insufficient, invalid, invalid_state, not_found
from .store import Row

COUNTED = ("pending", "in_progress", "completed", "failed", "conversions", "minutes")
"""Columns of a campaign's row that its dialling changes."""


def listed(request: ListCampaigns, caller: Caller) -> CampaignPage:
    wanted = (("status", "=", request.status),) if request.status else ()
    rows, cursor = caller.page("campaigns", request.limit, request.cursor, *wanted)
    return CampaignPage(data=tuple(CampaignFacts(**_facts(row)) for row in rows), next_cursor=iso(cursor))


def one(request: GetCampaign, caller: Caller) -> Campaign:
    return told(own(request.campaign_id, caller))


def told(row: Row) -> Campaign:
    """A campaign as the single read tells it."""
    return Campaign(**_facts(row), stats=CampaignStats(**stats(row)))


def start(request: StartCampaign, caller: Caller) -> CampaignStarted:
    """Start, or resume what was paused (contract A74)."""
    row = own(request.campaign_id, caller)
    if row["status"] not in ("draft", "scheduled", "paused"):
        raise invalid_state(f"Campaign is {row['status']}")
    if not row["pending"]:
        raise Problem(400, "validation_error", "Invalid request body", "Campaign has no pending contact")
    if not (free := ledger(caller).free):
        raise insufficient(1, minutes(free))
    resumed = row["status"] == "paused"
    became(row, "running", caller, "campaign.resumed" if resumed else "campaign.started")
    return CampaignStarted(ok=True)


def pause(request: PauseCampaign, caller: Caller) -> Stopped:
    """No new calls; those in flight go on (contract A77)."""
    row = own(request.campaign_id, caller)
    if row["status"] != "running":
        raise invalid_state(f"Campaign is {row['status']}")
    became(row, "paused", caller, "campaign.paused", "api_request")
    return Stopped(ok=True)


def stop(campaign_id: str, caller: Caller) -> None:
    """What the dashboard's stop does: a campaign ends for good; raises 400 if it has (contract A35)."""
    row = own(campaign_id, caller)
    if row["status"] in ENDED:
        raise invalid_state(f"Campaign is {row['status']}")
    became(row, "cancelled", caller, "campaign.stopped", "dashboard")


def became(row: Row, status: str, caller: Caller, event: str, reason: str = "") -> None:
    """Write a campaign's new status down and tell whom it concerns; the row in hand changes with it."""
    row |= {"status": status, "updated_at": caller.now, "wakes_at": caller.now}
    if status == "running":
        row["started_at"] = row["started_at"] or caller.now
    if status == "completed":
        row |= {"completed_at": caller.now, "wakes_at": None}
    names = ("status", "updated_at", "wakes_at", "started_at", "completed_at")
    caller.book.change("campaigns", ("id", "=", row["id"]), **{name: row[name] for name in names})
    events.happened(event, row, stats(row), caller, reason)


def new_campaign(plan: Plan, caller: Caller) -> Row:
    """A campaign as a draft, or scheduled where the plan names a time; its contacts become leads."""
    numbers = active(caller)
    sender = plan.from_number or next(iter(numbers), None)
    if sender not in numbers:
        raise invalid(Wrong("from_number", "is no active number of the account", "not_active"))
    request = plan.completed(from_number=sender)
    fresh = caller.fresh("campaign")
    at = None if plan.scheduled_at is None else milliseconds(plan.scheduled_at)
    row: Row = {
        "id": fresh.id,
        "account_id": caller.account,
        "created_at": fresh.created_at,
        "name": plan.name,
        "status": "draft" if at is None else "scheduled",
        "from_number": sender,
        "mode": plan.mode,
        "voice": request.voice,
        "timezone": plan.timezone,
        "conversion_outcomes": list(plan.conversion_outcomes),
        "webhook_events": list(plan.webhook_events),
        "webhook_url": plan.webhook_url,
        "max_parallel_calls": plan.max_parallel_calls,
        "max_retries": plan.max_retries,
        "updated_at": fresh.created_at,
        "scheduled_at": at,
        "started_at": None,
        "completed_at": None,
        **dict.fromkeys(COUNTED, 0),
        "list_id": caller.identity(f"list:{fresh.id}"),
        "plan": plan.kept(),
        "wakes_at": None if at is None else max(at, caller.now),
    }
    caller.book.add("campaigns", row)
    leads.enlist(plan.contacts, row["list_id"], caller)
    return row


def own(campaign_id: str, caller: Caller) -> Row:
    if row := caller.own("campaigns", campaign_id):
        return row
    raise not_found("campaign with this id")


def stats(row: Row) -> dict[str, Any]:
    """Figures that add up (contract A73)."""
    done = row["completed"] + row["failed"]
    total = row["pending"] + row["in_progress"] + done
    return {
        "total_contacts": total,
        "pending_contacts": row["pending"],
        "calls_in_progress": row["in_progress"],
        "calls_completed": row["completed"],
        "calls_failed": row["failed"],
        "conversions": row["conversions"],
        "connection_rate": round(row["completed"] / done, 4) if done else 0.0,
        "completion_rate": round(done / total, 4) if total else 0.0,
        "minutes_used": minutes(row["minutes"]),
    }


_TIMES = ("scheduled_at", "started_at", "completed_at", "created_at", "updated_at")
_PLAIN = (
    "id", "account_id", "name", "status", "from_number", "mode", "voice", "timezone", "max_parallel_calls",
    "max_retries", "conversion_outcomes", "webhook_url", "webhook_events",
)  # fmt: skip


def _facts(row: Row) -> dict[str, Any]:
    return {**{name: row[name] for name in _PLAIN}, **{name: iso(row[name]) for name in _TIMES}}
