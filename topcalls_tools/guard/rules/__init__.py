"""The rules, one function each: name, reason and remedy stand together, and nowhere else.

A rule's docstring is its row in the table of rules. `verified` rules were read in the source that they name;
`house` rules are our own.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from ...action import Action
from .. import Facts, Verdict

if TYPE_CHECKING:
    from ..policy import Policy

Check = Callable[[Any, Facts, "Policy"], Verdict]
C = TypeVar("C", bound=Check)


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule, of what it is, where it comes from, when that was looked up, and whether it refuses in practice
    too."""

    name: str
    check: Check
    of: type[Action[Any]] | tuple[type[Action[Any]], ...]
    guards: str
    source: str
    checked: date
    status: Literal["verified", "house"]
    always: bool


RULES: dict[str, Rule] = {}
"""Every rule by its name, in the order in which they are heard."""


def rule(
    *,
    source: str,
    checked: str,
    of: type[Action[Any]] | tuple[type[Action[Any]], ...] = Action,
    status: Literal["verified", "house"] = "house",
    always: bool = False,
) -> Callable[[C], C]:
    """Register a rule of some actions, or of all, under its function's name. In practice it only says what it
    would refuse, unless it holds `always`."""

    def register(check: C) -> C:
        name = check.__name__.replace("_", "-")
        guards = " ".join((check.__doc__ or "").split())
        RULES[name] = Rule(name, check, of, guards, source, date.fromisoformat(checked), status, always)
        return check

    return register


def some(names: Collection[str], most: int = 6) -> str:
    """Names with commas between, and how many more there are."""
    first = sorted(names)[:most]
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return f"{', '.join(first)}{more}" if first else "none"


def in_policy(change: str) -> str:
    """A change of policy.toml as a remedy: what allows more takes the owner's yes to count."""
    return f"let the owner {change} in policy.toml (with a live key, topcalls policy accept makes it count)"


from . import numbers, times, minutes, people, words, objects  # noqa: E402, I001  (in the order in which they are heard)

__all__ = [
    "RULES",
    "Rule",
    "in_policy",
    "minutes",
    "numbers",
    "objects",
    "people",
    "rule",
    "some",
    "times",
    "words",
]
