"""Faults on demand: what a reply becomes, whether the deed was done, and how often it happens."""

from __future__ import annotations

import socket
import uuid
from contextlib import closing
from pathlib import Path
from typing import Any, get_args
from urllib.parse import urlsplit

import httpx
import pytest

from topcalls_tools.sandbox import open_sandbox, serve_in_background
from topcalls_tools.sandbox.web.arrivals import Arrived
from topcalls_tools.sandbox.web.faults import Kind

from .contract import covers
from .test_sandbox import Bench, Hand, bench, calm
from .test_sandbox_rules import CALL, slug

__all__ = ["bench", "calm"]
PLACE = "POST /v1/calls"
BEFORE = ["rate_limited", "error_before", "cut_before"]
AFTER = ["slow", "error_after", "cut_after", "garbled", "not_json"]


def order(bench: Bench, kind: str, route: str = PLACE, **rhythm: Any) -> str:
    body = {"route": route, "kind": kind, "seconds": 0, **(rhythm or {"next": 1})}
    reply = bench.http.post("/sandbox/faults", json=body)
    assert reply.status_code == 201, reply.text
    return str(reply.json()["id"])


def place(bench: Bench, key: str | None = None) -> httpx.Response | None:
    """Place a call; nothing where the line was cut."""
    try:
        return bench.http.post("/v1/calls", json=CALL, headers={"Idempotency-Key": key} if key else {})
    except (httpx.RemoteProtocolError, httpx.ReadError):
        return None


def calls(bench: Bench) -> int:
    return len(bench.get("/v1/calls?limit=200")["data"])


def test_every_kind_is_tested_here() -> None:
    assert sorted([*BEFORE, *AFTER]) == sorted(get_args(Kind))


@pytest.mark.parametrize("kind", BEFORE)
def test_before_means_that_nothing_was_done_nor_kept(bench: Bench, kind: str) -> None:
    key = f"before-{uuid.uuid4()}"
    order(bench, kind)
    reply = place(bench, key)
    assert reply is None if kind == "cut_before" else reply and reply.status_code in (429, 500)
    assert calls(bench) == 0
    again = place(bench, key)
    assert again
    assert (again.status_code, "Idempotent-Replayed" in again.headers, calls(bench)) == (201, False, 1)


@pytest.mark.parametrize("kind", AFTER)
def test_after_means_that_the_deed_was_done(bench: Bench, kind: str) -> None:
    order(bench, kind)
    place(bench)
    assert calls(bench) == 1


@pytest.mark.parametrize("kind", ["slow", "cut_after", "garbled", "not_json"])
def test_a_key_whose_reply_was_lost_gets_it_on_the_next_try(bench: Bench, kind: str) -> None:
    key = f"lost-{uuid.uuid4()}"
    order(bench, kind)
    place(bench, key)
    again = place(bench, key)
    assert again
    assert (again.status_code, again.headers["Idempotent-Replayed"], calls(bench)) == (201, "true", 1)


@covers("1.7 500")
def test_an_error_after_the_deed_leaves_the_key_free_and_the_deed_done(bench: Bench) -> None:
    """Only good replies are kept (A14): here a retry does it twice, and a client must find that out."""
    key = f"error-{uuid.uuid4()}"
    order(bench, "error_after")
    first = place(bench, key)
    assert first
    assert (first.status_code, slug(first), first.json()["title"]) == (
        500,
        "internal_error",
        "Internal Server Error",
    )
    assert calls(bench) == 1
    second = place(bench, key)
    assert second
    assert (second.status_code, "Idempotent-Replayed" in second.headers, calls(bench)) == (201, False, 2)


def test_an_error_after_leaves_an_earlier_reply_kept(bench: Bench) -> None:
    key = f"kept-{uuid.uuid4()}"
    first = place(bench, key)
    order(bench, "error_after")
    failed, again = place(bench, key), place(bench, key)
    assert first
    assert failed
    assert again
    assert (failed.status_code, again.status_code, again.json()) == (500, 201, first.json())


@covers("A26", "1.6 429")
def test_limited_on_demand_says_how_long_to_wait(bench: Bench) -> None:
    order(bench, "rate_limited", next=1, seconds=7)
    reply = place(bench)
    assert reply
    assert (reply.status_code, slug(reply), reply.headers["Retry-After"]) == (429, "rate_limited", "7")


