"""May this be done? If not: which rule says so, and what would work instead.

A rule is a pure function of an action and the facts around it, in `rules.py`. Rules never look at the clock,
the disk or the network: all that they may know is in `Facts`.
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
class Facts:
    """What the rules may know: the time (aware), and what the previews of the deed showed."""

    now: datetime
    seen: tuple[Any, ...] = ()


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


def judge(action: Action[Any], facts: Facts) -> tuple[str, ...]:
    """Hear every rule. Gives what a person should know before a yes; raises the first refusal as
    `Refused`."""
    from .rules import RULES

    reasons: list[str] = []
    refusals: list[Refused] = []
    for name, check in RULES.items():
        match check(action, facts):
            case AskPerson(why):
                reasons.append(f"{why} [rule: {name}]")
            case Refuse(why, works):
                refusals.append(Refused(name, f"{why}; {works}."))
            case Allow():
                pass
    if refusals:
        raise refusals[0]
    return tuple(reasons)


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
