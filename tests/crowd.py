"""Many followers in one process, driven by hand: their requests are real, and time passes when a test says so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from topcalls_tools import Client, FollowCall
from topcalls_tools.connect import Line
from topcalls_tools.deeds.follow_call import Following
from topcalls_tools.errors import TopCallsError
from topcalls_tools.flow import perform
from topcalls_tools.flow.steps import Flow, Keep, Send, Sleep, Tell
from topcalls_tools.wire import Request


@dataclass(eq=False)
class Follower:
    """Follows one call again and again, as assistants do, from where it had come to."""

    call_id: str
    wait_seconds: float = 25.0
    again: bool = True
    results: list[Following] = field(default_factory=list)
    lasted: list[float] = field(default_factory=list)
    notices: list[Tell] = field(default_factory=list)
    flow: Flow[Following] | None = None
    step: Any = None
    outcome: Any = None
    begun: float = 0.0
    wakes_at: float = 0.0

    @property
    def turns(self) -> list[int]:
        return [turn.turn for result in self.results for turn in result.turns]


class Crowd:
    """Followers on one line. A request is under way while the others go on, as in life."""

    def __init__(self, line: Line, moved: Callable[[float], None] = lambda seconds: None) -> None:
        self.now = 0.0
        self.line, self._moved = line, moved
        self.requests: list[Request] = []
        self.followers: list[Follower] = []
        self._pool = Client(line=line)._pool
        line.timer = lambda: self.now

    def join(self, call_id: str, **given: Any) -> Follower:
        follower = Follower(call_id, **given)
        self.followers.append(follower)
        return follower

    def leave(self, follower: Follower) -> None:
        """Its client goes away: what was under way is cut."""
        self.followers.remove(follower)
        if follower.flow:
            follower.flow.close()

    def run(self, seconds: float) -> None:
        """Let time pass. Whoever wakes goes on until it waits."""
        until = self.now + seconds
        while True:
            self.settle()
            woken = min((one.wakes_at for one in self.followers if one.flow), default=until)
            to = min(max(woken, self.now + 0.001), until)
            self._moved(to - self.now)
            self.now = to
            if to >= until:
                return

    def settle(self) -> None:
        """Carry out everything that needs no time."""
        busy = True
        while busy:
            busy = False
            for one in tuple(self.followers):
                busy = self._advance(one) or busy
            if not busy and (flying := [one for one in self.followers if isinstance(one.step, Send)]):
                self._answer(flying[0])
                busy = True

    def under_way(self) -> list[Follower]:
        """Those whose request is on the wire, once everybody has gone as far as it could."""
        while any([self._advance(one) for one in tuple(self.followers)]):
            pass
        return [one for one in self.followers if isinstance(one.step, Send)]

    def refusal(self, request: Request) -> TopCallsError | None:
        """What a request is answered instead of by the sandbox: nothing."""
        return None

    def _advance(self, one: Follower) -> bool:
        match one.step:
            case None if one.flow is None:
                if one.results and not one.again:
                    return False
                since = one.results[-1].next_turn if one.results else 1
                request = FollowCall(call_id=one.call_id, from_turn=since, wait_seconds=one.wait_seconds)
                one.flow, one.begun = perform(request, self.line.desk()), self.now
                self._go(one, lambda flow: next(flow))
            case Sleep(_, bell, rings) if self.now < one.wakes_at and not (bell and bell.rings > rings):
                return False
            case Send():
                return False
            case _:
                outcome = one.outcome
                self._go(one, lambda flow: flow.send(outcome))
        return True

    def _answer(self, one: Follower) -> None:
        self.requests.append(one.step.request)
        try:
            if refusal := self.refusal(one.step.request):
                raise refusal
            reply = self._pool.send(one.step.request, 10.0)
        except TopCallsError as error:
            wrong = error
            self._go(one, lambda flow: flow.throw(wrong))
        else:
            self._go(one, lambda flow: flow.send(reply))

    def _go(self, one: Follower, go: Callable[[Flow[Following]], Any]) -> None:
        assert one.flow is not None
        one.outcome = None
        try:
            one.step = go(one.flow)
        except StopIteration as end:
            one.results.append(end.value)
            one.lasted.append(self.now - one.begun)
            one.flow = one.step = None
            if end.value.completed or self.now == one.begun:
                one.again = one.again and not end.value.completed
                one.wakes_at = self.now
            return
        match one.step:
            case Sleep(seconds):
                one.wakes_at = self.now + seconds
            case Keep(work):
                try:
                    one.outcome = work()
                except TopCallsError as error:
                    wrong = error
                    self._go(one, lambda flow: flow.throw(wrong))
            case Tell():
                one.notices.append(one.step)
