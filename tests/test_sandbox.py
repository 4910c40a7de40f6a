"""The sandbox's life of calls, clock and file: real server, real file, a clock moved by hand."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from topcalls_tools.sandbox import Sandbox, SandboxError, open_sandbox, serve_in_background

from .contract import covers

HUMAN = "+14155551234"
TASK = "Ask whether they deliver, how much the set menu costs, and book a table for two on Friday at 7 pm."


class Hand:
    """A real clock that only moves when it is told to."""

    def __init__(self) -> None:
        self.at = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at

    def pass_(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@dataclass
class Bench:
    sandbox: Sandbox
    url: str
    hand: Hand
    key: str = ""
    http: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        self.key = self.key or self.sandbox.key()
        self.http = self.client(self.key)

    def client(self, key: str) -> httpx.Client:
        return httpx.Client(base_url=self.url, headers={"Authorization": f"Bearer {key}"}, trust_env=False)

    def place(self, number: str = HUMAN, **more: Any) -> str:
        body = {"phone_number": number, "task": TASK, **more}
        reply = self.http.post("/v1/calls", json=body)
        assert reply.status_code == 201, reply.text
        return str(reply.json()["call_id"])

    def call(self, call_id: str) -> dict[str, Any]:
        return self.get(f"/v1/calls/{call_id}")

    def get(self, path: str) -> dict[str, Any]:
        reply = self.http.get(path)
        assert reply.status_code == 200, reply.text
        found: dict[str, Any] = reply.json()
        return found

    def step(self, seconds: float) -> None:
        reply = self.http.post("/sandbox/clock", json={"advance_seconds": seconds})
        assert reply.status_code == 200, reply.text


@contextmanager
def opened(path: Path) -> Iterator[Bench]:
    hand = Hand()
    with closing(open_sandbox(path, real=hand)) as sandbox, serve_in_background(sandbox) as served:
        made = Bench(sandbox, served.url, hand)
        with made.http:
            yield made


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """One server for all the tests of a file."""
    with opened(tmp_path_factory.mktemp("calm") / "sandbox.db") as made:
        yield made


@pytest.fixture
def bench(calm: Bench) -> Iterator[Bench]:
    """An account of one's own on it, without campaigns; time only ever goes on."""
    made = Bench(calm.sandbox, calm.url, calm.hand, calm.sandbox.add_account(plans=()))
    with made.http:
        yield made


@pytest.fixture
def furnished(calm: Bench) -> Iterator[Bench]:
    """An account with the seeded campaigns and their past."""
    made = Bench(calm.sandbox, calm.url, calm.hand, calm.sandbox.add_account())
    with made.http:
        yield made


@covers("A64", "A65", "3.1.3 words", "6.1 billed", "4.1 queued", "4.1 answered")
def test_a_call_lives_from_queued_to_processed(bench: Bench) -> None:
    call_id = bench.place(max_duration=10)
    fresh = bench.call(call_id)
    assert (fresh["status"], fresh["call_status"], fresh["completed"]) == ("queued", None, False)
    assert fresh["transcript"] == []
    assert all(
        fresh[name] is None
        for name in (
            "started_at",
            "end_at",
            "duration",
            "answered_by",
            "recording_url",
            "call_summary",
            "error_message",
        )
    )
    bench.step(12)
    live = bench.call(call_id)
    assert (live["status"], live["call_status"], live["answered_by"]) == (
        "in_progress",
        "in-progress",
        "human",
    )
    assert live["transcript"][0]["user"] == "assistant"
    assert live["end_at"] is None
    seen = len(live["transcript"])
    bench.step(15)
    later = bench.call(call_id)
    assert len(later["transcript"]) > seen
    assert later["transcript"][:seen] == live["transcript"]
    bench.step(600)
    done = bench.call(call_id)
    assert (done["status"], done["call_status"], done["completed"]) == ("completed", "completed", True)
    assert [turn["id"] for turn in done["transcript"]] == list(range(1, len(done["transcript"]) + 1))
    assert done["recording_url"] == f"https://recordings.topcalls.invalid/{call_id}.wav"
    listed = bench.get("/v1/calls")["data"][0]
    assert listed["disposition"] == "booked"
    assert listed["actual_duration_billed"] == listed["duration"] == done["duration"] > 0


