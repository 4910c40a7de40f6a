"""Calls back as events of a calendar (RFC 5545). Nothing that the person called said stands in them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from icalendar import Calendar, Event

from .proposals import Proposal

LASTS = timedelta(minutes=15)
"""How long an event is."""


def calendar(found: Iterable[Proposal], now: datetime) -> bytes:
    """The calendar of some proposals, each of which has a time. A call's event has the same name each time,
    so that a calendar renews it."""
    made = Calendar()
    made.add("prodid", "-//TopCalls Tools//callbacks//EN")
    made.add("version", "2.0")
    for one in found:
        if one.at:
            made.add_component(_event(one, one.at.astimezone(UTC), now))
    written: bytes = made.to_ical()
    return written


def _event(one: Proposal, at: datetime, now: datetime) -> Event:
    event = Event()
    event.add("uid", f"callback-{one.call_id}@topcalls-tools")
    event.add("dtstamp", now.astimezone(UTC))
    event.add("dtstart", at)
    event.add("dtend", at + LASTS)
    event.add("summary", f"Call back {one.whom}")
    event.add(
        "description",
        f"They asked for it in turn {one.turn} of the call {one.call_id}. The hours permit it from "
        f"{one.when}. Nothing calls by itself.",
    )
    event.add("status", "TENTATIVE")
    event.add("transp", "TRANSPARENT")
    return event
