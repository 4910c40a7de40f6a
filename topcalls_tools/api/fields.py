"""The value types that several nouns share."""

from __future__ import annotations

import json
import re
from datetime import datetime
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address
from socket import inet_aton
from typing import Annotated, Any, ClassVar, Generic, Self, TypeVar
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PrivateAttr,
    SecretStr,
    SerializationInfo,
    Strict,
    WithJsonSchema,
    WrapSerializer,
    model_validator,
)

from ..action import R, Record
from ..endpoint import Endpoint
from ..spoken import Spoken as Spoken
from ..wire import MOST_LEVELS, depth, just_after


class E164(str):
    """A phone number as it is dialled: a plus sign, the country code and the number, digits only.

    A `str` of its own kind, so that the guard finds every number by walking values.
    """

    @classmethod
    def parse(cls, text: str) -> E164:
        """Read a number in international form; spaces, dots, dashes, slashes and parentheses may stand in it,
        and the zero or one that is dialled within a country: +49 (0)30 1234567 is +49301234567.

        Raises ValueError with a sentence: no plus sign, no such country code, too short, too long.
        """
        digits = re.sub(r"[ \u00a0./()-]", "", text) if len(text) <= 60 else ""
        if not re.fullmatch(r"\+[1-9][0-9]{1,14}", digits):
            form = "a plus sign, the country code and the number, such as +14155550123"
            raise ValueError(f"is no international number; write {form}")
        return cls(_dialled(digits))

    @classmethod
    def read(cls, text: str | None) -> E164 | None:
        """Read a number that somebody else wrote; None where it is none."""
        try:
            return cls.parse(text or "")
        except ValueError:
            return None

    @property
    def masked(self) -> str:
        """The number as logs may show it."""
        return f"{self[:3]}…{self[-2:]}"


@lru_cache(maxsize=2048)
def _dialled(digits: str) -> str:
    """A number in the one form in which libphonenumber dials it, or ValueError. A dial asks several times."""
    import phonenumbers
    from phonenumbers import PhoneNumberFormat, ValidationResult

    try:
        number = phonenumbers.parse(digits)
    except phonenumbers.NumberParseException as error:
        why = str(error).partition(") ")[2].rstrip(".")
        raise ValueError(f"cannot be dialled ({why}); check the country code") from None
    match phonenumbers.is_possible_number_with_reason(number):
        case ValidationResult.TOO_SHORT:
            trouble = "too short"
        case ValidationResult.TOO_LONG:
            trouble = "too long"
        case ValidationResult.INVALID_LENGTH:
            trouble = "of the wrong length"
        case _:
            form = str(phonenumbers.format_number(number, PhoneNumberFormat.E164))
            return form if form == digits else _dialled(form)  # one prefix may hide another
    country = phonenumbers.region_code_for_country_code(number.country_code or 0)
    raise ValueError(f"is {trouble} for country code +{number.country_code} ({country}); check its digits")


PhoneNumber = Annotated[
    str,
    AfterValidator(E164.parse),
    Field(max_length=60, examples=["+14155550123"]),
    WithJsonSchema({"type": "string", "examples": ["+14155550123"]}),
]
"""Static type `str`, so that users may pass one; the value is always an `E164`."""


def _whole(value: Any) -> Any:
    """10.0 is a whole number; some models write every number with a point."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _plain_json(value: dict[str, Any]) -> dict[str, Any]:
    if depth(value) > MOST_LEVELS:
        raise ValueError(f"is nested too deeply; {MOST_LEVELS} levels are allowed")
    try:
        json.dumps(value, allow_nan=False, ensure_ascii=False).encode()
    except (TypeError, ValueError):
        raise ValueError(
            "is no JSON object; give names with texts, finite numbers, truths, lists or objects"
        ) from None
    return value


def _reveal(value: SecretStr, default: Any, info: SerializationInfo) -> Any:
    """A secret shows itself on the wire alone; everywhere else it is stars."""
    on_the_wire = isinstance(info.context, dict) and info.context.get("secrets")
    return value.get_secret_value() if on_the_wire else default(value)


def _encodable(value: SecretStr) -> SecretStr:
    try:
        value.get_secret_value().encode()
    except UnicodeEncodeError:
        raise ValueError("is no text; give text that UTF-8 can write") from None
    return value


def _iso(text: str) -> str:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(
            "is no cursor; take next_cursor of the page before, such as 2025-12-22T10:29:00Z"
        ) from None
    return text


def _opaque(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_:~-]{1,128}", text):
        raise ValueError("is no id; give it as TopCalls gave it, in letters, digits, - and _")
    return text


def _deliverable(url: str) -> str:
    """https, or plain http on this machine (contract A52)."""
    parts = urlsplit(url)
    if "@" in parts.netloc:  # what stands before it looks like the host, and is not
        raise ValueError("must name no user before the host; write https://example.com/calls")
    if (
        not parts.hostname
        or parts.scheme not in ("https", "http")
        or (parts.scheme == "http" and not loopback(parts.hostname))
    ):
        raise ValueError("must be an https address, such as https://example.com/calls")
    return url


def loopback(host: str | None) -> bool:
    """Whether a host is this machine."""
    name = (host or "").rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    address = numeric(name)
    return address is not None and (address.is_loopback or address.is_unspecified)


def numeric(host: str) -> IPv4Address | IPv6Address | None:
    """The address that a host is, where it is one and no name."""
    try:
        address = ip_address(host)
    except ValueError:
        try:
            return ip_address(inet_aton(host))  # 127.1 and 0x7f000001 are addresses too
        except OSError:
            return None
    return getattr(address, "ipv4_mapped", None) or address


WHOLE = BeforeValidator(_whole)
"""Stands last in the annotation of a whole number, after its bounds; a true or a text is none."""

Limit = Annotated[int, Strict(), Field(ge=1, le=200), WHOLE]
"""How many rows a page may have (contract 1.5)."""

Number = Annotated[float, Strict()]
"""A number with or without a fraction; a true or a text is none."""

JsonObject = Annotated[dict[str, Any], AfterValidator(_plain_json)]
"""Names and values of the caller's own."""

