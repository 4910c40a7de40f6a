"""Webhooks of the sandbox: a real receiver on loopback, and a clock moved by hand."""

from __future__ import annotations

import hashlib
import hmac
import json
import queue
import sqlite3
import threading
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from topcalls_tools.sandbox import deliveries, events, open_sandbox, serve_in_background

from .contract import covers
from .test_sandbox import HUMAN, TASK, Bench, Hand, bench, calm

__all__ = ["bench", "calm"]
EVERY_CALL_EVENT = ["call.queued", "call.started", "call.completed", "call.failed", "call.transferred"]
YES_SAYER, BUSY, ENDLESS, STUCK = "+14155550018", "+14155550001", "+14155550008", "+14155550009"
MINUTE = 60


@dataclass(frozen=True)
class Got:
    """A request as the receiver took it."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def said(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)
        return found

    @property
    def event(self) -> str:
        return self.headers["x-topcalls-event"]


@dataclass
class Receiver:
    """Answers with `status`, or as a list of them says; `meanwhile` runs before it answers, `afterwards` when
    all but the body is said."""

    url: str = ""
    got: list[Got] = field(default_factory=list)
    status: int = 200
    statuses: list[int] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    meanwhile: Callable[[], object] = lambda: None
    afterwards: Callable[[], object] = lambda: None
    enter: Callable[[str], object] = lambda path: None
    """What a request goes through first, by its path."""
    instead: Callable[[BaseHTTPRequestHandler], object] | None = None
    """What answers in place of all that."""

    def took(self, path: str = "") -> list[Got]:
        """What came to a path since the last time that it was asked."""
        found = [one for one in self.got if one.path.startswith(path)]
        self.got = [one for one in self.got if one not in found]
        return found

    def events(self, path: str = "") -> list[str]:
        return [one.event for one in self.took(path)]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    found = Receiver()

    class Ear(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            found.got.append(Got(self.path, headers, body))
            if found.instead:
                found.instead(self)
                return
            found.enter(self.path)
            found.meanwhile()
            status = found.statuses.pop(0) if found.statuses else found.status
            if not status:
                return  # a line that breaks: taken, and never answered
            self.send_response(status)
            for name, value in found.headers.items():
                self.send_header(name, value)
            self.end_headers()
            found.afterwards()

        do_GET = do_POST  # a redirect that somebody follows would come here

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Ear)
    found.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield found
    server.shutdown()
    server.server_close()


@pytest.fixture(autouse=True, scope="module")
def by_hand(calm: Bench) -> None:
    """Nothing is sent by itself: each test says when."""
    calm.sandbox.courier.close()


def attempts(bench: Bench) -> int:
    return sum(len(one["attempts"]) for one in told(bench))


def send(bench: Bench) -> int:
    """Send what is due on the whole sandbox; how many attempts were this account's."""
    before = attempts(bench)
    reply = bench.http.post("/sandbox/deliveries", json={})
    assert reply.status_code == 200, reply.text
    assert reply.json()["sent"] >= attempts(bench) - before
    return attempts(bench) - before


def later(bench: Bench, seconds: float) -> int:
    bench.step(seconds)
    return send(bench)


def subscribe(bench: Bench, receiver: Receiver, event: str = "call.completed", **more: Any) -> str:
    body = {"event": event, "url": f"{receiver.url}/subscription", **more}
    reply = bench.http.post("/v1/webhooks", json=body)
    assert reply.status_code == 201, reply.text
    return str(reply.json()["id"])


def told(bench: Bench) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = bench.get("/sandbox/deliveries")["data"]
    return found


def place(bench: Bench, receiver: Receiver, number: str = YES_SAYER, **more: Any) -> str:
    return bench.place(number, webhook_url=f"{receiver.url}/call", **more)


# What is sent


