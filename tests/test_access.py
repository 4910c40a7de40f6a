"""Who may use the sandbox's controls and its page: keys by their scopes, browsers by a cookie."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from topcalls_tools.sandbox import open_sandbox
from topcalls_tools.sandbox.accounts import SCOPES
from topcalls_tools.sandbox.store import Store

from .test_sandbox import Bench, Hand, bench, calm
from .test_sandbox_rules import CALL, NOWHERE, slug

__all__ = ["bench", "calm"]

DAY = 86_400
LOOKS = ("clock", "overview", "rings", "deliveries", "faults")
CHANGES = [
    ("POST", "clock"), ("POST", "deliveries"), ("POST", "campaigns"), ("POST", f"campaigns/{NOWHERE}/stop"),
    ("POST", f"calls/{NOWHERE}/hang_up"), ("POST", "claims"), ("DELETE", "claims/+14155550100"),
    ("POST", "faults"), ("DELETE", "faults"), ("POST", "codes"), ("POST", "webhooks"),
]  # fmt: skip


def visitor(bench: Bench, code: str = "") -> httpx.Client:
    """A browser that has opened the page by its link."""
    code = code or bench.http.post("/sandbox/codes", json={}).json()["code"]
    http = httpx.Client(base_url=bench.url, headers={"Origin": bench.url}, trust_env=False)
    assert http.post("/sandbox/session", json={"code": code}).status_code == 204
    return http


@pytest.fixture
def page(bench: Bench) -> Iterator[httpx.Client]:
    with closing(visitor(bench)) as http:
        yield http


def limited(bench: Bench, *scopes: str) -> httpx.Client:
    """A client whose key has these scopes alone, of the bench's own account."""
    account = next(key.account for key in bench.sandbox.all_keys() if bench.key.endswith(key.hint))
    return bench.client(bench.sandbox.add_key(scopes, account=account))


def test_the_pages_way_to_the_api_gives_a_key_no_more_than_its_scopes(bench: Bench) -> None:
    with limited(bench, "calls:read") as reader, limited(bench, "calls:write") as writer:
        for root in ("/v1", "/sandbox/v1"):
            assert reader.get(f"{root}/calls").status_code == 200
            refused = reader.post(f"{root}/calls", json=CALL)
            assert (refused.status_code, slug(refused)) == (403, "forbidden")
            assert (reader.get(f"{root}/leads").status_code, writer.get(f"{root}/calls").status_code) == (
                403,
                403,
            )
            assert writer.post(f"{root}/calls", json=CALL).status_code == 201
    assert len(bench.get("/sandbox/v1/calls")["data"]) == 2
    assert bench.client("tc_test_nobody").get("/sandbox/v1/models").status_code == 401


def test_the_page_itself_may_do_everything_by_its_cookie(page: httpx.Client, bench: Bench) -> None:
    placed = page.post("/sandbox/v1/calls", json=CALL)
    assert placed.status_code == 201
    assert bench.call(placed.json()["call_id"])["status"] == "queued"
    assert page.post("/sandbox/clock", json={"advance_seconds": 1}).status_code == 200
    assert page.post("/sandbox/codes", json={}).status_code == 201
    foreign = page.post("/sandbox/v1/calls", json=CALL, headers={"Origin": "http://example.com"})
    assert foreign.status_code == 403


@pytest.mark.parametrize("scopes", [[], ["calls:read"], SCOPES], ids=["none", "one", "each"])
@pytest.mark.parametrize(("method", "path"), CHANGES)
def test_a_key_with_a_list_of_scopes_changes_nothing(
    bench: Bench,
    method: str,
    path: str,
    scopes: list[str],
) -> None:
    with limited(bench, *scopes) as http:
        refused = http.request(method, f"/sandbox/{path}", json={} if method == "POST" else None)
        assert (refused.status_code, slug(refused)) == (403, "forbidden")
        assert "without a list of scopes" in refused.json()["detail"]
    allowed = bench.http.request(method, f"/sandbox/{path}", json={} if method == "POST" else None)
    assert allowed.status_code != 403


def test_a_key_looks_at_the_controls_where_it_may_read_calls(bench: Bench) -> None:
    with limited(bench, "calls:read") as reader, limited(bench, "calls:write", "leads:read") as other:
        for http, status in ((bench.http, 200), (reader, 200), (other, 403)):
            assert [http.get(f"/sandbox/{path}").status_code for path in LOOKS] == [status] * len(LOOKS)
            with http.stream("GET", "/sandbox/events") as events:
                assert events.status_code == status
        assert other.get("/sandbox/clock").json()["detail"] == "This key lacks the scope calls:read"


