"""What every rule says of a call, as it would be sent now."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any, Literal

from ..api.calls import PlaceCall
from ..api.fields import E164
from ..consent import composed
from ..errors import Refused
from ..facts import facts, inquiry, looked
from ..guard import AskPerson, Refuse, Said, opinions
from ..journal import Ledger
from ..places import here_and_there, zones
from ..reconcile import over
from ..steps import Desk, Flow, Keep
from ..wire import iso
from .check_call import CallCheck, Opinion


def checked(given: PlaceCall, desk: Desk) -> Flow[CallCheck]:
    """Compose, look and hear every rule; nothing is sent but reads, and nothing is written."""
    try:
        request: Any = composed(given, desk)
    except Refused as refused:
        why, _, works = refused.sentence.partition("; ")
        return _check(given, (Said(refused.rule, Refuse(why, works.rstrip("."))),), desk)
    known = yield from looked(request, desk)
    ledger = Ledger()
    if desk.noted():
        asked = inquiry(request, known, desk)
        ledger = yield Keep(lambda: desk.journal().ledger(asked, desk.clock()))
        ledger = yield from _tidied(ledger, desk)
    return _check(request, opinions(request, facts(request, known, ledger, desk), desk.policy()), desk)


def _tidied(ledger: Ledger, desk: Desk) -> Flow[Ledger]:
    """The ledger as it will be before a dial: calls that have ended are not under way."""
    ended = yield from over((yield Keep(lambda: desk.journal().open_dials(desk.account))), desk)
    there = {(row.callee, row.sent_at) for row in ended}
    earlier = tuple(
        replace(one, under_way=one.under_way and (one.callee, one.sent_at) not in there)
        for one in ledger.earlier
    )
    calls = sum(row.callee is not None for row in ended)
    return replace(ledger, earlier=earlier, calls_under_way=max(0, ledger.calls_under_way - calls))


def _check(request: PlaceCall, said: tuple[Said, ...], desk: Desk) -> CallCheck:
    opinions = tuple(_opinion(one) for one in said if isinstance(one.verdict, AskPerson | Refuse))
    refused = [one.verdict for one in said if isinstance(one.verdict, Refuse)]
    waits = [one.earliest for one in refused if one.earliest]
    earliest = None
    if len(waits) == len(refused):
        earliest = max((*waits, desk.clock()))
    contact = desk.contacts().get(request.phone_number)
    names = (contact.zone,) if contact and contact.zone else zones(E164(request.phone_number))
    return CallCheck(
        permitted=all(one.softened for one in said if isinstance(one.verdict, Refuse)),
        most_minutes=request.max_duration,
        opening=request.opening(),
        earliest=iso(earliest) if earliest else None,
        earliest_there=here_and_there(earliest, names) if earliest else None,
        opinions=opinions,
        nothing_against=tuple(one.rule for one in said if one.why is None),
    )


def _opinion(said: Said) -> Opinion:
    match said.verdict:
        case Refuse(why, works, earliest):
            verdict: Literal["refuse", "refuse_live"] = "refuse_live" if said.lenient else "refuse"
            when = _when(earliest)
            return Opinion(rule=said.rule, verdict=verdict, why=why, works=works, earliest=when)
        case AskPerson(why):
            return Opinion(rule=said.rule, verdict="ask", why=why)
    raise AssertionError("only what stands in the way has an opinion")


def _when(at: datetime | None) -> str | None:
    return iso(at) if at else None
