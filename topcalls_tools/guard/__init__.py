"""May this be done? If not: which rule says so, and what would work instead.

A rule is a pure function of an action, the facts around it and the owner's policy, in `rules/`. Rules never
look at the clock, the disk or the network: all that they may know is in `Facts`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from ..action import Action
from ..api.calls import PlaceCall
from ..api.campaigns import StartCampaign
from ..api.fields import E164
from ..api.leads import Lead, UpdateLead
from ..errors import Refused

if TYPE_CHECKING:
    from ..contacts import Contact
    from .policy import Policy


@dataclass(frozen=True, slots=True)
class Rung:
    """An earlier dial to a number that is about to be called."""

    at: datetime
    state: str
    """`placed`; else nobody knows whether it rang."""
    under_way: bool
    """Whether it is not known to have ended."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What the rules may know: the time (aware), what the previews of the deed showed, what the owner's
    contacts say, and what the journal knows."""

    now: datetime
    seen: tuple[Any, ...] = ()
    contacts: Mapping[str, Contact] = field(default_factory=dict)
    """The owner's contacts by number."""
    blocked: frozenset[str] = frozenset()
    """Numbers that are not to be called."""
    day_minutes: float = 0
    """Minutes that dials of the last 24 hours have used, or may yet use."""
    month_minutes: float = 0
    """The same of this month, by UTC."""
    unseen_minutes: float = 0
    """Minutes that are reserved and that TopCalls' balance does not show yet."""
    day_calls: int = 0
    """Dials of the last 24 hours."""
    oldest: datetime | None = None
    """When the first of those was sent."""
    calls_under_way: int = 0
    """Calls that are not known to have ended."""
    rung: Mapping[str, tuple[Rung, ...]] = field(default_factory=dict)
    """Dials of the last 24 hours to the numbers in question, newest first."""


@dataclass(frozen=True, slots=True)
class Allow:
    """Nothing stands in the way."""


@dataclass(frozen=True, slots=True)
class AskPerson:
    """A person may decide; the question says why."""

    why: str


@dataclass(frozen=True, slots=True)
class Refuse:
    """It may not be done; `works` says what would, and `earliest` when, where time is the reason."""

    why: str
    works: str
    earliest: datetime | None = None

    def __str__(self) -> str:
        return f"{self.why}; {self.works}."


Verdict = Allow | AskPerson | Refuse


@dataclass(frozen=True, slots=True)
class Said:
    """What one rule said of a deed."""

    rule: str
    verdict: Verdict
    lenient: bool = False
    """Whether this is practice, and the rule refuses with a live key alone."""

    @property
    def asks(self) -> bool:
        """Whether a person has to be asked about it."""
        return isinstance(self.verdict, AskPerson)

    @property
    def softened(self) -> bool:
        """Whether a live key would have been refused."""
        return self.lenient and isinstance(self.verdict, Refuse)

    @property
    def why(self) -> str | None:
        """What the question says of it; None where it had nothing against the deed."""
        match self.verdict:
            case AskPerson(why):
                return why
            case Refuse():
                return f"Would be refused with a live key: {self.verdict}"
            case _:
                return None


def opinions(action: Action[Any], facts: Facts, policy: Policy) -> tuple[Said, ...]:
    """Hear every rule of such a deed, in their order."""
    from .rules import RULES

    return tuple(
        Said(name, rule.check(action, facts, policy), policy.practice and not rule.always)
        for name, rule in RULES.items()
        if isinstance(action, rule.of)
    )


def judge(action: Action[Any], facts: Facts, policy: Policy) -> tuple[Said, ...]:
    """Hear every rule, and give what each said. Raises the first refusal as `Refused`; in practice most rules
    only say that they would refuse."""
    said = opinions(action, facts, policy)
    for one in said:
        if isinstance(one.verdict, Refuse) and not one.lenient:
            raise Refused(one.rule, str(one.verdict), one.verdict.earliest)
    return said


DIALS = (PlaceCall, StartCampaign)
"""The deeds that ring phones."""


def reached(action: Action[Any], seen: tuple[Any, ...]) -> tuple[E164, ...]:
    """Every number that a deed names or puts back among those that campaigns call, by what its previews
    showed."""
    named = tuple(numbers(action))
    if not isinstance(action, UpdateLead) or action.status in (None, "Unsubscribed"):
        return named
    return named + tuple(filter(None, (E164.read(one.phone_number) for one in seen if isinstance(one, Lead))))


def called(action: Action[Any]) -> tuple[E164, ...]:
    """The numbers that a deed dials, as far as it names them."""
    return (E164(action.phone_number),) if isinstance(action, PlaceCall) else ()


def numbers(value: Any) -> Iterator[E164]:
    """Every phone number anywhere inside a value, however deep it sits."""
    match value:
        case E164():
            yield value
        case BaseModel():
            yield from _among(inner for _, inner in value)
        case dict():
            yield from _among(value.values())
        case list() | tuple() | set() | frozenset():
            yield from _among(value)


def _among(values: Iterable[Any]) -> Iterator[E164]:
    for inner in values:
        if isinstance(inner, _MAY_HOLD):  # most values are words and numbers, and hold nothing
            yield from numbers(inner)


_MAY_HOLD = (E164, BaseModel, dict, list, tuple, set, frozenset)
