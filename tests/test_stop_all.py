"""Stopping everything: what is going on is ended, what was agreed to before rings nothing, and nothing that is
broken here stands in the way."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest

from topcalls_tools import Client
from topcalls_tools.connect import Line
from topcalls_tools.deeds import StopAll
from topcalls_tools.deeds.stop_all import AT_FIRST, AT_LEAST, LOOKS, UNHEARD, AllStopped
from topcalls_tools.errors import Refused, Unanswered
from topcalls_tools.flow.reconcile import reconcile
from topcalls_tools.flow.steps import ONE_ATTEMPT, Send, Sleep
from topcalls_tools.journal.store import Journal
from topcalls_tools.settings import Settings
from topcalls_tools.wire import moment

from .conftest import CALL, World
from .test_flow import LIST, PLACE, Script, moving_line, sent, yes
from .test_reconcile import drive, lost
from .test_yes import agreed, waits

ENDLESS, STUCK = "+14155550008", "+14155550009"
"""One keeps the line open until it is stopped, one stays queued."""
YES = {"task": CALL["task"], "max_duration": 1}


def unhurried(line: Line, transport: httpx.BaseTransport | None = None) -> Client:
    """A client whose pauses take no time. It leaves the line open."""
    client = Client(line=line, transport=transport)
    inner = client._step
    client._step = lambda step, ask: None if isinstance(step, Sleep) else inner(step, ask)  # type: ignore[method-assign]
    return client


def stopped(line: Line, transport: httpx.BaseTransport | None = None) -> AllStopped:
    return unhurried(line, transport).send(StopAll())


class Watched(httpx.BaseTransport):
    """The way to a sandbox, with every request noted; `after` hears each that was answered."""

    def __init__(self, after: Callable[[httpx.Request], None] = lambda request: None) -> None:
        self._inner, self._after = httpx.HTTPTransport(), after
        self.asked: list[str] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(f"{request.method} {request.url.path}")
        reply = self._inner.handle_request(request)
        self._after(request)
        return reply

    @property
    def brakes(self) -> list[str]:
        return [one for one in self.asked if one.startswith("POST")]


def post(world: World, path: str, body: Any = None) -> Any:
    with httpx.Client(
        base_url=world.url, headers={"Authorization": f"Bearer {world.key}"}, trust_env=False
    ) as http:
        return http.post(path, json=body).raise_for_status().json()


def placed(world: World, number: str) -> str:
    """A call that somebody else placed."""
    call_id: str = post(world, "/v1/calls", {"phone_number": number, **YES})["call_id"]
    return call_id


def going(world: World) -> list[str]:
    """Everything that is under way, page by page."""
    found, cursor = [], ""
    while True:
        page = world.get(f"/v1/calls?limit=200{cursor}")
        found += [
            call["id"] for call in page["data"] if call["status"] not in ("completed", "failed", "cancelled")
        ]
        if not page.get("next_cursor"):
            return [*found, *(one["id"] for one in world.get("/v1/campaigns?status=running")["data"])]
        cursor = f"&cursor={page['next_cursor']}"


def dialling(world: World) -> str:
    """A campaign that is dialling people who keep the line."""
    made = post(
        world,
        "/sandbox/campaigns",
        {
            "name": "Fair",
            "task": "Tell {{name}} of the fair, and ask whether they come.",
            "opens": "00:00",
            "closes": "00:00",
            "max_parallel_calls": 3,
            "contacts": [
                {"name": f"Contact {place}", "phone_number": f"+1{201 + place}5560008"} for place in range(9)
            ],
        },
    )
    post(world, f"/v1/campaigns/{made['id']}/start")
    world.advance(60)
    campaign_id: str = made["id"]
    return campaign_id


def test_campaigns_pause_first_and_then_what_is_queued_is_dropped_and_what_rings_is_hung_up(
    world: World, line: Line
) -> None:
    campaign, talking, queued = dialling(world), placed(world, ENDLESS), placed(world, STUCK)
    world.advance(30)
    before = going(world)
    assert len(before) >= 6
    way = Watched()
    done = stopped(line, way)
    assert done.ok, done
    assert (done.left, done.problems) == ((), ())
    assert going(world) == []
    assert {*done.calls_ended, *done.campaigns_paused} == {*before}
    assert campaign in done.campaigns_paused
    assert done.scheduled
    kinds = [one.rpartition("/")[2] for one in way.brakes]
    assert kinds[: kinds.count("pause")] == ["pause"] * len(done.campaigns_paused)
    assert f"POST /v1/calls/{queued}/cancel" in way.brakes
    assert f"POST /v1/calls/{talking}/stop" in way.brakes
    assert f"POST /v1/calls/{talking}/cancel" not in way.brakes
    rang = len(world.rings())
    world.advance(7200)
    assert len(world.rings()) == rang


def test_with_nothing_under_way_it_looks_twice_and_stops_nothing(world: World, line: Line) -> None:
    stopped(line)
    way = Watched()
    done = stopped(line, way)
    assert done.ok
    assert (done.campaigns_paused, done.calls_ended, done.left, way.brakes) == ((), (), (), [])
    assert way.asked.count("GET /v1/calls") == 2


def test_more_calls_than_a_page_holds_are_all_ended(world: World, line: Line) -> None:
    names = {placed(world, STUCK if place % 2 else ENDLESS) for place in range(230)}
    done = stopped(line)
    assert done.ok, done
    assert {*done.calls_ended} == names
    assert going(world) == []


def test_a_call_that_appears_meanwhile_is_ended_too(world: World, line: Line) -> None:
    late: list[str] = []

    def after(request: httpx.Request) -> None:
        if request.url.path == "/v1/calls" and len(late) < 3:
            late.append(placed(world, ENDLESS))

    done = stopped(line, Watched(after))
    assert done.ok
    assert {*done.calls_ended} == {*late}
    assert len(late) == 3
    assert going(world) == []


def test_an_old_call_that_the_journal_holds_open_is_stopped(home: Path) -> None:
    line, _ = moving_line(home)
    sent("sync", line, Script(201), PLACE, approve=yes)
    way = TopCalls()
    way.calls["c1"] = {"status": "in_progress", "created_at": "2020-01-01T00:00:00Z", "listed": False}
    done = stopped(line, httpx.MockTransport(way))
    assert done.ok, done
    assert done.calls_ended == ("c1",)


class TopCalls:
    """A TopCalls in a few lines, for what a sandbox does not do by itself: `refuse` answers before anything else."""

    def __init__(
        self, refuse: Callable[[httpx.Request], httpx.Response | None] = lambda request: None
    ) -> None:
        self.calls: dict[str, dict[str, Any]] = {}
        self.running: list[str] = []
        self.asked: list[str] = []
        self._refuse = refuse

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(f"{request.method} {request.url.path}")
        if (refused := self._refuse(request)) is not None:
            return refused
        match request.url.path.strip("/").split("/"):
            case ["v1", "campaigns"]:
                status = request.url.params["status"]
                return httpx.Response(
                    200, json={"data": [{"id": one} for one in self.running if status == "running"]}
                )
            case ["v1", "campaigns", name, "pause"]:
                self.running.remove(name)
                return httpx.Response(200, json={"ok": True})
            case ["v1", "calls"]:
                listed = [
                    {"id": name, **call} for name, call in self.calls.items() if call.get("listed", True)
                ]
                start = int(request.url.params.get("cursor", "2000-01-01")[:4]) - 2000
                rest = f"{2000 + start + 2}-01-01" if len(listed) > start + 2 else None
                return httpx.Response(200, json={"data": listed[start : start + 2], "next_cursor": rest})
            case ["v1", "calls", name]:
                return httpx.Response(200, json={"id": name, **self.calls[name]})
            case ["v1", "calls", name, _] if name not in self.calls:
                return httpx.Response(404, json={"status": 404, "title": "none"})
            case ["v1", "calls", name, _] if self.calls[name]["status"] in ("completed", "cancelled"):
                return httpx.Response(400, json={"type": "x/invalid_state", "status": 400})
            case ["v1", "calls", name, _]:
                self.calls[name]["status"] = "cancelled"
                return httpx.Response(200, json={"ok": True, "status": "cancelled"})
        raise AssertionError(request.url)


def talking(minutes: float = 1, at: datetime | None = None) -> dict[str, Any]:
    """A call in progress that was placed so long ago."""
    made = (at or datetime.now(UTC)) - timedelta(minutes=minutes)
    return {"status": "in_progress", "created_at": made.isoformat()}


def test_one_that_cannot_be_stopped_is_named_and_keeps_nobody_from_the_rest(
    live: Callable[..., Line],
) -> None:
    def refuse(request: httpx.Request) -> httpx.Response | None:
        return httpx.Response(500) if "/calls/bad" in request.url.path else None

    topcalls = TopCalls(refuse)
    topcalls.calls = {"good": talking(), "bad": talking(), "fine": talking(), "last": talking()}
    done = stopped(live(), httpx.MockTransport(topcalls))
    assert not done.ok
    assert (done.left, done.calls_ended) == (("bad",), ("good", "fine", "last"))
    assert len(done.problems) == 1
    assert "500" in done.problems[0]


@pytest.mark.parametrize("of_one_moment", [150, 250])
def test_calls_of_one_moment_that_a_page_cuts_apart_are_all_ended_or_said_to_be_unseen(
    live: Callable[..., Line], of_one_moment: int
) -> None:
    """A campaign places many calls in one second, and TopCalls' cursor is a time: the 201st must be seen, and
    where it cannot be, nobody is told that nothing goes on."""
    made = datetime.now(UTC).replace(microsecond=0)
    calls = {
        f"c{place:03}": talking(at=made - timedelta(minutes=place // of_one_moment)) for place in range(250)
    }
    topcalls = TopCalls()
    topcalls.calls = calls

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path != "/v1/calls":
            return topcalls(request)
        before = request.url.params.get("cursor", "9999-01-01")
        older = [
            {"id": name, **call}
            for name, call in calls.items()
            if moment(call["created_at"]) < moment(before)
        ]
        page, more = older[:200], older[200:]
        cursor = page[-1]["created_at"] if more else None
        return httpx.Response(200, json={"data": page, "next_cursor": cursor})

    done = stopped(live(), httpx.MockTransport(answer))
    ended = {call["status"] for call in calls.values()} == {"cancelled"}
    assert done.ok == ended == (of_one_moment == 150)
    assert any("more of one moment than it lists" in problem for problem in done.problems) != ended


def test_an_id_that_cannot_be_sent_keeps_nobody_from_the_rest(live: Callable[..., Line]) -> None:
    topcalls = TopCalls()
    topcalls.calls = {"not/an/id": talking(), "good": talking()}
    done = stopped(live(), httpx.MockTransport(topcalls))
    assert (done.ok, done.left, done.calls_ended) == (False, ("not/an/id",), ("good",))
    assert done.problems == ("'not/an/id' is no id that TopCalls Tools can send; stop it in the dashboard.",)


def test_what_a_page_showed_is_stopped_even_where_the_next_one_fails(live: Callable[..., Line]) -> None:
    def refuse(request: httpx.Request) -> httpx.Response | None:
        return httpx.Response(403, json={"status": 403}) if "cursor" in request.url.params else None

    topcalls = TopCalls(refuse)
    topcalls.calls = {f"c{place}": talking() for place in range(3)}
    done = stopped(live(), httpx.MockTransport(topcalls))
    assert not done.ok
    assert done.calls_ended == ("c0", "c1")
    assert "403" in done.problems[0]


@pytest.mark.parametrize("path", ["/v1/calls", "/v1/campaigns"])
def test_what_cannot_be_seen_is_not_said_to_be_stopped(live: Callable[..., Line], path: str) -> None:
    def refuse(request: httpx.Request) -> httpx.Response | None:
        return httpx.Response(403, json={"status": 403}) if request.url.path == path else None

    topcalls = TopCalls(refuse)
    topcalls.calls, topcalls.running = {"c0": talking()}, ["k0"]
    done = stopped(live(), httpx.MockTransport(topcalls))
    assert not done.ok
    assert (
        (done.calls_ended, done.campaigns_paused) == ((), ("k0",)) if path == "/v1/calls" else (("c0",), ())
    )
    assert topcalls.asked.count(f"GET {path}") <= 6  # it is given up


def test_a_line_that_fails_at_first_is_looked_through_again(live: Callable[..., Line]) -> None:
    failures = iter([httpx.Response(500)] * 4)

    def refuse(request: httpx.Request) -> httpx.Response | None:
        return next(failures, None) if request.url.path == "/v1/calls" else None

    topcalls = TopCalls(refuse)
    topcalls.calls = {"c0": talking()}
    done = stopped(live(), httpx.MockTransport(topcalls))
    assert done.ok
    assert (done.calls_ended, done.problems) == (("c0",), ())


def test_it_waits_as_long_as_topcalls_asks(live: Callable[..., Line]) -> None:
    line, slept = live(), []
    failures = iter([httpx.Response(429, headers={"Retry-After": "50"})])

    def refuse(request: httpx.Request) -> httpx.Response | None:
        return next(failures, None) if request.method == "POST" else None

    topcalls = TopCalls(refuse)
    topcalls.calls = {"c0": talking()}
    client = Client(line=line, transport=httpx.MockTransport(topcalls))
    inner = client._step
    client._step = lambda step, ask: (
        slept.append(step.seconds) if isinstance(step, Sleep) else inner(step, ask)
    )  # type: ignore[method-assign, func-returns-value]
    assert client.send(StopAll()).ok
    assert 50 in slept


def test_many_calls_do_not_run_out_of_time(home: Path) -> None:
    ticks = count()
    settings = Settings(api_key="tc_live_canary0123", base_url="https://x.invalid", home=home)
    line = Line(settings, timer=lambda: float(next(ticks)))
    topcalls, given = TopCalls(), []
    topcalls.calls = {f"c{place}": talking() for place in range(60)}
    client = unhurried(line, httpx.MockTransport(topcalls))
    inner = client._step

    def step(one: Any, approve: Any) -> Any:
        given.extend([one.seconds] if isinstance(one, Send) else ())
        return inner(one, approve)

    client._step = step  # type: ignore[method-assign]
    assert client.send(StopAll()).ok
    assert {*given} == {ONE_ATTEMPT, AT_FIRST - 1}  # the clock ticks once meanwhile


class Hanging(TopCalls):
    """A TopCalls that never answers what would stop something, and the clock of those who wait for it."""

    def __init__(self, *, heeds: bool = False) -> None:
        super().__init__(self._hang)
        self.now, self._heeds = 0.0, heeds
        self.tried: list[tuple[str, float]] = []
        """What was to be stopped, and after how many seconds."""

    def _hang(self, request: httpx.Request) -> httpx.Response | None:
        if request.url.path in ("/v1/calls", "/v1/campaigns"):
            return None
        name = request.url.path.split("/")[3]
        if request.method == "POST":
            self.tried.append((name, self.now))
            if self._heeds and name in self.running:
                self.running.remove(name)
            elif self._heeds:
                self.calls[name]["status"] = "cancelled"
        self.now += request.extensions["timeout"]["read"]
        raise httpx.ReadTimeout("lost")

    def stopped(self, home: Path) -> AllStopped:
        settings = Settings(api_key="tc_live_canary0123", base_url="https://x.invalid", home=home)
        return stopped(Line(settings, timer=lambda: self.now), httpx.MockTransport(self))


def test_whatever_hangs_all_are_tried_within_a_few_seconds_each(home: Path) -> None:
    topcalls = Hanging()
    topcalls.calls, topcalls.running = {f"c{place}": talking() for place in range(20)}, ["k0"]
    topcalls.calls["c7"]["status"] = "queued"
    done = topcalls.stopped(home)
    assert (done.ok, len(done.left), len(done.problems)) == (False, 21, 21)
    first = dict(reversed(topcalls.tried))
    assert len(first) == 21
    assert max(first.values()) <= 22 * (AT_FIRST + 0.5)
    assert max(at for _, at in topcalls.tried) > 21 * ONE_ATTEMPT  # and then with patience


def test_what_was_found_last_does_not_wait_for_what_hangs(home: Path) -> None:
    topcalls = Hanging()
    topcalls.calls, topcalls.running = {"old": talking()}, []
    inner = topcalls._refuse

    def refuse(request: httpx.Request) -> httpx.Response | None:
        if topcalls.tried and len(topcalls.calls) == 1:
            topcalls.calls["new"] = talking()
        return inner(request)

    topcalls._refuse = refuse
    topcalls.stopped(home)
    assert [name for name, _ in topcalls.tried][:3] == ["old", "new", "old"]


def test_what_is_stopped_though_the_answer_was_lost_is_named(home: Path) -> None:
    topcalls = Hanging(heeds=True)
    topcalls.calls, topcalls.running = {"c0": talking()}, ["k0"]
    done = topcalls.stopped(home)
    assert done.ok, done
    assert (done.calls_ended, done.campaigns_paused) == (("c0",), ("k0",))


def test_a_clock_of_ours_that_is_hours_ahead_hides_no_call(home: Path) -> None:
    line, now = moving_line(home)
    topcalls = TopCalls()
    behind = now[0] - timedelta(hours=5)
    topcalls.calls = {f"c{place}": talking(place, behind) for place in range(7)}
    done = stopped(line, httpx.MockTransport(topcalls))
    assert len(done.calls_ended) == 7


def test_calls_of_long_ago_are_not_gone_through(home: Path) -> None:
    line, now = moving_line(home)
    topcalls = TopCalls()
    topcalls.calls = {
        f"c{place}": {**talking(place * 40, now[0]), "status": "completed"} for place in range(40)
    }
    assert stopped(line, httpx.MockTransport(topcalls)).ok
    assert topcalls.asked.count("GET /v1/calls") == 4  # two looks of two pages


def test_what_says_it_was_stopped_and_goes_on_is_not_believed(live: Callable[..., Line]) -> None:
    def refuse(request: httpx.Request) -> httpx.Response | None:
        return httpx.Response(200, json={"ok": True}) if request.url.path.endswith("/stop") else None

    topcalls = TopCalls(refuse)
    topcalls.calls = {"c0": talking()}
    done = stopped(live(), httpx.MockTransport(topcalls))
    assert (done.ok, done.left) == (False, ("c0",))
    assert topcalls.asked.count("GET /v1/calls") == LOOKS


def test_while_another_process_may_be_dialling_it_goes_on_looking(home: Path) -> None:
    line, now = moving_line(home)
    lost(line)
    topcalls = TopCalls()
    client = Client(line=line, transport=httpx.MockTransport(topcalls))
    inner = client._step

    def step(one: Any, approve: Any) -> Any:
        if not isinstance(one, Sleep):
            return inner(one, approve)
        now[0] += timedelta(seconds=one.seconds)
        if now[0] - begun > timedelta(seconds=30) and not topcalls.calls:
            topcalls.calls["late"] = talking(0, now[0])  # what had been sent arrives
        return None

    begun = now[0]
    client._step = step  # type: ignore[method-assign]
    done = client.send(StopAll())
    assert done.ok
    assert done.calls_ended == ("late",)
    assert now[0] - begun > timedelta(seconds=60)


def opened(line: Line) -> str:
    """A question that is open. Gives its seal."""
    seals: list[str] = []

    def approve(ask: Any) -> Any:
        seals.append(ask.seal)
        return waits(ask)

    with pytest.raises(Unanswered):
        Client(line=line, approve=approve).send(PLACE)
    return seals[0]


def test_a_yes_from_before_dials_nothing_and_one_after_it_does(world: World, rehearsal: Line) -> None:
    agreed(rehearsal, opened(rehearsal))
    assert stopped(rehearsal).ok
    with pytest.raises(Refused, match="stop-all"):
        Client(line=rehearsal).send(PLACE)
    assert world.rings() == []
    agreed(rehearsal, opened(rehearsal))
    Client(line=rehearsal).send(PLACE)
    assert len(world.rings()) == 1


def test_a_yes_that_is_given_after_it_to_a_question_from_before_counts(world: World, rehearsal: Line) -> None:
    seal = opened(rehearsal)
    assert stopped(rehearsal).ok
    agreed(rehearsal, seal)
    Client(line=rehearsal).send(PLACE)
    assert len(world.rings()) == 1


@pytest.mark.parametrize("gone", ["stopped_at", "the journal's mark"])
def test_either_of_the_two_marks_ends_the_yeses_of_another_process(
    world: World, rehearsal: Line, home: Path, gone: str
) -> None:
    agreed(rehearsal, opened(rehearsal))
    assert stopped(rehearsal).ok
    if gone == "stopped_at":
        (home / "stopped_at").unlink()
    else:
        with sqlite3.connect(home / "journal.db") as db:
            assert db.execute("DELETE FROM stops").rowcount == 1
    env = {
        **os.environ, "TOPCALLS_API_KEY": world.key, "TOPCALLS_BASE_URL": world.url, "TOPCALLS_REHEARSE": "1",
    }  # fmt: skip
    command = ["place-call", "--phone-number", CALL["phone_number"], "--task", CALL["task"]]
    done = subprocess.run(
        [sys.executable, "-m", "topcalls_tools.cli", *command],
        capture_output=True, text=True, env=env, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 3, done.stderr
    assert "stop-all" in done.stderr
    assert world.rings() == []


def test_what_a_crash_left_open_rings_no_more(home: Path) -> None:
    line, now = moving_line(home)
    lost(line)
    unhurried(line, httpx.MockTransport(TopCalls())).send(StopAll())
    now[0] += timedelta(seconds=61)
    script = Script(LIST)
    drive(line, script, reconcile(line.desk()))
    assert {request.method for request in script.requests} == {"GET"}


@pytest.fixture
def kept(home: Path) -> Path:
    """A home with a journal in it."""
    home.mkdir()
    Journal(home / "journal.db").close()
    return home


@pytest.fixture
def keyed(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setenv("TOPCALLS_API_KEY", world.key)
    monkeypatch.setenv("TOPCALLS_BASE_URL", world.url)
    return world


BROKEN = ["locked", "corrupt", "directory", "missing", "policy", "contacts", "secret", "no home", "mark"]


@pytest.mark.parametrize("breakage", BROKEN)
def test_nothing_that_is_broken_here_stands_in_its_way(
    keyed: World, kept: Path, monkeypatch: pytest.MonkeyPatch, breakage: str
) -> None:
    campaign, call = dialling(keyed), placed(keyed, ENDLESS)
    other = sqlite3.connect(kept / "journal.db", isolation_level=None)
    match breakage:
        case "locked":
            other.execute("BEGIN EXCLUSIVE")
        case "corrupt":
            (kept / "journal.db").write_bytes(os.urandom(50_000))
        case "directory":
            (kept / "journal.db").unlink()
            (kept / "journal.db").mkdir()
        case "missing":
            (kept / "journal.db").unlink()
        case "policy":
            (kept / "policy.toml").write_text("approval = [")
        case "contacts":
            (kept / "contacts.toml").write_text("name = ")
        case "secret":
            (kept / "secret").write_bytes(b"short")
        case "no home":
            monkeypatch.setenv("TOPCALLS_HOME", "/dev/null/nothing")
        case "mark":
            (kept / "stopped_at").mkdir()
    line, way = Line(Settings.load()), Watched()
    done = stopped(line, way)
    line.close()
    other.close()
    assert call in done.calls_ended
    assert campaign in done.campaigns_paused
    assert (done.left, going(keyed)) == ((), [])
    assert done.ok is (breakage != "no home")
    silent = breakage in ("locked", "corrupt", "directory", "no home")
    assert len(done.problems) == silent, done.problems
    looks = way.asked.count("GET /v1/calls")
    assert looks == 1 + (
        UNHEARD if silent else AT_LEAST
    )  # who knows of no dial looks for as long as one takes


SCRIPT = """
import os, resource, signal, sys
from topcalls_tools import Client, GetBalance
from topcalls_tools.deeds import StopAll
from topcalls_tools.flow.steps import ONE_ATTEMPT, Send, Sleep
import topcalls_tools.journal.store, topcalls_tools.journal.heads, alembic.command, sqlalchemy.dialects.sqlite.pysqlite

