"""What is known of one call that is followed, wherever it was told."""

from __future__ import annotations

from dataclasses import dataclass

from ..api.calls import Call, CallInList
from ..errors import TopCallsError

RESTS = 60.0
"""Seconds between two looks at a call that webhooks tell of, while nothing changes."""
WRITING = 30.0
"""Seconds after which the end is read, whether or not the list shows summary or recording; TopCalls takes
about 15 for them."""
LOST = 30.0
"""Seconds after which a request that has not come back is nobody's any more."""
READS = 2
"""Single reads in the life of a call that the list shows."""
NEVER = float("-inf")


@dataclass(slots=True)
class Sight:
    """What is known of one call. Times are seconds of the line's timer."""

    call_id: str
    call: Call | None = None
    at: float = NEVER
    """When the request left that told it."""
    waiters: int = 0
    asked_at: float = NEVER
    """When somebody last came to wait for it."""
    reading_at: float = NEVER
    """When the single read left that is under way."""
    final: bool = False
    """Whether it is over and complete: nothing about it will change."""
    skipped: bool = False
    """Whether the list was asked and did not show it, while nothing is known of it."""
    unlisted: bool = False
    """Whether the list does not show it where it should."""
    wrong: TopCallsError | None = None
    """What TopCalls said when it was read, where it refuses to tell of it."""
    rests_until: float = NEVER
    _rest: float = 0.0
    _reads: int = 0
    _end_reads: int = 0
    _over_at: float = NEVER
    _saw_it_run: bool = False

    @property
    def created_at(self) -> str:
        """When the call was placed; empty where that is not known."""
        return (self.call.created_at if self.call else None) or ""

    def waits(self, now: float) -> bool:
        """Whether somebody waits for what a look for all would tell of it."""
        first = self.call is None and self.being_read(now)
        return self.waiters > 0 and not (self.final or first or self.ripe(now))

    def being_read(self, now: float) -> bool:
        """Whether somebody reads it singly just now."""
        return now - self.reading_at < LOST

    def matters(self, now: float, lately: float) -> bool:
        """Whether somebody waits for it, or did lately and may come back."""
        return not self.final and (self.waiters > 0 or now - self.asked_at < lately)

    def idle(self, now: float) -> float:
        """Seconds since anybody asked for it, or it was seen."""
        return now - max(self.asked_at, self.at)

    def ripe(self, now: float) -> bool:
        """Whether it has ended and a single read may tell the rest: `completed` is in no list."""
        if self.call is None or not self.call.ended or self.final or self._reads >= READS or self.unlisted:
            return False
        if self._end_reads == 0 and (self.call.started_at is None or not self._saw_it_run):
            return True
        written = self.call.call_summary is not None or self.call.recording_url is not None
        return written or now - self._over_at >= WRITING

    def see(self, row: Call | CallInList, at: float, pace: float, *, told: bool) -> bool:
        """Take in what a request that left then told; whether that is news. `told` says that webhooks tell of
        the call too, so that it may rest."""
        single = isinstance(row, Call)
        if single:
            self._reads += 1
        if at < self.at:
            return False
        before, self.at = _mark(self.call), at
        self.call, self.skipped = row if isinstance(row, Call) else _whole(row, self.call), False
        self._saw_it_run = self._saw_it_run or not self.call.ended
        if self.call.ended:
            self._end_reads += single
            self._over_at = at if self._over_at == NEVER else self._over_at
            self.final = self.final or self._complete(single)
        news = _mark(self.call) != before
        if told:
            self._rest = pace if news else min(max(self._rest, pace) * 2, RESTS)
            self.rests_until = at + self._rest
        return news

    def _complete(self, single: bool) -> bool:
        """Whether a call that is over is known to be complete: by TopCalls' word, which a single read tells,
        or by what was written. Where it gives no such word, time tells too."""
        call = self.call
        if call is None or (single and call.completed is not None):
            return call is not None and bool(call.completed)
        written = call.call_summary is not None and call.recording_url is not None
        silent = call.completed is None and (call.started_at is None or self.at - self._over_at >= WRITING)
        return self._end_reads > 0 and (written or silent)


def _whole(row: CallInList, known: Call | None) -> Call:
    """A row of the list as a call, with what only a single read tells."""
    return Call.model_validate({**dict(known or ()), **dict(row)})


def _mark(call: Call | None) -> tuple[object, ...]:
    """What is news when it is another."""
    if call is None:
        return ()
    written = call.call_summary is not None, call.recording_url is not None
    return call.status, call.call_status, call.completed, len(call.transcript), written
