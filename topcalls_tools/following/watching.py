"""One look for all who wait: every follower of a line shares what one list request tells of their calls."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from ..api.calls import Call, CallInList, GetCall, ListCalls
from ..errors import APIError, Broken, TooMany, TopCallsError, Unreachable
from ..wire import just_after
from .bell import Bell
from .sights import LOST, Sight

SLOWEST = 5.0
"""Seconds between two looks while nothing changes."""
PAGE = 200
"""Calls that one list request tells of, at most."""
FEW = 3
"""New calls that are read singly within one interval; more are found in the list, or by looks in turn."""
HURRY = 1.0
"""Seconds between two looks that webhooks cause."""
NOTED_EVERY = 0.25
"""Seconds between two looks at the journal, once a webhook has told of a call that is waited for."""
UNREADABLE = 60.0
"""Seconds for which a journal is left alone that could not be read."""
SLACK = 3
"""Rows of a page that is to show one call: others of the same moment may stand before it."""
REMEMBERED = 120.0
"""Seconds for which a call is remembered that nobody waits for."""
UNPAGED = 60.0
"""Seconds for which calls are read singly, one at a look, once TopCalls refused a page of the list."""
TOLD_FOR = timedelta(hours=2)
"""How old a delivery may be that still counts; no call lasts longer."""


@dataclass(frozen=True, slots=True)
class Look:
    """A request that one waiter makes for all, and when it was its turn."""

    request: GetCall | ListCalls
    begun: float
    first: bool = False
    """Whether a call is read of which nothing is known yet."""
    anchor: str | None = None
    """The newest call that it should show; None where it asks for the newest of all."""
    wanted: frozenset[str] = frozenset()
    """The calls for which it is made."""


@dataclass(slots=True)
class _Span:
    """How long a page must be that begins with a call and shows all that were wanted with it."""

    anchor: str | None = None
    wanted: frozenset[str] = frozenset()
    rows: int = 0


class Watch:
    """What is known of the calls that are followed, and whose turn it is to look.

    Shared by all threads and event loops of a line. It makes no request and starts nothing: a waiter that
    leaves takes with it all that it caused.
    """

    def __init__(self, bell: Bell, pace: float, page: int = PAGE) -> None:
        """`pace` is the least number of seconds between two looks, `page` the most rows of one."""
        self._bell, self.pace, self._interval, self._page = bell, pace, pace, page
        self._lock = threading.Lock()
        self._sights: dict[str, Sight] = {}
        self._looking: Look | None = None
        self._next_at = self._held_until = self._hurried_at = self._noted_at = float("-inf")
        self._round_at = self._listed_at = self._unpaged_until = float("-inf")
        self._own_rings = self._foreign_rings = 0
        self._reads: list[float] = []
        self._span = _Span()
        self._onward: str | None = None  # where the list of the newest is read on
        self._searched = self._by_page = False
        self._told: dict[str, tuple[datetime, float]] = {}
        self.trouble: TopCallsError | None = None
        """Why the last look told nothing, where it did not."""

    @property
    def waiters(self) -> int:
        """How many wait now."""
        return sum(sight.waiters for sight in self._sights.values())

    @contextmanager
    def joined(self, call_id: str, now: float) -> Iterator[Sight]:
        """Wait for news of a call."""
        with self._lock:
            sight = self._sights.setdefault(call_id, Sight(call_id))
            sight.wrong = sight.wrong if sight.waiters else None
            sight.waiters, sight.asked_at = sight.waiters + 1, now
        try:
            yield sight
        finally:
            with self._lock:
                sight.waiters -= 1

    def fresh(self, sight: Sight, since: float, now: float) -> bool:
        """Whether what is known needs no other look: seen since then, or no look is due again."""
        if sight.call is None or sight.final:
            return sight.final
        good_until = max(sight.at + self._interval, sight.rests_until)
        return not self._told_since(sight) and (sight.at >= since or now < good_until)

    def turn(self, sight: Sight, now: float) -> Look | float | None:
        """What a waiter does next: make a request for all, wait so many seconds, or (None) see what the
        journal says of webhooks."""
        with self._lock:
            noted_in = self._noted_in(now)
            if noted_in <= 0:
                self._noted_at, self._foreign_rings = now, self._bell.rings - self._own_rings
                return None
            if now < self._held_until:
                return min(noted_in, self._held_until - now)
            first = sight.call is None and not sight.skipped and self._may_read(now)
            if (first or sight.ripe(now)) and not sight.being_read(now):
                sight.reading_at = now
                if first:
                    self._reads.append(now)
                return Look(GetCall(call_id=sight.call_id), now, first)
            if self._looking and now - self._looking.begun < LOST:
                return min(noted_in, self._looking.begun + LOST - now)
            due = {one.call_id: self._due(one) for one in self._sights.values() if one.waits(now)}
            soonest = min(due.values(), default=now + LOST)
            if soonest > now:
                return min(noted_in, soonest - now)
            self._looking = self._list([self._sights[name] for name, at in due.items() if at <= now], now)
            return self._looking

    def landed(self, look: Look, found: Iterable[Call | CallInList]) -> None:
        """What a look told."""
        with self._lock:
            self.trouble, changed, rows = None, False, list(found)
            for row in rows:
                sight = self._sights.setdefault(row.id, Sight(row.id))
                news = sight.see(row, look.begun, self.pace, told=row.id in self._told)
                changed = changed or (news and (sight.waiters > 0 or row.id in look.wanted))
            if isinstance(look.request, ListCalls):
                self._covered(look, look.request, rows)
            if changed:
                self._interval = self.pace
            elif look is self._looking:
                self._interval = min(self._interval * 2, SLOWEST)
            if changed or look is self._looking:
                self._next_at = look.begun + self._interval
            self._forget(look.begun)

    def failed(self, look: Look, error: TopCallsError, now: float) -> None:
        """A look that told nothing; the next one has time. What TopCalls refuses concerns the call that was
        read, and no other; a page that it refuses is not asked for again for a while."""
        with self._lock:
            match look.request:
                case _ if isinstance(error, TooMany | Broken | Unreachable):
                    asked = error.wait_seconds if isinstance(error, APIError) else None
                    self.trouble, self._interval = error, min(max(self._interval, self.pace) * 2, SLOWEST)
                    self._next_at = self._held_until = now + max(self._interval, asked or 0)
                case GetCall(call_id=call_id):
                    self._next_at = max(self._next_at, now + self._interval)
                    if sight := self._sights.get(call_id):
                        sight.wrong = error
                case ListCalls(cursor=None):
                    self._next_at = max(self._next_at, now + self._interval)
                    self._skip(look)
                case _:
                    self._unpaged_until, self._onward = now + UNPAGED, None

    def released(self, look: Look) -> None:
        """Whoever made a look has come back, or left: the next may take its turn."""
        with self._lock:
            if look is self._looking:
                self._looking = None
            if isinstance(look.request, GetCall) and (sight := self._sights.get(look.request.call_id)):
                sight.reading_at = float("-inf")
            self._ring()

    def noted(self, told: Mapping[str, datetime], now: float) -> None:
        """What the journal says of webhooks: when the last one of each call came."""
        with self._lock:
            news = {name: (at, now) for name, at in told.items() if self._told.get(name, (None,))[0] != at}
            self._told |= news
            if any(name in self._sights for name in news):
                self._ring()

    def unnoted(self, now: float) -> None:
        """The journal cannot be read; there is time until it is tried again."""
        with self._lock:
            self._noted_at = now + UNREADABLE

    def told_since(self, clock: datetime) -> datetime:
        """From when on deliveries matter that are not known yet."""
        with self._lock:
            last = max((at for at, _ in self._told.values()), default=None)
            oldest = clock - TOLD_FOR
            self._told = {name: told for name, told in self._told.items() if told[0] >= oldest}
        return max(last - timedelta(seconds=10), oldest) if last else oldest

    def _told_since(self, sight: Sight) -> bool:
        told = self._told.get(sight.call_id)
        return told is not None and told[1] > sight.at

    def _noted_in(self, now: float) -> float:
        """Seconds until the journal is looked at: at once when a bell rang that was not ours."""
        if self._bell.rings - self._own_rings > self._foreign_rings:
            return 0.0
        told = any(one.waiters and not one.final for one in map(self._sights.get, self._told) if one)
        return self._noted_at + (NOTED_EVERY if told else self._interval) - now

    def _may_read(self, now: float) -> bool:
        """Whether one more new call is read singly: a few at a time."""
        self._reads = [at for at in self._reads if now - at < SLOWEST]
        return len(self._reads) < FEW

    def _due(self, sight: Sight) -> float:
        """When a look is due that shows this call."""
        if sight.call is None and not sight.skipped:
            return self._listed_at + self._interval
        if self._told_since(sight):
            return self._hurried_at + HURRY
        return max(self._next_at, sight.rests_until)

    def _list(self, due: list[Sight], now: float) -> Look:
        """The request that shows most of what is due; where one page cannot show all, pages take turns."""
        if any(self._told_since(sight) for sight in due):
            self._hurried_at = now
        skipped = [sight for sight in due if sight.skipped]
        known = [sight for sight in due if not sight.skipped]
        self._searched = bool(skipped) and not (self._searched and known)
        if self._searched:
            return self._search(skipped, now)
        self._onward = self._onward if skipped else None
        left = [sight for sight in known if sight.at < self._round_at]
        if not left:
            self._round_at, left = now, known
        wanted = self._wanted(now)
        if any(sight.call is None for sight in left):
            self._listed_at = now
            return Look(ListCalls(limit=self._page), now, wanted=wanted)
        newest = max(left, key=lambda sight: sight.created_at)
        cursor = just_after(newest.call.created_at if newest.call else None)
        if cursor is None or newest.unlisted or now < self._unpaged_until:
            return Look(GetCall(call_id=newest.call_id), now, anchor=newest.call_id)
        exact = self._span.anchor == newest.call_id and wanted <= self._span.wanted
        limit = self._span.rows if exact else self._page if len(wanted) > 1 else SLACK
        return Look(ListCalls(limit=limit, cursor=cursor), now, anchor=newest.call_id, wanted=wanted)

    def _search(self, skipped: list[Sight], now: float) -> Look:
        """Every second request is for calls older than the list of the newest: that list is read on, and in
        turn with it who has waited longest is read singly."""
        self._by_page = self._onward is not None and not self._by_page
        if self._by_page:
            request = ListCalls(limit=self._page, cursor=self._onward)
            return Look(request, now, wanted=self._wanted(now))
        longest = min(skipped, key=lambda sight: sight.asked_at).call_id
        return Look(GetCall(call_id=longest), now, anchor=longest)

    def _wanted(self, now: float) -> frozenset[str]:
        return frozenset(name for name, one in self._sights.items() if one.matters(now, REMEMBERED))

    def _covered(self, look: Look, request: ListCalls, rows: list[Call | CallInList]) -> None:
        """Note what a page has and has not shown."""
        limit, shown = request.limit, [row.id for row in rows]
        if look.anchor is None:
            if request.cursor is None:
                self._skip(look)
            if request.cursor == self._onward:  # else it is read on elsewhere already
                after = just_after(rows[-1].created_at) if len(rows) == limit else None
                self._onward = after if after != request.cursor else None
        elif look.anchor in shown:
            last = max(at for at, name in enumerate(shown) if name == look.anchor or name in look.wanted)
            self._span = _Span(look.anchor, look.wanted, last + 1)
        elif limit == self._page and look.anchor in self._sights:
            self._sights[look.anchor].unlisted = True
        else:
            self._span = _Span(look.anchor, look.wanted, self._page)

    def _skip(self, look: Look) -> None:
        """Note of which calls the list of the newest told nothing."""
        for sight in self._sights.values():
            sight.skipped = sight.skipped or (sight.call is None and sight.asked_at <= look.begun)

    def _forget(self, now: float) -> None:
        for name, sight in tuple(self._sights.items()):
            if not sight.waiters and sight.idle(now) > REMEMBERED:
                del self._sights[name]

    def _ring(self) -> None:
        self._own_rings += 1
        self._bell.ring()