@pytest.mark.parametrize("kind", ["cut_before", "cut_after"])
def test_a_cut_line_carries_not_one_byte(bench: Bench, kind: str) -> None:
    order(bench, kind, "GET /v1/balance")
    where = urlsplit(bench.url)
    asked = f"GET /v1/balance HTTP/1.1\r\nHost: {where.netloc}\r\nAuthorization: Bearer {bench.key}\r\n\r\n"
    with socket.create_connection((where.hostname, where.port), timeout=10) as line:
        line.sendall(asked.encode())
        try:
            heard = line.recv(1)
        except ConnectionResetError:
            heard = b""
    assert heard == b""
    assert bench.get("/v1/balance")["remaining"] == 1500


def test_garbled_is_no_json_and_no_text(bench: Bench) -> None:
    order(bench, "garbled", "GET /v1/balance")
    reply = bench.http.get("/v1/balance")
    assert (reply.status_code, reply.headers["content-type"]) == (200, "application/json")
    with pytest.raises(ValueError):
        reply.json()
    with pytest.raises(UnicodeDecodeError):
        reply.content.decode()


def test_a_proxys_page_comes_in_place_of_the_reply(bench: Bench) -> None:
    order(bench, "not_json", "GET /v1/balance")
    reply = bench.http.get("/v1/balance")
    assert (reply.status_code, reply.headers["content-type"]) == (200, "text/html")
    assert "502 Bad Gateway" in reply.text


@pytest.mark.parametrize("kind", ["garbled", "not_json", "slow"])
def test_an_empty_reply_can_be_spoilt_too(bench: Bench, kind: str) -> None:
    number = bench.get("/v1/phone-numbers")["data"][0]["id"]
    order(bench, kind, "DELETE /v1/phone-numbers/{phone_number_id}")
    reply = bench.http.delete(f"/v1/phone-numbers/{number}")
    assert (reply.status_code, bool(reply.content)) == ((204, False) if kind == "slow" else (200, True))
    assert bench.get(f"/v1/phone-numbers/{number}")["status"] == "deleted"


def test_slow_is_the_whole_reply_so_many_seconds_late(bench: Bench) -> None:
    order(bench, "slow", "GET /v1/balance", next=1, seconds=42)
    asked = Arrived("GET", "/v1/balance", headers={"authorization": f"Bearer {bench.key}"})
    late, after = (bench.sandbox._gateway.reply(asked) for _ in range(2))
    assert (late.late, after.late) == (42, 0)
    assert late.reply == after.reply


# How often


def struck(bench: Bench, times: int, path: str = "/v1/balance") -> list[bool]:
    return [bench.http.get(path).status_code == 500 for _ in range(times)]


def test_next_strikes_so_many_times_and_no_more(bench: Bench) -> None:
    order(bench, "error_before", "GET /v1/balance", next=3)
    assert struck(bench, 6) == [True] * 3 + [False] * 3


def test_every_strikes_each_nth(bench: Bench) -> None:
    order(bench, "error_before", "GET /v1/balance", every=3)
    assert struck(bench, 9) == [False, False, True] * 3


def test_a_share_falls_by_seed_and_in_about_its_measure(tmp_path: Path) -> None:
    fallen = []
    for place, seed in enumerate(("s", "s", "t")):
        hand = Hand()
        path = tmp_path / f"{place}.db"
        with (
            closing(open_sandbox(path, real=hand, seed=seed, plans=())) as sandbox,
            serve_in_background(sandbox) as served,
        ):
            made = Bench(sandbox, served.url, hand)
            order(made, "error_before", "GET /v1/balance", share=0.25)
            fallen.append(struck(made, 200))
            made.http.close()
    assert fallen[0] == fallen[1] != fallen[2]
    assert 30 <= sum(fallen[0]) <= 70