@covers("A51", "3.1.1 request_data", "3.1.1 first_sentence", "3.1.3 metadata")
def test_every_point_of_the_task_gets_its_answer(bench: Bench) -> None:
    call_id = bench.place(
        task="Ask whether they deliver and how much the {{dish}} costs, then book a table for two on Friday at 7 pm.",
        first_sentence="Good day, this is {{caller}}.",
        request_data={"dish": "set menu", "caller": "Rachel"},
    )
    bench.step(600)
    call = bench.call(call_id)
    said = [turn["text"] for turn in call["transcript"]]
    assert said[0] == "Good day, this is Rachel."
    theirs = " ".join(turn["text"] for turn in call["transcript"] if turn["user"] == "user")
    assert "deliver" in theirs
    assert "set menu costs" in theirs
    assert "dollars" in theirs
    assert "a table for two on Friday at 7 pm" in theirs
    assert "a table for two on Friday at 7 pm" in call["call_summary"]
    assert "{{dish}}" in call["metadata"]["task"]


@covers("A104", "3.1.3 afterwards")
def test_completed_comes_fifteen_seconds_after_the_end(bench: Bench) -> None:
    call_id = bench.place()
    while (call := bench.call(call_id))["end_at"] is None:
        bench.step(1)
    assert (call["status"], call["completed"], call["recording_url"]) == ("completed", False, None)
    assert call["duration"] > 0
    bench.step(15)
    assert bench.call(call_id)["completed"] is True


@covers("A101", "A102", "A106", "4.1 failed", "4.1 dispatch_timeout", "A125")
@pytest.mark.parametrize(
    ("ending", "status", "outcome", "rings"),
    [
        ("0001", "failed", "busy", False),
        ("0002", "failed", "no-answer", True),
        ("0003", "failed", "rejected", True),
        ("0004", "failed", "failed", False),
        ("0007", "failed", "dispatch_timeout", False),
    ],
)
def test_a_call_that_nobody_answers_fails_and_costs_nothing(
    bench: Bench, ending: str, status: str, outcome: str, rings: bool
) -> None:
    call_id = bench.place(f"+1415555{ending}")
    bench.step(120)
    call = bench.call(call_id)
    assert (call["status"], call["call_status"], call["completed"]) == (status, outcome, True)
    assert call["error_message"]
    assert (call["started_at"], call["duration"], call["recording_url"]) == (None, 0, None)
    assert bool(bench.get("/sandbox/rings")["data"]) is rings
    assert bench.get("/v1/balance")["remaining"] == 1500
    if outcome not in ("rejected",):
        assert [row["id"] for row in bench.get(f"/v1/calls?status={outcome}")["data"]] == [call_id]


@covers("A105", "A106")
@pytest.mark.parametrize(("ending", "by"), [("0005", "voicemail"), ("0006", "ivr")])
def test_machines_count_as_answered(bench: Bench, ending: str, by: str) -> None:
    call_id = bench.place(f"+1415555{ending}", first_sentence="Hello there.")
    bench.step(300)
    call = bench.call(call_id)
    assert (call["status"], call["answered_by"], call["completed"]) == ("completed", by, True)
    assert any(turn["text"].startswith("Hello there.") for turn in call["transcript"])
    assert call["call_summary"]


@covers("A68", "A106", "3.1.4 stop", "4.1 stopped")
def test_0008_outlives_max_duration_until_it_is_stopped(bench: Bench) -> None:
    call_id = bench.place("+14155550008", max_duration=1)
    bench.step(3600)
    assert bench.call(call_id)["status"] == "in_progress"
    assert bench.get("/v1/balance")["reserved"] == 1
    assert bench.http.post(f"/v1/calls/{call_id}/stop").json() == {"ok": True, "status": "cancelled"}
    call = bench.call(call_id)
    assert (call["status"], call["call_status"], call["completed"]) == ("cancelled", "cancelled", False)
    assert 59 < call["duration"] < 61
    balance = bench.get("/v1/balance")
    assert (balance["reserved"], balance["remaining"]) == (0, round(1500 - call["duration"], 2))
    bench.step(15)
    after = bench.call(call_id)
    assert after["completed"]
    assert after["recording_url"]
    assert after["transcript"] == call["transcript"]


