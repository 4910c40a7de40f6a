"""The OpenAPI document of the sandbox, read off the catalogue."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from typing import Any, get_args, get_type_hints

from pydantic import AfterValidator
from pydantic.json_schema import GenerateJsonSchema, models_json_schema
from pydantic_core import core_schema

from ...action import Effect
from ...api import CATALOG
from ...api.calls import PlaceCall
from ...api.fields import Cursor, Handle, Page, PhoneNumber
from ...api.phone_numbers import AddCarrier, AddPhoneNumber, SipGateway
from ...api.webhooks import CreateWebhook
from ...endpoint import WITH_BODY, Endpoint
from ...wire import Reply
from ..problem import Wrong, invalid
from .arrivals import nothing_found

Json = dict[str, Any]
Kind = type[Endpoint[Any]]

_SCHEMAS = "#/components/schemas/"
_REFUSALS = {
    400: "A field is wrong, or the object's state forbids it.",
    401: "The key is missing, unknown or revoked.",
    402: "Fewer minutes are free than this may use; nothing was done.",
    403: "The key lacks the scope, or the object may not be touched.",
    404: "The account has no such object.",
    429: "Too many requests; Retry-After says when the next is taken.",
    500: "The sandbox is at fault.",
}
_FORMS: tuple[tuple[Any, Json], ...] = (
    (Handle, {"format": "uuid"}),
    (Cursor, {"format": "date-time"}),
)
"""What the sandbox asks of an id and a cursor, in path and query, that the client does not."""
_NUMBER = {"pattern": r"^\+[1-9][0-9]{1,14}$"}
_IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "The same key again within 24 hours gets the first reply again, and nothing is done.",
    "schema": {"type": "string", "minLength": 8, "maxLength": 255, "pattern": "^[A-Za-z0-9_-]+$"},
}
_REPLAYED = {
    "description": "There when this is the reply to an earlier request with the same Idempotency-Key.",
    "schema": {"type": "string", "const": "true"},
}
_TEXT = {"type": "string"}
_WRONG = {
    "type": "object",
    "properties": {
        "path": {**_TEXT, "description": "The field, dotted inside objects."},
        "message": {**_TEXT, "description": "What is wrong with it."},
        "code": {**_TEXT, "description": "The same for programs."},
    },
    "required": ["path", "message"],
}
_PROBLEM = {
    "type": "object",
    "title": "Problem",
    "description": "Why a request was refused (RFC 7807).",
    "properties": {
        "type": {**_TEXT, "format": "uri", "description": "Address that ends in the kind of refusal."},
        "title": {**_TEXT, "description": "The kind in words."},
        "status": {"type": "integer", "description": "The HTTP status again."},
        "detail": {**_TEXT, "description": "What happened, in a sentence."},
        "instance": {**_TEXT, "format": "uuid", "description": "Id of this occurrence."},
        "errors": {"type": "array", "items": _WRONG, "description": "One entry for each wrong field."},
    },
    "required": ["type", "title", "status", "detail", "instance", "errors"],
}


@cache
def document() -> Json:
    """The whole API as OpenAPI 3.1, for readers and for programs that try it; not to be changed."""
    shapes = _shapes()
    paths: dict[str, Json] = {}
    for kind in CATALOG:
        paths.setdefault(kind.path, {})[kind.method.lower()] = _operation(kind, shapes[kind.__name__])
    inlined = {kind.__name__ for kind in CATALOG}
    shared = {name: _lenient(shape) for name, shape in sorted(shapes.items()) if name not in inlined}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "TopCalls sandbox",
            "version": "1",
            "description": "A TopCalls on this machine: the same API, and no phone rings. The words are the "
            "tools' own; a request sent from here asks nobody.",
        },
        "servers": [{"url": "/"}],
        "security": [{"key": []}],
        "tags": [{"name": name} for name in dict.fromkeys(kind.toolset for kind in CATALOG)],
        "paths": paths,
        "components": {
            "schemas": {**shared, "Problem": _PROBLEM},
            "responses": {str(status): _refusal(status) for status in _REFUSALS},
            "parameters": {"Idempotency-Key": _IDEMPOTENCY_KEY},
            "securitySchemes": {
                "key": {"type": "http", "scheme": "bearer", "description": "A key that begins with tc_test_."}
            },
        },
    }


@cache
def reply() -> Reply:
    """The document as it is served."""
    said = json.dumps(document(), ensure_ascii=False, separators=(",", ":"))
    return Reply(200, said.encode(), {"content-type": "application/json"})


def _operation(kind: Kind, arguments: Json) -> Json:
    posted = kind.method in WITH_BODY
    given = [name for name in arguments["properties"] if name not in kind.handles]
    parameters = [_parameter(kind, name, arguments) for name in (*kind.handles, *(() if posted else given))]
    if kind.keyed:
        parameters.append({"$ref": "#/components/parameters/Idempotency-Key"})
    scope = f" Needs the scope {kind.scope}." if kind.scope else ""
    return {
        "operationId": kind.tool,
        "summary": kind.title(),
        "description": f"{kind.description}{scope}",
        "tags": [kind.toolset],
        "x-effect": kind.effect.name.lower(),
        **({"x-scope": kind.scope} if kind.scope else {}),
        "parameters": parameters,
        **({"requestBody": _body(kind, given, arguments)} if posted and given else {}),
        "responses": {**_successes(kind), **_refusals(kind)},
    }


def _parameter(kind: Kind, name: str, arguments: Json) -> Json:
    schema = {key: value for key, value in arguments["properties"][name].items() if key != "description"}
    hint = get_type_hints(kind, include_extras=True)[name]
    for form, said in _FORMS:
        schema |= said if _is(hint, form) else {}
    if nothing_found(kind, invalid(Wrong(name, "is unknown"))):
        schema = {**_TEXT, "examples": schema["enum"]} if "enum" in schema else _TEXT
    return {
        "name": name,
        "in": "path" if name in kind.handles else "query",
        "required": name in arguments.get("required", ()),
        "description": kind.words[name],
        "schema": schema,
    }


def _body(kind: Kind, names: list[str], arguments: Json) -> Json:
    hints = get_type_hints(kind, include_extras=True)
    needed = [name for name in arguments.get("required", ()) if name in names]
    properties = {
        name: {**arguments["properties"][name], **(_NUMBER if _is(hints[name], PhoneNumber) else {})}
        for name in names
    }
    content: Json = {"schema": _lenient({**arguments, "properties": properties, "required": needed})}
    for example in _examples():
        if type(example) is kind:
            content["example"] = example.request().body
    return {"required": bool(needed), "content": {"application/json": content}}


def _examples() -> tuple[Endpoint[Any], ...]:
    """Requests that a fresh sandbox takes as they are, for readers who try the page."""
    return (
        PlaceCall(phone_number="+14155550123", task="Ask whether they are open on Labor Day."),
        AddPhoneNumber(number="+14155550188", label="Front desk"),
        AddCarrier(carrier_name="My carrier", sip_gateway=SipGateway(ipv4="203.0.113.10", inbound=True)),
        CreateWebhook(event="call.completed", url="https://hooks.example/calls"),
    )


def _is(hint: Any, form: Any) -> bool:
    """Whether a field's type is this form, or a narrower one that is built on it."""
    return set(_validators(form)) <= set(_validators(hint))


