"""Yeses that were guessed, altered, borrowed, replayed or kept for too long: none of them rings a phone."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import mcp_types as types
import pytest
from mcp.shared.exceptions import MCPError

from topcalls_tools import Client, PlaceCall
from topcalls_tools.dnc import DoNotCall
from topcalls_tools.errors import Refused
from topcalls_tools.flow.steps import Answer

from .adversary import LIST, PREMIUM, TASK, honest
from .assistants import Anew, Assistant, anew, homes, no, policy_line, portal, town
from .conftest import World

__all__ = ["anew", "homes", "portal", "town"]
NUMBER = "+14155550123"
OTHER = "+14155550177"
CALL = {"phone_number": NUMBER, "task": TASK}
SLIPS = 'approval = "slips"'


def slip_of(words: str) -> str:
    return words.partition('"slip": "')[2][:24]


def blocks(one: Assistant) -> None:
    DoNotCall(one.line.settings.home / "dnc.log").add("sandbox", NUMBER, None, one.line.clock())


ALTERED: dict[str, dict[str, Any] | Callable[[str], dict[str, Any]]] = {
    "guessed": {"slip": "ABCDEFGHJKLMNPQRSTUVWXYZ"},
    "all the same letter": {"slip": "A" * 24},
    "one letter is another": lambda slip: {"slip": slip[:-1] + ("B" if slip[-1] == "A" else "A")},
    "backwards": lambda slip: {"slip": slip[::-1]},
    "in small letters": lambda slip: {"slip": slip.lower()},
    "with a blank": lambda slip: {"slip": f"{slip} "},
    "cut": lambda slip: {"slip": slip[:23]},
    "twice": lambda slip: {"slip": slip * 2},
    "in fullwidth letters": lambda slip: {"slip": "".join(chr(ord(one) + 0xFEE0) for one in slip)},
    "with a newline": lambda slip: {"slip": f"{slip}\n"},
    "a pattern": {"slip": "%" * 24},
    "none": {"slip": None},
    "a list": lambda slip: {"slip": [slip]},
    "for another number": {"target": OTHER},
    "for a premium number": {"target": PREMIUM},
    "for a number with one digit more": {"target": f"{NUMBER}4"},
    "for the end of the number": {"target": "0123"},
    "for anything": {"target": "*"},
    "for more minutes": {"max_minutes": 60},
    "for fewer minutes": {"max_minutes": 9},
    "for minutes as a text": {"max_minutes": "10"},
    "with arguments of its own": {"phone_number": OTHER},
    "with a yes": {"yes": True},
}


def test_slips_that_were_guessed_or_altered_dial_nothing_and_the_right_one_still_does(
    town: World, anew: Anew
) -> None:
    one = anew("mcp", SLIPS, forms=False)
    before = len(town.rings())
    slip = slip_of(one.call("place_call", CALL).words)
    right = {"slip": slip, "target": NUMBER, "max_minutes": 10}
    for what, altered in ALTERED.items():
        changed = altered(slip) if callable(altered) else altered
        assert one.call("confirm_action", {**right, **changed}).error, what
        assert one.call("place_call", {**CALL, **changed}).error, what
    assert len(town.rings()) == before
    assert not one.call("confirm_action", right).error
    assert json.loads(one.call("confirm_action", right).words.partition("\n")[2])["replayed"] is True
    assert [ring["phone_number"] for ring in town.rings()[before:]] == [NUMBER]
    town.advance(1200)


MEANWHILE: dict[str, Callable[[Assistant], object]] = {
    "the policy allows less": policy_line("minutes_per_call", "5"),
    "the policy names other numbers": policy_line("numbers", f'["{OTHER}"]'),
    "the policy speaks for somebody else": policy_line("caller", '"Bob"'),
    "the policy is unreadable": policy_line("caller", ""),
    "the owner wants forms": policy_line("approval", '"person"\nminutes_per_call = 5'),
    "the number is blocked": blocks,
    "everything is stopped": lambda one: one.line.desk().stop(one.line.clock() + timedelta(hours=1)),
    "eleven minutes pass": lambda one: one.person.time.passes(timedelta(minutes=11)),
}


@pytest.mark.parametrize("what", MEANWHILE)
def test_a_slip_is_void_where_something_was_changed_meanwhile(town: World, anew: Anew, what: str) -> None:
    one = anew("mcp", SLIPS, forms=False)
    before = len(town.rings())
    slip = slip_of(one.call("place_call", CALL).words)
    MEANWHILE[what](one)
    assert one.call("confirm_action", {"slip": slip, "target": NUMBER, "max_minutes": 10}).error
    assert len(town.rings()) == before


def test_a_slip_of_another_home_is_none(town: World, anew: Anew) -> None:
    mine, foreign = anew("mcp", SLIPS, forms=False), anew("legacy mcp", SLIPS, forms=False)
    before = len(town.rings())
    slip = slip_of(mine.call("place_call", CALL).words)
    assert len(slip) == 24
    assert foreign.call("confirm_action", {"slip": slip, "target": NUMBER, "max_minutes": 10}).error
    assert len(town.rings()) == before


def test_a_forbidden_number_gets_no_slip(town: World, anew: Anew) -> None:
    one = anew("mcp", SLIPS, forms=False)
    blocks(one)
    for number in (PREMIUM, NUMBER, "+881612345678", "+49112000000"):
        told = one.call("place_call", {**CALL, "phone_number": number})
        assert told.error
        assert not slip_of(told.words)


def repeated(one: Assistant, tool: str, given: dict[str, Any], state: str | None, said: Any) -> bool:
    """The same call again with somebody's answer; whether anything came of it."""

    async def again() -> Any:
        return await one.session.session.call_tool(
            tool,
            given,
            input_responses={"approval": said} if said is not None else None,
            request_state=state,
            allow_input_required=True,
        )

    with suppress(MCPError):
        result = one.portal.call(again)
        return isinstance(result, types.CallToolResult) and not result.is_error
    return False


