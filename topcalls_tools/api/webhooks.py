"""Webhook subscriptions: they send words out to an address, so they are for Python callers alone."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from ..action import Effect, Record
from ..endpoint import Deleted, Done, Endpoint
from ..errors import NotFound
from .fields import JsonObject, Page, WebhookId, WebhookUrl


def _known(event: str) -> str:
    """The documented names (contract 3.6); the disposition after call.completed is the account's own."""
    if not re.fullmatch(
        r"call\.completed(\.[a-z0-9_]+)?|lead\.status_changed|campaign\.(activated|paused)", event
    ):
        raise ValueError(
            "is no event; give call.completed, or call.completed.booked for calls with the disposition booked"
        )
    return event


Event = Annotated[str, Field(max_length=200), AfterValidator(_known)]


class WebhookFacts(Record):
    """What every reply says of a subscription."""

    id: str
    """Handle of the subscription."""
    account_id: str | None = None
    """Account whose events it sends."""
    event: str | None = None
    """Event that it sends."""
    url: str | None = None
    """Address that it sends to."""
    filters: dict[str, Any] | None = None
    """What an event's fields must be, for it to be sent."""
    deleted_at: str | None = None
    """When it was deleted, ISO 8601 UTC; absent while it works."""
    created_by_api_key_id: str | None = None
    """API key that made it."""
    created_at: str | None = None
    """When it was made, ISO 8601 UTC."""


class WebhookCreated(WebhookFacts, Done):
    """A subscription that was made."""


class WebhookPage(Page[WebhookFacts]):
    """All subscriptions."""


class CreateWebhook(
    Endpoint[WebhookCreated],
    route="POST /v1/webhooks",
    effect=Effect.WRITE,
    scope="webhooks:write",
    creates=True,
    code_only=True,
):
    """Send an event of the whole account to an address, from now on. Transcripts and numbers of all calls
    go there until delete_webhook. A person is asked first."""

    event: Event
    """call.completed, or call.completed.booked for one disposition. Names of leads and campaigns are reserved
    and not sent yet."""
    url: WebhookUrl
    """Where it is sent: an https address."""
    filters: JsonObject | None = None
    """Values that fields of the event must have: a value, a list of which one fits, or a pattern such as
    +1555%. Default: every such event."""

    def target(self, seen: tuple[Any, ...]) -> str:
        return self.url


class ListWebhooks(
    Endpoint[WebhookPage],
    route="GET /v1/webhooks",
    effect=Effect.READ,
    scope="webhooks:read",
    code_only=True,
):
    """List all webhook subscriptions: which event goes to which address. Free; delete_webhook ends one."""


class DeleteWebhook(
    Endpoint[Deleted],
    route="DELETE /v1/webhooks/{webhook_id}",
    effect=Effect.DELETE,
    scope="webhooks:write",
    code_only=True,
):
    """End a webhook subscription. Its events are no longer sent. A person is asked first."""

    webhook_id: WebhookId
    """Handle from list_webhooks."""

    def preview(self) -> tuple[Endpoint[Any], ...]:
        return (ListWebhooks(),)

    def subject(self, seen: tuple[Any, ...]) -> dict[str, Any]:
        page: WebhookPage = seen[0]
        webhook = next((one for one in page.data if one.id == self.webhook_id), None)
        if webhook is None:
            raise NotFound(f"No webhook has the id {self.webhook_id}; list_webhooks shows all.", 404)
        return {"event": webhook.event, "url": webhook.url, "filters": webhook.filters}

    def target(self, seen: tuple[Any, ...]) -> str:
        return str(self.subject(seen)["url"] or self.webhook_id)
