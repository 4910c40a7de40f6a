"""A request is a value: an `Endpoint` is an `Action` with a route.

Client call and sandbox route are both read off the class: `request` writes what `read` reads.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Self
from urllib.parse import quote

from pydantic import ValidationError

from .action import Action, Effect, R, Record
from .errors import BY_STATUS, APIError, Broken, Forbidden, Invalid, NotFound, TooMany
from .replies import field_errors, opening, parsed, seconds, text
from .wire import Reply, Request

_HOLE = re.compile(r"\{(\w+)\}")
WITH_BODY = frozenset({"POST", "PATCH"})
"""Methods whose arguments travel in a JSON body; those of the others travel in the query."""
ON_THE_WIRE = {"secrets": True}
"""Serialization context in which secrets show themselves."""


class Endpoint(Action[R], Generic[R]):
    """Base of every endpoint; subclass it with `route=`, `effect=` and `scope=`.

    Fields named in the route's braces travel in the path; the others travel in the query (GET, DELETE) or in
    the JSON body (POST, PATCH). A field that is None does not travel; a default travels only where a person
    must see it.
    """

    if TYPE_CHECKING:  # pydantic would resolve these again for every subclass, at each start
        method: ClassVar[str]
        path: ClassVar[str]
        scope: ClassVar[str | None]
        """What the key must be allowed to do; None where any key will do."""
        keyed: ClassVar[bool]
        """Whether TopCalls promises to answer the same `Idempotency-Key` only once."""
        success: ClassVar[int]
        """The status of a good reply, where the reply does not decide it."""
        handles: ClassVar[tuple[str, ...]]
        """The fields that travel in the path."""

    def __init_subclass__(
        cls,
        route: str = "",
        scope: str | None = None,
        keyed: bool | None = None,
        creates: bool = False,
        **kw: Any,
    ) -> None:
        super().__init_subclass__(**kw)

    @classmethod
    def __pydantic_init_subclass__(  # type: ignore[override]  # keywords of a class statement, not a call
        cls,
        route: str = "",
        scope: str | None = None,
        keyed: bool | None = None,
        creates: bool = False,
        **kw: Any,
    ) -> None:
        super().__pydantic_init_subclass__(**kw)
        if not route:
            return
        if "effect" not in kw:
            raise TypeError(f"{cls.__name__} needs effect=: what it does to the world decides who is asked.")
        cls.method, _, cls.path = route.partition(" ")
        cls.scope = scope
        cls.keyed = cls.method == "POST" if keyed is None else keyed
        cls.success = 201 if creates else 204 if cls.method == "DELETE" else 200
        cls.handles = tuple(_HOLE.findall(cls.path))
        if missing := set(cls.handles) - set(cls.model_fields):
            raise TypeError(f"{cls.__name__} has no field for {', '.join(sorted(missing))} in its route.")

    def preview(self) -> tuple[Endpoint[Any], ...]:
        """READs whose replies are shown with the question; none when the arguments say it all."""
        return ()

    def subject(self, seen: tuple[Any, ...]) -> dict[str, Any]:
        """What the question says of the deed's object, its name first, from the previews' replies."""
        return {}

    def target(self, seen: tuple[Any, ...]) -> str:
        """The number or name that this deed is about: what a person would call it by."""
        return str(self.subject(seen).get("name") or self.title())

    def most_minutes(self, seen: tuple[Any, ...]) -> float:
        """Call minutes that this can use at most; 0 where none are used."""
        return 0

    def request(self) -> Request:
        """This value as an HTTP request."""
        given = self.model_dump(mode="json", exclude_none=True, context=ON_THE_WIRE)
        path = self.path
        for name in self.handles:
            path = path.replace(f"{{{name}}}", quote(given.pop(name), safe=""))
        if self.method in WITH_BODY:
            return Request(self.method, path, body=given or None)
        query = {
            name: value if isinstance(value, str) else json.dumps(value) for name, value in given.items()
        }
        return Request(self.method, path, query=query)

    @classmethod
    def read(cls, holes: Mapping[str, str], query: Mapping[str, str], body: Mapping[str, Any]) -> Self:
        """The inverse of `request`: what the sandbox does with what arrives. Unknown names are dropped."""
        return cls.model_validate(
            {
                name: value
                for name, value in {**cls._typed(query), **body, **holes}.items()
                if name in cls.model_fields
            }
        )

    @classmethod
    def _typed(cls, query: Mapping[str, str]) -> dict[str, Any]:
        """A query with its numbers and truths as such; what is neither stays text and is refused as such."""
        typed: dict[str, Any] = dict(query)
        if not typed:
            return typed
        for name, part in cls.input_schema()["properties"].items():
            if name in typed and part.get("type") in ("integer", "number", "boolean"):
                try:
                    value = json.loads(query[name])
                except ValueError:
                    continue
                typed[name] = query[name] if value is None else value  # null is no number, and not absent
        return typed

    def reply(self, reply: Reply) -> R:
        """The typed reply, or the error that its status stands for. An unreadable field is absent."""
        if not 200 <= reply.status < 300:
            raise self.error(reply)
        try:
            kind: type[R] = self.reply_type  # type: ignore[assignment]  # a ClassVar cannot name R
            record = parsed(kind, reply.content or b"{}")
            if self.effect is Effect.WRITE and record.model_extra:
                record.model_extra.update(_masked(record.model_extra, self.secrets()))
            return record
        except ValidationError as wrong:
            trouble = ", ".join(
                sorted({".".join(map(str, item["loc"])) or "the whole" for item in wrong.errors()})
            )
            start = opening(reply.content)
        raise Broken(
            f"TopCalls answered {self.tool} with {reply.status} in an unknown shape "
            f"(unreadable: {trouble}): {start}; {Broken.remedy}.",
            reply.status,
        )

    def status_of(self, reply: R) -> int:
        """The status that a good reply is sent with."""
        return self.success

    def error(self, reply: Reply) -> APIError:
        kind = BY_STATUS.get(reply.status, Invalid if 400 <= reply.status < 500 else Broken)
        problem = reply.problem()
        fields = tuple(field_errors(problem))
        said = text(problem.get("detail")) or text(problem.get("title"))
        said = said.rstrip(". ") or f"it sent no JSON: {opening(reply.content)}"
        named = [
            f"{field.path}: {field.message}" for field in fields if field.path and field.message not in said
        ]
        parts = [f"TopCalls answered {self.tool} with {reply.status}: {said}", *named, self._remedy(kind)]
        parts = _masked(parts, self.secrets())
        instance = text(problem.get("instance"))
        wait = seconds(reply.headers.get("retry-after")) if kind is TooMany else None
        return kind(
            "; ".join(filter(None, parts)) + (f". (occurrence {instance})" if instance else "."),
            reply.status,
            slug=text(problem.get("type")).rpartition("/")[2] or None,
            fields=fields,
            instance=instance or None,
            wait_seconds=wait,
        )

    def secrets(self) -> tuple[str, ...]:
        """The secrets among the arguments: TopCalls' own words may repeat them, ours may not."""
        shown, hidden = self.model_dump(mode="json", context=ON_THE_WIRE), self.model_dump(mode="json")
        return tuple(_differences(shown, hidden))

    def _remedy(self, kind: type[APIError]) -> str:
        if kind is NotFound and self.handles:
            name = self.handles[-1]
            return f"check {name}: {self.words[name].rstrip('.')}"
        if kind is Forbidden and self.scope:
            return f"{self.tool} needs a key with the scope {self.scope}"
        if kind is Broken and self.effect is Effect.READ:
            return "reading again is safe"
        return kind.remedy


