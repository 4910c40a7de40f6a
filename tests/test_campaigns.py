"""Campaigns of the sandbox: they dial by the clock, in local hours, and their figures always add up."""

from __future__ import annotations

from collections import Counter
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from topcalls_tools.sandbox import Plan, SandboxError, open_sandbox, plans, serve_in_background

from .contract import covers
from .test_sandbox import Bench, Hand, bench, calm, furnished

__all__ = ["bench", "calm", "furnished"]
HOUR, DAY, WEEK = 3600, 86_400, 604_800
BUSY, SILENT, REJECTS, BROKEN, MAILBOX, ENDLESS, STUCK, YES = (
    "0001", "0002", "0003", "0004", "0005", "0008", "0009", "0018",
)  # fmt: skip
TASK = "Ask {{name}} whether they come to the fair on {{day}}, and confirm it."
EVENTS = [f"campaign.{what}" for what in ("started", "paused", "resumed", "completed", "stopped")]


@pytest.fixture(autouse=True, scope="module")
def by_hand(calm: Bench) -> None:
    """Webhooks are written down here and not sent."""
    calm.sandbox.courier.close()


def people(*endings: str, block: int = 556) -> list[dict[str, Any]]:
    """Contacts whose numbers end so, no two alike."""
    return [
        {
            "name": f"Contact {place}",
            "phone_number": f"+1{201 + place}{block}{ending}",
            "facts": {"day": "Friday"},
        }
        for place, ending in enumerate(endings)
    ]


def nested(levels: int) -> dict[str, Any]:
    """A fact within a fact, so many levels deep."""
    facts: dict[str, Any] = {}
    for _ in range(levels):
        facts = {"fact": facts}
    return facts


def make(bench: Bench, *endings: str, **more: Any) -> str:
    """A campaign that dials at any time unless it is told otherwise."""
    plan = {
        "name": "Fair", "task": TASK, "opens": "00:00", "closes": "00:00", "max_duration": 5,
        "webhook_url": "http://127.0.0.1:9/campaign", "webhook_events": EVENTS, "contacts": people(*endings), **more,
    }  # fmt: skip
    reply = bench.http.post("/sandbox/campaigns", json=plan)
    assert reply.status_code == 201, reply.text
    return str(reply.json()["id"])


def begin(bench: Bench, *endings: str, **more: Any) -> str:
    campaign_id = make(bench, *endings, **more)
    start(bench, campaign_id)
    return campaign_id


def start(bench: Bench, campaign_id: str) -> None:
    reply = bench.http.post(f"/v1/campaigns/{campaign_id}/start")
    assert (reply.status_code, reply.json()) == (200, {"ok": True}), reply.text


def pause(bench: Bench, campaign_id: str) -> None:
    reply = bench.http.post(f"/v1/campaigns/{campaign_id}/pause")
    assert (reply.status_code, reply.json()) == (200, {"ok": True}), reply.text


def campaign(bench: Bench, campaign_id: str) -> dict[str, Any]:
    """As it stands; its figures add up whenever one looks (contract A73)."""
    found = bench.get(f"/v1/campaigns/{campaign_id}")
    stats = found["stats"]
    done = stats["calls_completed"] + stats["calls_failed"]
    assert stats["total_contacts"] == stats["pending_contacts"] + stats["calls_in_progress"] + done
    assert stats["connection_rate"] == (round(stats["calls_completed"] / done, 4) if done else 0)
    total = stats["total_contacts"]
    assert stats["completion_rate"] == (round(done / total, 4) if total else 0)
    assert min(stats.values()) >= 0
    calls = calls_of(bench, campaign_id)
    going = [call for call in calls if call["status"] in ("queued", "in_progress")]
    assert stats["calls_in_progress"] == len(going) <= found["max_parallel_calls"]
    assert stats["minutes_used"] == round(sum(call["duration"] or 0 for call in calls), 2)
    return found


def calls_of(bench: Bench, campaign_id: str) -> list[dict[str, Any]]:
    """Its calls, the oldest first."""
    found: list[dict[str, Any]] = bench.get(f"/v1/calls?campaign_id={campaign_id}&limit=200")["data"]
    return found[::-1]


def events(bench: Bench, campaign_id: str) -> list[dict[str, Any]]:
    rows = bench.get("/sandbox/deliveries")["data"]
    return [row["body"] for row in rows[::-1] if row["subject_id"] == campaign_id]


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def on(bench: Bench, then: datetime) -> None:
    """Go on to an instant."""
    bench.step((then - moment(bench.get("/sandbox/clock")["now"])).total_seconds())


# Dialling


