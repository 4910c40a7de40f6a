"""The shape of a reply: which fields are there and what kind of value stands in them, and no value itself."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

from ..action import Record

Kinds = Mapping[str, frozenset[str]]
"""The kinds of value that may stand at each path, such as `data[].created_at`."""
DOCUMENTED = "documented.json"
_FORMS = (
    ("time with milliseconds", r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"),
    ("time", r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"),
    ("another time", r"\d{4}-\d\d-\d\d[T ].*"),
    ("UUID", r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
    ("international number", r"\+[1-9]\d{1,14}"),
    ("address", r"https?://.*"),
    ("empty", r""),
)
_FIELD = re.compile(r"(?!.*\d{4})[a-z][a-z0-9]*(_[a-z0-9]+)*")
"""How TopCalls' fields are called. Other names could be data, such as numbers or people."""
LONGEST = 40
"""Characters of such a name, at most."""


@dataclass(slots=True)
class Shape:
    """What was seen of a kind of reply. Nothing in it is a value that TopCalls sent, nor a name that could be
    one."""

    seen: Counter[str] = field(default_factory=Counter)
    """How often each path was there."""
    kinds: dict[str, set[str]] = field(default_factory=dict)
    forms: dict[str, set[str]] = field(default_factory=dict)
    """The forms of texts, where they have a known one."""
    unknown: set[str] = field(default_factory=set)
    """Paths that stand neither in the documentation nor in our records."""
    untold: Counter[str] = field(default_factory=Counter)
    """How many names at most one object at a path has that are not told."""


def kind_of(value: Any) -> str:
    """JSON's name for a kind of value."""
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int() | float():
            return "number"
        case str():
            return "string"
        case list():
            return "array"
        case _:
            return "object"


def flat(value: Any, at: str = "") -> Iterator[tuple[str, Any]]:
    """Every path inside a value, with what stands there."""
    match value:
        case dict():
            for name, inner in value.items():
                path = f"{at}.{name}" if at else name
                yield path, inner
                yield from flat(inner, path)
        case list():
            for inner in value:
                yield f"{at}[]", inner
                yield from flat(inner, f"{at}[]")


def observed(reply: Any, known: Kinds) -> Shape:
    """The shape of a reply, looked at no deeper than `known` goes: below lies what is the owner's own."""
    shape = Shape()
    _observe(reply, "", known, shape)
    return shape


def _observe(value: Any, at: str, known: Kinds, shape: Shape) -> None:
    match value:
        case dict() if not at or any(path.startswith(f"{at}.") for path in known):
            paths = {name: f"{at}.{name}" if at else name for name in value}
            of_fields = not known.keys().isdisjoint(paths.values())  # else it may be anybody's own map
            untold = 0
            for name, path in paths.items():
                if path in known:
                    _note(value[name], path, shape)
                    _observe(value[name], path, known, shape)
                elif of_fields and len(name) <= LONGEST and _FIELD.fullmatch(name):
                    shape.unknown.add(path)
                else:
                    untold += 1
            shape.untold[at] = max(shape.untold[at], untold)
        case list() if f"{at}[]" in known:
            for inner in value:
                _note(inner, f"{at}[]", shape)
                _observe(inner, f"{at}[]", known, shape)


def _note(value: Any, path: str, shape: Shape) -> None:
    shape.seen[path] += 1
    shape.kinds.setdefault(path, set()).add(kind_of(value))
    if isinstance(value, str):
        shape.forms.setdefault(path, set()).add(form_of(value))


def form_of(text: str) -> str:
    """The form of a text, where it has a known one."""
    return next((name for name, form in _FORMS if re.fullmatch(form, text, re.DOTALL)), "text")


@cache
def declared(kind: type[Record]) -> Kinds:
    """The kinds that a record of ours expects at each path; nothing of what we fill in ourselves."""
    schema = kind.model_json_schema(mode="validation")
    found: dict[str, set[str]] = {}
    _declare(schema, schema.get("$defs", {}), "", found)
    return {
        path: frozenset(kinds) for path, kinds in found.items() if path.partition(".")[0] not in kind.ours
    }


def _declare(part: Mapping[str, Any], defs: Mapping[str, Any], at: str, found: dict[str, set[str]]) -> None:
    if "$ref" in part:
        part = defs[part["$ref"].rpartition("/")[2]]
    for one in part.get("anyOf", ()):
        _declare(one, defs, at, found)
    if at and "type" in part:
        found.setdefault(at, set()).add("number" if part["type"] == "integer" else part["type"])
    for name, inner in part.get("properties", {}).items():
        _declare(inner, defs, f"{at}.{name}" if at else name, found)
    if "items" in part:
        _declare(part["items"], defs, f"{at}[]", found)


@cache
def documented() -> Mapping[str, Kinds]:
    """The kinds that stand in the documented example of each tool's reply."""
    text = files(__package__).joinpath(DOCUMENTED).read_text(encoding="utf-8")
    return {
        tool: {path: frozenset(kinds) for path, kinds in paths.items()}
        for tool, paths in json.loads(text).items()
    }


@dataclass(frozen=True, slots=True)
class Comparison:
    """How a reply differs from what is documented, as paths."""

    missing: tuple[str, ...] = ()
    """Documented, and never there though what holds them was."""
    sometimes: tuple[str, ...] = ()
    """Documented, and not always there."""
    unknown: tuple[str, ...] = ()
    differs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Where kinds stand that neither the documentation nor our records have."""

    @property
    def same(self) -> bool:
        return not (self.missing or self.unknown or self.differs)


def compared(shape: Shape, example: Kinds, ours: Kinds) -> Comparison:
    """Hold a shape against the documented example and our record."""
    missing, sometimes = [], []
    for path in example:
        holder = path.rpartition(".")[0]
        times = shape.seen[holder] if holder else 1
        if path.endswith("[]") or not times or (holder and "object" not in shape.kinds.get(holder, ())):
            continue
        if not shape.seen[path]:
            missing.append(path)
        elif shape.seen[path] < times:
            sometimes.append(path)
    allowed = {
        path: example.get(path, frozenset()) | ours.get(path, frozenset()) for path in {*example, *ours}
    }
    differs = {
        path: tuple(sorted(strange))
        for path, kinds in shape.kinds.items()
        if (strange := kinds - allowed[path] - {"null"})
    }
    unknown = (
        *sorted(shape.unknown),
        *(_untold(at, many) for at, many in sorted(shape.untold.items()) if many),
    )
    return Comparison(tuple(missing), tuple(sometimes), unknown, differs)


def _untold(at: str, many: int) -> str:
    """So many names of fields at a place, without the names."""
    told = "(1 name that is not told)" if many == 1 else f"({many} names that are not told)"
    return f"{at}.{told}" if at else told
