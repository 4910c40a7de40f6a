"""A few calls under one yes: who is on the list, the one question, and the calls, one after the other."""

from __future__ import annotations

from dataclasses import dataclass

from ..api.calls import PlaceCall

MOST = 10
"""People on a list."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One call of a list: where it stands in the file, whom it is to, and what is sent."""

    line: int
    name: str | None
    request: PlaceCall

    @property
    def who(self) -> str:
        """Whom a person knows it by."""
        return self.name or self.request.phone_number
