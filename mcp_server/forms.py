"""How a person is asked through an assistant: its own form in two protocol generations, or else a slip."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import anyio
import mcp_types as types
from mcp.server.context import ServerRequestContext
from mcp.shared.exceptions import MCPError

from topcalls_tools.client import AsyncApprove
from topcalls_tools.connect import Line
from topcalls_tools.errors import Declined
from topcalls_tools.steps import Answer, Ask, Pending

MODERN = "2026-07-28"
"""From this protocol version on, a question ends the call and the same call comes back with the answer."""
OPEN_FOR = 300.0
"""Seconds that a person's form stays open."""
FIELD = "approval"
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"yes": {"type": "boolean", "title": "Approve", "description": "Do just this, once."}},
    "required": ["yes"],
}


def can_ask(ctx: ServerRequestContext[Any]) -> bool:
    """Whether this assistant shows forms: elicitation without a mode named means forms."""
    declared = ctx.session.client_capabilities.elicitation if ctx.session.client_capabilities else None
    return declared is not None and (declared.form is not None or declared.url is None)


def approver(ctx: ServerRequestContext[Any], line: Line) -> AsyncApprove:
    """The way to ask for one call of a tool. Raises Pending where the question travels in the result."""

    async def approve(ask: Ask) -> Answer:
        if line.approval == "none":
            return Answer(True, ask.seal, "practice")
        if not can_ask(ctx):
            if line.approval == "slips":
                raise Pending(ask)
            raise Declined(
                "This needs a person's yes and this assistant shows no forms, so nothing was sent; "
                "use an assistant "
                'that shows them, or let the owner set approval = "slips" in policy.toml.'
            )
        if ctx.protocol_version >= MODERN:
            raise Pending(ask)
        opened = line.timer()
        with anyio.move_on_after(OPEN_FOR), suppress(MCPError):
            said = await ctx.session.elicit_form(
                ask.question.text(), SCHEMA, related_request_id=ctx.request_id
            )
            return _heard(said, ask.seal, line.timer() - opened)
        return Answer(None, ask.seal)

    return approve


def asked(ask: Ask, line: Line) -> types.InputRequiredResult:
    """The question as a result, for assistants that repeat the call with the person's answer.

    What travels is the seal, and the moment at which the form left.
    """
    form = types.ElicitRequestFormParams(message=ask.question.text(), requested_schema=SCHEMA)
    return types.InputRequiredResult(
        input_requests={FIELD: types.ElicitRequest(params=form)},
        request_state=f"{ask.seal} {line.clock().timestamp()}",
    )


def answered(params: types.CallToolRequestParams, line: Line) -> Answer | None:
    """The person's answer, when this call is the repetition of one that asked."""
    if params.request_state is None:
        return None
    seal, _, left_at = params.request_state.partition(" ")
    after = line.clock().timestamp() - float(left_at or "inf")
    return _heard((params.input_responses or {}).get(FIELD), seal, after)


def _heard(said: object, seal: str, after: float) -> Answer:
    """Yes and no are answers. Everything else (closed, empty, malformed) is none, and leaves the question
    open."""
    action, content = getattr(said, "action", None), getattr(said, "content", None) or {}
    yes = content.get("yes") if isinstance(content, dict) else None
    if action == "decline" or (action == "accept" and yes is False):
        return Answer(False, seal, after=after)
    return Answer(True if action == "accept" and yes is True else None, seal, after=after)
