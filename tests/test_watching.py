"""Followers of one process share one look: how often TopCalls is asked, what each learns, and what is left of
one that goes away."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from topcalls_tools import Client, FollowCall, GetCall
from topcalls_tools.api.calls import Call, CallInList
from topcalls_tools.connect import Line
from topcalls_tools.errors import (
    Broken,
    Forbidden,
    Invalid,
    NotFound,
    TooMany,
    TopCallsError,
    Unauthorized,
)
from topcalls_tools.following.sights import Sight
from topcalls_tools.following.watching import PAGE, Watch
from topcalls_tools.journal.deliveries import Delivery, keep
from topcalls_tools.sandbox import Sandbox, Served, open_sandbox, serve_in_background
from topcalls_tools.settings import Settings
from topcalls_tools.wire import Request, just_after

from .crowd import Crowd

START = datetime(2026, 12, 1, 17, tzinfo=UTC)
STAYS_QUEUED, STAYS, TALKS = "+14155550009", "+14155550008", "+14155550123"


class Place:
    """A sandbox that is served, and whose time a test holds; it counts what it is asked, as it does for its
    limits."""

    def __init__(self, path: Path) -> None:
        self.path, self.passed = path, 0.0
        self.sandbox: Sandbox
        self.served: Served | None = None
        self.open(limited=False)

    def open(self, *, limited: bool) -> None:
        self.close()
        real = lambda: START + timedelta(seconds=self.passed)  # noqa: E731
        self.sandbox = open_sandbox(self.path, limited=limited, real=real)
        self.served = serve_in_background(self.sandbox)

    def close(self) -> None:
        if self.served:
            self.served.close()

    def move(self, seconds: float) -> None:
        self.passed += seconds

    def line(self, home: Path) -> Line:
        assert self.served
        return Line(Settings(api_key=self.sandbox.key(), base_url=self.served.url, home=home))

    def call(self, number: str = STAYS_QUEUED, many: int = 1, apart: float = 0.05) -> list[str]:
        """Place calls, one after the other."""
        placed = []
        for _ in range(many):
            self.move(apart)
            task = "Ask whether they are open."
            placed.append(
                self.post("/v1/calls", phone_number=number, task=task, max_duration=1 if many > 30 else 10)[
                    "call_id"
                ]
            )
        return placed

    def post(self, path: str, **body: Any) -> Any:
        assert self.served
        headers = {"Authorization": f"Bearer {self.sandbox.key()}"}
        with httpx.Client(base_url=self.served.url, trust_env=False, headers=headers) as http:
            return http.post(path, json=body or None).raise_for_status().json()

    def status(self, call_id: str) -> str:
        """How a call stands, told by another client."""
        assert self.served
        headers = {"Authorization": f"Bearer {self.sandbox.key()}"}
        with httpx.Client(base_url=self.served.url, trust_env=False, headers=headers) as http:
            return str(http.get(f"/v1/calls/{call_id}").json()["status"])

    def asked(self) -> int:
        """How many requests came in the last minute."""
        now = round((START + timedelta(seconds=self.passed)).timestamp() * 1000)
        with closing(sqlite3.connect(self.path)) as db:
            counted = db.execute(
                "SELECT count(*) FROM hits WHERE who LIKE 'key:%' AND at > ?", (now - 60_000,)
            )
            return int(counted.fetchone()[0])


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path / "place.db")
    yield made
    made.close()


@pytest.mark.parametrize("pace", [0.5, 5.0], ids=["practice", "live"])
def test_two_hundred_followed_calls_make_at_most_twenty_requests_a_minute(
    place: Place, home: Path, pace: float
) -> None:
    calls = place.call(many=200)
    place.open(limited=True)
    line = place.line(home)
    line.watch = Watch(line.bell, pace)
    crowd = Crowd(line, place.move)
    followers = [crowd.join(call) for call in calls]
    counts = []
    for _ in range(60):
        crowd.run(5)
        counts.append(place.asked())
    assert max(counts) <= 20, counts
    assert min(counts[12:]) >= 10, counts
    assert len(crowd.requests) >= sum(counts[11::12])
    for one in followers:
        assert len(one.results) >= 11
        assert {result.status for result in one.results} == {"queued"}
        assert max(one.lasted) <= 30


@pytest.fixture
def crowd(place: Place, home: Path) -> Crowd:
    return Crowd(place.line(home), place.move)


def singles(crowd: Crowd, call_id: str) -> int:
    return sum(request.path == f"/v1/calls/{call_id}" for request in crowd.requests)


def lists(crowd: Crowd) -> list[dict[str, str]]:
    return [dict(request.query) for request in crowd.requests if request.path == "/v1/calls"]


def test_all_followers_of_a_call_read_every_turn_once_from_two_single_reads(
    place: Place, crowd: Crowd
) -> None:
    (call,) = place.call(TALKS)
    followers = [crowd.join(call) for _ in range(5)]
    crowd.run(200)
    whole = Client(line=crowd.line).send(GetCall(call_id=call))
    assert whole.completed
    assert len(whole.transcript) > 3
    for one in followers:
        assert one.turns == [turn.id for turn in whole.transcript]
        last = one.results[-1]
        assert (last.ended, last.completed, last.note) == (
            True,
            True,
            "The call is over and this is all of it.",
        )
        assert last.call_summary == whole.call_summary
        assert last.recording_url == whole.recording_url
    assert singles(crowd, call) == 2
    assert {query["limit"] for query in lists(crowd)} <= {"3", "1"}


def test_notices_hold_no_word_that_was_spoken(place: Place, crowd: Crowd) -> None:
    (call,) = place.call(TALKS)
    one = crowd.join(call)
    crowd.run(200)
    told = [notice.words for notice in one.notices]
    assert "The call waits to be dialled." in told
    assert "The call is in progress, 1 turn so far." in told
    assert told[-1] == "The call is over, and its summary is awaited."
    shapes = {"".join(letter for letter in words if not letter.isdigit()) for words in told}
    assert shapes <= {
        "The call waits to be dialled.",
        "The call is in progress.",
        "The call is in progress,  turn so far.",
        "The call is in progress,  turns so far.",
        "The call is over, and its summary is awaited.",
    }
    for before, after in zip(one.notices, one.notices[1:], strict=False):
        assert after.elapsed > before.elapsed or after.elapsed == 0


def test_calls_beyond_one_page_take_turns_with_one_request_an_interval(place: Place, crowd: Crowd) -> None:
    calls = place.call(STAYS, many=25)
    crowd.line.watch = Watch(crowd.line.bell, 5.0, page=10)
    followers = [crowd.join(call) for call in calls]
    crowd.run(60)
    assert {result.status for one in followers for result in one.results[1:]} == {"in_progress"}
    before = len(crowd.requests)
    crowd.run(60)
    asked = crowd.requests[before:]
    assert 10 <= len(asked) <= 13
    assert {request.path for request in asked} == {"/v1/calls"}
    assert len({request.query["cursor"] for request in asked}) == 3
    place.post(f"/v1/calls/{calls[0]}/stop")
    crowd.run(20)
    assert followers[0].results[-1].status == "cancelled"


def test_whoever_comes_anew_looks_no_sooner_than_the_interval(place: Place, crowd: Crowd) -> None:
    (call,) = place.call(STAYS_QUEUED)
    crowd.line.watch = Watch(crowd.line.bell, 5.0)
    for _ in range(50):
        crowd.join(call, wait_seconds=0, again=False)
        crowd.run(0.1)
    assert len(crowd.requests) == 1
    crowd.run(1)
    late = crowd.join(call, wait_seconds=0, again=False)
    crowd.run(0.1)
    assert len(crowd.requests) == 2
    assert late.lasted == [0]


def test_new_calls_are_found_in_the_list_beyond_the_first_few(place: Place, crowd: Crowd) -> None:
    calls = place.call(many=30)
    for call in calls:
        follower = crowd.join(call, wait_seconds=0, again=False)
        crowd.run(0.001)
        assert follower.results[0].status == "queued"
    assert sum(singles(crowd, call) for call in calls) == 3
    assert lists(crowd) == [{"limit": str(PAGE)}]


def test_a_call_that_the_list_of_the_newest_does_not_show_is_found_further_on(
    place: Place, crowd: Crowd
) -> None:
    old = place.call(many=1)[0]
    place.call(many=12)
    crowd.line.watch = Watch(crowd.line.bell, 0.5, page=10)
    for call in place.call(many=4):
        crowd.join(call)
    follower = crowd.join(old)
    crowd.run(10)
    assert follower.notices
    assert singles(crowd, old) == 0
    assert [query["limit"] for query in lists(crowd)][:2] == ["10", "10"]
    assert "cursor" in lists(crowd)[1]


def test_whoever_leaves_with_the_request_under_way_leaves_the_turn_to_another(
    place: Place, crowd: Crowd
) -> None:
    (call,) = place.call(STAYS)
    crowd.line.watch = Watch(crowd.line.bell, 5.0)
    followers = [crowd.join(call, wait_seconds=40) for _ in range(3)]
    crowd.run(20)
    followers = crowd.followers[:]
    crowd._moved(5)
    crowd.now += 5
    (looking,) = crowd.under_way()
    crowd.leave(looking)
    (other,) = crowd.under_way()
    assert other is not looking
    for one in tuple(crowd.followers):
        crowd.leave(one)
    assert followers != []
    watch = crowd.line.watch
    assert (watch.waiters, crowd.line.bell.ears, watch._looking) == (0, 0, None)
    asked = len(crowd.requests)
    crowd.run(60)
    assert len(crowd.requests) == asked
    assert place.status(call) == "in_progress"


def test_trouble_in_passing_ends_no_wait_and_trouble_that_stays_is_said(place: Place, crowd: Crowd) -> None:
    (call,) = place.call(STAYS)
    one = crowd.join(call, wait_seconds=10)
    crowd.run(4)
    place.post("/sandbox/faults", route="*", kind="error_before", next=2)
    crowd.run(30)
    assert len(one.results) >= 2
    place.post("/sandbox/faults", route="*", kind="error_before", every=1)
    with pytest.raises(Broken):
        crowd.run(60)
    assert crowd.line.watch.waiters == 0


@pytest.mark.parametrize("wait", [0, 25, 40])
def test_a_follower_is_answered_within_45_seconds_though_topcalls_answers_nothing(
    place: Place, crowd: Crowd, wait: float
) -> None:
    (call,) = place.call(STAYS)
    crowd.join(call, wait_seconds=0, again=False)
    crowd.run(10)
    place.post("/sandbox/faults", route="*", kind="rate_limited", every=1, seconds=3)
    begun = crowd.now
    crowd.join(call, wait_seconds=wait)
    with pytest.raises(TooMany):
        crowd.run(60)
    assert crowd.now - begun <= 45


def test_what_was_asked_earlier_and_comes_later_takes_nothing_back() -> None:
    over = Call(id="c1", status="completed", completed=True, started_at="2026-12-01T17:00:00Z")
    sight = Sight("c1")
    assert sight.see(over, 7.0, 5.0, told=False)
    assert not sight.see(CallInList(id="c1", status="in_progress"), 6.0, 5.0, told=False)
    assert sight.call is over
    assert sight.final


def test_a_wait_heeds_what_topcalls_asks_for(place: Place, crowd: Crowd) -> None:
    (call,) = place.call(STAYS)
    crowd.join(call, wait_seconds=40)
    crowd.run(5)
    place.post("/sandbox/faults", route="*", kind="rate_limited", next=1, seconds=30)
    crowd.run(5)
    asked = len(crowd.requests)
    crowd.run(20)
    assert len(crowd.requests) == asked
    crowd.run(10)
    assert len(crowd.requests) > asked


def deliver(crowd: Crowd, call_id: str, event: str) -> None:
    """A webhook comes, in this process or another, and is written down."""
    name, now = f"{event} {call_id} {crowd.now}", crowd.line.clock()
    told = Delivery(name, crowd.line.account, name, event, call_id, None, ours=True, at=now)
    assert keep(crowd.line.desk().journal(), told)


@pytest.fixture
def hooked(place: Place, crowd: Crowd) -> Crowd:
    """Followers at the pace of a live line, where webhooks tell too."""
    crowd.line.clock = lambda: START + timedelta(seconds=place.passed)
    crowd.line.watch = Watch(crowd.line.bell, 5.0)
    crowd.line.desk().journal()
    return crowd


def test_a_webhook_that_comes_to_this_process_wakes_who_waits_at_once(place: Place, hooked: Crowd) -> None:
    first, second = place.call(STAYS, many=2)
    followers = [hooked.join(call, wait_seconds=40) for call in (first, first, second)]
    hooked.run(31)
    place.post(f"/v1/calls/{first}/stop")
    asked = len(hooked.requests)
    deliver(hooked, first, "call.failed")
    hooked.line.bell.ring()
    hooked.settle()
    assert [one.results[-1].status for one in followers] == ["cancelled", "cancelled", "in_progress"]
    assert len(hooked.requests) == asked + 1


def test_a_webhook_that_comes_to_another_process_is_seen_within_250_milliseconds(
    place: Place, hooked: Crowd
) -> None:
    (call,) = place.call(STAYS)
    one = hooked.join(call, wait_seconds=40)
    deliver(hooked, call, "call.started")
    hooked.run(130)
    place.post(f"/v1/calls/{call}/stop")
    deliver(hooked, call, "call.failed")
    before = len(one.results)
    hooked.run(0.251)
    assert [result.status for result in one.results[before:]] == ["cancelled"]


def test_while_webhooks_tell_of_a_call_and_nothing_changes_it_is_polled_once_a_minute(
    place: Place, hooked: Crowd
) -> None:
    calls = place.call(STAYS_QUEUED, many=3)
    for call in calls:
        hooked.join(call)
        deliver(hooked, call, "call.queued")
    hooked.run(120)
    asked = len(hooked.requests)
    hooked.run(300)
    assert 4 <= len(hooked.requests) - asked <= 6


def test_where_webhooks_tell_no_turn_is_lost_and_none_comes_twice(place: Place, hooked: Crowd) -> None:
    (call,) = place.call(TALKS)
    one = hooked.join(call)
    deliver(hooked, call, "call.started")
    hooked.run(300)
    whole = Client(line=hooked.line).send(GetCall(call_id=call))
    assert one.turns == [turn.id for turn in whole.transcript]
    assert one.results[-1].completed
    assert singles(hooked, call) == 2


def test_a_webhook_of_a_call_that_nobody_follows_causes_no_request(place: Place, hooked: Crowd) -> None:
    followed, other = place.call(STAYS, many=2)
    hooked.join(followed, wait_seconds=40)
    hooked.run(31)
    asked = len(hooked.requests)
    deliver(hooked, other, "call.started")
    hooked.line.bell.ring()
    hooked.settle()
    assert len(hooked.requests) == asked


def test_a_journal_that_cannot_be_read_stops_nobody_from_following(place: Place, hooked: Crowd) -> None:
    (call,) = place.call(TALKS)
    one = hooked.join(call)
    hooked.run(10)
    hooked.line.close()
    (hooked.line.settings.home / "journal.db").write_bytes(b"no database" * 1000)
    hooked.run(300)
    assert one.results[-1].completed


@pytest.mark.parametrize(
    ("created", "cursor"),
    [
        ("2025-12-22T10:30:00Z", "2025-12-22T10:30:01Z"),
        ("2025-12-22T10:30:00.123Z", "2025-12-22T10:30:00.124Z"),
        ("2025-12-22T10:30:00.000Z", "2025-12-22T10:30:00.001Z"),
        ("2025-12-22T10:30:00.123456Z", "2025-12-22T10:30:00.123457Z"),
        ("2025-12-22T12:30:00+02:00", "2025-12-22T10:30:01Z"),
        (None, None),
        ("soon", None),
    ],
)
def test_a_page_begins_with_the_call_that_it_is_asked_for(created: str | None, cursor: str | None) -> None:
    assert just_after(created) == cursor


class Refusing(Crowd):
    """A crowd whose TopCalls answers some requests with an error of its own."""

    def __init__(self, line: Line, moved: Any) -> None:
        super().__init__(line, moved)
        self.refuses: dict[str, TopCallsError] = {}

    def refusal(self, request: Request) -> TopCallsError | None:
        if request.path == "/v1/calls":
            return self.refuses.get("cursor" if "cursor" in request.query else "list")
        return self.refuses.get(request.path.rpartition("/")[2])


@pytest.fixture
def refusing(place: Place, home: Path) -> Refusing:
    made = Refusing(place.line(home), place.move)
    made.line.watch = Watch(made.line.bell, 5.0)
    return made


def test_where_pages_are_refused_everybody_is_told_by_single_reads_at_the_same_pace(
    place: Place, refusing: Refusing
) -> None:
    refusing.refuses["cursor"] = Invalid("No such cursor.", 400)
    calls = place.call(STAYS, many=3)
    followers = [refusing.join(call, wait_seconds=10) for call in calls * 2]
    refusing.run(60)
    asked = [request.path.rpartition("/")[2] for request in refusing.requests]
    assert 12 <= len(asked) <= 20
    assert asked.count("calls") == 1
    assert all(asked.count(call) >= 3 for call in calls)
    place.post(f"/v1/calls/{calls[0]}/stop")
    refusing.run(30)
    assert [one.results[-1].status for one in followers] == ["cancelled", "in_progress", "in_progress"] * 2
    assert len(lists(refusing)) == 2


def test_where_the_list_is_refused_the_rest_is_read_one_by_one(place: Place, refusing: Refusing) -> None:
    refusing.refuses |= {"list": Forbidden("No.", 403), "cursor": Forbidden("No.", 403)}
    followers = [refusing.join(call) for call in place.call(STAYS, many=6)]
    refusing.run(60)
    assert all(one.results for one in followers)


def test_what_is_refused_of_one_call_ends_the_wait_of_its_followers_alone(
    place: Place, refusing: Refusing
) -> None:
    refusing.refuses["cursor"] = Invalid("No such cursor.", 400)
    gone, stays = place.call(STAYS, many=2)
    lost = [refusing.join(gone, wait_seconds=40) for _ in range(2)]
    other = refusing.join(stays, wait_seconds=40)
    refusing.run(12)
    refusing.refuses[gone] = NotFound("No such call.", 404)
    left = []
    for _ in lost:
        with pytest.raises(NotFound):
            refusing.run(30)
        (one,) = [one for one in refusing.followers if one.flow and one.flow.gi_frame is None]
        refusing.followers.remove(one)
        left.append(one)
    assert {id(one) for one in left} == {id(one) for one in lost}
    refusing.run(60)
    assert other.results


def test_a_key_that_is_refused_is_said_to_who_waits(place: Place, refusing: Refusing) -> None:
    refusing.join(place.call(STAYS)[0], wait_seconds=40)
    refusing.run(4)
    refusing.refuses["cursor"] = Unauthorized("The key is revoked.", 401)
    with pytest.raises(Unauthorized):
        refusing.run(10)


def test_followers_of_old_calls_that_begin_at_once_all_hear_within_45_seconds_and_twenty_requests_a_minute(
    place: Place, home: Path
) -> None:
    old = place.call(many=150)
    place.call(many=PAGE)
    place.open(limited=True)
    line = place.line(home)
    line.watch = Watch(line.bell, 5.0)
    crowd = Crowd(line, place.move)
    followers = [crowd.join(call, wait_seconds=10) for call in old]
    for _ in range(20):
        crowd.run(5)
        assert place.asked() <= 20
    assert all(one.results for one in followers)
    assert max(one.lasted[0] for one in followers) <= 45


def test_old_calls_that_topcalls_refuses_to_tell_of_for_a_while_are_waited_for(
    place: Place, refusing: Refusing
) -> None:
    old = place.call(many=8)
    place.call(many=12)
    refusing.line.watch = Watch(refusing.line.bell, 5.0, page=10)
    followers = [refusing.join(call, wait_seconds=25) for call in old]
    refusing.refuses = dict.fromkeys(["cursor", *old[4:]], TooMany("Too many.", 429))
    refusing.run(12)
    assert not any(one.results for one in followers)
    refusing.refuses = {}
    refusing.run(30)
    assert all(one.results for one in followers)


@pytest.mark.parametrize("written", [True, False])
def test_where_topcalls_does_not_say_whether_a_call_is_complete_its_parts_or_time_tell(written: bool) -> None:
    sight = Sight("c1")
    parts = {"call_summary": "They are open.", "recording_url": "https://x.example/r"} if written else {}
    over = {"id": "c1", "status": "completed", "started_at": "2026-12-01T17:00:00Z"}
    sight.see(Call.model_validate(over), 1.0, 5.0, told=False)
    assert not sight.final
    assert "may come" in FollowCall(call_id="c1")._told(sight).note
    sight.see(CallInList.model_validate(over | parts), 20.0, 5.0, told=False)
    assert sight.final is written
    sight.see(CallInList.model_validate(over | parts), 31.0, 5.0, told=False)
    assert sight.final


def test_a_call_that_never_rang_is_complete_at_once_where_topcalls_does_not_say() -> None:
    sight = Sight("c1")
    sight.see(Call(id="c1", status="failed", call_status="busy"), 1.0, 5.0, told=False)
    assert sight.final
