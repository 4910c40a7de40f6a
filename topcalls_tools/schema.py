"""JSON Schema in the one dialect that every vendor takes, and what a schema asks for in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import to_jsonable_python


class Generator(GenerateJsonSchema):
    """Pydantic's generator, but that a default is written as it is: pydantic makes an adapter for each."""

    def encode_default(self, dft: Any) -> Any:
        return to_jsonable_python(dft)


def plain(schema: dict[str, Any]) -> dict[str, Any]:
    """A schema without references, titles and nulls: the one dialect that every vendor takes."""
    shared = schema.pop("$defs", {})

    def walk(node: Any, named: bool = False) -> Any:
        if isinstance(node, list):
            return [walk(item) for item in node]
        if not isinstance(node, dict):
            return node
        if named:  # `properties` maps names: an argument that is called "title" must survive
            return {name: walk(part) for name, part in node.items()}
        if "anyOf" in node:
            node = _united(node)
        if "$ref" in node:
            rest = {key: value for key, value in node.items() if key != "$ref"}
            node = {**shared[node["$ref"].rpartition("/")[2]], **rest}
        kept = {key: walk(value, named=key == "properties") for key, value in node.items() if key != "title"}
        if kept.get("default", 0) is None:
            del kept["default"]
        if kept.get("additionalProperties") in (True, {}):
            del kept["additionalProperties"]
        return kept

    whole: dict[str, Any] = walk(schema)
    return whole


def _united(node: dict[str, Any]) -> dict[str, Any]:
    """A union without its null; an open set of words is text with examples."""
    branches = [branch for branch in node["anyOf"] if branch.get("type") != "null"]
    rest = {key: value for key, value in node.items() if key != "anyOf"}
    if len(branches) == 1:
        return {**branches[0], **rest}
    if all(branch.get("type") == "string" for branch in branches):
        known = [word for branch in branches for word in branch.get("enum", ())]
        return {"type": "string", "examples": known, **rest}
    return {**rest, "anyOf": branches}


def wanted(schema: Mapping[str, Any]) -> str:
    """What a schema asks for, in words: "a whole number from 1 to 200, such as 10"."""
    if choices := schema.get("enum"):
        return f"one of {', '.join(map(str, choices))}"
    match schema.get("type"):
        case "integer":
            said = "a whole number"
        case "number":
            said = "a number"
        case "boolean":
            said = "true or false"
        case "array":
            said = f"a list, each item {wanted(schema.get('items', {}))}"
        case "object":
            said = " with ".join(filter(None, ["an object", ", ".join(schema.get("properties", ()))]))
        case _:
            said = "text"
    low, high = schema.get("minimum", schema.get("minLength")), schema.get("maximum", schema.get("maxLength"))
    unit = " characters" if schema.get("type") == "string" else ""
    if low is not None and high is not None:
        said += f" {'of' if unit else 'from'} {low} to {high}{unit}"
    elif low is not None or high is not None:
        said += f" of at {f'least {low}' if high is None else f'most {high}'}{unit}"
    if "pattern" in schema:
        said += f" that matches {schema['pattern']}"
    return said + (f", such as {schema['examples'][0]}" if schema.get("examples") else "")


def at(schema: Mapping[str, Any], steps: tuple[int | str, ...]) -> Mapping[str, Any]:
    """The part of a schema that a path of names and indices leads to."""
    for step in steps:
        inner = {"items": schema.get("items", {})} if isinstance(step, int) else schema.get("properties", {})
        schema = inner.get("items" if isinstance(step, int) else step, {})
    return schema
