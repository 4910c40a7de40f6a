"""What the sandbox refuses, repeats and lists: the rules of the API beside the life of a call."""

from __future__ import annotations

import json
import re
import threading
import uuid
from typing import Any

import httpx
import pytest

from topcalls_tools.api import CATALOG

from .contract import covers
from .test_sandbox import HUMAN, TASK, Bench, bench, calm, furnished

__all__ = ["bench", "calm", "furnished"]
NOWHERE = str(uuid.UUID(int=7))
CALL = {"phone_number": HUMAN, "task": TASK}
CARRIER = {"carrier_name": "Mine", "sip_gateway": {"ipv4": "203.0.113.10", "inbound": True}}


def slug(reply: httpx.Response) -> str:
    assert reply.headers["content-type"] == "application/problem+json"
    problem = reply.json()
    assert problem["status"] == reply.status_code
    assert uuid.UUID(problem["instance"])
    return str(problem["type"]).removeprefix("https://api.topcalls.ai/errors/")


def paths(reply: httpx.Response) -> list[str]:
    assert reply.status_code == 400, reply.text
    return [one["path"] for one in reply.json()["errors"]]


@covers("A17", "1.4 kept")
def test_one_key_is_one_call(bench: Bench) -> None:
    header = {"Idempotency-Key": "one-yes-one-call"}
    first = bench.http.post("/v1/calls", json=CALL, headers=header)
    bench.step(3600)
    again = bench.http.post("/v1/calls", json=CALL, headers=header)
    assert (first.status_code, again.status_code) == (201, 201)
    assert (first.json(), again.headers["Idempotent-Replayed"]) == (again.json(), "true")
    assert "Idempotent-Replayed" not in first.headers
    rang = bench.get("/sandbox/rings")["data"]
    assert [(ring["call_id"], ring["key"]) for ring in rang] == [
        (first.json()["call_id"], "one-yes-one-call")
    ]
    bench.step(24 * 3600)
    late = bench.http.post("/v1/calls", json=CALL, headers=header)
    assert late.json()["call_id"] != first.json()["call_id"]