@covers(
    "5.1 call.queued", "5.1 call.started", "5.1 call.completed", "5.2 call.completed", "A113", "A114", "A116"
)
@covers("4.1 queued", "4.1 answered", "4.1 completed", "3.1.1 webhook")
def test_each_event_of_a_call_has_exactly_the_documented_fields(bench: Bench, receiver: Receiver) -> None:
    asked = {"patient_name": "John Smith"}
    call_id = place(bench, receiver, webhook_events=EVERY_CALL_EVENT, request_data=asked)
    assert send(bench) == 1
    (queued,) = receiver.took()
    queued_call = bench.call(call_id)
    while (call := bench.call(call_id))["end_at"] is None:
        later(bench, 5)
    (started,) = receiver.took()
    assert later(bench, 14 - 5) == 0  # the end lies at most 5 seconds back
    assert later(bench, 6) == 1
    (completed,) = receiver.took()
    assert {one.headers["content-type"] for one in (queued, started, completed)} == {"application/json"}
    basics = {
        "call_id": call_id, "phone_number": YES_SAYER, "from_phone_number": "+18005551234",
        "campaign_id": None, "lead_id": None, "created_at": queued_call["created_at"],
    }  # fmt: skip
    assert queued.said == {**basics, "event": "call.queued", "status": "queued", "call_status": None}
    assert started.said == {
        **basics, "event": "call.started", "status": "in_progress", "call_status": "in-progress",
        "started_at": call["started_at"],
    }  # fmt: skip
    after = bench.call(call_id)
    listed = bench.get("/v1/calls")["data"][0]
    same = ("duration", "transcript", "recording_url", "call_summary", "answered_by", "started_at", "end_at")
    assert completed.said == {
        **basics, "event": "call.completed", "status": "completed", "call_status": "completed",
        **{name: after[name] for name in same},
        "disposition": listed["disposition"], "metadata": {"request_data": asked},
    }  # fmt: skip
    assert completed.said["transcript"]
    assert completed.said["recording_url"]
    assert completed.said["call_summary"]


@covers("5.1 call.failed", "4.1 failed", "A114")
def test_a_failed_call_is_told_at_once_and_why(bench: Bench, receiver: Receiver) -> None:
    call_id = place(bench, receiver, BUSY, webhook_events=EVERY_CALL_EVENT)
    while bench.call(call_id)["end_at"] is None:
        bench.step(1)
    send(bench)
    call = bench.call(call_id)
    queued, failed = receiver.took()
    assert (queued.event, failed.event) == ("call.queued", "call.failed")
    assert failed.said == {
        "event": "call.failed", "call_id": call_id, "phone_number": BUSY, "from_phone_number": "+18005551234",
        "status": "failed", "call_status": "busy", "error_message": "Line busy", "duration": 0,
        "campaign_id": None, "lead_id": None, "created_at": call["created_at"], "started_at": None,
        "end_at": call["end_at"],
    }  # fmt: skip


@covers("A53")
@pytest.mark.parametrize(("number", "event"), [(YES_SAYER, "call.completed"), (BUSY, "call.failed")])
def test_a_call_tells_its_end_by_default(bench: Bench, receiver: Receiver, number: str, event: str) -> None:
    place(bench, receiver, number)
    later(bench, 600)
    assert receiver.events("/call") == [event]


def test_a_call_tells_only_what_was_asked_for(bench: Bench, receiver: Receiver) -> None:
    place(bench, receiver, webhook_events=["call.started"])
    later(bench, 600)
    assert receiver.events() == ["call.started"]


@covers("4.1 stopped", "4.1 dropped", "A68", "A69")
@pytest.mark.parametrize(("deed", "number"), [("stop", ENDLESS), ("stop", STUCK), ("cancel", STUCK)])
def test_stop_and_cancel_send_nothing(bench: Bench, receiver: Receiver, deed: str, number: str) -> None:
    subscribe(bench, receiver)
    call_id = place(bench, receiver, number, webhook_events=["call.completed", "call.failed"])
    bench.step(60)
    assert bench.http.post(f"/v1/calls/{call_id}/{deed}").status_code == 200
    later(bench, 3600)
    assert bench.call(call_id)["status"] == "cancelled"
    assert receiver.got == []


def test_a_call_that_would_have_completed_tells_nothing_once_it_is_stopped(
    bench: Bench, receiver: Receiver
) -> None:
    subscribe(bench, receiver)
    call_id = place(bench, receiver)
    bench.step(15)
    assert bench.http.post(f"/v1/calls/{call_id}/stop").status_code == 200
    later(bench, 3600)
    assert receiver.got == []


@covers("5.1 call.transferred", "A115", "A114")
def test_a_transfer_is_told_only_where_it_was_ordered(bench: Bench, receiver: Receiver) -> None:
    call_id = place(bench, receiver, ENDLESS, webhook_events=["call.transferred"])
    assert later(bench, 3600) == 0
    ordered = {"to": "+14155550100"}
    assert bench.http.post(f"/sandbox/calls/{call_id}/transfer", json=ordered).status_code == 204
    send(bench)
    (transferred,) = receiver.took()
    assert transferred.said == {
        "event": "call.transferred", "call_id": call_id, "phone_number": ENDLESS,
        "from_phone_number": "+18005551234", "status": "in_progress", "call_status": "in-progress",
        "transfer_to": "+14155550100", "transferred_at": bench.get("/sandbox/clock")["now"],
    }  # fmt: skip
    bench.http.post(f"/v1/calls/{call_id}/stop")
    assert bench.http.post(f"/sandbox/calls/{call_id}/transfer", json=ordered).status_code == 400


