"""Rate limits, accounts and keys of the sandbox: who may come in, and how often."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from topcalls_tools.api import CATALOG
from topcalls_tools.sandbox import SandboxError, open_sandbox, serve_in_background
from topcalls_tools.sandbox.accounts import SCOPES
from topcalls_tools.sandbox.store import Busy
from topcalls_tools.sandbox.web.arrivals import Arrived

from .contract import covers
from .test_sandbox import Bench, Hand
from .test_sandbox_rules import CALL, NOWHERE, slug

REQUESTS, NEW_CALLS = 60, 10


@pytest.fixture(scope="module")
def limited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """A server with limits, for all tests of this file; each takes an account of its own."""
    hand = Hand()
    path = tmp_path_factory.mktemp("limited") / "sandbox.db"
    with (
        closing(open_sandbox(path, real=hand, limited=True, plans=())) as sandbox,
        serve_in_background(sandbox) as served,
    ):
        made = Bench(sandbox, served.url, hand)
        with made.http:
            yield made


@pytest.fixture
def desk(limited: Bench) -> Iterator[Bench]:
    """An account of one's own on it, at the beginning of a fresh minute."""
    limited.hand.pass_(61)
    made = Bench(limited.sandbox, limited.url, limited.hand, limited.sandbox.add_account(plans=()))
    with made.http:
        yield made


def statuses(http: httpx.Client, path: str, times: int) -> list[int]:
    return [http.get(path).status_code for _ in range(times)]


@covers("1.6 429", "A25", "A26")
def test_a_key_may_ask_sixty_times_a_minute(desk: Bench) -> None:
    assert statuses(desk.http, "/v1/models", 30) == [200] * 30
    desk.hand.pass_(20.5)
    assert statuses(desk.http, "/v1/balance", 30) == [200] * 30
    refused = desk.http.get("/v1/models")
    assert (refused.status_code, slug(refused), refused.json()["title"]) == (
        429,
        "rate_limited",
        "Too Many Requests",
    )
    assert refused.headers["Retry-After"] == "40"  # 39.5 in whole seconds
    with desk.client(desk.sandbox.add_account(plans=())) as stranger:
        assert stranger.get("/v1/models").status_code == 200
    desk.hand.pass_(39)
    assert desk.http.get("/v1/models").headers["Retry-After"] == "1"
    desk.hand.pass_(1)
    assert statuses(desk.http, "/v1/models", 31) == [200] * 30 + [429]


@covers("A25", "A26")
def test_who_waits_as_long_as_it_is_told_gets_in(desk: Bench) -> None:
    for _ in range(REQUESTS):
        desk.hand.pass_(0.7)
        assert desk.http.get("/v1/models").status_code == 200
    wait = int(desk.http.get("/v1/models").headers["Retry-After"])
    desk.hand.pass_(wait - 1)
    assert desk.http.get("/v1/models").status_code == 429
    desk.hand.pass_(1)
    assert desk.http.get("/v1/models").status_code == 200


@covers("1.6 calls a minute", "A25")
def test_an_account_may_place_ten_calls_a_minute_with_all_its_keys_together(desk: Bench) -> None:
    account = desk.sandbox.all_keys()[-1].account
    with desk.client(desk.sandbox.add_key(account=account)) as second:
        placed = [http.post("/v1/calls", json=CALL).status_code for http in (desk.http, second) * 5]
        assert placed == [201] * NEW_CALLS
        refused = second.post("/v1/calls", json=CALL)
        assert (refused.status_code, refused.headers["Retry-After"]) == (429, "60")
        assert len(second.get("/v1/calls").json()["data"]) == NEW_CALLS
        assert second.get("/v1/balance").status_code == 200
    with desk.client(desk.sandbox.add_account(plans=())) as stranger:
        assert stranger.post("/v1/calls", json=CALL).status_code == 201
    desk.hand.pass_(60)
    assert desk.http.post("/v1/calls", json=CALL).status_code == 201


def test_a_refused_request_does_not_count_and_does_nothing(desk: Bench) -> None:
    header = {"Idempotency-Key": "refused-for-a-while"}
    for _ in range(NEW_CALLS):
        desk.http.post("/v1/calls", json=CALL)
    for _ in range(20):
        assert desk.http.post("/v1/calls", json=CALL, headers=header).status_code == 429
    desk.hand.pass_(60)
    good = desk.http.post("/v1/calls", json=CALL, headers=header)
    assert (good.status_code, "Idempotent-Replayed" in good.headers) == (201, False)
    assert len(desk.get("/v1/calls")["data"]) == NEW_CALLS + 1


