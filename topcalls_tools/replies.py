"""Reading what TopCalls answers: generously, and fit to be repeated."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from .action import R
from .errors import FieldError
from .wire import MOST_LEVELS, depth


def parsed(kind: type[R], content: bytes) -> R:
    """A reply as a record. What cannot be read is absent; raises ValidationError where the rest is not
    enough."""
    try:
        return _bounded(kind.model_validate_json(content))
    except ValidationError as wrong:
        found = kind.settled(_json(content, wrong))
    for _ in range(3):  # a dropped field may have been one that its row cannot do without
        try:
            return _bounded(kind.model_validate(found))
        except ValidationError as wrong:
            for item in wrong.errors():
                _drop(found, item["loc"][:-1] if item["type"] == "missing" else item["loc"])
            found = _without_gone(found)
    return _bounded(kind.model_validate(found))


def _bounded(record: R) -> R:
    """A reply without what TopCalls may not say in our name, and without what could not be written down."""
    own = {name: None for name in record.ours}
    if record.model_extra and depth(record.model_extra) > MOST_LEVELS:
        record.model_extra.clear()
    return record.model_copy(update=own) if own else record


def _json(content: bytes, wrong: ValidationError) -> Any:
    """A reply that pydantic cannot read; half of a character, which some senders make, becomes a mark."""
    try:
        found = json.loads(content)
        text = (
            json.dumps(found, ensure_ascii=False)
            .encode("utf-16", "surrogatepass")
            .decode("utf-16", "replace")
        )
        return json.loads(text)
    except (ValueError, RecursionError):
        raise wrong from None


_GONE = object()


def _drop(found: Any, steps: tuple[int | str, ...]) -> None:
    """Mark what a path leads to as gone: a field that cannot be read is absent.

    The path may end in names of pydantic's own, such as a union's branches; the last that is there counts.
    """
    at: tuple[Any, Any] | None = None
    for step in steps:
        inside = isinstance(found, dict) and step in found
        if not inside and not (isinstance(found, list) and isinstance(step, int) and step < len(found)):
            break
        at, found = (found, step), found[step]
    if at:
        at[0][at[1]] = _GONE


def _without_gone(found: Any) -> Any:
    match found:
        case dict():
            return {name: _without_gone(value) for name, value in found.items() if value is not _GONE}
        case list():
            return [_without_gone(value) for value in found if value is not _GONE]
        case _:
            return found


def field_errors(problem: Mapping[str, Any]) -> list[FieldError]:
    errors = problem.get("errors")
    found = [item for item in errors if isinstance(item, dict)] if isinstance(errors, list) else []
    names = [(text(item.get("path")), text(item.get("message")), text(item.get("code"))) for item in found]
    return [FieldError(path, message, code or None) for path, message, code in names]


def text(value: Any) -> str:
    """A text of TopCalls' on one line, without what would steer a terminal or a reader."""
    return (
        re.sub(r"\s+", " ", "".join(c if c.isprintable() else " " for c in value[:500]))
        if isinstance(value, str)
        else ""
    )


def opening(content: bytes) -> str:
    """The first 200 characters of a reply on one line."""
    text = re.sub(r"[^\x20-\x7e]+", " ", content[:800].decode("utf-8", "replace"))
    return text[:200].strip() or "an empty body"


def seconds(value: str | None) -> float | None:
    """`Retry-After` in seconds; None where it is absent or no number."""
    return float(value) if value and value.isascii() and value.isdigit() else None
