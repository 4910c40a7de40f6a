"""Address files as other programs write them: CSV with a header, vCards, plain lists of numbers."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..api.fields import E164
from ..contacts import Contact, reason
from ..errors import Misconfigured
from .vcards import cards

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "name": ("name", "full_name", "display_name"),
    "number": ("number", "phone_number", "phone", "telephone", "mobile", "tel"),
    "zone": ("zone", "time_zone", "timezone"),
    "language": ("language", "lang"),
    "hours": ("hours",),
    "mine": ("mine",),
    "consent_basis": ("consent_basis",),
    "consent_date": ("consent_date",),
    "consent_note": ("consent_note",),
    "note": ("note", "notes"),
}
"""What a column may be called, for each fact of a contact; capitals, spaces and dashes do not matter."""
_TRUTHS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


@dataclass(frozen=True, slots=True)
class Row:
    """What is to be taken over, as it was written, and its line."""

    line: int
    facts: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Unread:
    """What cannot be taken over: its line, and why."""

    line: int
    why: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.why}"


def people(path: Path, region: str | None) -> tuple[list[Contact], list[Unread]]:
    """The contacts in a file, and what has to be left out. National numbers are those of `region`.

    Raises Misconfigured where the file cannot be read at all.
    """
    text = _text(path)
    vcards = re.match(r"\s*BEGIN:VCARD", text, re.IGNORECASE)
    found, unread = [], []
    for row in _of_cards(text) if vcards else _of_table(path, text, ("name", "number")):
        try:
            if isinstance(row, Unread):
                unread.append(row)
            else:
                found.append(_contact(row.facts, region))
        except ValueError as error:
            unread.append(Unread(row.line, reason(error)))
    return found, unread


def numbers(path: Path, region: str | None) -> tuple[list[E164], list[Unread]]:
    """The numbers in a file, one a line or in a column of a CSV file, and what has to be left out.

    Raises Misconfigured where the file cannot be read at all.
    """
    text = _text(path)
    first = next((line for line in text.splitlines() if _bare(line)), "")
    plain = re.search(r"\d{3}", first)
    found, unread = [], []
    for row in _of_lines(text) if plain else _of_table(path, text, ("number",)):
        try:
            if isinstance(row, Unread):
                unread.append(row)
            else:
                found.append(international(row.facts.get("number", ""), region))
        except ValueError as error:
            unread.append(Unread(row.line, str(error)))
    return found, unread


def international(text: str, region: str | None = None) -> E164:
    """Read a number as people write it: international, or national where `region` is the country's two
    letters. Raises ValueError with a sentence."""
    import phonenumbers

    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        remedy = "" if region else ", or name the country of national ones with --region"
        raise ValueError(
            f"the number is not international; write a plus sign and the country code first{remedy}"
        ) from None
    if number.extension:
        raise ValueError("the number has an extension, which cannot be dialled; leave that out")
    try:
        return E164.parse(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))
    except ValueError as error:
        raise ValueError(f"the number {error}") from None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise Misconfigured(
            f"{path} is no UTF-8 text, and nothing was taken over; save it as UTF-8."
        ) from None
    except OSError as error:
        raise Misconfigured(f"{path} cannot be read ({error.strerror}); name a file that can.") from None


def _of_lines(text: str) -> Iterator[Row]:
    for place, line in enumerate(text.splitlines(), start=1):
        if number := _bare(line):
            yield Row(place, {"number": number})


def _bare(line: str) -> str:
    return line.partition("#")[0].strip()


def _of_table(path: Path, text: str, needed: tuple[str, ...]) -> Iterator[Row | Unread]:
    head = text.lstrip().partition("\n")[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=head.count))
    try:
        titles = [re.sub(r"[\s-]+", "_", title.strip().casefold()) for title in _header(reader)]
        place = {
            fact: titles.index(title) for fact in COLUMNS for title in COLUMNS[fact][::-1] if title in titles
        }
        if missing := [fact for fact in needed if fact not in place]:
            raise Misconfigured(
                f"{path} has no column {' and no column '.join(missing)} in its first line, so nothing was "
                "read; name the columns there, such as name,number."
            )
        before = reader.line_num
        for cells in reader:
            line, before = before + 1, reader.line_num
            if len(cells) > len(titles):
                yield Unread(line, "it has more columns than the first line names")
            elif any(cell.strip() for cell in cells):
                yield Row(
                    line, {fact: " ".join(cells[at].split()) for fact, at in place.items() if at < len(cells)}
                )
    except csv.Error:
        raise Misconfigured(
            f"{path} cannot be read as CSV (line {reader.line_num}), so nothing was read; mend that line."
        ) from None


def _header(reader: Iterator[list[str]]) -> list[str]:
    return next((cells for cells in reader if any(cell.strip() for cell in cells)), [])


def _of_cards(text: str) -> Iterator[Row | Unread]:
    for card in cards(text):
        if card.quoted:
            yield Unread(card.line, "the card is of version 2.1; have it exported as version 3 or 4")
        elif not card.ended:
            yield Unread(card.line, "the card does not end; end it with END:VCARD")
        elif not (phones := list(card.numbers())):
            yield Unread(card.line, "the card has no number to speak at")
        else:
            for line, kind, number in phones:
                name = f"{card.name} ({kind})" if kind and card.name else card.name
                yield Row(
                    line, {"name": name, "number": number, "zone": card.zone, "language": card.language}
                )


def _contact(said: Mapping[str, str], region: str | None) -> Contact:
    """Raises ValueError, of which `reason` gives the words."""
    facts: dict[str, Any] = {name: value for name, value in said.items() if value}
    facts["number"] = international(said.get("number", ""), region)
    if "mine" in facts:
        facts["mine"] = _TRUTHS.get(facts["mine"].casefold(), facts["mine"])
    consent = {name: facts.pop(f"consent_{name}", None) for name in ("basis", "date", "note")}
    if any(consent.values()):
        facts["consent"] = {name: value for name, value in consent.items() if value}
    return Contact.model_validate(facts)