@covers("A16")
def test_requests_that_come_at_once_under_one_key_ring_once(bench: Bench) -> None:
    replies: list[httpx.Response] = []

    def send() -> None:
        with bench.client(bench.key) as http:
            replies.append(http.post("/v1/calls", json=CALL, headers={"Idempotency-Key": "at-the-same-time"}))

    threads = [threading.Thread(target=send) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [reply.status_code for reply in replies] == [201] * 6
    assert len({reply.json()["call_id"] for reply in replies}) == 1
    assert sum("Idempotent-Replayed" in reply.headers for reply in replies) == 5
    bench.step(60)
    assert len(bench.get("/sandbox/rings")["data"]) == 1


@covers("A15", "1.4 per account")
def test_a_key_belongs_to_one_request(bench: Bench) -> None:
    header = {"Idempotency-Key": "for-one-request"}
    call_id = bench.http.post("/v1/calls", json=CALL, headers=header).json()["call_id"]
    other = bench.http.post("/v1/calls", json={**CALL, "max_duration": 5}, headers=header)
    assert (other.status_code, slug(other)) == (400, "idempotency_key_reuse")
    assert slug(bench.http.post(f"/v1/calls/{call_id}/stop", headers=header)) == "idempotency_key_reuse"
    assert len(bench.get("/v1/calls")["data"]) == 1
    with bench.client(bench.sandbox.add_account()) as stranger:
        assert stranger.post("/v1/calls", json=CALL, headers=header).status_code == 201


@covers("A14")
def test_only_good_replies_are_kept(bench: Bench) -> None:
    header = {"Idempotency-Key": "refused-at-first"}
    body = {"number": "+14155550177", "voip_carrier_sid": NOWHERE}
    assert bench.http.post("/v1/phone-numbers", json=body, headers=header).status_code == 400
    good = bench.http.post("/v1/phone-numbers", json={"number": "+14155550177"}, headers=header)
    assert (good.status_code, "Idempotent-Replayed" in good.headers) == (201, False)


@covers("A13", "1.4 key form", "1.4 where not")
@pytest.mark.parametrize(
    "bad", ["short", "with space in it", "ümlauts-are-out", "x" * 256, "", "dots.are.out"]
)
def test_a_malformed_key_is_refused_where_keys_are_read(calm: Bench, bad: str) -> None:
    header = {"Idempotency-Key": bad.encode("latin-1")}
    assert paths(calm.http.post("/v1/calls", json=CALL, headers=header)) == ["Idempotency-Key"]
    assert calm.http.get("/v1/calls", headers=header).status_code == 200


@covers("1.4 where", "1.4 where not")
@pytest.mark.parametrize("endpoint", CATALOG, ids=lambda endpoint: endpoint.tool)
def test_the_header_is_read_where_it_is_documented_and_nowhere_else(calm: Bench, endpoint: Any) -> None:
    documented = {
        "POST /v1/calls", "POST /v1/calls/{call_id}/stop", "POST /v1/calls/{call_id}/cancel",
        "POST /v1/campaigns/{campaign_id}/start", "POST /v1/campaigns/{campaign_id}/pause", "POST /v1/phone-numbers",
        "POST /v1/phone-numbers/carriers", "POST /v1/webhooks",
    }  # fmt: skip
    path = re.sub(r"\{\w+\}", NOWHERE, endpoint.path)
    reply = calm.http.request(endpoint.method, path, headers={"Idempotency-Key": "bad"})
    refused = reply.status_code == 400 and "Idempotency-Key" in paths(reply)
    assert refused is (f"{endpoint.method} {endpoint.path}" in documented)


@covers("A2", "A28", "A30", "A33", "1.1 problem", "1.7 fields", "1.7 errors", "1.1 ids")
def test_a_problem_has_every_field_and_an_id_of_its_own(furnished: Bench) -> None:
    done = furnished.get("/v1/campaigns?status=completed")["data"][0]["id"]
    with (
        furnished.client("tc_test_nobody") as nobody,
        furnished.client(furnished.sandbox.add_key([])) as nothing,
    ):
        found = [
            nobody.get("/v1/calls"),
            nothing.get("/v1/calls"),
            furnished.http.get("/v1/unknown"),
            furnished.http.get("/v1/calls?limit=0"),
            furnished.http.post(f"/v1/campaigns/{done}/start"),
        ]
    with furnished.client(furnished.sandbox.add_account(0, 0, plans=())) as poor:
        found.append(poor.post("/v1/calls", json=CALL))
    assert [(reply.status_code, slug(reply), reply.json()["title"]) for reply in found] == [
        (401, "unauthorized", "Unauthorized"),
        (403, "forbidden", "Forbidden"),
        (404, "not_found", "Not Found"),
        (400, "validation_error", "Invalid request body"),
        (400, "invalid_state", "Invalid State"),
        (402, "insufficient_quota", "Insufficient Quota"),
    ]
    for reply in found:
        problem = reply.json()
        assert problem.keys() == {"type", "title", "status", "detail", "instance", "errors"}
        assert all(one.keys() == {"path", "message", "code"} for one in problem["errors"])
    assert len({reply.json()["instance"] for reply in found}) == len(found)


@covers("2.2 earlier")
@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/v1/campaigns"), ("POST", f"/v1/campaigns/{NOWHERE}/resume"), ("DELETE", f"/v1/calls/{NOWHERE}"),
     ("POST", "/v1/knowledge"), ("PATCH", f"/v1/calls/{NOWHERE}"), ("GET", "/v2/calls"), ("GET", "/calls"),
     ("GET", "/v1/CALLS")],
)  # fmt: skip
def test_what_is_not_in_the_present_documentation_is_404(calm: Bench, method: str, path: str) -> None:
    reply = calm.http.request(method, path, json={} if method in ("POST", "PATCH") else None)
    assert (reply.status_code, slug(reply)) == (404, "not_found")


@covers("1.5 calls", "A19")
@pytest.mark.parametrize("path", ["/v1/calls", "/v1/campaigns", "/v1/phone-numbers"])
def test_a_page_has_fifty_rows_unless_another_number_is_asked_for(bench: Bench, path: str) -> None:
    for number in range(53):
        if path == "/v1/calls":
            bench.place("+14155550009", max_duration=1)
        elif path == "/v1/campaigns":
            bench.http.post("/sandbox/campaigns", json={"name": f"Fair {number}", "task": TASK})
        else:
            bench.http.post("/v1/phone-numbers", json={"number": f"+141555501{number + 10}"})
    first = bench.get(path)
    assert (first.keys(), len(first["data"])) == ({"data", "next_cursor"}, 50)
    assert first["next_cursor"] == first["data"][-1]["created_at"]
    rest = bench.get(f"{path}?cursor={first['next_cursor']}")
    assert (len(rest["data"]) >= 3, rest["next_cursor"]) == (True, None)
    assert not {one["id"] for one in first["data"]} & {one["id"] for one in rest["data"]}
    assert len(bench.get(f"{path}?limit=200")["data"]) == 50 + len(rest["data"])