def test_a_fault_strikes_its_route_and_its_account_alone(bench: Bench) -> None:
    order(bench, "error_before", "GET /v1/balance", next=1)
    assert struck(bench, 2, "/v1/models") == [False, False]
    with bench.client(bench.sandbox.add_account(plans=())) as stranger:
        assert stranger.get("/v1/balance").status_code == 200
        assert stranger.get("/sandbox/faults").json() == {"data": []}
    assert struck(bench, 2) == [True, False]
    order(bench, "error_before", "*", next=2)
    assert (struck(bench, 1, "/v1/models"), struck(bench, 2)) == ([True], [True, False])


def test_of_several_faults_the_oldest_strikes_and_all_are_counted(bench: Bench) -> None:
    order(bench, "rate_limited", "GET /v1/balance", every=2)
    order(bench, "error_before", "GET /v1/balance", every=2)
    assert [bench.http.get("/v1/balance").status_code for _ in range(4)] == [200, 429, 200, 429]
    shown = bench.get("/sandbox/faults")["data"]
    assert [(one["kind"], one["every"], one["seen"], one["struck"]) for one in shown] == [
        ("rate_limited", 2, 4, 2), ("error_before", 2, 4, 0)
    ]  # fmt: skip


def test_faults_are_taken_back_one_by_one_and_all_at_once(bench: Bench) -> None:
    first, second = (order(bench, "error_before", "GET /v1/balance", next=100) for _ in range(2))
    assert struck(bench, 1) == [True]
    assert bench.http.delete(f"/sandbox/faults/{first}").status_code == 204
    assert [one["id"] for one in bench.get("/sandbox/faults")["data"]] == [second]
    assert struck(bench, 1) == [True]
    assert bench.http.delete("/sandbox/faults").status_code == 204
    assert struck(bench, 1) == [False]
    assert bench.http.delete("/sandbox/faults/x").status_code == 404


def test_a_request_without_a_key_is_struck_by_none(bench: Bench) -> None:
    order(bench, "error_before", "*", next=1)
    assert httpx.get(f"{bench.url}/v1/balance").status_code == 401
    assert bench.http.get("/v1/unknown").status_code == 404
    assert bench.get("/sandbox/faults")["data"][0]["seen"] == 0


def test_faults_outlive_a_restart(tmp_path: Path) -> None:
    hand, path = Hand(), tmp_path / "sandbox.db"
    for seen in (True, False):
        with (
            closing(open_sandbox(path, real=hand, plans=())) as sandbox,
            serve_in_background(sandbox) as served,
        ):
            made = Bench(sandbox, served.url, hand)
            if seen:
                order(made, "error_before", "GET /v1/balance", next=2)
            assert struck(made, 2) == ([True, True] if seen else [False, False])
            made.http.close()


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"route": PLACE, "kind": "slow"},
        {"route": PLACE, "kind": "slow", "next": 1, "every": 2},
        {"route": PLACE, "kind": "quick", "next": 1},
        {"route": "POST /v1/nothing", "kind": "slow", "next": 1},
        {"route": PLACE, "kind": "slow", "next": 0},
        {"route": PLACE, "kind": "slow", "share": 0},
        {"route": PLACE, "kind": "slow", "share": 1.1},
        {"route": PLACE, "kind": "slow", "next": 1, "seconds": 121},
        {"route": PLACE, "kind": "slow", "next": 1, "colour": "red"},
    ],
)
def test_a_fault_that_cannot_be_is_refused(bench: Bench, body: dict[str, Any]) -> None:
    assert bench.http.post("/sandbox/faults", json=body).status_code == 400
    assert bench.get("/sandbox/faults") == {"data": []}


def test_a_reply_that_was_kept_is_given_again_whatever_fault_strikes(bench: Bench) -> None:
    body = {"phone_number": "+14155551234", "task": "Ask whether Tuesday is free."}
    header = {"Idempotency-Key": "kept-before-the-fault"}
    first = bench.http.post("/v1/calls", json=body, headers=header)
    fault = {"route": "POST /v1/calls", "kind": "error_after", "next": 1}
    assert bench.http.post("/sandbox/faults", json=fault).status_code == 201
    assert bench.http.post("/v1/calls", json=body, headers=header).status_code == 500
    assert len(bench.get("/v1/calls")["data"]) == 1
    assert bench.http.post("/v1/calls", json=body, headers=header).json() == first.json()
