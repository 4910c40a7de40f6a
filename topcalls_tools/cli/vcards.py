"""Reading vCards of versions 3 and 4: name, numbers, time zone and language of each card."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from ..places import zone

NO_VOICE = frozenset({"fax", "pager", "modem", "textphone", "bbs"})
"""Kinds of numbers that nobody speaks at."""
KINDS = ("cell", "home", "work", "main")
"""Kinds that tell one number of a person from another."""
_PROPERTY = re.compile(r'(?:[\w-]+\.)?([\w-]+)((?:;(?:[^:;"]|"[^"]*")*)*):(.*)')


@dataclass(frozen=True, slots=True)
class Property:
    """A line of a card: where it stands, what it is called (in capitals), how it is marked, what it says."""

    line: int
    name: str
    params: str
    value: str

    @property
    def marks(self) -> frozenset[str]:
        """The words among its parameters, in small letters."""
        return frozenset(re.findall(r"[a-z]+", self.params.lower()))


@dataclass(slots=True)
class Card:
    """One card, and the line where it begins."""

    line: int
    lines: list[Property] = field(default_factory=list)
    ended: bool = False

    @property
    def quoted(self) -> bool:
        """Whether it is written in the way of version 2.1, which is not read here."""
        return any("QUOTED-PRINTABLE" in one.params.upper() for one in self.lines)

    @property
    def name(self) -> str:
        """What the card calls itself: its formatted name, else given name and family name, else the
        organisation."""
        family, given = [*_parts(self._first("N")), "", ""][:2]
        return plain(self._first("FN")) or plain(f"{given} {family}") or plain(_parts(self._first("ORG"))[0])

    @property
    def zone(self) -> str:
        """Its IANA time zone; an offset from UTC is none, for it does not know summer."""
        named = plain(self._first("TZ"))
        return named if zone(named) else ""

    @property
    def language(self) -> str:
        """Two letters (ISO 639-1)."""
        found = re.match(r"([a-z]{2})(-|$)", self._first("LANG").strip().lower())
        return found[1] if found else ""

    def numbers(self) -> Iterator[tuple[int, str, str]]:
        """The line, the kind and the text of each number that somebody speaks at; several have a kind each,
        as far as they are told apart."""
        voices = [one for one in self.lines if one.name == "TEL" and not one.marks & NO_VOICE]
        for one in voices:
            kind = next((kind for kind in KINDS if kind in one.marks), "") if len(voices) > 1 else ""
            yield one.line, kind, plain(one.value).removeprefix("tel:")

    def _first(self, name: str) -> str:
        return next((one.value for one in self.lines if one.name == name), "")


def cards(text: str) -> Iterator[Card]:
    """The cards in a text, in order; one that does not end is given as it is."""
    card: Card | None = None
    for line, said in _unfolded(text):
        found = _PROPERTY.fullmatch(said)
        name, params, value = found.groups() if found else ("", "", "")
        if (name.upper(), value.strip().upper()) == ("BEGIN", "VCARD"):
            if card:
                yield card
            card = Card(line)
        elif card and (name.upper(), value.strip().upper()) == ("END", "VCARD"):
            card.ended = True
            yield card
            card = None
        elif card:
            card.lines.append(Property(line, name.upper(), params, value))
    if card:
        yield card


def plain(value: str) -> str:
    """A value without its escapes, on one line."""
    return " ".join(re.sub(r"\\(.)", lambda found: " " if found[1] in "nN" else found[1], value).split())


def _unfolded(text: str) -> list[tuple[int, str]]:
    """The lines with those that were folded put together, each with where it begins."""
    lines: list[tuple[int, str]] = []
    for place, line in enumerate(text.split("\n"), start=1):
        if line[:1] in (" ", "\t") and lines:
            lines[-1] = lines[-1][0], lines[-1][1] + line[1:]
        elif line:
            lines.append((place, line))
    return lines


def _parts(value: str) -> list[str]:
    """The parts of a structured value: what stands between semicolons that are not escaped."""
    return re.split(r"(?<!\\);", value)
