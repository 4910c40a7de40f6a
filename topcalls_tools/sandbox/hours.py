"""Business hours: when a campaign may dial, in the local time of its zone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

_ENDLESS = 2**62


@dataclass(frozen=True, slots=True)
class Hours:
    """From `opens` to `closes` local time on some weekdays, Monday being 1; the same time twice is always."""

    zone: str
    opens: time
    closes: time
    weekdays: frozenset[int]

    def window(self, at: int) -> tuple[int, int]:
        """The hours that hold an instant, or the next that come: first millisecond, and the first after."""
        if self.opens == self.closes:
            return 0, _ENDLESS
        zone = ZoneInfo(self.zone)
        today = datetime.fromtimestamp(at / 1000, UTC).astimezone(zone).date()
        for ahead in range(-1, 8):
            day = today + timedelta(days=ahead)
            if day.isoweekday() in self.weekdays:
                first, after = self._on(day, zone)
                if at < after:
                    return first, after
        raise ValueError("business hours need at least one weekday")

    def _on(self, day: date, zone: ZoneInfo) -> tuple[int, int]:
        closing = day if self.closes > self.opens else day + timedelta(days=1)
        first = datetime.combine(day, self.opens, zone)
        return _ms(first), _ms(datetime.combine(closing, self.closes, zone))


def _ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)