def _validators(hint: Any) -> Iterator[Any]:
    for part in get_args(hint):
        if isinstance(part, AfterValidator):
            yield part.func
        else:
            yield from _validators(part)


def _successes(kind: Kind) -> Json:
    said: Json = {"description": "What was asked for." if kind.effect is Effect.READ else "Done."}
    if kind.keyed:
        said["headers"] = {"Idempotent-Replayed": _REPLAYED}
    if kind.success != 204:
        schema = {"$ref": f"{_SCHEMAS}{kind.reply_type.__name__}"}
        said["content"] = {"application/json": {"schema": schema}}
    open_ended = kind.status_of is not Endpoint.status_of  # the reply decides whether anything was made
    return {str(status): said for status in ([200] if open_ended else []) + [kind.success]}


def _refusals(kind: Kind) -> Json:
    possible = {402: kind.effect is Effect.SPEND, 403: kind.scope is not None, 404: bool(kind.handles)}
    return {
        str(status): {"$ref": f"#/components/responses/{status}"}
        for status in _REFUSALS
        if possible.get(status, True)
    }


def _refusal(status: int) -> Json:
    waits = {"description": "Seconds to wait.", "required": True, "schema": {"type": "integer", "minimum": 0}}
    return {
        "description": _REFUSALS[status],
        **({"headers": {"Retry-After": waits}} if status == 429 else {}),
        "content": {"application/problem+json": {"schema": {"$ref": f"{_SCHEMAS}Problem"}}},
    }