@covers("A37")
def test_limits_come_after_the_key_and_before_everything_else(desk: Bench) -> None:
    account = desk.sandbox.all_keys()[-1].account
    with desk.client(desk.sandbox.add_key([], account=account)) as nothing:
        bad = {"Idempotency-Key": "bad"}
        ways = [
            ("GET", "/v1/unknown", 404), ("PUT", "/v1/calls", 404), ("GET", "/v1/calls", 403),
            ("POST", f"/v1/calls/{NOWHERE}/stop", 403), ("GET", "/v1/models", 200),
        ]  # fmt: skip
        for method, path, status in ways:
            assert nothing.request(method, path, headers=bad).status_code == status
        assert statuses(nothing, "/v1/unknown", REQUESTS - len(ways)) == [404] * (REQUESTS - len(ways))
        for method, path, _ in ways:
            assert nothing.request(method, path, headers=bad).status_code == 429
    with desk.client("tc_test_nobody") as nobody:
        assert statuses(nobody, "/v1/models", REQUESTS + 5) == [401] * (REQUESTS + 5)


def test_a_replay_counts_and_is_refused_with_the_rest(desk: Bench) -> None:
    header = {"Idempotency-Key": "one-call-many-times"}
    replies = [desk.http.post("/v1/calls", json=CALL, headers=header) for _ in range(NEW_CALLS + 1)]
    assert [reply.status_code for reply in replies] == [201] * NEW_CALLS + [429]
    assert len({reply.json()["call_id"] for reply in replies[:-1]}) == 1


def test_limits_hold_across_a_restart_and_only_where_they_are_asked_for(tmp_path: Path) -> None:
    hand, path = Hand(), tmp_path / "sandbox.db"
    for limited, expected in ((True, [200] * 60), (True, [429] * 5), (False, [200] * 70)):
        with (
            closing(open_sandbox(path, real=hand, limited=limited, plans=())) as sandbox,
            serve_in_background(sandbox) as served,
        ):
            made = Bench(sandbox, served.url, hand)
            assert statuses(made.http, "/v1/models", len(expected)) == expected
            made.http.close()


def test_the_controls_are_not_limited(desk: Bench) -> None:
    assert statuses(desk.http, "/sandbox/clock", REQUESTS + 10) == [200] * (REQUESTS + 10)
    assert desk.http.get("/v1/models").status_code == 200


# Accounts and keys


@covers("A7", "1.7 404")
def test_objects_of_other_accounts_look_absent(desk: Bench) -> None:
    call_id = desk.place()
    lead = desk.http.post(
        "/v1/leads", json={"name": "A", "phone_number": "+14155560018", "list_id": NOWHERE}
    ).json()
    number = desk.get("/v1/phone-numbers")["data"][0]["id"]
    gateway = {"carrier_name": "Mine", "sip_gateway": {"ipv4": "203.0.113.10"}}
    carrier = desk.http.post("/v1/phone-numbers/carriers", json=gateway).json()
    hook = desk.http.post(
        "/v1/webhooks", json={"event": "call.completed", "url": "https://example.com/"}
    ).json()
    plan = {"name": "Fair", "task": "Tell {{name}} of the fair."}
    campaign = desk.http.post("/sandbox/campaigns", json=plan).json()
    ways = [
        ("GET", f"/v1/calls/{call_id}"), ("POST", f"/v1/calls/{call_id}/stop"), ("POST", f"/v1/calls/{call_id}/cancel"),
        ("GET", f"/v1/leads/{lead['id']}"), ("DELETE", f"/v1/leads/{lead['id']}"),
        ("GET", f"/v1/phone-numbers/{number}"), ("DELETE", f"/v1/phone-numbers/{number}"),
        ("DELETE", f"/v1/phone-numbers/carriers/{carrier['id']}"), ("DELETE", f"/v1/webhooks/{hook['id']}"),
        ("GET", f"/v1/campaigns/{campaign['id']}"), ("POST", f"/v1/campaigns/{campaign['id']}/start"),
        ("POST", f"/sandbox/campaigns/{campaign['id']}/stop"), ("POST", f"/sandbox/calls/{call_id}/transfer"),
        ("GET", f"/sandbox/recordings/{call_id}.wav"),
    ]  # fmt: skip
    with desk.client(desk.sandbox.add_account(plans=())) as stranger:
        for method, path in ways:
            json = {} if method == "POST" else None
            assert stranger.request(method, path, json=json).status_code == 404, path
        for path in ("/v1/calls", "/v1/campaigns", "/v1/webhooks", "/sandbox/rings", "/sandbox/deliveries"):
            assert stranger.get(path).json()["data"] == []
        assert stranger.get("/v1/leads").json()["items"] == []
        assert stranger.get(f"/v1/calls?campaign_id={campaign['id']}").json()["data"] == []
        body = {"number": "+14155550188", "voip_carrier_sid": carrier["voip_carrier_sid"]}
        assert stranger.post("/v1/phone-numbers", json=body).status_code == 400
    assert desk.call(call_id)["status"] == "queued"


def test_each_account_has_minutes_of_its_own(desk: Bench) -> None:
    with desk.client(desk.sandbox.add_account(100, 20.5, plans=())) as other:
        assert other.get("/v1/balance").json()["remaining"] == 120.5
        other.post("/v1/calls", json=CALL)
        assert (other.get("/v1/balance").json()["reserved"], desk.get("/v1/balance")["reserved"]) == (10, 0)


