"""Numbers that are not called any more: written down at once, and then told to whoever else must know."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from typing import TYPE_CHECKING

from pydantic import ValidationError

from ..api.leads import Lead, ListLeads, UpdateLead
from ..dnc import digest
from ..errors import Misconfigured, TopCallsError
from .steps import GLANCE, Desk, Flow, Keep, read, transmit

if TYPE_CHECKING:
    from ..journal.store import Journal

OFF = "Unsubscribed"
"""The status of a lead whom no campaign phones."""


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


def blocked(
    numbers: tuple[str, ...], reason: str | None, desk: Desk, *, by_the_way: bool = False
) -> Flow[Blocking]:
    """Block numbers: in the file first, then in the journal that other machines may share, then by their
    leads. Raises Misconfigured where neither file nor journal could be written.

    Leads are given all the time that they take; `by_the_way`, what is left until the desk's deadline.
    """
    done = Blocking(desk.account, numbers)
    yield Keep(lambda: _file(done, reason, desk))
    yield Keep(lambda: _told(done, desk))
    yield from _unsubscribe(done, desk, by_the_way)
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


def _told(done: Blocking, desk: Desk) -> None:
    """Tell the journal too: by the way, or with all patience where nothing else holds it."""
    if done.filed:
        desk.briefly(lambda journal: _share(journal, done, desk))
        return
    with suppress(TopCallsError):
        _share(desk.journal(), done, desk)


def _share(journal: Journal, done: Blocking, desk: Desk) -> None:
    """Tell every machine that shares the journal."""
    from ..journal.blocking import block

    secret = desk.secret()
    digests = [digest(desk.account, one, secret) for one in done.numbers]
    block(journal, desk.account, desk.line, digests, desk.clock())
    done.shared = True


def _unsubscribe(done: Blocking, desk: Desk, by_the_way: bool) -> Flow[None]:
    """Have campaigns leave their leads out."""
    meant = set(map(_digits, done.numbers))
    try:
        more: ListLeads | None = ListLeads(phone=done.numbers[0] if len(meant) == 1 else None, limit=200)
    except ValidationError:  # too short for a lead's
        return
    while more:
        if not _has_time(desk, by_the_way):
            done.unseen = _NO_TIME
            return
        try:
            page = yield from read(more, desk)
        except TopCallsError as error:
            done.unseen = str(error)
            return
        for lead in page.data:
            if _digits(lead.phone_number) not in meant or lead.status == OFF:
                continue
            if _has_time(desk, by_the_way):
                yield from _unsubscribed(lead, done, desk)
            else:
                done.left[lead.id] = _NO_TIME
        last = page.next_cursor is None or page.next_cursor == more.cursor
        more = None if last else more.model_copy(update={"cursor": page.next_cursor})


_NO_TIME = "there was no time left; block the number again."


def _has_time(desk: Desk, by_the_way: bool) -> bool:
    """Give each request the whole time of a call, or see whether there is time for one by the way."""
    if by_the_way:
        return desk.left() >= GLANCE
    desk.restart()
    return True


def _unsubscribed(lead: Lead, done: Blocking, desk: Desk) -> Flow[None]:
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
