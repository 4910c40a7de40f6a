"""The sandbox beside the contract's literal exchanges, and under arbitrary input."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from topcalls_tools.api import CATALOG
from topcalls_tools.api.leads import CreateLead
from topcalls_tools.api.webhooks import CreateWebhook
from topcalls_tools.sandbox import open_sandbox, serve_in_background

from .contract import covers
from .test_mcp import JSON
from .test_witness import witness

HOLE = re.compile(r"\{(\w+)\}")


@pytest.fixture(scope="module")
def http(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    sandbox = open_sandbox(Path(tmp_path_factory.mktemp("world")) / "world.db")
    served = serve_in_background(sandbox)
    yield httpx.Client(
        base_url=served.url, headers={"Authorization": f"Bearer {sandbox.key()}"}, trust_env=False, timeout=30
    )
    served.close()


def fresh_ids(http: httpx.Client) -> dict[str, str]:
    """Objects of the sandbox in the state that each literal request needs."""
    call = {"phone_number": "+14155550008", "task": "Ask whether Tuesday is free."}
    lead, webhook = (witness(kind)["request"]["body"] for kind in (CreateLead, CreateWebhook))
    carriers = {"carrier_name": "Spare", "sip_gateway": {"ipv4": "203.0.113.10"}}
    statuses = {one["status"]: one["id"] for one in http.get("/v1/campaigns").json()["data"]}
    spare = http.get("/v1/phone-numbers?limit=200").json()["data"]
    for one in spare:
        if one["number"] == "+18005551234":
            http.delete(f"/v1/phone-numbers/{one['id']}")
    number = http.post("/v1/phone-numbers", json={"number": "+18005551234"}).json()
    return {
        "call_id": http.post("/v1/calls", json=call).json()["call_id"],
        "start_campaign": statuses.get("paused") or statuses["draft"],
        "pause_campaign": statuses["running"],
        "get_campaign": statuses["running"],
        "phone_number_id": number["id"],
        "carrier_id": http.post("/v1/phone-numbers/carriers", json=carriers).json()["id"],
        "lead_id": http.post("/v1/leads", json=lead).json()["id"],
        "webhook_id": http.post("/v1/webhooks", json=webhook).json()["id"],
    }


def shape(value: Any) -> Any:
    """The names and kinds of JSON, without its values; null fits every kind."""
    match value:
        case dict():
            return {name: shape(inner) for name, inner in value.items()}
        case list():
            return [shape(value[0])] if value else []
        case bool():
            return "truth"
        case int() | float():
            return "number"
        case None:
            return None
        case _:
            return "text"


def fits(literal: Any, ours: Any) -> bool:
    match literal, ours:
        case dict(), dict():
            return literal.keys() == ours.keys() and all(fits(literal[name], ours[name]) for name in literal)
        case list(), list():
            return not literal or not ours or fits(literal[0], ours[0])
        case _:
            return literal == ours or literal is None or ours is None


@covers(
    "1.1 version",
    "1.1 JSON",
    "2.1 endpoints",
    "2.2 leads",
    "2.2 webhooks",
    "3.1.1 reply",
    "A34",
    "A38",
    "1.7 200",
)
@pytest.mark.parametrize("endpoint", CATALOG, ids=lambda endpoint: endpoint.tool)
def test_a_literal_request_gets_a_reply_of_the_literal_shape(http: httpx.Client, endpoint: Any) -> None:
    literal, ids = witness(endpoint), fresh_ids(http)
    request = literal["request"]
    path = HOLE.sub(lambda hole: ids.get(endpoint.tool) or ids[hole[1]], endpoint.path)
    if endpoint.tool == "cancel_call":
        ids["call_id"] = http.post(
            "/v1/calls", json={"phone_number": "+14155550009", "task": "x" * 10}
        ).json()["call_id"]
        path = HOLE.sub(lambda hole: ids[hole[1]], endpoint.path)
    if endpoint.tool == "add_phone_number":
        http.delete(f"/v1/phone-numbers/{ids['phone_number_id']}")
        system = next(
            one for one in http.get("/v1/phone-numbers/carriers").json()["data"] if one["account_id"] is None
        )
        request["body"]["voip_carrier_sid"] = system["voip_carrier_sid"]
    if endpoint.tool == "create_lead":
        http.delete(f"/v1/leads/{ids['lead_id']}")
    if endpoint.tool in ("list_calls", "get_call"):
        placed = http.post(
            "/v1/calls",
            json={
                "phone_number": "+14155551234",
                "task": "Confirm the appointment.",
                "request_data": {"patient_name": "John Smith"},
            },
        )
        http.post("/sandbox/clock", json={"advance_seconds": 900})
        path = path.replace(ids["call_id"], placed.json()["call_id"])
    reply = http.request(request["method"], path, params=request["query"], json=request["body"])
    assert reply.status_code == literal["reply"]["status"], reply.text
    ours = reply.json() if reply.content else None
    theirs = literal["reply"]["body"]
    if endpoint.tool == "get_call":
        assert theirs.pop("metadata").keys() <= ours.pop("metadata").keys()
    assert fits(shape(theirs), shape(ours)), (theirs, ours)


NAMES = [
    "limit",
    "cursor",
    "status",
    "mode",
    "gender",
    "phone_number",
    "task",
    "max_duration",
    "sip_gateway",
    "number",
]


@pytest.mark.parametrize("endpoint", CATALOG, ids=lambda endpoint: endpoint.tool)
def test_arbitrary_input_is_answered_and_never_with_a_fault(http: httpx.Client, endpoint: Any) -> None:
    names = st.sampled_from([*NAMES, *endpoint.model_fields])

    @settings(max_examples=30, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(
        hole=st.text(min_size=1, max_size=12) | st.uuids().map(str),
        query=st.dictionaries(names, st.text(st.characters(codec="utf-8"), max_size=12), max_size=3),
        body=JSON | st.dictionaries(names, JSON, max_size=5) | st.binary(max_size=30),
        key=st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=12),
    )
    def throw(hole: str, query: dict[str, str], body: Any, key: str) -> None:
        from urllib.parse import quote

        path = HOLE.sub(lambda _: quote(hole.encode("utf-8", "replace"), safe=""), endpoint.path)
        try:
            content = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            return
        headers = {"Idempotency-Key": key} if key else {}
        reply = http.request(endpoint.method, path, params=query, content=content, headers=headers)
        assert reply.status_code < 500, (reply.text, path, query, content)
        if reply.status_code >= 400:
            problem = reply.json()
            assert reply.headers["content-type"] == "application/problem+json"
            assert problem["status"] == reply.status_code
            assert problem["type"].startswith("https://api.topcalls.ai/errors/")
        assert "Traceback" not in reply.text
        assert "tc_test_" not in reply.text

    throw()
