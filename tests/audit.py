"""What the sandbox's figures must be, worked out from the calls that it lists: nothing of ours is believed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

Told = dict[str, Any]
Ask = Callable[[str], Any]
"""Reads a path, which must be there, and gives its JSON."""

OVER = ("completed", "failed", "cancelled")
RANG_OUT = ("no-answer", "rejected")
RETRIED = ("busy", "no-answer", "failed", "dispatch_timeout")
"""Outcomes after which a campaign tries again (contract 3.2.2)."""
NEVER_RANG = ("busy", "failed", "dispatch_timeout")


@dataclass(frozen=True)
class Seen:
    """All that an account is told at one instant. Lists are newest first, as they came."""

    now: str
    balance: Told
    calls: list[Told]
    campaigns: list[Told]
    rings: list[Told]
    own_rings: list[Told]
    deliveries: list[Told]

    def of(self, campaign_id: str | None) -> list[Told]:
        """The calls of a campaign, oldest first."""
        return [call for call in reversed(self.calls) if call["campaign_id"] == campaign_id]

    def call(self, call_id: str) -> Told:
        return next(call for call in self.calls if call["id"] == call_id)


def look(ask: Ask) -> Seen:
    """Read an account whole, page by page."""
    return Seen(
        ask("/sandbox/clock")["now"],
        ask("/v1/balance"),
        pages(ask, "/v1/calls"),
        [ask(f"/v1/campaigns/{one['id']}") for one in pages(ask, "/v1/campaigns")],
        ask("/sandbox/rings?campaigns=true")["data"],
        ask("/sandbox/rings")["data"],
        ask("/sandbox/deliveries")["data"],
    )


def pages(ask: Ask, path: str, rows: str = "data") -> list[Told]:
    found: list[Told] = []
    cursor: str | None = ""
    while cursor is not None:
        page = ask(f"{path}{'&' if '?' in path else '?'}limit=200{f'&cursor={cursor}' if cursor else ''}")
        found += page[rows]
        cursor = page["next_cursor"]
    return found


def at(time: str) -> datetime:
    return datetime.fromisoformat(time)


def minutes(call: Told) -> Decimal:
    """What a call costs (contract A125)."""
    if call["started_at"] is None or call["end_at"] is None:
        return Decimal(0)
    spoken = (at(call["end_at"]) - at(call["started_at"])) // timedelta(milliseconds=1)
    return (Decimal(spoken) / 60_000).quantize(Decimal("0.01"), ROUND_HALF_UP)


def ledger(allocated: float, bonus: float, calls: Iterable[Told], longest: Mapping[str, float]) -> Told:
    """The balance (contract 6.2); `longest` is the max_duration of each call."""
    calls = list(calls)
    billed = sum((minutes(call) for call in calls), Decimal(0))
    held = sum((Decimal(str(longest[one["id"]])) for one in calls if one["status"] not in OVER), Decimal(0))
    bonus_used = min(Decimal(str(bonus)), billed)
    used, left = billed - bonus_used, Decimal(str(bonus)) - bonus_used
    return {
        "type": "call_minutes",
        "remaining": float(max(Decimal(0), Decimal(str(allocated)) - used + left)),
        "allocated": float(allocated),
        "total": float(Decimal(str(allocated)) + left),
        "used": float(used),
        "reserved": float(held),
        "welcome_bonus_used": float(bonus_used),
        "welcome_bonus_remaining": float(left),
    }


def billed_as_spoken(seen: Seen) -> None:
    for call in seen.calls:
        wanted = float(minutes(call)) if call["end_at"] else None
        assert (call["actual_duration_billed"], call["duration"]) == (wanted, wanted), call


def newest_first(seen: Seen) -> None:
    """No two of a kind were made at one time (contract A21, A22)."""
    for rows in (seen.calls, seen.campaigns):
        times = [at(row["created_at"]) for row in rows]
        assert times == sorted(set(times), reverse=True)


def adds_up(campaign: Told, calls: list[Told]) -> None:
    """The statistics, by their formulas and by the campaign's calls (contract A73)."""
    stats = campaign["stats"]
    completed, failed = stats["calls_completed"], stats["calls_failed"]
    done = completed + failed
    total = stats["pending_contacts"] + stats["calls_in_progress"] + done
    well = [call for call in calls if call["status"] == "completed"]
    asked = campaign["conversion_outcomes"]
    converted = sum(call["disposition"] in asked for call in well if call["disposition"])
    assert stats["total_contacts"] == total, stats
    assert stats["connection_rate"] == (round(completed / done, 4) if done else 0), stats
    assert stats["completion_rate"] == (round(done / total, 4) if total else 0), stats
    assert stats["pending_contacts"] >= 0, stats
    assert stats["calls_in_progress"] == sum(call["status"] not in OVER for call in calls), stats
    assert completed == len(well), stats
    assert failed <= sum(call["status"] in ("failed", "cancelled") for call in calls), stats
    assert stats["minutes_used"] == float(sum(map(minutes, calls), Decimal(0))), stats
    # A disposition is told fifteen seconds after the end.
    assert converted <= stats["conversions"] <= converted + sum(not call["disposition"] for call in well), (
        stats
    )
    if campaign["status"] == "completed":
        assert (stats["pending_contacts"], stats["calls_in_progress"]) == (0, 0), stats