client = Client()
client.send(GetBalance())  # all that nobody may read is loaded
inner = client._step
client._step = lambda step, ask: None if isinstance(step, Sleep) else inner(step, ask)
if sys.argv[1] == "full":
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
elif os.geteuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
print(client.send(StopAll()).model_dump_json())
"""


@pytest.mark.parametrize("breakage", ["full", "read-only"])
def test_a_home_that_cannot_be_written_to_is_no_hindrance_and_is_said(
    keyed: World, kept: Path, breakage: str
) -> None:
    campaign, call = dialling(keyed), placed(keyed, ENDLESS)
    for path in kept.iterdir():
        path.chmod(0o444)
    for path in (kept, *kept.parents[:3]):
        path.chmod(0o555)
    try:
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT, breakage], capture_output=True, text=True, timeout=100, check=False
        )
    finally:
        for path in (kept, *kept.parents[:3]):
            path.chmod(0o755)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert call in told["calls_ended"]
    assert campaign in told["campaigns_paused"]
    assert (told["ok"], told["left"]) == (False, [])
    assert "could not be written down" in told["problems"][0]
    assert going(keyed) == []


def test_before_the_first_brake_is_out_no_journal_is_loaded() -> None:
    code = """
import sys, httpx
from topcalls_tools.client import Client
from topcalls_tools.connect import Line
from topcalls_tools.deeds import StopAll
from topcalls_tools.settings import Settings
from topcalls_tools.flow.steps import ONE_ATTEMPT, Send, Sleep
loaded = []
def answer(request):
    heavy = ("topcalls_tools.journal.store", "topcalls_tools.guard.", "sqlalchemy", "topcalls_tools.flow.consent")
    if request.method == "POST":
        loaded.append([name for name in sys.modules if name.startswith(heavy)])
    running = request.url.path == "/v1/campaigns" and request.url.params["status"] == "running" and not loaded
    return httpx.Response(200, json={"data": [{"id": "k1"}] if running else [], "ok": True})
line = Line(Settings(api_key="tc_live_12345678", home="/dev/null/topcalls"))
client = Client(line=line, transport=httpx.MockTransport(answer))
inner = client._step
client._step = lambda step, ask: None if isinstance(step, Sleep) else inner(step, ask)
client.send(StopAll())
print(loaded)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "[[]]", done.stdout + done.stderr
