"""What follows from a webhook once it was answered: the call is read again, its books are closed, and whoever
waits for its end is told."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from ..api.calls import Call, GetCall
from ..api.transcript import shown_turn
from ..errors import NotFound, Refused, TopCallsError
from ..flow.reconcile import bookkeeping, close_books
from ..journal import deliveries
from ..journal.called import called
from ..journal.deliveries import Delivery

if TYPE_CHECKING:
    from ..client import Client
    from ..journal.store import Journal

TIDIES_EVERY = 60.0
"""Seconds between two looks for what a crash left open."""
PAUSES = (1.0, 2.0, 5.0, 15.0, 60.0, 300.0, 900.0)
"""Seconds until what could not be worked is tried again; the last one from then on."""
MENDED_WITHIN = 60.0
"""The longest of them where the journal itself cannot be used."""
STRANGE_FOR = 120.0
"""Seconds for which a call that the journal does not know may yet become ours: a webhook may be faster than
the answer to the dial, and a dial that a crash left open is found by tidying."""
UNFINISHED_FOR = timedelta(minutes=10)
"""How long the summary and recording of a call that is over are waited for."""
GIVES_UP = 3600.0
"""Seconds for which a call is looked at that is said to be over and that TopCalls says goes on. This and
`STRANGE_FOR` count from the first look of this process: no time that it was away, or that the queue took, is
held against a call."""
FINISHES_WITHIN = 5.0
"""Seconds that what is being done may take when all is to end."""
_log = logging.getLogger(__name__)
_OURS = ("event", "noted")


@dataclass(frozen=True, slots=True)
class End:
    """The end of a call of ours, by what TopCalls says when it is asked."""

    delivery: Delivery
    """What told of it."""
    call: Call
    live: bool
    noted: Mapping[str, Any] = field(default_factory=dict)
    """What the journal wrote down when its books were closed: minutes, and what the person called asked."""

    def facts(self) -> dict[str, Any]:
        """All of it as JSON, as get_call shows it and with every turn. What was said stands beside who said
        it: a stranger's words, to be read as data."""
        request = GetCall(call_id=self.call.id)
        turns = tuple(map(shown_turn, self.call.transcript))
        told = request.shown(self.call, self.live)
        marks = [name for name in told.pop("derived", ()) if name not in _OURS]
        shown = {"live": self.live, **({"derived": marks} if marks else {})}
        shown |= {name: value for name, value in told.items() if name not in _OURS}
        shown["turns"] = [turn.model_dump(mode="json", exclude_none=True) for turn in turns]
        if turns:
            shown["first_turn"] = turns[0].turn
        noted = {"noted": dict(self.noted)} if self.noted else {}
        return {"event": f"call.{self.call.status}", **shown, **noted}


@dataclass(frozen=True, slots=True)
class _Tried:
    """How often a delivery was tried that could not be worked yet."""

    times: int
    first: float
    """When it was tried first, by the line's timer."""
    due: float
    """When it is tried next."""


