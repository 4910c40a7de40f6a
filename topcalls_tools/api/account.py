"""The account: its minutes."""

from __future__ import annotations

from ..action import Effect, Record
from ..endpoint import Endpoint


class Balance(Record):
    """Call minutes of the account. The names of the fields are assumed (contract A97)."""

    type: str | None = None
    """Kind of balance: call_minutes."""
    remaining: float | None = None
    """Minutes left: the plan's and the welcome bonus's; minutes held for calls under way are not taken
    off."""
    allocated: float | None = None
    """The plan's minutes, without bonus."""
    total: float | None = None
    """The plan's minutes and the bonus left."""
    used: float | None = None
    """Plan minutes used."""
    reserved: float | None = None
    """Minutes held for calls under way."""
    welcome_bonus_used: float | None = None
    """Bonus minutes used, of 500 at most."""
    welcome_bonus_remaining: float | None = None
    """Bonus minutes left, of 500 at most."""

    @property
    def free(self) -> float:
        """Minutes that a new call may use: what remains and is not held (contract A127)."""
        return max(0.0, (self.remaining or 0.0) - (self.reserved or 0.0))


class GetBalance(Endpoint[Balance], route="GET /v1/balance", effect=Effect.READ, scope="calls:read"):
    """Read how many call minutes are left, used and held. Minutes, not money. What a new call may use is
    remaining less reserved."""
