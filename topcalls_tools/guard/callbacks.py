"""When somebody may be called back: at the time that they named, as far as the hours allow it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from ..api.calls import PlaceCall
from ..api.fields import E164
from ..contacts import Contact
from ..places import zones
from . import Facts, Refuse
from .heard import Heard
from .rules.times import hours

if TYPE_CHECKING:
    from .policy import Policy


def callback(wish: Heard, number: E164, contacts: Mapping[str, Contact], policy: Policy) -> datetime | None:
    """The first instant at which a wish to be called back may be met, by the clock where the phone is; None
    where the words, the zone or the hours leave open when that is.

    "At five" is two instants, of which the hours must allow one alone.
    """
    contact = contacts.get(number)
    places = [ZoneInfo(name) for name in zones(number, contact.zone if contact else None)]
    if not places:
        return None
    action = PlaceCall.model_construct(phone_number=number)
    meant = wish.instants(places)
    verdicts = {at: hours(action, Facts(now=at, contacts=contacts), policy) for at in meant}
    allowed: list[datetime | None] = [at for at, said in verdicts.items() if not isinstance(said, Refuse)]
    if len(meant) == 1 and not allowed:
        allowed = [said.earliest for said in verdicts.values() if isinstance(said, Refuse)]
    first = allowed[0] if len(allowed) == 1 else None
    return first.astimezone(places[0]) if first else None


def permitted(at: datetime, number: E164, contacts: Mapping[str, Contact], policy: Policy) -> datetime | None:
    """The first instant from then on (aware) at which the hours let a number be called, by what is known now;
    None where nobody can tell when."""
    action = PlaceCall.model_construct(phone_number=number)
    said = hours(action, Facts(now=at, contacts=contacts), policy)
    return said.earliest if isinstance(said, Refuse) else at
