"""The doctor's free reads: GETs alone, shapes and no values, and what they say of the assumptions."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from topcalls_tools import Client, PlaceCall
from topcalls_tools.api import CATALOG
from topcalls_tools.cli import topcalls
from topcalls_tools.connect import Line
from topcalls_tools.doctor.assumptions import ASSUMPTIONS, Seen
from topcalls_tools.doctor.reads import NEXT, READS, Read, Survey, _got
from topcalls_tools.doctor.shapes import Comparison, compared, declared, documented, observed
from topcalls_tools.wire import Request

from .conftest import CALL, World, owner
from .stranger import PROBLEM, Stranger

WITNESS = Path(__file__).parent / "witness"


def live(tmp_path: Path, *arguments: str, **env: str) -> tuple[dict[str, Any], Result]:
    """The report, and how the command ended."""
    path = tmp_path / "report.json"
    path.unlink(missing_ok=True)
    done = CliRunner(env=env).invoke(topcalls, ["doctor", "--live", "-o", str(path), *arguments])
    return json.loads(path.read_text()) if path.exists() else {}, done


def as_documented() -> dict[str, Any]:
    """The documented replies, by path: what TopCalls would answer if its documentation is right."""
    answers: dict[str, Any] = {}
    for endpoint in READS:
        witness = json.loads((WITNESS / f"{endpoint.tool}.json").read_text())
        answers[witness["request"]["path"]] = witness["reply"]["body"]
    for endpoint in READS:  # the id that a list shows is the one that is read
        if endpoint.handles:
            witness = json.loads((WITNESS / f"{endpoint.tool}.json").read_text())
            listed = answers[endpoint.path.rpartition("/")[0]]
            first = (listed.get("data") or listed.get("items"))[0]["id"]
            answers[f"{endpoint.path.rpartition('/')[0]}/{first}"] = witness["reply"]["body"]
    return answers


@pytest.fixture
def keyed(world: World, home: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    owner(home)
    monkeypatch.setenv("TOPCALLS_API_KEY", world.key)
    monkeypatch.setenv("TOPCALLS_BASE_URL", world.url)
    return world


def verdicts(told: dict[str, Any]) -> dict[str, str]:
    return {number: one["observed"] for one in told["assumptions"] for number in one["numbers"]}


def test_the_sandbox_answers_as_documented_and_refutes_nothing(
    keyed: World, tmp_path: Path, line: Line
) -> None:
    Client(line=line).send(PlaceCall(**CALL))
    keyed.advance(600)
    told, done = live(tmp_path)
    assert done.exit_code == 0, done.output
    assert told["service"] == "sandbox"
    odd = [one for one in told["reads"] if one.get("missing") or one.get("unknown") or one.get("differs")]
    assert odd == []
    assert {one["tool"] for one in told["reads"]} == {endpoint.tool for endpoint in READS}
    assert "refuted" not in verdicts(told).values()
    assert list(verdicts(told).values()).count("confirmed") >= 25


def test_the_documented_replies_are_as_documented(keyed: World, tmp_path: Path) -> None:
    with Stranger(as_documented(), lambda: datetime.now(UTC)).open() as url:
        told, done = live(tmp_path, TOPCALLS_BASE_URL=url)
    assert done.exit_code == 0, done.output
    assert told["as_documented"] is True


def test_nothing_but_gets_is_sent_and_no_phone_rings(keyed: World, tmp_path: Path, home: Path) -> None:
    before = sorted((str(path), path.stat().st_mtime_ns) for path in home.rglob("*"))
    calls = [call["id"] for call in keyed.get("/v1/calls")["data"]]
    live(tmp_path)
    assert keyed.rings() == []
    assert [call["id"] for call in keyed.get("/v1/calls")["data"]] == calls
    assert sorted((str(path), path.stat().st_mtime_ns) for path in home.rglob("*")) == before
    stranger = Stranger(as_documented(), lambda: datetime.now(UTC))
    with stranger.open() as url:
        live(tmp_path, TOPCALLS_BASE_URL=url)
    assert len(stranger.came) >= len(READS)
    assert {method for method, _ in stranger.came} == {"GET"}


def test_a_request_that_is_no_get_is_not_even_begun(line: Line) -> None:
    for endpoint in CATALOG:
        if endpoint.method != "GET":
            with pytest.raises(AssertionError, match="Nothing but GETs"):
                next(_got(Request(endpoint.method, endpoint.path), line.desk()))
    assert all(endpoint.method == "GET" for endpoint in READS)


def test_a_server_that_differs_is_found_out(keyed: World, tmp_path: Path) -> None:
    answers = as_documented()
    balance = dict(answers["/v1/balance"])
    del balance["reserved"]
    balance |= {"remaining": "1250.5", "seconds_left": 3}
    answers["/v1/balance"] = balance
    answers["/v1/models"] = answers["/v1/models"]["data"]
    answers["/v1/voices"] = (500, "text/html", "<html>down</html>")
    answers["/v1/campaigns"] = (403, PROBLEM, {"title": "Forbidden", "status": 403})
    with Stranger(answers, lambda: datetime.now(UTC)).open() as url:
        told, done = live(tmp_path, TOPCALLS_BASE_URL=url)
    assert done.exit_code == 6
    reads = {one["tool"]: one for one in told["reads"]}
    assert reads["get_balance"]["missing"] == ["reserved"]
    assert reads["get_balance"]["unknown"] == ["seconds_left"]
    assert reads["get_balance"]["differs"] == {"remaining": ["string"]}
    assert reads["list_models"]["envelope"] == "list"
    assert reads["list_voices"] == {"tool": "list_voices", "answered": 500, "content_type": "text/html"}
    assert reads["list_campaigns"]["answered"] == 403
    assert "not asked" in reads["get_campaign"]["answered"]
    assert verdicts(told)["A97"] == "refuted"
    assert verdicts(told)["A4"] == "refuted"  # it answers 404 to everything that it does not know
    assert "refuted: A97" in done.stdout
    assert "missing: reserved" in done.stdout


CANARY = "Canary"


def spoilt(value: Any, at: str = "") -> Any:
    """A reply whose every text, number and unknown name is somebody's own."""
    match value:
        case dict():
            inner = {name: spoilt(item, name) for name, item in value.items()}
            return {
                **inner,
                "+14155558888": 1,
                f"{CANARY} Meyer": 2,
                "4155558888": {"x": 1},
                "a_4155558888": 1,
                f"{CANARY.lower()}Meyer": 3,
                f"{CANARY.lower()}_{'meyer_' * 6}x": 4,
                "metadata2": CANARY,
            }
        case list():
            return [spoilt(item) for item in value]
        case str() if at == "id":
            return f"{CANARY}-4155558888"
        case str():
            return f"{CANARY} +14155558888"
        case bool() | None:
            return value
        case _:
            return 4155558888


