"""Numbers and carriers of the sandbox: what may be added, what is said of them, and how they go."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from .contract import covers
from .test_sandbox import Bench, bench, calm
from .test_sandbox_rules import CALL, CARRIER, NOWHERE, paths, slug

__all__ = ["bench", "calm"]
SOURCES = {"topcalls", "byoc", "manual", "import", "twilio"}
STATUSES = {"active", "inactive", "pending", "failed", "deleted"}
LOGIN = {"username": "u", "password": "hunter2hunter2"}


def add(bench: Bench, number: str = "+14155550177", **more: Any) -> dict[str, Any]:
    reply = bench.http.post("/v1/phone-numbers", json={"number": number, **more})
    assert reply.status_code == 201, reply.text
    found: dict[str, Any] = reply.json()
    return found


def carrier(bench: Bench, **more: Any) -> dict[str, Any]:
    reply = bench.http.post("/v1/phone-numbers/carriers", json={**CARRIER, **more})
    assert reply.status_code == 201, reply.text
    found: dict[str, Any] = reply.json()
    return found


@covers("3.3.6 fields", "3.3.6 carrier", "3.3.6 reply", "3.3.5 source", "3.3.5 status", "A88", "A91", "A38")
def test_a_number_goes_to_the_default_carrier_unless_one_is_named(bench: Bench) -> None:
    added = add(bench, label="x" * 100)
    system = next(one for one in bench.get("/v1/phone-numbers/carriers")["data"] if one["is_default"])
    assert {name: added[name] for name in ("voip_carrier_sid", "carrier_name", "source", "status", "label")} == {
        "voip_carrier_sid": system["voip_carrier_sid"], "carrier_name": "TopCalls", "source": "topcalls",
        "status": "active", "label": "x" * 100,
    }  # fmt: skip
    own = carrier(bench)
    mine = add(bench, "+14155550178", voip_carrier_sid=own["voip_carrier_sid"])
    assert (mine["source"], mine["status"], mine["carrier_name"]) == ("byoc", "pending", "Mine")
    for row in bench.get("/v1/phone-numbers")["data"]:
        seen = bench.get(f"/v1/phone-numbers/{row['id']}")
        assert seen == row
        assert (seen["source"] in SOURCES, seen["status"] in STATUSES) == (True, True)
        assert (seen["error_message"], seen["created_by_user_id"]) == (None, None)
        assert all(
            uuid.UUID(seen[name]) for name in ("id", "account_id", "phone_number_sid", "voip_carrier_sid")
        )


@covers("3.3.6 fields", "A90")
@pytest.mark.parametrize(
    ("said", "path"),
    [
        ({"number": "4155550177"}, "number"),
        ({"number": "+1 415 555 0177"}, "number"),
        ({"number": "+999123456789"}, "number"),
        ({"number": None}, "number"),
        ({"label": "x" * 101}, "label"),
        ({"label": 7}, "label"),
        ({"voip_carrier_sid": NOWHERE}, "voip_carrier_sid"),
    ],
)
def test_a_wrong_number_is_refused_by_field(bench: Bench, said: dict[str, Any], path: str) -> None:
    body = {"number": "+14155550177", **said}
    reply = bench.http.post(
        "/v1/phone-numbers", json={name: value for name, value in body.items() if value is not None}
    )
    assert paths(reply) == [path]
    assert len(bench.get("/v1/phone-numbers")["data"]) == 2


@covers("3.3.1 two ids", "A90", "3.3.3 delete")
def test_the_two_ids_of_a_carrier_are_not_taken_for_each_other(bench: Bench) -> None:
    own = carrier(bench)
    assert own["id"] != own["voip_carrier_sid"]
    body = {"number": "+14155550177", "voip_carrier_sid": own["id"]}
    assert paths(bench.http.post("/v1/phone-numbers", json=body)) == ["voip_carrier_sid"]
    assert bench.http.delete(f"/v1/phone-numbers/carriers/{own['voip_carrier_sid']}").status_code == 404
    assert bench.http.delete(f"/v1/phone-numbers/carriers/{own['id']}").status_code == 204


@covers("A87", "A19")
def test_numbers_are_paged_like_calls_and_filtered_by_status(bench: Bench) -> None:
    for number in range(1, 4):
        add(bench, f"+1415555017{number}")
    gone = add(bench)
    assert bench.http.delete(f"/v1/phone-numbers/{gone['id']}").status_code == 204
    found, cursor = [], ""
    while True:
        page = bench.get(f"/v1/phone-numbers?limit=2{cursor}")
        found += [row["number"] for row in page["data"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert found[:3] == [f"+1415555017{number}" for number in (3, 2, 1)]
    assert len(found) == 5
    assert len(bench.get("/v1/phone-numbers?status=active")["data"]) == 5
    for status in ("inactive", "pending", "failed"):
        assert bench.get(f"/v1/phone-numbers?status={status}")["data"] == []
    for bad in ("status=gone", "status=deleted", "limit=0", "cursor=x"):
        assert paths(bench.http.get(f"/v1/phone-numbers?{bad}")) == [bad.partition("=")[0]]


@covers("A89")
def test_numbers_and_carriers_cost_no_minutes(bench: Bench) -> None:
    before = bench.get("/v1/balance")
    add(bench, voip_carrier_sid=carrier(bench)["voip_carrier_sid"])
    bench.step(86_400)
    assert bench.get("/v1/balance") == before


@covers("A110")
def test_no_request_switches_a_number_on_or_off(bench: Bench) -> None:
    number = add(bench)
    path = f"/v1/phone-numbers/{number['id']}"
    for method in ("PATCH", "PUT", "POST"):
        assert bench.http.request(method, path, json={"status": "inactive"}).status_code == 404
    assert bench.get(path)["status"] == "active"
    assert add(bench, "+14155550178", status="inactive")["status"] == "active"


@covers("A92", "3.3.7 soft")
def test_a_call_under_way_survives_the_deletion_of_its_number(bench: Bench) -> None:
    number = add(bench)
    call_id = bench.place(from_number="+14155550177")
    bench.step(12)
    assert bench.http.delete(f"/v1/phone-numbers/{number['id']}").status_code == 204
    assert bench.get(f"/v1/phone-numbers/{number['id']}")["status"] == "deleted"
    bench.step(600)
    assert bench.call(call_id)["status"] == "completed"
    assert paths(bench.http.post("/v1/calls", json={**CALL, "from_number": "+14155550177"})) == [
        "from_number"
    ]


@covers("3.3.2 fields", "A80", "A83", "A29")
@pytest.mark.parametrize(
    ("gateway", "path"),
    [
        ({"ipv4": "203.0.113.10"}, None),
        ({"ipv4": "sip.example.com"}, None),
        ({"ipv4": "10.0.0.7", "inbound": True}, None),
        ({"ipv4": "127.0.0.1", "inbound": True, "outbound": False}, None),
        ({"ipv4": "203.0.113.10", "port": 65535}, None),
        ({"ipv4": "203.0.113.10", "port": 65536}, "sip_gateway.port"),
        ({"ipv4": "203.0.113.10", "port": 0}, "sip_gateway.port"),
        ({"ipv4": "203.0.113.10", "outbound": False}, "sip_gateway"),
        ({"ipv4": "sip.example.com", "inbound": True}, "sip_gateway.ipv4"),
        ({"ipv4": ""}, "sip_gateway.ipv4"),
        ({}, "sip_gateway.ipv4"),
        (None, "sip_gateway"),
    ],
)
def test_a_gateway_is_taken_or_refused_by_its_field(bench: Bench, gateway: Any, path: str | None) -> None:
    body = {"carrier_name": "Mine", "sip_gateway": gateway}
    reply = bench.http.post("/v1/phone-numbers/carriers", json=body)
    if path is None:
        assert reply.status_code == 201
    else:
        assert paths(reply) == [path]


@covers("3.3.2 trunk types", "A81", "A79")
@pytest.mark.parametrize(
    ("trunk", "path"),
    [
        ({}, None),
        ({"trunk_type": "auth", "inbound_auth": LOGIN}, None),
        ({"trunk_type": "reg", "registration": {**LOGIN, "realm": "r"}}, None),
        ({"trunk_type": "auth"}, "inbound_auth"),
        ({"trunk_type": "auth", "inbound_auth": {**LOGIN, "password": ""}}, "inbound_auth.password"),
        ({"trunk_type": "auth", "inbound_auth": {**LOGIN, "username": "x" * 101}}, "inbound_auth.username"),
        ({"trunk_type": "reg"}, "registration"),
        ({"trunk_type": "reg", "registration": LOGIN}, "registration.realm"),
        ({"trunk_type": "isdn"}, "trunk_type"),
    ],
)
def test_a_trunk_needs_the_credentials_of_its_type(
    bench: Bench, trunk: dict[str, Any], path: str | None
) -> None:
    reply = bench.http.post("/v1/phone-numbers/carriers", json={**CARRIER, **trunk})
    assert "hunter2" not in reply.text
    if path is None:
        assert reply.json()["trunk_type"] == trunk.get("trunk_type", "static_ip")
    else:
        assert paths(reply) == [path]


@covers("A41", "A78", "A20", "3.3.2 fields", "4.3 carrier")
def test_carriers_are_listed_whole_the_systems_own_first(bench: Bench) -> None:
    made = [carrier(bench, carrier_name=name) for name in ("x", "y" * 100, "x")]
    page = bench.get("/v1/phone-numbers/carriers")
    assert page.keys() == {"data"}
    system, *own = page["data"]
    assert (system["carrier_name"], system["account_id"], system["sip_gateway_sid"], system["is_default"]) == (
        "TopCalls", None, None, True,
    )  # fmt: skip
    assert own == [{**one, "is_default": False} for one in made]
    assert "status" not in own[0]
    assert paths(
        bench.http.post("/v1/phone-numbers/carriers", json={**CARRIER, "carrier_name": "y" * 101})
    ) == ["carrier_name"]


@covers("A84", "A85", "A86", "1.7 403")
def test_what_is_in_use_stays_and_what_is_deleted_is_gone_at_once(bench: Bench) -> None:
    own = carrier(bench)
    numbers = [add(bench, f"+1415555017{n}", voip_carrier_sid=own["voip_carrier_sid"])["id"] for n in (1, 2)]
    path = f"/v1/phone-numbers/carriers/{own['id']}"
    refused = bench.http.delete(path)
    assert (slug(refused), sorted(paths(refused))) == ("carrier_in_use", sorted(numbers))
    for number in numbers:
        bench.http.delete(f"/v1/phone-numbers/{number}")
    assert bench.http.delete(path).status_code == 204
    assert len(bench.get("/v1/phone-numbers/carriers")["data"]) == 1
    body = {"number": "+14155550173", "voip_carrier_sid": own["voip_carrier_sid"]}
    assert paths(bench.http.post("/v1/phone-numbers", json=body)) == ["voip_carrier_sid"]
    system = bench.get("/v1/phone-numbers/carriers")["data"][0]
    assert slug(bench.http.delete(f"/v1/phone-numbers/carriers/{system['id']}")) == "forbidden"
