"""Tidying up, before each dial: what a crash left open is finished or looked for, and what has ended is added
up."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

from pydantic import ValidationError

from ..api import CATALOG
from ..api.calls import Call, GetCall
from ..api.campaigns import GetCampaign, StartCampaign
from ..api.fields import E164
from ..endpoint import Endpoint
from ..errors import NotFound, TopCallsError
from ..journal import AskRow, DialRow
from ..journal.archive import purge_at_times
from ..journal.ledger import AT_MOST
from .dial import adopted, in_doubt, ring
from .facts import allowed, looked
from .hearing import campaign_heard, said
from .steps import GLANCE, LEASE, TO_DIAL, Desk, Flow, Keep, glance

IN_DOUBT = ("sending", "unknown")
AT_ONCE = 10
"""How many calls are looked at by the way."""
BY_THE_WAY = 20.0
"""Seconds that tidying up may take of the time of the dial that comes after it."""


def bookkeeping(desk: Desk, besides: str = "") -> Flow[None]:
    """Reconcile, close books and forget what is old: by the way, so that nothing of it stops a dial.

    `besides` is the digest of a deed that is about to be done, and finishes what it began itself.
    """
    until = desk.deadline
    desk.deadline = min(until, desk.timer() + BY_THE_WAY)
    try:
        rows = yield from _open(desk)
        yield from _reconciled(rows, desk, besides=besides)
        yield from _closed(rows, desk, most=AT_ONCE)
        yield Keep(lambda: purge_at_times(desk.journal(), desk.keeps, desk.clock()))
    except TopCallsError:
        pass  # whatever it is, the dial itself says it in its own words
    finally:
        desk.deadline = until


def reconcile(desk: Desk, *, thorough: bool = False) -> Flow[int]:
    """Finish the dials whose sender is gone. Gives how many are still in doubt; `thorough` looks once more
    for those that are unknown.

    While the yes is alive and nothing was stopped since, and the rules still allow it, a dial is sent again
    under its own key, so that TopCalls dials at most once. Later it is only looked for: a call that can only
    be ours is ours, and otherwise it stays unknown. A yes given at noon rings no phone at night.
    """
    return (yield from _reconciled((yield from _open(desk)), desk, thorough=thorough))


def close_books(desk: Desk, call_id: str | None = None) -> Flow[None]:
    """Read each of our calls that is not closed yet, or the one with this id, once; settle the minutes of
    those that have ended, and hear what the person called asked: whoever asked not to be called is not called
    any more. So are the calls of our campaigns heard."""
    rows = yield from _open(desk)
    yield from _closed([row for row in rows if call_id in (None, row.call_id)], desk)


def _open(desk: Desk) -> Flow[list[DialRow]]:
    """The dials of this account that are not closed."""
    rows: list[DialRow] = yield Keep(lambda: desk.journal().open_dials(desk.account))
    return rows


def _reconciled(rows: list[DialRow], desk: Desk, *, besides: str = "", thorough: bool = False) -> Flow[int]:
    doubtful = 0
    for row in rows:
        if row.state not in IN_DOUBT or row.line != desk.line:
            continue
        if row.digest == besides and (yield from _alive(row, desk)):
            continue
        gone = row.state == "sending" and desk.clock() - row.leased_at > LEASE
        if (gone or (thorough and row.state == "unknown")) and desk.left() >= TO_DIAL:
            row = yield from _finished(row, desk)
        doubtful += row.state in IN_DOUBT
    return doubtful


def _closed(rows: list[DialRow], desk: Desk, *, most: int | None = None) -> Flow[None]:
    looks = 0
    for row in rows:
        doubtful = row.settled_at is None and row.line == desk.line  # it is settled first, or looked for
        if doubtful or looks == most or desk.left() < GLANCE:
            continue
        looks += 1
        ended = yield from _ended(row, desk)
        through = not _campaign(row, desk) or (yield from campaign_heard(row, desk))
        if ended and through and _told(ended, row, desk):
            used = row.minutes if ended.minutes is None else ended.minutes
            facts = (yield from said(ended.call, E164.read(row.target), desk)) if ended.call else {}
            yield Keep(partial(desk.journal().close_dial, row, used, desk.clock(), **facts))


def _campaign(row: DialRow, desk: Desk) -> bool:
    """Whether a dial has started a campaign at which this key can look."""
    return row.tool == StartCampaign.tool and row.state == "placed" and row.line == desk.line


def over(rows: list[DialRow], desk: Desk) -> Flow[list[DialRow]]:
    """Those of some open dials that have ended, by what TopCalls says; nothing is written down."""
    ended = []
    for row in rows[:AT_ONCE]:
        if row.state != "placed":
            continue
        how = yield from _ended(row, desk)
        if how and _told(how, row, desk):
            ended.append(row)
    return ended


def _told(ended: _Ended, row: DialRow, desk: Desk) -> bool:
    """Whether nothing more is to be heard of a dial that has ended."""
    return ended.complete or _old(row, desk)


def _finished(row: DialRow, desk: Desk) -> Flow[DialRow]:
    if row.state == "sending":
        row, ours = yield Keep(lambda: desk.journal().take_over(row.key, desk.clock(), LEASE))
        if not ours:
            return row
    try:
        kind = next(endpoint for endpoint in CATALOG if endpoint.tool == row.tool)
        request = kind.model_validate(row.arguments)
    except (StopIteration, ValidationError):  # written by a version that knew other tools
        stands: DialRow = yield Keep(lambda: desk.journal().settle(row, "unknown", desk.clock()))
        return stands
    try:
        if row.state == "sending" and (yield from _may_still_ring(request, row, desk)):
            yield from ring(request, row, desk, in_doubt(request, row))
        else:
            yield from adopted(request, row, desk, in_doubt(request, row))
    except TopCallsError:
        pass  # the doubt that remains stands in the row
    finished: DialRow = yield Keep(lambda: desk.journal().dial(row.key))
    return finished


def _may_still_ring(request: Endpoint[Any], row: DialRow, desk: Desk) -> Flow[bool]:
    """Whether the yes still counts: not older than its question lives, given after the last stop, and within
    the rules as they are now."""
    if not (yield from _alive(row, desk)):
        return False
    try:
        known = yield from looked(request, desk)
        return (yield from allowed(request, known, row, desk))
    except TopCallsError:
        return False


def _alive(row: DialRow, desk: Desk) -> Flow[bool]:
    """Whether the yes to a dial is not older than its question lives."""
    ask: AskRow | None = yield Keep(lambda: desk.journal().asked(row.key))
    return ask is not None and ask.expires_at > desk.clock()


@dataclass(frozen=True, slots=True)
class _Ended:
    """The minutes that a dial used in the end, and the call that it was."""

    minutes: float | None
    """None where nobody says: then it counts whole, once it must be over."""
    call: Call | None = None

    @property
    def complete(self) -> bool:
        """Whether TopCalls has said all: the last turns may come some seconds after the end."""
        return self.minutes is not None and (self.call is None or self.call.completed is not False)


def _ended(row: DialRow, desk: Desk) -> Flow[_Ended | None]:
    """How a dial ended; None while it goes on, or may."""
    must_be = _Ended(None) if _old(row, desk) else None
    if row.line != desk.line:  # placed by another key, which may be gone: nobody can look
        return must_be
    try:
        if row.call_id:
            call = yield from glance(GetCall(call_id=row.call_id), desk)
            return _Ended(_minutes(call.duration), call) if call.ended else must_be
        if _campaign(row, desk):
            campaign = yield from glance(GetCampaign(campaign_id=row.arguments["campaign_id"]), desk)
            going = campaign.status == "running"
            return (
                None if going else _Ended(_minutes(campaign.stats.minutes_used if campaign.stats else None))
            )
    except NotFound:
        pass
    except (ValidationError, KeyError):  # an id that TopCalls gave and no longer takes, or that was forgotten
        pass
    return must_be


def _minutes(told: float | None) -> float | None:
    """What TopCalls says was used; None where it says nothing that can be."""
    return None if told is None or told < 0 else told


def _old(row: DialRow, desk: Desk) -> bool:
    """Whether whatever came of a dial must be over."""
    return desk.clock() - row.sent_at > AT_MOST
