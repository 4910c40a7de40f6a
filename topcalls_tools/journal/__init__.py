"""The record of questions and dials: written before anything is sent, so that one yes is one deed.

The rows stand here; `store.py` keeps them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

Decision = Literal["yes", "no"]
State = Literal["sending", "placed", "failed", "unknown"]
"""A dial's life: `sending` (the key is ours, the request may be under way), then `placed` (TopCalls gave a
call), `failed` (TopCalls surely did not dial) or `unknown` (nobody knows)."""


@dataclass(frozen=True, slots=True)
class AskRow:
    """One question to a person. Times are aware; minutes are the most that the deed can use."""

    key: str
    account: str
    line: str
    tool: str
    digest: str
    target: str
    minutes: float
    asked_at: datetime
    expires_at: datetime
    decision: Decision | None = None
    used_at: datetime | None = None
    reply: dict[str, Any] | None = None
    slip: str | None = None
    box: str | None = None


@dataclass(frozen=True, slots=True)
class DialRow:
    """One dial: what was sent under a key, and what became of it."""

    key: str
    account: str
    tool: str
    arguments: dict[str, Any]
    digest: str
    target: str
    minutes: float
    state: State
    sent_at: datetime
    leased_at: datetime
    reply: dict[str, Any] | None = None
    settled_at: datetime | None = None