def state_of(one: Assistant, given: dict[str, Any]) -> str:
    async def first() -> Any:
        return await one.session.session.call_tool("place_call", given, allow_input_required=True)

    state: str = one.portal.call(first).request_state
    one.person.time.passes(timedelta(seconds=2))
    return state


def accepted(content: Any = None) -> types.ElicitResult:
    return types.ElicitResult(action="accept", content={"yes": True} if content is None else content)


STATES: dict[str, Callable[[str], str | None]] = {
    "none": lambda state: None,
    "empty": lambda state: "",
    "cut": lambda state: state[:-1],
    "longer": lambda state: state + "A",
    "altered": lambda state: state[:40] + ("B" if state[40] == "A" else "A") + state[41:],
    "in clear": lambda state: f"{'a' * 32}.{'b' * 32} 0.0 10.0",
}


@pytest.mark.parametrize("what", STATES)
def test_a_state_that_is_not_the_one_that_was_given_carries_no_yes(
    town: World, anew: Anew, what: str
) -> None:
    one = anew("mcp")
    before = len(town.rings())
    state = state_of(one, CALL)
    assert not repeated(one, "place_call", CALL, STATES[what](state), accepted())
    assert len(town.rings()) == before


OTHERS: dict[str, tuple[str, dict[str, Any]]] = {
    "another number": ("place_call", {**CALL, "phone_number": OTHER}),
    "a premium number": ("place_call", {**CALL, "phone_number": PREMIUM}),
    "another task": ("place_call", {**CALL, "task": f"{TASK} And on Monday."}),
    "a longer call": ("place_call", {**CALL, "max_duration": 20}),
    "an argument more": ("place_call", {**CALL, "voice": "sage"}),
    "the same with a default": ("place_call", {**CALL, "max_duration": 11}),
    "another tool": ("create_lead", {"name": "Ann", "phone_number": OTHER, "list_id": LIST}),
}


