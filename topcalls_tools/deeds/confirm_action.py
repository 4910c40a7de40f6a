"""Redeeming a slip: what a person agreed to, in hosts that cannot show a form."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from ..action import Effect
from ..api import CATALOG
from ..api.fields import E164, Number
from ..endpoint import Done
from ..errors import Declined, Refused
from ..flow import Deed, perform
from ..flow.steps import Answer, Desk, Flow, Keep

if TYPE_CHECKING:
    from ..journal import AskRow, DialRow


class ConfirmAction(Deed[Done], effect=Effect.SPEND, toolset="slips"):
    """Carry out what a person has just agreed to. Needs the slip that came with the question, and names
    again in clear whom it is about and what it may use; works once, within 10 minutes."""

    slip: Annotated[str, Field(pattern=r"^[A-Z0-9]{24}$")]
    """The slip from the question, 24 letters and digits."""
    target: Annotated[str, Field(min_length=1, max_length=500)]
    """The number or name that the question is about, as it stands there."""
    max_minutes: Annotated[Number, Field(ge=0)]
    """The most call minutes that the question names; 0 where it names none."""

    def flow(self, desk: Desk) -> Flow[Done]:
        from ..approval.slips import digest, opened
        from ..wire import iso

        sought = digest(self.slip, desk)
        ask: AskRow | None = yield Keep(lambda: desk.journal().by_slip(sought, desk.clock()))
        here = (desk.account, desk.line)
        if ask is None or (ask.account, ask.line) != here or ask.expires_at <= desk.clock():
            raise Refused(
                "slip", "This slip is unknown or over; call the tool itself again for a new question."
            )
        if ask.decision == "no":
            raise Declined("The person said no to this question; ask them before anything else is tried.")
        if not _same(self.target, ask.target) or abs(self.max_minutes - ask.minutes) > 0.005:
            wanted = json.dumps({"target": ask.target, "max_minutes": ask.minutes})
            raise Refused("slip", f"The question was about something else; give just {wanted}.")
        if ask.reply is not None and ask.used_at is not None:
            return Done.model_validate({**ask.reply, "replayed": True, "first_at": iso(ask.used_at)})
        arguments: dict[str, Any]
        if ask.box is not None:
            arguments = json.loads(opened(ask.box, desk))
        else:  # used before: a dial's own row says what was sent
            dial: DialRow = yield Keep(lambda: desk.journal().dial(ask.key))
            arguments = dial.arguments
        kind = next(endpoint for endpoint in CATALOG if endpoint.tool == ask.tool)
        request = kind.model_validate(arguments)
        done: Done = yield from perform(request, desk, Answer(True, f"{ask.key}.{ask.digest}", "slip"))
        return done


def _same(given: str, asked: str) -> bool:
    if given.strip().casefold() == asked.strip().casefold():
        return True
    try:
        return E164.parse(given) == asked
    except ValueError:
        return False