@covers("A69", "A106", "3.1.5 cancel", "4.1 dropped")
def test_0009_stays_queued_until_it_is_cancelled(bench: Bench) -> None:
    call_id = bench.place("+14155550009")
    bench.step(86_400)
    assert bench.call(call_id)["status"] == "queued"
    assert bench.http.post(f"/v1/calls/{call_id}/cancel").json() == {"ok": True}
    call = bench.call(call_id)
    assert (call["status"], call["call_status"], call["started_at"], call["duration"]) == (
        "cancelled",
        "cancelled",
        None,
        0,
    )
    assert call["completed"]
    assert bench.get("/sandbox/rings")["data"] == []


@covers("A49", "3.1.1 max_duration", "4.1 completed")
def test_max_duration_cuts_a_call(bench: Bench) -> None:
    long = " ".join(f"Ask whether they have dish number {number}." for number in range(1, 30))
    call_id = bench.place(task=long, max_duration=1)
    bench.step(600)
    call = bench.call(call_id)
    assert (call["status"], call["duration"]) == ("completed", 1)
    assert "ended early" in call["call_summary"]


@covers("A35", "A39", "A103", "3.1.4 stop", "3.1.5 cancel", "1.7 400", "1.7 200")
@pytest.mark.parametrize("deed", ["stop", "cancel"])
def test_stop_and_cancel_by_state(bench: Bench, deed: str) -> None:
    queued = bench.place()
    assert bench.http.post(f"/v1/calls/{queued}/{deed}").status_code == 200
    again = bench.http.post(f"/v1/calls/{queued}/{deed}")
    assert (again.status_code, again.json()["type"].rpartition("/")[2]) == (400, "invalid_state")
    live = bench.place()
    bench.step(12)
    reply = bench.http.post(f"/v1/calls/{live}/{deed}")
    assert reply.status_code == (200 if deed == "stop" else 400)
    if deed == "cancel":
        assert reply.json()["detail"] == "Call is in progress; use stop"
    bench.step(600)
    assert bench.http.post(f"/v1/calls/{live}/{deed}").status_code == 400
    assert [ring["call_id"] for ring in bench.get("/sandbox/rings")["data"]] == [live]


@covers("A60", "A97", "A126", "A127", "3.5 balance", "6.1 held", "6.2 total")
def test_minutes_are_held_then_billed_bonus_first(bench: Bench) -> None:
    assert bench.get("/v1/balance") == {
        "type": "call_minutes", "remaining": 1500, "allocated": 1000, "total": 1500, "used": 0, "reserved": 0,
        "welcome_bonus_used": 0, "welcome_bonus_remaining": 500,
    }  # fmt: skip
    call_id = bench.place(max_duration=12.5)
    assert bench.get("/v1/balance")["reserved"] == 12.5
    bench.step(900)
    spoken = bench.call(call_id)["duration"]
    after = bench.get("/v1/balance")
    assert (after["reserved"], after["used"], after["welcome_bonus_used"]) == (0, 0, spoken)
    assert after["remaining"] == after["total"] == round(1500 - spoken, 2)


@covers("A60", "A130", "1.7 402", "6.3 402")
def test_too_few_minutes_leave_nothing_behind(bench: Bench) -> None:
    with bench.client(bench.sandbox.add_account(5, 8.5, plans=())) as poor:
        body = {"phone_number": HUMAN, "task": TASK, "max_duration": 10}
        assert poor.post("/v1/calls", json=body).status_code == 201
        refused = poor.post("/v1/calls", json=body, headers={"Idempotency-Key": "a-second-call"})
        assert refused.status_code == 402
        assert refused.json()["title"] == "Insufficient Quota"
        assert refused.json()["detail"] == "You need 10 minutes but have 3.5 remaining"
        assert len(poor.get("/v1/calls").json()["data"]) == 1


def test_the_same_seed_and_times_give_the_same_calls(tmp_path: Path) -> None:
    told: list[list[str]] = []
    for name in ("one", "two"):
        hand = Hand()
        with (
            closing(open_sandbox(tmp_path / f"{name}.db", real=hand, seed="s")) as sandbox,
            serve_in_background(sandbox) as served,
        ):
            bench = Bench(sandbox, served.url, hand)
            paths = [f"/v1/calls/{bench.place()}", f"/v1/calls/{bench.place('+4930123450005')}"]
            if name == "one":  # reading in between changes nothing
                for _ in range(40):
                    hand.pass_(5)
                    bench.http.get(paths[0])
            hand.at = Hand().at + timedelta(seconds=200)
            paths += ["/v1/calls", "/v1/campaigns", "/v1/phone-numbers", "/v1/balance", "/sandbox/rings"]
            told.append([bench.http.get(path).text for path in paths])
            bench.http.close()
    assert told[0] == told[1]


