"""Campaigns and leads where deeds cross: each once went wrong, and random deeds seldom come by."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from topcalls_tools.sandbox.plans import Plan

from .audit import Told, pages
from .door import NOWHERE, Door
from .test_sandbox import TASK, Hand

ALWAYS = {"opens": "00:00", "closes": "00:00", "weekdays": range(1, 8)}
BUSY, HUMAN, ENDLESS = "+14155550001", "+14155551234", "+14155550008"


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
    own = {"carrier_name": "Own", "sip_gateway": {"ipv4": "203.0.113.1", "inbound": True}}
    carrier = door.send("POST", "/v1/phone-numbers/carriers", own)[1]["voip_carrier_sid"]
    steer(door, id, "start")
    step(door, 59)
    again = {"number": gone["number"], "voip_carrier_sid": carrier}
    assert door.send("POST", "/v1/phone-numbers", again)[0] == 201
    step(door, 86_400)
    outcomes = [call["call_status"] for call in pages(door.ask, f"/v1/calls?campaign_id={id}")]
    assert outcomes == ["completed", "failed", "failed"]
