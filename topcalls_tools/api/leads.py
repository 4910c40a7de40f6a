"""Leads: the people on lists, whom campaigns phone."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Generic, Literal

from pydantic import AfterValidator, Field, model_validator

from ..action import Arguments, Effect, R, Record, ToolDefault
from ..endpoint import Deleted, Done, Endpoint
from .fields import Handle, JsonObject, LeadId, Limit, Page, Paged, PhoneNumber

LeadStatus = Literal["New", "Contacted", "Converted", "Unsubscribed"]
MOST_LEADS = 2000
"""How many leads one import takes (contract 3.6)."""


def _long_enough(number: str) -> str:
    """Leads need 9 digits where calls need 2 (contract 7.2, row 13)."""
    if len(number) < len("+123456789"):
        raise ValueError("is too short for a lead; give country code and number, at least 9 digits in all")
    return number


LeadNumber = Annotated[PhoneNumber, AfterValidator(_long_enough)]
Name = Annotated[str, Field(min_length=1, max_length=200)]
Notes = Annotated[str, Field(max_length=20_000)]
Email = Annotated[str, Field(max_length=254, pattern=r"^[^@\s]+@[^@\s]+$", examples=["ann@example.com"])]
Tag = Annotated[str, Field(min_length=1, max_length=100)]
Tags = Annotated[tuple[Tag, ...], Field(max_length=50)]
ListId = Handle


class Lead(Record):
    """A person on the account's lists."""

    id: str
    """Handle of the lead."""
    account_id: str | None = None
    """Account that the lead belongs to."""
    name: str | None = None
    """The person's name."""
    phone_number: str | None = None
    """The person's number, international."""
    status: LeadStatus | str | None = None
    """How far the contact has come."""
    tags: tuple[str, ...] | None = None
    """The account's own labels."""
    email: str | None = None
    """The person's e-mail address."""
    notes: str | None = None
    """What was noted about the person."""
    metadata: dict[str, Any] | None = None
    """Facts of the account's own."""
    list_ids: tuple[str, ...] | None = None
    """Lists that the lead is on."""
    converted_at: str | None = None
    """When the lead became Converted, ISO 8601 UTC."""
    created_at: str | None = None
    """When it was added, ISO 8601 UTC."""
    updated_at: str | None = None
    """When it last changed, ISO 8601 UTC."""


class LeadPage(Page[Lead]):
    """Leads, newest first."""

    listed_as = "items"

    has_more: bool | None = None
    """True when there is a page after this one."""


class LeadCreated(Lead, Done):
    """A lead that was added, or that was there and is now on the list."""

    existed: bool | None = None
    """True when the number was known: that lead was put on the list, and none was added."""


class LeadUpdated(Lead, Done):
    """A lead as it is after the change."""


class LeadsImported(Done):
    """What became of an import."""

    success: bool | None = None
    """True when the import went through."""
    inserted: int | None = None
    """Leads that were added."""
    updated: int | None = None
    """Known leads that were changed."""
    duplicates: int | None = None
    """Leads whose number was known or came twice."""
    total_processed: int | None = None
    """Leads that were looked at."""
    duration_ms: float | None = None
    """How long it took, in milliseconds."""


class NewLead(Arguments):
    """A person to be imported."""

    name: Name
    """The person's name."""
    phone_number: LeadNumber
    """The person's number, international, such as +14155550123."""
    email: Email | None = None
    """E-mail address."""
    status: LeadStatus | None = None
    """How far the contact has come. Default: New."""
    tags: Tags | None = None
    """Labels of your own, at most 50."""
    notes: Notes | None = None
    """What to know about the person."""
    metadata: JsonObject | None = None
    """Facts of your own by name."""


class ListLeads(Paged[LeadPage], route="GET /v1/leads", effect=Effect.READ, scope="leads:read"):
    """List leads, the people whom campaigns phone, newest first. Free. Filters narrow the list together;
    get_lead reads one by its handle."""

    phone: LeadNumber | None = None
    """Only the lead with this number, international, such as +14155550123."""
    list_id: ListId | None = None
    """Only leads on this list; id from list_ids of a lead, or the dashboard."""
    status: LeadStatus | None = None
    """Only leads that stand so."""
    tag: Tag | None = None
    """Only leads with this label."""
    limit: Annotated[Limit | None, ToolDefault(10)] = None
    """How many to return, 1 to 200."""
    cursor: Annotated[str, Field(min_length=1, max_length=512)] | None = None
    """next_cursor of the page before, as it came."""
    by_time: ClassVar[bool] = False


