"""Reads who is on a list: a CSV file with a header, or names of contacts, one a line."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from ..action import sentence
from ..api.calls import PlaceCall
from ..api.placeholders import HOLE
from ..contacts import Contact
from ..errors import Misconfigured
from ..quoting import quiet
from . import MOST, Entry

NUMBERS = ("phone_number", "number", "phone", "telephone", "mobile", "tel")
"""What the column of numbers may be called."""
NAMES = ("name", "full_name", "display_name")
_FILLED = ("task", "first_sentence")


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody in a file: the line, the number, and every column by its name."""

    line: int
    number: str
    fields: Mapping[str, str]


def people(
    text: str, contacts: Mapping[str, Contact], number: Callable[[str], str] = str
) -> tuple[Person, ...]:
    """Who is named in a file's text; `number` reads a number as people write it.

    Raises Misconfigured where somebody cannot be told for sure, is there twice, or there are too many.
    """
    rows = list(_rows(text))
    if not rows:
        raise Misconfigured(
            "The file names nobody; give a CSV file with a column number, or names of contacts."
        )
    if len(rows) > MOST:
        raise Misconfigured(
            f"The file names {len(rows)} people, and a list holds {MOST}; split it, or use a campaign."
        )
    found = [_person(line, fields, contacts, number) for line, fields in rows]
    first: dict[str, int] = {}
    for one in found:
        if (before := first.setdefault(one.number, one.line)) != one.line:
            raise Misconfigured(f"Lines {before} and {one.line} are one number; leave one of them out.")
    return tuple(found)


def entries(found: tuple[Person, ...], template: Mapping[str, Any]) -> tuple[Entry, ...]:
    """The call to each of them: `template` has the arguments, in whose words {{column}} stands for a column.

    Raises Misconfigured where a column is missing or empty, or the words do not fit a call.
    """
    return tuple(_entry(one, template) for one in found)


def _entry(person: Person, template: Mapping[str, Any]) -> Entry:
    words = {name: _filled(template[name], person) for name in _FILLED if template.get(name)}
    try:
        request = PlaceCall.from_tool({**template, **words, "phone_number": person.number})
    except ValidationError as wrong:
        raise Misconfigured(f"Line {person.line}: {sentence(wrong, PlaceCall)}") from None
    return Entry(person.line, person.fields.get("name"), request)


def _filled(words: str, person: Person) -> str:
    """Words with the person's own facts in them; what is left open nobody would fill."""

    def fact(hole: re.Match[str]) -> str:
        name = _title(hole[1])
        if not (value := person.fields.get(name)):
            columns = ", ".join(map(quiet, person.fields)) or "none"
            raise Misconfigured(
                f"Line {person.line} has nothing for {{{{{hole[1]}}}}}; fill that column in, of: {columns}."
            )
        if "{{" in value or "}}" in value:
            raise Misconfigured(f"Line {person.line}: {quiet(name)} has two braces in it; take them out.")
        return value

    told = HOLE.sub(fact, words)
    if "{{" in told:
        raise Misconfigured("The words have {{ without the name of a column after it; write {{name}}.")
    return told


def _person(
    line: int, fields: Mapping[str, str], contacts: Mapping[str, Contact], number: Callable[[str], str]
) -> Person:
    name = next((fields[title] for title in NAMES if fields.get(title)), None)
    if given := [title for title in NUMBERS if fields.get(title)]:
        found = _one_of(line, given, fields, number)
        name = name or (contacts[found].name if found in contacts else None)
    elif name is None:
        raise Misconfigured(f"Line {line} has no number and no name; fill one in.")
    else:
        found = _of_contact(line, name, contacts)
    own = {**fields, "number": found, **({"name": name} if name else {})}
    return Person(line, found, own)


def _one_of(line: int, given: list[str], fields: Mapping[str, str], number: Callable[[str], str]) -> str:
    """The one number that the columns of numbers give."""
    try:
        found = {number(fields[title]) for title in given}
    except ValueError as error:
        raise Misconfigured(f"Line {line}: {error}.") from None
    if len(found) > 1:
        raise Misconfigured(
            f"Line {line} has different numbers as {' and '.join(given)}; leave the one that is to be called."
        )
    return found.pop()


def _of_contact(line: int, name: str, contacts: Mapping[str, Contact]) -> str:
    found = [number for number, one in contacts.items() if one.name.casefold() == name.casefold()]
    if len(found) == 1:
        return found[0]
    if found:
        raise Misconfigured(f"Line {line} names {len(found)} of your contacts; give the number instead.")
    raise Misconfigured(
        f"Line {line} is the whole name of none of your contacts (topcalls contacts list); give a number."
    )


def _rows(text: str) -> Iterator[tuple[int, dict[str, str]]]:
    """The lines that name somebody, each with its columns."""
    head = next((line for line in text.splitlines() if line.strip()), "")
    delimiter = max(",;\t", key=head.count)
    titles = [_title(cell) for cell in next(csv.reader([head], delimiter=delimiter), [])]
    if not set(titles) & {*NUMBERS, *NAMES}:
        for place, words in enumerate(text.splitlines(), start=1):
            if name := " ".join(words.partition("#")[0].split()):
                yield place, {"name": name}
        return
    if twice := [title for title, times in Counter(filter(None, titles)).items() if times > 1]:
        raise Misconfigured(f"The column {quiet(twice[0])} is there twice; leave one of them out.")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    before, seen = 0, False
    try:
        for cells in reader:
            line, before = before + 1, reader.line_num
            if not any(cell.strip() for cell in cells):
                continue
            if not seen:
                seen = True
                continue
            if len(cells) > len(titles):
                raise Misconfigured(
                    f'Line {line} has more columns than the first line names; put "..." around '
                    "a value with a comma in it."
                )
            yield line, {title: " ".join(cell.split()) for title, cell in zip(titles, cells, strict=False)}
    except csv.Error:
        raise Misconfigured(f"Line {reader.line_num} cannot be read as CSV; mend it.") from None


def _title(cell: str) -> str:
    return re.sub(r"[\s-]+", "_", cell.strip().casefold())
