"""What the owner allows: a pack of values, the lines of `policy.toml` over them, and which of two is
stricter."""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer

from ..api.fields import WebhookUrl
from .hours import Span

Pack = Literal["personal", "outreach", "sandbox"]
Approval = Literal["person", "slips", "none"]
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
NO_DAYS = "never"
OWN = "own"
"""What stands among the countries for those of the account's active numbers."""


@dataclass(frozen=True, slots=True)
class Stricter:
    """How two values of a line compare: gives the one that allows less, or what both allow."""

    of: Callable[[Any, Any], Any]


def _least(one: Any, other: Any) -> Any:
    return min((value for value in (one, other) if value is not None), default=None)


def _most(one: Any, other: Any) -> Any:
    return max(one, other)


def _both(one: Any, other: Any) -> Any:
    """What is in both; None is everything."""
    if one is None or other is None:
        return other if one is None else one
    return one & other


def _in_each(one: frozenset[str], other: frozenset[str]) -> frozenset[str]:
    """Countries that are in both. Which are the account's own is not known here: "own" beside names stays a
    condition of its own, and alone it names none."""
    lists = [value - {OWN} for value in (one, other) if value != {OWN}]
    if not lists:
        return one
    named = lists[0].intersection(*lists)
    return named | (one | other) & {OWN} if named else frozenset()


def _same(one: str | None, other: str | None) -> str | None:
    return one if one == other else None


def _earlier_of(*values: Any) -> Stricter:
    return Stricter(lambda one, other: min(one, other, key=values.index))


def _days(value: Any) -> Any:
    """Days as people write them: "mon-sat", a list of days, or "never"."""
    if value == NO_DAYS:
        return frozenset()
    names = value if isinstance(value, (list, tuple, set, frozenset)) else str(value).lower().split(",")
    found: set[int] = set()
    for name in names:
        first, dash, last = str(name).strip().lower().partition("-")
        if first not in _DAYS or (dash and last not in _DAYS):
            raise ValueError('takes days such as "mon-sat" or "mon,wed"')
        begin, end = _DAYS.index(first), _DAYS.index(last or first)
        found |= {day % 7 for day in range(begin, end + 1 if end >= begin else end + 8)}
    return frozenset(found)


def _listed(value: Any) -> Any:
    return [OWN] if value == OWN else value


def _unlisted(countries: frozenset[str]) -> str | list[str]:
    return OWN if countries == {OWN} else sorted(countries)


def _spelt(days: frozenset[int]) -> str:
    """Days as `_days` reads them, the shorter way."""
    names = [_DAYS[day] for day in sorted(days)]
    in_a_row = len(names) > 2 and max(days) - min(days) == len(names) - 1
    return f"{names[0]}-{names[-1]}" if in_a_row else ",".join(names) or NO_DAYS


Least = Stricter(_least)
Most = Stricter(_most)
Both = Stricter(_both)
Days = Annotated[
    frozenset[int],
    BeforeValidator(_days),
    PlainSerializer(_spelt, return_type=str),
]
Number = Annotated[str, Field(pattern=r"^\+[1-9][0-9]{6,14}$")]
Country = Annotated[str, Field(pattern=r"^([A-Z]{2}|own)$")]
Countries = Annotated[frozenset[Country], BeforeValidator(_listed), PlainSerializer(_unlisted)]
Host = Annotated[str, Field(pattern=r"^[a-z0-9.-]{1,253}$")]
Minutes = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Cap = Annotated[Minutes | None, Least]
Count = Annotated[int | None, Field(ge=0), Least]