class GetLead(Endpoint[Lead], route="GET /v1/leads/{lead_id}", effect=Effect.READ, scope="leads:read"):
    """Look up one lead: name, number, status, notes and its lists. Free; list_leads finds a lead by its
    number."""

    lead_id: LeadId
    """Handle from list_leads or create_lead."""


class CreateLead(
    Endpoint[LeadCreated],
    route="POST /v1/leads",
    effect=Effect.WRITE,
    scope="leads:write",
    keyed=False,
    creates=True,
):
    """Add a person to a list of leads. A known number is not added twice: its lead joins the list, and
    existed is true. Campaigns of the list may phone the person. A person is asked first."""

    name: Name
    """The person's name."""
    phone_number: LeadNumber
    """The person's number, international, such as +14155550123."""
    list_id: ListId
    """List to add to; id from list_ids of a lead, or the dashboard."""
    email: Email | None = None
    """E-mail address."""
    status: LeadStatus | None = None
    """How far the contact has come. Default: New."""
    tags: Tags | None = None
    """Labels of your own, at most 50."""
    notes: Notes | None = None
    """What to know about the person."""
    metadata: JsonObject | None = None
    """Facts of your own by name, such as {"city": "Boston"}."""

    def status_of(self, reply: LeadCreated) -> int:
        return 200 if reply.existed else self.success

    def target(self, seen: tuple[Any, ...]) -> str:
        return self.phone_number


class ImportLeads(
    Endpoint[LeadsImported],
    route="POST /v1/leads/bulk",
    effect=Effect.WRITE,
    scope="leads:write",
    keyed=False,
):
    """Add up to 2000 people to a list of leads at once. Tells how many were added, changed and known
    already. Campaigns of the list may phone them; create_lead adds one. A person is asked first."""

    list_id: ListId
    """List to add to; id from list_ids of a lead, or the dashboard."""
    leads: Annotated[tuple[NewLead, ...], Field(min_length=1, max_length=MOST_LEADS)]
    """The people, at most 2000."""
    mode: Literal["merge", "skip"] = "merge"
    """What happens to a known number: merge changes its lead, skip leaves it as it is."""

    def subject(self, seen: tuple[Any, ...]) -> dict[str, Any]:
        return {"people to add": len(self.leads)}

    def target(self, seen: tuple[Any, ...]) -> str:
        return self.list_id


class OneLead(Endpoint[R], Generic[R]):
    """Base of what changes or removes one lead: the question shows whom it is about."""

    lead_id: LeadId
    """Handle from list_leads or create_lead."""

    def preview(self) -> tuple[Endpoint[Any], ...]:
        return (GetLead(lead_id=self.lead_id),)

    def subject(self, seen: tuple[Any, ...]) -> dict[str, Any]:
        lead: Lead = seen[0]
        return {
            "lead": lead.name,
            "the lead's number": lead.phone_number,
            "lists that it is on": ", ".join(lead.list_ids or ()) or None,
        }

    def target(self, seen: tuple[Any, ...]) -> str:
        lead: Lead = seen[0]
        return lead.phone_number or lead.name or self.lead_id


class UpdateLead(
    OneLead[LeadUpdated], route="PATCH /v1/leads/{lead_id}", effect=Effect.WRITE, scope="leads:write"
):
    """Change a lead. Only what is given changes: notes replaces the notes, notes_append adds to them. Gives
    the lead as it then is. A person is asked first."""

    name: Name | None = None
    """The person's name."""
    phone_number: LeadNumber | None = None
    """The person's number, international, such as +14155550123."""
    email: Email | None = None
    """E-mail address."""
    status: LeadStatus | None = None
    """How far the contact has come."""
    tags: Tags | None = None
    """All labels that it shall have, at most 50."""
    notes: Notes | None = None
    """What takes the place of the notes. Give this or notes_append."""
    notes_append: Annotated[Notes, Field(min_length=1)] | None = None
    """What is added to the notes."""
    metadata: JsonObject | None = None
    """Facts of your own by name."""

    @model_validator(mode="after")
    def _changes(self) -> UpdateLead:
        if self.notes is not None and self.notes_append is not None:
            raise ValueError("notes and notes_append exclude each other; give one of the two")
        if all(value is None for name, value in self if name != "lead_id"):
            raise ValueError("nothing to change is given; give at least one of name, status, tags, notes")
        return self


class DeleteLead(
    OneLead[Deleted], route="DELETE /v1/leads/{lead_id}", effect=Effect.DELETE, scope="leads:write"
):
    """Remove a lead for good, or with list_id from that list alone. A lead that was on no other list goes
    altogether. A person is asked first."""

    list_id: ListId | None = None
    """List to take the lead off, from its list_ids. Default: all lists, and the lead is gone."""
