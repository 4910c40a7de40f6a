"""Blocking numbers: they are written down at once and unasked, and then told to whoever else must know."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Annotated

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
    """True: it is written down, and this account does not call the number any more."""
    phone_number: str
    """The number."""
    known_before: bool
    """True when it was blocked already."""
    leads_unsubscribed: tuple[str, ...] = ()
    """Leads with this number that were set to Unsubscribed now, so that no campaign phones them."""
    note: str
    """What was done and what was not, in sentences of TopCalls Tools."""


class BlockNumber(Deed[NumberBlocked], effect=Effect.BRAKE, toolset="calls"):
    """Never call a number again, as when somebody asks not to be called. Goes at once and unasked, for this
    account; its lead is set to Unsubscribed. Only the owner can undo it. A call that runs goes on: stop_call
    hangs up."""

    phone_number: PhoneNumber
    """The number, international, such as +14155550123."""
    reason: Annotated[str, Field(min_length=1, max_length=500)] | None = None
    """Why, for the owner to read later."""

    def flow(self, desk: Desk) -> Flow[NumberBlocked]:
        done = yield from blocked((self.phone_number,), self.reason, desk)
        return NumberBlocked(
            ok=True,
            phone_number=self.phone_number,
            known_before=not done.fresh,
            leads_unsubscribed=tuple(done.leads),
            note=done.note(),
        )


class Blocking:
    """What was done so far, so that numbers are not called any more."""

    def __init__(self, account: str, numbers: tuple[str, ...]) -> None:
        self.account = account
        self.numbers = self.fresh = numbers
        """All of them, and those that were not blocked before."""
        self.filed = self.shared = False
        """Whether they stand in the file, and in the journal."""
        self.why = ""
        """What is wrong with the file."""
        self.leads: dict[str, None] = {}
        self.left: dict[str, str] = {}
        """Leads that stayed as they were, and why."""
        self.unseen: str | None = None
        """Why the leads could not all be looked at."""

    def note(self) -> str:
        """What was done and what was not, in sentences."""
        return " ".join((*self._of_lists(), *self.of_leads()))

    def _of_lists(self) -> list[str]:
        before, count = len(self.numbers) - len(self.fresh), len(self.numbers)
        are = "The number is" if count == 1 else f"{count} numbers are"
        if not self.filed:
            return [f"{are} blocked by the journal alone: {self.why}"]
        already = "" if not before else " already" if before == count else f", {before} of them already"
        said = [f"{are} blocked for the account {self.account}{already}."]
        if self.why:
            said.append(f"Nothing at all can be called meanwhile: {self.why}")
        if not self.shared:
            said.append("The journal could not be told; other machines that share it still call.")
        return said

    def of_leads(self) -> list[str]:
        """What became of TopCalls' leads."""
        said = []
        if self.leads:
            said.append(f"{_leads(self.leads)} set to Unsubscribed.")
        elif not self.left and not self.unseen:
            said.append("No lead had to be unsubscribed.")
        if self.unseen:
            said.append(f"Leads could not all be looked at, and campaigns may still call: {self.unseen}")
        for why in list(self.left.values())[:1]:
            said.append(f"{_leads(self.left)} not unsubscribed, and campaigns may still call: {why}")
        return said


def blocked(numbers: tuple[str, ...], reason: str | None, desk: Desk) -> Flow[Blocking]:
    """Block numbers: in the file first, then in the journal that other machines may share, then by their
    leads. Raises Misconfigured where neither file nor journal could be written."""
    done = Blocking(desk.account, numbers)
    yield Keep(lambda: _file(done, reason, desk))
    yield Keep(lambda: desk.briefly(lambda journal: _share(journal, done, desk)))
    yield from _unsubscribe(done, desk)
    if not done.filed and not done.shared:
        raise Misconfigured(
            f"Nothing is blocked: {done.why} The journal cannot be written either. Do not call; once one of "
            f"the two is mended, block again. {' '.join(done.of_leads())}"
        )
    return done


def _file(done: Blocking, reason: str | None, desk: Desk) -> None:
    """Write them down where every call looks."""
    dnc = desk.dnc()
    try:
        known = dnc.numbers(desk.account)
        done.fresh = tuple(number for number in done.numbers if number not in known)
    except Misconfigured as error:  # what cannot be read can have one more line
        done.why = str(error)
    try:
        if done.fresh:
            dnc.add_all(desk.account, done.fresh, reason, desk.clock())
        done.filed = True
    except Misconfigured as error:
        done.why = str(error)


def _share(journal: Journal, done: Blocking, desk: Desk) -> None:
    """Tell every machine that shares the journal."""
    from ..journal.blocking import block

    secret = desk.secret()
    block(journal, desk.account, [digest(desk.account, one, secret) for one in done.numbers], desk.clock())
    done.shared = True


def _unsubscribe(done: Blocking, desk: Desk) -> Flow[None]:
    """Have campaigns leave their leads out."""
    meant = set(map(_digits, done.numbers))
    try:
        more: ListLeads | None = ListLeads(phone=done.numbers[0] if len(meant) == 1 else None, limit=200)
    except ValidationError:  # too short for a lead's
        return
    while more:
        desk.restart()
        try:
            page = yield from read(more, desk)
        except TopCallsError as error:
            done.unseen = str(error)
            return
        for lead in page.data:
            if _digits(lead.phone_number) in meant and lead.status != OFF:
                yield from _unsubscribed(lead, done, desk)
        last = page.next_cursor is None or page.next_cursor == more.cursor
        more = None if last else more.model_copy(update={"cursor": page.next_cursor})


def _unsubscribed(lead: Lead, done: Blocking, desk: Desk) -> Flow[None]:
    desk.restart()
    try:
        request = UpdateLead(lead_id=lead.id, status=OFF)
        request.reply((yield from transmit(request, desk)))
    except ValidationError:
        done.left[lead.id] = "an id is none that can be sent; change the lead in the dashboard."
    except TopCallsError as error:
        done.left[lead.id] = str(error)
    else:
        done.leads[lead.id] = None


def _digits(number: str | None) -> str:
    return "".join(filter(str.isdigit, number or ""))


def _leads(names: Collection[str]) -> str:
    return "1 lead is" if len(names) == 1 else f"{len(names)} leads are"