@pytest.mark.parametrize(
    "others",
    [
        'pref={"a":1,"b":2}; {}',
        "a=b=c;{}",
        "bad name=1; {}; later",
        ";;{}",
        'x="; {}',
        "topcalls_1=nobody; {}",
    ],
)
def test_what_other_programs_write_into_cookies_locks_nobody_out(
    page: httpx.Client,
    bench: Bench,
    others: str,
) -> None:
    ((name, token),) = page.cookies.items()
    header = {"Cookie": others.replace("{}", f"{name}={token}")}
    assert httpx.get(f"{bench.url}/sandbox/clock", headers=header, trust_env=False).status_code == 200
    header = {"Cookie": others.replace("{}", f"{name}x={token}")}
    assert httpx.get(f"{bench.url}/sandbox/clock", headers=header, trust_env=False).status_code == 401


def test_a_code_is_good_for_a_day_and_a_cookie_for_thirty(bench: Bench) -> None:
    early, late = (bench.sandbox.link_code() for _ in range(2))
    bench.hand.pass_(DAY)
    with closing(visitor(bench, early)) as http:
        bench.hand.pass_(0.001)
        reply = http.post("/sandbox/session", json={"code": late})
        assert (reply.status_code, "fresh link" in reply.json()["detail"]) == (401, True)
        bench.hand.pass_(30 * DAY - 0.001)
        assert http.get("/sandbox/clock").status_code == 200
        bench.hand.pass_(0.001)
        assert http.get("/sandbox/clock").status_code == 401


def test_what_has_expired_is_not_kept(tmp_path: Path) -> None:
    hand, path = Hand(), tmp_path / "sandbox.db"
    with closing(open_sandbox(path, real=hand, plans=())) as sandbox, closing(Store(path)) as store:

        def kept() -> int:
            with store.read() as book:
                return book.count("sessions")

        with store.write() as book:
            now = int(hand.at.timestamp() * 1000)
            for digest, kind in (("1", "code"), ("2", "cookie")):
                book.add("sessions", {"digest": digest, "account_id": "a", "kind": kind, "until": now})
        sandbox.link_code()
        assert kept() == 3
        hand.pass_(1)
        sandbox.link_code()
        assert kept() == 2


SURROGATE = r'"\ud800"'


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("webhooks", f'{{"secret": {SURROGATE}}}'),
        ("session", f'{{"code": {SURROGATE}}}'),
        (f"calls/{NOWHERE}/say", f'{{"words": {SURROGATE}}}'),
        ("claims", f'{{"number": {SURROGATE}}}'),
        (
            "campaigns",
            '{"name": "A", "task": "Ask how they are.", "contacts": [{"name": "B",'
            f' "phone_number": "+14155550123", "facts": {{"party": {SURROGATE}}}}}]}}',
        ),
        ("faults", f'{{{SURROGATE}: 1}}'),
    ],
    ids=["secret", "code", "words", "number", "facts", "name"],
)  # fmt: skip
def test_text_that_cannot_be_written_is_refused(bench: Bench, path: str, body: str) -> None:
    headers = {"Content-Type": "application/json", "Origin": bench.url}
    refused = bench.http.post(f"/sandbox/{path}", content=body, headers=headers)
    assert (refused.status_code, slug(refused)) == (400, "validation_error")


@pytest.mark.parametrize("number", ["9" * 20, "9" * 5000, "-1", "x", "²", "٣"])
def test_a_fault_that_can_not_be_is_not_there(bench: Bench, number: str) -> None:
    bench.http.post("/sandbox/faults", json={"route": "*", "kind": "slow", "next": 1, "seconds": 0})
    assert bench.http.delete(f"/sandbox/faults/{number}").status_code == 404
    assert len(bench.get("/sandbox/faults")["data"]) == 1
    assert bench.http.delete("/sandbox/faults/999999999999999999").status_code == 204


def test_hosts_that_webhooks_may_go_to_are_kept_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "sandbox.db"
    ways: list[tuple[list[str], bool, str | None]] = [
        ([], False, None), (["Hooks.example.com", "a.example"], False, "a.example,hooks.example.com"),
        ([], False, "a.example,hooks.example.com"), (["b.example"], False, "b.example"), (["none"], False, ""),
        (["b.example"], False, "b.example"), ([], True, None), (["c.example"], True, "c.example"),
    ]  # fmt: skip
    for hosts, reset, kept in ways:
        open_sandbox(path, webhook_hosts=hosts, reset=reset, plans=()).close()
        with closing(Store(path)) as store, store.read() as book:
            assert book.meta("webhook_hosts") == kept
