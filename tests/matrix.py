"""The fault matrix: one yes is one ring, whatever breaks.

Each run has a journal of its own, callers that are processes, and a proxy that cuts. Some callers are killed; then
somebody calls again, or calls somebody else, and in the end what is left is reconciled, and judged by the phones.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

from topcalls_tools.flow.steps import LEASE
from topcalls_tools.journal.archive import troubles
from topcalls_tools.journal.store import Journal

from .callers import ACCOUNT, SECRET, SURFACES, Errand, Told
from .mishaps import COMMITS, MOMENTS, STALLED, Mishap
from .owner import owner
from .passage import CUTS, Cut
from .stage import Caller, Stage, sent_out
from .verdict import Scene, violations

STORES = ("sqlite", "sqlite", "postgresql")
PROCESSES = (1, 1, 1, 1, 2, 2, 8)
STEPS = (0, 0, 30, 61, 61, 61, 605)
"""Seconds between two rounds: within a lease, after it, after the life of a yes."""
ORDERED = (
    "rate_limited",
    "error_before",
    "error_after",
    "error_after",
    "cut_before",
    "cut_after",
    "garbled",
    "not_json",
)
"""What the sandbox itself is told to do: it alone can forget a key together with the reply (contract A14)."""
UNDER_WAY = frozenset({"unheard", "held", "overdue", "late", "twice"})
"""Cuts that leave a request under way while its caller repeats it. With a key that is forgotten nobody can help that."""
AGAIN = (1, 0.75, 0.6, 0.5)
"""How likely the first dial of a run is cut, the second, and so on, as shares of the heat of the moment."""
_PLACE, _LIST, _BALANCE = "POST /v1/calls", "GET /v1/calls", "GET /v1/balance"
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Shape:
    """How rough a run is. What a guard is taken out of is treated gently, so that the guard alone is missed."""

    processes: int | None = None
    same: float = 0.6
    """How likely all callers want the same call."""
    heat: float = 1.0
    mishaps: float = 0.5
    ordered: str | None = None


SHAPES = {
    "no lock": Shape(processes=8, same=1, heat=0, mishaps=0),
    "sent again after 5xx": Shape(processes=1, heat=0, mishaps=0, ordered="error_after"),
}


@dataclass
class Tally:
    """What was tried, by name, and what was wrong."""

    seen: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        self.seen += other.seen
        self.wrong += other.wrong


class Run:
    """One run: all that happens in it follows from its number, but for who of several is faster."""

    def __init__(
        self, stage: Stage, number: int, *, only: Iterable[str] = (), broken: str | None = None
    ) -> None:
        self._stage, self._number, self._broken = stage, number, broken
        self._chance = random.Random(f"faults-{number}")
        self._store = self._choice([one for one in STORES if one in stage.stores], only)
        self._surfaces = [one for one in SURFACES if one in only] or list(SURFACES)
        self._shape = SHAPES.get(broken or "", Shape())
        self._processes = self._shape.processes or self._choice(PROCESSES, only)
        self._forgets = False
        self._heat = self._shape.heat
        self._key = stage.account()
        self._where: tuple[Path, str | None] = Path(), None
        self._told: list[Told] = []
        self._stalled: list[tuple[Caller, timedelta]] = []
        self._tally = Tally()

    def tally(self) -> Tally:
        """Let everything happen, and judge it."""
        made = self._chance.random() > 0.1
        self._count("store", self._store)
        self._count("processes", self._processes)
        with self._stage.journal(self._store, made=made) as self._where:
            home, url = self._where
            self._stage.proxy.begin(self._plan, url or str(home / "journal.db"))
            try:
                denied = self._happens()
                self._judge(denied)
            except RuntimeError as wrong:
                self._tally.wrong.append(str(wrong))
            finally:
                self._stage.proxy.calm()
            if self._tally.wrong:
                self._tally.wrong += [f"  {one}" for one in self._stage.proxy.log]
        return self._tally

    def _happens(self) -> frozenset[str]:
        """Three rounds: calls, calls again, and the recovery. Gives what was sent for one who heard of nothing."""
        chance = self._chance
        same = chance.random() < self._shape.same
        wishes = [self._wish(0 if same else number) for number in range(self._processes)]
        self._order_faults()
        told = self._round(wishes, mishaps=self._shape.mishaps)
        denied: set[str] = set()
        if self._processes == 1 and told[0] and told[0].happened is False:
            denied = {one.key for one in self._stage.proxy.log if one.key and one.passed}
        self._heat *= 0.4
        for number in range(1 + (chance.random() < 0.3)):
            self._pass(chance.choice(STEPS))
            some = range(1 + (chance.random() < 0.3))
            self._round(
                [chance.choice(wishes) if chance.random() < 0.6 else self._wish(100 + number) for _ in some],
                mishaps=0.25,
            )
        for caller, when in self._stalled:
            caller.go(self._stage.ahead - when)
            self._hear(caller)
        self._stage.proxy.calm()
        self._stage.mend(self._key)
        self._pass(LEASE.total_seconds() + 1)
        self._round([None], mishaps=0)
        self._pass(30)
        return frozenset(denied)

    def _round(self, wishes: Sequence[dict[str, Any] | None], mishaps: float) -> list[Told | None]:
        callers = sent_out([self._errand(wish, number, mishaps) for number, wish in enumerate(wishes)])
        return [self._hear(caller) for caller in callers]

    def _hear(self, caller: Caller) -> Told | None:
        """What a caller was told, or what became of it instead."""
        told, mishap = caller.told(), caller.errand.mishap
        if isinstance(told, Told):
            self._told.append(told)
            return told
        if told == STALLED:
            self._stalled.append((caller, self._stage.ahead))
        if mishap:
            self._count("held up" if mishap.stalls else "killed", mishap.moment)
        return None

    def _errand(self, wish: dict[str, Any] | None, number: int, mishaps: float) -> Errand:
        chance, (home, url) = self._chance, self._where
        surface, mishap = chance.choice(self._surfaces), None
        if chance.random() < mishaps:
            stalls = chance.random() < 0.25
            moment = chance.choice(MOMENTS if not stalls else COMMITS[1:] if self._forgets else MOMENTS[1:])
            mishap = Mishap(moment, chance.randint(1, 4 if moment in COMMITS else 5), stalls)
        if wish:
            self._count("caller", surface)
        if url:  # another machine: it shares the journal and the secret, and no folder
            home = home / str(number)
        if not (home / "policy.toml").exists():
            owner(home, account=ACCOUNT, secret=SECRET)
        return Errand(
            surface=surface,
            url=self._stage.proxy.url,
            key=self._key,
            home=home,
            journal=url,
            ahead=self._stage.ahead,
            arguments=wish,
            patience=5 if self._forgets else 0.4,
            mishap=mishap,
            broken=self._broken,
        )

    def _wish(self, number: int) -> dict[str, Any]:
        phone = f"+1415555{2345 + self._number % 3}"
        return {"phone_number": phone, "task": f"Ask whether table {number} is free.", "max_duration": 5}

    def _order_faults(self) -> None:
        chance = self._chance
        if chance.random() < 0.35 or self._shape.ordered:
            kind = self._shape.ordered or chance.choice(ORDERED)
            self._stage.order(kind, _PLACE, 1, self._key)
            self._count("ordered", kind)
            self._forgets = kind == "error_after"
        if chance.random() < 0.1:
            self._stage.order("error_before", _LIST, 4, self._key)
            self._count("ordered", "no list")

    def _plan(self, what: str, number: int) -> Cut:
        """What becomes of the nth request of its kind. Every cut has its turn at the first dials of some run."""
        chance = random.Random(f"{self._number}:{what}:{number}")
        likely = AGAIN[min(number, len(AGAIN) - 1)] if what == _PLACE else 0.1
        down = 0.06 if chance.random() < 0.25 else 0
        if chance.random() < self._heat * likely:
            kind = CUTS[(self._number + 11 * number) % len(CUTS)] if what == _PLACE else chance.choice(CUTS)
            if what == _PLACE and self._forgets and kind in UNDER_WAY:
                kind = "unanswered"
            self._count("cut of a dial" if what == _PLACE else "cut of a read", kind)
            return Cut(kind, chance.random() < 0.4, down, chance.random())
        if what == _BALANCE and chance.random() < 0.1 * self._heat:
            self._count("cut of a read", "refused next")
            return Cut(down=0.06)
        return Cut()

    def _pass(self, seconds: float) -> None:
        if seconds:
            self._stage.step(seconds, self._key)

    def _judge(self, denied: frozenset[str]) -> None:
        home, url = self._where
        rings = self._stage.rings(self._key)
        with closing(Journal(url or home / "journal.db")) as journal:
            dials = {row.key: row for row in journal.dials(ACCOUNT)}
            asks = {key: journal.asked(key) for key in {*dials, *(ring["key"] for ring in rings)}}
            wrong = list(troubles(journal))
        found = {key: row for key, row in asks.items() if row}
        scene = Scene(rings, self._stage.proxy.log, dials, found, wrong, self._told, denied)
        self._tally.wrong += violations(scene)
        self._tally.seen += Counter(
            {"rings": len(rings), "requests": len(scene.log), "adopted": scene.adopted}
        )
        for row in dials.values():
            self._count("dial", row.state)

    def _choice(self, options: Sequence[T], only: Iterable[str]) -> T:
        return self._chance.choice([one for one in options if str(one) in only] or list(options))

    def _count(self, what: str, which: object) -> None:
        self._tally.seen[f"{what}: {which}"] += 1
