"""Reads what arrives: which endpoint is meant, with which arguments, or what is wrong with them."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from ...api import CATALOG
from ...api.configuration import ListBuiltinVoices
from ...api.phone_numbers import AddCarrier
from ...endpoint import WITH_BODY, Endpoint
from ..problem import Problem, Wrong, invalid

LARGEST = 1_048_576
"""Bytes that a body may have."""
_E164 = re.compile(r"\+[1-9][0-9]{1,14}")
_KEY = re.compile(r"[A-Za-z0-9_-]{8,255}")
_STRICT_NUMBERS = ("phone_number", "from_number", "number")


@dataclass(frozen=True, slots=True)
class Arrived:
    """An HTTP request as it came: the path decoded, header names in lower case."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


Holes = Mapping[str, str]
_BY_LENGTH: dict[int, list[tuple[type[Endpoint[Any]], list[str]]]] = {}
for _kind in CATALOG:
    _BY_LENGTH.setdefault(_kind.path.count("/"), []).append((_kind, _kind.path.split("/")))


def route(arrived: Arrived) -> tuple[type[Endpoint[Any]], Holes] | None:
    """The endpoint of a path and method, if there is one (contract A44). Literal segments go before holes."""
    steps = arrived.path.split("/")
    alike = _BY_LENGTH.get(len(steps) - 1, ())
    found = [(kind, holes) for kind, path in alike if (holes := _holes(path, steps)) is not None]
    fewest = min((len(holes) for _, holes in found), default=0)
    for kind, holes in found:
        if len(holes) == fewest and kind.method == arrived.method:
            return kind, holes
    return None


def _holes(pattern: list[str], steps: list[str]) -> Holes | None:
    """What stands in the braces of a pattern, or None where the path is another."""
    holes = {}
    for part, step in zip(pattern, steps, strict=True):
        if part.startswith("{"):
            holes[part[1:-1]] = step
        elif part != step:
            return None
    return holes


def key(kind: type[Endpoint[Any]], arrived: Arrived) -> str | None:
    """The Idempotency-Key, where the endpoint takes one (contract A13)."""
    given = arrived.headers.get("idempotency-key")
    if not kind.keyed or given is None:
        return None
    if not _KEY.fullmatch(given):
        message = "must be 8 to 255 letters, digits, - and _"
        raise invalid(Wrong("Idempotency-Key", message, "malformed"))
    return given


def body(arrived: Arrived) -> dict[str, Any]:
    """The JSON object of a request that has one; no body is an empty one."""
    if arrived.method not in WITH_BODY or not arrived.body.strip():
        return {}
    if len(arrived.body) > LARGEST:
        raise Problem(400, "validation_error", "Invalid request body", "The body is larger than 1 MiB")
    try:
        found = json.loads(arrived.body.decode("utf-8"), parse_constant=_no_number)
        json.dumps(found)  # what is nested too deeply to be written is refused here, not later
    except (ValueError, RecursionError):
        raise _no_object() from None
    if not isinstance(found, dict):
        raise _no_object()
    return found


def _no_object() -> Problem:
    return Problem(400, "validation_error", "Invalid request body", "The body must be a JSON object")


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is no JSON number")


def request(
    kind: type[Endpoint[Any]], holes: Holes, query: Mapping[str, str], given: dict[str, Any]
) -> Endpoint[Any]:
    """The typed request; 400 with one entry for each wrong field."""
    wrong = [
        Wrong(name, "must be a UUID", "uuid")
        for name, value in [*holes.items(), *_ids(kind, query)]
        if not _is_uuid(value)
    ]
    wrong += [
        Wrong(name, "must be in E.164 format: a plus sign and 2 to 15 digits", "pattern")
        for name in _STRICT_NUMBERS
        if name in kind.model_fields and isinstance(given.get(name), str) and not _E164.fullmatch(given[name])
    ]
    try:
        read = _read(kind, holes, _loose(kind, query), _needed(kind, given))
    except ValidationError as report:
        named = {one.path for one in wrong}
        wrong += [one for one in _wrongs(kind, report) if one.path not in named]
    if wrong:
        raise invalid(*wrong)
    return read


def _ids(kind: type[Endpoint[Any]], query: Mapping[str, str]) -> list[tuple[str, str]]:
    """Ids that travel in the query."""
    return [
        (name, query[name])
        for name in ("campaign_id", "list_id")
        if name in kind.model_fields and name in query
    ]


def _is_uuid(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text.lower()
    except ValueError:
        return False


def _loose(kind: type[Endpoint[Any]], query: Mapping[str, str]) -> Mapping[str, str]:
    """Filters of voices are compared without regard to case (contract A95)."""
    if kind is ListBuiltinVoices and "mode" in query:
        return {**query, "mode": query["mode"].lower()}
    return query


def _needed(kind: type[Endpoint[Any]], given: dict[str, Any]) -> dict[str, Any]:
    """Credentials of another trunk type are ignored (contract A82)."""
    if kind is not AddCarrier:
        return given
    needless = {"inbound_auth": "auth", "registration": "reg"}
    return {
        name: value
        for name, value in given.items()
        if name not in needless or given.get("trunk_type") == needless[name]
    }


def _read(
    kind: type[Endpoint[Any]], holes: Holes, query: Mapping[str, str], given: dict[str, Any]
) -> Endpoint[Any]:
    """Read, without the unknown names that stand inside objects (contract A5)."""
    lower = {name: value.lower() for name, value in holes.items()}
    try:
        return kind.read(lower, query, given)
    except ValidationError as report:
        unknown = [item["loc"] for item in report.errors() if item["type"] == "extra_forbidden"]
        if not unknown:
            raise
    known: dict[str, Any] = json.loads(json.dumps(given))
    for *steps, last in unknown:
        inner: Any = known
        for step in steps:
            inner = inner[step]
        del inner[last]
    return kind.read(lower, query, known)


def _wrongs(kind: type[Endpoint[Any]], report: ValidationError) -> list[Wrong]:
    """Each wrong field with its dotted path (contract A29), and no value that was sent."""
    wrongs: dict[str, Wrong] = {}
    items = report.errors(include_url=False, include_input=False, include_context=False)
    places = [item["loc"] for item in items]
    for item in items:
        place, size = item["loc"], len(item["loc"])
        if any(len(other) > size and other[:size] == place for other in places):
            continue  # a list whose row is wrong is said to be too short as well
        message = item["msg"].removeprefix("Value error, ")
        message = message.replace("tuple", "list").replace("Tuple", "List").replace("dictionary", "object")
        path = ".".join(map(str, item["loc"]))
        if path == "sip_gateway" and "ipv4" in message:
            path = "sip_gateway.ipv4"
        first = re.split(r"\W", message, maxsplit=1)[0]
        if not path and first in kind.model_fields:
            path = first
        wrongs.setdefault(path, Wrong(path or "body", message, item["type"]))
    return list(wrongs.values())


def nothing_found(kind: type[Endpoint[Any]], problem: Problem) -> bool:
    """Whether a refusal is only a filter of voices with an unknown value: an empty list (contract A95)."""
    filters = {"mode", "provider", "gender", "language"}
    return kind is ListBuiltinVoices and {one.path for one in problem.errors} <= filters
