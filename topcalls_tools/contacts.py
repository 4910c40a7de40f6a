"""What the owner calls whom: `contacts.toml` in TOPCALLS_HOME, written by the owner alone."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from .api.fields import PhoneNumber
from .errors import Misconfigured


class Contact(BaseModel):
    """One person or place."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    name: str = Field(min_length=1, max_length=200)
    number: PhoneNumber


class Contacts(BaseModel):
    """Everybody in the file, each in a table `[[contact]]`."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    contact: tuple[Contact, ...] = ()


def names(path: Path) -> Mapping[str, str]:
    """The owner's name of each number; several names of one number stand beside each other.

    Raises Misconfigured where the file cannot be read.
    """
    try:
        found = Contacts.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise Misconfigured(f"{path} cannot be read ({_reason(error)}); correct it.") from None
    named: dict[str, str] = {}
    for contact in found.contact:
        before = named.get(contact.number)
        named[contact.number] = f"{before}, {contact.name}" if before else contact.name
    return named


def _reason(error: Exception) -> str:
    if isinstance(error, ValidationError):
        return "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
    return getattr(error, "strerror", None) or str(error)