@covers("A6", "1.2 refused", "1.7 401")
def test_keys_that_are_not_ours_are_refused(calm: Bench) -> None:
    for header in (
        {},
        {"Authorization": "Basic abc"},
        {"Authorization": "Bearer tc_test_unknown"},
        {"Authorization": "Bearer"},
    ):
        reply = httpx.get(f"{calm.url}/v1/calls", headers=header)
        assert (reply.status_code, slug(reply)) == (401, "unauthorized")
    live = httpx.get(f"{calm.url}/v1/calls", headers={"Authorization": "Bearer tc_live_mistake"})
    assert live.status_code == 401
    assert "tc_live_" in live.json()["detail"]
    assert "mistake" not in live.text


@covers("A10", "A11", "1.3 scopes", "1.7 403")
def test_a_scope_allows_only_itself(bench: Bench) -> None:
    with bench.client(bench.sandbox.add_key(["calls:write"])) as writer:
        assert slug(writer.get("/v1/calls")) == "forbidden"
        assert writer.get("/v1/balance").status_code == 403
        assert writer.post("/v1/calls", json=CALL).status_code == 201
        assert writer.post(f"/v1/campaigns/{NOWHERE}/pause").status_code == 403
        assert [
            writer.get(path).status_code for path in ("/v1/models", "/v1/voices", "/v1/voices/builtin")
        ] == [200] * 3


@covers("A4", "A37", "A44", "1.7 404")
def test_checks_come_in_the_documented_order(bench: Bench) -> None:
    header = {"Idempotency-Key": "bad"}
    with bench.client("tc_test_nobody") as nobody, bench.client(bench.sandbox.add_key([])) as nothing:
        assert nobody.get("/v1/unknown").status_code == 401
        assert nothing.get("/v1/unknown").status_code == 404
        assert nothing.put("/v1/calls").status_code == 404
        assert nothing.delete("/v1/phone-numbers/carriers").status_code == 404
        assert nothing.post(f"/v1/calls/{NOWHERE}/stop", headers=header).status_code == 403
        assert nothing.get("/v1/calls/no-uuid").status_code == 403
    assert bench.http.post(f"/v1/calls/{NOWHERE}/stop", headers=header).status_code == 400
    assert bench.http.get("/v1/calls/no-uuid").status_code == 400
    assert bench.http.get(f"/v1/calls/{NOWHERE}").status_code == 404
    with bench.client(bench.sandbox.add_account(allocated=0, bonus=0)) as poor:
        assert poor.post("/v1/calls", json={**CALL, "from_number": "+14155550199"}).status_code == 400
        assert poor.post("/v1/calls", json=CALL).status_code == 402
        done = next(one for one in poor.get("/v1/campaigns").json()["data"] if one["status"] == "completed")
        assert poor.post(f"/v1/campaigns/{done['id']}/start").status_code == 400


@covers("A29", "A57", "A58", "A59", "1.7 400", "1.7 errors", "1.7 number")
@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"phone_number": "555"}, "phone_number"),
        ({"phone_number": "+1 415 555 1234"}, "phone_number"),
        ({"phone_number": "+9991234567"}, "phone_number"),
        ({"phone_number": None}, "phone_number"),
        ({"task": "short"}, "task"),
        ({"instructions": "Be a very kind agent."}, "task"),
        ({"task": None}, "task"),
        ({"task": "lone surrogate \ud800 here"}, "task"),
        ({"from_number": "+14155550199"}, "from_number"),
        ({"first_sentence": ""}, "first_sentence"),
        ({"mode": "fast"}, "mode"),
        ({"voice": "rachel"}, "voice"),
        ({"voice": "nobody"}, "voice"),
        ({"mode": "legacy", "voice": "alloy"}, "voice"),
        ({"model": "gpt-4o"}, "model"),
        ({"temperature": 3}, "temperature"),
        ({"max_duration": 61}, "max_duration"),
        ({"background_audio": "jungle"}, "background_audio"),
        ({"webhook_url": "http://example.com"}, "webhook_url"),
        ({"webhook_events": ["call.invented"]}, "webhook_events.0"),
    ],
)
def test_a_wrong_field_is_named(calm: Bench, change: dict[str, Any], path: str) -> None:
    reply = calm.http.post("/v1/calls", content=json.dumps({**CALL, **change}))
    assert paths(reply) == [path]
    assert slug(reply) == "validation_error"
    assert reply.json()["title"] == "Invalid request body"
    if path == "phone_number":
        assert reply.json()["detail"] == "Phone number must be in E.164 format"


