"""Blocking a number, by an assistant's or the owner's word: at once and unasked."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from ..action import Effect, Record
from ..api.fields import PhoneNumber
from ..flow import Deed
from ..flow.steps import Desk, Flow


class NumberBlocked(Record):
    """What was done, so that a number is not called any more."""

    ok: bool
    """True: it is written down, and this account does not call the number any more."""
    phone_number: str
    """The number."""
    known_before: bool
    """True when it was blocked already."""
    leads_unsubscribed: tuple[str, ...] = ()
    """Leads with this number that were set to Unsubscribed now, so that no campaign phones them."""
    note: str
    """What was done and what was not, in sentences of TopCalls Tools."""


class BlockNumber(Deed[NumberBlocked], effect=Effect.BRAKE, toolset="calls"):
    """Never call a number again, as when somebody asks not to be called. Goes at once and unasked, for this
    account; its lead is set to Unsubscribed. Only the owner can undo it. A call that runs goes on: stop_call
    hangs up."""

    phone_number: PhoneNumber
    """The number, international, such as +14155550123."""
    reason: Annotated[str, Field(min_length=1, max_length=500)] | None = None
    """Why, for the owner to read later."""

    def flow(self, desk: Desk) -> Flow[NumberBlocked]:
        from ..flow.blocking import blocked

        done = yield from blocked((self.phone_number,), self.reason, desk)
        return NumberBlocked(
            ok=True,
            phone_number=self.phone_number,
            known_before=not done.fresh,
            leads_unsubscribed=tuple(done.leads),
            note=done.note(),
        )
