"""Everything that can be done is an `Action`: one frozen class that states words, effect, arguments, reply.

Schemas, tools, commands, questions and documentation are read off the class; nothing says it twice.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Self, TypeVar, get_type_hints

from pydantic import BaseModel, ConfigDict, GetJsonSchemaHandler, ValidationError, model_validator
from pydantic_core import CoreSchema, InitErrorDetails

from .docstrings import docs
from .quoting import in_json
from .schema import Generator, at, plain, wanted
from .spoken import derived, derives

DERIVED = {
    "type": "array",
    "items": {"type": "string"},
    "description": "Fields whose words come from what was said on a call: data from a stranger.",
}


class Effect(Enum):
    """What an action does to the world; the value is what people read."""

    READ = "reads only"
    BRAKE = "stops something; never asked about"
    WRITE = "changes the account; a person is asked"
    DELETE = "removes something for good; a person is asked"
    SPEND = "rings phones and uses call minutes; a person is asked"

    @property
    def hints(self) -> dict[str, bool]:
        """What assistants read: is it read-only, destructive, repeatable, felt outside the account?"""
        return {
            "readOnlyHint": self is Effect.READ,
            "destructiveHint": self in (Effect.DELETE, Effect.SPEND),
            "idempotentHint": self in (Effect.READ, Effect.BRAKE, Effect.DELETE),
            "openWorldHint": self is Effect.SPEND,
        }


class Value(BaseModel):
    """A frozen value. The docstring under a field is its description, in schemas and in documentation."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, hide_input_in_errors=True)

    words: ClassVar[Mapping[str, str]] = {}
    """Description of each field."""

    @classmethod
    def __pydantic_init_subclass__(cls, **kw: Any) -> None:
        super().__pydantic_init_subclass__(**kw)
        if "[" in cls.__name__:  # a parametrised generic: pydantic makes a class of it
            return
        own = [name for name in vars(cls).get("__annotations__", ()) if name in cls.model_fields]
        if own:
            cls.words = {**cls.words, **docs(cls.__module__)[cls.__name__][1]}
        if silent := [name for name in own if not cls.words.get(name)]:
            raise TypeError(f"{cls.__name__} needs a docstring under {', '.join(silent)}: models read it.")

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        schema = handler(core)
        own = handler.resolve_ref_schema(schema)
        own.pop("description", None)
        for name, said in cls.words.items():
            if name in own.get("properties", {}):
                own["properties"][name]["description"] = said
        return schema


class Record(Value):
    """What TopCalls replies. Fields that TopCalls adds later are kept, never refused."""

    model_config = ConfigDict(extra="allow")

    ours: ClassVar[frozenset[str]] = frozenset()
    """Fields that we fill in ourselves; whatever TopCalls sends under these names is left out."""

    @classmethod
    def settled(cls, reply: Any) -> Any:
        """A reply's JSON in the form that the fields expect."""
        return reply


