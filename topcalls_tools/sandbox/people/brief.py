"""What a call is to bring up, and in which language: a task with the caller's own facts in it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from ...api.placeholders import HOLE, filled
from . import spanish_points
from .mailbox import set_aside
from .points import LONGEST, Point, Tongue, points


@dataclass(frozen=True, slots=True)
class Brief:
    """A task taken apart."""

    tongue: Tongue
    points: tuple[Point, ...]
    leaves_message: bool = True
    """Whether a machine that answers gets a message; else the agent hangs up."""


def brief(task: str, facts: Mapping[str, Any] | None) -> Brief:
    """The points of a task, in its order."""
    if "{{" not in task:
        return _parsed(task)
    if len(task) > LONGEST or not all(_is_plain(facts, name) for name in HOLE.findall(task)):
        return _parsed(filled(task, facts))
    parsed = _parsed(task)  # a campaign's task is read once, whatever each lead is called
    return replace(parsed, points=tuple(_with_facts(point, facts) for point in parsed.points))


def _is_plain(facts: Mapping[str, Any] | None, name: str) -> bool:
    """A fact that cannot change how a task is read: a name, a date, a thing."""
    value = (facts or {}).get(name, "")
    if not isinstance(value, str):
        return isinstance(value, int | float)
    return len(value) <= 60 and not re.search(r"[.?!;:,\n{}]|\band\b|\by\b", value)


def _with_facts(point: Point, facts: Mapping[str, Any] | None) -> Point:
    words = tuple(filled(way, facts) for way in point.words)
    return replace(point, about=filled(point.about, facts), words=words)


def _parsed(task: str) -> Brief:
    return _kept(task) if len(task) <= KEPT else _kept.__wrapped__(task)


KEPT = 2000
"""Characters of a task that is remembered, so that memory stays small whatever is asked."""


@lru_cache(4096)
def _kept(task: str) -> Brief:
    matter, message = set_aside(task)
    matter = matter or task
    tongue = spoken_in(matter)
    found = spanish_points.points(matter) if tongue == "es" else points(matter)
    return Brief(tongue, found, message is not False)


_SPANISH = re.compile(
    r"[¿¡]|\b(?:el|la|los|las|una?|de|del|en|con|por|para|si|que|su|sus|se|al|y|o|mesa|cita|mañana"
    r"|pregunt\w+|reserv[ae]r?|confirm[ae]r|cancel[ae]r|llam[ae]r?|averigu\w+|pid[ea]\w*|d[ií]\w?les?"
    r"|cu[aá]nt[oa]s?|cu[aá]ndo|d[oó]nde|qu[eé]|tienen?|hay|est[aá]n?|recu[eé]rd\w+|av[ií]s\w+)\b",
    re.IGNORECASE,
)
_ENGLISH = re.compile(
    r"\b(?:the|an?|to|and|or|whether|if|ask|book|for|they|their|you|of|on|at|in|is|are|have|do|how|what|when"
    r"|cancel|confirm|tell|remind|call|about|with|that|this|from|it|please|there|we|i)\b",
    re.IGNORECASE,
)


def spoken_in(text: str) -> Tongue:
    """The language of a text, by its small words."""
    part = text[:2000]
    return "es" if len(_SPANISH.findall(part)) > len(_ENGLISH.findall(part)) else "en"
