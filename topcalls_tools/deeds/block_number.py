"""Blocking a number: it is written down at once and unasked, and then told to whoever else must know."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field, ValidationError

from ..action import Effect, Record
from ..api.fields import PhoneNumber
from ..api.leads import Lead, ListLeads, UpdateLead
from ..dnc import digest
from ..errors import Misconfigured, TopCallsError
from ..flow import Deed
from ..steps import Desk, Flow, Keep, read, transmit

if TYPE_CHECKING:
    from ..journal.store import Journal

OFF = "Unsubscribed"
"""The status of a lead whom no campaign phones."""


class NumberBlocked(Record):
    """What was done, so that a number is not called any more."""

    ok: bool
    """True: the number is written down, and this account does not call it any more."""
    phone_number: str
    """The number."""
    known_before: bool
    """True when it stood on the list already."""
    leads_unsubscribed: tuple[str, ...] = ()
    """Leads with this number that were set to Unsubscribed now, so that no campaign phones them."""
    note: str
    """What was done and what was not, in sentences of TopCalls Tools."""


class BlockNumber(Deed[NumberBlocked], effect=Effect.BRAKE, toolset="calls"):
    """Never call a number again: do so when somebody asks not to be called. At once and unasked, for this
    account; its lead is set to Unsubscribed. Only the owner can undo it. A call that runs goes on: stop_call
    hangs up."""

    phone_number: PhoneNumber
    """The number, international, such as +14155550123."""
    reason: Annotated[str, Field(min_length=1, max_length=500)] | None = None
    """Why, for the owner to read later."""

    def flow(self, desk: Desk) -> Flow[NumberBlocked]:
        told = _Told()
        yield Keep(lambda: self._write(desk, told))
        yield Keep(lambda: desk.briefly(lambda journal: self._share(journal, desk, told)))
        yield from self._unsubscribe(desk, told)
        if not told.filed and not told.shared:
            raise Misconfigured(
                f"The number is not blocked here: {told.why} Nor can the journal be written. Do not call it; "
                f"mend one of the two and block it again. {_of_leads(told)}"
            )
        return NumberBlocked(
            ok=True,
            phone_number=self.phone_number,
            known_before=told.before,
            leads_unsubscribed=tuple(told.leads),
            note=f"{_of_lists(told)} {_of_leads(told)}",
        )

    def _write(self, desk: Desk, told: _Told) -> None:
        """Write it down where every call looks."""
        dnc = desk.dnc()
        try:
            told.before = told.filed = self.phone_number in dnc.numbers(desk.account)
        except Misconfigured as error:  # one more line can be added to what cannot be read
            told.why = str(error)
        if told.filed:
            return
        try:
            dnc.add(desk.account, self.phone_number, self.reason, desk.clock())
            told.filed = True
        except Misconfigured as error:
            told.why = str(error)

    def _share(self, journal: Journal, desk: Desk, told: _Told) -> None:
        """Tell every machine that shares the journal."""
        from ..journal.blocking import block

        known_by = digest(desk.account, self.phone_number, desk.secret())
        block(journal, desk.account, known_by, desk.clock())
        told.shared = True

    def _unsubscribe(self, desk: Desk, told: _Told) -> Flow[None]:
        """Have campaigns leave the number's leads out."""
        try:
            more: ListLeads | None = ListLeads(phone=self.phone_number, limit=200)
        except ValidationError:  # too short for a lead's
            return
        while more:
            desk.restart()
            try:
                page = yield from read(more, desk)
            except TopCallsError as error:
                told.unseen = str(error)
                return
            for lead in page.data:
                if _digits(lead.phone_number) == _digits(self.phone_number) and lead.status != OFF:
                    yield from _unsubscribed(lead, desk, told)
            last = page.next_cursor is None or page.next_cursor == more.cursor
            more = None if last else more.model_copy(update={"cursor": page.next_cursor})


class _Told:
    """What was done so far."""

    def __init__(self) -> None:
        self.before = self.filed = self.shared = False
        """Whether it stood there, stands in the file, and stands in the journal."""
        self.why = ""
        """What is wrong with the file."""
        self.leads: dict[str, None] = {}
        self.left: dict[str, str] = {}
        """Leads that stayed as they were, and why."""
        self.unseen: str | None = None
        """Why the leads could not all be looked at."""


def _unsubscribed(lead: Lead, desk: Desk, told: _Told) -> Flow[None]:
    desk.restart()
    try:
        request = UpdateLead(lead_id=lead.id, status=OFF)
        request.reply((yield from transmit(request, desk)))
    except ValidationError:
        told.left[lead.id] = "its id is none that can be sent."
    except TopCallsError as error:
        told.left[lead.id] = str(error)
    else:
        told.leads[lead.id] = None


def _digits(number: str | None) -> str:
    return "".join(filter(str.isdigit, number or ""))


def _of_lists(told: _Told) -> str:
    """What became of the file and the journal."""
    if not told.filed:
        return f"The number is blocked by the journal alone: {told.why}"
    said = "The number was blocked already." if told.before else "The number is blocked from now on."
    if told.why:
        said += f" No call is made at all meanwhile: {told.why}"
    if not told.shared:
        said += " The journal could not be written; block it again on other machines that share it."
    return said


def _of_leads(told: _Told) -> str:
    """What became of TopCalls' leads."""
    said = []
    if told.leads:
        said.append(f"{_leads(told.leads)} with it set to Unsubscribed.")
    elif not told.left and not told.unseen:
        said.append("No lead with it was left to unsubscribe.")
    if told.unseen:
        said.append(f"Leads could not all be looked at, and campaigns may still call it: {told.unseen}")
    if told.left:
        why = next(iter(told.left.values()))
        said.append(f"{_leads(told.left)} could not be unsubscribed, and campaigns may still call it: {why}")
    return " ".join(said)


def _leads(names: dict[str, Any]) -> str:
    return "1 lead" if len(names) == 1 else f"{len(names)} leads"
