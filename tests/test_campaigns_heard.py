"""The calls of a campaign that was started from here are heard too: all of them, each once, however many there are."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from topcalls_tools import Client, ListLeads, PlaceCall, StartCampaign
from topcalls_tools.connect import Line
from topcalls_tools.errors import Misconfigured, Refused
from topcalls_tools.flow.hearing import PAGES
from topcalls_tools.flow.reconcile import BY_THE_WAY, bookkeeping, close_books
from topcalls_tools.flow.steps import IN_ALL
from topcalls_tools.journal import DialRow, archive
from topcalls_tools.journal.heard import HeardCall, heard_since, note, noted, of_dials, rung_since
from topcalls_tools.journal.store import Journal

from .conftest import CALL, NUMBER, World
from .test_cli import keyed, run
from .test_flow import moving_line, sent, yes
from .test_heard import ASKED, Leads
from .test_reconcile import drive, row_of

__all__ = ["keyed"]
OUT, LATER, ROBOT, MAILBOX, HOLDS = ("0014", "0012", "0017", "0005", "0008")


def dialled(world: World, *endings: str, **more: Any) -> str:
    """A campaign of the sandbox that may dial at any time; its id."""
    people = [
        {"name": f"Contact {place}", "phone_number": f"+1{201 + place}556{ending}", "facts": {}}
        for place, ending in enumerate(endings)
    ]
    plan = {"name": "Fair", "task": "Ask whether they come to the fair.", "opens": "00:00", "closes": "00:00"}
    plan |= {
        "weekdays": [1, 2, 3, 4, 5, 6, 7],
        "max_duration": 5,
        "max_retries": 0,
        "contacts": people,
        **more,
    }  # type: ignore[dict-item]
    signed = {"Authorization": f"Bearer {world.key}"}
    reply = httpx.post(f"{world.url}/sandbox/campaigns", json=plan, headers=signed, trust_env=False)
    assert reply.status_code == 201, reply.text
    return str(reply.json()["id"])


def later(line: Line, world: World, seconds: float) -> None:
    """Let time pass, there and here."""
    world.advance(seconds)
    at = line.clock() + timedelta(seconds=seconds)
    line.clock = lambda: at


def the_row(line: Line) -> DialRow:
    (row,) = line.desk().journal().dials(line.desk().account)
    return row


def told(line: Line, row: DialRow) -> dict[str, HeardCall]:
    found = of_dials(line.desk().journal(), [row.key])[row.key]
    return {one.call_id: one for one in found if one.call_id}


def test_who_opts_out_inside_a_campaign_is_blocked_and_its_lead_unsubscribed(
    world: World, line: Line
) -> None:
    campaign = dialled(world, OUT, LATER, ROBOT, MAILBOX)
    client = Client(line=line)
    client.send(StartCampaign(campaign_id=campaign))
    later(line, world, 3600)
    client.run(close_books(line.desk()))
    row = the_row(line)
    assert row.closed_at is not None
    calls = {
        call["phone_number"][-4:]: call for call in world.get(f"/v1/calls?campaign_id={campaign}")["data"]
    }
    heard = told(line, row)
    assert {ending for ending, call in calls.items() if call["id"] in heard} == {OUT, LATER, ROBOT}
    assert "opt_out" in heard[calls[OUT]["id"]].facts["heard"]
    assert heard[calls[OUT]["id"]].facts["leads_unsubscribed"] == 1
    blocked = line.desk().dnc().numbers("sandbox")
    assert [*blocked] == [calls[OUT]["phone_number"]]
    (lead,) = client.send(ListLeads(phone=calls[OUT]["phone_number"])).data
    assert lead.status == "Unsubscribed"
    with pytest.raises(Refused, match="do-not-call"):
        client.send(PlaceCall(**{**CALL, "phone_number": calls[OUT]["phone_number"]}))
    assert [*archive.troubles(line.desk().journal())] == []


def test_a_campaign_that_runs_is_heard_meanwhile(world: World, line: Line) -> None:
    campaign = dialled(world, OUT, HOLDS, max_parallel_calls=2)
    client = Client(line=line)
    client.send(StartCampaign(campaign_id=campaign))
    later(line, world, 300)
    client.run(bookkeeping(line.desk()))
    row = the_row(line)
    assert row.closed_at is None
    assert len(line.desk().dnc().numbers("sandbox")) == 1
    (held,) = (
        call
        for call in world.get(f"/v1/calls?campaign_id={campaign}")["data"]
        if call["status"] == "in_progress"
    )
    assert row.heard_to is not None
    assert row.heard_to <= datetime.fromisoformat(held["created_at"])


def test_a_number_that_was_unblocked_stays_so_however_often_the_campaign_is_heard(
    world: World, line: Line
) -> None:
    campaign = dialled(world, HOLDS, OUT, max_parallel_calls=2)
    client = Client(line=line)
    client.send(StartCampaign(campaign_id=campaign))
    later(line, world, 300)
    client.run(close_books(line.desk()))
    (number,) = line.desk().dnc().numbers("sandbox")
    line.desk().dnc().remove("sandbox", number, line.clock())
    for _ in range(2):
        client.run(close_books(line.desk()))
    assert line.desk().dnc().numbers("sandbox") == {}
    assert the_row(line).closed_at is None


SINCE = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
CAMPAIGN = {
    "id": "k1",
    "name": "Spring",
    "status": "running",
    "stats": {"minutes_used": 9},
    "timezone": "UTC",
}


class Dialler(Leads):
    """A TopCalls with one campaign and its calls, listed as it documents: newest first, at most so many."""

    def __init__(self, *calls: dict[str, Any], status: str = "running", **more: Any) -> None:
        super().__init__(**more)
        self.calls = sorted(calls, key=lambda call: call["created_at"], reverse=True)
        self.status = status
        self.looks: list[str | None] = []

    def play(self, request: httpx.Request) -> httpx.Response:
        match request.url.path:
            case "/v1/campaigns/k1":
                return httpx.Response(200, json={**CAMPAIGN, "status": self.status})
            case "/v1/campaigns/k1/start":
                return httpx.Response(200, json={"ok": True})
            case "/v1/calls":
                most, cursor = int(request.url.params["limit"]), request.url.params.get("cursor")
                assert request.url.params["campaign_id"] == "k1"
                self.looks.append(cursor)
                before = [call for call in self.calls if cursor is None or call["created_at"] < cursor]
                more = before[most - 1]["created_at"] if len(before) > most else None
                return httpx.Response(200, json={"data": before[:most], "next_cursor": more})
        return super().play(request)


def call(number: int, at: datetime, asks: bool = True, **more: Any) -> dict[str, Any]:
    written = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    said = ASKED if asks else ASKED[:1]
    ended = {"status": "completed", "started_at": written, "end_at": written, "call_summary": "They spoke."}
    phone = f"+1415555{number:04}"
    made = {"id": f"c{number}", "phone_number": phone, "created_at": written, "campaign_id": "k1"}
    return {**made, **ended, "transcript": said, "answered_by": "human", **more}


@pytest.fixture
def started(home: Path) -> Callable[..., tuple[Line, list[datetime]]]:
    """A live line over which a campaign was started, and its clock."""

    def start() -> tuple[Line, list[datetime]]:
        line, now = moving_line(home)
        now[0] = SINCE
        sent("sync", line, Dialler(status="draft"), StartCampaign(campaign_id="k1"), approve=yes)  # type: ignore[arg-type]
        return line, now

    return start


def hear(line: Line, town: Dialler) -> None:
    drive(line, town, close_books(line.desk()))  # type: ignore[arg-type]


@pytest.mark.parametrize("spread", ["evenly", "at once", "at the end"])
def test_of_thousands_of_calls_none_is_left_out_and_none_heard_twice(
    started: Callable[..., tuple[Line, list[datetime]]], spread: str
) -> None:
    line, now = started()
    count, gap = 1500, {"evenly": 2000, "at once": 3, "at the end": 5}[spread]
    first = SINCE + timedelta(seconds=3000 if spread == "at the end" else 1)
    calls = [
        call(number, first + timedelta(milliseconds=gap * number), number % 100 == 7)
        for number in range(count)
    ]
    now[0] += timedelta(hours=2)
    town = Dialler(*calls)
    runs = 0
    while (row_of(line).heard_to or SINCE) < datetime.fromisoformat(calls[-1]["created_at"]):
        looks = len(town.looks)
        hear(line, town)
        runs += 1
        assert len(town.looks) - looks <= PAGES
        assert runs < 10
    heard = told(line, row_of(line))
    assert [*heard] == [f"c{number}" for number in range(count) if number % 100 == 7]
    assert len(line.desk().dnc().numbers("live")) == len(heard) == 15
    town.status = "completed"
    hear(line, town)
    assert row_of(line).used_minutes == 9
    assert told(line, row_of(line)) == heard


def test_one_look_hears_what_is_new(started: Callable[..., tuple[Line, list[datetime]]]) -> None:
    line, now = started()
    now[0] += timedelta(minutes=5)
    town = Dialler(*(call(number, SINCE + timedelta(seconds=number)) for number in range(2)))
    hear(line, town)
    assert len(town.looks) == 1
    assert [*told(line, row_of(line))] == ["c0", "c1"]


def test_a_call_under_way_is_waited_for_and_keeps_no_other_from_being_heard(
    started: Callable[..., tuple[Line, list[datetime]]],
) -> None:
    line, now = started()
    now[0] += timedelta(minutes=5)
    going = call(0, SINCE + timedelta(seconds=1), status="in_progress", call_summary=None, end_at=None)
    others = [call(number, SINCE + timedelta(seconds=number + 1), number > 300) for number in range(1, 302)]
    hear(line, Dialler(going, *others, status="paused"))
    assert [*told(line, row_of(line))] == ["c301"]
    assert (row_of(line).heard_to, row_of(line).closed_at) == (SINCE + timedelta(seconds=1), None)
    hear(line, Dialler(call(0, SINCE + timedelta(seconds=1)), *others, status="paused"))
    assert [*told(line, row_of(line))] == ["c301", "c0"]
    assert row_of(line).closed_at == now[0]


def test_last_turns_are_waited_for_until_the_summary_or_a_minute(
    started: Callable[..., tuple[Line, list[datetime]]],
) -> None:
    line, now = started()
    now[0] += timedelta(seconds=30)
    early = call(0, SINCE + timedelta(seconds=1), False, call_summary=None)
    hear(line, Dialler(early))
    assert row_of(line).heard_to == SINCE + timedelta(seconds=1)
    now[0] += timedelta(minutes=1)
    hear(line, Dialler({**early, "transcript": ASKED}))
    assert [*told(line, row_of(line))] == ["c0"]


def test_a_call_that_never_ends_is_heard_once_it_must_be_over(
    started: Callable[..., tuple[Line, list[datetime]]],
) -> None:
    line, now = started()
    stuck = Dialler(call(0, SINCE, status="in_progress", end_at=None, call_summary=None), status="paused")
    now[0] += timedelta(minutes=69)
    hear(line, stuck)
    assert row_of(line).closed_at is None
    now[0] += timedelta(minutes=2)
    hear(line, stuck)
    assert [*told(line, row_of(line))] == ["c0"]
    assert row_of(line).used_minutes == 9


def test_calls_from_before_it_was_started_here_are_not_heard(
    started: Callable[..., tuple[Line, list[datetime]]],
) -> None:
    line, now = started()
    now[0] += timedelta(minutes=5)
    hear(line, Dialler(call(0, SINCE - timedelta(minutes=1)), call(1, SINCE + timedelta(minutes=1))))
    assert [*told(line, row_of(line))] == ["c1"]


def test_where_the_time_is_short_the_rest_is_heard_next_time(
    started: Callable[..., tuple[Line, list[datetime]]],
) -> None:
    line, now = started()
    now[0] += timedelta(minutes=5)
    passed = [0.0]
    line.timer = lambda: passed[0]

    def slow(request: httpx.Request) -> httpx.Response | None:
        passed[0] += 4 if request.url.path.startswith("/v1/leads") else 0
        return None

    town = Dialler(*(call(number, SINCE + timedelta(seconds=number)) for number in range(8)), refuse=slow)
    desk = line.desk()
    desk.restart()
    drive(line, town, bookkeeping(desk))  # type: ignore[arg-type]
    assert desk.left() > IN_ALL - BY_THE_WAY
    some = len(told(line, row_of(line)))
    assert 0 < some < 8
    while len(told(line, row_of(line))) < 8:
        desk = line.desk()
        desk.restart()
        drive(line, town, bookkeeping(desk))  # type: ignore[arg-type]
    assert len(line.desk().dnc().numbers("live")) == 8
    assert all(not one.facts["leads_left"] for one in told(line, row_of(line)).values())


def test_a_crash_between_two_calls_has_the_second_heard_and_the_first_not_again(
    started: Callable[..., tuple[Line, list[datetime]]], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    line, now = started()
    now[0] += timedelta(minutes=5)
    town = Dialler(*(call(number, SINCE + timedelta(seconds=number)) for number in range(2)))

    def dies(*given: Any) -> None:
        note(*given)
        raise KeyboardInterrupt

    monkeypatch.setattr("topcalls_tools.journal.heard.note", dies)
    with pytest.raises(KeyboardInterrupt):
        hear(line, town)
    monkeypatch.undo()
    monkeypatch.setenv("TOPCALLS_HOME", str(home))
    line.desk().dnc().remove("live", "+14155550000", now[0])
    hear(line, town)
    assert [*told(line, row_of(line))] == ["c0", "c1"]
    assert [*line.desk().dnc().numbers("live")] == ["+14155550001"]


def test_what_cannot_be_blocked_is_not_passed_over(
    started: Callable[..., tuple[Line, list[datetime]]], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise Refused("journal", "The journal cannot be written.")

    line, now = started()
    now[0] += timedelta(minutes=5)
    (home / "dnc.log").mkdir()
    monkeypatch.setattr("topcalls_tools.journal.blocking.block", full)
    with pytest.raises(Misconfigured, match="Nothing is blocked"):
        hear(line, Dialler(call(0, SINCE + timedelta(seconds=1))))
    assert (row_of(line).heard_to, row_of(line).closed_at) == (None, None)


def test_a_call_of_the_same_id_in_another_account_keeps_nobody_from_being_heard(
    started: Callable[..., tuple[Line, list[datetime]]],
) -> None:
    line, now = started()
    now[0] += timedelta(minutes=5)
    other = replace(row_of(line), account="practice")
    note(line.desk().journal(), other, "c0", {"heard": {"robot": 2}}, now[0])
    hear(line, Dialler(call(0, SINCE + timedelta(seconds=1))))
    assert [*line.desk().dnc().numbers("live")] == ["+14155550000"]
    found = heard_since(line.desk().journal(), "live", SINCE)
    assert [one.facts["heard"] for one in found] == [{"opt_out": 2}]


def test_an_agent_of_a_campaign_that_never_says_who_speaks_is_noted(
    started: Callable[..., tuple[Line, list[datetime]]],
) -> None:
    line, now = started()
    now[0] += timedelta(minutes=5)
    silent = [{"id": 1, "user": "assistant", "text": "Good day, Spring Fair here."}]
    hear(
        line, Dialler(call(0, SINCE, False, transcript=silent), call(1, SINCE + timedelta(seconds=1), False))
    )
    assert {name: one.facts for name, one in told(line, row_of(line)).items()} == {
        "c0": {"disclosed": 0, "announced": 0}
    }
    assert heard_since(line.desk().journal(), "live", SINCE) == []


def test_nothing_personal_is_written_down_of_a_campaigns_calls(
    started: Callable[..., tuple[Line, list[datetime]]],
) -> None:
    line, now = started()
    now[0] += timedelta(minutes=5)
    hear(line, Dialler(call(0, SINCE + timedelta(seconds=1), phone_number=NUMBER)))
    (one,) = told(line, row_of(line)).values()
    assert NUMBER not in repr(one)
    assert "Stop calling" not in repr(one)
    assert [*archive.troubles(line.desk().journal())] == []


def test_the_journal_flags_what_was_heard_of_each_call_and_campaign(keyed: World) -> None:
    number = f"+1415555{ROBOT}"
    assert run("place-call", "--phone-number", number, "--task", CALL["task"]).exit_code == 0
    campaign = dialled(keyed, OUT, LATER, ROBOT, LATER)
    assert run("start-campaign", "--campaign-id", campaign).exit_code == 0
    before = json.loads(run("journal", "list", "--json").output)["data"]
    assert [row.get("heard") for row in before] == [None, None]
    keyed.advance(900)
    assert run("callbacks").exit_code == 0
    started, called = json.loads(run("journal", "list", "--json").output)["data"]
    assert (called["heard"], set(started["heard"].split(", "))) == (
        "asked for a robot",
        {"no more calls", "call back (2)", "asked for a robot"},
    )
    assert "call back (2)" in run("journal", "list").output
    calls = keyed.get(f"/v1/calls?campaign_id={campaign}")["data"]
    (out,) = (call["id"] for call in calls if call["phone_number"].endswith(OUT))
    assert f"Heard in {out}: no more calls.\n" in run("journal", "show", started["key"]).output
    told = json.loads(run("journal", "show", started["key"], "--json").output)["calls_heard"]
    assert {one["call_id"] for one in told} == {call["id"] for call in calls}


def test_that_an_agent_of_a_campaign_never_said_who_speaks_is_flagged(
    started: Callable[..., tuple[Line, list[datetime]]],
) -> None:
    line, now = started()
    now[0] += timedelta(minutes=5)
    silent = [{"id": 1, "user": "assistant", "text": "Good day, Spring Fair here."}]
    hear(line, Dialler(call(0, SINCE + timedelta(seconds=1), False, transcript=silent)))
    (row,) = json.loads(run("journal", "list", "--json").output)["data"]
    assert row["heard"] == "AI not said"


def test_every_store_keeps_what_was_heard_once(store: Path | str) -> None:
    row = DialRow(
        "k", "live", "line", "start_campaign", {}, "d", "Fair", 9, "placed", SINCE, SINCE, SINCE, call_id=None
    )
    with closing(Journal(store)) as journal:
        for _ in range(2):
            note(journal, row, "c1", {"heard": {"callback": 2}, "call_from": SINCE.isoformat()}, SINCE)
        note(journal, row, "c2", {"disclosed": 0}, SINCE)
        assert noted(journal, "live", ["c1", "c2", "c3"]) == {"c1", "c2"}
        assert noted(journal, "other", ["c1"]) == set()
        assert [one.call_id for one in of_dials(journal, ["k", "other"])["k"]] == ["c1", "c2"]
        (one,) = heard_since(journal, "live", SINCE)
        assert (one.call_id, one.at, one.dial) == ("c1", SINCE, None)
        assert one.facts == {"heard": {"callback": 2}, "call_from": SINCE.isoformat()}
        assert heard_since(journal, "live", SINCE + timedelta(seconds=1)) == []
        assert heard_since(journal, "other", SINCE) == []
        assert rung_since(journal, "live", "nobody", SINCE) is None