@covers("A111")
def test_functions_of_the_agent_are_not_called(bench: Bench, receiver: Receiver) -> None:
    tool = {"name": "lookup", "description": "Looks an order up.", "parameters": {"type": "object"}}
    place(bench, receiver, tools=[tool], webhook_events=EVERY_CALL_EVENT)
    later(bench, 600)
    assert receiver.events() == ["call.queued", "call.started", "call.completed"]


# Whom it goes to


def campaign(bench: Bench, receiver: Receiver, *numbers: str, **more: Any) -> str:
    plan = {
        "name": "Fair", "task": "Tell {{name}} that the fair is on Friday.", "opens": "00:00", "closes": "00:00",
        "webhook_url": f"{receiver.url}/campaign",
        "contacts": [{"name": f"Contact {at}", "phone_number": number} for at, number in enumerate(numbers)],
        **more,
    }  # fmt: skip
    reply = bench.http.post("/sandbox/campaigns", json=plan)
    assert reply.status_code == 201, reply.text
    campaign_id = str(reply.json()["id"])
    assert bench.http.post(f"/v1/campaigns/{campaign_id}/start").status_code == 200
    return campaign_id


@covers("5.1 sources", "A112", "3.2.2 webhook")
def test_call_campaign_and_subscription_each_get_a_delivery_of_their_own(
    bench: Bench, receiver: Receiver
) -> None:
    subscribe(bench, receiver)
    subscribe(bench, receiver)
    place(bench, receiver)
    later(bench, 600)
    assert receiver.events("/call") == ["call.completed"]
    both = receiver.took("/subscription")
    assert [one.event for one in both] == ["call.completed"] * 2
    assert len({one.headers["x-topcalls-delivery"] for one in both}) == 2
    campaign_id = campaign(bench, receiver, "+14155560018", webhook_events=["call.queued", "call.completed"])
    later(bench, 600)
    queued, completed = receiver.took("/campaign")
    assert (queued.event, completed.event) == ("call.queued", "call.completed")
    assert completed.said["campaign_id"] == campaign_id
    assert completed.said["lead_id"] == bench.get("/v1/leads")["items"][0]["id"]
    assert receiver.events("/subscription") == ["call.completed"] * 2
    assert receiver.got == []


def test_a_campaign_is_told_of_transfers_of_its_calls(bench: Bench, receiver: Receiver) -> None:
    campaign_id = campaign(bench, receiver, ENDLESS, webhook_events=["call.transferred"])
    bench.step(60)
    call_id = bench.get(f"/v1/calls?campaign_id={campaign_id}")["data"][0]["id"]
    bench.http.post(f"/sandbox/calls/{call_id}/transfer", json={"to": "+14155550100"})
    send(bench)
    assert receiver.events("/campaign") == ["call.transferred"]


@covers("5.1 campaign", "A114", "A107", "4.2 paused", "4.2 running", "A74")
def test_what_happens_to_a_campaign_is_told_with_its_figures(bench: Bench, receiver: Receiver) -> None:
    events = [f"campaign.{what}" for what in ("started", "paused", "resumed", "completed", "stopped")]
    campaign_id = campaign(
        bench, receiver, STUCK, "+14155560018", webhook_events=events, max_parallel_calls=1
    )
    path = f"/v1/campaigns/{campaign_id}"
    started_at = bench.get("/sandbox/clock")["now"]
    bench.step(10)
    assert bench.http.post(f"{path}/pause").status_code == 200
    bench.step(10)
    assert bench.http.post(f"{path}/start").status_code == 200
    bench.step(10)
    assert bench.http.post(f"/sandbox/campaigns/{campaign_id}/stop", json={}).status_code == 204
    assert bench.get(path)["status"] == "cancelled"
    for deed in ("start", "pause"):
        assert bench.http.post(f"{path}/{deed}").status_code == 400
    send(bench)
    said = [one.said for one in receiver.took("/campaign")]
    assert [one["event"] for one in said] == [
        "campaign.started", "campaign.paused", "campaign.resumed", "campaign.stopped"
    ]  # fmt: skip
    assert said[0] == {
        "event": "campaign.started", "campaign_id": campaign_id, "name": "Fair", "status": "running",
        "stats": {
            "total_contacts": 2, "pending_contacts": 2, "calls_in_progress": 0, "calls_completed": 0,
            "calls_failed": 0, "conversions": 0, "connection_rate": 0, "completion_rate": 0, "minutes_used": 0,
        },
        "occurred_at": started_at,
    }  # fmt: skip
    assert (said[1]["status"], said[1]["reason"]) == ("paused", "api_request")
    assert said[1]["stats"] == {"total_contacts": 2, "pending_contacts": 1}
    assert (said[2]["status"], "reason" in said[2]) == ("running", False)
    assert (said[3]["status"], said[3]["reason"]) == ("cancelled", "dashboard")
    assert said[3]["stats"] == bench.get(path)["stats"]


