"""What a sentence is read against, and what may come of reading it: one action, or a doubt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from ..action import Action
from ..api.calls import CallFacts
from ..api.campaigns import CampaignFacts
from ..api.phone_numbers import CarrierFacts, NumberFacts
from ..contacts import Contact

ABOUT = (
    "This is a phrase book and no language model: it knows the wordings that it lists, and asks where it "
    "does not know one. A language model understands more; any chat model of LangChain can be connected."
)
"""What the interpreter says of itself."""


@dataclass(frozen=True, slots=True)
class Placed:
    """What somebody asked a call to be."""

    arguments: Mapping[str, Any]
    """Of place_call, without what is the same for every call and what was added when it was sent."""
    opening_known: bool = True
    """Whether what they wanted said first can be told from what is always said first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What is known where a sentence is said. What is None is not known yet, and `understood` reads it where
    the sentence needs it."""

    now: datetime
    """When it is said, aware."""
    region: str | None = None
    """The country in which numbers without a country code are dialled (ISO 3166-1), such as DE."""
    language: str = "en"
    """Of the phrase book, ISO 639-1."""
    last_call: str | None = None
    """Id of the call spoken of last: what "it" and "her" mean."""
    placed: Mapping[str, Placed | None] = field(default_factory=dict)
    """With what calls were placed from here, by id; None where that is written down nowhere."""
    gone: frozenset[str] = frozenset()
    """Ids that no call has."""
    last_campaign: str | None = None
    """Id of the campaign spoken of last."""
    contacts: Mapping[str, Contact] | None = None
    """Whom the owner knows, by number."""
    calls: tuple[CallFacts, ...] | None = None
    """Calls, newest first."""
    campaigns: tuple[CampaignFacts, ...] | None = None
    numbers: tuple[NumberFacts, ...] | None = None
    """The account's own phone numbers."""
    carriers: tuple[CarrierFacts, ...] | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """What a sentence means."""

    action: Action[Any]
    """What is to be done; nothing of it is done yet."""
    means: str
    """The same in words, such as "Hang up the call to +14155550123.\""""
    besides: tuple[str, ...] = ()
    """What else was asked, and is not done: a sentence each, such as "No texts can be sent.\""""

    @property
    def tool(self) -> str:
        """The tool that does it."""
        return self.action.tool

    @property
    def arguments(self) -> dict[str, Any]:
        """The arguments that the sentence gives it."""
        return self.action.model_dump(mode="json", exclude_unset=True, exclude_none=True)

    def __str__(self) -> str:
        return " ".join((self.means, *self.besides))


@dataclass(frozen=True, slots=True)
class Doubt:
    """Why a sentence is not read as one action, and what would be."""

    why: str
    """What is in doubt, a sentence."""
    example: str
    """A sentence that works."""
    readings: tuple[Reading, ...] = ()
    """What it may mean, where it may mean several things."""

    def __str__(self) -> str:
        meant = "".join(f"\n  {number}. {one.means}" for number, one in enumerate(self.readings, 1))
        return f"{self.why}{meant}{chr(10) if meant else ' '}This would work: {self.example}"


@dataclass(frozen=True, slots=True)
class Look:
    """What must be known before a sentence can be read."""

    at: Literal["contacts", "calls", "campaigns", "numbers", "carriers", "call", "placed"]
    call_id: str | None = None
    """Of the one call that must be looked up, or looked for in the journal."""