@covers("1.1 JSON")
@pytest.mark.parametrize(
    "content",
    [b"[]", b"{", b'"text"', b"\xff\xfe", b'{"task": NaN}', b"[" * 5000, b'{"a":' * 900 + b"1" + b"}" * 900, b" " * 1_100_000 + b"{}"],
)  # fmt: skip
def test_a_body_that_is_no_object_is_refused(calm: Bench, content: bytes) -> None:
    assert calm.http.post("/v1/calls", content=content).status_code == 400


@covers("A5", "A62", "3.1.3 metadata")
def test_unknown_names_are_ignored_and_metadata_is_what_was_accepted(bench: Bench) -> None:
    carrier = {**CARRIER, "colour": "red", "sip_gateway": {**CARRIER["sip_gateway"], "colour": "red"}}  # type: ignore[dict-item]
    assert bench.http.post("/v1/phone-numbers/carriers", json=carrier).status_code == 201
    call_id = bench.place(
        colour="red", mode="legacy", voice="21m00Tcm4TlvDq8ikWAM", request_data={"a": [1, None]}
    )
    assert bench.http.get("/v1/calls?colour=red").status_code == 200
    assert bench.call(call_id)["metadata"] == {
        "task": TASK, "from_number": "+18005551234", "mode": "legacy", "voice": "21m00Tcm4TlvDq8ikWAM",
        "model": "gpt-4o", "max_duration": 10, "background_audio": "none", "background_audio_gain": "medium",
        "knowledge_base_ids": [], "request_data": {"a": [1, None]}, "tools": [],
        "webhook_events": ["call.completed", "call.failed"],
    }  # fmt: skip


@covers("A21", "A23", "A61", "1.5 calls")
def test_pages_follow_the_cursor_and_lose_nothing(bench: Bench) -> None:
    placed = [bench.place("+14155550009") for _ in range(5)]
    found: list[str] = []
    query: dict[str, Any] = {"limit": 2}
    while True:
        page = bench.http.get("/v1/calls", params=query).json()
        assert len(page["data"]) <= 2
        found += [call["id"] for call in page["data"]]
        if page["next_cursor"] is None:
            break
        assert page["next_cursor"] == page["data"][-1]["created_at"]
        query["cursor"] = page["next_cursor"]
    assert found == placed[::-1]
    assert bench.get("/v1/calls?limit=5")["next_cursor"] is None
    for bad in (
        "limit=0",
        "limit=201",
        "limit=x",
        "limit=2.5",
        "cursor=yesterday",
        "status=cancelled",
        "campaign_id=x",
    ):
        assert paths(bench.http.get(f"/v1/calls?{bad}")) == [bad.partition("=")[0]]
    assert bench.get("/v1/calls?cursor=0001-01-01T00:00:00%2B23:59")["data"] == []


@covers("A71", "A72", "3.1.2 essential", "3.1.3 fields", "3.3.5 fields", "3.3.6 reply")
def test_replies_have_exactly_the_documented_fields(furnished: Bench) -> None:
    shared = {
        "id", "created_at", "phone_number", "from_phone_number", "status", "call_status", "duration", "started_at",
        "end_at", "campaign_id", "lead_id", "answered_by", "error_message", "recording_url", "transcript", "call_summary",
    }  # fmt: skip
    call = furnished.call(furnished.place())
    assert call.keys() == shared | {"account_id", "external_call_id", "completed", "metadata"}
    page = furnished.get("/v1/calls")
    assert page.keys() == {"data", "next_cursor"}
    assert page["data"][0].keys() == shared | {"disposition", "actual_duration_billed"}
    assert furnished.get("/v1/phone-numbers/carriers").keys() == {"data"}
    number = furnished.get("/v1/phone-numbers")["data"][0]
    assert number.keys() == {
        "id", "account_id", "number", "source", "status", "phone_number_sid", "voip_carrier_sid", "carrier_name",
        "label", "error_message", "created_by_user_id", "created_at", "updated_at",
    }  # fmt: skip
    campaign = furnished.get("/v1/campaigns")["data"][0]
    assert furnished.get(f"/v1/campaigns/{campaign['id']}").keys() == campaign.keys() | {"stats"}
    added = furnished.http.post("/v1/phone-numbers", json={"number": "+14155550177"}).json()
    assert added.keys() == number.keys() - {"error_message", "created_by_user_id", "updated_at"}


