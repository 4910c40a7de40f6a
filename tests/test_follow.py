"""Following a call: the first turns from one on, waiting while it is live, and how to go on."""

from __future__ import annotations

from typing import Any

import pytest

from topcalls_tools import FollowCall, GetCall
from topcalls_tools.api.calls import Call
from topcalls_tools.connect import Line
from topcalls_tools.errors import NotFound
from topcalls_tools.flow import perform
from topcalls_tools.flow.steps import Keep, Send, Sleep
from topcalls_tools.following.watching import Watch
from topcalls_tools.wire import Reply


def call(turns: int = 0, status: str = "in_progress", completed: bool = False, size: int = 20) -> Reply:
    transcript = [
        {"id": n, "user": "user" if n % 2 else "assistant", "text": "x" * size} for n in range(1, turns + 1)
    ]
    body = Call.model_validate(
        {"id": "c1", "status": status, "completed": completed, "transcript": transcript}
    )
    return Reply(200, body.model_dump_json().encode())


def followed(line: Line, replies: list[Reply], seconds: list[float] | None = None, **given: Any) -> Any:
    """Drive the flow by hand, in a process that knows of no call yet: each Send gets the next reply, each
    Sleep moves the time."""
    now = [0.0]
    line.timer = lambda: now[0]
    line.watch = Watch(line.bell, 0.5)
    flow = perform(FollowCall(call_id="c1", **given), line.desk())
    outcome: Any = None
    try:
        while True:
            match flow.send(outcome):
                case Send():
                    outcome = replies.pop(0) if len(replies) > 1 else replies[0]
                case Sleep(wait):
                    now[0] += wait
                    if seconds is not None:
                        seconds.append(wait)
                    outcome = None
                case Keep(work):
                    outcome = work()
                case _:
                    outcome = None
    except StopIteration as end:
        return end.value


def test_new_words_come_at_once(line: Line) -> None:
    seen = followed(line, [call(3)], from_turn=2)
    assert [turn.turn for turn in seen.turns] == [2, 3]
    assert (seen.next_turn, seen.more, seen.ended) == (4, False, False)
    assert "The call still runs" in seen.note
    assert "from_turn 4" in seen.note


def test_it_waits_until_something_new_is_said(line: Line) -> None:
    waits: list[float] = []
    seen = followed(line, [call(1), call(1), call(2)], waits, from_turn=2)
    assert [turn.turn for turn in seen.turns] == [2]
    assert len(waits) == 2


@pytest.mark.parametrize(
    ("status", "completed"), [("completed", False), ("queued", False), ("completed", True)]
)
def test_a_change_of_state_ends_the_wait(line: Line, status: str, completed: bool) -> None:
    seen = followed(line, [call(1), call(1, status, completed)], from_turn=2)
    assert seen.status == status


def test_it_waits_no_longer_than_it_was_told(line: Line) -> None:
    waits: list[float] = []
    seen = followed(line, [call(1)], waits, from_turn=2, wait_seconds=7)
    assert sum(waits) == pytest.approx(7)
    assert seen.turns == ()
    assert seen.next_turn == 2
    waits = []
    followed(line, [call(1)], waits, from_turn=2, wait_seconds=40)
    assert sum(waits) <= 40
    assert followed(line, [call(0)], wait_seconds=0).note.startswith("The call still runs")


def test_after_the_end_it_waits_for_the_summary(line: Line) -> None:
    waits: list[float] = []
    over = [call(2, "completed"), call(2, "completed"), call(2, "completed", completed=True)]
    seen = followed(line, over, waits, from_turn=3)
    assert seen.completed is True
    assert seen.note == "The call is over and this is all of it."
    assert len(waits) == 2
    early = followed(line, [call(2, "completed")], from_turn=1)
    assert early.note == (
        "The call is over; its summary and its recording may come, about 15 seconds after the end: "
        "follow_call with from_turn 3 waits for it."
    )
    assert early.completed is False


def test_the_first_turns_come_first_and_more_says_so(line: Line) -> None:
    first = followed(line, [call(25)])
    assert [turn.turn for turn in first.turns] == list(range(1, 11))
    assert (first.more, first.next_turn) == (True, 11)
    assert "There is more to read" in first.note
    long = followed(line, [call(8, size=1000)])
    assert [turn.turn for turn in long.turns] == [1, 2, 3]
    huge = followed(line, [call(1, size=9000)])
    assert (huge.turns[0].cut_from, len(huge.turns[0].text.words)) == (9000, 3100)
    assert long.turns[0].cut_from is None


def test_every_turn_is_read_once_by_following_on(line: Line) -> None:
    read, turn = [], 1
    while True:
        seen = followed(line, [call(23, "completed", completed=True, size=700)], from_turn=turn)
        read += [one.turn for one in seen.turns]
        turn = seen.next_turn
        if not seen.more:
            break
    assert read == list(range(1, 24))


def test_get_call_shows_the_last_turns(line: Line) -> None:
    request = GetCall(call_id="c1")
    view = request.shown(request.reply(call(25)), live=True)
    assert [turn["turn"] for turn in view["turns"]] == list(range(16, 26))
    assert (view["turns_total"], view["first_turn"]) == (25, 16)
    assert view["turns"][0]["speaker"] == "agent"
    assert "transcript" not in view
    assert "metadata" not in view


def test_an_unknown_call_is_not_waited_for(line: Line) -> None:
    with pytest.raises(NotFound):
        followed(line, [Reply(404, b'{"status": 404, "title": "Not found"}')])
