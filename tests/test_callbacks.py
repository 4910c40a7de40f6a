"""Who asked to be called back is proposed, with the first time that the hours permit; and nobody is called by that."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from icalendar import Calendar

from topcalls_tools import Client, StartCampaign
from topcalls_tools.cli.calendar import calendar
from topcalls_tools.cli.callbacks import _lines
from topcalls_tools.cli.proposals import LATELY, Proposal, proposals
from topcalls_tools.flow.reconcile import close_books
from topcalls_tools.guard.moments import Times
from topcalls_tools.journal import archive

from .conftest import CALL, NUMBER, World, owner
from .test_campaigns_heard import Dialler, dialled, hear
from .test_campaigns_heard import call as campaign_call
from .test_cli import keyed, run
from .test_flow import PLACE, Script, moving_line, sent, yes
from .test_heard import LATER, OUT, Town
from .test_reconcile import drive

__all__ = ["keyed"]
WEDNESDAY = datetime(2026, 11, 25, 18, 0, tzinfo=UTC)
"""10:00 in Los Angeles."""
HOURS = 'hours = "08:00-21:00"\nwarned_hours = "08:00-21:00"'


def asked(words: str) -> list[dict[str, Any]]:
    """A conversation in which somebody says so, Wednesday at 10 there."""
    at = WEDNESDAY.isoformat()
    return [
        {"id": 1, "user": "assistant", "text": "Hello, an AI assistant speaks.", "created_at": at},
        {"id": 2, "user": "user", "text": words, "created_at": at},
    ]


@pytest.fixture
def after(home: Path) -> Callable[..., tuple[Client, list[datetime]]]:
    """A live line after a call in which somebody said so, and its clock, five minutes later."""

    def make(words: str, then: datetime = WEDNESDAY) -> tuple[Client, list[datetime]]:
        owner(home, HOURS)
        line, now = moving_line(home)
        now[0] = then
        sent("sync", line, Script(201), PLACE, approve=yes)
        now[0] += timedelta(minutes=5)
        town = Town(transcript=asked(words))
        drive(line, town, close_books(line.desk()))  # type: ignore[arg-type]
        return Client(line=line, transport=town.transport), now

    return make


def only(client: Client) -> Proposal:
    (found,) = proposals(client)
    return found


def test_on_thursday_at_three_is_proposed_in_both_zones(after: Callable[..., Any]) -> None:
    client, _ = after("Call me back on Thursday at three.")
    one = only(client)
    assert (one.call_id, one.turn, one.number, one.against) == ("c1", 2, NUMBER, None)
    assert one.named == one.at == datetime(2026, 11, 26, 23, 0, tzinfo=UTC)
    assert one.when == "2026-11-26 23:00 UTC, 15:00 on Thursday there (America/Los_Angeles)"


def test_a_time_that_has_passed_gives_the_next_one_that_is_permitted(after: Callable[..., Any]) -> None:
    client, now = after("Call me back today at 7 pm.")
    now[0] = WEDNESDAY + timedelta(hours=10, minutes=30, seconds=20)  # 20:30 there
    assert only(client).at == WEDNESDAY + timedelta(hours=10, minutes=31)
    now[0] += timedelta(hours=1)
    assert only(client).at == datetime(2026, 11, 26, 16, 0, tzinfo=UTC)  # 8:00 there


def test_the_hours_that_count_now_are_those_that_the_owner_sets_now(
    after: Callable[..., Any], home: Path
) -> None:
    client, _ = after("Call me back on Thursday at 9 am.")
    assert only(client).at == datetime(2026, 11, 26, 17, 0, tzinfo=UTC)
    owner(home, HOURS.replace("08:00", "10:00"))
    assert only(client).at == datetime(2026, 11, 26, 18, 0, tzinfo=UTC)


def test_without_a_time_they_are_proposed_for_as_soon_as_it_is_permitted(after: Callable[..., Any]) -> None:
    client, now = after("Call me back later, would you?")
    assert (only(client).named, only(client).at) == (None, now[0])


def test_who_is_not_to_be_called_or_was_called_again_is_not_called_back(after: Callable[..., Any]) -> None:
    client, now = after("Call me back on Thursday at three.")
    now[0] += timedelta(hours=1)
    line = client.line
    sent("sync", line, Script(201), PLACE.model_copy(update={"task": "Ask them once more."}), approve=yes)
    assert only(client).against == f"The number was called again at {now[0]:%Y-%m-%d %H:%M} UTC."
    line.desk().dnc().add("live", NUMBER, "asked", now[0])
    assert only(client).against == "The number is not to be called any more."


def test_what_was_asked_long_ago_is_proposed_no_more(after: Callable[..., Any]) -> None:
    client, now = after("Call me back on Thursday at three.")
    now[0] += LATELY + timedelta(days=1)
    assert proposals(client) == []


def test_a_number_that_was_forgotten_is_not_known_any_more(after: Callable[..., Any]) -> None:
    client, now = after("Call me back on Thursday at three.")
    archive.forget(client.line.desk().journal(), NUMBER, now[0])
    one = only(client)
    assert (one.whom, one.number) == ("A number that is not known here", None)


def test_of_a_campaigns_call_the_number_is_read_again(home: Path) -> None:
    owner(home, HOURS)
    line, now = moving_line(home)
    now[0] = WEDNESDAY
    sent("sync", line, Dialler(status="draft"), StartCampaign(campaign_id="k1"), approve=yes)  # type: ignore[arg-type]
    now[0] += timedelta(minutes=5)
    made = campaign_call(
        1, WEDNESDAY, transcript=asked("Call me back on Thursday at three."), phone_number=NUMBER
    )
    hear(line, Dialler(made))
    reads: list[str] = []

    def reread(request: httpx.Request) -> httpx.Response:
        reads.append(f"{request.method} {request.url.path}")
        return httpx.Response(200, json=made)

    client = Client(line=line, transport=httpx.MockTransport(reread))
    assert (only(client).number, only(client).at) == (NUMBER, datetime(2026, 11, 26, 23, 0, tzinfo=UTC))
    assert set(reads) == {"GET /v1/calls/c1"}
    gone = Client(line=line, transport=httpx.MockTransport(lambda request: httpx.Response(404)))
    assert only(gone).whom == "A number that is not known here"


def test_the_calendar_says_when_and_nothing_that_they_said(after: Callable[..., Any], home: Path) -> None:
    home.mkdir(exist_ok=True)
    (home / "contacts.toml").write_text(
        f'[[contact]]\nname = "Bo\\r\\nATTENDEE:mailto:x@example.com\\u202e"\nnumber = "{NUMBER}"\n'
    )
    client, now = after("Zanzibar! Call me back on Thursday at three.")
    written = calendar(proposals(client), now[0])
    (event,) = Calendar.from_ical(written).walk("VEVENT")
    at = datetime(2026, 11, 26, 23, 0, tzinfo=UTC)
    assert (event.start, event.end - event.start) == (at, timedelta(minutes=15))
    assert (event["uid"], event["status"]) == ("callback-c1@topcalls-tools", "TENTATIVE")
    assert NUMBER in event["summary"]
    assert "15:00 on Thursday there (America/Los_Angeles)" in event["description"]
    assert "turn 2 of the call c1" in event["description"]
    assert b"ATTENDEE" not in [line.partition(b":")[0] for line in written.split(b"\r\n")]
    assert "‮".encode() not in written
    assert b"Zanzibar" not in written


def test_the_same_call_is_the_same_event_each_time(after: Callable[..., Any]) -> None:
    client, now = after("Call me back on Thursday at three.")
    first, second = (
        Calendar.from_ical(calendar(proposals(client), now[0] + timedelta(days=day))) for day in (0, 1)
    )
    assert first.walk("VEVENT")[0]["uid"] == second.walk("VEVENT")[0]["uid"]


def test_the_command_hears_lists_and_writes_a_file_and_calls_nobody(keyed: World, tmp_path: Path) -> None:
    assert run("place-call", "--phone-number", LATER, "--task", CALL["task"]).exit_code == 0
    rang = len(keyed.rings())
    keyed.advance(900)
    listed = run("callbacks")
    assert listed.exit_code == 0, listed.output
    assert listed.output.startswith(f"{LATER}: from 20")
    assert " there (" in listed.output.splitlines()[0]
    (told,) = json.loads(run("callbacks", "--json").output)["data"]
    file = tmp_path / "back.ics"
    assert run("callbacks", told["call_id"], "--ics", str(file)).exit_code == 0
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    (event,) = Calendar.from_ical(file.read_bytes()).walk("VEVENT")
    assert event.start == datetime.fromisoformat(told["earliest"])
    again = run("callbacks", "--ics", str(file))
    assert (again.exit_code, "--force" in again.stderr) == (6, True)
    assert run("callbacks", "--ics", str(file), "--force").exit_code == 0
    assert len(keyed.rings()) == rang


def test_who_asked_inside_a_campaign_is_listed_too(keyed: World) -> None:
    campaign = dialled(keyed, LATER[-4:], OUT[-4:])
    assert run("start-campaign", "--campaign-id", campaign).exit_code == 0
    keyed.advance(120)
    for _ in range(2):
        listed = run("callbacks")
        assert listed.output.count("Asked for in turn") == 1
    assert run("dnc", "list").output.count("asked not to be called") == 1


def test_what_names_no_time_has_no_event_and_that_is_said(
    keyed: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Times, "named", lambda self, words: None)
    assert run("place-call", "--phone-number", LATER, "--task", CALL["task"]).exit_code == 0
    keyed.advance(900)
    assert "They named no time that could be read." in run("callbacks").output
    refused = run("callbacks", "--ics", str(tmp_path / "back.ics"))
    assert refused.exit_code == 3
    assert "1 has no time that could be read" in refused.stderr
    assert not (tmp_path / "back.ics").exists()


def test_a_call_in_which_nobody_asked_ends_with_three(keyed: World) -> None:
    run("place-call", "--phone-number", NUMBER, "--task", CALL["task"])
    refused = run("callbacks", "c-nobody")
    assert (refused.exit_code, "In no call with this id" in refused.stderr) == (3, True)


def test_without_a_journal_nobody_asked_and_none_is_made(keyed: World, home: Path) -> None:
    asked = run("callbacks")
    assert (asked.exit_code, asked.output) == (0, "Nobody asked to be called back.\n")
    assert not (home / "journal.db").exists()


def test_where_topcalls_cannot_be_reached_what_is_known_is_listed_all_the_same(
    keyed: World,
) -> None:
    run("place-call", "--phone-number", LATER, "--task", CALL["task"])
    keyed.advance(900)
    run("callbacks")
    run("place-call", "--phone-number", NUMBER, "--task", CALL["task"])
    fault = {"route": "GET /v1/calls/{call_id}", "kind": "error_before", "next": 50}
    httpx.post(
        f"{keyed.url}/sandbox/faults",
        json=fault,
        headers={"Authorization": f"Bearer {keyed.key}"},
        trust_env=False,
    ).raise_for_status()
    listed = run("callbacks")
    assert "could not all be heard" in listed.stderr
    assert LATER in listed.stdout


def test_an_id_that_would_steer_the_terminal_is_shown_harmlessly() -> None:
    one = Proposal("c\x1b]0;pwned\x07\n+1415: from now", 2, WEDNESDAY, None, None, (), None, None)
    lines = [*_lines([one])]
    assert all(line.isprintable() for line in lines)
    assert "of c\\u{1b}]0;pwned\\u{7}\\u{a}+1415: from now, heard" in lines[1]
