"""How a person is asked through an assistant: its own form in two protocol generations, else the screen or a
slip."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import anyio
import mcp_types as types
from mcp.server.context import ServerRequestContext
from mcp.shared.exceptions import MCPError

from topcalls_tools.client import AsyncApprove
from topcalls_tools.connect import Line
from topcalls_tools.errors import Unanswered
from topcalls_tools.flow.steps import READS_FOR, Answer, Ask, Pending

MODERN = "2026-07-28"
"""From this protocol version on, a question ends the call and the same call comes back with the answer."""
OPEN_FOR = 300.0
"""Seconds that a person's form stays open."""
SCREEN_WAITS = 25.0
"""Seconds that a call waits for an answer on the screen; there must be time left to dial after it."""
LOOKS_EVERY = 0.25
"""Seconds between two looks whether it was answered."""
NOWHERE = (
    "A person has to agree first, and neither a form nor a window could be opened here; nothing was sent. "
    "The question stays open for 10 minutes: the owner answers it with `topcalls approvals` in a terminal, "
    "and then the same call again goes on."
)
ON_SCREEN = (
    "A question is open on the person's screen, and nothing was sent yet; the same call again goes on once "
    "it is answered there, within 10 minutes."
)
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


def approver(ctx: ServerRequestContext[Any], line: Line, *, unread: bool = False) -> AsyncApprove:
    """The way to ask for one call of a tool. `unread` says that this call's form came back and nobody had
    read it. Raises Pending where the question travels in the result, Unanswered where it waits elsewhere."""

    async def approve(ask: Ask) -> Answer:
        if line.approval == "none" and (ask.covered or not line.strict):
            return Answer(True, ask.seal, "none" if line.strict else "practice")
        if can_ask(ctx) and not unread:
            if ctx.protocol_version >= MODERN:
                raise Pending(ask)
            said, after = await _form(ctx, ask, line)
            if not (line.strict and _unread(said, after)):
                return _heard(said, ask.seal, after)
        slips = line.approval == "slips"
        if (line.strict or not slips) and await anyio.to_thread.run_sync(line.screen, ask.key):
            return await _on_screen(ask, line)
        raise Pending(ask) if slips else Unanswered(NOWHERE)

    return approve


async def _form(ctx: ServerRequestContext[Any], ask: Ask, line: Line) -> tuple[object, float]:
    """The assistant's own form: what came back, and after how many seconds."""
    opened = line.timer()
    said: object = None
    with anyio.move_on_after(OPEN_FOR), suppress(MCPError):
        said = await ctx.session.elicit_form(ask.question.text(), SCHEMA, related_request_id=ctx.request_id)
    return said, line.timer() - opened


async def _on_screen(ask: Ask, line: Line) -> Answer:
    """The approval page, for as long as an assistant waits. The question stays open beyond that."""
    journal = line.desk().journal
    until = line.timer() + SCREEN_WAITS
    while True:
        row = await anyio.to_thread.run_sync(lambda: journal().asked(ask.key))
        if row is not None and row.decision is not None:
            return Answer(row.decision == "yes", ask.seal, "page")
        if line.timer() >= until or row is None or row.expires_at <= line.clock():
            raise Unanswered(ON_SCREEN)
        await anyio.sleep(LOOKS_EVERY)


def asked(ask: Ask, line: Line) -> types.InputRequiredResult:
    """The question as a result, for assistants that repeat the call with the person's answer.

    What travels is the seal, and the moment at which the form left.
    """
    form = types.ElicitRequestFormParams(message=ask.question.text(), requested_schema=SCHEMA)
    return types.InputRequiredResult(
        input_requests={FIELD: types.ElicitRequest(params=form)},
        request_state=f"{ask.seal} {line.clock().timestamp()} {ask.minutes!r}",
    )


def answered(params: types.CallToolRequestParams, line: Line) -> tuple[Answer | None, bool]:
    """The person's answer, when this call is the repetition of one that asked; and whether a form came back
    that nobody can have read."""
    if params.request_state is None:
        return None, False
    seal, left_at, minutes = params.request_state.split(" ")
    after = line.clock().timestamp() - float(left_at)
    said = (params.input_responses or {}).get(FIELD)
    unread = line.strict and _unread(said, after)
    return (None if unread else _heard(said, seal, after, float(minutes))), unread


def _unread(said: object, after: float) -> bool:
    """Whether a form came back faster than a person reads, or says yes without saying it."""
    return after < READS_FOR or (getattr(said, "action", None) == "accept" and _yes(said) is None)


def _heard(said: object, seal: str, after: float, minutes: float | None = None) -> Answer:
    """Yes and no are answers. Everything else (closed, empty, malformed) is none."""
    action = getattr(said, "action", None)
    yes = False if action == "decline" else _yes(said) if action == "accept" else None
    return Answer(yes, seal, "form", after, minutes)


def _yes(said: object) -> bool | None:
    content = getattr(said, "content", None)
    yes = content.get("yes") if isinstance(content, dict) else None
    return yes if isinstance(yes, bool) else None
