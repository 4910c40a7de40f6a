"""The record of questions and dials: written before anything is sent, so that one yes is one deed.

The rows stand here; `store.py` keeps them, `evidence.py` chains what happened, `ledger.py` adds up.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

Decision = Literal["yes", "no"]
State = Literal["sending", "placed", "failed", "unknown"]
"""A dial's life: `sending` (the key is ours, the request may be under way), then `placed` (TopCalls gave a
call), `failed` (TopCalls surely did not dial) or `unknown` (nobody knows)."""
CLOCKS_DIFFER = timedelta(seconds=5)
"""How far the clocks of two machines that share a journal, or TopCalls' clock and ours, may differ."""


@dataclass(frozen=True, slots=True)
class AskRow:
    """One question to a person. Times are aware; minutes are the most that the deed can use.

    Target, question and reply are personal: they are gone once they were forgotten.
    """

    key: str
    account: str
    line: str
    tool: str
    digest: str
    target: str
    minutes: float
    asked_at: datetime
    expires_at: datetime
    question: dict[str, Any] | None = None
    decision: Decision | None = None
    decided_at: datetime | None = None
    by: str | None = None
    """How it was answered: form, page, terminal, callback, interrupt, slip, practice or none."""
    used_at: datetime | None = None
    reply: dict[str, Any] | None = None
    box: str | None = None
    """What its slip redeems, sealed, while that may be redeemed."""


@dataclass(frozen=True, slots=True)
class Yes:
    """A person's yes to a question: how it was given, and when."""

    ask: AskRow
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class DialRow:
    """One dial: what was sent under a key, and what became of it."""

    key: str
    account: str
    line: str
    tool: str
    arguments: dict[str, Any]
    digest: str
    target: str
    minutes: float
    """The most that it can use: reserved until it is closed."""
    state: State
    agreed_at: datetime
    sent_at: datetime
    leased_at: datetime
    reply: dict[str, Any] | None = None
    settled_at: datetime | None = None
    call_id: str | None = None
    """TopCalls' handle of the call; None for a campaign, and where nobody knows."""
    used_minutes: float | None = None
    closed_at: datetime | None = None
    """When its minutes were settled, and nothing more can come of it."""
    callee: str | None = None
    """Whom it rings, as a digest; None for a campaign."""
    heard_to: datetime | None = None
    """Which of a campaign's calls were heard: those that were placed before this."""


@dataclass(frozen=True, slots=True)
class Earlier:
    """A dial of the last 24 hours to somebody who is about to be called."""

    callee: str
    sent_at: datetime
    state: State
    under_way: bool
    """Whether it is not known to have ended."""


@dataclass(frozen=True, slots=True)
class Inquiry:
    """What is asked of the ledger: an account, and whose numbers, as digests, are about to be dialled."""

    account: str
    looked_at: datetime
    """When TopCalls last said what is free: what was reserved since then it could not know."""
    callees: tuple[str, ...] = ()
    besides: str = ""
    """The key of a dial that is not counted: the one that is asked about."""


@dataclass(frozen=True, slots=True)
class Ledger:
    """What the journal knows that bears on a deed, read in one transaction."""

    day_minutes: float = 0
    """Minutes reserved or used by dials of the last 24 hours."""
    month_minutes: float = 0
    """The same of this month, by UTC."""
    unseen_minutes: float = 0
    """Minutes reserved by dials that TopCalls' balance does not show yet."""
    day_calls: int = 0
    """Dials of the last 24 hours."""
    oldest: datetime | None = None
    """When the first of those was sent."""
    calls_under_way: int = 0
    """Calls that are not known to have ended."""
    earlier: tuple[Earlier, ...] = ()
    """Dials of the last 24 hours to the callees, newest first."""
    blocked: frozenset[str] = frozenset()
    """Those of the callees that are not to be called, as digests."""
    stopped_at: datetime | None = None
    """When everything was stopped last."""
