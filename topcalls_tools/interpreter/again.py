"""Which call is placed once more, and what somebody asked of it."""

from __future__ import annotations

from typing import Any

from ..api.calls import Call, CallFacts, PlaceCall
from ..api.fields import E164
from .meaning import Found, Meant, Missing, Words
from .people import calls, last_call, shown, whom
from .scene import Look

BRIEFS = ("task", "instructions")
"""The arguments that say what a call is for."""


def back(words: Words) -> Found | None:
    """The call to place once more: the one spoken of, or the last to somebody."""
    if words.are("person") or words.are("this_call"):
        call = last_call(words.scene)
        if call is None:
            return words.unsure("nobody_spoken_of", word=words.written)
    elif words.are("last_call"):
        own = [one for one in calls(words.scene) if one.campaign_id is None]
        if words.scene.last_call and own and own[0].id != words.scene.last_call:
            return words.unsure("which_again")
        if not own:
            return words.unsure("no_call")
        call = own[0]
    else:
        found = whom(words)
        if found is None or found.only is None:
            return found
        number = found.only.arguments["phone_number"]
        to = [one for one in calls(words.scene) if E164.read(one.phone_number) == number]
        if not to:
            return words.unsure("no_call_to", whom=found.only.words)
        call = to[0]
    return _again(call, words)


def bare_back(words: Words) -> Found:
    """The call spoken of, to place once more: "Redial." """
    call = last_call(words.scene)
    return words.unsure("which_again") if call is None else _again(call, words)


def _again(call: CallFacts, words: Words) -> Found:
    """A call as somebody asked for it, by the journal; else its task and its limit, by what TopCalls tells,
    who tells as well what nobody asked for. Where neither does, nobody can."""
    if not isinstance(call, Call):
        raise Missing(Look("call", call.id))
    if call.id not in words.scene.placed:
        raise Missing(Look("placed", call.id))
    placed, note = words.scene.placed[call.id], ""
    if placed is None:
        given, note = _echoed(call), words.book.say["task_alone"]
    else:
        given = {**placed.arguments}
        note = "" if placed.opening_known else words.book.say["opening_unknown"]
    task = next((str(given[name]) for name in BRIEFS if given.get(name)), "")
    if call.campaign_id or not task or not call.phone_number:
        return words.unsure("task_not_known", whom=shown(call.phone_number or "?", words.scene))
    told = {**given, "phone_number": call.phone_number, "back": task, "back_note": note}
    return Found((Meant(told, shown(call.phone_number, words.scene)),))


def _echoed(call: Call) -> dict[str, Any]:
    """What a call was for, and how long it might last, as TopCalls tells it."""
    from ..guard.compose import own_brief  # no rule is needed until somebody asks

    told = call.metadata or {}
    given: dict[str, Any] = {name: own_brief(str(told[name])) for name in BRIEFS if told.get(name)}
    most = told.get("max_duration")
    usual = PlaceCall.model_fields["max_duration"].default
    return given if most in (None, usual) else {**given, "max_duration": most}
