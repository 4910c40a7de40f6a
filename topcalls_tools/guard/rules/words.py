"""What a call's words may not order: to deny that an AI speaks, to pose as somebody, to sell unasked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ...api.calls import PlaceCall
from ...api.placeholders import filled
from .. import Allow, AskPerson, Facts, Refuse, Verdict
from ..words import Kind, orders
from . import in_policy, rule

if TYPE_CHECKING:
    from ..policy import Policy


@rule(of=PlaceCall, source="EU AI Act, Article 50; Cal. PUC 2874; word lists: house", checked="2026-11-25")
def denial(action: PlaceCall, facts: Facts, policy: Policy) -> Verdict:
    """A call does not order the agent to deny being an AI or to claim to be human, as far as word lists
    tell."""
    if found := _found(action, "denial"):
        return Refuse(found, "leave it out: whoever asks is told that an AI speaks")
    return Allow()


@rule(of=PlaceCall, source="47 CFR 64.1200(b); word lists: house", checked="2026-11-25")
def impersonation(action: PlaceCall, facts: Facts, policy: Policy) -> Verdict:
    """A call does not pose as a person, an authority or a company that the caller is not, as far as word
    lists tell."""
    if found := _found(action, "impersonation", policy.caller):
        return Refuse(found, "say on whose behalf you really call")
    return Allow()


@rule(of=PlaceCall, source="house; word lists: house", checked="2026-11-25")
def selling(action: PlaceCall, facts: Facts, policy: Policy) -> Verdict:
    """A call sells only where the policy allows it, and a person is then reminded of the consent, as far as
    word lists tell."""
    if found := _found(action, "selling"):
        if policy.selling:
            return AskPerson("This sells something; the consent must cover that.")
        return Refuse(found, "leave it out, or " + in_policy('choose pack = "outreach"'))
    return Allow()


def _found(action: PlaceCall, kind: Kind, caller: str | None = None) -> str:
    """Where such an order stands and what it is, in our words; empty where there is none."""
    for name, text in _texts(action):
        for order in orders(text, caller):
            if order.kind == kind:
                return f"There is {order.phrase} in {name}"
    return ""


def _texts(action: PlaceCall) -> Iterator[tuple[str, str]]:
    """Every text of a call with the argument's name, as it is and with its facts filled in."""
    for name in ("task", "instructions", "first_sentence"):
        if text := getattr(action, name):
            yield name, filled(text, action.request_data)
    yield from (("request_data", text) for text in _strings(action.request_data))


def _strings(value: Any, name: str = "") -> Iterator[str]:
    """Every text inside the facts, behind its name: `if_asked_whether_robot` may be half of an order."""
    match value:
        case str():
            yield f"{name} {value}"
        case dict():
            for key, inner in value.items():
                yield from _strings(inner, f"{name} {key}")
        case list() | tuple():
            for inner in value:
                yield from _strings(inner, name)
