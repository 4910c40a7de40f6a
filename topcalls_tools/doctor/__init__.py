"""Looks over a set-up: what is right, what is not, and the command that mends it. Changes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "warn", "wrong"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found about one part of a set-up, in a sentence, and the command that mends it."""

    about: str
    state: State
    said: str
    mend: str | None = None
