"""What the owner knows of whom: `contacts.toml` in TOPCALLS_HOME, written by the owner alone."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from .api.fields import PhoneNumber, Truth
from .errors import Misconfigured
from .places import zone

UNKNOWN_ZONE = "Etc/Unknown"
"""The zone where several entries of a number name different ones. No machine knows it: the strictest case."""
T = TypeVar("T")
Text = Annotated[str, StringConstraints(min_length=1, max_length=500, strip_whitespace=True)]


def _known(name: str) -> str:
    if zone(name) is None:
        raise ValueError("is no time zone; give an IANA name such as Europe/Berlin")
    return name


class Consent(BaseModel):
    """Why somebody may be called for more than one thing: what it rests on, since when, and where that can be
    looked up."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    basis: Literal["explicit_consent", "existing_customer", "business_line"]
    date: date
    note: Text


class Contact(BaseModel):
    """One person or place."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    name: Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]
    number: PhoneNumber
    zone: Annotated[str, AfterValidator(_known)] | None = None
    """Where the phone is (IANA); what the number tells where it is left out."""
    language: Annotated[str, Field(pattern="^[a-z]{2}$")] | None = None
    """What is spoken there (ISO 639-1)."""
    hours: Literal["any"] | None = None
    """`any` where it may ring at any hour."""
    mine: Truth = False
    """Whether it is the owner's own phone."""
    consent: Consent | None = None
    note: Text | None = None


class _Book(BaseModel):
    """Everybody in the file, each in a table `[[contact]]`."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    contact: tuple[Contact, ...] = ()


def contacts(path: Path) -> Mapping[str, Contact]:
    """The owner's contacts by number. Several entries of one number are one: their names stand beside each
    other, and of their facts the stricter count.

    Raises Misconfigured where the file cannot be read.
    """
    try:
        found = path.stat()
    except OSError:  # there is none, or what hinders says itself in words
        return _by_number(entries(path))
    return _unchanged(path, (found.st_ino, found.st_size, found.st_mtime_ns))


@lru_cache(maxsize=4)
def _unchanged(path: Path, stamp: tuple[int, ...]) -> Mapping[str, Contact]:
    """The contacts in a file, read once for each state of it: a dial asks several times."""
    return _by_number(entries(path))


def _by_number(found: tuple[Contact, ...]) -> Mapping[str, Contact]:
    shared: dict[str, list[Contact]] = {}
    for entry in found:
        shared.setdefault(entry.number, []).append(entry)
    joined = {
        number: several[0] if len(several) == 1 else _one(several) for number, several in shared.items()
    }
    return MappingProxyType(joined)


def entries(path: Path) -> tuple[Contact, ...]:
    """Every entry of the file, as it stands there; none where there is no file.

    Raises Misconfigured where it cannot be read.
    """
    try:
        return read(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return ()
    except (OSError, ValueError, RecursionError) as error:
        raise Misconfigured(f"{path} cannot be read ({reason(error)}); correct it.") from None


def read(text: str) -> tuple[Contact, ...]:
    """The entries in the text of such a file. Raises ValueError, of which `reason` gives the words."""
    return _Book.model_validate(tomllib.loads(text)).contact


def reason(error: Exception) -> str:
    """Why a file or an entry cannot be read: each place and what is wrong there, and no value."""
    if isinstance(error, ValidationError):
        return "; ".join(_clause(item) for item in error.errors(include_url=False, include_input=False))
    return getattr(error, "strerror", None) or str(error)


def _one(several: Sequence[Contact]) -> Contact:
    """Several entries of one number as one: nothing is allowed that one of them does not allow."""
    agreed = [one.consent for one in several if one.consent]
    notes = ", ".join(one.note for one in several if one.note)
    first = several[0]
    return first.model_copy(
        update={
            "name": ", ".join(dict.fromkeys(one.name for one in several)),
            "zone": _same(several, lambda one: one.zone, UNKNOWN_ZONE),
            "language": _same(several, lambda one: one.language, None),
            "hours": first.hours if all(one.hours for one in several) else None,
            "mine": all(one.mine for one in several),
            "consent": min(agreed, key=lambda one: one.date) if len(agreed) == len(several) else None,
            "note": notes or None,
        }
    )


def _same(several: Sequence[Contact], fact: Callable[[Contact], T | None], otherwise: T | None) -> T | None:
    """What those say who say anything; `otherwise` where they contradict each other."""
    said = {value for one in several if (value := fact(one)) is not None}
    return said.pop() if len(said) == 1 else otherwise if said else None


def _clause(item: Any) -> str:
    place, steps = "", list(item["loc"])
    if len(steps) > 1 and steps[0] == "contact":
        place, steps = f"contact {steps[1] + 1}, ", steps[2:]
    place += ".".join(map(str, steps))
    if item["type"] == "extra_forbidden":
        known = Consent if "consent" in steps[:-1] else Contact if "contact" in item["loc"] else _Book
        return f"{place} is unknown, there are {', '.join(known.model_fields)}"
    said = item["msg"].removeprefix("Value error, ")
    return f"{place} {said}" if item["type"] == "value_error" else f"{place}: {said}"
