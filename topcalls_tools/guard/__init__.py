"""May this be done? If not: which rule says so, and what would work instead.

A rule is a pure function of an action, the facts around it and the owner's policy, in `rules.py`. Rules never
look at the clock, the disk or the network: all that they may know is in `Facts`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import BaseModel

from ..action import Action
from ..api.fields import E164
from ..errors import Refused


@dataclass(frozen=True, slots=True)
class Policy:
    """What the owner allows, as `policy.toml` says it."""

    version: str = ""
    """A digest of all of it: a yes is a yes under one policy."""
    numbers: frozenset[str] | None = None
    """The only numbers that may be called; None where any may."""
    minutes_per_day: float | None = None
    """Call minutes that may be used in 24 hours; None where nothing but the balance limits them."""
    price_per_minute: float | None = None
    currency: str = "USD"


@dataclass(frozen=True, slots=True)
class Facts:
    """What the rules may know: the time (aware), what the previews of the deed showed, and what the journal
    knows."""

    now: datetime
    seen: tuple[Any, ...] = ()
    day_minutes: float = 0
    """Minutes that dials of the last 24 hours have used, or may yet use."""
    unseen_minutes: float = 0
    """Minutes that are reserved and that TopCalls' balance does not show yet."""
    blocked: frozenset[str] = frozenset()
    """Numbers that are not to be called."""


@dataclass(frozen=True, slots=True)
class Allow:
    """Nothing stands in the way."""


@dataclass(frozen=True, slots=True)
class AskPerson:
    """A person may decide; the question says why."""

    why: str


@dataclass(frozen=True, slots=True)
class Refuse:
    """It may not be done; `works` says what would."""

    why: str
    works: str


Verdict = Allow | AskPerson | Refuse


@dataclass(frozen=True, slots=True)
class Said:
    """What one rule said of a deed that may be done; `why` is None where it had nothing against it."""

    rule: str
    why: str | None


def judge(action: Action[Any], facts: Facts, policy: Policy) -> tuple[Said, ...]:
    """Hear every rule, and give what each said. Raises the first refusal as `Refused`."""
    from .rules import RULES

    said: list[Said] = []
    refusals: list[Refused] = []
    for name, check in RULES.items():
        match check(action, facts, policy):
            case AskPerson(why):
                said.append(Said(name, why))
            case Refuse(why, works):
                refusals.append(Refused(name, f"{why}; {works}."))
            case Allow():
                said.append(Said(name, None))
    if refusals:
        raise refusals[0]
    return tuple(said)


def numbers(value: Any) -> Iterator[E164]:
    """Every phone number anywhere inside a value, however deep it sits."""
    match value:
        case E164():
            yield value
        case BaseModel():
            yield from numbers(dict(value))
        case dict():
            yield from numbers(list(value.values()))
        case list() | tuple() | set() | frozenset():
            for inner in value:
                yield from numbers(inner)