class Policy(BaseModel):
    """Every line of a policy. A line without an order, such as the caller's name, limits nothing."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, validate_default=True)

    pack: Pack
    """Whose values stand where policy.toml says nothing."""
    approval: Annotated[Approval, _earlier_of("person", "slips", "none")] = "person"
    """How a person is asked: person, slips, or none."""
    caller: Annotated[str | None, Field(min_length=1, max_length=100, pattern=r"^[^{}\r\n]+$")] = None
    """On whose behalf calls are made, as the opening says it."""
    language: Annotated[str, Field(pattern=r"^[a-z]{2}$")] = "en"
    """The language of the opening where a contact has none."""
    numbers: Annotated[frozenset[Number] | None, Both] = None
    """The only numbers that may be called."""
    countries: Annotated[Countries, Stricter(_in_each)]
    """The countries that may be called; own: those of the account's active numbers; own and others in one
    list: what is both."""
    hours: Annotated[Span, Both]
    """When people may be called, by the clock where they are."""
    warned_hours: Annotated[Span, Both]
    """When they may be called after a warning. Outside of both nobody is called."""
    days: Annotated[Days, Both]
    """On which days people may be called."""
    holidays: Annotated[bool, Least]
    """Whether people may be called on public holidays."""
    every_zone: Annotated[bool, Most]
    """Whether it must be a permitted hour in every zone that the phone may be in."""
    consent: Annotated[bool, Most]
    """Whether each number needs a consent on record in the contacts."""
    selling: Annotated[bool, Least]
    """Whether calls may sell something."""
    campaigns: Annotated[bool, Least]
    """Whether campaigns may be started."""
    minutes_per_call: Cap = None
    """Minutes that one call may last."""
    minutes_per_day: Cap = None
    """Minutes that may be used in 24 hours."""
    minutes_per_month: Cap = None
    """Minutes that may be used in a month, by UTC."""
    calls_per_day: Count = None
    """Calls that may be placed in 24 hours."""
    calls_at_once: Count = None
    """Calls that may be under way at once."""
    attempts_per_day: Count = None
    """How often one number may be dialled in 24 hours."""
    duplicate_minutes: Annotated[Minutes, Most]
    """For how long a second call to a number is asked about as a repetition."""
    voicemail: Annotated[Literal["hang_up", "leave_message"], _earlier_of("hang_up", "leave_message")]
    """What is done where a voicemail answers."""
    announce_recording: Annotated[bool, Most]
    """Whether the opening says that the call is recorded."""
    webhook_hosts: Annotated[frozenset[Host], Both]
    """Hosts to which Python callers may have events of a call sent."""
    webhook_url: Annotated[WebhookUrl | None, Stricter(_same)] = None
    """Your receiver, which is told of every call; another address of the same host is another one."""
    price_per_minute: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None
    """What a call minute costs the owner."""
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] = "USD"
    """The currency of that, in three letters."""

    @property
    def practice(self) -> bool:
        """Whether most rules only say what they would refuse."""
        return self.pack == "sandbox"

    @cached_property
    def version(self) -> str:
        """A digest of all of it: a yes is a yes under one policy."""
        lines = sorted(written(self).items())
        return hashlib.sha256(repr(lines).encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Change:
    """A line in which a policy differs from the one before: both values as policy.toml says them, whether it
    allows what the other did not, and whether it no longer allows what the other did."""

    name: str
    before: Any
    after: Any
    more: bool
    less: bool


def host(url: str | None) -> str:
    """The host of an address, as it stands among those that the owner named; empty where there is none."""
    try:
        return (urlsplit(url or "").hostname or "").lower()
    except ValueError:  # a bracket that nothing closes
        return ""


def pack(name: str) -> Mapping[str, Any]:
    """The lines of a pack, as its file says them."""
    return _packs()[name]


def policy(lines: Mapping[str, Any], otherwise: Pack) -> Policy:
    """The lines of a pack, and over them those that an owner gives. Raises pydantic's ValidationError."""
    chosen = lines.get("pack", otherwise)
    known = chosen if isinstance(chosen, str) and chosen in _packs() else otherwise
    return _unwarned(Policy.model_validate({**pack(known), **lines, "pack": chosen}), lines)


def named(name: str, lines: Mapping[str, Any]) -> bool:
    """Whether a file says something of a line: of `warned_hours` it does with `hours` alone."""
    return name in lines or (name == "warned_hours" and "hours" in lines)


def held(wanted: Policy, accepted: Policy) -> Policy:
    """A policy as it counts until it is accepted: of each line the stricter value."""
    return wanted.model_copy(update={name: stricter(name, wanted, accepted) for name in ORDERS})


def tightened(mine: Policy, system: Mapping[str, Any]) -> Policy:
    """A policy within what the system's file allows: each line that the file names, or the pack that it
    names, can only be tightened. Raises pydantic's ValidationError where the file says what no line takes."""
    chosen = system.get("pack")
    lines = {**(_packs().get(chosen, {}) if isinstance(chosen, str) else {}), **system}
    theirs = _unwarned(Policy.model_validate({**written(mine), **lines}), system)
    barred = "webhook_hosts" in lines and host(mine.webhook_url) not in theirs.webhook_hosts
    return held(mine, theirs.model_copy(update={"webhook_url": None}) if barred else theirs)


def _unwarned(one: Policy, lines: Mapping[str, Any]) -> Policy:
    """Whoever names `hours` alone has said all of when people may be called: no pack adds hours to them."""
    alone = "hours" in lines and "warned_hours" not in lines
    return one.model_copy(update={"warned_hours": one.hours}) if alone else one


def stricter(name: str, one: Policy, other: Policy) -> Any:
    """Of one line of two policies the value that allows less."""
    mine, theirs = getattr(one, name), getattr(other, name)
    return mine if mine == theirs else ORDERS[name].of(mine, theirs)


def looser(wanted: Policy, accepted: Policy) -> tuple[str, ...]:
    """The lines in which a policy allows more than another."""
    return tuple(name for name in ORDERS if stricter(name, wanted, accepted) != getattr(wanted, name))


def changes(wanted: Policy, accepted: Policy) -> tuple[Change, ...]:
    """The lines in which a policy differs from another, in order."""
    more, less = looser(wanted, accepted), looser(accepted, wanted)
    before, after = written(accepted), written(wanted)
    return tuple(
        Change(name, before[name], after[name], name in more, name in less)
        for name in after
        if before[name] != after[name]
    )


def written(one: Policy) -> dict[str, Any]:
    """Every line as policy.toml would say it, in order; None where nothing limits it."""
    lines = one.model_dump(mode="json")
    return {name: sorted(value) if isinstance(value, list) else value for name, value in lines.items()}


def described() -> Mapping[str, str]:
    """What each line means."""
    from ..docstrings import docs

    return docs(__name__)["Policy"][1]


@cache
def _packs() -> Mapping[str, Mapping[str, Any]]:
    folder = files("topcalls_tools.guard").joinpath("packs")
    return {
        re.sub(r"\.toml$", "", file.name): tomllib.loads(file.read_text("utf-8"))
        for file in folder.iterdir()
        if file.name.endswith(".toml")
    }


ORDERS: Mapping[str, Stricter] = {
    name: mark
    for name, field in Policy.model_fields.items()
    for mark in field.metadata
    if isinstance(mark, Stricter)
}
"""The lines that limit something, each with its order."""