def test_a_campaign_that_is_done_says_so(bench: Bench, receiver: Receiver) -> None:
    campaign_id = campaign(bench, receiver, "+14155560018", webhook_events=["campaign.completed"])
    later(bench, 600)
    (done,) = receiver.took("/campaign")
    seen = bench.get(f"/v1/campaigns/{campaign_id}")
    assert (done.said["status"], done.said["stats"]) == ("completed", seen["stats"])
    assert done.said["occurred_at"] == seen["completed_at"]
    assert seen["stats"]["calls_completed"] == 1


# Subscriptions


@covers("3.6 subscription", "3.6 subscription reply", "A45", "1.4 where")
def test_subscriptions_are_made_listed_and_deleted(bench: Bench, receiver: Receiver) -> None:
    body = {
        "event": "call.completed.booked_callback", "url": "https://hooks.your-app.com/topcalls",
        "filters": {"is_conversion": True, "phone_number": "+1555%"},
    }  # fmt: skip
    header = {"Idempotency-Key": f"subscribe-{uuid.uuid4()}"}
    made = bench.http.post("/v1/webhooks", json=body, headers=header)
    assert made.status_code == 201
    found = made.json()
    assert found == {**found, **body, "deleted_at": None}
    assert found.keys() == {
        "id", "account_id", "event", "url", "filters", "deleted_at", "created_by_api_key_id", "created_at"
    }  # fmt: skip
    assert bench.http.post("/v1/webhooks", json=body, headers=header).json() == found
    assert bench.get("/v1/webhooks") == {"data": [found]}
    with bench.client(bench.sandbox.add_account(plans=())) as stranger:
        assert stranger.get("/v1/webhooks").json() == {"data": []}
        assert stranger.delete(f"/v1/webhooks/{found['id']}").status_code == 404
    assert bench.http.delete(f"/v1/webhooks/{found['id']}").status_code == 204
    assert bench.http.delete(f"/v1/webhooks/{found['id']}").status_code == 404
    assert bench.get("/v1/webhooks") == {"data": []}


@covers("3.6 subscription", "A52")
@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"event": "call.started"}, "event"),
        ({"event": "call.completed.UPPER"}, "event"),
        ({"event": "campaign.resumed"}, "event"),
        ({"event": None}, "event"),
        ({"url": None}, "url"),
        ({"url": "http://example.com/plain"}, "url"),
        ({"url": "no address"}, "url"),
        ({"filters": [1]}, "filters"),
    ],
)
def test_a_wrong_subscription_is_refused(calm: Bench, change: dict[str, Any], path: str) -> None:
    body = {"event": "call.completed", "url": "https://example.com/", **change}
    reply = calm.http.post("/v1/webhooks", json={name: body[name] for name in body if body[name] is not None})
    assert reply.status_code == 400
    assert [one["path"] for one in reply.json()["errors"]] == [path]


@covers("3.6 fires")
def test_a_subscription_hears_of_completed_calls_alone(bench: Bench, receiver: Receiver) -> None:
    for event in ("call.completed", "lead.status_changed", "campaign.activated", "campaign.paused"):
        subscribe(bench, receiver, event)
    subscribe(bench, receiver, "call.completed.voicemail_left")
    subscribe(bench, receiver, "call.completed.do_not_call")
    campaign_id = campaign(bench, receiver, YES_SAYER, "+14155550005", BUSY)
    bench.step(20)
    bench.http.post(f"/v1/campaigns/{campaign_id}/pause")
    later(bench, 600)
    heard = receiver.took("/subscription")
    assert {one.event for one in heard} == {"call.completed"}
    assert sorted(one.said["phone_number"] for one in heard) == ["+14155550005", "+14155550005", YES_SAYER]


FILTERS: list[tuple[dict[str, Any], bool]] = [
    ({}, True),
    ({"phone_number": "+14155550018"}, True),
    ({"phone_number": "+1415%"}, True),
    ({"phone_number": "+1415555001_"}, True),
    ({"phone_number": "+1555%"}, False),
    ({"phone_number": "1415"}, False),
    ({"phone_number": ["+4930%", "+1415%"]}, True),
    ({"phone_number": []}, False),
    ({"answered_by": ["voicemail", "human"]}, True),
    ({"answered_by": ["voicemail", "ivr"]}, False),
    ({"campaign_id": None}, True),
    ({"call_summary": "spoke with%"}, True),
    ({"is_conversion": False}, True),
    ({"is_conversion": True}, False),
    ({"is_conversion": 0}, False),
    ({"status": "completed", "answered_by": "voicemail"}, False),
    ({"no_such_field": "x"}, False),
]