@pytest.mark.parametrize("what", OTHERS)
def test_a_yes_to_one_call_is_none_to_another(town: World, anew: Anew, what: str) -> None:
    one = anew("mcp")
    before, leads = len(town.rings()), town.get("/v1/leads")
    state = state_of(one, CALL)
    assert not repeated(one, *OTHERS[what], state, accepted())
    assert (len(town.rings()), town.get("/v1/leads")) == (before, leads)


ANSWERS = {
    "a no": types.ElicitResult(action="decline"),
    "a closed form": types.ElicitResult(action="cancel"),
    "a no in the content": accepted({"yes": False}),
    "nothing in the content": accepted({}),
    "a yes as a text": accepted({"yes": "true"}),
    "a yes as a number": accepted({"yes": 1}),
    "a yes by another name": accepted({"approval": True}),
    "a yes beside a no": types.ElicitResult(action="decline", content={"yes": True}),
    "nothing": None,
}


@pytest.mark.parametrize("what", ANSWERS)
def test_what_is_no_yes_carries_none(town: World, anew: Anew, what: str) -> None:
    one = anew("mcp")
    before = len(town.rings())
    assert not repeated(one, "place_call", CALL, state_of(one, CALL), ANSWERS[what])
    assert len(town.rings()) == before


def test_a_state_is_void_elsewhere_and_later_and_after_a_no(town: World, anew: Anew) -> None:
    one, foreign = anew("mcp"), anew("mcp")
    before = len(town.rings())
    state = state_of(one, CALL)
    assert not repeated(foreign, "place_call", CALL, state, accepted())
    assert not repeated(one, "place_call", CALL, state, types.ElicitResult(action="decline"))
    assert not repeated(one, "place_call", CALL, state, accepted())
    late = state_of(one, {**CALL, "max_duration": 3})
    one.person.time.passes(timedelta(minutes=11))
    assert not repeated(one, "place_call", {**CALL, "max_duration": 3}, late, accepted())
    assert len(town.rings()) == before


def test_a_yes_that_is_sent_forty_times_rings_once(town: World, anew: Anew) -> None:
    one = anew("mcp")
    before = len(town.rings())
    state = state_of(one, CALL)
    assert all(repeated(one, "place_call", CALL, state, accepted()) for _ in range(40))
    assert [ring["phone_number"] for ring in town.rings()[before:]] == [NUMBER]
    town.advance(1200)


@pytest.mark.parametrize(
    "seal", ["", ".", "x.y", f"{'a' * 32}.{'b' * 32}", "None.None", f"' OR 1=1 --.{'b' * 32}"]
)
def test_an_answer_that_a_program_makes_up_is_none(town: World, anew: Anew, seal: str) -> None:
    one = anew("client", says=no)
    before = len(town.rings())
    with pytest.raises(Refused, match="one-yes-one-deed"):
        Client(line=one.line).send(PlaceCall.model_validate(CALL), Answer(True, seal))
    assert len(town.rings()) == before


def test_a_value_that_nobody_validated_is_read_again(town: World, anew: Anew) -> None:
    one = anew("client")
    before = len(town.rings())
    client = Client(line=one.line, approve=one.person.approve)
    good = PlaceCall(phone_number=honest(96), task=TASK)
    for bad in (
        good.model_copy(update={"phone_number": PREMIUM}),
        good.model_copy(update={"phone_number": "911"}),
        PlaceCall.model_construct(**{**good.model_dump(), "phone_number": "+881612345678"}),
        PlaceCall.model_construct(**{**good.model_dump(), "max_duration": 1e9}),
    ):
        with pytest.raises((Refused, ValueError)):
            client.send(bad)
    assert not one.person.asked
    assert len(town.rings()) == before