def test_a_restart_loses_nothing(tmp_path: Path) -> None:
    hand, path = Hand(), tmp_path / "sandbox.db"
    with closing(open_sandbox(path, real=hand)) as sandbox, serve_in_background(sandbox) as served:
        first = Bench(sandbox, served.url, hand)
        call_id, key = first.place(), sandbox.key()
        first.step(20)
        before = first.call(call_id)
    with closing(open_sandbox(path, real=hand)) as sandbox, serve_in_background(sandbox) as served:
        second = Bench(sandbox, served.url, hand)
        assert sandbox.key() == key
        assert second.call(call_id) == before
        hand.pass_(600)
        assert second.call(call_id)["status"] == "completed"


@covers("A106")
def test_the_clock_steps_and_runs_at_a_speed(tmp_path: Path) -> None:
    with opened(tmp_path / "sandbox.db") as bench:
        _steps_and_runs(bench)


def _steps_and_runs(bench: Bench) -> None:
    assert bench.get("/sandbox/clock") == {"now": "2026-03-02T12:00:00.000Z", "speed": 1}
    set_to = bench.http.post("/sandbox/clock", json={"speed": 60})
    assert set_to.json()["speed"] == 60
    bench.hand.pass_(10)
    assert bench.get("/sandbox/clock")["now"] == "2026-03-02T12:10:00.000Z"
    for bad in (
        {},
        {"speed": -1},
        {"advance_seconds": -5},
        {"advance_seconds": "1"},
        {"hours": 1},
        {"speed": True},
    ):
        assert bench.http.post("/sandbox/clock", json=bad).status_code == 400
    assert bench.http.post("/sandbox/clock", content=b'{"speed": 2}').status_code == 400
    bench.sandbox.release()
    assert bench.get("/sandbox/clock")["speed"] == 1


def test_a_speed_ends_with_the_process_that_chose_it(tmp_path: Path) -> None:
    path = tmp_path / "sandbox.db"
    code = f"from pathlib import Path; from topcalls_tools.sandbox import open_sandbox; open_sandbox(Path({str(path)!r})).speed(3)"
    root = str(Path(__file__).parent.parent)
    subprocess.run([sys.executable, "-c", code], check=True, env={**os.environ, "PYTHONPATH": root})
    with closing(open_sandbox(path)) as sandbox, serve_in_background(sandbox) as served:
        reply = httpx.get(f"{served.url}/sandbox/clock", headers={"Authorization": f"Bearer {sandbox.key()}"})
        assert reply.json()["speed"] == 1


def test_the_controls_answer_to_this_machine_alone(bench: Bench) -> None:
    assert bench.http.get("/sandbox/clock", headers={"Host": "evil.example:80"}).status_code == 403
    assert bench.http.get("/sandbox/clock", headers={"Origin": "https://evil.example"}).status_code == 403
    assert bench.http.get("/sandbox/clock", headers={"Host": "localhost:9"}).status_code == 200
    assert httpx.get(f"{bench.url}/sandbox/clock").status_code == 401
    assert bench.http.get("/sandbox/nothing").status_code == 404


def test_a_recording_is_a_wav_once_it_is_there(bench: Bench) -> None:
    call_id = bench.place()
    assert bench.http.get(f"/sandbox/recordings/{call_id}.wav").status_code == 404
    bench.step(600)
    found = bench.http.get(f"/sandbox/recordings/{call_id}.wav")
    assert found.headers["content-type"] == "audio/wav"
    assert found.content[:4] == b"RIFF"
    keyless = httpx.get(f"{bench.url}/sandbox/recordings/{call_id}.wav")  # contract A66
    assert (keyless.status_code, keyless.content) == (200, found.content)
    for name in (f"{call_id}.mp3", call_id, f"{call_id}.wav/more", "", "unknown.wav"):
        assert httpx.get(f"{bench.url}/sandbox/recordings/{name}").status_code == 404, name
    evil = httpx.get(f"{bench.url}/sandbox/recordings/{call_id}.wav", headers={"Host": "evil.example"})
    assert evil.status_code == 403


