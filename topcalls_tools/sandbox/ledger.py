"""The account's minutes: held, billed and left, as they stand at one instant."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from heapq import heappop, heappush

from ..api.account import Balance
from .caller import Caller
from .problem import insufficient
from .store import Row

ALLOCATED = 1000_00
BONUS = 500_00
"""Hundredths of minutes of a fresh account: the plan's and the welcome bonus."""


@dataclass(frozen=True, slots=True)
class Ledger:
    """All in hundredths of minutes (contract 6.2)."""

    allocated: int
    bonus: int
    held: int
    billed: int

    @property
    def bonus_used(self) -> int:
        """The bonus goes first (contract A126)."""
        return min(self.bonus, self.billed)

    @property
    def used(self) -> int:
        return self.billed - self.bonus_used

    @property
    def remaining(self) -> int:
        """What the plan and the bonus have left; what is held is not taken off (contract A127, A128)."""
        return max(0, self.allocated - self.used + self.bonus - self.bonus_used)

    @property
    def free(self) -> int:
        return max(0, self.remaining - self.held)

    def after(self, held: int, billed: int) -> Ledger:
        """With so much more held and billed."""
        return replace(self, held=self.held + held, billed=self.billed + billed)

    def balance(self) -> Balance:
        bonus_left = self.bonus - self.bonus_used
        return Balance(
            type="call_minutes",
            remaining=minutes(self.remaining),
            allocated=minutes(self.allocated),
            total=minutes(self.allocated + bonus_left),
            used=minutes(self.used),
            reserved=minutes(self.held),
            welcome_bonus_used=minutes(self.bonus_used),
            welcome_bonus_remaining=minutes(bonus_left),
        )


def ledger(caller: Caller) -> Ledger:
    """The account as it stands now: the sums written down, and what has ended since."""
    kept, settled_at = _kept(caller)
    held, billed = caller.book.sums(
        "calls",
        ("held", "billed"),
        ("account_id", "=", caller.account),
        ("ends_at", ">", settled_at),
        ("ends_at", "<=", caller.now),
    )
    return kept.after(-held, billed)


def settle(caller: Caller, *, held: int = 0, billed: int = 0) -> None:
    """Write down what has ended until now, and these changes besides."""
    _write(ledger(caller).after(held, billed), caller.now, caller)


class Purse:
    """An account's minutes while time goes on in memory; `write` puts them down."""

    def __init__(self, caller: Caller) -> None:
        mine = ("account_id", "=", caller.account)
        self._caller = caller
        self._ledger, self._now = _kept(caller)
        under_way = caller.book.rows(
            "calls",
            mine,
            ("ends_at", ">", self._now),
            order="ends_at",
            only=("ends_at", "held", "billed"),
        )
        self._calls = [(row["ends_at"], row["held"], row["billed"]) for row in under_way]

    @property
    def free(self) -> int:
        return self._ledger.free

    @property
    def next_end(self) -> int | None:
        """When a call under way next gives back what it does not use; one without an end never does."""
        return self._calls[0][0] if self._calls else None

    def go(self, now: int) -> int:
        """Go on to an instant, never back: what has ended by then is billed. Gives the instant reached."""
        self._now = max(self._now, now)
        while self._calls and self._calls[0][0] <= self._now:
            _, held, billed = heappop(self._calls)
            self._ledger = self._ledger.after(-held, billed)
        return self._now

    def hold(self, call: Row) -> None:
        """A call was placed."""
        self._ledger = self._ledger.after(call["held"], 0)
        if call["ends_at"] is not None:
            heappush(self._calls, (call["ends_at"], call["held"], call["billed"]))

    def write(self) -> None:
        _write(self._ledger, self._now, self._caller)


def hold(most_minutes: float, caller: Caller) -> int:
    """Hold what a call may use, in hundredths; raises 402 where that is not free (contract A60)."""
    needed, now = hundredths(most_minutes), ledger(caller)
    if needed > now.free:
        raise insufficient(most_minutes, minutes(now.free))
    _write(now.after(needed, 0), caller.now, caller)
    return needed


def _kept(caller: Caller) -> tuple[Ledger, int]:
    """The sums that are written down, and until when they hold."""
    account = caller.book.rows("accounts", ("id", "=", caller.account))[0]
    sums = Ledger(account["allocated"], account["bonus"], account["held"], account["billed"])
    return sums, int(account["settled_at"])


def _write(ledger: Ledger, now: int, caller: Caller) -> None:
    mine = ("id", "=", caller.account)
    caller.book.change("accounts", mine, held=ledger.held, billed=ledger.billed, settled_at=now)


def minutes(hundredths: int) -> float:
    return hundredths / 100


def hundredths(most_minutes: float) -> int:
    """What a call holds: its most minutes, rounded up."""
    return math.ceil(round(most_minutes * 100, 6))
