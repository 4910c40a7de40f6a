"""The flow that reads a sentence: it looks up what the sentence speaks of, and does nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pydantic import ValidationError

from ..api.calls import GetCall, ListCalls, PlaceCall
from ..api.campaigns import ListCampaigns
from ..api.fields import Paged
from ..api.phone_numbers import ListCarriers, ListPhoneNumbers
from ..contacts import Contact
from ..errors import Invalid, NotFound, TopCallsError
from ..flow.steps import Desk, Flow, Keep, read
from .again import BRIEFS
from .reading import interpret
from .scene import Doubt, Look, Placed, Reading, Scene

MOST_PAGES = 10
"""Pages of a list that are read for one sentence; what stands after them is spoken of by its id."""


def understood(sentence: str, desk: Desk, scene: Scene) -> Flow[Reading | Doubt]:
    """Read a sentence as one action, or as a doubt. Only reads are sent, and only those that it needs.

    Raises a TopCallsError where something cannot be looked up.
    """
    while isinstance(found := interpret(sentence, scene), Look):
        scene = yield from _looked(found, desk, scene)
    return found


def _looked(look: Look, desk: Desk, scene: Scene) -> Flow[Scene]:
    """The scene with what was missing."""
    match look.at:
        case "contacts":
            book: Mapping[str, Contact] = yield Keep(lambda: desk.contacts())
            return replace(scene, contacts=book)
        case "calls":
            page = yield from read(ListCalls(limit=200), desk)
            return replace(scene, calls=page.data)
        case "campaigns":
            return replace(scene, campaigns=(yield from _all(ListCampaigns(limit=200), desk)))
        case "numbers":
            return replace(scene, numbers=(yield from _all(ListPhoneNumbers(limit=200), desk)))
        case "carriers":
            carriers = yield from read(ListCarriers(), desk)
            return replace(scene, carriers=carriers.data)
        case "call":
            return (yield from _one_call(str(look.call_id), desk, scene))
        case "placed":
            call_id = str(look.call_id)
            placed = yield from _placed(call_id, desk)
            return replace(scene, placed={**scene.placed, call_id: placed})


def _one_call(call_id: str, desk: Desk, scene: Scene) -> Flow[Scene]:
    """The scene with everything that is told of one call; without the call where there is none."""
    others = tuple(one for one in scene.calls or () if one.id != call_id)
    try:
        call = yield from read(GetCall(call_id=call_id), desk)
    except (Invalid, NotFound):  # what is no id of TopCalls is the id of no call
        last = None if scene.last_call == call_id else scene.last_call
        return replace(scene, calls=others, last_call=last, gone=scene.gone | {call_id})
    known = any(one.id == call_id for one in scene.calls or ())
    calls = tuple(call if one.id == call_id else one for one in scene.calls or ())
    return replace(scene, calls=calls if known else (*calls, call))


def _placed(call_id: str, desk: Desk) -> Flow[Placed | None]:
    """What was asked of a call that was placed from here, as far as the journal tells."""
    from ..guard.compose import own_brief, own_opening  # no rule and no journal is needed until somebody asks
    from ..journal.called import Called, called

    if not desk.noted():
        return None
    try:
        known: Called = yield Keep(lambda: called(desk.journal(), desk.account, call_id))
        policy, contacts = desk.policy(), desk.contacts()
    except TopCallsError:
        return None
    if known.dial is None:
        return None
    names = PlaceCall.model_fields.keys() - PlaceCall.for_code
    try:
        sent = PlaceCall.model_validate(
            {name: known.dial.arguments[name] for name in names & known.dial.arguments.keys()}
        )
    except ValidationError:  # it was forgotten, or is of another time
        return None
    first = own_opening(sent.first_sentence or "", contacts.get(sent.phone_number), policy)
    briefs = {name: own_brief(text) for name in BRIEFS if (text := getattr(sent, name))}
    asked = sent.model_copy(update={**briefs, "first_sentence": first or None})
    told = asked.model_dump(mode="json", exclude_defaults=True, exclude_none=True)
    return Placed(told, opening_known=first is not None)


def _all(first: Paged[Any], desk: Desk) -> Flow[tuple[Any, ...]]:
    rows: list[Any] = []
    more = first
    for _ in range(MOST_PAGES):
        page = yield from read(more, desk)
        rows += page.data
        if page.next_cursor is None or page.next_cursor == more.cursor:
            break
        more = more.model_copy(update={"cursor": page.next_cursor})
    return tuple(rows)