@covers("1.2 refused", "1.7 401")
def test_a_revoked_key_opens_nothing_any_more(desk: Bench) -> None:
    key = desk.sandbox.add_key(name="lost")
    with desk.client(key) as lost:
        assert lost.get("/v1/models").status_code == 200
        desk.sandbox.revoke(key[-6:])
        for path in ("/v1/models", "/v1/unknown", "/sandbox/clock"):
            assert (lost.get(path).status_code, slug(lost.get(path))) == (401, "unauthorized")
    kept = next(one for one in desk.sandbox.all_keys() if one.name == "lost")
    assert (kept.revoked, kept.hint) == (True, key[-6:])
    assert key not in repr(desk.sandbox.all_keys())
    for wrong in (key[-6:], "", "nobody"):
        with pytest.raises(SandboxError):
            desk.sandbox.revoke(wrong)


def test_the_default_key_is_another_once_it_is_revoked(tmp_path: Path) -> None:
    path = tmp_path / "sandbox.db"
    with closing(open_sandbox(path, plans=())) as sandbox, closing(open_sandbox(path)) as elsewhere:
        first = sandbox.key()
        sandbox.revoke(first[-6:])
        kept = sandbox.key_path.read_text().strip()
        second = elsewhere.key()
        assert first != second == sandbox.key() == kept
        revoked = {key.hint: key.revoked for key in sandbox.all_keys()}
        assert revoked == {first[-6:]: True, second[-6:]: False}
        sandbox.key_path.write_text(f"{first}\n")  # as a copy of the folder brings it back
        third = sandbox.key()
        assert third not in (first, second)
        assert third == elsewhere.key() == sandbox.key_path.read_text().strip()
        with serve_in_background(sandbox) as served, httpx.Client(base_url=served.url) as http:
            used = [
                http.get("/v1/models", headers={"Authorization": f"Bearer {key}"}) for key in (first, third)
            ]
            assert [reply.status_code for reply in used] == [401, 200]


DOCUMENTED: dict[str, set[str]] = {
    "calls": {"calls:read", "calls:write"},
    "balance": {"calls:read"},
    "models": set(),
    "voices": set(),
    "campaigns": {"campaigns:read", "campaigns:write"},
    "leads": {"leads:read", "leads:write"},
    "phone-numbers": {"phone_numbers:read", "phone_numbers:write"},
    "webhooks": {"webhooks:read", "webhooks:write"},
}
"""The table of section 1.3, written down once more, by the first step of a path."""
IN_IT = [endpoint for endpoint in CATALOG if endpoint.path.split("/")[2] in DOCUMENTED]


@covers("1.3 scopes", "A8", "A9", "A10", "A11", "A12", "1.7 403", "1.2 bearer")
@pytest.mark.parametrize("endpoint", IN_IT, ids=lambda endpoint: endpoint.tool)
def test_an_endpoint_asks_for_its_own_scope_and_no_other(limited: Bench, endpoint: Any) -> None:
    method, path = endpoint.method, endpoint.path
    noun = path.split("/")[2]
    wanted = {one for one in DOCUMENTED[noun] if one.endswith("read") is (method == "GET")}
    for hole in ("call_id", "campaign_id", "lead_id", "webhook_id", "phone_number_id", "carrier_id"):
        path = path.replace(f"{{{hole}}}", NOWHERE)
    keys = [[], sorted(set(SCOPES) - wanted), sorted(wanted), None]
    allowed = []
    for scopes in keys:
        with limited.client(limited.sandbox.add_key(scopes)) as http:
            limited.hand.pass_(61)
            allowed.append(http.request(method, path).status_code != 403)
    assert allowed == [not wanted, not wanted, True, True]


def test_a_key_of_no_known_scope_or_account_is_not_made(desk: Bench) -> None:
    for given in ({"scopes": ["calls:dance"]}, {"account": "Nobody"}):
        with pytest.raises(SandboxError):
            desk.sandbox.add_key(**given)  # type: ignore[arg-type]
    with pytest.raises(SandboxError):
        desk.sandbox.add_account(name="Practice")


def test_a_request_that_must_wait_is_counted_once(tmp_path: Path) -> None:
    """In the event loop nothing waits: what cannot be answered at once is not counted there either."""
    with closing(open_sandbox(tmp_path / "s.db", limited=True, plans=())) as sandbox:
        headers = {"authorization": f"Bearer {sandbox.key()}"}
        arrived = Arrived("POST", "/v1/calls", headers=headers, body=json.dumps(CALL).encode())
        with pytest.raises(Busy):
            sandbox._gateway.reply(arrived, waits=False)
        assert sandbox._gateway.reply(arrived).reply.status == 201  # type: ignore[union-attr]
        with closing(sqlite3.connect(sandbox.path)) as line:
            assert line.execute("SELECT count(*) FROM hits WHERE who LIKE 'calls:%'").fetchone() == (1,)
