"""Where a number rings: its country, and what time it is there."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from .api.fields import E164

if TYPE_CHECKING:
    import phonenumbers


@lru_cache(1024)
def parsed(number: str) -> phonenumbers.PhoneNumber:
    """A number (E.164) as libphonenumber reads it, once: a dial asks many times. Nobody may change it."""
    import phonenumbers

    return phonenumbers.parse(number)


@lru_cache(1024)
def kind(number: str) -> int:
    """What kind of number it is, one of libphonenumber's `PhoneNumberType`."""
    import phonenumbers

    return int(phonenumbers.number_type(parsed(number)))


@lru_cache(1024)
def region(number: str) -> str | None:
    """The country of a number as two letters (ISO 3166-1), such as DE; None where it belongs to none."""
    import phonenumbers

    found = phonenumbers.region_code_for_number(parsed(number))
    return None if found in (None, phonenumbers.REGION_CODE_FOR_NON_GEO_ENTITY) else str(found)


@lru_cache(1024)
def country(number: E164) -> str:
    """The country of a number in English, or its country code where it belongs to none or to several."""
    from phonenumbers import geocoder

    found = parsed(number)
    return geocoder.country_name_for_number(found, "en") or f"country code +{found.country_code}"


def zones(number: E164, named: str | None = None) -> tuple[str, ...]:
    """Every time zone that the phone may be in: the one that the owner `named`, or else all that phonenumbers
    knows; none where nobody knows, or this machine does not know one of them."""
    found = (named,) if named else _usual(number)
    return found if all(map(zone, found)) else ()


def local_time(number: E164, now: datetime) -> str:
    """What time it is where a number rings, in words. Where several zones are possible, from when to when."""
    return time_in(zones(number), now)


def time_in(names: Sequence[str], now: datetime) -> str:
    """What time it is in zones, in words: in one, or from when to when. Unknown where one of them is."""
    there = _there(names, now)
    return f"It is {there}." if there else "What time it is there is unknown."


def here_and_there(at: datetime, names: Sequence[str]) -> str:
    """An instant (aware) in words, in UTC and, where they are known, in zones: the first whole minute that is
    not before it."""
    minute = at.astimezone(UTC).replace(second=0, microsecond=0)
    if minute < at:
        minute += timedelta(minutes=1)
    here, there = f"{minute:%Y-%m-%d %H:%M} UTC", _there(names, minute)
    return f"{here}, {there}" if there else here


def zone(name: str) -> ZoneInfo | None:
    """A time zone by its IANA name; None where this machine does not know it."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # "../x" and "Europe", a folder, are no zones either
        return None


@lru_cache(1024)
def _usual(number: E164) -> tuple[str, ...]:
    from phonenumbers import timezone

    found: tuple[str, ...] = timezone.time_zones_for_number(parsed(number))
    return found


def _there(names: Sequence[str], at: datetime) -> str | None:
    places = {name: zone(name) for name in names}
    if not places or None in places.values():
        return None  # without a zone Python would tell the time of this machine
    clocks = {at.astimezone(place).replace(tzinfo=None): name for name, place in places.items()}
    times = sorted(clocks.items())
    (first, name), (last, _) = times[0], times[-1]
    if first == last:
        return f"{first:%H:%M} on {first:%A} there ({name})"
    later = f"{last:%H:%M}" if first.date() == last.date() else f"{last:%H:%M} on {last:%A}"
    return f"{first:%H:%M} on {first:%A} to {later} there, by where the phone is"