def each_contact_once(campaign: Told, calls: list[Told], listed: set[str], doubtful: set[str]) -> None:
    """Who waits and who has failed follows from the calls that each lead of the list has got.

    `doubtful` are leads that were taken off the list or unsubscribed: they count or not.
    """
    waiting = failed = sure = sure_failed = 0
    for lead_id in listed | {call["lead_id"] for call in calls}:
        got = [call for call in calls if call["lead_id"] == lead_id]
        again = not got or (got[-1]["call_status"] in RETRIED and len(got) <= campaign["max_retries"])
        over = bool(got) and got[-1]["status"] in ("failed", "cancelled")
        waiting, sure = waiting + again, sure + (again and lead_id not in doubtful)
        failed += sum(one["status"] in ("failed", "cancelled") for one in got) if lead_id in doubtful else 0
        sure_failed += over and not again and lead_id not in doubtful
    stats = campaign["stats"]
    assert sure_failed <= stats["calls_failed"] <= sure_failed + failed, (stats, sure_failed, failed)
    if campaign["status"] not in (
        "cancelled",
        "completed",
    ):  # who joins the list of one that has ended is no contact of it
        assert sure <= stats["pending_contacts"] <= waiting, (stats, sure, waiting)


def never_too_many(campaign: Told, calls: list[Told]) -> None:
    """At no instant, looked at or not, are more calls under way than the campaign may have."""
    marks = [(at(call["created_at"]), 1) for call in calls]
    marks += [(at(call["end_at"]), -1) for call in calls if call["end_at"]]
    under_way = 0
    for _, change in sorted(marks):
        under_way += change
        assert under_way <= campaign["max_parallel_calls"]


def rings_as_told(seen: Seen) -> None:
    """Each call rings once or not at all, as its outcome says, between its beginning and its answer or end."""
    rang = {ring["call_id"]: ring for ring in seen.rings}
    assert len(rang) == len(seen.rings)
    assert [ring["at"] for ring in seen.rings] == sorted(ring["at"] for ring in seen.rings)
    assert seen.own_rings == [ring for ring in seen.rings if ring["campaign_id"] is None]
    known = {call["id"]: call for call in seen.calls}
    assert rang.keys() <= known.keys()
    for call in seen.calls:
        ring = rang.get(call["id"])
        if call["started_at"] or call["call_status"] in RANG_OUT:
            assert ring, call
        if call["call_status"] in NEVER_RANG and not call["started_at"]:
            assert ring is None, call
        if ring:
            assert (ring["phone_number"], ring["campaign_id"]) == (call["phone_number"], call["campaign_id"])
            until = call["started_at"] or call["end_at"] or seen.now
            assert call["created_at"] <= ring["at"] <= until, (ring, call)


def told_once(seen: Seen, wanted: Mapping[str, Mapping[str, Iterable[str]]]) -> None:
    """What happened on a call is told once to everybody who asked for it, and nothing else is.

    `wanted` names for each call its sources, and for each source the events that it hears.
    """
    about = [one for one in seen.deliveries if one["event"].startswith("call.")]
    told = Counter((one["subject_id"], one["source"], one["event"]) for one in about)
    due = Counter(
        (call["id"], source, event)
        for call in seen.calls
        for source, events in wanted.get(call["id"], {}).items()
        for event in happened(call)
        if event in events
    )
    assert told == due, (told - due, due - told)
    ids = [one["id"] for one in seen.deliveries]
    assert len(ids) == len(set(ids))


def happened(call: Told) -> Iterable[str]:
    """The events of a call until now (contract 4.1)."""
    yield "call.queued"
    if call["started_at"]:
        yield "call.started"
    if call["status"] == "failed":
        yield "call.failed"
    if call["status"] == "completed" and call["disposition"]:
        yield "call.completed"