@covers("3.6 filters")
def test_filters_are_values_arrays_and_patterns(bench: Bench, receiver: Receiver) -> None:
    ids = [subscribe(bench, receiver, filters=filters) for filters, _ in FILTERS]
    place(bench, receiver, webhook_events=["call.queued"])
    bench.step(600)
    heard = {one["source"] for one in told(bench)} & set(ids)
    wanted = [filters for filters, fits in FILTERS if fits]
    assert [filters for (filters, _), id in zip(FILTERS, ids, strict=True) if id in heard] == wanted


LETTERS = st.text(st.sampled_from("aAbBéÉſKß%_.*\\\n[ ☎"), max_size=12)


@covers("3.6 filters")
@given(value=LETTERS, pattern=LETTERS, mark=st.sampled_from("%_"), at=st.integers(0, 12))
def test_a_pattern_fits_what_sqlite_says_that_it_does(value: str, pattern: str, mark: str, at: int) -> None:
    pattern = pattern[:at] + mark + pattern[at:]
    about = events.Target("call", "", ["e"], {"words": pattern})
    with closing(sqlite3.connect(":memory:")) as line:
        (says,) = line.execute("SELECT ? LIKE ?", (value, pattern)).fetchone()
    assert about.wants("e", {"words": value}, ()) is bool(says)


@pytest.mark.timeout(20)
@pytest.mark.parametrize("pattern", ["%e" * 40 + "%#", "%_" * 40 + "#", "%" * 40 + "#", "_%" * 40 + "#"])
def test_a_pattern_that_nearly_fits_is_soon_found_not_to(pattern: str) -> None:
    about = events.Target("call", "", ["e"], {"words": pattern})
    assert not about.wants("e", {"words": "e" * 5000}, ())
    assert about.wants("e", {"words": "e" * 5000 + "#"}, ())


@covers("3.6 is_conversion", "3.2.2 conversions")
def test_is_conversion_is_about_the_campaigns_outcomes(bench: Bench, receiver: Receiver) -> None:
    subscribe(bench, receiver, filters={"is_conversion": True})
    asked = {"task": "Confirm the appointment of {{name}} on Friday.", "conversion_outcomes": ["confirmed"]}
    campaign_id = campaign(bench, receiver, YES_SAYER, "+14155550020", **asked)
    place(bench, receiver, task=asked["task"])  # confirmed too, and of no campaign
    later(bench, 600)
    (one,) = receiver.took("/subscription")
    assert (one.said["phone_number"], one.said["disposition"]) == (YES_SAYER, "confirmed")
    assert bench.get(f"/v1/campaigns/{campaign_id}")["stats"]["conversions"] == 1


def test_a_subscription_hears_of_calls_that_are_under_way_and_of_none_before(
    bench: Bench, receiver: Receiver
) -> None:
    bench.place(HUMAN)
    bench.step(600)
    under_way = bench.place(YES_SAYER)
    bench.step(10)
    subscribe(bench, receiver)
    later(bench, 600)
    assert [one.said["call_id"] for one in receiver.took("/subscription")] == [under_way]


def test_a_deleted_subscription_sends_no_more(bench: Bench, receiver: Receiver) -> None:
    subscription = subscribe(bench, receiver)
    receiver.status = 500
    bench.place(YES_SAYER)
    assert later(bench, 600) == 1  # to be tried again in a minute
    bench.place(YES_SAYER)
    bench.step(10)
    assert bench.http.delete(f"/v1/webhooks/{subscription}").status_code == 204
    receiver.took()
    bench.place(YES_SAYER)
    for _ in range(4):
        later(bench, 3600)
    assert receiver.got == []
    assert [(row["status"], len(row["attempts"])) for row in told(bench)] == [("failed", 1)]


# How it is delivered


@covers("A120", "A123", "5.3 signature")
def test_a_signature_is_over_the_raw_bytes(bench: Bench, receiver: Receiver) -> None:
    asked = {"webhook_events": ["call.queued"], "request_data": {"näme": "Zoë ☎"}}
    place(bench, receiver, **asked)
    send(bench)
    (plain,) = receiver.took()
    assert "x-topcalls-signature" not in plain.headers
    assert bench.http.post("/sandbox/webhooks", json={"secret": "s3cret ☎"}).status_code == 204
    place(bench, receiver, webhook_events=["call.completed"], request_data={"näme": "Zoë ☎"})
    later(bench, 600)
    (signed,) = receiver.took()
    digest = hmac.new("s3cret ☎".encode(), signed.body, hashlib.sha256).hexdigest()
    assert signed.headers["x-topcalls-signature"] == f"sha256={digest}"
    assert "Zoë ☎".encode() in signed.body
    assert signed.headers["x-topcalls-event"] == signed.said["event"] == "call.completed"
    assert uuid.UUID(signed.headers["x-topcalls-delivery"])
    assert bench.http.post("/sandbox/webhooks", json={"secret": None}).status_code == 204
    place(bench, receiver, webhook_events=["call.queued"])
    send(bench)
    assert "x-topcalls-signature" not in receiver.took()[0].headers


