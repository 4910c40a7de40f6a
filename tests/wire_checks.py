"""What schemathesis checks in each reply beside its own: loaded by `test_openapi.py` into schemathesis' process."""

from __future__ import annotations

import itertools
import re
from typing import Any

import schemathesis

_TURNS = itertools.count()
_SHORT_KEY = re.compile(r"[A-Za-z0-9_-]{8,200}")
UNSAID = frozenset({"value_error", "unknown", "unreadable", "not_active", "mode_mismatch"})
"""Codes of refusals that no JSON Schema can foretell: a number that cannot be dialled, an object that is not there."""
EXCLUSIVE = (("task", "instructions"), ("notes", "notes_append"))
"""Fields of which one may be given."""
IGNORED_UNLESS = {"inbound_auth": "auth", "registration": "reg"}
"""Credentials, and the type of trunk without which they are ignored, whatever they are (contract A82)."""
PRIVATE = frozenset({"replayed", "first_at", "note"})
"""Fields that only the tools fill in."""


@schemathesis.hook
def before_call(ctx: schemathesis.HookContext, case: schemathesis.Case, kwargs: dict[str, Any]) -> None:
    """Take out what would hide all else: keys used before, one of what excludes each other, what is ignored."""
    if case.meta is None or _is_about_a_header(case):
        return  # a case that a hook changes is judged anew, as a good one
    key = case.headers.get("Idempotency-Key")
    if isinstance(key, str) and _SHORT_KEY.fullmatch(key):
        case.headers["Idempotency-Key"] = f"{key}-{next(_TURNS)}"
    if isinstance(case.body, dict):
        for pair in EXCLUSIVE:
            if case.body.keys() >= set(pair):
                del case.body[pair[next(_TURNS) % 2]]
        for name, trunk in IGNORED_UNLESS.items():
            if case.body.get("trunk_type") != trunk:
                case.body.pop(name, None)


def _is_about_a_header(case: schemathesis.Case) -> bool:
    negative = case.meta.generation.mode.is_negative
    return negative and case.meta.phase.data.parameter_location == "header"


@schemathesis.check
def valid_data_is_refused_for_what_no_schema_says(
    ctx: schemathesis.CheckContext, response: schemathesis.Response, case: schemathesis.Case
) -> None:
    """A request that fits the document may be refused for the state of the world, never for its form."""
    if case.meta is None or not case.meta.generation.mode.is_positive or response.status_code != 400:
        return
    if None in case.path_parameters.values():
        return  # schemathesis followed a field that was null
    problem = response.json()
    if problem["type"].endswith("/validation_error"):
        unforeseen = [wrong for wrong in problem["errors"] if wrong["code"] not in UNSAID]
        assert not unforeseen, f"the document allows what the sandbox refuses: {unforeseen}"


@schemathesis.check
def a_refusal_says_its_own_status(
    ctx: schemathesis.CheckContext, response: schemathesis.Response, case: schemathesis.Case
) -> None:
    if response.status_code >= 400:
        assert response.json()["status"] == response.status_code


@schemathesis.check
def a_reply_holds_no_key_and_no_field_of_the_tools(
    ctx: schemathesis.CheckContext, response: schemathesis.Response, case: schemathesis.Case
) -> None:
    assert "tc_test_" not in response.text
    if response.content and response.status_code < 300:
        assert not PRIVATE & response.json().keys()