def test_files_are_private_and_hold_no_key(bench: Bench) -> None:
    path, key = bench.sandbox.path, bench.sandbox.key()
    bench.place()
    assert [os.stat(file).st_mode & 0o777 for file in (path, bench.sandbox.key_path)] == [0o600, 0o600]
    assert not any(
        key.encode() in file.read_bytes() for file in path.parent.glob("sandbox.db*") if file.suffix != ".key"
    )


def test_files_of_another_seed_version_or_program_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "sandbox.db"
    sandbox = open_sandbox(path)
    key = sandbox.key()
    sandbox.close()
    with pytest.raises(SandboxError, match="--reset"):
        open_sandbox(path, seed="other")
    with closing(open_sandbox(path, seed="other", reset=True)) as anew:
        assert (anew.seed, anew.key()) == ("other", key)
    import sqlite3

    with closing(sqlite3.connect(path)) as line:
        line.execute("PRAGMA user_version = 99")
    with pytest.raises(SandboxError, match="--reset"):
        open_sandbox(path)
    foreign = tmp_path / "journal.db"
    with closing(sqlite3.connect(foreign)) as line:
        line.execute("CREATE TABLE dials (id)")
    with pytest.raises(SandboxError, match="another program"):
        open_sandbox(foreign, reset=True)
    (tmp_path / "text").write_text("no database, " * 100)
    with pytest.raises(SandboxError, match="no sandbox file"):
        open_sandbox(tmp_path / "text", reset=True)


def test_openers_that_come_at_once_share_one_key(tmp_path: Path) -> None:
    keys: list[str] = []

    def hold() -> None:
        with closing(open_sandbox(tmp_path / "sandbox.db")) as sandbox:
            keys.append(sandbox.key())

    threads = [threading.Thread(target=hold) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(keys) == 6
    assert len(set(keys)) == 1


def test_real_time_set_back_bills_nothing_twice(tmp_path: Path) -> None:
    with opened(tmp_path / "sandbox.db") as bench:
        call_id = bench.place()
        bench.hand.pass_(600)
        bench.place()  # writes down what has ended
        before, shown = bench.get("/v1/balance"), bench.get("/sandbox/clock")["now"]
        bench.hand.pass_(-1200)
        assert bench.get("/sandbox/clock")["now"] == shown
        bench.place("+14155550009", max_duration=3)
        after = bench.get("/v1/balance")
        assert after["reserved"] == before["reserved"] + 3
        assert after["welcome_bonus_used"] == before["welcome_bonus_used"] == bench.call(call_id)["duration"]


def test_a_server_that_is_killed_while_its_clock_runs_fast_does_not_jump_ahead(tmp_path: Path) -> None:
    path, hand = tmp_path / "sandbox.db", Hand()
    dead = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, text=True
    )
    with closing(open_sandbox(path, real=hand, plans=())) as sandbox:
        sandbox.speed(1000)
        hand.pass_(10)
        sandbox._gateway.beat()
        told = sandbox.now()
        assert told == "2026-03-02T14:46:40.000Z"
    import sqlite3

    with closing(sqlite3.connect(path)) as line:
        line.execute("UPDATE clock SET owner_pid = ?", (int(dead.stdout),))
        line.commit()
    hand.pass_(3600)
    with closing(open_sandbox(path, real=hand)) as sandbox, serve_in_background(sandbox):
        assert told <= sandbox.now() <= "2026-03-02T15:03:20.000Z"


def test_a_writer_elsewhere_delays_writes_and_nothing_else(tmp_path: Path) -> None:
    import sqlite3

    with opened(tmp_path / "sandbox.db") as bench, closing(sqlite3.connect(bench.sandbox.path)) as other:
        other.isolation_level = None
        other.execute("BEGIN IMMEDIATE")
        placed: list[str] = []
        writer = threading.Thread(target=lambda: placed.append(bench.place()))
        writer.start()
        with bench.client(bench.key) as http:  # the event loop is free while that call waits for its turn
            assert http.get("/openapi.json").status_code == 200
            assert http.get("/v1/balance").status_code == 200
        assert not placed
        other.execute("COMMIT")
        writer.join(timeout=20)
        assert bench.call(placed[0])["status"] == "queued"
