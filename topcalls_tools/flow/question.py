"""What a person is asked before a deed: the deed in our words, and every value that somebody else gave,
marked.

Each value stands in a block of its own whose lines all begin with a bar; none of our lines does. So nothing
quoted can pose as ours, whatever it says.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ..action import Effect
from ..api.account import Balance
from ..api.calls import PlaceCall
from ..api.fields import E164
from ..contacts import Contact
from ..endpoint import Endpoint
from ..guard import Said
from ..guard.policy import Policy, host
from ..places import country, time_in, zones
from ..quoting import barred, room


@dataclass(frozen=True, slots=True)
class Question:
    """A question to the person in charge. Title, lines, labels and closing are ours; quoted values are
    others'."""

    title: str
    lines: tuple[str, ...]
    quoted: tuple[tuple[str, str], ...]
    closing: tuple[str, ...] = ()
    live: bool = False
    rules: tuple[str, ...] = ()
    """The rules that have something to say in it."""

    def text(self, most: int = 600, columns: int | None = None) -> str:
        """The question as plain text. A value over `most` characters is cut, with its length and digest; what
        is quoted is no wider than `columns`, where somebody knows how many there are."""
        blocks = [f"{label}:\n" + "\n".join(_block(value, most, columns)) for label, value in self.quoted]
        return "\n".join([self.title, *self.lines, *blocks, *self.closing])

    def document(self) -> dict[str, Any]:
        """The question as JSON: for pages and programs that show it in their own way, and for the journal."""
        return {
            "title": self.title,
            "lines": list(self.lines),
            "quoted": [{"label": label, "value": value} for label, value in self.quoted],
            "closing": list(self.closing),
            "live": self.live,
            "rules": list(self.rules),
        }

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Question:
        """The inverse of `document`."""
        quoted = tuple((one["label"], one["value"]) for one in document["quoted"])
        lines, closing = tuple(document["lines"]), tuple(document["closing"])
        return cls(
            document["title"], lines, quoted, closing, document["live"], tuple(document.get("rules", ()))
        )


def question(
    request: Endpoint[Any],
    seen: tuple[Any, ...],
    said: tuple[Said, ...],
    *,
    now: datetime,
    live: bool,
    policy: Policy,
    contact: Contact | None = None,
) -> Question:
    """Put a deed to a person: `seen` are the previews' replies, `said` what each rule said of it, `contact`
    whom the owner knows by the number."""
    given = request.model_dump(mode="json", exclude_none=True)
    if isinstance(request, PlaceCall) and (opening := request.opening()) is not None:
        given["first_sentence"] = opening
    if policy.webhook_url and given.get("webhook_url") == policy.webhook_url:
        given["webhook_url"] = host(policy.webhook_url)  # a model may read it, and the rest may be a secret
    subject = {label: value for label, value in request.subject(seen).items() if value is not None}
    called = {"called in your contacts": contact.name} if contact else {}
    quoted = [
        (_label(request, label), _plain(value)) for label, value in {**called, **subject, **given}.items()
    ]
    return Question(
        f"{request.title()}? {_world(request.effect, live)}",
        tuple(_ours(request, seen, said, now, policy, contact)),
        tuple(quoted),
        tuple(_left_out(request)),
        live,
        tuple(one.rule for one in said if one.why),
    )


def _ours(
    request: Endpoint[Any],
    seen: tuple[Any, ...],
    said: tuple[Said, ...],
    now: datetime,
    policy: Policy,
    contact: Contact | None,
) -> Iterator[str]:
    if isinstance(request, PlaceCall):
        yield time_in(zones(E164(request.phone_number), contact.zone if contact else None), now)
        if not policy.selling:
            yield "It is not for selling anything."
    if request.effect is Effect.SPEND:
        yield _cost(request, seen, policy)
    yield from (f"{one.why} [rule: {one.rule}]" for one in said if one.why)
    if silent := [one.rule for one in said if not one.why]:
        yield f"Nothing against it: {', '.join(silent)}."


def _cost(request: Endpoint[Any], seen: tuple[Any, ...], policy: Policy) -> str:
    free = [one.free for one in seen if isinstance(one, Balance) and one.remaining is not None]
    if not free and not isinstance(request, PlaceCall):  # only the balance bounds what it uses
        return "How many call minutes it can use is unknown."
    most = request.most_minutes(seen)
    used = f"It can use up to {_minutes(most)} call minutes"
    if policy.price_per_minute is not None:
        used += f", {most * policy.price_per_minute:,.2f} {policy.currency}"
    return f"{used}; {_minutes(free[0])} are free." if free else f"{used}."


def _minutes(minutes: float) -> str:
    return f"{round(minutes, 2):,.10g}"


def _world(effect: Effect, live: bool) -> str:
    match effect, live:
        case Effect.SPEND, True:
            return "Real phones ring and call minutes are used."
        case _, True:
            return "This changes the live account."
        case _:
            return "Practice: no phone rings."


def _left_out(request: Endpoint[Any]) -> Iterator[str]:
    """What TopCalls chooses where nothing was given: the descriptions say it after "Default:"."""
    names = [name for name, value in request if value is None and name not in request.for_code]
    said = [(name, request.words[name].partition("Default: ")[2].rstrip(".")) for name in names]
    if defaults := [f"{name} ({default})" for name, default in said if default]:
        yield f"Left to TopCalls: {', '.join(defaults)}."


def _label(request: Endpoint[Any], name: str) -> str:
    value = getattr(request, name, None)
    if name == "first_sentence" and isinstance(request, PlaceCall):
        return "first_sentence, as it will be spoken"
    return f"{name} ({country(value)})" if isinstance(value, E164) else name


def _plain(value: Any) -> str:
    match value:
        case str():
            return value
        case float():
            return repr(value).removesuffix(".0")
        case _:
            return json.dumps(value, ensure_ascii=False)


def _block(value: str, most: int, columns: int | None) -> Iterator[str]:
    cut, width = value[:most], room(columns)
    yield from barred(cut, width)
    if cut != value:
        digest = hashlib.sha256(value.encode("utf-8", "replace")).hexdigest()[:12]
        yield from barred(f"… ({len(value)} characters in all, digest {digest})", width)