def _differences(shown: Any, hidden: Any) -> Iterator[str]:
    if isinstance(shown, dict):
        for name, value in shown.items():
            yield from _differences(value, hidden[name])
    elif isinstance(shown, str) and shown != hidden:
        yield shown


def _masked(value: Any, secrets: tuple[str, ...]) -> Any:
    """What TopCalls said, without the secrets that it was told."""
    match value:
        case dict():
            return {name: _masked(inner, secrets) for name, inner in value.items()}
        case list():
            return [_masked(inner, secrets) for inner in value]
        case str():
            for secret in secrets:
                value = value.replace(secret, "[secret]")
            return value
        case _:
            return value


class Done(Record):
    """A deed that needed a person's yes, and what became of it."""

    ours = frozenset({"replayed", "first_at", "note"})

    replayed: bool | None = None
    """True when this is the outcome of an earlier call with the same yes, and nothing was done again."""
    first_at: str | None = None
    """When it was really done, ISO 8601 UTC; given with replayed."""
    note: str | None = None
    """What to know about this outcome, in a sentence of TopCalls Tools."""


class Deleted(Done):
    """Something that was deleted."""

    deleted: bool = True
    """True: it is gone."""


class Stopped(Record):
    """What a brake did."""

    ours = frozenset({"note"})

    ok: bool = True
    """True when this request did it; false when there was nothing left to stop."""
    status: str | None = None
    """Status of the object now."""
    note: str | None = None
    """What to know about this outcome, in a sentence of TopCalls Tools."""


class Brake(Endpoint[Stopped]):
    """Base of the endpoints that stop something: they go at once, and say what they found."""

    calm: ClassVar[frozenset[str]]
    """Statuses in which nothing is left for this brake to stop."""

    def look(self) -> Endpoint[Any]:
        """The READ that shows the object's status."""
        raise TypeError(f"{type(self).__name__} needs look(): the READ that shows what it stopped.")

    def instead(self, status: str) -> str:
        """What works on an object that this brake cannot stop."""
        raise TypeError(f"{type(self).__name__} needs instead(status): what works when it does not.")