@covers("A7", "A34", "A42", "A43", "A58", "A93", "3.3.7 soft")
def test_numbers_come_and_go(bench: Bench) -> None:
    body = {"number": "+14155550177", "label": "New"}
    added = bench.http.post("/v1/phone-numbers", json=body)
    assert (added.status_code, added.json()["status"], added.json()["source"]) == (201, "active", "topcalls")
    path = f"/v1/phone-numbers/{added.json()['id']}"
    assert slug(bench.http.post("/v1/phone-numbers", json=body)) == "duplicate"
    bench.place(from_number="+14155550177")
    gone = bench.http.delete(path)
    assert (gone.status_code, gone.content) == (204, b"")
    assert bench.get(path)["status"] == "deleted"
    assert bench.http.delete(path).status_code == 404
    assert "+14155550177" not in [row["number"] for row in bench.get("/v1/phone-numbers")["data"]]
    assert paths(bench.http.post("/v1/calls", json={**CALL, "from_number": "+14155550177"})) == [
        "from_number"
    ]
    again = bench.http.post("/v1/phone-numbers", json=body)
    assert (again.status_code, again.json()["id"] != added.json()["id"]) == (201, True)
    for row in bench.get("/v1/phone-numbers")["data"]:
        assert bench.http.delete(f"/v1/phone-numbers/{row['id']}").status_code == 204
    assert paths(bench.http.post("/v1/calls", json=CALL)) == ["from_number"]
    with bench.client(bench.sandbox.add_account()) as stranger:
        assert stranger.get(path).status_code == 404


@covers(
    "A41",
    "A78",
    "A79",
    "A84",
    "A85",
    "A91",
    "A109",
    "3.3.1 two ids",
    "3.3.2 reply",
    "4.3 carrier",
    "4.3 number",
)
def test_a_carrier_of_ones_own_takes_numbers(bench: Bench) -> None:
    secret = {"username": "u", "password": "hunter2hunter2", "realm": "r"}
    asked = {**CARRIER, "trunk_type": "reg", "registration": secret}
    carrier = bench.http.post("/v1/phone-numbers/carriers", json=asked)
    assert carrier.status_code == 201
    assert carrier.json().keys() == {
        "id", "account_id", "voip_carrier_sid", "sip_gateway_sid", "carrier_name", "trunk_type", "created_at"
    }  # fmt: skip
    stored = b"".join(file.read_bytes() for file in bench.sandbox.path.parent.iterdir())
    assert b"hunter2" not in stored
    assert bench.http.post("/v1/phone-numbers/carriers", json=asked).status_code == 201
    body = {"number": "+14155550188", "voip_carrier_sid": carrier.json()["voip_carrier_sid"]}
    number = bench.http.post("/v1/phone-numbers", json=body).json()
    assert (number["source"], number["status"]) == ("byoc", "pending")
    assert [row["id"] for row in bench.get("/v1/phone-numbers?status=pending")["data"]] == [number["id"]]
    assert paths(bench.http.post("/v1/calls", json={**CALL, "from_number": "+14155550188"})) == [
        "from_number"
    ]
    bench.step(2)
    assert bench.get(f"/v1/phone-numbers/{number['id']}")["status"] == "active"
    bench.place(from_number="+14155550188")
    path = f"/v1/phone-numbers/carriers/{carrier.json()['id']}"
    used = bench.http.delete(path)
    assert (slug(used), paths(used)) == ("carrier_in_use", [number["id"]])
    assert bench.http.delete(f"/v1/phone-numbers/{number['id']}").status_code == 204
    assert bench.http.delete(path).status_code == 204
    assert bench.http.delete(path).status_code == 404
    default = next(row for row in bench.get("/v1/phone-numbers/carriers")["data"] if row["is_default"])
    assert (default["account_id"], default["trunk_type"]) == (None, None)
    assert bench.http.delete(f"/v1/phone-numbers/carriers/{default['id']}").status_code == 403


@covers("A80", "3.3.2 fields", "3.3.2 host name", "3.3.2 trunk types")
@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"carrier_name": ""}, "carrier_name"),
        ({"sip_gateway": {"ipv4": "sip.example.com", "inbound": True}}, "sip_gateway.ipv4"),
        ({"sip_gateway": {"ipv4": "203.0.113.10", "port": 0}}, "sip_gateway.port"),
        ({"sip_gateway": {"ipv4": "203.0.113.10", "outbound": False}}, "sip_gateway"),
        ({"trunk_type": "auth"}, "inbound_auth"),
        ({"trunk_type": "reg"}, "registration"),
    ],
)
def test_a_wrong_carrier_is_refused(calm: Bench, change: dict[str, Any], path: str) -> None:
    assert paths(calm.http.post("/v1/phone-numbers/carriers", json={**CARRIER, **change})) == [path]


