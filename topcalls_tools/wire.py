"""The two values that cross the wire, without naming an HTTP library; how JSON and times stand there."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request: `path` begins with /v1, `query` holds strings, `body` is JSON or None."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reply:
    """One HTTP reply: `content` is the body's bytes, `headers` have lower-case names."""

    status: int
    content: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    def problem(self) -> Mapping[str, Any]:
        """The problem document (RFC 7807) in the body; empty where there is none."""
        try:
            found = json.loads(self.content)
        except (ValueError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}


MOST_LEVELS = 100
"""How deep JSON may be nested that somebody else composed: beyond that nothing can print it."""


def depth(value: Any, level: int = 1) -> int:
    """How deep lists and objects are nested, counted no further than just past MOST_LEVELS."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ()
    return level if level > MOST_LEVELS else max((depth(item, level + 1) for item in inner), default=level)


def iso(at: datetime) -> str:
    """A time (aware, UTC) as TopCalls writes times."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def moment(text: str | None) -> datetime | None:
    """The inverse of `iso`, aware; None where nothing stands there that is a time."""
    try:
        at = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def just_after(created_at: str | None) -> str | None:
    """The cursor before which what was made at that moment stands: one unit more in the last place that is
    shown. None where nothing stands there that is a time."""
    at = moment(created_at)
    if at is None or created_at is None:
        return None
    unit, places = timedelta(milliseconds=1), "milliseconds"
    if "." not in created_at:
        unit, places = timedelta(seconds=1), "seconds"
    elif at.microsecond % 1000:
        unit, places = timedelta(microseconds=1), "microseconds"
    return (at + unit).astimezone(UTC).isoformat(timespec=places).replace("+00:00", "Z")