@covers("5.3 attempts", "A118", "A120")
def test_what_is_not_taken_is_tried_after_1_5_15_and_60_minutes_and_then_failed(
    bench: Bench, receiver: Receiver
) -> None:
    receiver.status = 500
    call_id = place(bench, receiver, STUCK, webhook_events=["call.queued"])
    assert send(bench) == 1
    for minutes in (1, 5, 15, 60):
        assert later(bench, minutes * MINUTE - 0.001) == 0
        assert later(bench, 0.001) == 1
    assert later(bench, 7 * 86_400) == 0
    assert len({(one.headers["x-topcalls-delivery"], one.body) for one in receiver.got}) == 1
    assert len(receiver.got) == 5
    (row,) = told(bench)
    assert (row["status"], row["due_at"]) == ("failed", None)
    assert [one["status"] for one in row["attempts"]] == [500] * 5
    assert bench.call(call_id)["id"] == call_id


@covers("A118")
def test_waits_count_from_the_attempt_before_however_late_it_was(bench: Bench, receiver: Receiver) -> None:
    receiver.status = 503
    place(bench, receiver, STUCK, webhook_events=["call.queued"])
    assert later(bench, 3600) == 1
    assert later(bench, 59) == 0
    assert later(bench, 1000) == 1
    assert later(bench, 299) == 0
    assert later(bench, 1) == 1


@covers("A117")
@pytest.mark.parametrize(
    ("status", "outcome"),
    [(200, "delivered"), (201, "delivered"), (202, "delivered"), (204, "delivered"), (299, "delivered"),
     (302, "pending"), (400, "pending"), (404, "pending"), (410, "pending"), (500, "pending")],
)  # fmt: skip
def test_only_2xx_is_delivered(bench: Bench, receiver: Receiver, status: int, outcome: str) -> None:
    receiver.status = status
    place(bench, receiver, STUCK, webhook_events=["call.queued"])
    assert send(bench) == 1
    (row,) = told(bench)
    assert row["status"] == outcome
    assert (row["due_at"] is None) is (outcome == "delivered")
    assert later(bench, MINUTE) == (0 if outcome == "delivered" else 1)


@covers("A117")
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(bench: Bench, receiver: Receiver, status: int) -> None:
    receiver.status = status
    receiver.headers = {"location": f"{receiver.url}/elsewhere"}
    place(bench, receiver, STUCK, webhook_events=["call.queued"])
    send(bench)
    assert [one.path for one in receiver.took()] == ["/call"]


@covers("5.3 repeated")
def test_what_was_taken_but_not_answered_comes_again(bench: Bench, receiver: Receiver) -> None:
    receiver.statuses = [0]
    place(bench, receiver, STUCK, webhook_events=["call.queued"])
    send(bench)
    (row,) = told(bench)
    assert (row["status"], row["attempts"][0]["status"]) == ("pending", None)
    assert row["attempts"][0]["error"].startswith("not reached")
    later(bench, MINUTE)
    first, again = receiver.took()
    assert first.headers["x-topcalls-delivery"] == again.headers["x-topcalls-delivery"]
    assert first.body == again.body


@covers("A119")
def test_a_later_event_may_come_before_one_that_is_tried_again(bench: Bench, receiver: Receiver) -> None:
    receiver.statuses = [500]
    call_id = place(bench, receiver, webhook_events=["call.started", "call.completed"])
    while bench.call(call_id)["started_at"] is None:
        bench.step(1)
    send(bench)
    while not bench.call(call_id)["completed"]:
        bench.step(1)
    send(bench)
    later(bench, MINUTE)
    order = [(one.event, one.said["status"]) for one in receiver.took()]
    started, completed = ("call.started", "in_progress"), ("call.completed", "completed")
    assert order[0] == started
    assert sorted(order[1:]) == [completed, started]


