"""Proposals to call somebody back who asked for it: whom, from when on, and what speaks against it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from ..places import here_and_there, zones
from ..quoting import quiet

if TYPE_CHECKING:
    from ..api.fields import E164
    from ..client import Client
    from ..flow.steps import Desk
    from ..journal.heard import HeardCall

LATELY = timedelta(days=30)
"""How long ago somebody may have asked."""
_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Proposal:
    """Somebody asked to be called back. All of it is in our words."""

    call_id: str
    turn: int
    """In which turn they asked."""
    heard_at: datetime
    number: E164 | None
    """None where it was forgotten, or cannot be read."""
    name: str | None
    """What the owner calls them."""
    zones: tuple[str, ...]
    named: datetime | None
    """The first permitted time that fits what they named; None where they named none that can be read."""
    at: datetime | None
    """When they may be called, by the hours: the named time, or the next one. A whole minute in UTC."""
    against: str | None = None
    """Why nobody is to be called back any more."""

    @property
    def whom(self) -> str:
        name = quiet(self.name or "")
        return " ".join(filter(None, (name, self.number))) or "A number that is not known here"

    @property
    def when(self) -> str | None:
        """The time in UTC and where the phone is."""
        return here_and_there(self.at, self.zones) if self.at else None


def proposals(client: Client, call_id: str | None = None) -> list[Proposal]:
    """The newest wish of each number to be called back, or that of one call, oldest first. A campaign's call
    is read again, for nothing personal of it is kept."""
    from ..journal.heard import heard_since

    desk = client.line.desk()
    now = desk.clock()
    found = heard_since(desk.journal(), desk.account, now - LATELY)
    wishes = [one for one in found if "callback" in one.facts["heard"] and call_id in (None, one.call_id)]
    made = [_proposal(one, _number(one, client), desk, now) for one in wishes]
    return list(_newest(made))


def _newest(made: list[Proposal]) -> Iterator[Proposal]:
    last = {one.number: place for place, one in enumerate(made)}
    return (one for place, one in enumerate(made) if one.number is None or last[one.number] == place)


def _number(heard: HeardCall, client: Client) -> E164 | None:
    from ..api.calls import GetCall
    from ..api.fields import E164
    from ..errors import TopCallsError

    if heard.dial and heard.dial.call_id:
        return E164.read(heard.dial.target)
    try:
        return E164.read(client.send(GetCall(call_id=heard.call_id)).phone_number)
    except (TopCallsError, ValueError):
        return None


def _proposal(heard: HeardCall, number: E164 | None, desk: Desk, now: datetime) -> Proposal:
    from ..guard.callbacks import permitted

    named = datetime.fromisoformat(heard.facts["call_from"]) if "call_from" in heard.facts else None
    first = max(named or now, now)
    contacts = desk.contacts()
    contact = contacts.get(number or "")
    at: datetime | None = first
    if number:
        at = permitted(first, number, contacts, desk.policy())
    return Proposal(
        call_id=heard.call_id,
        turn=heard.facts["heard"]["callback"],
        heard_at=heard.at,
        number=number,
        name=contact.name if contact else None,
        zones=zones(number, contact.zone if contact else None) if number else (),
        named=named,
        at=_whole(at) if at else None,
        against=_against(heard, number, desk) if number else None,
    )


def _against(heard: HeardCall, number: E164, desk: Desk) -> str | None:
    """Why somebody is not to be called back: they were, or are not to be called at all."""
    from ..dnc import digest
    from ..flow.facts import callee
    from ..journal.blocking import blocked
    from ..journal.heard import rung_since

    journal, whose = desk.journal(), callee(number, desk)
    digests = [whose, digest(desk.account, number, desk.secret())]
    if number in desk.dnc().numbers(desk.account) or blocked(journal, digests):
        return "The number is not to be called any more."
    since = heard.dial.sent_at if heard.dial and heard.dial.call_id else heard.at
    if again := rung_since(journal, desk.account, whose, since):
        return f"The number was called again at {again:%Y-%m-%d %H:%M} UTC."
    return None


def _whole(at: datetime) -> datetime:
    """The first whole minute that is not before an instant."""
    minute = at.replace(second=0, microsecond=0)
    return minute if minute == at else minute + _MINUTE
