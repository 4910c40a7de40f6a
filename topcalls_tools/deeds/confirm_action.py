"""Redeeming a slip: what a person agreed to, in hosts that cannot show a form."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from ..action import Effect
from ..api import CATALOG
from ..api.fields import E164, Number
from ..endpoint import Done
from ..errors import Refused
from ..flow import Deed, perform
from ..steps import Answer, Desk, Flow, Keep

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

        sought = digest(self.slip, desk)
        ask: AskRow | None = yield Keep(lambda: desk.journal().by_slip(sought))
        if ask is None or ask.account != desk.account or ask.expires_at <= desk.clock():
            raise Refused(
                "slip", "This slip is unknown or over; call the tool itself again for a new question."
            )
        if not _same(self.target, ask.target) or abs(self.max_minutes - ask.minutes) > 0.005:
            raise Refused(
                "slip",
                f"The question was about {ask.target} and at most {ask.minutes:g} minutes; give just these.",
            )
        if ask.reply is not None:
            return Done.model_validate({**ask.reply, "replayed": True})
        arguments: dict[str, Any]
        if ask.box is None:  # used before: the dial itself says what was sent
            dial: DialRow = yield Keep(lambda: desk.journal().dial(ask.key))
            arguments = dial.arguments
        else:
            arguments = json.loads(opened(ask.box, desk))
        kind = next(endpoint for endpoint in CATALOG if endpoint.tool == ask.tool)
        request = kind.model_validate(arguments)
        done: Done = yield from perform(request, desk, Answer(True, f"{ask.key}.{ask.digest}"))
        return done


def _same(given: str, asked: str) -> bool:
    if asked.startswith("+"):
        try:
            return E164.parse(given) == asked
        except ValueError:
            return False
    return given.strip().casefold() == asked.strip().casefold()
