"""What the person called asked, as an explanation tells it: by the transcript, or else by the journal."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from ..api.calls import Call
from ..api.fields import E164
from ..errors import TopCallsError
from ..flow.steps import Desk
from ..guard.callbacks import callback, permitted
from ..guard.heard import Heard, Kind, asked
from ..journal.called import Called
from ..places import here_and_there, zones
from .explain_call import Finding, finding

SOUNDS: dict[Kind, str] = {
    "opt_out": "asked not to be called again",
    "wrong_person": "said that they are not who was meant",
    "robot": "asked whether a robot speaks",
    "callback": "asked to be called back",
}


def wished(call: Call, known: Called) -> dict[Kind, Heard]:
    """The first wish of each kind; of those to be called back the first that names a time, where one does."""
    if not call.transcript:
        told = known.closed.get("heard", {})
        return {kind: Heard(kind, told[kind], SOUNDS[kind]) for kind in SOUNDS if kind in told}
    wishes = asked(call)
    first = {wish.kind: wish for wish in reversed(wishes)}
    if timed := next((wish for wish in wishes if wish.moment), None):
        first["callback"] = timed
    return first


def told(call: Call, known: Called, wishes: dict[Kind, Heard], desk: Desk) -> Iterator[Finding]:
    """What was asked, what has followed from it and what would work next. Writes nothing."""
    for kind, wish in sorted(wishes.items(), key=lambda one: one[1].turn):
        by = f"turn {wish.turn}" if call.transcript else "journal"
        said = f"By the words that are known here, the person called {SOUNDS[kind]}, in turn {wish.turn}."
        yield finding("happened", said, by)
    number = E164.read(call.phone_number or (known.dial.target if known.dial else ""))
    if "opt_out" in wishes:
        yield from _blocked(number, known, desk)
    elif "callback" in wishes:
        yield _call_back(wishes["callback"], number, call, known, desk)
    if "wrong_person" in wishes:
        said = "Find out whose number it is before it is called again."
        yield finding("works", said, f"turn {wishes['wrong_person'].turn}" if call.transcript else "journal")


def _blocked(number: E164 | None, known: Called, desk: Desk) -> Iterator[Finding]:
    """Whether the number is called no more, and the leads with it."""
    try:
        blocked = number in desk.dnc().numbers(desk.account)
    except TopCallsError:
        yield finding("unknown", "Whether its number may be called could not be read.", "rules")
        return
    acted = "opt_out" in known.closed.get("heard", {})
    if blocked:
        yield finding("happened", "Its number is not called any more.", "rules")
    elif acted:
        said = "Its number was blocked for it, and may be called again since: the owner took that back."
        yield finding("happened", said, "rules")
    else:
        said = "block_number has the number called no more at once; else that happens before the next call."
        yield finding("works", said, "rules")
    if leads := known.closed.get("leads_unsubscribed"):
        yield finding("happened", f"{leads} of its leads {_were(leads)} unsubscribed.", "journal")
    if blocked and known.closed.get("leads_left"):
        said = "block_number once more unsubscribes the leads that could not be changed then."
        yield finding("works", said, "journal")


def _call_back(wish: Heard, number: E164 | None, call: Call, known: Called, desk: Desk) -> Finding:
    """When they may be called back: at the time that they named, or at the next that the hours permit."""
    open_ = "When is not known here"
    where = (
        f"turn {wish.turn} has their words" if call.transcript else "they named no time that could be read"
    )
    unread = finding("works", f"Call them back. {open_}: {where}.", "call" if call.transcript else "journal")
    if number is None:
        return unread
    try:
        contacts, policy = desk.contacts(), desk.policy()
        named = callback(wish, number, contacts, policy) if call.transcript else _noted(known)
        at = permitted(max(named, desk.clock()), number, contacts, policy) if named else None
    except TopCallsError:
        return unread
    if at is None:
        return unread
    contact = contacts.get(number)
    when = here_and_there(at, zones(number, contact.zone if contact else None))
    return finding("works", f"Call them back, from {when}: the hours permit it then.", "rules")


def _noted(known: Called) -> datetime | None:
    at = known.closed.get("call_from")
    return datetime.fromisoformat(at) if at else None


def _were(count: int) -> str:
    return "was" if count == 1 else "were"
