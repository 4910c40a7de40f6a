"""Campaigns: they are made in the dashboard; here they are watched, started and paused."""

from __future__ import annotations

from typing import Any, Literal

from ..action import Effect, Record
from ..endpoint import Brake, Done, Endpoint
from .account import GetBalance
from .fields import CampaignId, Page, Paged

CampaignStatus = Literal["draft", "scheduled", "running", "paused", "completed", "cancelled"]
ENDED = frozenset({"completed", "cancelled"})
"""Statuses that nothing leaves."""


class CampaignStats(Record):
    """How far a campaign has come. Contacts in all are those pending, in progress, completed and failed."""

    total_contacts: int | None = None
    """People on its list."""
    pending_contacts: int | None = None
    """People still to be called."""
    calls_in_progress: int | None = None
    """Calls under way."""
    calls_completed: int | None = None
    """Calls that were answered and ended well."""
    calls_failed: int | None = None
    """Calls given up: busy, no answer, error."""
    conversions: int | None = None
    """Calls with one of the outcomes that count as success."""
    connection_rate: float | None = None
    """Share of completed among completed and failed, 0 to 1."""
    completion_rate: float | None = None
    """Share of people dealt with, 0 to 1."""
    minutes_used: float | None = None
    """Call minutes used so far."""


class CampaignFacts(Record):
    """What lists and single reads both say of a campaign."""

    id: str
    """Handle of the campaign."""
    account_id: str | None = None
    """Account it belongs to."""
    name: str | None = None
    """Its name in the dashboard."""
    status: CampaignStatus | str | None = None
    """Where it stands."""
    from_number: str | None = None
    """Caller id of its calls."""
    mode: str | None = None
    """realtime or legacy, as in place_call."""
    voice: str | None = None
    """Voice of its agent."""
    timezone: str | None = None
    """Time zone of its business hours, such as America/New_York."""
    max_parallel_calls: int | None = None
    """Calls that it makes at once, at most."""
    max_retries: int | None = None
    """How often it tries a person again after busy, no answer or failure."""
    conversion_outcomes: tuple[str, ...] | None = None
    """Dispositions that count as success."""
    webhook_url: str | None = None
    """Where its events are sent."""
    webhook_events: tuple[str, ...] | None = None
    """Which events are sent."""
    scheduled_at: str | None = None
    """When it starts by itself, ISO 8601 UTC."""
    started_at: str | None = None
    """When it was started, ISO 8601 UTC."""
    completed_at: str | None = None
    """When it was done, ISO 8601 UTC."""
    created_at: str | None = None
    """When it was made, ISO 8601 UTC."""
    updated_at: str | None = None
    """When it last changed, ISO 8601 UTC."""


class Campaign(CampaignFacts):
    """A campaign and how far it has come."""

    stats: CampaignStats | None = None
    """Its figures."""


class CampaignPage(Page[CampaignFacts]):
    """Campaigns, newest first."""


class CampaignStarted(Done):
    """Whether the campaign was started."""

    ok: bool = True
    """True when it runs now."""


class ListCampaigns(
    Paged[CampaignPage], route="GET /v1/campaigns", effect=Effect.READ, scope="campaigns:read"
):
    """List campaigns, newest first, without figures. Campaigns are made in the dashboard; get_campaign
    reads one with its figures."""

    status: CampaignStatus | None = None
    """Only campaigns that stand so."""


class GetCampaign(
    Endpoint[Campaign], route="GET /v1/campaigns/{campaign_id}", effect=Effect.READ, scope="campaigns:read"
):
    """Look up one campaign: settings, status, and how many people were reached. list_calls with its
    campaign_id shows the calls."""

    campaign_id: CampaignId
    """Handle from list_campaigns."""


class StartCampaign(
    Endpoint[CampaignStarted],
    route="POST /v1/campaigns/{campaign_id}/start",
    effect=Effect.SPEND,
    scope="campaigns:write",
):
    """Start or resume a campaign, so that it phones its pending contacts. Uses call minutes until it is
    done or paused. A person is asked first. pause_campaign stops further calls."""

    campaign_id: CampaignId
    """Handle from list_campaigns."""

    def preview(self) -> tuple[Endpoint[Any], ...]:
        return GetCampaign(campaign_id=self.campaign_id), GetBalance()

    def subject(self, seen: tuple[Any, ...]) -> dict[str, Any]:
        campaign: Campaign = seen[0]
        stats = campaign.stats or CampaignStats()
        return {
            "name": campaign.name or self.campaign_id,
            "status": campaign.status,
            "people it will phone": stats.pending_contacts,
            "from_number": campaign.from_number,
        }

    def most_minutes(self, seen: tuple[Any, ...]) -> float:
        """A campaign has no limit of its own: all free minutes of the account."""
        free: float = seen[1].free
        return free


class PauseCampaign(
    Brake, route="POST /v1/campaigns/{campaign_id}/pause", effect=Effect.BRAKE, scope="campaigns:write"
):
    """Stop a running campaign from making further calls, at once and without asking. Calls under way and
    calls already queued go on; stop_call ends one."""

    campaign_id: CampaignId
    """Handle from list_campaigns."""

    calm = frozenset({"draft", "paused", "completed", "cancelled"})

    def look(self) -> GetCampaign:
        return GetCampaign(campaign_id=self.campaign_id)

    def instead(self, status: str) -> str:
        return (
            "a scheduled campaign is called off in the dashboard"
            if status == "scheduled"
            else "pause_campaign again is safe"
        )
