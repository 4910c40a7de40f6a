"""Campaigns and leads where deeds cross: each once went wrong, and random deeds seldom come by."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from topcalls_tools.sandbox import campaigns
from topcalls_tools.sandbox.caller import Caller, Scene
from topcalls_tools.sandbox.people import People
from topcalls_tools.sandbox.plans import Plan
from topcalls_tools.sandbox.problem import Problem
from topcalls_tools.sandbox.store import Store

from .audit import Told, pages
from .door import NOWHERE, Door
from .test_sandbox import TASK, Hand

ALWAYS = {"opens": "00:00", "closes": "00:00", "weekdays": range(1, 8)}
BUSY, HUMAN, ENDLESS, THIRD_TIME = "+14155550001", "+14155551234", "+14155550008", "+14155550019"
OWN_CARRIER = {"carrier_name": "Own", "sip_gateway": {"ipv4": "203.0.113.1", "inbound": True}}


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    made = Door(tmp_path / "sandbox.db", Hand())
    made.key = made.sandbox.key()
    yield made
    made.close()


def campaign(door: Door, *numbers: str, **more: Any) -> str:
    """A draft that may always call."""
    contacts = [{"name": f"No. {number[-4:]}", "phone_number": number} for number in numbers]
    plan = Plan.model_validate({"name": "Calls", "task": TASK, "contacts": contacts, **ALWAYS, **more})
    status, made = door.send("POST", "/sandbox/campaigns", plan.model_dump(mode="json"))
    assert status == 201
    return str(made["id"])


def steer(door: Door, id: str, *deeds: str) -> None:
    for deed in deeds:
        assert door.send("POST", f"/v1/campaigns/{id}/{deed}")[0] == 200


def step(door: Door, seconds: float) -> None:
    assert door.send("POST", "/sandbox/clock", {"advance_seconds": seconds})[0] == 200


def lead(door: Door, number: str) -> Told:
    found: Told = door.ask(f"/v1/leads?phone={number.replace('+', '%2B')}")["items"][0]
    return found


def dial(door: Door, number: str, **more: Any) -> Told:
    status, placed = door.send("POST", "/v1/calls", {"phone_number": number, "task": TASK, **more})
    assert status == 201
    told: Told = placed
    return told


def move(door: Door, minutes: float) -> None:
    """Go on as another account, with so many minutes and nothing else."""
    door.key = door.sandbox.add_account(minutes, 0, plans=())


def test_who_is_taken_off_the_list_while_called_is_not_tried_again(door: Door) -> None:
    id = campaign(door, BUSY, ENDLESS, max_retries=2)
    steer(door, id, "start")
    step(door, 2)
    one = lead(door, BUSY)
    elsewhere = {"name": "A", "phone_number": BUSY, "list_id": "7d1f2a60-51f4-4a2b-9b1e-0c5a3f1e2d11"}
    assert door.send("POST", "/v1/leads", elsewhere)[0] == 200
    assert door.send("DELETE", f"/v1/leads/{one['id']}?list_id={one['list_ids'][0]}")[0] == 204
    step(door, 86_400)
    calls = pages(door.ask, f"/v1/calls?campaign_id={id}")
    assert [call["phone_number"] for call in calls].count(BUSY) == 1
    assert door.send("POST", "/v1/leads", {**elsewhere, "list_id": one["list_ids"][0]})[0] == 200
    step(door, 86_400)
    assert pages(door.ask, f"/v1/calls?campaign_id={id}") == calls
    assert door.ask(f"/v1/campaigns/{id}")["stats"]["calls_failed"] == 1


def test_what_happens_twice_at_one_instant_is_told_twice(door: Door) -> None:
    events = ["campaign.started", "campaign.paused", "campaign.resumed"]
    id = campaign(door, HUMAN, BUSY, max_parallel_calls=1, webhook_url=NOWHERE, webhook_events=events)
    steer(door, id, "start", "pause", "start", "pause")
    told = [one["event"] for one in door.ask("/sandbox/deliveries")["data"]]
    assert sorted(told) == ["campaign.paused", "campaign.paused", "campaign.resumed", "campaign.started"]


def test_a_call_that_is_cancelled_at_once_was_queued_all_the_same(door: Door) -> None:
    hook = {"webhook_url": NOWHERE, "webhook_events": ["call.queued", "call.failed"]}
    body = {"phone_number": HUMAN, "task": TASK, **hook}
    ids = [door.send("POST", "/v1/calls", body)[1]["call_id"] for _ in range(2)]
    assert door.send("POST", f"/v1/calls/{ids[1]}/cancel")[0] == 200
    step(door, 1)
    told = [(one["event"], one["subject_id"]) for one in door.ask("/sandbox/deliveries")["data"]]
    assert sorted(told) == sorted(("call.queued", id) for id in ids)


def test_a_number_that_becomes_ready_meanwhile_is_called_with(door: Door) -> None:
    """Contract A92, A109: pending for two seconds, and then as good as any."""
    id = campaign(door, HUMAN, max_retries=2, retry_minutes=1)
    gone = door.ask("/v1/phone-numbers")["data"][-1]
    assert door.send("DELETE", f"/v1/phone-numbers/{gone['id']}")[0] == 204
    carrier = door.send("POST", "/v1/phone-numbers/carriers", OWN_CARRIER)[1]["voip_carrier_sid"]
    steer(door, id, "start")
    step(door, 59)
    again = {"number": gone["number"], "voip_carrier_sid": carrier}
    assert door.send("POST", "/v1/phone-numbers", again)[0] == 201
    step(door, 86_400)
    outcomes = [call["call_status"] for call in pages(door.ask, f"/v1/calls?campaign_id={id}")]
    assert outcomes == ["completed", "failed", "failed"]


def test_a_campaign_that_was_to_start_long_ago_starts_when_it_is_made(door: Door) -> None:
    step(door, 60)
    id = campaign(door, HUMAN, BUSY, max_retries=0, scheduled_at="1970-01-02T00:00:00Z")
    step(door, 3600)
    made, calls = door.ask(f"/v1/campaigns/{id}"), pages(door.ask, f"/v1/calls?campaign_id={id}")
    assert (made["status"], made["scheduled_at"][:4], len(calls)) == ("completed", "1970", 2)
    assert made["started_at"] == made["created_at"] <= min(call["created_at"] for call in calls)
    balance = door.ask("/v1/balance")
    used = round(sum(call["duration"] for call in calls), 2)
    assert (balance["reserved"], balance["welcome_bonus_used"]) == (0, used)


def test_nothing_is_dialled_before_what_is_billed(door: Door) -> None:
    id = campaign(door, HUMAN, scheduled_at="2026-03-03T09:00:00Z")
    now = door.ask("/sandbox/clock")["now"]
    with closing(sqlite3.connect(door.path)) as line, line:
        line.execute("UPDATE campaigns SET wakes_at = 1000")
    (call,) = pages(door.ask, f"/v1/calls?campaign_id={id}")
    assert call["created_at"] == now


@pytest.mark.parametrize("by_campaign", [True, False])
def test_minutes_that_another_call_will_give_back_are_waited_for(door: Door, by_campaign: bool) -> None:
    """Contract A108: minutes that are only held have not run out."""
    move(door, 15)
    if by_campaign:
        steer(door, campaign(door, HUMAN, max_duration=10), "start")
    else:
        dial(door, HUMAN, max_duration=10)
    id = campaign(door, "+14155551235", max_duration=10)
    steer(door, id, "start")
    step(door, 1)
    seen = door.ask(f"/v1/campaigns/{id}")
    assert (seen["status"], seen["stats"]["pending_contacts"]) == ("running", 1)
    step(door, 3600)
    first, second = pages(door.ask, "/v1/calls")[::-1]
    assert first["end_at"] == second["created_at"]
    assert door.ask(f"/v1/campaigns/{id}")["status"] == "completed"


def test_minutes_that_an_endless_call_holds_are_not_waited_for(door: Door) -> None:
    move(door, 15)
    dial(door, ENDLESS, max_duration=10)
    id = campaign(door, HUMAN, max_duration=10)
    steer(door, id, "start")
    assert door.ask(f"/v1/campaigns/{id}")["status"] == "paused"


def test_how_minutes_are_waited_for_does_not_depend_on_how_often_one_looks(tmp_path: Path) -> None:
    told = []
    for seconds in (15, 3600):
        door = Door(tmp_path / f"{seconds}.db", Hand())
        move(door, 25)
        ids = [
            campaign(door, *(f"+1415555{block}{n}" for n in range(8)), name=str(block), max_duration=most)
            for block, most in ((301, 9), (302, 4), (303, 6))
        ]
        dial(door, HUMAN, max_duration=10)
        for id in ids:
            steer(door, id, "start")
        for _ in range(3600 // seconds):
            step(door, seconds)
            door.ask("/v1/balance")
        paths = ("/v1/calls?limit=200", "/v1/balance", *(f"/v1/campaigns/{id}" for id in ids))
        told.append([door.ask(path) for path in paths])
        door.close()
    assert told[0] == told[1]
    assert len({call["campaign_id"] for call in told[0][0]["data"]}) == 4


def test_what_is_made_in_two_accounts_has_ids_of_its_own(door: Door) -> None:
    seen: list[str] = []
    for _ in range(2):
        move(door, 100)
        carrier = door.send("POST", "/v1/phone-numbers/carriers", OWN_CARRIER)[1]
        number = {"number": "+14155550177", "voip_carrier_sid": carrier["voip_carrier_sid"]}
        sid = door.send("POST", "/v1/phone-numbers", number)[1]["phone_number_sid"]
        seen += [carrier["voip_carrier_sid"], carrier["sip_gateway_sid"], sid]
        seen += [dial(door, HUMAN)["provider_call_id"]]
    assert len(set(seen)) == len(seen) == 8


def test_faults_of_one_account_do_not_depend_on_those_of_another(door: Door) -> None:
    fault = {"route": "GET /v1/balance", "kind": "slow", "seconds": 0, "share": 0.5}
    struck = []
    for orders in (1, 2):
        move(door, 100)
        ids = [door.send("POST", "/sandbox/faults", fault)[1]["id"] for _ in range(orders)]
        assert ids == ["1", "2"][:orders]
        for _ in range(20):
            door.ask("/v1/balance")
        first = door.ask("/sandbox/faults")["data"][0]
        struck.append((first["seen"], first["struck"]))
    assert struck[0] == struck[1]


def test_whoever_answers_the_third_call_counts_calls_of_every_kind(door: Door) -> None:
    for _ in range(2):
        dial(door, THIRD_TIME)
    id = campaign(door, THIRD_TIME, max_retries=0)
    steer(door, id, "start")
    step(door, 3600)
    (call,) = pages(door.ask, f"/v1/calls?campaign_id={id}")
    assert call["call_status"] == "completed"


def test_whoever_answers_the_third_call_counts_those_of_the_same_moment(door: Door) -> None:
    for _ in range(3):
        campaign(door, THIRD_TIME, max_retries=0, scheduled_at="2026-03-03T09:00:00Z")
    step(door, 86_400)
    outcomes = [call["call_status"] for call in pages(door.ask, "/v1/calls")]
    assert outcomes[::-1] == ["no-answer", "no-answer", "completed"]


def test_a_campaign_that_has_ended_cannot_be_stopped(door: Door) -> None:
    id, store = campaign(door, HUMAN), Store(door.path)
    with closing(store), store.write() as book:
        row = book.rows("campaigns", ("id", "=", id))[0]
        scene = Scene(door.sandbox.seed, People.load(door.path.parent))
        caller = Caller(row["account_id"], row["created_at"], scene, book)
        campaigns.stop(id, caller)
        assert campaigns.own(id, caller)["status"] == "cancelled"
        with pytest.raises(Problem, match="Campaign is cancelled") as refused:
            campaigns.stop(id, caller)
    assert (refused.value.status, refused.value.slug) == (400, "invalid_state")
