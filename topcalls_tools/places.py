"""Where a number rings: its country, and what time it is there."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from .api.fields import E164


@lru_cache(1024)
def country(number: E164) -> str:
    """The country of a number in English, or its country code where it belongs to none or to several."""
    import phonenumbers
    from phonenumbers import geocoder

    parsed = phonenumbers.parse(number)
    return geocoder.country_name_for_number(parsed, "en") or f"country code +{parsed.country_code}"


def zones(number: E164) -> tuple[str, ...]:
    """Every time zone that the phone may be in, as phonenumbers knows them; none where nobody knows."""
    import phonenumbers
    from phonenumbers import timezone

    found = timezone.time_zones_for_number(phonenumbers.parse(number))
    return tuple(name for name in found if name != timezone.UNKNOWN_TIMEZONE and _zone(name))


def local_time(number: E164, now: datetime) -> str:
    """What time it is where a number rings, in words. Where several zones are possible, from when to when."""
    names = zones(number)
    times = sorted({now.astimezone(_zone(name)).replace(tzinfo=None): name for name in names}.items())
    if not times:
        return "What time it is there is unknown."
    (first, name), (last, _) = times[0], times[-1]
    if first == last:
        return f"It is {first:%H:%M} on {first:%A} there ({name})."
    later = f"{last:%H:%M}" if first.date() == last.date() else f"{last:%H:%M} on {last:%A}"
    return f"It is {first:%H:%M} on {first:%A} to {later} there, by where the phone is."


def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except ZoneInfoNotFoundError:
        return None
