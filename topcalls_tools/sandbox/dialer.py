"""Carries campaigns on: they dial by the clock, and what happens is the same however often one looks.

Everything happens at its own instant, in order of time, whenever it is worked out: a week that nobody watched
is made up for at the next request. What is worked out at once stays in memory and is written at the end.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from heapq import heapify, heappop, heappush, heapreplace

from . import calls, events, ledger
from .caller import Caller, Fresh, Scene
from .campaigns import COUNTED, became
from .numbers import ready
from .plans import Plan
from .queue import Queue
from .script import Ended, Script, closed
from .store import Book, Row

AT_ONCE = 2000
"""Wakings that one transaction works out at most, so that others get their turn."""
RETRIED = frozenset({"busy", "no-answer", "failed", "dispatch_timeout"})
"""Outcomes after which a contact is tried again."""
_NEVER = 2**62


def carry_on(book: Book, scene: Scene, until: int, most: int = AT_ONCE) -> bool:
    """Let the campaigns of every account go on to an instant; tell whether all is worked out."""
    due = book.rows("campaigns", ("wakes_at", "<=", until), order="created_at id")
    leads: dict[str, Row] = {}
    runs = [_Run(row, book, leads) for row in due]
    agenda = [(run.row["wakes_at"], place) for place, run in enumerate(runs)]
    heapify(agenda)
    desks: dict[str, _Desk] = {}
    for _ in range(most):
        if not agenda or agenda[0][0] > until:
            break
        at, place = agenda[0]
        account = runs[place].row["account_id"]
        if account not in desks:
            desks[account] = _Desk(Caller(account, at, scene, book))
        runs[place].wake(desks[account].at(at))
        wakes_at = runs[place].row["wakes_at"]
        heapreplace(agenda, (wakes_at, place)) if wakes_at is not None else heappop(agenda)
    for run in runs:
        run.write()
    for desk in desks.values():
        desk.write()
    return not agenda or agenda[0][0] > until


class _Desk:
    """One account while its campaigns go on: the instant, its minutes, and the calls placed meanwhile."""

    def __init__(self, caller: Caller) -> None:
        self.caller = caller
        self.purse = ledger.Purse(caller)
        self.subscribed = events.subscribed(caller)
        self._ready = ready(caller)
        self._placed: list[Row] = []
        self._kind = caller.kind("call")
        self._made, self._last = caller.book.made(self._kind)

    def at(self, now: int) -> _Desk:
        """The same desk at a later instant, and never before what is billed."""
        self.caller = replace(self.caller, now=self.purse.go(now))
        return self

    def place(self, run: _Run, contact: Row) -> Row:
        """Call a contact. A campaign whose own number is gone fails its dials (contract A92)."""
        self._made, self._last = self._made + 1, max(self.caller.now, self._last + 1)
        fresh = Fresh(self.caller.identity(f"{self._kind}:{self._made}"), self._made, self._last)
        lead = contact["lead"]
        facts = {"name": lead["name"], **(lead["metadata"] or {})}
        request = run.request.model_copy(update={"phone_number": lead["phone_number"], "request_data": facts})
        if self._ready.get(str(request.from_number), _NEVER) <= self.caller.now:
            script = calls.script_of(request, fresh, self.caller, self._placed)
        else:
            over = Ended(fresh.created_at + 1, "failed", "The campaign's number is not active")
            script = closed(Script(fresh.created_at, "nobody", 0, ()), over)
        row = calls.dialled(request, script, fresh, self.caller.scene, calls.metadata(request))
        row |= {"account_id": self.caller.account, "key": None, "held": run.held, "yours": False}
        row |= {"campaign_id": run.row["id"], "lead_id": lead["id"]}
        self._placed.append(row)
        self.purse.hold(row)
        whom = [*run.whom, *self.subscribed]
        events.schedule(row, script, whom, self.caller, converts=run.row["conversion_outcomes"])
        return row

    def write(self) -> None:
        self.caller.book.add("calls", *self._placed)
        self.caller.book.put(
            "kinds", {"kind": self._kind, "ordinal": self._made, "last_created_at": self._last}
        )
        self.purse.write()


@dataclass(frozen=True, slots=True, order=True)
class _Flight:
    """A call under way: when it ends, whom it is with, and what will have come of it."""

    ends_at: int
    position: int
    contact: Row
    outcome: str
    disposition: str | None
    billed: int


class _Run:
    """One campaign while it goes on."""

    def __init__(self, row: Row, book: Book, leads: dict[str, Row]) -> None:
        self.row = row
        self._book = book
        self._plan = Plan.model_validate(row["plan"])
        given = {"from_number": row["from_number"], "voice": row["voice"]}
        self.request = self._plan.completed(**given)
        self.held = ledger.hundredths(self.request.max_duration)
        self.whom = events.campaign_targets(row)
        self._window = (0, 0)
        self._queue = Queue(row, book, leads)
        self._endless = 0
        self._flying: list[_Flight] = []
        self._leads: dict[str, Row] = {}
        for contact in self._queue.flying():
            self._take_off(contact, book.rows("calls", ("id", "=", contact["call_id"]))[0])

    def wake(self, desk: _Desk) -> None:
        """Do what is due at the desk's instant, and set when the next thing is."""
        now = desk.caller.now
        if self.row["status"] == "scheduled":
            became(self.row, "running", desk.caller, "campaign.started")
        while self._flying and self._flying[0].ends_at <= now:
            self._land(heappop(self._flying), now)
        again = self._dial(desk) if self.row["status"] == "running" else None
        idle = not self._flying and not self._endless
        if self.row["status"] == "running" and idle and self._queue.ready_at(now) is None:
            became(self.row, "completed", desk.caller, "campaign.completed")
            return
        times = [again, self._flying[0].ends_at if self._flying else None]
        self.row["wakes_at"] = min((at for at in times if at is not None), default=None)

    def write(self) -> None:
        """Write down how far it has come."""
        self._queue.write()
        names = ("status", "updated_at", "converted_at")
        self._book.change_each(
            "leads", ("id",), [{"id": id, **{n: lead[n] for n in names}} for id, lead in self._leads.items()]
        )
        counted = {name: self.row[name] for name in (*COUNTED, "wakes_at")}
        self._book.change("campaigns", ("id", "=", self.row["id"]), **counted)

    def _dial(self, desk: _Desk) -> int | None:
        """Call as many as may be called now; give when to go on if not at the end of a call of its own."""
        now = desk.caller.now
        while len(self._flying) + self._endless < self.row["max_parallel_calls"]:
            ready = self._queue.ready_at(now)
            if ready is None:
                return None
            if not self._window[0] <= now < self._window[1]:
                self._window = self._plan.hours.window(now)
            if (when := max(ready, self._window[0])) > now:
                return when
            if desk.purse.free < self.held:
                if desk.purse.next_end is None:  # nothing under way in the account gives minutes back
                    became(self.row, "paused", desk.caller, "campaign.paused", "insufficient_quota")
                return desk.purse.next_end
            self._call(self._queue.take(now), desk)
        return None

    def _call(self, contact: Row, desk: _Desk) -> None:
        self.row["pending"] -= 1
        if contact["lead"]["status"] == "Unsubscribed":
            self._queue.put(contact, state="skipped")
            return
        placed = desk.place(self, contact)
        self.row["in_progress"] += 1
        attempts = contact["attempts"] + 1
        ends_at = placed["ends_at"]
        self._queue.put(contact, state="calling", attempts=attempts, call_id=placed["id"], ends_at=ends_at)
        self._take_off(contact, placed)

    def _take_off(self, contact: Row, call: Row) -> None:
        if contact["ends_at"] is None:
            self._endless += 1
            return
        fate = (call["outcome"], call["disposition"], call["billed"])
        heappush(self._flying, _Flight(contact["ends_at"], contact["position"], contact, *fate))

    def _land(self, flight: _Flight, now: int) -> None:
        """A call has ended: its contact is done with, or waits for another try."""
        contact = flight.contact
        self.row["in_progress"] -= 1
        self.row["minutes"] += flight.billed
        again = flight.outcome in RETRIED and contact["attempts"] <= self.row["max_retries"]
        if again and contact["listed"]:
            self.row["pending"] += 1
            next_at = flight.ends_at + self._plan.retry_minutes * 60_000
            self._queue.put(contact, state="waiting", next_at=next_at, call_id=None, ends_at=None)
            return
        well = flight.outcome == "completed"
        self.row["completed" if well else "failed"] += 1
        self._queue.put(contact, state="completed" if well else "failed", ends_at=None)
        converted = well and flight.disposition in self.row["conversion_outcomes"]
        self.row["conversions"] += converted
        if well and contact["lead"]:  # it may have been deleted while it was spoken with
            self._spoken(contact["lead"], converted, now)

    def _spoken(self, lead: Row, converted: bool, now: int) -> None:
        """A lead that was reached is Contacted, and Converted where the call ended as hoped."""
        if converted and lead["converted_at"] is None:
            lead["converted_at"] = now
        if lead["status"] in ("New", "Contacted"):
            lead["status"] = "Converted" if converted else "Contacted"
        lead["updated_at"] = now
        self._leads[lead["id"]] = lead