@covers("A117")
def test_an_answer_that_takes_too_long_is_none(
    bench: Bench, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert deliveries.TIMEOUT == 10
    assert deliveries.TIMEOUT * 1000 < deliveries.LEASE / 2  # nobody else sends what is being sent
    monkeypatch.setattr(deliveries, "TIMEOUT", 0.05)
    waits = threading.Event()
    receiver.meanwhile = waits.wait
    place(bench, receiver, STUCK, webhook_events=["call.queued"])
    with closing(open_sandbox(bench.sandbox.path, real=bench.hand)) as other:
        other.courier.send_due()
    waits.set()
    (row,) = told(bench)
    assert (row["status"], row["attempts"][0]["error"]) == ("pending", "no answer within 0.05 seconds")


@covers("A117")
def test_an_answer_counts_before_its_body_is_there(bench: Bench, receiver: Receiver) -> None:
    waits = threading.Event()
    receiver.afterwards = waits.wait
    place(bench, receiver, STUCK, webhook_events=["call.queued"])
    assert send(bench) == 1
    waits.set()
    assert [row["status"] for row in told(bench)] == ["delivered"]


@covers("A117")
def test_an_answer_that_drips_is_none(
    bench: Bench, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliveries, "TIMEOUT", 0.3)
    over = threading.Event()

    def drip(ear: BaseHTTPRequestHandler) -> None:
        ear.wfile.write(b"HTTP/1.0 200 OK\r\nx-slow: ")
        for _ in range(100):
            if over.wait(0.03):  # the pace of the receiver; each byte comes well before the deadline
                return
            ear.wfile.write(b".")
        ear.wfile.write(b"\r\n\r\n")

    receiver.instead = drip
    place(bench, receiver, STUCK, webhook_events=["call.queued"])
    send(bench)
    over.set()
    (row,) = told(bench)
    assert (row["status"], row["attempts"][0]["error"]) == ("pending", "no answer within 0.3 seconds")


class Gate:
    """Where what comes to a receiver waits until it is let in, each path by itself."""

    def __init__(self) -> None:
        self.came: queue.Queue[str] = queue.Queue()
        self.open: dict[str, threading.Semaphore] = defaultdict(lambda: threading.Semaphore(0))

    def enter(self, path: str) -> None:
        self.came.put(path)
        assert self.open[path].acquire(timeout=10)


@contextmanager
def sending(bench: Bench) -> Iterator[threading.Thread]:
    """Everything that is due is being sent meanwhile."""
    thread = threading.Thread(target=bench.sandbox.courier.send_due)
    thread.start()
    yield thread
    thread.join(10)
    assert not thread.is_alive()


def test_a_receiver_that_does_not_answer_holds_up_nobody_else(bench: Bench, receiver: Receiver) -> None:
    gate = Gate()
    receiver.enter = gate.enter
    hook = {"webhook_events": ["call.queued"]}
    bench.place(STUCK, webhook_url=f"{receiver.url}/slow", **hook)
    with sending(bench) as first:
        assert gate.came.get(timeout=10) == "/slow"
        bench.step(1)
        bench.place(STUCK, webhook_url=f"{receiver.url}/later", **hook)
        with sending(bench):
            assert gate.came.get(timeout=10) == "/later"
            gate.open["/slow"].release()
            first.join(10)
            assert not first.is_alive()  # what became due after it was asked is not its business
            gate.open["/later"].release()


def test_who_is_sent_least_comes_first(
    bench: Bench, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliveries, "AT_ONCE", 2)
    gate = Gate()
    receiver.enter = gate.enter
    hook = {"webhook_events": ["call.queued"]}
    for _ in range(6):
        bench.place(STUCK, webhook_url=f"{receiver.url}/slow", **hook)
    bench.step(1)
    other = receiver.url.replace("127.0.0.1", "localhost")
    with sending(bench):
        slow = [gate.came.get(timeout=10) for _ in range(2)]
        bench.place(STUCK, webhook_url=f"{other}/quick", **hook)
        gate.open["/slow"].release()
        assert [*slow, gate.came.get(timeout=10)] == ["/slow", "/slow", "/quick"]
        gate.open["/quick"].release()
        gate.open["/slow"].release(5)


def test_a_call_is_told_of_in_order_and_of_one_thing_at_a_time(bench: Bench, receiver: Receiver) -> None:
    gate = Gate()
    receiver.enter = gate.enter
    place(bench, receiver, ENDLESS, webhook_events=["call.queued", "call.started"])
    bench.step(60)
    with sending(bench), closing(open_sandbox(bench.sandbox.path, real=bench.hand)) as other:
        assert gate.came.get(timeout=10) == "/call"
        other.courier.send_due()
        assert gate.came.empty()
        gate.open["/call"].release(2)
    assert receiver.events() == ["call.queued", "call.started"]


def test_what_is_pending_survives_a_restart(tmp_path: Path, receiver: Receiver) -> None:
    hand, path = Hand(), tmp_path / "sandbox.db"
    receiver.status = 500
    with closing(open_sandbox(path, real=hand, plans=())) as sandbox, serve_in_background(sandbox) as served:
        sandbox.courier.close()
        first = Bench(sandbox, served.url, hand)
        place(first, receiver, STUCK, webhook_events=["call.queued"])
        assert send(first) == 1
    receiver.status = 200
    with closing(open_sandbox(path, real=hand)) as sandbox:
        assert sandbox.courier.send_due() == 0
        hand.pass_(MINUTE)
        assert sandbox.courier.send_due() == 1
        assert sandbox.courier.send_due() == 0
    before, after = receiver.took()
    assert before.headers["x-topcalls-delivery"] == after.headers["x-topcalls-delivery"]


def test_processes_that_share_a_file_send_each_delivery_once(bench: Bench, receiver: Receiver) -> None:
    for _ in range(20):
        place(bench, receiver, STUCK, webhook_events=["call.queued"])
    bench.step(1)
    here, done = threading.Barrier(deliveries.AT_ONCE + 1), threading.Event()

    def hold() -> None:
        here.wait(10)
        assert done.wait(10)

    receiver.meanwhile = hold  # the first are still with the receiver while the other looks for work
    first = threading.Thread(target=bench.sandbox.courier.send_due)
    first.start()
    here.wait(10)
    receiver.meanwhile = lambda: None
    with closing(open_sandbox(bench.sandbox.path, real=bench.hand)) as other:
        assert other.courier.send_due() >= 20 - deliveries.AT_ONCE
    done.set()
    first.join()
    got = receiver.took()
    assert len(got) == len({one.headers["x-topcalls-delivery"] for one in got}) == 20
    assert {row["status"] for row in told(bench)} == {"delivered"}
    assert [len(row["attempts"]) for row in told(bench)] == [1] * 20


@pytest.mark.parametrize(
    "url",
    ["https://example.com/hook", "https://10.0.0.7/hook", "https://127.0.0.1.example.com/"],
)
def test_what_would_leave_this_machine_is_kept_and_not_sent(bench: Bench, url: str) -> None:
    bench.place(STUCK, webhook_url=url, webhook_events=["call.queued"])
    send(bench)
    (row,) = told(bench)
    assert (row["status"], row["due_at"], row["attempts"]) == ("blocked", None, [])
    assert row["body"]["event"] == "call.queued"
    assert "127.0.0.1, [::1] or localhost" in row["note"]
    assert bench.get("/sandbox/overview")["deliveries"] == [row]
    assert later(bench, 86_400) == 0


def test_a_host_that_the_owner_allows_is_sent_to(bench: Bench, receiver: Receiver) -> None:
    """127.1 leads here, and is neither an address in full nor a plain name: only its owner lets it through."""
    url = f"{receiver.url.replace('http://127.0.0.1', 'https://127.1')}/"
    bench.place(STUCK, webhook_url=url, webhook_events=["call.queued"])
    with closing(open_sandbox(bench.sandbox.path, real=bench.hand, webhook_hosts=["127.1"])) as other:
        other.courier.send_due()
    (row,) = told(bench)  # tried, though the receiver speaks no TLS
    assert (row["status"], row["attempts"][0]["error"]) == ("pending", "not reached: ConnectError")
    bench.place(STUCK, webhook_url=url, webhook_events=["call.queued"])
    later(bench, 1)  # the file keeps whom its owner allowed, for all who send
    assert {row["status"] for row in told(bench)} == {"pending"}


def test_a_receiver_may_stop_the_call_that_it_is_told_of(bench: Bench, receiver: Receiver) -> None:
    call_id = place(bench, receiver, ENDLESS, webhook_events=["call.started", "call.completed"])

    def stop() -> None:
        reply = httpx.post(
            f"{bench.url}/v1/calls/{call_id}/stop", headers={"Authorization": f"Bearer {bench.key}"}
        )
        assert reply.status_code == 200

    receiver.meanwhile = stop
    assert later(bench, 60) == 1
    receiver.meanwhile = lambda: None
    later(bench, 3600)
    assert receiver.events() == ["call.started"]
    assert [row["status"] for row in told(bench)] == ["delivered"]
    assert bench.call(call_id)["status"] == "cancelled"


def test_address_and_events_stand_in_the_metadata(calm: Bench) -> None:
    reply = calm.http.post(
        "/v1/calls", json={"phone_number": STUCK, "task": TASK, "webhook_url": "https://example.com/x"}
    )
    kept = calm.call(reply.json()["call_id"])["metadata"]
    assert (kept["webhook_url"], kept["webhook_events"]) == (
        "https://example.com/x",
        ["call.completed", "call.failed"],
    )
