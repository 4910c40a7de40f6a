"""What the sandbox says no with: a problem document (RFC 7807)."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass

from ..wire import Reply

_SLUGS = "https://api.topcalls.ai/errors/"
BAD_NUMBER = "Phone number must be in E.164 format"


@dataclass(frozen=True, slots=True)
class Wrong:
    """One wrong field: dotted path, what is wrong with it, and a code."""

    path: str
    message: str
    code: str = "invalid"


class Problem(Exception):
    """A request is refused; nothing that it began stays."""

    def __init__(
        self, status: int, slug: str, title: str, detail: str, *errors: Wrong, wait: int | None = None
    ) -> None:
        super().__init__(detail)
        self.wait = wait
        self.status = status
        self.slug = slug
        self.title = title
        self.detail = detail
        self.errors = errors

    def reply(self) -> Reply:
        """The document, with a fresh id of this occurrence."""
        document = {
            "type": f"{_SLUGS}{self.slug}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "instance": str(uuid.uuid4()),
            "errors": [
                {"path": wrong.path, "message": wrong.message, "code": wrong.code} for wrong in self.errors
            ],
        }
        headers = {"content-type": "application/problem+json"}
        if self.wait is not None:
            headers["retry-after"] = str(self.wait)
        return Reply(self.status, json.dumps(document).encode(), headers)


def invalid(*errors: Wrong) -> Problem:
    """400 for fields; a phone number has a documented text of its own."""
    first = errors[0]
    detail = BAD_NUMBER if first.path == "phone_number" else f"{first.path}: {first.message}"
    return Problem(400, "validation_error", "Invalid request body", detail, *errors)


def invalid_state(detail: str) -> Problem:
    return Problem(400, "invalid_state", "Invalid State", detail)


def not_found(what: str) -> Problem:
    return Problem(404, "not_found", "Not Found", f"No {what} here")


def forbidden(detail: str) -> Problem:
    return Problem(403, "forbidden", "Forbidden", detail)


def unauthorized(detail: str) -> Problem:
    return Problem(401, "unauthorized", "Unauthorized", detail)


def rate_limited(seconds: int) -> Problem:
    """429; says in how many whole seconds it may be tried again (contract A26)."""
    detail = f"Too many requests; try again in {seconds} seconds"
    return Problem(429, "rate_limited", "Too Many Requests", detail, wait=seconds)


def insufficient(needed: float, left: float) -> Problem:
    """402 with the documented sentence."""
    detail = f"You need {needed:g} minutes but have {left:g} remaining"
    return Problem(402, "insufficient_quota", "Insufficient Quota", detail)
