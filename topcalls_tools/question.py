"""What a person is asked before a deed: the deed in our words, and every value that somebody else gave,
marked.

Each value stands in a block of its own whose lines all begin with a bar; none of our lines does. So nothing
quoted can pose as ours, whatever it says.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from unicodedata import east_asian_width

from .action import Effect
from .api.fields import E164
from .endpoint import Endpoint

BAR = "  │ "
WIDTH = 72
"""Columns of a quoted line, the bar not counted."""


@dataclass(frozen=True, slots=True)
class Question:
    """A question to the person in charge. `lines` are ours; `quoted` are labels of ours and values of
    others."""

    lines: tuple[str, ...]
    quoted: tuple[tuple[str, str], ...]
    closing: tuple[str, ...] = ()

    def text(self, most: int = 600) -> str:
        """The question as plain text. A value over `most` characters is cut, with its length and digest."""
        blocks = [f"{label}:\n" + "\n".join(_block(value, most)) for label, value in self.quoted]
        return "\n".join([*self.lines, *blocks, *self.closing])


def question(request: Endpoint[Any], seen: tuple[Any, ...], reasons: tuple[str, ...], live: bool) -> Question:
    """Put a deed to a person: `seen` are the previews' replies, `reasons` what the rules want to be known."""
    minutes = request.most_minutes(seen)
    ours = [f"{request.title()}? {_world(request.effect, live)}"]
    if request.effect is Effect.SPEND:
        ours.append(f"It can use up to {round(minutes, 2):,.10g} call minutes.")
    given = request.model_dump(mode="json", exclude_none=True)
    subject = {name: value for name, value in request.subject(seen).items() if value is not None}
    quoted = [(_label(request, name), _plain(value)) for name, value in {**subject, **given}.items()]
    return Question((*ours, *reasons), tuple(quoted), tuple(_left_out(request)))


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
    return f"{name} ({country(value)})" if isinstance(value, E164) else name


def country(number: E164) -> str:
    """The country of a number in English, or its country code where it belongs to none or to several."""
    import phonenumbers
    from phonenumbers import geocoder

    parsed = phonenumbers.parse(number)
    return geocoder.country_name_for_number(parsed, "en") or f"country code +{parsed.country_code}"


def _plain(value: Any) -> str:
    match value:
        case str():
            return value
        case float():
            return f"{value:g}"
        case _:
            return json.dumps(value, ensure_ascii=False)


def _block(value: str, most: int) -> Iterator[str]:
    cut = value[:most]
    for line in cut.split("\n"):
        yield from (BAR + piece for piece in _pieces("".join(map(visible, line))))
    if cut != value:
        digest = hashlib.sha256(value.encode("utf-8", "replace")).hexdigest()[:12]
        yield f"{BAR}… ({len(value)} characters in all, digest {digest})"


def _pieces(line: str) -> Iterator[str]:
    """A line in pieces that no terminal wraps: what it wrapped would stand without its bar."""
    piece, room = "", WIDTH
    for character in line:
        room -= 2 if east_asian_width(character) in "WF" else 1
        if room < 0:
            yield piece
            piece, room = "", WIDTH - 1
        piece += character
    yield piece


def visible(character: str) -> str:
    """A character as a person can see it: control, direction and zero-width characters as escapes."""
    return character if character.isprintable() else f"\\u{{{ord(character):x}}}"
