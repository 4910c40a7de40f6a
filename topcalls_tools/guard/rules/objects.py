"""Deeds that are about something that stands in TopCalls: a campaign, a number, a carrier."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ...api.campaigns import Campaign, CampaignPage, CampaignStats, StartCampaign
from ...api.phone_numbers import Carrier, CarrierPage, DeleteCarrier, DeletePhoneNumber, Number, NumberPage
from ...places import here_and_there, zone
from .. import Allow, AskPerson, Facts, Refuse, Verdict
from ..hours import Window, earliest, state
from . import in_policy, rule

if TYPE_CHECKING:
    from ..policy import Policy


@rule(of=StartCampaign, source="house", checked="2026-11-25")
def campaigns(action: StartCampaign, facts: Facts, policy: Policy) -> Verdict:
    """Campaigns are started where the owner's policy is for many people, and never without the sentence that
    the people on their lists were not checked one by one."""
    campaign = _campaign(facts)
    if not policy.campaigns:
        return Refuse(
            f"The owner's policy (pack {policy.pack}) is for single calls",
            "call people one by one, or " + in_policy('choose pack = "outreach"'),
        )
    stats = (campaign.stats if campaign else None) or CampaignStats()
    leads = "an unknown number of" if stats.pending_contacts is None else f"{stats.pending_contacts:,}"
    return AskPerson(
        f"It will phone {leads} people by TopCalls' own rules; their numbers, hours and consent were not "
        "checked one by one, and cannot be."
    )


@rule(of=StartCampaign, source="house", checked="2026-11-25")
def campaign_minutes(action: StartCampaign, facts: Facts, policy: Policy) -> Verdict:
    """The question about a campaign says how many minutes to expect, by what its calls have used so far."""
    campaign = _campaign(facts)
    stats = (campaign.stats if campaign else None) or CampaignStats()
    done = (stats.calls_completed or 0) + (stats.calls_failed or 0)
    if not done or not stats.minutes_used or not stats.pending_contacts:
        return Allow()
    each = stats.minutes_used / done
    return AskPerson(
        f"By its calls so far, {each:,.2g} minutes each, about {each * stats.pending_contacts:,.0f} minutes "
        "are to be expected, tries that are repeated not counted."
    )


@rule(of=StartCampaign, source="house", checked="2026-11-25")
def campaign_hours(action: StartCampaign, facts: Facts, policy: Policy) -> Verdict:
    """A campaign is started while people may be called in its own time zone."""
    campaign = _campaign(facts)
    names = (campaign.timezone,) if campaign and campaign.timezone and zone(campaign.timezone) else ()
    if not names:
        return Refuse("The campaign's time zone is unknown", "let its owner set one in the dashboard")
    window = Window(policy.hours, policy.warned_hours, policy.days, True, policy.every_zone)
    if state(window, names, facts.now, None) != "closed":
        return Allow()
    opens = earliest(window, names, facts.now, None)
    when = f"start it from {here_and_there(opens, names)}" if opens else in_policy("widen the hours")
    return Refuse("People are not called now in the time zone of the campaign", when, opens)


@rule(of=(DeletePhoneNumber, DeleteCarrier), source="house", checked="2026-11-25")
def depended_on(action: DeletePhoneNumber | DeleteCarrier, facts: Facts, policy: Policy) -> Verdict:
    """What is deleted although something depends on it says so in its question."""
    match action:
        case DeletePhoneNumber():
            number = next(_seen(facts, Number), None)
            pages = list(_seen(facts, CampaignPage))
            using = _rows(pages, "from_number", number.number if number else None)
            live = [one for one in using if one.status in ("running", "scheduled", "paused")]
            if many := _how_many(live, pages):
                return AskPerson(f"Campaigns that are not over call from this number: {many}.")
        case DeleteCarrier():
            carrier = next((one for one in _carriers(facts) if one.id == action.carrier_id), None)
            pages = list(_seen(facts, NumberPage))
            using = _rows(pages, "voip_carrier_sid", carrier.voip_carrier_sid if carrier else None)
            if many := _how_many(using, pages):
                return AskPerson(f"Phone numbers that call nobody without this carrier: {many}.")
    return Allow()


def _campaign(facts: Facts) -> Campaign | None:
    return next(_seen(facts, Campaign), None)


def _carriers(facts: Facts) -> Iterator[Carrier]:
    return (one for page in _seen(facts, CarrierPage) for one in page.data)


def _seen(facts: Facts, kind: type[Any]) -> Iterator[Any]:
    return (one for one in facts.seen if isinstance(one, kind))


def _rows(pages: list[Any], name: str, value: str | None) -> list[Any]:
    return [one for page in pages for one in page.data if value and getattr(one, name) == value]


def _how_many(found: list[Any], pages: list[Any]) -> str:
    """A count in words, where there is more than was looked at; empty where there is nothing."""
    more = any(page.next_cursor is not None for page in pages)
    return f"{len(found)}{' or more' if more else ''}" if found or more else ""