@covers("A82")
def test_credentials_of_another_trunk_type_are_ignored(bench: Bench) -> None:
    superfluous = {**CARRIER, "inbound_auth": {"username": ""}, "registration": 5}
    assert bench.http.post("/v1/phone-numbers/carriers", json=superfluous).status_code == 201


@covers(
    "A40", "A73", "A75", "A76", "A129", "4.2 draft", "4.2 scheduled", "4.2 running", "4.2 paused", "4.2 ended"
)
def test_campaigns_start_and_pause_by_state(furnished: Bench) -> None:
    campaigns = furnished.get("/v1/campaigns")["data"]
    first: dict[str, dict[str, Any]] = {}
    for one in campaigns:
        assert [row["id"] for row in furnished.get(f"/v1/campaigns?status={one['status']}")["data"]].count(
            one["id"]
        ) == 1
        stats = furnished.get(f"/v1/campaigns/{one['id']}")["stats"]
        done = stats["calls_completed"] + stats["calls_failed"]
        assert stats["total_contacts"] == stats["pending_contacts"] + stats["calls_in_progress"] + done
        assert stats["connection_rate"] == (round(stats["calls_completed"] / done, 4) if done else 0)
        if stats["pending_contacts"] or one["status"] == "completed":
            first.setdefault(one["status"], one)
    allowed = {
        "draft": ("start",), "scheduled": ("start",), "running": ("pause",), "paused": ("start",),
        "completed": (), "cancelled": (),
    }  # fmt: skip
    assert first.keys() == allowed.keys()
    for status, deeds in allowed.items():
        path = f"/v1/campaigns/{first[status]['id']}"
        for deed in ("start", "pause"):
            if deed not in deeds:
                assert slug(furnished.http.post(f"{path}/{deed}")) == "invalid_state"
        for deed in deeds:
            assert furnished.http.post(f"{path}/{deed}").json() == {"ok": True}
            assert furnished.get(path)["status"] == ("running" if deed == "start" else "paused")
    empty = next(one for one in campaigns if one["name"] == "Empty list")
    assert furnished.http.post(f"/v1/campaigns/{empty['id']}/start").status_code == 400
    with furnished.client(furnished.sandbox.add_account(allocated=0, bonus=0)) as poor:
        paused = next(one for one in poor.get("/v1/campaigns").json()["data"] if one["status"] == "paused")
        assert slug(poor.post(f"/v1/campaigns/{paused['id']}/start")) == "insufficient_quota"
        assert poor.get(f"/v1/campaigns/{first['draft']['id']}").status_code == 404


@covers("4.2 scheduled", "3.2.2 schedule")
def test_a_scheduled_campaign_runs_when_its_time_has_come(furnished: Bench) -> None:
    """Contract 4.2: `scheduled` becomes `running` by itself."""
    first, second = furnished.get("/v1/campaigns?status=scheduled")["data"]
    furnished.step(7 * 86_400)
    assert furnished.get("/v1/campaigns?status=scheduled")["data"] == []
    for one in (first, second):
        now = furnished.get(f"/v1/campaigns/{one['id']}")
        assert (now["status"], now["started_at"]) == ("running", one["scheduled_at"])


@covers("A95", "2.1 router", "3.4 lists")
@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("", 19), ("mode=realtime", 8), ("mode=LEGACY&gender=Female", 6), ("language=en", 19), ("language=EN-us", 19),
        ("language=de", 0), ("provider=openai&mode=legacy", 0), ("mode=unheard", 0), ("gender=", 0),
    ],
)  # fmt: skip
def test_builtin_voices_are_filtered(calm: Bench, query: str, count: int) -> None:
    assert len(calm.get(f"/v1/voices/builtin?{query}")["data"]) == count


@covers("A20", "A94", "A96", "3.4 lists", "3.4.1 models")
def test_models_and_voices_are_listed_whole(calm: Bench) -> None:
    assert [one["id"] for one in calm.get("/v1/models?mode=legacy")["data"]] == ["gpt-4o", "gpt-5"]
    assert len(calm.get("/v1/models")["data"]) == 3
    assert calm.get("/v1/voices") == calm.get("/v1/voices/builtin")
