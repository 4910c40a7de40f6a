"""Waiting for news of a call: by looks that all waiters share, webhooks that the journal knows of, and a
bell."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime

from ..api.calls import Call, CallInList, GetCall
from ..errors import APIError, TopCallsError, Unauthorized, Unreachable
from ..flow.steps import GLANCE, ONE_ATTEMPT, Desk, Flow, Keep, Send, Sleep, Tell, read
from ..following.sights import Sight
from ..following.watching import Look

TELLS_EVERY = 5.0
"""Seconds between two notices while nothing changes."""
LATE = 1.0
"""Seconds before the deadline at which even a look that is due is given up."""
OVER = "The call is over, and its summary is awaited."
STANDS = {
    "pending": "The call waits to be dialled",
    "queued": "The call waits to be dialled",
    "in_progress": "The call is in progress",
}


@dataclass(slots=True)
class Wait:
    """One wait, and what was told of it so far."""

    desk: Desk
    seconds: float
    begun: float = field(init=False)
    _told: tuple[float, str] = (float("-inf"), "")

    def __post_init__(self) -> None:
        self.begun = self.desk.timer()

    def notice(self, call: Call, now: float) -> Flow[None]:
        """Tell where the call stands, where that is news or was not told for a while."""
        turns, elapsed = len(call.transcript), now - self.begun
        said = f", {turns} turn{'s' if turns > 1 else ''} so far" if turns else ""
        words = OVER if call.ended else f"{STANDS.get(str(call.status), 'The call goes on')}{said}."
        at, before = self._told
        if now > at and (words != before or now - at >= TELLS_EVERY):
            self._told = now, words
            yield Tell(min(elapsed, self.seconds), self.seconds, words)


def awaited(call_id: str, wait: Wait, news: Callable[[Sight, Call], bool]) -> Flow[Sight]:
    """Look at a call until there is `news` against its first sight, or the time is up.

    Every waiter on the line waits so: one makes the request that is due, the others hear of it. Raises what
    went wrong where nothing is known of the call, or nothing that is still true.
    """
    desk, first = wait.desk, None
    watch, until = desk.watch, wait.begun + wait.seconds
    with watch.joined(call_id, wait.begun) as sight:
        while True:
            rings, now = desk.bell.rings, desk.timer()
            fresh = watch.fresh(sight, wait.begun, now)
            if fresh and sight.call is not None:
                first = first or sight.call
                if now >= until or news(sight, first):
                    return sight
            if sight.wrong:
                raise sight.wrong
            match watch.turn(sight, now):
                case Look() as look:
                    yield from _looked(look, desk)
                case None:
                    yield from _noted(desk)
                case seconds:
                    end = until if fresh else desk.deadline - LATE
                    if sight.call is not None:
                        end = min(end, until + GLANCE)
                    if now >= end:
                        break
                    if sight.call is not None:
                        yield from wait.notice(sight.call, now)
                    yield Sleep(min(seconds, end - now), desk.bell, rings)
        if sight.call is None or watch.trouble:
            raise watch.trouble or Unreachable(
                "What became of the call could not be read in time; follow it again, or look with get_call."
            )
        return sight


def _looked(look: Look, desk: Desk) -> Flow[None]:
    """Make a request for all who wait. One that fails in passing is made again in its time, by anybody, and
    what TopCalls refuses ends nobody's wait but for that call; only a key that it refuses is everybody's."""
    found: Iterable[Call | CallInList]
    try:
        if look.first and isinstance(look.request, GetCall):
            found = ((yield from read(look.request, desk)),)
        elif isinstance(look.request, GetCall):
            found = (look.request.reply((yield _once(look, desk))),)
        else:
            found = look.request.reply((yield _once(look, desk))).data
        desk.watch.landed(look, found)
    except (APIError, Unreachable) as error:
        if look.first:
            raise
        desk.watch.failed(look, error, desk.timer())
        if isinstance(error, Unauthorized):
            raise
    finally:  # whoever is cancelled here leaves the turn to another
        desk.watch.released(look)


def _once(look: Look, desk: Desk) -> Send:
    return Send(look.request.request(), max(0.1, min(ONE_ATTEMPT, desk.left())))


def _noted(desk: Desk) -> Flow[None]:
    """Ask the journal what webhooks have told. Where it cannot be read, polling goes on without."""
    since = desk.watch.told_since(desk.clock())
    try:
        told = yield Keep(lambda: _deliveries(desk, since))
    except TopCallsError:
        desk.watch.unnoted(desk.timer())
    else:
        desk.watch.noted(told, desk.timer())


def _deliveries(desk: Desk, since: datetime) -> dict[str, datetime]:
    if not desk.noted():
        return {}
    from ..journal.deliveries import told  # who has no journal needs no store

    return told(desk.journal(), desk.account, since)
