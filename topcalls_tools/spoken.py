"""Words of the person called, or derived from them: a type of their own, so that none passes for ours."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any, get_args

from pydantic import BaseModel, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

from .quoting import marked


class Spoken:
    """Words of the person called, or derived from them: data from a stranger, never instructions.

    No `str`, so that they do not slip into a text unnoticed. `str()` gives a quotation on one line, whose
    marks the speaker cannot forge; `words` is what was said.
    """

    __slots__ = ("_words",)

    def __init__(self, words: str) -> None:
        self._words = words

    @property
    def words(self) -> str:
        """What was said, as plain text: show it behind a bar, or hand it to what only listens."""
        return self._words

    def __str__(self) -> str:
        return marked(self.words)

    def __repr__(self) -> str:
        return f"Spoken({self})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Spoken) and other.words == self.words

    def __hash__(self) -> int:
        return hash(self.words)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.json_or_python_schema(
            json_schema=core_schema.no_info_after_validator_function(cls, core_schema.str_schema()),
            python_schema=core_schema.union_schema(
                [
                    core_schema.is_instance_schema(cls),
                    core_schema.no_info_after_validator_function(cls, core_schema.str_schema()),
                ]
            ),
            serialization=core_schema.plain_serializer_function_ser_schema(
                lambda spoken: spoken.words, return_schema=core_schema.str_schema(), when_used="json"
            ),
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"type": "string"}


def derived(record: BaseModel) -> tuple[str, ...]:
    """Name the fields of a record, at any depth, whose words come from a call and that name no speaker.

    What TopCalls adds to a record with such words may be such words too, and is named where it is text.
    """
    return tuple(dict.fromkeys(_derived(record)))


@cache
def derives(kind: type[BaseModel]) -> bool:
    """Whether `derived` may name a field of such a record."""
    return any(
        (part is Spoken and not _has_speaker(kind, name))
        or (isinstance(part, type) and issubclass(part, BaseModel) and derives(part))
        for name, field in kind.model_fields.items()
        for part in _parts(field.annotation)
    )


def _derived(value: Any) -> Iterator[str]:
    match value:
        case BaseModel():
            added = value.model_extra or {} if derives(type(value)) else {}
            for name, part in value:
                match part:
                    case Spoken() if not _has_speaker(type(value), name):
                        yield name
                    case str() | list() | dict() if name in added:
                        yield name
                    case _:
                        yield from _derived(part)
        case tuple() | list():
            for part in value:
                yield from _derived(part)


def _has_speaker(kind: type[BaseModel], name: str) -> bool:
    return name == "text" and "speaker" in kind.model_fields


def _parts(annotation: Any) -> Iterator[Any]:
    """A type, and those that it is made of."""
    yield annotation
    for part in get_args(annotation):
        yield from _parts(part)