@covers("3.2.3 start", "4.2 draft", "4.2 running", "A73", "3.2.2 statistics", "3.1.2 campaign", "A100")
def test_a_started_campaign_dials_everybody_and_its_figures_add_up_at_every_step(bench: Bench) -> None:
    campaign_id = begin(bench, YES, BUSY, MAILBOX, REJECTS, YES, SILENT, max_parallel_calls=2, max_retries=0)
    first, second = calls_of(bench, campaign_id)
    assert {first["status"], second["status"]} == {"queued"}
    assert (first["call_status"], first["campaign_id"]) == (None, campaign_id)
    seen = []
    for _ in range(80):
        seen.append(campaign(bench, campaign_id))
        bench.step(7)
    assert [one["stats"]["pending_contacts"] for one in seen][:1] == [4]
    for before, after in pairwise(seen):
        for name in ("calls_completed", "calls_failed", "minutes_used", "conversions"):
            assert before["stats"][name] <= after["stats"][name]
    last = seen[-1]
    assert (last["status"], last["stats"]["calls_completed"], last["stats"]["calls_failed"]) == (
        "completed",
        3,
        3,
    )
    assert (last["stats"]["connection_rate"], last["stats"]["completion_rate"]) == (0.5, 1)
    calls = calls_of(bench, campaign_id)
    assert [call["phone_number"][-4:] for call in calls] == [YES, BUSY, MAILBOX, REJECTS, YES, SILENT]
    assert bench.get("/v1/balance")["welcome_bonus_used"] == last["stats"]["minutes_used"]
    assert last["completed_at"] == max(call["end_at"] for call in calls)


