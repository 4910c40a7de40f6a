"""What every rule says of a call, as it would be sent now."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

from ..api.calls import PlaceCall
from ..api.fields import E164
from ..errors import Refused
from ..flow.consent import composed
from ..flow.facts import facts, inquiry, looked
from ..flow.reconcile import over
from ..flow.steps import Desk, Flow, Keep
from ..guard import AskPerson, Facts, Refuse, Said, opinions
from ..journal import Ledger
from ..places import here_and_there, zones
from ..wire import iso
from .check_call import CallCheck, Opinion

if TYPE_CHECKING:
    from ..guard.policy import Policy


DAY = timedelta(hours=24)
LOOKS = 10
"""How often a later time is looked at: one rule moves it on, and then another."""


def checked(given: PlaceCall, desk: Desk) -> Flow[CallCheck]:
    """Compose, look and hear every rule; nothing is sent but reads, and nothing is written."""
    request: Any = given
    unfit: tuple[Said, ...] = ()
    try:
        request = composed(given, desk)
    except Refused as refused:
        why, _, works = refused.sentence.partition("; ")
        unfit = (Said(refused.rule, Refuse(why, works.rstrip("."))),)
    known = yield from looked(request, desk)
    noted: bool = yield Keep(desk.noted)
    desk = replace(desk, noted=lambda: noted)  # one answer for all of it: without a journal no secret is made
    ledger = Ledger()
    if noted:
        asked = inquiry(request, known, desk)
        ledger = yield Keep(lambda: desk.journal().ledger(asked, desk.clock()))
        ledger = yield from _tidied(ledger, desk)
    around, policy = facts(request, known, ledger, desk), desk.policy()
    said = (*unfit, *opinions(request, around, policy))
    contact = around.contacts.get(request.phone_number)
    names = zones(E164(request.phone_number), contact.zone if contact else None)
    earliest = None if unfit else _earliest(request, around, policy)
    return CallCheck(
        permitted=not any(map(_refuses, said)),
        most_minutes=request.max_duration,
        opening=None if unfit else request.opening(),
        earliest=iso(earliest) if earliest else None,
        earliest_there=here_and_there(earliest, names) if earliest else None,
        opinions=tuple(_opinion(one) for one in said if isinstance(one.verdict, AskPerson | Refuse)),
        nothing_against=tuple(one.rule for one in said if one.why is None),
    )


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


def _earliest(request: PlaceCall, around: Facts, policy: Policy) -> datetime | None:
    """The first instant at which no rule refuses, by what is known now; None where waiting does not help, or
    nobody can tell when."""
    for _ in range(LOOKS):
        refused = [one.verdict for one in opinions(request, around, policy) if _refuses(one)]
        waits = [one.earliest for one in refused if isinstance(one, Refuse) and one.earliest]
        if len(waits) < len(refused):
            return None
        if not waits:
            return around.now
        around = _later(around, _whole(max(waits)))
    return None


def _whole(at: datetime) -> datetime:
    """The first whole second that is not before an instant: as it is written."""
    return at if at.microsecond == 0 else at.replace(microsecond=0) + timedelta(seconds=1)


def _later(around: Facts, at: datetime) -> Facts:
    """The facts as they will be if nothing is done until then. What nobody knows to count no more, counts."""
    months = {f"{when.astimezone(UTC):%Y-%m}" for when in (around.now, at)}
    first_over = around.oldest is not None and at - around.oldest >= DAY
    over = at - around.now >= DAY or (first_over and around.day_calls == 1)
    return replace(
        around,
        now=at,
        day_minutes=0 if over else around.day_minutes,
        day_calls=0 if over else around.day_calls - first_over,
        oldest=None if over or first_over else around.oldest,
        month_minutes=around.month_minutes if len(months) == 1 else 0,
    )


def _refuses(said: Said) -> bool:
    return isinstance(said.verdict, Refuse) and not said.softened


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
    return iso(_whole(at)) if at else None
