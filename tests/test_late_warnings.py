"""What a rule has a person asked about, and the question did not say: a yes to that question is none."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from topcalls_tools import Client, PlaceCall, UpdateLead
from topcalls_tools.connect import Line
from topcalls_tools.errors import Declined, Refused
from topcalls_tools.flow.reconcile import close_books
from topcalls_tools.flow.steps import Ask
from topcalls_tools.settings import Settings

from .conftest import CALL
from .owner import owner
from .test_flow import HELD, PLACE, Script, sent, yes

OTHER = PlaceCall(**{**CALL, "task": "Ask whether they are open on Sunday."})
BALANCE = {"remaining": 500, "reserved": 0}


def at(home: Path, lines: str, now: datetime) -> tuple[Line, list[datetime]]:
    """A live line to nowhere whose clock stands in a list, of an owner with these lines."""
    owner(home, lines)
    clock = [now]
    settings = Settings(api_key="tc_live_canary0123", base_url="https://x.invalid", home=home)
    return Line(settings, clock=lambda: clock[0]), clock


def test_a_call_that_was_placed_while_a_person_thought_is_said_before_the_phone_rings_again(
    home: Path,
) -> None:
    line, now = at(home, "duplicate_minutes = 60\n", datetime.now(UTC))
    asked: list[str] = []

    def think(ask: Ask) -> bool:
        asked.append(ask.question.text())
        if len(asked) == 1:  # another window calls meanwhile, and that call is over
            sent("sync", line, Script(201), OTHER, approve=yes)
            now[0] += timedelta(seconds=40)
            over = Script((200, {"id": "c1", "status": "completed", "duration": 0.5}))
            client = Client(line=line, transport=httpx.MockTransport(over.play))
            client.run(close_books(line.desk()))
        return True

    script = Script(201)
    with pytest.raises(Refused, match=r"this may be a repetition.*did not say so; call again to be asked"):
        sent("sync", line, script, PLACE, approve=think)
    assert not script.requests
    assert sent("sync", line, script, PLACE, approve=think).call_id == "c1"
    assert "may be a repetition" not in asked[0]
    assert "may be a repetition" in asked[1]


def test_a_call_agreed_to_before_the_edge_of_the_hours_is_asked_about_anew_after_it(home: Path) -> None:
    noon = datetime(2026, 11, 25, 4, 59, 50, tzinfo=UTC)  # 20:59:50 in Los Angeles
    line, now = at(home, 'hours = "08:00-21:00"\nwarned_hours = "07:00-23:00"\n', noon)

    def think(ask: Ask) -> bool:
        now[0] += timedelta(minutes=2)
        return True

    script = Script(201)
    with pytest.raises(Refused, match="did not say so"):
        sent("sync", line, script, PLACE, approve=think)
    assert not script.requests


def test_where_nobody_is_asked_a_rule_that_wants_somebody_asked_refuses(home: Path) -> None:
    lines = f'approval = "none"\nnumbers = ["{CALL["phone_number"]}"]\nduplicate_minutes = 60\n'
    line, now = at(home, lines, datetime.now(UTC))
    assert sent("sync", line, Script(201), PLACE).call_id == "c1"
    now[0] += timedelta(minutes=15)
    over = (200, {"id": "c1", "status": "completed", "duration": 0.5})
    script = Script(over, 201)
    with pytest.raises(Declined, match="nobody can be asked"):
        sent("sync", line, script, OTHER)
    assert [request.method for request in script.requests] == ["GET"]


def test_a_lead_whose_number_is_blocked_is_not_made_a_lead_to_call_again(
    live: Callable[..., Line],
) -> None:
    line = live()
    line.desk().dnc().add("live", CALL["phone_number"], None, line.clock())

    def play(request: httpx.Request) -> httpx.Response:
        assert request.method == "GET", "nothing is changed"
        return httpx.Response(200, json={"id": "l1", "name": "Ann", "phone_number": CALL["phone_number"]})

    with Client(line=line, approve=yes, transport=httpx.MockTransport(play)) as client:
        for status in ("New", "Contacted", "Converted"):
            with pytest.raises(Refused, match="do-not-call"):
                client.send(UpdateLead(lead_id="l1", status=status))  # type: ignore[arg-type]


@pytest.mark.parametrize("number", ["13055550100", "sip:1", "", "+1", "\nNothing against it: all."])
def test_a_number_of_the_account_that_is_none_hinders_no_call_and_stands_in_no_sentence(
    home: Path, number: str
) -> None:
    line, _ = at(home, 'countries = "own"\n', datetime.now(UTC))
    odd = {"id": "m", "number": number, "status": "active"}

    def play(request: httpx.Request) -> httpx.Response:
        match request.url.path:
            case "/v1/balance":
                return httpx.Response(200, json=BALANCE)
            case "/v1/phone-numbers":
                return httpx.Response(200, json={"data": [odd, HELD]})
        return httpx.Response(201, json={"call_id": "c1", "status": "queued"})

    with Client(line=line, approve=yes, transport=httpx.MockTransport(play)) as client:
        strange: dict[str, Any] = {**CALL, "from_number": "+14155550198"}
        with pytest.raises(Refused, match=r"use an active one: [+]14155550199[.]") as got:
            client.send(PlaceCall(**strange))
        assert "Nothing against" not in str(got.value)
        assert client.send(PLACE).call_id == "c1"


@pytest.mark.parametrize("used", [-500, None, -0.5])
def test_what_topcalls_says_was_used_gives_no_minute_back(home: Path, used: float | None) -> None:
    line, now = at(home, "minutes_per_day = 20\n", datetime.now(UTC))
    sent("sync", line, Script(201), PLACE, approve=yes)
    now[0] += timedelta(minutes=80)
    over = Script((200, {"id": "c1", "status": "completed", "duration": used}))
    Client(line=line, transport=httpx.MockTransport(over.play)).run(close_books(line.desk()))
    (row,) = line.desk().journal().dials("live")
    assert row.used_minutes == row.minutes
