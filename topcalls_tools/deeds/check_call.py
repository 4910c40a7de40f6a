"""Whether a call may be placed, and what would be said: every rule's word on it, and nothing is done."""

from __future__ import annotations

from typing import Literal

from ..action import Effect, Record
from ..api.call_arguments import CallArguments
from ..api.calls import PlaceCall
from ..flow import Deed
from ..flow.steps import Desk, Flow


class Opinion(Record):
    """What one rule has to say of the call."""

    rule: str
    """Its name."""
    verdict: Literal["ask", "refuse", "refuse_live"]
    """ask: the question to the person says it; refuse: it may not be done; refuse_live: it may in practice
    alone."""
    why: str
    """The reason."""
    works: str | None = None
    """What would work instead."""
    earliest: str | None = None
    """From when on it would not stand in the way, ISO 8601 UTC, where time is the reason."""


class CallCheck(Record):
    """What would become of a call with these arguments, as things stand now."""

    permitted: bool
    """True when no rule refuses; a person is asked all the same."""
    most_minutes: float
    """The most call minutes that it can use."""
    opening: str | None = None
    """What the agent would say first, as it would be spoken; absent where the words do not fit."""
    earliest: str | None = None
    """When it may be placed, by what the rules know now, ISO 8601 UTC; absent where waiting does not help."""
    earliest_there: str | None = None
    """The same in words, with the time where the phone is."""
    opinions: tuple[Opinion, ...] = ()
    """What the rules have to say that is not plain consent."""
    nothing_against: tuple[str, ...] = ()
    """The rules that have nothing against it."""


class CheckCall(CallArguments, Deed[CallCheck], effect=Effect.READ, toolset="calls"):
    """Check whether a call may be placed now, without placing it. Free: rings nobody, asks nobody and writes
    nothing. Takes what place_call takes; tells what each rule says, the most minutes, the earliest permitted
    time and the opening as it would be spoken."""

    def flow(self, desk: Desk) -> Flow[CallCheck]:
        from .checking import checked  # no rule is needed until somebody asks

        return (yield from checked(PlaceCall.model_validate(self.model_dump(exclude_none=True)), desk))
