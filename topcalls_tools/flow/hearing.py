"""Hearing: what the person called asked is done and written down, once, for our calls and those of our
campaigns."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from ..api.calls import ENDED, Call, CallInList, CallPage, GetCall, ListCalls
from ..api.fields import E164
from ..errors import Misconfigured, NotFound
from ..journal import CLOCKS_DIFFER, DialRow
from ..journal.ledger import AT_MOST
from ..wire import moment
from .blocking import blocked
from .steps import GLANCE, Desk, Flow, Keep, glance

if TYPE_CHECKING:
    from ..guard.heard import Heard

AT_ONCE = 200
"""How many calls of a campaign are heard at once: a page."""
PAGES = 20
"""How many pages are looked at by the way."""
SETTLES = timedelta(minutes=1)
"""How long after its end a call's last turns may still come, where no summary says that all is there."""


def said(call: Call | CallInList, number: E164 | None, desk: Desk) -> Flow[dict[str, Any]]:
    """In which turns the agent disclosed an AI and announced the recording (0: in none), and what the person
    called asked, where anything was said. Who asked not to be called is blocked before it is written down: a
    crash between the two has the call heard again, and nothing else does."""
    from ..guard.disclosure import announced, disclosed
    from ..guard.heard import asked

    turns = call.transcript
    facts: dict[str, Any] = {}
    if any(turn.user == "assistant" for turn in turns):
        facts = {"disclosed": disclosed(turns) or 0, "announced": announced(turns) or 0}
    wishes = asked(call)
    first = {wish.kind: wish for wish in reversed(wishes)}
    if "opt_out" in first and number:
        reason = f"turn {first['opt_out'].turn}: {first['opt_out'].label}"
        done = yield from blocked((number,), reason, desk, by_the_way=True)
        facts |= {"leads_unsubscribed": len(done.leads), "leads_left": bool(done.left or done.unseen)}
    elif timed := next((wish for wish in reversed(wishes) if wish.moment), None):
        first["callback"] = timed
        facts["call_from"] = _from(timed, number, desk)
    return facts | ({"heard": {kind: first[kind].turn for kind in sorted(first)}} if first else {})


def _from(wish: Heard, number: E164 | None, desk: Desk) -> str | None:
    """The earliest permitted time of a call back, by the clock there; None where that is not known."""
    from ..guard.callbacks import callback

    try:
        at = callback(wish, number, desk.contacts(), desk.policy()) if number else None
    except Misconfigured:  # what the owner allows cannot be read, and so neither can the hours
        return None
    return at.isoformat() if at else None


def campaign_heard(row: DialRow, desk: Desk) -> Flow[bool]:
    """Hear the calls that a campaign has placed since it was heard last, the oldest first, as far as there is
    time. Whether all were heard, and none is under way.

    TopCalls lists the newest first and 200 at most. Where more have come together, a shorter time is looked
    at, as many calls as a page may have lie in: so none is left out, and each look gets on.
    """
    from ..journal.heard import heard_to

    since = began = newest = row.heard_to or row.sent_at - CLOCKS_DIFFER
    span = left = until = None
    for _ in range(PAGES):
        if desk.left() < 2 * GLANCE:
            return False
        until = since + span if span and since + span < newest else None
        try:
            page = yield from _page(row, until, desk)
        except (NotFound, ValidationError, KeyError):  # forgotten, here or there: nothing is left to hear
            return True
        placed = _placed(page.data)
        newest = max([newest, *placed])
        if page.next_cursor and placed and min(placed) >= since:
            end = until or newest
            span = min(end - min(placed), (end - since) * 3 / 4)
            continue
        fresh = [call for call in page.data if _since(call, since)]
        waits = yield from _each(fresh, row, desk)
        left = left or waits
        if (to := left or until or newest) > began:
            yield Keep(partial(heard_to, desk.journal(), row, to))
        if until is None or span is None:
            return left is None
        since, span = until, span if len(fresh) > AT_ONCE / 2 else span * 2
    return False


def _page(row: DialRow, until: datetime | None, desk: Desk) -> Flow[CallPage]:
    """The newest calls of a campaign that were placed before then."""
    cursor = _written(until) if until else None
    request = ListCalls(campaign_id=row.arguments["campaign_id"], limit=AT_ONCE, cursor=cursor)
    return (yield from glance(request, desk))


def _each(calls: Sequence[CallInList], row: DialRow, desk: Desk) -> Flow[datetime | None]:
    """Hear each of some calls of a campaign that has ended. The time of the first that is still to be heard:
    it is under way, or there was no time for it; None where there is none."""
    from ..journal.heard import note, noted

    known: set[str] = yield Keep(lambda: noted(desk.journal(), row.account, [_name(call) for call in calls]))
    left: datetime | None = None
    for call in sorted(calls, key=lambda call: moment(call.created_at) or row.sent_at):
        placed = moment(call.created_at) or row.sent_at
        if desk.left() < 2 * GLANCE:
            return min(placed, left or placed)
        if not _over(call, placed, desk.clock()):
            left = min(placed, left or placed)
        elif _name(call) not in known:
            facts = yield from said(call, E164.read(call.phone_number or ""), desk)
            if "heard" in facts or facts.get("disclosed") == 0:
                yield Keep(partial(note, desk.journal(), row, _name(call), facts, desk.clock()))
    return left


def _over(call: CallInList, placed: datetime, now: datetime) -> bool:
    """Whether nothing more is to be heard of a call: it has ended and its turns are there, or must be."""
    if now - placed > AT_MOST:
        return True
    end = moment(call.end_at) or placed + AT_MOST
    spoken = call.started_at is not None and call.call_summary is None
    return call.status in ENDED and (not spoken or now - end > SETTLES)


def _name(call: CallInList) -> str:
    """The id of a call, or its digest where it is none that could be sent."""
    try:
        return GetCall(call_id=call.id).call_id
    except ValidationError:
        return hashlib.sha256(call.id.encode("utf-8", "replace")).hexdigest()


def _since(call: CallInList, since: datetime) -> bool:
    at = moment(call.created_at)
    return at is None or at >= since


def _placed(calls: Iterable[CallInList]) -> list[datetime]:
    """When some calls were placed, where TopCalls says that."""
    return [at for call in calls if (at := moment(call.created_at))]


def _written(at: datetime) -> str:
    """A time to the millisecond, as TopCalls writes the cursors of its lists."""
    return f"{at.astimezone(UTC).isoformat(timespec='milliseconds').removesuffix('+00:00')}Z"