def _shapes() -> dict[str, Json]:
    """The schemas of all arguments and replies, and of what stands in them, by the names of their classes."""
    _, found = models_json_schema(
        [(kind, "validation") for kind in CATALOG]
        + [(kind.reply_type, "serialization") for kind in CATALOG if kind.success != 204],
        ref_template=f"{_SCHEMAS}{{model}}",
        schema_generator=_Wire,
    )
    shapes: dict[str, Json] = found["$defs"]
    for reply in {kind.reply_type for kind in CATALOG if kind.success != 204}:
        shape, listed_as = shapes[reply.__name__], reply.listed_as if issubclass(reply, Page) else "data"
        said = {name: part for name, part in shape["properties"].items() if name not in reply.ours}
        shape["properties"] = {listed_as if name == "data" else name: part for name, part in said.items()}
        shape["required"] = [listed_as if name == "data" else name for name in shape.get("required", ())]
    return shapes


class _Wire(GenerateJsonSchema):
    """JSON Schema of what is on the wire: what is only ours to say, such as titles, is left out."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> Json:
        said = super().default_schema(schema)
        if self.mode == "serialization" or said.get("default") is None:
            said.pop("default", None)
        return said

    def union_schema(self, schema: core_schema.UnionSchema) -> Json:
        """An open set of words is text with examples."""
        said = super().union_schema(schema)
        branches = said.get("anyOf", [])
        if _TEXT not in branches or any(branch.get("type") != "string" for branch in branches):
            return said
        return {**_TEXT, "examples": [word for branch in branches for word in branch.get("enum", ())]}

    def nullable_schema(self, schema: core_schema.NullableSchema) -> Json:
        """A reply says null; in a request null is said of whatever is optional, and not at all in a query."""
        inner = self.generate_inner(schema["schema"])
        return _or_null(inner) if self.mode == "serialization" else inner


def _lenient(shape: Json) -> Json:
    """Unknown names are kept in replies and ignored in requests (contract A5), which take null for what is
    optional."""
    kept = {key: value for key, value in shape.items() if key != "additionalProperties"}
    if shape.get("additionalProperties") is not False:
        return kept
    needed = shape.get("required", ())
    parts = {name: part if name in needed else _or_null(part) for name, part in shape["properties"].items()}
    return {**kept, "properties": parts}


def _or_null(schema: Json) -> Json:
    if "$ref" in schema or "anyOf" in schema:
        said = {key: value for key, value in schema.items() if key in ("description", "default")}
        bare = {key: value for key, value in schema.items() if key not in said}
        return {"anyOf": [*bare.get("anyOf", [bare]), {"type": "null"}], **said}
    nullable = {**schema, "type": [schema["type"], "null"]} if "type" in schema else schema
    return {**nullable, "enum": [*schema["enum"], None]} if "enum" in schema else nullable