@pytest.mark.parametrize("as_json", [False, True])
def test_a_report_holds_nothing_of_anybody(keyed: World, tmp_path: Path, as_json: bool) -> None:
    answers: dict[str, Any] = {}
    for path, body in as_documented().items():
        parent = path.rpartition("/")[0]
        answers[path] = spoilt(body)
        if parent in as_documented() or parent in (
            "/v1/calls",
            "/v1/campaigns",
            "/v1/phone-numbers",
            "/v1/leads",
        ):
            answers[f"{parent}/{CANARY}-4155558888"] = spoilt(body)
    answers["/v1/voices"] = (200, f"text/{CANARY}", {"data": [{"id": CANARY}]})
    answers["/v1/models"] = (418, f"{CANARY}/x", CANARY)
    with Stranger(answers, lambda: datetime.now(UTC)).open() as url:
        told, done = live(tmp_path, *(["--json"] if as_json else []), TOPCALLS_BASE_URL=url)
    text = json.dumps(told) + done.output.replace(str(tmp_path), "")
    assert told["reads"]
    assert any("(6 names that are not told)" in one.get("unknown", ()) for one in told["reads"])
    text = text.casefold()
    for secret in (CANARY, "8888", keyed.key, url, "127.0.0.1"):
        assert secret.casefold() not in text, text[max(0, text.index(secret.casefold()) - 80) :][:200]


def test_the_name_of_an_unknown_field_is_told_beside_documented_ones_alone() -> None:
    """What the maintainers need is the names of new fields; a map's own keys may be anybody's names."""
    known = {
        "data": frozenset({"array"}),
        "data[]": frozenset({"object"}),
        "data[].id": frozenset({"string"}),
    }
    rows = [
        {"id": "x", "sip_code2": 1, "annMeyer": 2, "+1415": 3},
        {"id": "y", "Ann": 1},
        {"ann": 1, "bob": 2},
    ]
    told = compared(observed({"data": rows, "took_ms": 1}, known), known, {})
    assert told.unknown == ("data[].sip_code2", "took_ms", "data[].(2 names that are not told)")
    assert compared(observed({"ann": 1}, known), known, {}).unknown == ("(1 name that is not told)",)


