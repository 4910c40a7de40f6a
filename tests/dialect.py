"""A linter for the one dialect of tool schemas that every model vendor takes.

OpenAI, Anthropic, Gemini, Mistral and llama.cpp each refuse something else; what is left over is small.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
NAME_LENGTH = 32
DESCRIPTION_LENGTH = 1024
DESCRIPTION_WORDS = 60
FIRST_SENTENCE_WORDS = 14
ENUM_SIZE = 20
TYPES = frozenset({"string", "integer", "number", "boolean", "array", "object"})
FREE_FORM = frozenset({"request_data", "metadata", "filters"})
"""Objects whose names are the caller's own."""
HINTS = frozenset({"readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint"})
KEYWORDS = frozenset(
    {"type", "description", "properties", "required", "additionalProperties", "items", "enum", "default",
     "examples", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "minLength", "maxLength",
     "minItems", "maxItems", "pattern"}
)  # fmt: skip
"""What a schema may say. Anything else is refused by a vendor, or silently skipped: oneOf, const, $ref, title,
format, nullable, if, patternProperties, uniqueItems and the rest."""


def faults(listing: Mapping[str, Any]) -> list[str]:
    """What is wrong with a tool as it is listed (`Action.listing()`), a sentence each; empty when nothing is."""
    return list(_tool(listing))


def _tool(listing: Mapping[str, Any]) -> Iterator[str]:
    yield from _name("the tool", listing["name"])
    yield from _description(listing.get("description") or "")
    hints = listing.get("annotations") or {}
    for hint in sorted(HINTS):
        if not isinstance(hints.get(hint), bool):
            yield f"the hint {hint} is not stated"
    schema = listing["inputSchema"]
    if schema.get("type") != "object":
        yield "the root is no object"
    yield from _node("the root", "", schema, level=0)


def _name(where: str, name: str) -> Iterator[str]:
    if not NAME.fullmatch(name):
        yield f"{where}: the name {name} is not in snake_case"
    if len(name) > NAME_LENGTH:
        yield f"{where}: the name {name} is longer than {NAME_LENGTH} characters"


def _description(text: str) -> Iterator[str]:
    if not text:
        yield "the tool has no description"
        return
    first = sentences(text)[0]
    if len(text) > DESCRIPTION_LENGTH:
        yield f"the description is longer than {DESCRIPTION_LENGTH} characters"
    if (words := len(text.split())) >= DESCRIPTION_WORDS:
        yield f"the description has {words} words, not under {DESCRIPTION_WORDS}"
    if (words := len(first.split())) > FIRST_SENTENCE_WORDS:
        yield f"the first sentence has {words} words, more than {FIRST_SENTENCE_WORDS}"
    if not first.endswith("."):
        yield "the first sentence ends without a period"


def _node(where: str, name: str, schema: Mapping[str, Any], level: int) -> Iterator[str]:
    for keyword in sorted(schema.keys() - KEYWORDS):
        yield f"{where}: the keyword {keyword} is not taken everywhere"
    kind = schema.get("type")
    if not isinstance(kind, str) or kind not in TYPES:
        yield f"{where}: the type is not a single word"
    if "enum" in schema:
        yield from _choices(where, schema["enum"])
    if "pattern" in schema:
        yield from _pattern(where, schema["pattern"])
    if "default" in schema and schema["default"] is None:
        yield f"{where}: the default is null"
    if kind == "array":
        yield from _node(f"{where}[]", "", schema.get("items") or {}, level)
    if kind == "object" and name not in FREE_FORM:
        yield from _object(where, schema, level)


def _object(where: str, schema: Mapping[str, Any], level: int) -> Iterator[str]:
    properties = schema.get("properties")
    if properties is None:
        yield f"{where}: an object without properties"
        properties = {}
    if schema.get("additionalProperties") is not False:
        yield f"{where}: additionalProperties is not false"
    if level > 1:
        yield f"{where}: nested deeper than one level"
    required = schema.get("required", [])
    for name in required:
        if name not in properties:
            yield f"{where}: {name} is required and not declared"
        elif "default" in properties[name]:
            yield f"{where}: {name} is required and has a default"
    for name, part in properties.items():
        inside = name if level == 0 else f"{where}.{name}"
        yield from _name(inside, name)
        yield from _argument(inside, part)
        yield from _node(inside, name, part, level + 1)


def _argument(where: str, schema: Mapping[str, Any]) -> Iterator[str]:
    text = schema.get("description") or ""
    if not text:
        yield f"{where}: no description"
        return
    if not text.endswith("."):
        yield f"{where}: the description ends without a period"
    if (count := len(sentences(text))) > 2:
        yield f"{where}: the description has {count} sentences, more than 2"
    said = {float(number) for number in re.findall(r"(?<![\w.])-?\d+(?:\.\d+)?", text)}
    for bound in ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"):
        if bound in schema and float(schema[bound]) not in said:
            yield f"{where}: the description does not say the {bound} {schema[bound]}"


def _choices(where: str, choices: list[Any]) -> Iterator[str]:
    if not choices or len(choices) > ENUM_SIZE:
        yield f"{where}: the enum has {len(choices)} values, not 1 to {ENUM_SIZE}"
    if not all(isinstance(choice, str) for choice in choices):
        yield f"{where}: the enum holds other things than strings"


def _pattern(where: str, pattern: str) -> Iterator[str]:
    if not (pattern.startswith("^") and pattern.endswith("$")):
        yield f"{where}: the pattern is not anchored"
    if re.search(r"\(\?|\\b|\\\d", pattern):
        yield f"{where}: the pattern is more than a grammar can hold"


def sentences(text: str) -> list[str]:
    """The sentences of a text; a period within a word or a number ends none."""
    return re.split(r"(?<=[.!?])\s+", text.strip())
