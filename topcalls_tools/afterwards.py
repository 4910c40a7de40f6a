"""What follows from a webhook once it was answered: the call is read again, its books are closed, and whoever
waits for its end is told."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from .api.calls import Call, GetCall
from .api.transcript import shown_turn
from .errors import NotFound, Refused, TopCallsError
from .journal import deliveries
from .journal.called import called
from .journal.deliveries import Delivery
from .reconcile import bookkeeping, close_books

if TYPE_CHECKING:
    from .client import Client
    from .journal.store import Journal

TIDIES_EVERY = 60.0
"""Seconds between two looks for what a crash left open."""
PAUSES = (1.0, 2.0, 5.0, 15.0, 60.0)
"""Seconds until what could not be worked is tried again; the last one from then on."""
STRANGE_FOR = timedelta(minutes=2)
"""How long a call that the journal does not know may yet become ours: a webhook may be faster than the answer
to the dial."""
UNFINISHED_FOR = timedelta(minutes=10)
"""How long the summary and recording of a call that is over are waited for."""
GIVES_UP = timedelta(hours=1)
"""How long a call is waited for that is said to be over and is not, or cannot be read."""
_log = logging.getLogger(__name__)


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
        shown = request.shown(self.call, self.live)
        shown["turns"] = [turn.model_dump(mode="json", exclude_none=True) for turn in turns]
        if turns:
            shown["first_turn"] = turns[0].turn
        noted = {"noted": dict(self.noted)} if self.noted else {}
        return {"event": self.delivery.event, **shown, **noted}


class Afterwards:
    """Works what was kept, one after the other, in a thread: at least once each, also over a restart."""

    def __init__(
        self, client: Client, ended: Callable[[End], object] | None, say: Callable[[str], object]
    ) -> None:
        self._client, self._line = client, client.line
        self._ended, self._say = ended, say
        self._look, self._closing = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None
        self._tidied: float | None = None
        self._later: dict[str, tuple[int, float]] = {}
        """How often each was tried that could not be worked, and when it is tried next."""

    def begin(self) -> None:
        """Begin, with what an earlier process left. Raises Refused or Misconfigured where the journal cannot
        be opened."""
        self._journal()
        self._closing.clear()
        self._thread = threading.Thread(target=self._run, name="topcalls-afterwards", daemon=True)
        self._thread.start()

    def end(self) -> None:
        """End. What is being worked is finished where that takes no long time; the rest is kept."""
        self._closing.set()
        self._look.set()
        if self._thread:
            self._thread.join(timeout=10)

    def look(self) -> None:
        """Say that something new was kept. Returns at once."""
        self._look.set()

    def _run(self) -> None:
        while not self._closing.is_set():
            self._look.clear()
            try:
                self.work()
                self._tidy()
            except Exception as error:  # a store that fails today is no reason to work nothing tomorrow
                self._trouble(error)
            self._look.wait(self._pause())

    def _pause(self) -> float:
        """Seconds until there is something to do again."""
        now = self._line.timer()
        due = [at for _, at in self._later.values()] + [(self._tidied or now) + TIDIES_EVERY]
        return max(0.1, min(due) - now)

    def work(self) -> None:
        """Work each delivery that is due, once."""
        waiting = deliveries.unworked(self._journal(), self._line.account)
        self._later = {name: self._later[name] for one in waiting if (name := one.delivery) in self._later}
        for one in waiting:
            if self._closing.is_set():
                return
            tried, due = self._later.get(one.delivery, (0, 0.0))
            if tried and due > self._line.timer():
                continue
            if self._worked(one, first=tried == 0):
                deliveries.worked(self._journal(), one, self._line.clock())
                self._later.pop(one.delivery, None)
            else:
                pause = PAUSES[min(tried, len(PAUSES) - 1)]
                self._later[one.delivery] = tried + 1, self._line.timer() + pause

    def _worked(self, one: Delivery, *, first: bool) -> bool:
        """Do what follows from one delivery; whether that is done, or never can be."""
        age = self._line.clock() - one.at
        if not one.ours or one.call_id is None:
            return age > STRANGE_FOR
        try:
            call = self._client.send(GetCall(call_id=one.call_id))
            if not call.ended or (call.completed is False and age < UNFINISHED_FOR):
                return age > GIVES_UP
            self._client.run(close_books(self._line.desk(), one.call_id))
        except (NotFound, ValidationError):
            self._say(f"TopCalls told of the call {one.call_id} and does not know it; nothing follows.")
            return True
        except TopCallsError as error:
            if first or age > GIVES_UP:
                left = "nothing follows" if age > GIVES_UP else "it is tried again"
                self._say(f"The call {one.call_id} has ended and cannot be read, so {left}: {error}")
            return age > GIVES_UP
        self._tell(one, call)
        return True

    def _tell(self, one: Delivery, call: Call) -> None:
        """Tell of an end, once: several deliveries may tell of one."""
        others = deliveries.of_call(self._journal(), one.account, call.id)
        if self._ended is None or any(known.ends and known.worked_at for known in others):
            return
        noted = called(self._journal(), one.account, call.id).closed
        try:
            self._ended(End(one, call, self._line.live, noted))
        except Exception as error:  # whatever the owner's own code does, the next call's end is told too
            self._say(f"What should follow the end of {call.id} failed ({type(error).__name__}: {error}).")

    def _tidy(self) -> None:
        """What is done before each dial is done here too, so that it does not wait for the next one."""
        now = self._line.timer()
        if self._tidied is None or now - self._tidied >= TIDIES_EVERY:
            self._tidied = now
            self._client.run(bookkeeping(self._line.desk()))

    def _journal(self) -> Journal:
        return self._line.desk().journal()

    def _trouble(self, error: Exception) -> None:
        with suppress(Exception):  # who is told must not end it either
            if isinstance(error, TopCallsError):
                said = error.sentence if isinstance(error, Refused) else str(error)
                self._say(f"What was kept cannot be worked just now, and is tried again: {said}")
            else:
                _log.exception("What webhooks told could not be worked")