Truth = Annotated[bool, Strict()]

Secret = Annotated[
    SecretStr,
    Field(min_length=1, max_length=100),
    AfterValidator(_encodable),
    WrapSerializer(_reveal),
    WithJsonSchema({"type": "string"}),
]
"""A password: stars in every text and dump, itself on the wire."""

Cursor = Annotated[str, Field(max_length=64), AfterValidator(_iso)]

WebhookUrl = Annotated[str, Field(max_length=2000), AfterValidator(_deliverable)]

Handle = Annotated[str, AfterValidator(_opaque)]
"""An id. Opaque; nothing in it can change the path that it stands in."""

CallId = Handle
CampaignId = Handle
PhoneNumberId = Handle
CarrierId = Handle
LeadId = Handle
WebhookId = Handle

T = TypeVar("T", bound=Record)


class Page(Record, Generic[T]):
    """One page of a list, newest first."""

    listed_as: ClassVar[str] = "data"
    """What TopCalls calls the list; tool surfaces and Python callers always find it in `data`."""

    data: tuple[T, ...]
    """What is on this page."""
    next_cursor: str | None = None
    """Give it as cursor to get the page after this one; absent on the last."""
    _cut: bool = PrivateAttr(default=False)

    @property
    def cut(self) -> bool:
        """Whether TopCalls may have more rows of the last one's moment than a page holds, which no cursor
        reaches. `Client.pages` finds it out."""
        return self._cut

    def fresh(self, seen: set[str], *, cut: bool) -> Self:
        """This page without rows that were seen before, which may come twice (contract A22). What is left is
        seen from now on."""
        rows: tuple[Any, ...] = self.data
        data = tuple(row for row in rows if row.id not in seen)
        seen.update(row.id for row in data)
        page = self.model_copy(update={"data": data})
        page._cut = cut
        return page

    @model_validator(mode="before")
    @classmethod
    def _found(cls, reply: Any) -> Any:
        return cls.settled(reply)

    @classmethod
    def settled(cls, reply: Any) -> Any:
        """The list stands in `data`, else in `items`, else it is the whole reply (contract A24)."""
        if isinstance(reply, list):
            return {"data": reply}
        if isinstance(reply, dict) and "data" not in reply and "items" in reply:
            return {
                **{name: value for name, value in reply.items() if name != "items"},
                "data": reply["items"],
            }
        return reply


class Paged(Endpoint[R], Generic[R]):
    """Base of the endpoints that list page by page."""

    limit: Limit | None = None
    """How many to return, 1 to 200. TopCalls' default is 50."""
    cursor: Cursor | None = None
    """next_cursor of the page before, such as 2025-12-22T10:29:00Z."""

    by_time: ClassVar[bool] = True
    """Whether its cursors are times (contract A21), and no texts of TopCalls' own."""

    def after(self, page: Page[Any]) -> Self | None:
        """The request for what comes after a page of this one; None where it was the last. It begins with
        what was made at the same moment as the last row, which a page may cut apart (contract A22); so that
        it moves on, not where a whole page is of one moment."""
        if not page.next_cursor or page.next_cursor == self.cursor:
            return None
        overlaps = self.by_time and not self.passes_over(page)
        again = just_after(page.next_cursor) if overlaps else None
        return self.model_copy(update={"cursor": again or page.next_cursor})

    def passes_over(self, page: Page[Any]) -> bool:
        """Whether what comes after a page of this one may leave rows out: the page, asked for from just after
        a moment, may have no room for all of that moment, which no cursor parts."""
        again = just_after(page.next_cursor) if self.by_time else None
        return again is not None and again == self.cursor
