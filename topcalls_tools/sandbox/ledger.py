"""The account's minutes: held, billed and left, as they stand at one instant."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ..api.account import Balance
from .caller import Caller

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
    held, billed = caller.book.minutes(caller.account, caller.now)
    account = caller.book.rows("accounts", id=caller.account)[0]
    return Ledger(int(account["allocated"]), int(account["bonus"]), held, billed)


def minutes(hundredths: int) -> float:
    return hundredths / 100


def hundredths(most_minutes: float) -> int:
    """What a call holds: its most minutes, rounded up."""
    return math.ceil(round(most_minutes * 100, 6))
