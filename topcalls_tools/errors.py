"""What can go wrong, and what would work instead.

Every error carries one sentence for people and models alike: what is wrong; what would work. `happened` says
what matters most when a phone is involved: did the request take effect?
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar


class TopCallsError(Exception):
    """Something went wrong; `str(error)` is the sentence to show."""

    happened: ClassVar[bool | None] = False
    """Whether the request took effect: False, or None for "nobody knows". The one attribute to decide by."""


class Refused(TopCallsError):
    """A rule stands in the way. Nothing was sent."""

    def __init__(self, rule: str, sentence: str, earliest: datetime | None = None) -> None:
        super().__init__(f"{sentence} [rule: {rule}]")
        self.rule = rule
        self.sentence = sentence
        self.earliest = earliest
        """From when on it would not stand in the way, where time is the reason."""


class Declined(TopCallsError):
    """The person who was asked said no, or nobody answered or could be asked. Nothing was sent."""


class Unanswered(Declined):
    """The question is open and waits for a person. Nothing was sent; the same call again goes on."""


class Misconfigured(TopCallsError):
    """A setting, a key or a file of the owner cannot be used. Nothing was sent."""


class ModelFailed(TopCallsError):
    """A language model gave no answer. What it had done by then stays done."""


class Unreachable(TopCallsError):
    """The request left this machine and no reply came back. It may have happened."""

    happened: ClassVar[bool | None] = None


class Offline(Unreachable):
    """No connection came about. Nothing was sent."""

    happened = False


@dataclass(frozen=True, slots=True)
class FieldError:
    """One wrong field of a request, as TopCalls names it: dotted path, message, and a code where one came."""

    path: str
    message: str
    code: str | None = None


class APIError(TopCallsError):
    """TopCalls replied with an error. `status` is HTTP's, `slug` the last part of the problem's type."""

    remedy: ClassVar[str] = "change what is named and send it again"

    def __init__(
        self,
        sentence: str,
        status: int,
        *,
        slug: str | None = None,
        fields: tuple[FieldError, ...] = (),
        instance: str | None = None,
        wait_seconds: float | None = None,
    ) -> None:
        super().__init__(sentence)
        self.status = status
        self.slug = slug
        self.fields = fields
        self.instance = instance
        """Id of this occurrence; TopCalls' support asks for it."""
        self.wait_seconds = wait_seconds
        """Seconds that TopCalls asks to wait, where it said so."""


class Invalid(APIError):
    """400, 409, 422: a wrong field, or an action that the object's state forbids."""


class Unauthorized(APIError):
    """401: the key is missing, unknown or revoked."""

    remedy = "check TOPCALLS_API_KEY, or make a new key in the account settings at topcalls.ai"


class PaymentRequired(APIError):
    """402: too few call minutes."""

    remedy = "get_balance shows what is left, and a shorter max_duration needs less"


class Forbidden(APIError):
    """403: the key lacks a scope, or the object is not the account's to touch."""

    remedy = "use a key that has it"


class NotFound(APIError):
    """404: no such object in this account."""

    remedy = "list what there is and take an id from there"


class TooMany(APIError):
    """429: too many requests."""

    remedy = "wait and send it again"


class Broken(APIError):
    """500 and above, or a reply in no known shape: nobody knows what happened."""

    happened = None
    remedy = "look whether it happened before you try again"


BY_STATUS: dict[int, type[APIError]] = {
    400: Invalid,
    401: Unauthorized,
    402: PaymentRequired,
    403: Forbidden,
    404: NotFound,
    409: Invalid,
    422: Invalid,
    429: TooMany,
}
"""Which error a status stands for; another 4xx is Invalid, anything else is Broken."""
