"""Stopping everything: no question, no rule, and no need of a journal."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from ..action import Effect, Record
from ..api.calls import ENDED, CancelCall, ListCalls, StopCall
from ..api.campaigns import ListCampaigns, PauseCampaign
from ..api.fields import Paged
from ..endpoint import Brake
from ..errors import NotFound, TooMany, TopCallsError
from ..flow import Deed, brake
from ..flow.steps import LEASE, ONE_ATTEMPT, Desk, Flow, Keep, Sleep, read
from ..wire import moment

if TYPE_CHECKING:
    from ..journal.store import Journal

AT_FIRST = 3.0
"""Seconds for the first attempt to stop something: whatever hangs, the next one need not wait for long."""
GOES_BACK = timedelta(minutes=70)
"""How old a call can be that is still under way: an hour at most, and what ringing takes."""
LOOKS = 40
"""How often it is looked at most: as long as another process may still be sending, and two seconds apart."""
PAUSE = 2.0
AT_LEAST = 2
"""Looks in a row that must find nothing: what was being placed at one is there at the next."""
UNHEARD = int(ONE_ATTEMPT / PAUSE) + 1
"""The same where the journal says nothing of dials under way: as long as one attempt may take."""
HOPELESS = 2
"""Looks in a row after which it is given up, because nothing could be seen or stopped."""
LONGEST = 60.0
"""Seconds that TopCalls may ask us to wait between two looks."""


class AllStopped(Record):
    """What was stopped, and what is left."""

    ok: bool
    """True when nothing is under way any more, and no yes from before can dial."""
    campaigns_paused: tuple[str, ...] = ()
    """Campaigns that were running and are paused."""
    calls_ended: tuple[str, ...] = ()
    """Calls that were cancelled or hung up."""
    left: tuple[str, ...] = ()
    """Calls and campaigns that still went on at the last look: stop them again, or in the dashboard."""
    scheduled: tuple[str, ...] = ()
    """Campaigns that will start by themselves; they are called off in the dashboard."""
    problems: tuple[str, ...] = ()
    """What did not work, a sentence each."""


class StopAll(Deed[AllStopped], effect=Effect.BRAKE, toolset="calls", code_only=True):
    """Stop everything of the account: pause running campaigns, then drop and hang up every call. A yes that
    was given before dials nothing any more."""

    def flow(self, desk: Desk) -> Flow[AllStopped]:
        at, told = desk.clock(), _Told()
        told.filed = yield Keep(lambda: desk.stop(at))
        ok, clear, hopeless = False, 0, 0
        for _ in range(LOOKS):
            told.look_anew()
            yield from _pause_campaigns(desk, told)
            yield from _end_calls(desk, told, at)
            yield Keep(lambda: desk.briefly(lambda journal: _noted(journal, desk, at, told)))
            clear = 0 if told.left or told.blind or told.sending else clear + 1
            hopeless = hopeless + 1 if (told.left or told.blind) and not told.worked else 0
            ok = clear >= (AT_LEAST if told.heard and told.marked else UNHEARD)
            if ok or hopeless == HOPELESS:
                break
            yield Sleep(max(PAUSE, min(told.wait, LONGEST)))
        scheduled = yield from _pages(ListCampaigns(status="scheduled", limit=200), desk, told)
        return AllStopped(
            ok=ok and (told.filed or told.marked),
            campaigns_paused=tuple(told.paused),
            calls_ended=tuple(told.ended),
            left=tuple(told.left),
            scheduled=tuple(campaign.id for page in scheduled for campaign in page.data),
            problems=(*told.problems.values(), *told.unwritten()),
        )


_MORE = "TopCalls may have more of one moment than it lists; look in the dashboard whether anything goes on."


class _Told:
    """What was found and done so far; names stand in order and once."""

    def __init__(self) -> None:
        self.paused: dict[str, None] = {}
        self.ended: dict[str, None] = {}
        self.ours: dict[str, None] = {}
        """Calls that the journal says are open."""
        self.left: dict[str, None] = {}
        self.tried: set[str] = set()
        """What earlier looks found and tried to stop."""
        self.unsure: dict[str, type[Brake]] = {}
        """What an attempt may have stopped, and how; the next look tells."""
        self.done: set[str] = set()
        """Where nothing is left to stop."""
        self.filed = self.marked = False
        """Whether a yes from before counts no more: by the file beside the journal, and by the journal."""
        self.look_anew()

    def look_anew(self) -> None:
        """Forget the look before: what is left is what the last one found."""
        self.tried.update(self.left)
        self.left = {}
        self.problems: dict[str, str] = {}
        self.wait = 0.0
        """Seconds that TopCalls asked us to wait."""
        self.blind = False
        """Whether this look could not see everything."""
        self.worked = False
        """Whether something that was found could be stopped, or had ended."""
        self.heard = False
        """Whether the journal could be read."""
        self.sending = False
        """Whether another process may just be dialling."""

    def anew(self, names: Iterable[str]) -> list[str]:
        """Names in the order in which they are stopped: those that were not tried yet come first."""
        return sorted(names, key=lambda name: name in self.tried)

    def failed(self, what: str, error: TopCallsError) -> None:
        """Note what did not work."""
        self.problems[what] = str(error)
        if isinstance(error, TooMany):
            self.wait = max(self.wait, error.wait_seconds or 0)

    def unwritten(self) -> tuple[str, ...]:
        """Who could not be told that a yes from before counts no more."""
        if self.marked:
            return ()
        if self.filed:
            return ("The journal could not be marked; other machines that share it may dial on an old yes.",)
        return (
            "It could not be written down that a yes from before counts no more; end the assistants that may "
            "still dial.",
        )


def _pause_campaigns(desk: Desk, told: _Told) -> Flow[None]:
    pages = yield from _pages(ListCampaigns(status="running", limit=200), desk, told)
    running = [campaign.id for page in pages for campaign in page.data]
    for name, kind in told.unsure.items():
        if kind is PauseCampaign and name not in running and not told.blind:
            told.paused[name] = None
    for name in told.anew(running):
        told.left[name] = None
        if (yield from _stopped(PauseCampaign, name, desk, told)):
            told.paused[name] = None


def _end_calls(desk: Desk, told: _Told, at: datetime) -> Flow[None]:
    pages = yield from _pages(ListCalls(limit=200), desk, told, lambda pages: _too_old(pages, at))
    listed = {call.id: call.status for page in pages for call in page.data}
    going = [name for name, status in listed.items() if status not in ENDED]
    unlisted = [name for name in told.ours if name not in listed and name not in told.done]
    told.ended.update(dict.fromkeys(name for name in told.unsure if listed.get(name) in ENDED))
    for name in told.anew([*going, *unlisted]):
        told.left[name] = None
        waits = listed.get(name) in ("pending", "queued")
        dropped = waits and (yield from _stopped(CancelCall, name, desk, told))
        if dropped or (yield from _stopped(StopCall, name, desk, told)):
            told.ended[name] = None


def _stopped(kind: type[Brake], name: str, desk: Desk, told: _Told) -> Flow[bool]:
    """Whether this stopped it. One that cannot be stopped keeps nobody from the next, and is given a call's
    whole time only after all have been tried."""
    desk.restart()
    if name not in told.tried:
        desk.deadline = desk.timer() + AT_FIRST
    try:
        done = yield from brake(kind.model_validate({kind.handles[-1]: name}), desk)
    except ValidationError:
        told.problems[name] = f"{name!r} is no id that TopCalls Tools can send; stop it in the dashboard."
        return False
    except NotFound:  # the journal holds calls of keys from before
        told.done.add(name)
        told.worked = True
        return False
    except TopCallsError as error:
        told.failed(name, error)
        if error.happened is None:
            told.unsure[name] = kind
        return False
    told.problems.pop(name, None)
    told.done.add(name)
    told.worked = True
    return done.ok


def _pages(
    first: Paged[Any], desk: Desk, told: _Told, enough: Callable[[list[Any]], bool] | None = None
) -> Flow[list[Any]]:
    """The pages of a list, until there are enough; what was read counts, even where the next page fails."""
    pages: list[Any] = []
    seen: set[str] = set()
    more: Paged[Any] | None = first
    while more:
        desk.restart()
        try:
            page = yield from read(more, desk)
        except TopCallsError as error:
            told.failed(first.tool, error)
            told.blind = True
            return pages
        pages.append(page)
        if enough and enough(pages):
            return pages
        fresh = page.fresh(seen, cut=more.passes_over(page))
        if fresh.cut:
            told.problems[first.tool] = _MORE
            told.blind = True
        elif not fresh.data:  # such a list goes in a circle
            return pages
        more = more.after(page)
    return pages


def _too_old(pages: list[Any], at: datetime) -> bool:
    """Whether calls after these have ended long ago; by TopCalls' clock where ours is ahead of it."""
    calls = (*pages[0].data, *pages[-1].data)
    times = [made for call in calls if (made := moment(call.created_at))]
    return bool(times) and times[-1] < min(at, times[0]) - GOES_BACK


def _noted(journal: Journal, desk: Desk, at: datetime, told: _Told) -> None:
    """Learn which dials the journal knows, and tell every machine that shares it, once."""
    for row in journal.open_dials(desk.account):
        if row.call_id:
            told.ours[row.call_id] = None
        told.sending |= row.state == "sending" and desk.clock() - row.leased_at <= LEASE
    told.heard = True
    if not told.marked:
        journal.stop_all(desk.account, at)
        told.marked = True
