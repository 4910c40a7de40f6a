"""Stopping everything: no question, no rule, and no need of a journal."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from ..action import Effect, Record
from ..api.calls import ENDED, CallInList, CancelCall, ListCalls, StopCall
from ..api.campaigns import ListCampaigns, PauseCampaign
from ..api.fields import Paged
from ..endpoint import Brake
from ..errors import TopCallsError
from ..flow import Deed, brake
from ..steps import LEASE, Desk, Flow, Keep, Sleep, read

if TYPE_CHECKING:
    from ..journal.store import Journal

GOES_BACK = timedelta(minutes=70)
"""How old a call can be that is still under way: an hour at most, and what ringing takes."""
LOOKS = 40
"""How often it is looked at most: as long as another process may still be sending, and two seconds apart."""
PAUSE = 2.0
AT_LEAST = 2
"""Looks in a row that must find nothing: what was being placed at one is there at the next."""


class AllStopped(Record):
    """What was stopped, and what is left."""

    ok: bool
    """True when nothing is under way any more."""
    campaigns_paused: tuple[str, ...] = ()
    """Campaigns that were running and are paused."""
    calls_ended: tuple[str, ...] = ()
    """Calls that were cancelled or hung up."""
    left: tuple[str, ...] = ()
    """Calls and campaigns that still go on: stop them again, or in the dashboard."""
    scheduled: tuple[str, ...] = ()
    """Campaigns that will start by themselves; they are called off in the dashboard."""
    problems: tuple[str, ...] = ()
    """What did not work, a sentence each."""


class StopAll(Deed[AllStopped], effect=Effect.BRAKE, toolset="calls", code_only=True):
    """Stop everything of the account: pause running campaigns, then drop and hang up every call. A yes that
    was given before dials nothing any more."""

    def flow(self, desk: Desk) -> Flow[AllStopped]:
        at, told = desk.clock(), _Told()
        if not (yield Keep(lambda: desk.stop(at))):
            told.problems["mark"] = (
                "That a yes from before counts no more could not be written down; end the assistants that "
                "may still dial."
            )
        quiet = 0
        for _ in range(LOOKS):
            told.left = []
            yield from _pause_campaigns(desk, told)
            yield from _end_calls(desk, told, at - GOES_BACK)
            told.sending = False
            yield Keep(lambda: desk.briefly(lambda journal: _noted(journal, desk, at, told)))
            quiet = 0 if told.left or told.sending else quiet + 1
            if quiet == AT_LEAST:
                break
            yield Sleep(PAUSE)
        return AllStopped(
            ok=quiet == AT_LEAST and not told.blind,
            campaigns_paused=tuple(told.paused),
            calls_ended=tuple(told.ended),
            left=tuple(told.left),
            scheduled=tuple(told.scheduled),
            problems=tuple(told.problems.values()),
        )


class _Told:
    """What was found and done so far; names stand in order and once."""

    def __init__(self) -> None:
        self.paused: dict[str, None] = {}
        self.ended: dict[str, None] = {}
        self.scheduled: dict[str, None] = {}
        self.ours: dict[str, None] = {}
        """Calls that the journal says are open."""
        self.done: set[str] = set()
        """Where nothing is left to stop."""
        self.left: list[str] = []
        self.problems: dict[str, str] = {}
        self.blind = False
        """Whether the last look could not see everything."""
        self.marked = False
        self.sending = False
        """Whether another process may just be dialling."""


def _pause_campaigns(desk: Desk, told: _Told) -> Flow[None]:
    try:
        running = yield from _pages(ListCampaigns(status="running", limit=200), desk)
        told.blind = False
    except TopCallsError as error:
        told.blind, told.problems["campaigns"] = True, str(error)
        return
    for page in running:
        for campaign in page.data:
            if (yield from _stopped(PauseCampaign(campaign_id=campaign.id), campaign.id, desk, told)):
                told.paused[campaign.id] = None
    try:
        for page in (yield from _pages(ListCampaigns(status="scheduled", limit=200), desk)):
            told.scheduled.update(dict.fromkeys(campaign.id for campaign in page.data))
    except TopCallsError as error:
        told.problems["scheduled"] = str(error)


def _end_calls(desk: Desk, told: _Told, since: datetime) -> Flow[None]:
    try:
        pages = yield from _pages(ListCalls(limit=200), desk, lambda page: _older(page.data, since))
    except TopCallsError as error:
        told.blind, told.problems["calls"] = True, str(error)
        pages = []
    listed = {call.id: call.status for page in pages for call in page.data}
    going = {name for name, status in listed.items() if status not in ENDED}
    for name in (*going, *(told.ours.keys() - listed.keys() - told.done)):
        if listed.get(name) in ("pending", "queued"):
            try:
                yield from brake(CancelCall(call_id=name), desk)
                told.ended[name] = None
                continue
            except TopCallsError:
                pass  # it has begun meanwhile, or cannot be cancelled: hang it up
        if (yield from _stopped(StopCall(call_id=name), name, desk, told)):
            told.ended[name] = None


def _stopped(request: Brake, name: str, desk: Desk, told: _Told) -> Flow[bool]:
    desk.restart()
    try:
        done = yield from brake(request, desk)
    except TopCallsError as error:
        told.left.append(name)
        told.problems[name] = str(error)
        return False
    told.problems.pop(name, None)
    told.done.add(name)
    return done.ok


def _pages(first: Paged[Any], desk: Desk, enough: Any = None) -> Flow[list[Any]]:
    """The pages of a list, until one has enough."""
    pages, more = [], first
    while more:
        desk.restart()
        page = yield from read(more, desk)
        pages.append(page)
        if page.next_cursor is None or page.next_cursor == more.cursor or (enough and enough(page)):
            return pages
        more = more.model_copy(update={"cursor": page.next_cursor})
    return pages


def _older(calls: tuple[CallInList, ...], since: datetime) -> bool:
    """Whether the last call of a page is from before."""
    try:
        made = datetime.fromisoformat(calls[-1].created_at or "") if calls else since
    except ValueError:
        return False
    return (made if made.tzinfo else made.replace(tzinfo=UTC)) < since


def _noted(journal: Journal, desk: Desk, at: datetime, told: _Told) -> None:
    """Tell every machine that shares the journal, once, and learn which dials it knows."""
    if not told.marked:
        journal.stop_all(desk.account, at)
        told.marked = True
    for row in journal.open_dials(desk.account):
        if row.call_id:
            told.ours[row.call_id] = None
        told.sending |= row.state == "sending" and desk.clock() - row.leased_at <= LEASE
