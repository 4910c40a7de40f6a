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


@lru_cache(1024)
def zones(number: E164) -> tuple[str, ...]:
    """Every time zone that the phone may be in, as phonenumbers knows them; none where nobody knows, or this
    machine does not know one of them."""
    from phonenumbers import timezone

    found = timezone.time_zones_for_number(parsed(number))
    return found if all(map(zone, found)) else ()


def local_time(number: E164, now: datetime) -> str:
    """What time it is where a number rings, in words. Where several zones are possible, from when to when."""
    return time_in(zones(number), now)


def time_in(names: Sequence[str], now: datetime) -> str:
    """What time it is in zones, in words: in one, or from when to when."""
    return f"It is {_there(names, now)}." if names else "What time it is there is unknown."


def here_and_there(at: datetime, names: Sequence[str]) -> str:
    """An instant (aware) in words, in UTC and in zones: the first whole minute that is not before it."""
    minute = at.astimezone(UTC).replace(second=0, microsecond=0)
    if minute < at:
        minute += timedelta(minutes=1)
    here = f"{minute:%Y-%m-%d %H:%M} UTC"
    return f"{here}, {_there(names, minute)}" if names else here


def zone(name: str) -> ZoneInfo | None:
    """A time zone by its IANA name; None where this machine does not know it."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # "../x" and "Europe", a folder, are no zones either
        return None


def _there(names: Sequence[str], at: datetime) -> str:
    times = sorted({at.astimezone(zone(name)).replace(tzinfo=None): name for name in names}.items())
    (first, name), (last, _) = times[0], times[-1]
    if first == last:
        return f"{first:%H:%M} on {first:%A} there ({name})"
    later = f"{last:%H:%M}" if first.date() == last.date() else f"{last:%H:%M} on {last:%A}"
    return f"{first:%H:%M} on {first:%A} to {later} there, by where the phone is"