def test_what_happens_does_not_depend_on_how_often_one_looks(tmp_path: Path) -> None:
    told = []
    for name, step in (("often", 30), ("once", 2 * HOUR)):
        hand = Hand()
        path = tmp_path / f"{name}.db"
        with (
            closing(open_sandbox(path, real=hand, plans=())) as sandbox,
            serve_in_background(sandbox) as served,
        ):
            sandbox.courier.close()
            bench = Bench(sandbox, served.url, hand)
            ids = [
                begin(bench, BUSY, YES, SILENT, "0019", MAILBOX, name=of, retry_minutes=minutes)
                for of, minutes in (("A", 7), ("B", 11))
            ]
            for _ in range(2 * HOUR // step):
                bench.step(step)
                bench.get("/v1/balance")
            paths = [
                "/v1/calls",
                "/v1/leads",
                "/v1/balance",
                "/sandbox/deliveries",
                *(f"/v1/campaigns/{id}" for id in ids),
            ]
            told.append([bench.get(path) for path in paths])
            bench.http.close()
    assert told[0] == told[1]


@covers("1.6 parallel calls", "1.6 fair")
def test_a_campaign_never_has_more_calls_at_once_than_it_may_and_waits_for_no_other(bench: Bench) -> None:
    most = 3
    one = begin(bench, *[YES] * 9, max_parallel_calls=most)
    other = begin(bench, *[YES] * 4, max_parallel_calls=1, name="Other")
    bench.step(1)
    assert len(calls_of(bench, one)) == most
    assert len(calls_of(bench, other)) == 1
    bench.step(2 * HOUR)
    edges = [(call["created_at"], 1) for call in calls_of(bench, one)]
    edges += [(call["end_at"], -1) for call in calls_of(bench, one)]
    going, peak = 0, 0
    for _, change in sorted(edges):
        going += change
        peak = max(peak, going)
    assert (peak, going, len(edges)) == (most, 0, 18)
    assert campaign(bench, other)["status"] == "completed"


@covers("3.2.2 variables")
def test_facts_of_a_contact_stand_in_the_task(bench: Bench) -> None:
    campaign_id = begin(bench, YES)
    bench.step(600)
    (listed,) = calls_of(bench, campaign_id)
    call = bench.call(listed["id"])
    said = " ".join(turn["text"] for turn in call["transcript"] if turn["user"] == "assistant")
    assert "Friday" in said
    assert "{{" not in said
    assert call["metadata"]["request_data"] == {"name": "Contact 0", "day": "Friday"}
    assert call["lead_id"] == bench.get("/v1/leads")["items"][0]["id"]


@covers("3.2.2 conversions")
def test_conversions_are_calls_with_the_outcomes_that_count(bench: Bench) -> None:
    asked = {"task": "Confirm the appointment of {{name}} on Friday.", "max_retries": 0}
    counted = begin(bench, YES, "0020", conversion_outcomes=["confirmed"], **asked)
    other = begin(
        bench, YES, "0020", conversion_outcomes=["voicemail_left"], contacts=people(YES, block=557), **asked
    )
    bench.step(HOUR)
    dispositions = Counter(call["disposition"] for call in calls_of(bench, counted))
    assert dispositions["confirmed"] == campaign(bench, counted)["stats"]["conversions"] == 1
    assert campaign(bench, other)["stats"]["conversions"] == 0
    leads = {lead["phone_number"]: lead for lead in bench.get("/v1/leads")["items"]}
    won = next(call for call in calls_of(bench, counted) if call["disposition"] == "confirmed")
    assert leads[won["phone_number"]]["status"] == "Converted"
    assert leads[won["phone_number"]]["converted_at"] == won["end_at"]
    assert Counter(lead["status"] for lead in leads.values()) == {"Converted": 1, "Contacted": 2}


# Hours


def weekday(bench: Bench, day: int, hour: float) -> datetime:
    """The next such weekday at an hour, UTC; Monday is 1."""
    now = moment(bench.get("/sandbox/clock")["now"])
    then = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(hours=hour)
    then += timedelta(days=(day - now.isoweekday()) % 7)
    return then if then > now else then + timedelta(days=7)


def within(call: dict[str, Any], zone: str, opens: int, closes: int) -> bool:
    local = moment(call["created_at"]).astimezone(ZoneInfo(zone))
    return opens <= local.hour < closes and local.isoweekday() <= 5


@covers("3.2.2 hours")
@pytest.mark.parametrize("zone", ["America/New_York", "Europe/Berlin", "Asia/Kolkata", "Pacific/Auckland"])
def test_a_campaign_dials_in_the_business_hours_of_its_zone(bench: Bench, zone: str) -> None:
    on(bench, weekday(bench, 5, 20))
    more = {"timezone": zone, "opens": "09:00", "closes": "09:04", "max_parallel_calls": 1, "max_retries": 0}
    campaign_id = begin(bench, *[SILENT] * 40, **more)
    for _ in range(20):
        bench.step(12 * HOUR)
    calls = calls_of(bench, campaign_id)
    assert len(calls) == 40
    assert all(within(call, zone, 9, 10) for call in calls), [call["created_at"] for call in calls]
    days = {moment(call["created_at"]).astimezone(ZoneInfo(zone)).isoweekday() for call in calls}
    assert days == {1, 2, 3, 4, 5}  # on Saturday and Sunday it rests


@covers("3.2.2 hours")
@pytest.mark.parametrize(
    ("zone", "before", "after", "utc"),
    [
        ("America/New_York", "2026-03-07", "2026-03-09", ("14:00", "13:00")),  # forward on the 8th
        ("America/New_York", "2026-10-31", "2026-11-02", ("13:00", "14:00")),  # back on the 1st
        ("Europe/Berlin", "2026-03-28", "2026-03-30", ("08:00", "07:00")),  # forward on the 29th
    ],
)
def test_business_opens_at_the_local_hour_on_both_sides_of_a_change_of_clocks(
    tmp_path: Path, zone: str, before: str, after: str, utc: tuple[str, str]
) -> None:
    hand = Hand()
    path = tmp_path / "clocks.db"
    with closing(open_sandbox(path, real=hand, plans=())) as sandbox, serve_in_background(sandbox) as served:
        bench = Bench(sandbox, served.url, hand)
        hand.at = datetime.fromisoformat(f"{before}T00:30:00+00:00")
        more = {"timezone": zone, "opens": "09:00", "closes": "09:10", "weekdays": [1, 2, 3, 4, 5, 6, 7]}
        campaign_id = begin(bench, *[SILENT] * 80, max_parallel_calls=1, max_retries=0, **more)
        on(bench, datetime.fromisoformat(f"{after}T23:00:00+00:00"))
        days: dict[str, str] = {}
        for call in calls_of(bench, campaign_id):
            days.setdefault(call["created_at"][:10], call["created_at"][11:16])
        assert (days[before], days[after]) == utc
        assert len(days) == 3
        bench.http.close()


def test_hours_may_go_past_midnight_and_belong_to_the_day_that_they_begin(bench: Bench) -> None:
    on(bench, weekday(bench, 7, 12))
    more = {"timezone": "UTC", "opens": "23:00", "closes": "01:00", "weekdays": [5], "max_retries": 0}
    campaign_id = begin(bench, *[SILENT] * 200, max_parallel_calls=1, **more)
    on(bench, weekday(bench, 6, 0.5))
    late = begin(
        bench, SILENT, contacts=people(SILENT, block=557), **more
    )  # it is Saturday, in Friday's hours
    assert len(calls_of(bench, late)) == 1
    bench.step(HOUR)
    times = [moment(call["created_at"]) for call in calls_of(bench, campaign_id)]
    assert {(at.isoweekday(), at.hour) for at in times} == {(5, 23), (6, 0)}
    assert len(times) == 200


def test_a_call_that_begins_in_business_hours_may_end_after_them(bench: Bench) -> None:
    campaign_id = begin(
        bench, *[YES] * 60, timezone="UTC", opens="09:00", closes="09:01", max_parallel_calls=5
    )
    bench.step(4 * DAY)
    calls = calls_of(bench, campaign_id)
    assert {call["status"] for call in calls} == {"completed"}
    assert all(moment(call["created_at"]).strftime("%H:%M") == "09:00" for call in calls)
    assert any(moment(call["end_at"]).strftime("%H:%M") != "09:00" for call in calls)


# Trying again


@covers("3.2.2 retries")
@pytest.mark.parametrize(
    ("ending", "outcome", "calls"),
    [(BUSY, "busy", 3), (SILENT, "no-answer", 3), (BROKEN, "failed", 3), (REJECTS, "rejected", 1), (MAILBOX, "completed", 1)],
)  # fmt: skip
def test_busy_unanswered_and_failed_calls_are_tried_again(
    bench: Bench, ending: str, outcome: str, calls: int
) -> None:
    campaign_id = begin(bench, ending, max_retries=2, retry_minutes=20)
    bench.step(60)
    stats = campaign(bench, campaign_id)["stats"]
    assert (stats["pending_contacts"], stats["total_contacts"]) == (1 if calls > 1 else 0, 1)
    for _ in range(12):
        bench.step(600)
        campaign(bench, campaign_id)
    made = calls_of(bench, campaign_id)
    assert [call["call_status"] for call in made] == [outcome] * calls
    for before, after in pairwise(made):
        waited = moment(after["created_at"]) - moment(before["end_at"])
        assert waited.total_seconds() == 20 * 60
    done = campaign(bench, campaign_id)
    assert done["status"] == "completed"
    assert done["stats"]["calls_failed"] == (0 if outcome == "completed" else 1)


def test_who_answers_the_second_time_is_completed_and_not_failed(bench: Bench) -> None:
    campaign_id = begin(bench, "0022", "0019", max_retries=2, retry_minutes=1)
    bench.step(HOUR)
    assert Counter(call["call_status"] for call in calls_of(bench, campaign_id)) == {
        "busy": 1, "no-answer": 2, "completed": 2,
    }  # fmt: skip
    stats = campaign(bench, campaign_id)["stats"]
    assert (stats["calls_completed"], stats["calls_failed"], stats["total_contacts"]) == (2, 0, 2)


def test_a_try_that_falls_due_after_hours_waits_for_the_next_day(bench: Bench) -> None:
    more = {"timezone": "UTC", "opens": "09:00", "closes": "09:10", "weekdays": [1, 2, 3, 4, 5, 6, 7]}
    campaign_id = begin(bench, BUSY, max_retries=1, retry_minutes=30, **more)
    bench.step(3 * DAY)
    first, again = (moment(call["created_at"]) for call in calls_of(bench, campaign_id))
    assert (first.strftime("%H:%M"), again.strftime("%H:%M"), (again.date() - first.date()).days) == (
        "09:00", "09:00", 1
    )  # fmt: skip


# Pausing, resuming, minutes


@covers("3.2.4 pause", "A77", "4.2 paused")
def test_a_pause_lets_calls_in_flight_end_and_queues_no_other(bench: Bench) -> None:
    campaign_id = begin(bench, *[YES] * 6, max_parallel_calls=2)
    bench.step(0.5)
    assert [call["status"] for call in calls_of(bench, campaign_id)] == ["queued"] * 2
    pause(bench, campaign_id)
    bench.step(20)
    seen = campaign(bench, campaign_id)
    assert (seen["status"], seen["stats"]["calls_in_progress"]) == ("paused", 2)
    assert [call["status"] for call in calls_of(bench, campaign_id)] == ["in_progress"] * 2
    bench.step(DAY)
    stats = campaign(bench, campaign_id)["stats"]
    assert (stats["calls_completed"], stats["pending_contacts"], stats["calls_in_progress"]) == (2, 4, 0)
    assert len(calls_of(bench, campaign_id)) == 2
    start(bench, campaign_id)
    bench.step(HOUR)
    after = campaign(bench, campaign_id)
    assert (after["status"], after["stats"]["calls_completed"]) == ("completed", 6)
    assert after["started_at"] == seen["started_at"]
    assert [one["event"] for one in events(bench, campaign_id)] == [
        "campaign.started", "campaign.paused", "campaign.resumed", "campaign.completed"
    ]  # fmt: skip


@covers("3.2.4 pause")
def test_a_paused_campaign_waits_with_its_second_tries_too(bench: Bench) -> None:
    campaign_id = begin(bench, BUSY, retry_minutes=10)
    pause(bench, campaign_id)
    bench.step(DAY)
    seen = campaign(bench, campaign_id)
    assert (seen["status"], seen["stats"]["pending_contacts"]) == ("paused", 1)
    assert len(calls_of(bench, campaign_id)) == 1
    start(bench, campaign_id)
    bench.step(1)
    assert len(calls_of(bench, campaign_id)) == 2


@covers("A108", "A129")
def test_a_campaign_without_minutes_pauses_itself_and_says_why(bench: Bench) -> None:
    poor = Bench(bench.sandbox, bench.url, bench.hand, bench.sandbox.add_account(10, 0, plans=()))
    with poor.http:
        campaign_id = begin(poor, *[YES] * 40, max_parallel_calls=5, max_duration=5)
        assert len(calls_of(poor, campaign_id)) == 2  # each holds 5 of the 10 minutes
        poor.step(DAY)
        seen = campaign(poor, campaign_id)
        assert (seen["status"], seen["stats"]["calls_in_progress"]) == ("paused", 0)
        assert seen["stats"]["pending_contacts"] > 0
        paused = events(poor, campaign_id)[-1]
        assert (paused["event"], paused["reason"]) == ("campaign.paused", "insufficient_quota")
        assert paused["stats"]["pending_contacts"] == seen["stats"]["pending_contacts"]
        balance = poor.get("/v1/balance")
        assert (balance["reserved"], 0 < balance["remaining"] < 5) == (0, True)


def test_minutes_that_calls_of_the_campaign_hold_are_waited_for(bench: Bench) -> None:
    poor = Bench(bench.sandbox, bench.url, bench.hand, bench.sandbox.add_account(7, 0, plans=()))
    with poor.http:
        campaign_id = begin(poor, YES, YES, max_parallel_calls=2, max_duration=5)
        poor.step(1)
        assert (campaign(poor, campaign_id)["status"], len(calls_of(poor, campaign_id))) == ("running", 1)
        poor.step(600)
        assert campaign(poor, campaign_id)["status"] == "completed"


def test_minutes_that_a_stopped_call_gives_back_are_used_at_once(bench: Bench) -> None:
    poor = Bench(bench.sandbox, bench.url, bench.hand, bench.sandbox.add_account(20, 0, plans=()))
    with poor.http:
        stuck = poor.place("+14155550009", max_duration=9)
        talking = poor.place(max_duration=9)
        campaign_id = begin(poor, YES, max_duration=5)
        assert (campaign(poor, campaign_id)["status"], calls_of(poor, campaign_id)) == ("running", [])
        assert poor.http.post(f"/v1/calls/{stuck}/cancel").status_code == 200
        assert len(calls_of(poor, campaign_id)) == 1
        assert poor.call(talking)["end_at"] is None


@covers("3.2.3 compliance")
def test_who_wants_no_calls_is_not_dialled(bench: Bench) -> None:
    campaign_id = make(bench, YES, YES, BUSY, retry_minutes=5, max_parallel_calls=3)
    leads = {lead["phone_number"]: lead["id"] for lead in bench.get("/v1/leads")["items"]}
    numbers = [one["phone_number"] for one in people(YES, YES, BUSY)]
    unsubscribe(bench, leads[numbers[0]])
    start(bench, campaign_id)
    bench.step(60)
    assert [call["phone_number"] for call in calls_of(bench, campaign_id)] == numbers[1:]
    unsubscribe(bench, leads[numbers[2]])  # before the second try
    bench.step(HOUR)
    assert [call["phone_number"] for call in calls_of(bench, campaign_id)] == numbers[1:]
    seen = campaign(bench, campaign_id)
    assert (seen["status"], seen["stats"]["pending_contacts"]) == ("completed", 0)


def unsubscribe(bench: Bench, lead_id: str) -> None:
    assert bench.http.patch(f"/v1/leads/{lead_id}", json={"status": "Unsubscribed"}).status_code == 200


@covers("A92")
def test_a_campaign_whose_number_is_deleted_fails_its_next_dials_and_ends_its_calls_well(
    bench: Bench,
) -> None:
    number = bench.http.post("/v1/phone-numbers", json={"number": "+14155550188"}).json()
    more = {"from_number": "+14155550188", "max_parallel_calls": 1, "max_retries": 0}
    campaign_id = begin(bench, YES, YES, **more)
    bench.step(15)
    assert bench.http.delete(f"/v1/phone-numbers/{number['id']}").status_code == 204
    bench.step(HOUR)
    good, bad = calls_of(bench, campaign_id)
    assert (good["status"], bad["status"], bad["call_status"], bad["duration"]) == (
        "completed",
        "failed",
        "failed",
        0,
    )
    assert bad["error_message"]
    assert bench.get("/sandbox/rings?campaigns=true")["data"][-1]["call_id"] == good["id"]
    assert campaign(bench, campaign_id)["stats"]["calls_failed"] == 1


@covers("A107", "4.2 ended")
def test_a_stopped_campaign_is_cancelled_for_good(bench: Bench) -> None:
    campaign_id = begin(bench, YES, YES, BUSY, max_parallel_calls=1)
    bench.step(20)
    assert bench.http.post(f"/sandbox/campaigns/{campaign_id}/stop", json={}).status_code == 204
    bench.step(DAY)
    seen = campaign(bench, campaign_id)
    assert (seen["status"], seen["stats"]["calls_completed"], seen["stats"]["pending_contacts"]) == (
        "cancelled",
        1,
        2,
    )
    for deed in ("start", "pause"):
        assert bench.http.post(f"/v1/campaigns/{campaign_id}/{deed}").status_code == 400
    assert bench.http.post(f"/sandbox/campaigns/{campaign_id}/stop", json={}).status_code == 400


@pytest.mark.parametrize(("ending", "deed"), [(ENDLESS, "stop"), (STUCK, "cancel"), (STUCK, "stop")])
def test_a_call_that_somebody_ends_makes_room_for_the_next(bench: Bench, ending: str, deed: str) -> None:
    campaign_id = begin(bench, ending, YES, max_parallel_calls=1)
    bench.step(HOUR)
    (call,) = calls_of(bench, campaign_id)
    assert bench.http.post(f"/v1/calls/{call['id']}/{deed}").status_code == 200
    bench.step(HOUR)
    seen = campaign(bench, campaign_id)
    assert (seen["status"], seen["stats"]["calls_completed"], seen["stats"]["calls_failed"]) == (
        "completed",
        1,
        1,
    )


@covers("A74", "A40")
def test_a_key_starts_a_campaign_once(bench: Bench) -> None:
    campaign_id = make(bench, YES)
    path, header = f"/v1/campaigns/{campaign_id}/start", {"Idempotency-Key": f"start-{campaign_id}"}
    assert bench.http.post(path, headers=header).status_code == 200
    again = bench.http.post(path, headers=header)
    assert (again.status_code, again.headers["Idempotent-Replayed"]) == (200, "true")
    assert bench.http.post(path).status_code == 400
    assert len(calls_of(bench, campaign_id)) == 1


# How campaigns come to be


@covers("3.2.2 schedule", "4.2 scheduled")
def test_a_scheduled_campaign_dials_when_its_time_has_come(bench: Bench) -> None:
    now = moment(bench.get("/sandbox/clock")["now"])
    then = datetime.fromtimestamp(now.timestamp() + 2 * HOUR, UTC).isoformat()
    campaign_id = make(bench, YES, scheduled_at=then)
    seen = campaign(bench, campaign_id)
    assert (seen["status"], moment(seen["scheduled_at"]), seen["started_at"]) == (
        "scheduled",
        moment(then),
        None,
    )
    bench.step(2 * HOUR - 1)
    assert calls_of(bench, campaign_id) == []
    bench.step(600)
    seen = campaign(bench, campaign_id)
    assert (seen["status"], moment(seen["started_at"])) == ("completed", moment(then))
    assert [moment(call["created_at"]) for call in calls_of(bench, campaign_id)] == [moment(then)]
    early = make(
        bench, YES, scheduled_at="2099-01-01T00:00:00Z", name="Early", contacts=people(YES, block=558)
    )
    start(bench, early)
    assert campaign(bench, early)["status"] == "running"


@covers("A70", "A71", "A72", "3.2.1 list", "3.2.2 webhook", "A19")
def test_a_campaign_has_the_settings_that_it_was_made_with(bench: Bench) -> None:
    asked = {
        "name": "All of it", "from_number": "+14155550100", "mode": "legacy", "voice": "rachel",
        "timezone": "Europe/Berlin", "max_parallel_calls": 7, "max_retries": 4, "conversion_outcomes": ["booked"],
        "webhook_url": "https://your-app.com/webhooks/campaign", "webhook_events": ["campaign.started"],
    }  # fmt: skip
    campaign_id = make(bench, YES, YES, **asked)
    seen = campaign(bench, campaign_id)
    assert {name: seen[name] for name in asked} == asked
    assert (seen["status"], seen["stats"]["total_contacts"]) == ("draft", 2)
    assert [seen[name] for name in ("scheduled_at", "started_at", "completed_at")] == [None] * 3
    page = bench.get("/v1/campaigns?status=draft&limit=1")
    assert page["data"] == [{name: value for name, value in seen.items() if name != "stats"}]
    others = [make(bench, name=f"Draft {number}", contacts=[]) for number in range(3)]
    first = bench.get("/v1/campaigns?limit=2")
    second = bench.get(f"/v1/campaigns?limit=2&cursor={first['next_cursor']}")
    assert [one["id"] for one in (*first["data"], *second["data"])] == [*others[::-1], campaign_id]
    assert second["next_cursor"] is None


@covers("A70")
def test_a_fresh_account_has_campaigns_in_every_state_with_their_past(furnished: Bench) -> None:
    found = furnished.get("/v1/campaigns")["data"]
    assert {one["status"] for one in found} == {
        "draft",
        "scheduled",
        "running",
        "paused",
        "completed",
        "cancelled",
    }
    for one in found:
        stats = campaign(furnished, one["id"])["stats"]
        if one["status"] in ("completed", "paused", "cancelled", "running"):
            assert stats["calls_completed"] + stats["calls_failed"] > 0
    assert furnished.get("/v1/balance")["remaining"] == 1500


FILE = """
[[campaigns]]
name = "Fair"
task = "Ask {{name}} whether they come to the fair on {{day}}."
timezone = "Europe/Berlin"
opens = 08:30:00
closes = 12:00:00
weekdays = [2, 4]
max_parallel_calls = 1

[[campaigns.contacts]]
name = "Ada Abel"
phone_number = "+493012340018"
facts = { day = "Friday" }

[[campaigns]]
name = "Later"
task = "Ask {{name}} how they are."
scheduled_at = 2026-03-03T09:00:00Z
"""


@covers("A70")
def test_campaigns_are_read_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "campaigns.toml"
    file.write_text(FILE, encoding="utf-8")
    hand = Hand()
    path = tmp_path / "sandbox.db"
    read = plans(file)
    with (
        closing(open_sandbox(path, real=hand, plans=read)) as sandbox,
        serve_in_background(sandbox) as served,
    ):
        bench = Bench(sandbox, served.url, hand)
        later, fair = bench.get("/v1/campaigns")["data"]
        assert (later["name"], later["status"], fair["name"], fair["status"]) == (
            "Later",
            "scheduled",
            "Fair",
            "draft",
        )
        start(bench, fair["id"])
        bench.step(WEEK)
        (call,) = calls_of(bench, fair["id"])
        assert (call["phone_number"], call["created_at"]) == ("+493012340018", "2026-03-03T07:30:00.000Z")
        sandbox.add_campaigns([*read, Plan(name="Third", task="Ask how they are.")])
        assert [one["name"] for one in bench.get("/v1/campaigns")["data"]] == ["Third", "Later", "Fair"]
        bench.http.close()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[campaigns]]\nname = 'x'", "task"),
        ("[[campaigns]]\nname = 'x'\ntask = 'short'", "task"),
        ("[[campaigns]]\nname = 'x'\ntask = 'long enough'\ntimezone = 'Mars/Olympus'", "time zone"),
        ("[[campaigns]]\nname = 'x'\ntask = 'long enough'\nweekdays = []", "at least one day"),
        ("[[campaigns]]\nname = 'x'\ntask = 'long enough'\ncolour = 'red'", "colour"),
        ("[[campaigns]]\nname = 'x'\ntask = 'long enough'\n[[campaigns.contacts]]\nname = 'y'\nphone_number = '555'", "phone_number"),
        ("[[campaigns]]\nname = 'x'\ntask = 'long enough'\nscheduled_at = 2026-03-03T09:00:00", "needs an offset"),
        ("no toml", "campaigns"),
        ("campaigns = 7", r"\[\[campaigns\]\]"),
        ("[campaigns]\nname = 'x'\ntask = 'long enough'", r"\[\[campaigns\]\]"),
        ("[[campaign]]\nname = 'x'\ntask = 'long enough'", r"'campaign' is .*write .*\[\[campaigns\]\]"),
        ("campaigns = []\n\"a\\u001b[2J\" = 1", r"'a\\x1b\[2J' is read by nobody"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_used_is_refused_in_a_sentence(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "campaigns.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(SandboxError, match=said):
        plans(file)


@pytest.mark.parametrize(
    ("change", "path"),
    [({"from_number": "+14155550199"}, "from_number"), ({"weekdays": [8]}, "weekdays.0"), ({"task": "short"}, "task"),
     ({"timezone": "Mars"}, "timezone"), ({"voice": "nobody"}, "voice"), ({"colour": "red"}, "colour"),
     ({"opens": "09:00:00Z"}, "opens"), ({"closes": "18:00:00+02:00"}, "closes"), ({"opens": 3600}, "opens"),
     ({"scheduled_at": "2026-03-03T09:00:00"}, "scheduled_at"),
     ({"scheduled_at": "0001-01-01T00:00:00Z"}, "scheduled_at"),
     ({"scheduled_at": "1969-12-31T23:59:59Z"}, "scheduled_at"),
     ({"scheduled_at": "9999-12-31T23:59:59Z"}, "scheduled_at"),
     ({"contacts": [{**people(YES)[0], "facts": nested(400)}]}, "contacts.0.facts")],
)  # fmt: skip
def test_a_campaign_that_cannot_be_is_refused_through_the_controls(
    bench: Bench, change: dict[str, Any], path: str
) -> None:
    reply = bench.http.post("/sandbox/campaigns", json={"name": "x", "task": TASK, **change})
    assert (reply.status_code, [one["path"] for one in reply.json()["errors"]]) == (400, [path])
    assert bench.get("/v1/campaigns")["data"] == []
    assert bench.get("/v1/leads")["items"] == []


def test_a_fact_that_no_json_can_write_is_refused(bench: Bench) -> None:
    contact = '{"name": "x", "phone_number": "+12015560018", "facts": {"day": 1e400}}'
    content = f'{{"name": "x", "task": "Ask them how they are.", "contacts": [{contact}]}}'
    headers = {"Content-Type": "application/json"}
    reply = bench.http.post("/sandbox/campaigns", content=content, headers=headers)
    assert (reply.status_code, bench.get("/v1/leads")["items"]) == (400, [])


# Lists that change while a campaign runs


@pytest.fixture
def running(bench: Bench) -> tuple[Bench, str, str]:
    """A campaign in the midst of its calls, and its list."""
    campaign_id = begin(bench, BUSY, YES, YES, max_parallel_calls=1, retry_minutes=5)
    bench.step(3)
    return bench, campaign_id, bench.get("/v1/leads")["items"][0]["list_ids"][0]


def test_a_lead_that_joins_the_list_is_dialled(running: tuple[Bench, str, str]) -> None:
    bench, campaign_id, list_id = running
    lead = {"name": "Late", "phone_number": "+14155560018", "list_id": list_id}
    assert bench.http.post("/v1/leads", json=lead).status_code == 201
    assert campaign(bench, campaign_id)["stats"]["total_contacts"] == 4
    bench.step(HOUR)
    assert campaign(bench, campaign_id)["status"] == "completed"
    assert "+14155560018" in [call["phone_number"] for call in calls_of(bench, campaign_id)]


def test_a_lead_that_leaves_the_list_is_not_dialled_even_between_two_tries(
    running: tuple[Bench, str, str],
) -> None:
    bench, campaign_id, list_id = running
    third, _, first = (lead["id"] for lead in bench.get("/v1/leads")["items"])
    assert calls_of(bench, campaign_id)[0]["lead_id"] == first  # busy, and under way
    for lead_id in (first, third):
        assert bench.http.delete(f"/v1/leads/{lead_id}?list_id={list_id}").status_code == 204
    bench.step(HOUR)
    seen = campaign(bench, campaign_id)
    assert (seen["status"], seen["stats"]["total_contacts"]) == ("completed", 2)
    assert [call["phone_number"][-4:] for call in calls_of(bench, campaign_id)] == [BUSY, YES]


@pytest.mark.parametrize("query", ["", "?list_id={}"])
def test_a_lead_that_waits_for_another_try_may_go(running: tuple[Bench, str, str], query: str) -> None:
    bench, campaign_id, list_id = running
    bench.step(20)
    (waiting,) = bench.get("/v1/leads?phone=%2B12015560001")["items"]
    assert campaign(bench, campaign_id)["stats"]["pending_contacts"] == 2
    path = f"/v1/leads/{waiting['id']}{query.format(list_id)}"
    assert bench.http.delete(path).status_code == 204
    assert campaign(bench, campaign_id)["stats"]["total_contacts"] == 2
    bench.step(HOUR)
    assert campaign(bench, campaign_id)["status"] == "completed"
    assert [call["phone_number"][-4:] for call in calls_of(bench, campaign_id)] == [BUSY, YES, YES]


@pytest.mark.parametrize("ending", [YES, BUSY, ENDLESS])
def test_a_lead_may_be_deleted_while_it_is_called(bench: Bench, ending: str) -> None:
    campaign_id = begin(bench, ending, YES, max_parallel_calls=2)
    bench.step(3)
    for lead in bench.get("/v1/leads")["items"]:
        assert bench.http.delete(f"/v1/leads/{lead['id']}").status_code == 204
    bench.step(HOUR)
    seen = campaign(bench, campaign_id)
    assert len(calls_of(bench, campaign_id)) == 2
    assert seen["status"] == ("running" if ending == ENDLESS else "completed")
    assert bench.get("/v1/leads")["items"] == []


def test_a_lead_that_comes_back_to_the_list_is_not_called_twice(running: tuple[Bench, str, str]) -> None:
    bench, campaign_id, list_id = running
    other = make(bench, name="Other", contacts=people(BUSY, YES, YES))
    bench.step(120)
    lead = bench.get("/v1/leads")["items"][1]
    assert lead["status"] in ("Contacted", "Converted")
    assert bench.http.delete(f"/v1/leads/{lead['id']}?list_id={list_id}").status_code == 204
    back = {"name": lead["name"], "phone_number": lead["phone_number"], "list_id": list_id}
    assert bench.http.post("/v1/leads", json=back).json()["existed"] is True
    bench.step(HOUR)
    assert Counter(call["lead_id"] for call in calls_of(bench, campaign_id))[lead["id"]] == 1
    assert campaign(bench, campaign_id)["status"] == "completed"
    assert campaign(bench, other)["stats"]["pending_contacts"] == 3


def test_what_two_campaigns_learn_of_one_person_is_kept(bench: Bench) -> None:
    """Converted by the older one; the younger one only reaches them later, in the same stretch of time."""
    asked = {"task": "Confirm the appointment of {{name}} on Friday.", "contacts": people(YES)}
    begin(bench, conversion_outcomes=["confirmed"], **asked)
    begin(bench, "0022", name="Later", conversion_outcomes=["voicemail_left"], max_parallel_calls=1,
          task=asked["task"], contacts=[*people("", "0022")[1:], *people(YES)])  # fmt: skip
    bench.step(DAY)
    (lead,) = bench.get("/v1/leads?status=Converted")["items"]
    assert (lead["phone_number"], lead["converted_at"] is None) == (people(YES)[0]["phone_number"], False)