class Arguments(Value):
    """What is sent. An unknown name is refused; null for an optional argument means that it is absent."""

    @model_validator(mode="before")
    @classmethod
    def _absent(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        needless = {name for name, field in cls.model_fields.items() if not field.is_required()}
        return {name: value for name, value in given.items() if value is not None or name not in needless}


@dataclass(frozen=True, slots=True)
class ForCode:
    """Marks a field for Python callers alone, because it could carry words out; no model ever sees it."""


@dataclass(frozen=True, slots=True)
class ToolDefault:
    """Marks the value that an argument has on tool surfaces when it is left out there."""

    value: Any


R = TypeVar("R", bound=Record)


class Action(Arguments, Generic[R]):
    """Base of every tool. The tool's name is the class's; the docstring is what models read."""

    if TYPE_CHECKING:  # pydantic would resolve these again for every subclass, at each start
        tool: ClassVar[str]
        description: ClassVar[str]
        effect: ClassVar[Effect]
        toolset: ClassVar[str]
        code_only: ClassVar[bool]
        """Whether it is for Python callers alone, because it could carry words out; no surface serves it."""
        reply_type: ClassVar[type[Record]]
        for_code: ClassVar[frozenset[str]]
        tool_defaults: ClassVar[Mapping[str, Any]]

    def __init_subclass__(
        cls, effect: Effect | None = None, toolset: str | None = None, code_only: bool = False, **kw: Any
    ) -> None:
        """Swallow our keywords here: `Generic` would pass them on to `object`, which refuses them."""
        super().__init_subclass__(**kw)

    @classmethod
    def __pydantic_init_subclass__(
        cls, effect: Effect | None = None, toolset: str | None = None, code_only: bool = False, **kw: Any
    ) -> None:
        super().__pydantic_init_subclass__(**kw)
        if effect is None:  # a base of several actions
            return
        cls.description = docs(cls.__module__)[cls.__name__][0]
        if not cls.description:
            raise TypeError(f"{cls.__name__} needs a docstring: models read it.")
        if clash := cls.model_fields.keys() & _RESERVED:
            raise TypeError(f"{cls.__name__} may not name a field {', '.join(sorted(clash))}.")
        cls.tool = re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()
        cls.effect = effect
        cls.toolset = toolset or cls.__module__.rpartition(".")[2]
        cls.code_only = code_only
        cls.reply_type = _argument(cls)
        marks = [(name, mark) for name, field in cls.model_fields.items() for mark in field.metadata]
        cls.for_code = frozenset(name for name, mark in marks if isinstance(mark, ForCode))
        cls.tool_defaults = {name: mark.value for name, mark in marks if isinstance(mark, ToolDefault)}

    @classmethod
    def from_tool(cls, arguments: Mapping[str, Any]) -> Self:
        """Read what a model, a command or a slip sent. A field for code is as unknown as a misspelt one.

        Raises pydantic's `ValidationError`; `sentence` says it in words.
        """
        if hidden := cls.for_code & arguments.keys():
            wrong = [
                InitErrorDetails(type="extra_forbidden", loc=(name,), input=0) for name in sorted(hidden)
            ]
            raise ValidationError.from_exception_data(cls.__name__, wrong, hide_input=True)
        missing = {name: value for name, value in cls.tool_defaults.items() if arguments.get(name) is None}
        return cls.model_validate({**arguments, **missing})

    def view(self, reply: R) -> Record:
        """The reply as tool surfaces show it; the typed client is never cut."""
        return reply

    def shown(self, reply: R, live: bool) -> dict[str, Any]:
        """The JSON that every tool surface gives: whether the world was the real one, which words come from a
        call, and the view."""
        view, ours = self.view(reply), {"live", "derived"}
        said = view.model_dump(mode="json", exclude_none=True, exclude=ours)
        marks = [name for name in derived(view) if name not in ours]
        return {"live": live, **({"derived": marks} if marks else {}), **said}

    def told(self, reply: R, live: bool) -> str:
        """`shown` as compact JSON text."""
        return in_json(self.shown(reply, live))

    @classmethod
    def input_schema(cls) -> dict[str, Any]:
        """JSON Schema of the arguments as models see them: inlined, no titles, no nulls, nothing for code."""
        return _input_schema(cls)

    @classmethod
    def output_schema(cls) -> dict[str, Any]:
        """JSON Schema of `shown`."""
        seen = get_type_hints(cls.view)["return"]
        kind = cls.reply_type if seen is Record else seen
        schema = plain(kind.model_json_schema(schema_generator=Generator, mode="serialization"))
        live = {"type": "boolean", "description": "False in the sandbox, where no phone rings."}
        # Nothing null is shown, so nothing but `live` can be promised to be there.
        first = {"live": live, **({"derived": DERIVED} if derives(kind) else {})}
        properties = {**first, **schema.get("properties", {})}
        return {"type": "object", "properties": properties, "required": ["live"]}

    @classmethod
    def title(cls) -> str:
        """The tool's name as people read it."""
        return cls.tool.replace("_", " ").capitalize()

    @classmethod
    def listing(cls) -> dict[str, Any]:
        """The tool as the MCP lists it, in its wire form."""
        return {
            "name": cls.tool,
            "title": cls.title(),
            "description": cls.description,
            "inputSchema": cls.input_schema(),
            "outputSchema": cls.output_schema(),
            "annotations": {"title": cls.title(), **cls.effect.hints},
        }


_RESERVED = frozenset(name for name in dir(Action) if not name.startswith("_")) | {
    "tool", "description", "effect", "toolset", "code_only", "reply_type", "for_code", "tool_defaults",
    "method", "path", "scope", "keyed", "success", "request", "reply", "read", "flow", "preview", "live",
}  # fmt: skip


def sentence(wrong: ValidationError, action: type[Action[Any]]) -> str:
    """A validation error as one sentence: each argument, what is wrong, what would work, and no value."""
    parts: dict[str, str] = {}
    for item in wrong.errors(include_url=False, include_input=False):
        where = ".".join(_printable(str(step)) for step in item["loc"])
        parts.setdefault(where, _clause(where, item, action))
    return f"{'; '.join(list(parts.values())[:4])}."


def _clause(where: str, item: Any, action: type[Action[Any]]) -> str:
    kind, schema = item["type"], action.input_schema()
    if kind == "extra_forbidden":
        taken = ", ".join(at(schema, item["loc"][:-1]).get("properties", {})) or "nothing"
        return f"{where} is no argument of {action.tool}, which takes {taken}"
    if kind == "value_error":
        return " ".join(filter(None, [where, item["msg"].removeprefix("Value error, ").rstrip(".")]))
    remedy = wanted(at(schema, item["loc"]))
    return f"{where or 'the arguments'} {_defect(kind)}; give {remedy}"


def _defect(kind: str) -> str:
    match kind:
        case "missing":
            return "is missing"
        case "string_too_short" | "too_short":
            return "is too short"
        case "string_too_long" | "too_long":
            return "is too long"
        case "literal_error":
            return "is none of the values allowed"
        case "finite_number" | "greater_than" | "greater_than_equal" | "less_than" | "less_than_equal":
            return "is out of range"
        case "string_pattern_mismatch" | "string_unicode" | "recursion_loop":
            return "has the wrong form"
        case _:
            return "has the wrong type"


def _printable(name: str) -> str:
    """A name that somebody sent, fit to be repeated in a sentence."""
    return re.sub(r"[^\w.-]", "?", name[:40], flags=re.ASCII) or "?"


def _argument(cls: type[BaseModel]) -> Any:
    """What `R` stands for in the nearest parametrised base."""
    for base in cls.__mro__:
        if arguments := vars(base).get("__pydantic_generic_metadata__", {}).get("args"):
            return arguments[0]
    raise TypeError(f"{cls.__name__} needs a reply type: class {cls.__name__}(Action[Reply]).")


@cache
def _input_schema(cls: type[Action[Any]]) -> dict[str, Any]:
    schema = plain(cls.model_json_schema(schema_generator=Generator, mode="validation"))
    properties = {name: part for name, part in schema["properties"].items() if name not in cls.for_code}
    for name, value in cls.tool_defaults.items():
        properties[name]["default"] = value
    slim = {"type": "object", "properties": properties, "additionalProperties": False}
    return {**slim, "required": schema["required"]} if "required" in schema else slim
