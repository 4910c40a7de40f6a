"""The labelled requests are sound: each label fits the tools, the scene and the sentence that it stands under."""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest

from topcalls_tools.action import Action
from topcalls_tools.api.calls import CallOutcome, CallStatus
from topcalls_tools.api.fields import E164
from topcalls_tools.tools import TOOLS

HERE = Path(__file__).parent / "labelled"
SET = tomllib.loads((HERE / "requests.toml").read_text("utf-8"))
REQUESTS: list[dict[str, Any]] = SET["request"]
HELD_OUT: list[dict[str, Any]] = tomllib.loads((HERE / "requests_held_out.toml").read_text("utf-8"))[
    "request"
]
"""A second set, by another author, in the scenes of the first."""
THIRD: list[dict[str, Any]] = tomllib.loads((HERE / "requests_third.toml").read_text("utf-8"))["request"]
"""A third set, of everyday requests in about the proportions of use, in the same scenes."""
BY_NAME: dict[str, type[Action[Any]]] = {tool.tool: tool for tool in TOOLS}
WHY = {
    "several", "missing", "danger", "nothing", "later", "negation", "conditional", "two orders", "quoted",
    "injection", "language", "gibberish", "cannot", "outside",
}  # fmt: skip
LEAST = {
    "place": 70, "stop": 40, "follow": 30, "list": 30, "explain": 25, "balance": 20, "block": 20, "numbers": 20,
    "campaigns": 25, "check": 10, "voices": 10, "contacts": 5, "refuse": 70,
}  # fmt: skip
LEAST_HELD_OUT = {
    "place": 40, "stop": 30, "follow": 18, "list": 17, "explain": 13, "balance": 10, "block": 11, "numbers": 12,
    "campaigns": 16, "check": 6, "voices": 7, "contacts": 3, "refuse": 70,
}  # fmt: skip
LEAST_THIRD = {
    "place": 60, "stop": 30, "follow": 20, "list": 15, "explain": 15, "balance": 10, "block": 10, "numbers": 8,
    "campaigns": 14, "check": 6, "voices": 5, "contacts": 3, "refuse": 60,
}  # fmt: skip
SETS = {
    "requests": (REQUESTS, LEAST),
    "requests_held_out": (HELD_OUT, LEAST_HELD_OUT),
    "requests_third": (THIRD, LEAST_THIRD),
}
WORDS = ("oh", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
DIGITS = {word: str(digit) for digit, word in enumerate(WORDS)}
CODES = {"1", "44", "49", "61", "353"}
"""Country codes that are written or meant in the sentences."""
FIELDS = {
    "say", "scene", "kind", "tool", "any", "arguments", "each", "task_has", "refuse", "why", "fifteen",
}  # fmt: skip
HOLD = {
    "call_id": ("calls", "id"),
    "campaign_id": ("campaigns", "id"),
    "phone_number_id": ("numbers", "id"),
    "from_number": ("numbers", "number"),
    "carrier_id": ("carriers", "id"),
    "voip_carrier_sid": ("carriers", "voip_carrier_sid"),
}
"""Where in a scene the value of an argument stands."""


@pytest.fixture(params=SETS)
def in_a_set(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=sorted(LEAST))
def of_a_kind(request: pytest.FixtureRequest, in_a_set: str) -> list[dict[str, Any]]:
    return [one for one in SETS[in_a_set][0] if one["kind"] == request.param]


def tools(request: dict[str, Any]) -> list[str]:
    return request.get("any") or ([request["tool"]] if "tool" in request else [])


def arguments(request: dict[str, Any]) -> list[dict[str, Any]]:
    """The arguments of each deed that is meant."""
    return request.get("each") or [request.get("arguments", {})]


def leaves(value: Any) -> Iterator[str]:
    match value:
        case dict():
            for inner in value.values():
                yield from leaves(inner)
        case list():
            for inner in value:
                yield from leaves(inner)
        case str():
            yield value


def numbers_of(scene: dict[str, Any]) -> set[str]:
    """Every phone number that somebody in the scene can mean by a name or a call."""
    calls = {call["phone_number"] for call in scene.get("calls", ())}
    return calls | {contact["number"] for contact in SET["contacts"][scene["contacts"]]}


def digits(text: str) -> str:
    words = text.lower().replace(",", " ").split()
    return "".join(letter for word in words for letter in DIGITS.get(word, word) if letter.isdigit())


def test_there_are_enough_requests_of_each_kind(in_a_set: str) -> None:
    requests, enough = SETS[in_a_set]
    found = Counter(request["kind"] for request in requests)
    assert found.keys() == enough.keys()
    assert all(found[kind] >= least for kind, least in enough.items()), found
    assert {request["why"] for request in requests if "why" in request} == WHY


def test_each_of_the_fifteen_of_every_day_stands_there_once() -> None:
    assert sorted(r["fifteen"] for r in REQUESTS if "fifteen" in r) == list(range(1, 16))


def test_no_sentence_stands_twice_in_a_scene_of_a_set(in_a_set: str) -> None:
    said = Counter((request["scene"], request["say"]) for request in SETS[in_a_set][0])
    assert [one for one, times in said.items() if times > 1] == []


@pytest.mark.parametrize("name", SET["scene"])
def test_a_scene_holds_what_there_can_be(name: str) -> None:
    scene = SET["scene"][name]
    calls = scene.get("calls", [])
    assert any(request["scene"] == name for request in REQUESTS)
    assert scene["region"] in {"US", "GB", ""}
    assert all(call["status"] in get_args(CallStatus) for call in calls)
    assert all(call.get("call_status", "busy") in get_args(CallOutcome) for call in calls)
    assert all(call["created_at"] <= SET["now"] for call in calls)
    assert calls == sorted(calls, key=lambda call: str(call["created_at"]), reverse=True), "newest first"
    assert "spoken_of" not in scene or scene["spoken_of"] in {call["id"] for call in calls}
    held = [
        one["id"] for kind in ("calls", "campaigns", "numbers", "carriers") for one in scene.get(kind, ())
    ]
    assert len(held) == len(set(held))
    for number in numbers_of(scene):
        assert E164.parse(number) == number


def test_a_label_says_one_thing(of_a_kind: list[dict[str, Any]]) -> None:
    for one in of_a_kind:
        assert one.keys() <= FIELDS, one
        assert one["scene"] in SET["scene"], one
        assert not ("tool" in one and "any" in one), one
        assert not ("arguments" in one and "each" in one), one
        assert ("why" in one) == one.get("refuse", False), one
        assert bool(tools(one)) == (one["kind"] != "refuse"), one
        assert tools(one) or one["refuse"], one


def test_what_a_label_asks_for_is_a_tool_with_such_arguments(of_a_kind: list[dict[str, Any]]) -> None:
    for one, name in ((labelled, name) for labelled in of_a_kind for name in tools(labelled)):
        schema = BY_NAME[name].input_schema()
        for given in arguments(one):
            assert given.keys() <= schema["properties"].keys(), one
            if name in {"place_call", "check_call"}:
                given = {**given, "task": one["say"]}
            if given.keys() >= set(schema.get("required", ())):
                BY_NAME[name].from_tool(given)
            else:
                assert BY_NAME[name].effect.name == "READ", f"what acts is told in full: {one}"


def test_what_a_label_names_is_in_the_scene_or_in_the_sentence(of_a_kind: list[dict[str, Any]]) -> None:
    for one in of_a_kind:
        scene, said = SET["scene"][one["scene"]], one["say"].lower()
        for argument, value in ((key, value) for given in arguments(one) for key, value in given.items()):
            if argument in HOLD:
                kind, field = HOLD[argument]
                assert value in {held[field] for held in scene.get(kind, ())}, one
            elif argument in {"phone_number", "number"} and value not in numbers_of(scene):
                code = next(length for length in (1, 2, 3) if value[1 : 1 + length] in CODES)
                assert value[1 + code :] in digits(said), one
            elif argument in {"carrier_name", "label", "name", "voice", "sip_gateway"}:
                assert all(leaf.lower() in said for leaf in leaves(value)), one


def test_words_that_a_task_must_have_were_said(of_a_kind: list[dict[str, Any]]) -> None:
    for one in of_a_kind:
        calls = SET["scene"][one["scene"]].get("calls", ())
        said = " ".join((one["say"], *(call["task"] for call in calls))).lower()
        wanted = one.get("task_has", [])
        assert bool(wanted) == (one["kind"] == "place"), one
        assert all(word == word.lower() and word in said for word in wanted), one