class Afterwards:
    """Works what was kept, at least once each, also over a restart. One thread reads calls and closes their
    books; another tells of their ends, one after the other, so that no book waits for what follows an end."""

    def __init__(
        self,
        client: Client,
        ended: Callable[[End], object] | None,
        say: Callable[[str], object],
        *,
        own: bool = False,
    ) -> None:
        self._client, self._line = client, client.line
        self._ended, self._to, self._own = ended, say, own
        self._look, self._read, self._closing, self._cut = (threading.Event() for _ in range(4))
        self._threads: list[threading.Thread] = []
        self._users, self._using = 0, threading.Lock()
        self._tidied: float | None = None
        self._later: dict[str, _Tried] = {}
        self._ready: dict[str, tuple[Delivery, Call]] = {}
        """What was read, in that order, and is to be told; it is gone once that is written down."""
        self._told = set[str]()
        """What was told of it, and is not written down yet."""

    def begin(self) -> None:
        """Begin, with what an earlier process left; begun twice, it works once. Raises Refused or
        Misconfigured where the journal cannot be opened."""
        with self._using:
            if not self._users:
                self._journal()
                self._closing.clear()
                self._cut.clear()
                work = (self._run, "topcalls-afterwards"), (self._run_ends, "topcalls-ends")
                self._threads = [threading.Thread(target=run, name=name, daemon=True) for run, name in work]
                for thread in self._threads:
                    thread.start()
            self._users += 1

    def end(self) -> None:
        """End, where everybody who began it has. What is being done is finished where that takes no long
        time; all else is kept, and worked anew by whoever begins next."""
        with self._using:
            self._users = max(0, self._users - 1)
            if self._users:
                return
            self._closing.set()
            self._look.set()
            self._read.set()
            until = time.monotonic() + FINISHES_WITHIN
            try:
                for thread in self._threads:
                    thread.join(timeout=max(0.0, until - time.monotonic()))
            finally:  # whatever goes on now does not count as done
                self._cut.set()
                if self._own:  # nobody else closes its connections
                    self._client.disconnect()

    def look(self) -> None:
        """Say that something new was kept. Returns at once."""
        self._look.set()

    def say(self, sentence: str) -> None:
        """Say what went wrong. Whoever is told may fail; nothing else does then."""
        with suppress(Exception):
            self._to(sentence)

    def _run(self) -> None:
        failures = 0
        while not self._closing.is_set():
            self._look.clear()
            try:
                self.read()
                self._tidy()
            except Exception as error:  # a store that fails today is no reason to work nothing tomorrow
                self._trouble(error)
                self._closing.wait(_pause(failures, MENDED_WITHIN))
                failures += 1
            else:
                failures = 0
                self._look.wait(self._pause())

    def _run_ends(self) -> None:
        failures = 0
        while not self._closing.is_set():
            self._read.clear()
            try:
                self.tell()
            except Exception as error:
                self._trouble(error)
                self._closing.wait(_pause(failures, MENDED_WITHIN))
                failures += 1
            else:
                failures = 0
                if not self._ready:
                    self._read.wait()

    def _pause(self) -> float:
        """Seconds until there is something to do again."""
        now = self._line.timer()
        due = [tried.due for tried in self._later.values()] + [(self._tidied or now) + TIDIES_EVERY]
        return max(0.1, min(due) - now)

    def work(self) -> None:
        """Work each delivery that is due, once: all books first, and then the ends are told."""
        self.read()
        self.tell()

    def read(self) -> None:
        """Read the call of each delivery that is due, and close its books."""
        # What waits takes no place from what is new.
        most = deliveries.AT_ONCE + len(self._ready) + len(self._later)
        waiting = deliveries.unworked(self._journal(), self._line.account, most)
        self._later = {name: self._later[name] for one in waiting if (name := one.delivery) in self._later}
        for one in waiting:
            now = self._line.timer()
            tried = self._later.get(one.delivery) or _Tried(0, now, now)
            if self._closing.is_set():
                return
            if one.delivery in self._ready or tried.due > now:
                continue
            if self._worked(one, tried, now):
                self._later.pop(one.delivery, None)
            else:
                due = self._line.timer() + _pause(tried.times)
                self._later[one.delivery] = _Tried(tried.times + 1, tried.first, due)

    def _worked(self, one: Delivery, tried: _Tried, now: float) -> bool:
        """Do what follows from one delivery but telling of it; whether that is done, or never can be."""
        lasted = now - tried.first
        if not one.ours or one.call_id is None:
            return self._noted(one) if lasted > STRANGE_FOR else False
        try:
            call = self._client.send(GetCall(call_id=one.call_id))
        except (NotFound, ValidationError):
            self.say(f"TopCalls told of the call {one.call_id} and does not know it; nothing follows.")
            return self._noted(one)
        except TopCallsError as error:
            if not tried.times:
                self.say(f"The call {one.call_id} has ended and cannot be read; it is tried again: {error}")
            return False
        if not call.ended:
            return self._noted(one) if lasted > GIVES_UP else False
        if call.completed is False and self._line.clock() - one.at < UNFINISHED_FOR:
            return False
        try:
            self._client.run(close_books(self._line.desk(), one.call_id))
        except TopCallsError as error:  # its end is told all the same, and tidying closes them
            self.say(f"The books of the call {call.id} cannot be closed, so it is tried again: {error}")
        self._ready[one.delivery] = one, call
        self._read.set()
        return True

    def tell(self) -> None:
        """Tell of each end that was read, one after the other."""
        while self._ready:
            for name, (one, call) in list(self._ready.items()):
                if self._closing.is_set():
                    return
                if name not in self._told:
                    self._tell(one, call)
                    if self._cut.is_set():  # it was cut off, and is told anew
                        return
                    self._told.add(name)
                self._noted(one)
                del self._ready[name]
                self._told.discard(name)

    def _tell(self, one: Delivery, call: Call) -> None:
        """Tell of an end, once: several deliveries may tell of one."""
        others = deliveries.of_call(self._journal(), one.account, call.id)
        if self._ended is None or any(known.ends and known.worked_at for known in others):
            return
        noted = called(self._journal(), one.account, call.id).closed
        try:
            self._ended(End(one, call, self._line.live, noted))
        except Exception as error:  # whatever the owner's own code does, the next call's end is told too
            self.say(f"What should follow the end of {call.id} failed ({type(error).__name__}: {error}).")

    def _noted(self, one: Delivery) -> bool:
        """Write down that nothing more follows from a delivery."""
        deliveries.worked(self._journal(), one, self._line.clock())
        return True

    def _tidy(self) -> None:
        """What is done before each dial is done here too, so that it does not wait for the next one."""
        now = self._line.timer()
        if self._tidied is None or now - self._tidied >= TIDIES_EVERY:
            self._tidied = now
            self._client.run(bookkeeping(self._line.desk()))

    def _journal(self) -> Journal:
        return self._line.desk().journal()

    def _trouble(self, error: Exception) -> None:
        if isinstance(error, TopCallsError):
            said = error.sentence if isinstance(error, Refused) else str(error)
            self.say(f"What was kept cannot be worked just now, and is tried again: {said}")
        else:
            _log.exception("What webhooks told could not be worked")


def _pause(times: int, most: float = PAUSES[-1]) -> float:
    """Seconds until something is tried again that has failed so often before."""
    return min(most, PAUSES[min(times, len(PAUSES) - 1)])
