"""After a crash: what may still ring rings once, what is too late is only looked for, and books are closed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from topcalls_tools import Client, GetCall, PlaceCall, StartCampaign
from topcalls_tools.connect import Line
from topcalls_tools.errors import Broken, Declined, Refused, TopCallsError, Unreachable
from topcalls_tools.flow.reconcile import bookkeeping, close_books, reconcile
from topcalls_tools.flow.steps import IN_ALL, TO_DIAL, Answer
from topcalls_tools.journal import DialRow, archive
from topcalls_tools.settings import Settings

from .conftest import CALL, SENT_TASK, World, owner
from .test_flow import DOWN, LIST, LOST, NEVER_ANSWERED, PLACE, Script, moving_line, sent, yes

OTHER = PlaceCall(phone_number="+14155550124", task="Ask whether Tuesday is free.")


def drive(line: Line, script: Script, flow: Any) -> Any:
    """Run a flow over a line to nowhere that answers by a script; nothing sleeps."""
    import httpx

    from topcalls_tools.flow.steps import Sleep

    client = Client(line=line, transport=httpx.MockTransport(script.play))
    inner = client._step
    client._step = lambda step, ask: None if isinstance(step, Sleep) else inner(step, ask)  # type: ignore[method-assign]
    return client.run(flow)


def lost(line: Line) -> DialRow:
    """A dial whose answer never came, and whose sender is gone."""
    with pytest.raises(Unreachable):
        sent("sync", line, Script(*NEVER_ANSWERED), PLACE, approve=yes)
    (row,) = line.desk().journal().dials("live")
    return row


def row_of(line: Line) -> DialRow:
    (row,) = line.desk().journal().dials("live")
    return row


def made(at: datetime, name: str = "c9") -> dict[str, Any]:
    return {
        "id": name,
        "phone_number": CALL["phone_number"],
        "created_at": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "metadata": {"task": SENT_TASK},
    }


def test_a_sender_that_may_still_be_there_is_left_alone(home: Path) -> None:
    line, now = moving_line(home)
    lost(line)
    now[0] += timedelta(seconds=59)
    script = Script()
    assert drive(line, script, reconcile(line.desk())) == 1
    assert not script.requests


def test_while_the_yes_lives_it_is_sent_again_under_its_own_key(home: Path) -> None:
    line, now = moving_line(home)
    row = lost(line)
    now[0] += timedelta(seconds=61)
    script = Script(LIST, 201)
    assert drive(line, script, reconcile(line.desk())) == 0
    assert script.keys == {None, row.key}
    assert (row_of(line).state, row_of(line).call_id) == ("placed", "c1")


def test_a_call_that_can_only_be_ours_is_ours_and_nothing_is_sent(home: Path) -> None:
    line, now = moving_line(home)
    row = lost(line)
    now[0] += timedelta(seconds=61)
    script = Script((200, {"data": [made(row.sent_at)]}), (200, made(row.sent_at)))
    drive(line, script, reconcile(line.desk()))
    assert {request.method for request in script.requests} == {"GET"}
    assert row_of(line).call_id == "c9"


@pytest.mark.parametrize("after", [timedelta(minutes=10), timedelta(hours=9)])
def test_a_yes_given_at_noon_rings_no_phone_at_night(home: Path, after: timedelta) -> None:
    line, now = moving_line(home)
    lost(line)
    now[0] += after
    script = Script(LIST)
    assert drive(line, script, reconcile(line.desk())) == 1
    assert [request.method for request in script.requests] == ["GET"]
    assert row_of(line).state == "unknown"


def test_a_late_look_still_finds_what_was_rung(home: Path) -> None:
    line, now = moving_line(home)
    row = lost(line)
    now[0] += timedelta(hours=1)
    drive(
        line, Script((200, {"data": [made(row.sent_at)]}), (200, made(row.sent_at))), reconcile(line.desk())
    )
    assert row_of(line).call_id == "c9"


@pytest.mark.parametrize(
    "call",
    [
        {"phone_number": "+14155550199"},
        {"metadata": {"task": "Something else altogether."}},
        {"created_at": "2020-01-01T00:00:00Z"},
    ],
    ids=["number", "task", "time"],
)
def test_somebody_elses_call_is_never_adopted(home: Path, call: dict[str, Any]) -> None:
    line, now = moving_line(home)
    row = lost(line)
    now[0] += timedelta(minutes=11)
    other = {**made(row.sent_at), **call}
    drive(line, Script((200, {"data": [other]}), (200, other)), reconcile(line.desk()))
    assert row_of(line).state == "unknown"


@pytest.mark.parametrize("hidden", ["words", "beyond the page"])
def test_a_list_that_does_not_show_everything_proves_nothing(home: Path, hidden: str) -> None:
    """The phone rang, TopCalls failed, and that answer was lost: its key is not kept, so it is not sent again."""
    line, now = moving_line(home)
    unnamed = {**made(now[0]), "metadata": None}
    newer = [{**made(now[0], f"x{number}"), "phone_number": "+14155550199"} for number in range(50)]
    steps = {
        "words": [(200, {"data": [unnamed]}), (200, unnamed)],
        "beyond the page": [(200, {"data": newer, "next_cursor": "more"})],
    }[hidden]
    script = Script(LOST, *steps)
    with pytest.raises(Unreachable):
        sent("sync", line, script, PLACE, approve=yes)
    assert [request.method for request in script.requests].count("POST") == 1
    assert row_of(line).state == "sending"


def test_a_call_that_another_yes_has_placed_is_not_adopted_later(home: Path) -> None:
    line, now = moving_line(home)
    with pytest.raises(Broken):
        sent("sync", line, Script(500, LIST), PLACE, approve=yes)
    line.desk().journal().close_ask(row_of(line).key, now[0], used=True)
    now[0] += timedelta(seconds=1)
    theirs = sent("sync", line, Script(201), PLACE, approve=yes).call_id
    call = made(now[0], theirs)
    drive(line, Script((200, {"data": [call]}), (200, call)), reconcile(line.desk(), thorough=True))
    assert [row.call_id for row in line.desk().journal().dials("live")] == [theirs, None]


def test_a_call_in_another_voice_is_not_taken_for_the_one_that_was_lost(home: Path) -> None:
    line, now = moving_line(home)
    mine = f'[[contact]]\nname = "Me"\nnumber = "{CALL["phone_number"]}"\nmine = true\n'
    (home / "contacts.toml").write_text(mine)
    sent("sync", line, Script(201), PlaceCall(**CALL, voice="sage"), approve=yes)
    call = made(now[0], "c1")
    now[0] += timedelta(seconds=2)
    script = Script((200, call), LOST, (200, {"data": [call]}), (201, {"call_id": "c2"}))
    assert sent("sync", line, script, PLACE, approve=yes).call_id == "c2"


def test_two_calls_that_could_be_ours_are_neither(home: Path) -> None:
    line, now = moving_line(home)
    row = lost(line)
    now[0] += timedelta(minutes=11)
    two = [made(row.sent_at, "c1"), made(row.sent_at, "c2")]
    drive(line, Script((200, {"data": two}), (200, two[0]), (200, two[1])), reconcile(line.desk()))
    assert row_of(line).state == "unknown"


def test_after_everything_was_stopped_a_crashed_dial_is_only_looked_for(home: Path) -> None:
    line, now = moving_line(home)
    lost(line)
    now[0] += timedelta(seconds=30)
    assert line.desk().stop(now[0])
    now[0] += timedelta(seconds=31)
    script = Script(LIST)
    drive(line, script, reconcile(line.desk()))
    assert [request.method for request in script.requests] == ["GET"]
    assert row_of(line).state == "unknown"


def test_after_a_stop_on_another_machine_the_same_call_again_is_only_looked_for(
    tmp_path: Path, database: str
) -> None:
    now = [datetime.now(UTC)]

    def machine(name: str) -> Line:
        owner(tmp_path / name, secret="of both")
        facts = {"api_key": "tc_live_canary0123", "base_url": "https://x.invalid", "home": tmp_path / name}
        return Line(Settings(**facts, journal=database, secret="of both"), clock=lambda: now[0])  # type: ignore[arg-type]

    here, there = machine("here"), machine("there")
    lost(here)
    now[0] += timedelta(seconds=61)
    there.desk().journal().stop_all("live", now[0])
    script = Script(LIST)
    with pytest.raises(Unreachable):
        sent("sync", here, script, PLACE)
    assert [request.method for request in script.requests] == ["GET"]
    assert row_of(here).state == "unknown"
    for line in (here, there):
        line.close()


def test_a_rule_that_objects_now_keeps_a_crashed_dial_from_ringing(home: Path) -> None:
    line, now = moving_line(home)
    lost(line)
    now[0] += timedelta(seconds=61)
    (home / "policy.toml").write_text("minutes_per_day = 5\n")
    script = Script(LIST)
    drive(line, script, reconcile(line.desk()))
    assert [request.method for request in script.requests] == ["GET"]
    assert row_of(line).state == "unknown"


def test_a_dial_of_another_key_is_not_touched(home: Path) -> None:
    line, now = moving_line(home)
    lost(line)
    now[0] += timedelta(seconds=61)
    other = Line(
        Settings(api_key="tc_live_another9", base_url="https://x.invalid", home=home), clock=lambda: now[0]
    )
    script = Script()
    assert drive(other, script, reconcile(other.desk())) == 0
    assert not script.requests


def test_before_the_next_dial_the_crashed_one_is_finished(home: Path) -> None:
    line, now = moving_line(home)
    row = lost(line)
    now[0] += timedelta(seconds=61)
    script = Script(LIST, (201, {"call_id": "first"}), (201, {"call_id": "second"}))
    assert sent("sync", line, script, OTHER, approve=yes).call_id == "second"
    assert line.desk().journal().dial(row.key).call_id == "first"
    posts = [request.headers["idempotency-key"] for request in script.requests if request.method == "POST"]
    assert posts[0] == row.key != posts[1]


@pytest.mark.parametrize("steps", [[DOWN] * 8, [500] * 8, [401] * 8], ids=["down", "500", "401"])
def test_tidying_up_that_fails_stops_no_dial(home: Path, steps: list[Any]) -> None:
    line, now = moving_line(home)
    lost(line)
    now[0] += timedelta(seconds=61)

    class Stubborn(Script):
        def play(self, request: Any) -> Any:
            old = b"Labor Day" in request.content or request.method == "GET"
            if old and request.url.path not in ("/v1/balance", "/v1/phone-numbers"):
                self.steps.insert(0, steps[0])
            return super().play(request)

    assert sent("sync", line, Stubborn(201), OTHER, approve=yes).call_id == "c1"


def test_tidying_up_leaves_time_for_the_dial(home: Path) -> None:
    """TopCalls answers no list: looking for a lost call takes no longer than it may."""
    line, now = moving_line(home)
    lost(line)
    now[0] += timedelta(seconds=61)
    passed = [0.0]
    line.timer = lambda: passed[0]

    class Hanging(Script):
        def play(self, request: Any) -> Any:
            if request.method == "GET" and request.url.path == "/v1/calls":
                passed[0] += request.extensions["timeout"]["read"]
                raise LOST
            return super().play(request)

    left: list[float] = []

    def approve(ask: Any) -> Answer:
        left.append(IN_ALL - passed[0])
        return Answer(True, ask.seal, "page")

    assert sent("sync", line, Hanging(201), OTHER, approve=approve).call_id == "c1"
    assert left[0] >= TO_DIAL


def test_who_was_held_up_beyond_the_lease_sends_nothing(home: Path) -> None:
    """A machine that slept between writing down and sending does not wake up and ring."""
    line, now = moving_line(home)
    journal = line.desk().journal()
    claim = journal.claim

    def asleep(*given: Any) -> Any:
        claimed = claim(*given)
        now[0] += timedelta(hours=8)
        return claimed

    journal.claim = asleep  # type: ignore[method-assign]
    script = Script()
    with pytest.raises(Refused, match=r"held up for too long.*\[rule: lease\]"):
        sent("sync", line, script, PLACE, approve=yes)
    assert not script.requests
    assert row_of(line).state == "failed"


def test_a_stop_between_two_attempts_ends_the_second(home: Path) -> None:
    line, now = moving_line(home)

    class Stopping(Script):
        def play(self, request: Any) -> Any:
            if request.method == "POST":
                now[0] += timedelta(seconds=1)
                assert line.desk().stop(now[0])
            return super().play(request)

    script = Stopping(LOST, LIST)
    with pytest.raises(Unreachable):
        sent("sync", line, script, PLACE, approve=yes)
    assert [request.method for request in script.requests] == ["POST", "GET"]
    assert row_of(line).state == "sending"


def placed(line: Line) -> DialRow:
    sent("sync", line, Script(201), PLACE, approve=yes)
    return row_of(line)


def test_the_same_call_again_is_not_refused_by_its_own_minutes(home: Path) -> None:
    owner(home, "minutes_per_day = 12\n")
    line, _ = moving_line(home)
    placed(line)
    again = sent("sync", line, Script(), PLACE, approve=yes)
    assert (again.call_id, again.replayed) == ("c1", True)


def test_a_lost_call_is_looked_for_though_its_minutes_are_all_that_there_were(home: Path) -> None:
    owner(home, "minutes_per_day = 12\n")
    line, now = moving_line(home)
    row = lost(line)
    now[0] += timedelta(seconds=61)
    call = made(row.sent_at)
    script = Script((200, {"data": [call]}), (200, call))
    assert sent("sync", line, script, PLACE, approve=yes).call_id == "c9"
    assert row_of(line).state == "placed"


def test_the_same_call_again_after_it_was_forgotten_says_that_it_was_done(home: Path) -> None:
    line, now = moving_line(home)
    journal = line.desk().journal()
    journal.close_dial(placed(line), 1, now[0])
    archive.forget(journal, CALL["phone_number"], now[0])
    with pytest.raises(Declined, match=r"This was done at .* was forgotten"):
        sent("sync", line, Script(), PLACE, approve=yes)


def test_calls_of_a_key_from_before_are_closed_whole_and_can_be_forgotten(home: Path) -> None:
    line, now = moving_line(home)
    placed(line)
    new = Line(
        Settings(api_key="tc_live_another9", base_url="https://x.invalid", home=home), clock=lambda: now[0]
    )
    now[0] += timedelta(minutes=69)
    drive(new, Script(), close_books(new.desk()))
    assert row_of(line).closed_at is None
    now[0] += timedelta(minutes=2)
    drive(new, Script(), close_books(new.desk()))
    assert row_of(line).used_minutes == 10
    assert archive.forget(line.desk().journal(), CALL["phone_number"], now[0]) == 1


def test_books_are_closed_once_with_what_was_used(home: Path) -> None:
    line, now = moving_line(home)
    placed(line)
    now[0] += timedelta(minutes=5)
    going = Script((200, {"id": "c1", "status": "in_progress"}))
    drive(line, going, close_books(line.desk()))
    assert row_of(line).closed_at is None
    over = Script((200, {"id": "c1", "status": "completed", "duration": 2.25}))
    drive(line, over, close_books(line.desk()))
    assert (row_of(line).used_minutes, row_of(line).closed_at) == (2.25, now[0])
    drive(line, Script(), close_books(line.desk()))


@pytest.mark.parametrize("reply", [404, (200, {"id": "c1", "status": "queued"})], ids=["gone", "never ends"])
def test_what_nobody_can_tell_counts_whole_when_it_must_be_over(home: Path, reply: Any) -> None:
    line, now = moving_line(home)
    placed(line)
    now[0] += timedelta(minutes=69)
    drive(line, Script(reply), close_books(line.desk()))
    assert row_of(line).closed_at is None
    now[0] += timedelta(minutes=2)
    drive(line, Script(404), close_books(line.desk()))
    assert row_of(line).used_minutes == 10


def test_a_call_that_ended_after_nobody_says_how_long_counts_whole_in_the_end(home: Path) -> None:
    line, now = moving_line(home)
    placed(line)
    ended = 200, {"id": "c1", "status": "completed", "duration": None}
    now[0] += timedelta(minutes=5)
    drive(line, Script(ended), close_books(line.desk()))
    assert row_of(line).closed_at is None
    now[0] += timedelta(minutes=66)
    drive(line, Script(ended), close_books(line.desk()))
    assert row_of(line).used_minutes == 10


def test_an_unknown_dial_counts_whole_in_the_end(home: Path) -> None:
    line, now = moving_line(home)
    with pytest.raises(Broken):
        sent("sync", line, Script(500, LIST), PLACE, approve=yes)
    now[0] += timedelta(minutes=71)
    drive(line, Script(), close_books(line.desk()))
    assert (row_of(line).state, row_of(line).used_minutes) == ("unknown", 10)


def test_a_campaign_is_closed_when_it_runs_no_more(home: Path) -> None:
    line, now = moving_line(home)

    def campaign(status: str, **stats: Any) -> tuple[int, dict[str, Any]]:
        return 200, {"id": "k1", "name": "Spring", "status": status, "stats": stats, "timezone": "UTC"}

    script = Script(campaign("draft"), campaign("draft"), (200, {"ok": True}))
    sent("sync", line, script, StartCampaign(campaign_id="k1"), approve=yes)
    now[0] += timedelta(hours=2)
    drive(line, Script(campaign("running"), LIST), close_books(line.desk()))
    assert row_of(line).closed_at is None
    drive(line, Script(campaign("completed", minutes_used=31.5), LIST), close_books(line.desk()))
    assert row_of(line).used_minutes == 31.5


def test_what_is_old_is_forgotten_by_the_way(home: Path) -> None:
    line, now = moving_line(home)
    placed(line)
    now[0] += timedelta(minutes=5)
    drive(line, Script((200, {"id": "c1", "status": "completed", "duration": 1})), close_books(line.desk()))
    now[0] += timedelta(days=91)
    assert row_of(line).target == CALL["phone_number"]
    drive(line, Script(), bookkeeping(line.desk()))
    assert (row_of(line).target, row_of(line).arguments) == ("", {})


def test_minutes_that_a_call_did_not_use_are_free_again(world: World, line: Line) -> None:
    """Against the sandbox: a short call, its books closed by the next one."""
    client = Client(line=line)
    first = client.send(PLACE)
    world.advance(600)
    assert client.send(GetCall(call_id=first.call_id)).ended
    later = line.clock() + timedelta(minutes=1)
    line.clock = lambda: later
    client.run(close_books(line.desk()))
    (row,) = line.desk().journal().dials("sandbox")
    assert row.used_minutes is not None
    assert 0 < row.used_minutes < 10


def test_a_store_that_fails_while_tidying_up_is_said_by_the_dial_itself(live: Callable[..., Line]) -> None:
    line = live()
    journal = line.desk().journal()

    def broken(*_: Any) -> Any:
        raise Refused("journal", "The journal cannot be used and nothing was sent.")

    journal.open_dials = broken  # type: ignore[method-assign]
    assert sent("sync", line, Script(201), PLACE, approve=yes).call_id == "c1"
    journal.claim = broken  # type: ignore[method-assign]
    with pytest.raises(TopCallsError, match="nothing was sent"):
        sent("sync", line, Script(), OTHER, approve=yes)
