"""What models see of the catalogue: one dialect, honest hints, few tokens."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from statistics import mean
from typing import Any

import jsonschema
import pytest
from langchain_core.utils.function_calling import convert_to_openai_tool

from topcalls_tools.action import Effect
from topcalls_tools.api import CATALOG
from topcalls_tools.endpoint import Endpoint
from topcalls_tools.wire import Reply

from .dialect import faults

WITNESSES = Path(__file__).parent / "witness"
BYTES_PER_TOKEN = 4
MOST_TOKENS = 240

every_endpoint = pytest.mark.parametrize("cls", CATALOG, ids=lambda cls: cls.tool)


@every_endpoint
def test_the_listing_has_no_faults(cls: type[Endpoint[Any]]) -> None:
    assert faults(cls.listing()) == []


# The linter itself


def good() -> dict[str, Any]:
    """A listing without faults that has one of everything."""
    return {
        "name": "order_tea",
        "description": "Order tea for a guest. Costs money.",
        "annotations": {
            "readOnlyHint": False,
            "destructiveHint": True,
            "idempotentHint": False,
            "openWorldHint": True,
        },
        "inputSchema": {
            "type": "object",
            "properties": {
                "title": {"type": "string", "description": "How to address the guest, such as Dr. Ann."},
                "cups": {"type": "integer", "minimum": 1, "maximum": 12, "description": "Cups, 1 to 12."},
                "strength": {
                    "type": "number",
                    "minimum": 0,
                    "maximum": 0.5,
                    "description": "Strength, 0 to 0.5. Default 0.2.",
                    "default": 0.2,
                },
                "kind": {"type": "string", "enum": ["green", "black"], "description": "Which tea."},
                "code": {"type": "string", "pattern": "^[A-Z]{3}$", "description": "Code of the room."},
                "extras": {
                    "type": "array",
                    "items": {"type": "string"},
                    "description": "What comes with it.",
                },
                "request_data": {"type": "object", "description": "Facts of your own."},
                "pot": {
                    "type": "object",
                    "description": "The pot.",
                    "properties": {"size": {"type": "string", "description": "Its size."}},
                    "required": ["size"],
                    "additionalProperties": False,
                },
            },
            "required": ["cups"],
            "additionalProperties": False,
        },
    }


def test_a_good_listing_has_no_faults() -> None:
    assert faults(good()) == []


def put(*steps: Any) -> Callable[[dict[str, Any]], None]:
    """Put the last of the steps where the others lead; a last step of ... takes away what is there."""
    *path, last, value = steps

    def change(listing: dict[str, Any]) -> None:
        node: Any = listing
        for step in path:
            node = node[step]
        if value is ...:
            del node[last]
        else:
            node[last] = value

    return change


ROOT = ("inputSchema",)
ARGUMENTS = (*ROOT, "properties")
BAD: list[tuple[Callable[[dict[str, Any]], None], str]] = [
    (put("name", "orderTea"), "the tool: the name orderTea is not in snake_case"),
    (put("name", "order-tea"), "the tool: the name order-tea is not in snake_case"),
    (put("name", "o" * 33), f"the tool: the name {'o' * 33} is longer than 32 characters"),
    (put("description", ""), "the tool has no description"),
    (put("description", "Order. " + "x" * 1024 + "."), "the description is longer than 1024 characters"),
    (put("description", "Order tea." + " tea" * 58), "the description has 60 words, not under 60"),
    (put("description", "Order" + " tea" * 14 + "."), "the first sentence has 15 words, more than 14"),
    (put("description", "Order tea"), "the first sentence ends without a period"),
    (put("description", "Order tea! Now."), "the first sentence ends without a period"),
    (put("annotations", "idempotentHint", ...), "the hint idempotentHint is not stated"),
    (put("annotations", "openWorldHint", None), "the hint openWorldHint is not stated"),
    (put(*ROOT, "type", "array"), "the root is no object"),
    (put(*ROOT, "type", ...), "the root: the type is not a single word"),
    (put(*ROOT, "additionalProperties", ...), "the root: additionalProperties is not false"),
    (put(*ROOT, "additionalProperties", True), "the root: additionalProperties is not false"),
    (put(*ARGUMENTS, "pot", "additionalProperties", ...), "pot: additionalProperties is not false"),
    (put(*ROOT, "required", ["cup"]), "the root: cup is required and not declared"),
    (put(*ROOT, "required", ["strength"]), "the root: strength is required and has a default"),
    (put(*ROOT, "title", "OrderTea"), "the root: the keyword title is not taken everywhere"),
    (put(*ROOT, "$defs", {}), "the root: the keyword $defs is not taken everywhere"),
    *(
        (put(*ARGUMENTS, "cups", keyword, []), f"cups: the keyword {keyword} is not taken everywhere")
        for keyword in (
            "oneOf", "anyOf", "allOf", "not", "const", "$ref", "title", "format", "nullable", "if", "then",
            "patternProperties", "uniqueItems", "dependentRequired",
        )
    ),
    (put(*ARGUMENTS, "extras", "items", "$ref", "#"), "extras[]: the keyword $ref is not taken everywhere"),
    (put(*ARGUMENTS, "pot", "properties", "size", "format", "uri"),
     "pot.size: the keyword format is not taken everywhere"),
    (put(*ARGUMENTS, "cups", "type", ["integer", "null"]), "cups: the type is not a single word"),
    (put(*ARGUMENTS, "cups", "type", "null"), "cups: the type is not a single word"),
    (put(*ARGUMENTS, "cups", "type", ...), "cups: the type is not a single word"),
    (put(*ARGUMENTS, "extras", "items", ...), "extras[]: the type is not a single word"),
    (put(*ARGUMENTS, "cups", "default", None), "cups: the default is null"),
    (put(*ARGUMENTS, "kind", "enum", []), "kind: the enum has 0 values, not 1 to 20"),
    (put(*ARGUMENTS, "kind", "enum", [str(n) for n in range(21)]), "kind: the enum has 21 values, not 1 to 20"),
    (put(*ARGUMENTS, "kind", "enum", ["green", None]), "kind: the enum holds other things than strings"),
    (put(*ARGUMENTS, "code", "pattern", "[A-Z]{3}"), "code: the pattern is not anchored"),
    (put(*ARGUMENTS, "code", "pattern", "^(?!X)[A-Z]{3}$"), "code: the pattern is more than a grammar can hold"),
    (put(*ARGUMENTS, "cups", "description", ...), "cups: no description"),
    (put(*ARGUMENTS, "cups", "description", "Cups, 1 to 12"), "cups: the description ends without a period"),
    (put(*ARGUMENTS, "kind", "description", "Which. Tea. Now."),
     "kind: the description has 3 sentences, more than 2"),
    (put(*ARGUMENTS, "cups", "description", "Cups, up to 12."), "cups: the description does not say the minimum 1"),
    (put(*ARGUMENTS, "cups", "description", "Cups, 1 to 120."), "cups: the description does not say the maximum 12"),
    (put(*ARGUMENTS, "strength", "description", "Strength, 0 to 5."),
     "strength: the description does not say the maximum 0.5"),
    (put(*ARGUMENTS, "pot", "properties", "size", "description", ...), "pot.size: no description"),
    (put(*ARGUMENTS, "pot", "properties", ...), "pot: an object without properties"),
    (put(*ARGUMENTS, "pot", "properties", "size", {"type": "object", "description": "S.", "properties": {},
                                                   "additionalProperties": False}),
     "pot.size: nested deeper than one level"),
    (put(*ARGUMENTS, "Cups", {"type": "string", "description": "C."}), "Cups: the name Cups is not in snake_case"),
    (put(*ARGUMENTS, "c" * 33, {"type": "string", "description": "C."}),
     f"{'c' * 33}: the name {'c' * 33} is longer than 32 characters"),
]  # fmt: skip


@pytest.mark.parametrize(("spoil", "fault"), BAD, ids=[fault[:70] for _, fault in BAD])
def test_the_linter_sees_each_fault(spoil: Callable[[dict[str, Any]], None], fault: str) -> None:
    listing = copy.deepcopy(good())
    spoil(listing)
    assert fault in faults(listing)


# What is listed beside the arguments


@every_endpoint
def test_the_output_schema_is_an_object_that_stands_alone(cls: type[Endpoint[Any]]) -> None:
    schema = cls.listing()["outputSchema"]
    assert schema["type"] == "object"
    assert {"$ref", "$defs", "title"} & keywords(schema) == set()
    jsonschema.Draft202012Validator.check_schema(schema)


def keywords(schema: Any) -> set[str]:
    """Every keyword in a schema; names of properties are none."""
    if isinstance(schema, list):
        return {word for item in schema for word in keywords(item)}
    if not isinstance(schema, dict):
        return set()
    found = set(schema) - {"properties", "examples", "default", "enum"}
    for name, part in schema.items():
        if name == "properties":
            found |= {word for inner in part.values() for word in keywords(inner)}
        elif name not in ("examples", "default", "enum"):
            found |= keywords(part)
    return found


@every_endpoint
def test_the_input_schema_is_valid(cls: type[Endpoint[Any]]) -> None:
    schema = cls.input_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    assert json.loads(json.dumps(schema, allow_nan=False)) == schema


@every_endpoint
def test_the_documented_arguments_fit_the_input_schema(cls: type[Endpoint[Any]]) -> None:
    arguments = witness(cls)["arguments"]
    seen = {name: value for name, value in arguments.items() if name not in cls.for_code}
    jsonschema.validate(seen, cls.input_schema())


@pytest.mark.parametrize("live", [True, False])
@every_endpoint
def test_what_is_shown_fits_the_output_schema(cls: type[Endpoint[Any]], live: bool) -> None:
    exchange = witness(cls)
    value = cls.model_validate(exchange["arguments"])
    body = exchange["reply"]["body"]
    reply = value.reply(
        Reply(exchange["reply"]["status"], b"" if body is None else json.dumps(body).encode())
    )
    shown = value.shown(reply, live)
    assert shown["live"] is live
    assert json.loads(json.dumps(shown, allow_nan=False)) == shown
    jsonschema.validate(shown, cls.output_schema())


@every_endpoint
def test_what_is_for_code_is_in_no_listing(cls: type[Endpoint[Any]]) -> None:
    assert cls.for_code.isdisjoint(cls.input_schema()["properties"])
    if cls.tool == "place_call":
        assert cls.for_code == {"webhook_url", "webhook_events", "tools"}


@every_endpoint
def test_all_four_hints_are_explicit_and_honest(cls: type[Endpoint[Any]]) -> None:
    hints = cls.listing()["annotations"]
    four = {name: value for name, value in hints.items() if name.endswith("Hint")}
    assert len(four) == 4
    assert all(isinstance(value, bool) for value in four.values())
    assert hints["readOnlyHint"] is (cls.effect is Effect.READ) is (cls.method == "GET")
    match cls.effect:
        case Effect.READ:
            assert not hints["destructiveHint"]
        case Effect.SPEND:
            assert hints["destructiveHint"]
            assert hints["openWorldHint"]
            assert not hints["idempotentHint"]
        case Effect.DELETE:
            assert hints["destructiveHint"]
        case Effect.BRAKE:
            assert not hints["destructiveHint"]
            assert hints["idempotentHint"]


def test_each_effect_is_that_of_the_documentation() -> None:
    effects = {
        effect: {cls.tool for cls in CATALOG if cls.effect is effect} for effect in Effect if effect is not Effect.READ
    }  # fmt: skip
    assert effects == {
        Effect.SPEND: {"place_call", "start_campaign"},
        Effect.BRAKE: {"stop_call", "cancel_call", "pause_campaign"},
        Effect.WRITE: {
            "add_carrier",
            "add_phone_number",
            "create_lead",
            "import_leads",
            "update_lead",
            "create_webhook",
        },
        Effect.DELETE: {"delete_carrier", "delete_phone_number", "delete_lead", "delete_webhook"},
    }


@every_endpoint
def test_langchain_makes_an_openai_tool_of_it(cls: type[Endpoint[Any]]) -> None:
    schema = {"title": cls.tool, "description": cls.description, **cls.input_schema()}
    tool = convert_to_openai_tool(schema)["function"]
    assert (tool["name"], tool["description"]) == (cls.tool, cls.description)
    assert tool["parameters"] == cls.input_schema()


def test_the_tools_cost_few_tokens() -> None:
    sizes = {}
    for cls in CATALOG:
        listing = cls.listing()
        seen = {name: listing[name] for name in ("name", "description", "inputSchema")}
        sizes[cls.tool] = len(json.dumps(seen).encode()) / BYTES_PER_TOKEN
    assert mean(sizes.values()) <= MOST_TOKENS, sizes


def test_no_two_tools_share_a_name_or_words() -> None:
    assert len({cls.tool for cls in CATALOG}) == len({cls.description for cls in CATALOG}) == len(CATALOG)


def witness(cls: type[Endpoint[Any]]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((WITNESSES / f"{cls.tool}.json").read_text("utf-8"))
    return found