def test_the_report_is_the_owners_alone_and_writes_over_nothing(keyed: World, tmp_path: Path) -> None:
    live(tmp_path)
    path = tmp_path / "report.json"
    if os.name == "posix":
        assert oct(path.stat().st_mode)[-3:] == "600"
    before = path.read_bytes()
    stranger = Stranger(as_documented())
    with stranger.open() as url:
        again = CliRunner(env={"TOPCALLS_BASE_URL": url}).invoke(
            topcalls, ["doctor", "--live", "-o", str(path)]
        )
    assert again.exit_code == 6
    assert "is there already" in again.stderr
    assert stranger.came == []
    assert path.read_bytes() == before


def test_json_is_the_report_and_makes_no_file(
    keyed: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(topcalls, ["doctor", "--live", "--json"])
    assert json.loads(done.stdout)["as_documented"] is True
    assert not list(tmp_path.glob("*.json"))
    assert CliRunner().invoke(topcalls, ["doctor", "-o", "x.json"]).exit_code == 2


def test_where_nobody_answers_there_is_no_report(keyed: World, tmp_path: Path) -> None:
    told, done = live(tmp_path, TOPCALLS_BASE_URL="http://127.0.0.1:9")
    assert (told, done.exit_code) == ({}, 5)


def test_a_limit_is_waited_for_once_and_told(keyed: World, tmp_path: Path) -> None:
    class Limited(Stranger):
        def answer(self, path: str) -> tuple[int, str, bytes]:
            if path == "/v1/balance" and self.came.count(("GET", path)) == 1:
                return 429, PROBLEM, b'{"title": "Too Many", "status": 429}'
            return super().answer(path)

    stranger = Limited(as_documented(), lambda: datetime.now(UTC))
    with stranger.open() as url:
        told, _ = live(tmp_path, TOPCALLS_BASE_URL=url)
    assert stranger.came.count(("GET", "/v1/balance")) == 2
    assert verdicts(told)["A26"] == "refuted"  # it names no seconds


def test_what_is_documented_is_what_the_witnesses_say() -> None:
    for endpoint in READS:
        witness = json.loads((WITNESS / f"{endpoint.tool}.json").read_text())
        example, ours = documented()[endpoint.tool], declared(endpoint.reply_type)
        settled = endpoint.reply_type.settled(witness["reply"]["body"])
        assert compared(observed(settled, {**ours, **example}), example, ours).same
        own = {
            path
            for path in example
            if path.count(".") and path.split(".")[0].removesuffix("[]") == "metadata"
        }
        assert not own


def body(kind: str, **rows: Any) -> Read:
    return Read(200, "application/json", {"data": [rows], "next_cursor": None} if kind == "list" else rows)


def seen(probes: dict[str, Read] | None = None, same: dict[str, bool] | None = None, **reads: Read) -> Seen:
    shapes = {
        tool: Comparison() if good else Comparison(missing=("x",)) for tool, good in (same or {}).items()
    }
    return Seen(Survey(reads, probes or {}), shapes)


def calls(*times: str) -> Read:
    return Read(200, "", {"data": [{"created_at": at, "id": at} for at in times], "next_cursor": None})


def problem(answered: int, kind: str = PROBLEM, **document: Any) -> Read:
    return Read(answered, kind, document)


NO, YES = "2025-01-01T00:00:00Z", "2025-01-01T00:00:00.000Z"
OLD = "2024-01-01T00:00:00Z"
TWO = {"two calls": Read(200, "", {"data": [{"created_at": NO}], "next_cursor": NO})}
CASES: dict[str, tuple[Seen, Seen]] = {
    "A2": (seen({"x": problem(404)}), seen({"x": problem(404, "text/html")})),
    "A3": (seen(list_calls=calls(YES)), seen(list_calls=calls(NO))),
    "A4": (seen({"an id that is none": problem(400)}), seen({"an id that is none": problem(404)})),
    "A7": (seen({"an unknown id": problem(404)}), seen({"an unknown id": problem(400)})),
    "A10": (
        seen(
            list_models=Read(200),
            list_voices=Read(200),
            list_builtin_voices=Read(200),
            get_balance=Read(403),
        ),
        seen(list_models=Read(403)),
    ),
    "A19": (seen(list_campaigns=body("list")), seen(list_campaigns=body("", data=[]))),
    "A20": (seen(list_models=body("", data=[])), seen(list_models=body("list"))),
    "A21": (seen(TWO, list_calls=calls(NO, OLD)), seen(list_calls=calls(OLD, NO))),
    "A22": (seen(list_calls=calls(NO, OLD)), seen(list_calls=calls(NO, NO))),
    "A23": (seen({"a limit of 0": problem(400)}), seen({"a limit of 0": problem(200)})),
    "A24": (seen(list_models=Read(200, "", [])), seen(list_models=Read(200, "", {"models": []}))),
    "A26": (
        seen(list_models=Read(200, limited=True, retry_after="2")),
        seen(list_models=Read(200, limited=True, retry_after="soon")),
    ),
    "A31": (seen({"x": problem(404, title="t", status=404)}), seen({"x": problem(404, title="t")})),
    "A33": (
        seen({"an unknown id": problem(404, type="https://x/not_found")}),
        seen({"an unknown id": problem(404, type="https://x/gone")}),
    ),
    "A45": (seen(list_webhooks=Read(200)), seen(list_webhooks=Read(404))),
    "A62": (seen(get_call=body("", metadata={"task": "t"})), seen(get_call=body("", metadata={}))),
    "A79": (
        seen(list_carriers=body("list", id="x")),
        seen(list_carriers=body("list", inbound_auth={"password": 1})),
    ),
    "A87": (
        seen(list_phone_numbers=body("list", status="active")),
        seen(list_phone_numbers=body("list", status="deleted")),
    ),
    "A101": (seen(list_calls=body("list", status="queued")), seen(list_calls=body("list", status="ringing"))),
    "A104": (
        seen(get_call=body("", completed=True, status="completed", recording_url="https://x")),
        seen(get_call=body("", completed=True, status="completed", recording_url=None)),
    ),
    "A107": (
        seen(list_campaigns=body("list", status="cancelled")),
        seen(list_campaigns=body("list", status="stopped")),
    ),
    "A125": (
        seen(list_calls=body("list", actual_duration_billed=2.25)),
        seen(list_calls=body("list", actual_duration_billed=2.255)),
    ),
    "A127": (
        seen(get_balance=body("", remaining=5, allocated=6, used=2, welcome_bonus_remaining=1)),
        seen(get_balance=body("", remaining=6, allocated=6, used=2, welcome_bonus_remaining=1)),
    ),
}
SHAPES = {
    "A71": "list_campaigns",
    "A72": "get_campaign",
    "A78": "list_carriers",
    "A94": "list_models",
    "A95": "list_builtin_voices",
    "A96": "list_voices",
    "A97": "get_balance",
}
for number, tool in SHAPES.items():
    read = body("list", id="x") if tool.startswith("list_") else body("", id="x")
    CASES[number] = seen(same={tool: True}, **{tool: read}), seen(same={tool: False}, **{tool: read})


@pytest.mark.parametrize("number", sorted(CASES))
def test_an_assumption_is_confirmed_and_refuted_by_what_is_seen(number: str) -> None:
    (one,) = [one for one in ASSUMPTIONS if number in one.numbers]
    held, broken = CASES[number]
    assert (one.judge(held), one.judge(broken), one.judge(seen())) == (True, False, None)


def test_every_assumption_that_is_judged_has_a_case_and_stands_in_the_document() -> None:
    numbers = {number for one in ASSUMPTIONS for number in one.numbers}
    assert numbers - {"A8"} == CASES.keys()
    text = (Path(__file__).parent.parent / "docs" / "assumptions.md").read_text()
    assert all(f"({number})" in text or f"{number}," in text or f"{number})" in text for number in numbers)


def test_that_leads_have_a_scope_of_their_own_shows_where_the_key_lacks_it() -> None:
    (one,) = [one for one in ASSUMPTIONS if "A8" in one.numbers]
    balance = body("", remaining=1)
    assert one.judge(seen(list_leads=Read(403), get_balance=balance)) is True
    assert one.judge(seen(list_leads=Read(200), get_balance=balance)) is None


def test_a_second_page_that_is_not_older_refutes_the_cursor() -> None:
    (one,) = [one for one in ASSUMPTIONS if "A21" in one.numbers]
    after = {**TWO, NEXT: Read(200, "", {"data": [{"created_at": NO}]})}
    assert one.judge(seen(after, list_calls=calls(NO, OLD))) is False
