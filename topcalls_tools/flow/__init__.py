"""What to do, apart from how: a flow for every action, by what it does to the world."""

from __future__ import annotations

import uuid
from abc import abstractmethod
from typing import Any, Generic

from ..action import Action, Effect, R
from ..endpoint import Brake, Endpoint, Stopped
from ..errors import Invalid, TopCallsError
from .steps import Answer, Desk, Flow, Keep, read, transmit


class Deed(Action[R], Generic[R]):
    """Base of the tools that are no endpoint: an action with a flow of its own."""

    @abstractmethod
    def flow(self, desk: Desk) -> Flow[R]:
        """What it does, as steps."""


def perform(action: Action[R], desk: Desk, answer: Answer | None = None) -> Flow[R]:
    """Carry out one action: at once where it reads or stops something, asked and written down where it
    does not."""
    reread: Any = type(action).model_validate(action.model_dump())  # model_copy() validates nothing
    flow: Any
    match reread:
        case Deed():
            flow = reread.flow(desk)
        case Brake():
            flow = stopped(reread, desk)
        case Endpoint(effect=Effect.READ):
            flow = read(reread, desk)
        case Endpoint():
            from .consent import agreed

            flow = agreed(reread, desk, answer)
        case _:
            raise TypeError(f"{action.tool} is neither an endpoint nor a deed.")
    reply: R = yield from flow
    return reply


def stopped(request: Brake, desk: Desk) -> Flow[Stopped]:
    """Stop something at once, and note it afterwards where that takes no time."""
    done = yield from brake(request, desk)
    facts = {"tool": request.tool, "ok": done.ok, "status": done.status}
    what = str(getattr(request, request.handles[-1]))
    yield Keep(lambda: desk.briefly(lambda journal: journal.stopped(desk.account, desk.clock(), what, facts)))
    return done


def brake(request: Brake, desk: Desk) -> Flow[Stopped]:
    """Stop something at once. Where TopCalls refuses or its answer is lost, look what the object's state
    is."""
    try:
        return request.reply((yield from transmit(request, desk, uuid.uuid4().hex)))
    except Invalid as error:
        if error.slug not in ("invalid_state", None):
            raise
        trouble: TopCallsError = error
    except TopCallsError as error:
        if error.happened is False:
            raise
        trouble = error
    look = request.look()
    try:
        status = str((yield from read(look, desk)).model_dump().get("status"))
    except TopCallsError:
        raise trouble from None
    noun = look.tool.removeprefix("get_")
    if status not in request.calm and not isinstance(trouble, Invalid):
        raise trouble
    if status not in request.calm:
        state = status.replace("_", " ")
        raise Invalid(f"The {noun} is {state}; {request.instead(status)}.", 400, slug="invalid_state")
    if isinstance(trouble, Invalid):
        return Stopped(ok=False, status=status, note=f"The {noun} is {status}; nothing was left to stop.")
    return Stopped(ok=True, status=status, note=f"The answer was lost; the {noun} is {status} now.")
