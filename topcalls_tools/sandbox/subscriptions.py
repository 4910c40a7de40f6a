"""Answers about webhook subscriptions."""

from __future__ import annotations

from ..api.webhooks import (
    CreateWebhook,
    DeleteWebhook,
    ListWebhooks,
    WebhookCreated,
    WebhookFacts,
    WebhookPage,
)
from ..endpoint import Deleted
from . import events
from .caller import Caller
from .clock import iso
from .problem import not_found
from .script import SCRIPT
from .store import Row


def create(request: CreateWebhook, caller: Caller) -> WebhookCreated:
    """Subscribe, from now on: calls that are under way are told too."""
    fresh = caller.fresh("subscription")
    row = {
        "id": fresh.id,
        "account_id": caller.account,
        "created_at": fresh.created_at,
        "event": request.event,
        "url": request.url,
        "filters": request.filters or {},
        "key_digest": caller.by,
        "deleted_at": None,
    }
    caller.book.add("subscriptions", row)
    under_way = (("account_id", "=", caller.account), ("ends_at", ">", caller.now - events.LATEST))
    campaigns = {one["id"]: one for one in caller.book.rows("campaigns", ("account_id", "=", caller.account))}
    for call in caller.book.rows("calls", *under_way, order="created_at"):
        converts = campaigns[call["campaign_id"]]["conversion_outcomes"] if call["campaign_id"] else ()
        script = SCRIPT.validate_json(call["script"])
        events.schedule(call, script, [events.target(row)], caller, converts=converts, since=caller.now)
    return WebhookCreated(**_facts(row, caller))


def listed(request: ListWebhooks, caller: Caller) -> WebhookPage:
    """Those that work; a deleted one is left out (contract A45)."""
    mine = (("account_id", "=", caller.account), ("deleted_at", "is", None))
    rows = caller.book.rows("subscriptions", *mine, order="-created_at")
    return WebhookPage(data=tuple(WebhookFacts(**_facts(row, caller)) for row in rows))


def delete(request: DeleteWebhook, caller: Caller) -> Deleted:
    """Nothing is sent any more, not even what was tried before."""
    row = caller.own("subscriptions", request.webhook_id)
    if row is None or row["deleted_at"] is not None:
        raise not_found("webhook subscription with this id")
    caller.book.change("subscriptions", ("id", "=", row["id"]), deleted_at=caller.now)
    pending = (("source", "=", row["id"]), ("status", "=", "pending"))
    caller.book.remove("deliveries", *pending, ("created_at", ">", caller.now))
    caller.book.change("deliveries", *pending, status="failed", due_at=None)
    return Deleted(deleted=True)


def _facts(row: Row, caller: Caller) -> dict[str, object]:
    return {
        **{name: row[name] for name in ("id", "account_id", "event", "url", "filters")},
        "deleted_at": iso(row["deleted_at"]),
        "created_by_api_key_id": caller.identity(f"key:{row['key_digest']}"),
        "created_at": iso(row["created_at"]),
    }
