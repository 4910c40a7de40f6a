"""A few calls under one yes: what the yes is to, that each call is judged and placed once, and what ends it."""

from __future__ import annotations

import codecs
import json
import multiprocessing
import os
import select
import signal
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner, Result

from topcalls_tools import Client, PlaceCall, stored_key
from topcalls_tools.call_list import Entry, running
from topcalls_tools.call_list.people import entries, people
from topcalls_tools.call_list.plan import Plan, planned
from topcalls_tools.call_list.running import (
    Ended,
    Outcome,
    Placing,
    answered,
    declined_before,
    run,
)
from topcalls_tools.cli import topcalls
from topcalls_tools.connect import Line
from topcalls_tools.contacts import Contact
from topcalls_tools.deeds import StopAll
from topcalls_tools.errors import Declined, Misconfigured
from topcalls_tools.flow.steps import Sleep
from topcalls_tools.journal.archive import listed, troubles
from topcalls_tools.tools import TOOLS

from .conftest import World, owner
from .test_cli import Terminal

TASK = "Remind {{name}} of the appointment at {{time}}."
ANN, BOB, CY = "+14155550142", "+14155550143", "+14155550144"
FILE = f"name,number,time\nAnn,{ANN},9:30\nBob,{BOB},10:00\nCy,{CY},11:15\n"


class Hurry:
    """Whoever runs a list in a test: time passes in the sandbox, and at some wait something is wanted."""

    def __init__(self, world: World, *wishes: Callable[[Hurry], None]) -> None:
        self.no_further = self.hang_up = self.leave = False
        self.waits = 0
        self._world, self._wishes = world, wishes

    def wait(self, seconds: float) -> None:
        self.waits += 1
        for wish in self._wishes:
            wish(self)
        self._world.advance(40)


def listed_in(text: str, task: str = TASK, **given: Any) -> tuple[Entry, ...]:
    return entries(people(text, {}), {"task": task, "max_duration": 2, **given})


def plan_of(client: Client, text: str = FILE, **given: Any) -> Plan:
    again = given.pop("again", False)
    flow = planned(listed_in(text, **given), client.line.desk(), stop_after=3, again=again)
    return client.run(flow)


def said_yes(client: Client, text: str = FILE, **given: Any) -> Plan:
    return answered(plan_of(client, text, **given), True, client)


def ran(plan: Plan, client: Client, halt: Hurry, stop_after: int = 3) -> dict[str, Outcome]:
    """What became of each, by name; whoever was left because the list ended is there too."""
    became: dict[str, Outcome] = {}
    for event in run(plan, client, halt, stop_after=stop_after):
        if isinstance(event, Outcome):
            became[event.entry.who] = event
        if isinstance(event, Ended):
            became |= {entry.who: Outcome(entry, "not called", event.why) for entry in event.left}
    return became


def states(became: dict[str, Outcome]) -> dict[str, str]:
    return {who: outcome.state for who, outcome in became.items()}


@pytest.fixture(params=["practice", "rehearsal"])
def caller(request: pytest.FixtureRequest) -> Client:
    line: Line = request.getfixturevalue("line" if request.param == "practice" else "rehearsal")
    return Client(line=line)


def test_every_call_is_placed_once_under_a_key_of_its_own(caller: Client, world: World) -> None:
    plan = said_yes(caller)
    became = ran(plan, caller, Hurry(world))
    assert states(became) == {"Ann": "reached", "Bob": "reached", "Cy": "reached"}
    assert sorted(ring["phone_number"] for ring in world.rings()) == [ANN, BOB, CY]
    journal = caller.line.desk().journal()
    dials = journal.dials("sandbox")
    assert {dial.digest for dial in dials} == {item.draft.row.digest for item in plan.items}
    assert len({dial.key for dial in dials} | {plan.row.key}) == 4
    assert list(troubles(journal)) == []


def test_one_at_a_time(caller: Client, world: World) -> None:
    ran(said_yes(caller), caller, Hurry(world))
    calls = sorted(world.get("/v1/calls")["data"], key=lambda call: call["created_at"])
    mine = [call for call in calls if call["phone_number"] in (ANN, BOB, CY)]
    assert [call["phone_number"] for call in mine] == [ANN, BOB, CY]
    for earlier, later in pairwise(mine):
        assert earlier["end_at"] <= later["created_at"]


def test_the_question_lists_each_call_whole_and_the_minutes_in_all(caller: Client) -> None:
    text = plan_of(caller, first_sentence="This is about {{time}}, {{name}}.").question.text(100_000)
    for number, name, time in ((ANN, "Ann", "9:30"), (BOB, "Bob", "10:00"), (CY, "Cy", "11:15")):
        assert f"│ {number}" in text
        assert f"│ {name}" in text
        assert f"Remind {name} of the appointment at {time}." in text
        assert f"This is about {time}, {name}." in " ".join(text.replace("│", "").split())
    assert "up to 6 call minutes" in text
    assert text.startswith("Place 3 calls, one after the other? Practice: no phone rings.")


def test_what_is_sent_is_what_was_shown(caller: Client, world: World) -> None:
    plan = said_yes(caller)
    ran(plan, caller, Hurry(world))
    shown = {item.entry.request.phone_number: item.draft.request.task for item in plan.items}
    for call in world.get("/v1/calls")["data"]:
        if call["phone_number"] in shown:
            whole = world.get(f"/v1/calls/{call['id']}")
            assert whole["metadata"]["task"] == shown[call["phone_number"]]


def test_the_journal_says_when_and_how_each_was_agreed_to(caller: Client, world: World) -> None:
    plan = said_yes(caller)
    ran(plan, caller, Hurry(world))
    rows = [ask for ask, _ in listed(caller.line.desk().journal(), 10)]
    assert {ask.decided_at for ask in rows} == {plan.row.decided_at}
    assert {ask.by for ask in rows} == {"terminal"}
    assert [ask.tool for ask in rows].count("call_list") == 1
    assert [ask.tool for ask in rows].count("place_call") == 3
    assert all(ask.used_at for ask in rows if ask.tool == "place_call")


def test_a_list_never_stands_open_so_nothing_else_can_answer_it(caller: Client) -> None:
    plan = plan_of(caller)
    journal = caller.line.desk().journal()
    assert journal.open_asks(caller.line.clock()) == []
    answered(plan, True, caller)
    assert journal.open_asks(caller.line.clock()) == []


def test_before_a_call_has_its_turn_there_is_no_yes_to_it(caller: Client, world: World) -> None:
    """Whatever ends the program, no yes is left lying about for calls that were not begun."""
    plan = said_yes(caller)
    journal = caller.line.desk().journal()
    events = run(plan, caller, Hurry(world), stop_after=3)
    assert isinstance(next(events), Placing)
    assert [ask.tool for ask, _ in listed(journal, 10)] == ["call_list"]
    events.close()


def test_a_stop_of_everything_ends_the_yes_to_what_was_not_begun(caller: Client, world: World) -> None:
    plan = said_yes(caller)
    stopped: list[bool] = []

    def stop(halt: Hurry) -> None:
        if not stopped:
            stopped.append(True)
            assert caller.line.desk().stop(datetime.now(UTC))

    became = ran(plan, caller, Hurry(world, stop))
    assert states(became) == {"Ann": "reached", "Bob": "not called", "Cy": "not called"}
    assert "[rule: stop-all]" in became["Bob"].why
    assert [ring["phone_number"] for ring in world.rings()] == [ANN]


def test_stop_all_itself_ends_a_list(caller: Client, world: World) -> None:
    plan = said_yes(caller)
    stopped: list[bool] = []

    def stop(halt: Hurry) -> None:
        if not stopped:
            stopped.append(True)
            with closing(Line(world.settings(caller.line.settings.home))) as other:
                Client(line=other).send(StopAll())

    became = ran(plan, caller, Hurry(world, stop))
    assert states(became)["Bob"] == states(became)["Cy"] == "not called"
    assert {ring["phone_number"] for ring in world.rings()} <= {ANN}


def test_a_number_that_is_blocked_meanwhile_is_not_called_and_the_others_are(
    caller: Client, world: World
) -> None:
    plan = said_yes(caller)

    def block(halt: Hurry) -> None:
        caller.line.desk().dnc().add("sandbox", BOB, "asked", datetime.now(UTC))

    became = ran(plan, caller, Hurry(world, block))
    assert states(became) == {"Ann": "reached", "Bob": "not called", "Cy": "reached"}
    assert "do-not-call" in became["Bob"].why


def test_a_blocked_number_stands_in_the_question_and_is_not_called(caller: Client, world: World) -> None:
    caller.line.desk().dnc().add("sandbox", BOB, "asked", datetime.now(UTC))
    plan = said_yes(caller)
    assert [left.entry.who for left in plan.left] == ["Bob"]
    assert "do-not-call" in plan.question.text(100_000)
    assert states(ran(plan, caller, Hurry(world))) == {"Ann": "reached", "Cy": "reached"}


def test_the_question_says_who_may_miss_out_and_minutes_that_were_not_used_are_free_again(
    rehearsal: Line, world: World, home: Path
) -> None:
    owner(home, "minutes_per_day = 5")
    client = Client(line=rehearsal)
    plan = said_yes(client)
    text = plan.question.text(100_000)
    assert "call 3 will not be placed" in text
    assert "[rule: minutes-per-day]" in text
    assert set(states(ran(plan, client, Hurry(world))).values()) == {"reached"}
    dials = client.line.desk().journal().dials("sandbox")
    assert sum(dial.used_minutes if dial.used_minutes is not None else dial.minutes for dial in dials) <= 5


def test_a_budget_that_is_used_up_refuses_the_next(rehearsal: Line, world: World, home: Path) -> None:
    owner(home, "calls_per_day = 2")
    client = Client(line=rehearsal)
    plan = said_yes(client)
    assert "call 3 will not be placed" in plan.question.text(100_000)
    became = ran(plan, client, Hurry(world))
    assert states(became) == {"Ann": "reached", "Bob": "reached", "Cy": "not called"}
    assert "[rule: calls-per-day]" in became["Cy"].why


def test_a_warning_that_comes_up_after_the_yes_keeps_the_call_from_being_placed(
    rehearsal: Line, world: World, home: Path
) -> None:
    owner(home, "duplicate_minutes = 60")
    client = Client(line=rehearsal)
    plan = said_yes(client)
    placed: list[bool] = []

    def elsewhere(halt: Hurry) -> None:
        if not placed:
            placed.append(True)
            other = Client(line=rehearsal, approve=lambda ask: True)
            other.send(PlaceCall(phone_number=BOB, task="Ask for something else entirely."))
            world.advance(600)

    became = ran(plan, client, Hurry(world, elsewhere))
    assert states(became) == {"Ann": "reached", "Bob": "not called", "Cy": "reached"}
    assert [ring["phone_number"] for ring in world.rings()].count(BOB) == 1


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("contacts.toml", f'[[contact]]\nname = "Another Bob"\nnumber = "{BOB}"\n'),
        ("policy.toml", 'caller = "Somebody Else"\n'),
    ],
)
def test_what_has_changed_since_the_list_was_shown_is_not_placed(
    rehearsal: Line, world: World, home: Path, name: str, text: str
) -> None:
    client = Client(line=rehearsal)
    plan = said_yes(client)

    def edit(halt: Hurry) -> None:
        if name == "policy.toml":
            owner(home, text.strip())
        else:
            (home / name).write_text(text)

    became = ran(plan, client, Hurry(world, edit))
    assert states(became)["Ann"] == "reached"
    assert states(became)["Bob"] == "not called"
    assert "changed since the list was shown" in became["Bob"].why
    assert BOB not in [ring["phone_number"] for ring in world.rings()]
    assert client.line.desk().journal().open_asks(client.line.clock()) == []


def test_a_yes_that_ran_out_places_nothing_more(world: World, home: Path) -> None:
    owner(home)
    now = [datetime.now(UTC)]
    with closing(Line(world.settings(home, rehearse=True), clock=lambda: now[0])) as line:
        client = Client(line=line)
        plan = said_yes(client)

        def later(halt: Hurry) -> None:
            now[0] = plan.row.expires_at

        became = ran(plan, client, Hurry(world, later))
    assert states(became) == {"Ann": "reached", "Bob": "not called", "Cy": "not called"}
    assert "counts no more" in became["Bob"].why


def test_the_yes_to_a_list_counts_two_hours_at_most(caller: Client) -> None:
    numbers = "".join(f"N{n},+1415555{n:04},9:30\n" for n in range(150, 160))
    plan = plan_of(caller, f"name,number,time\n{numbers}", max_duration=60)
    assert plan.row.expires_at - plan.row.asked_at == timedelta(hours=2)
    short = plan_of(caller)
    assert short.row.expires_at - short.row.asked_at == timedelta(minutes=10 + 6 + 6)


def test_an_answer_that_took_ten_minutes_is_none(world: World, home: Path) -> None:
    owner(home)
    now = [datetime.now(UTC)]
    with closing(Line(world.settings(home), clock=lambda: now[0])) as line:
        client = Client(line=line)
        plan = plan_of(client)
        now[0] += timedelta(minutes=10)
        with pytest.raises(Declined, match="more than 10 minutes"):
            answered(plan, True, client)
        assert listed(line.desk().journal(), 5) == []


def test_one_yes_places_each_call_once_however_often_it_is_run(caller: Client, world: World) -> None:
    plan = said_yes(caller)
    ran(plan, caller, Hurry(world))
    again = ran(plan, caller, Hurry(world))
    assert set(states(again).values()) == {"not called"}
    assert len(world.rings()) == 3


def test_two_windows_with_one_list_call_nobody_twice(caller: Client, world: World) -> None:
    first, second = said_yes(caller), plan_of(caller)
    second = answered(second, True, caller)
    ran(first, caller, Hurry(world))
    became = ran(second, caller, Hurry(world))
    assert set(states(became).values()) == {"not called"}
    assert became["Ann"].why == "It was called meanwhile."
    assert len(world.rings()) == 3


def test_a_no_is_final_and_nothing_is_sent(caller: Client, world: World) -> None:
    with pytest.raises(Declined, match="The answer was no"):
        answered(plan_of(caller), False, caller)
    again = plan_of(caller)
    assert declined_before(again, caller)
    assert not declined_before(plan_of(caller, FILE.replace("9:30", "9:45")), caller)
    assert "counts no more" in ran(again, caller, Hurry(world))["Ann"].why
    assert world.rings() == []
    assert list(troubles(caller.line.desk().journal())) == []


def test_a_no_to_one_of_its_calls_keeps_that_one_from_being_placed(caller: Client, world: World) -> None:
    plan = said_yes(caller)
    no = Client(line=caller.line, approve=lambda ask: False)
    with pytest.raises(Declined):
        no.send(plan.items[1].entry.request)
    became = ran(plan, caller, Hurry(world))
    assert states(became) == {"Ann": "reached", "Bob": "not called", "Cy": "reached"}


def test_running_it_again_goes_on_with_those_who_were_not_called(caller: Client, world: World) -> None:
    halt = Hurry(world, lambda halt: setattr(halt, "no_further", True))
    became = ran(said_yes(caller), caller, halt)
    assert states(became) == {"Ann": "reached", "Bob": "not called", "Cy": "not called"}
    plan = said_yes(caller)
    assert [left.entry.who for left in plan.left] == ["Ann"]
    assert "was called with these words" in plan.left[0].why
    assert states(ran(plan, caller, Hurry(world))) == {"Bob": "reached", "Cy": "reached"}
    assert sorted(ring["phone_number"] for ring in world.rings()) == [ANN, BOB, CY]
    nobody = plan_of(caller)
    assert nobody.items == ()


def test_other_words_are_another_call_and_again_calls_once_more(world: World, home: Path) -> None:
    owner(home)
    now = [datetime.now(UTC)]
    with closing(Line(world.settings(home), clock=lambda: now[0])) as line:
        client = Client(line=line)
        ran(said_yes(client), client, Hurry(world))
        other = plan_of(client, FILE.replace("9:30", "9:45"))
        assert [item.entry.who for item in other.items] == ["Ann"]
        now[0] += timedelta(minutes=10)
        plan = said_yes(client, again=True)
        assert len(plan.items) == 3
        assert set(states(ran(plan, client, Hurry(world))).values()) == {"reached"}
    assert len(world.rings()) == 6


def test_another_word_about_voicemail_makes_no_other_call(caller: Client, world: World, home: Path) -> None:
    ran(said_yes(caller), caller, Hurry(world))
    owner(home, 'voicemail = "leave_message"')
    assert plan_of(caller).items == ()


class Killed(httpx.BaseTransport):
    """The network of a process that dies at the n-th dial: before it is sent, or with its answer unread."""

    def __init__(self, at: int, sends: bool) -> None:
        self._inner, self._left, self._sends = httpx.HTTPTransport(), at, sends

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.method == "POST" and request.url.path == "/v1/calls":
            self._left -= 1
            if self._left == 0:
                if self._sends:
                    self._inner.handle_request(request).read()
                os._exit(9)
        return self._inner.handle_request(request)


def dies(url: str, key: str, home: Path, at: int, sends: bool) -> None:
    """Run a list in a process that dies in the middle of it."""
    world = World.__new__(World)
    world._http = httpx.Client(base_url=url, headers={"Authorization": f"Bearer {key}"}, trust_env=False)
    world.url, world.key = url, key
    line = Line(world.settings(home, rehearse=True))
    client = Client(line=line, transport=Killed(at, sends))
    ran(said_yes(client), client, Hurry(world))
    os._exit(0)


@pytest.mark.parametrize("sends", [False, True], ids=["before the dial", "after the dial"])
@pytest.mark.parametrize("at", [1, 2, 3])
def test_a_crash_in_between_dials_nobody_twice(world: World, home: Path, at: int, sends: bool) -> None:
    owner(home)
    process = multiprocessing.get_context("spawn").Process(
        target=dies, args=(world.url, world.key, home, at, sends)
    )
    process.start()
    process.join(60)
    assert process.exitcode == 9
    called = [ANN, BOB, CY]
    begun = at if sends else at - 1
    assert len(world.rings()) == begun
    with closing(Line(world.settings(home, rehearse=True))) as line:
        client = Client(line=line)
        plan = plan_of(client)
        # whoever was being dialled when it died is in doubt, and not dialled again
        assert [left.entry.request.phone_number for left in plan.left] == called[:at]
        assert "nobody knows whether it rang" in plan.left[-1].why
        assert [item.entry.request.phone_number for item in plan.items] == called[at:]
        ran(answered(plan, True, client), client, Hurry(world))
        assert list(troubles(line.desk().journal())) == []
    rang = sorted(ring["phone_number"] for ring in world.rings())
    assert rang == sorted(called[:begun] + called[at:])


def test_too_many_in_a_row_who_are_not_reached_end_it(caller: Client, world: World) -> None:
    numbers = ["+14155550001", "+14155560001", "+14155550002", ANN, BOB]
    text = "name,number,time\n" + "".join(f"N{n},{number},9:30\n" for n, number in enumerate(numbers))
    became = ran(said_yes(caller, text), caller, Hurry(world))
    assert states(became) == {
        "N0": "not reached",
        "N1": "not reached",
        "N2": "not reached",
        "N3": "not called",
        "N4": "not called",
    }
    assert became["N0"].why == "The line was busy."
    assert became["N2"].why == "Nobody answered."
    assert "3 in a row" in became["N3"].why
    assert len(caller.line.desk().journal().dials("sandbox")) == 3


def test_somebody_reached_in_between_begins_the_count_anew(caller: Client, world: World) -> None:
    numbers = ["+14155550001", ANN, "+14155560001", BOB]
    text = "name,number,time\n" + "".join(f"N{n},{number},9:30\n" for n, number in enumerate(numbers))
    became = ran(said_yes(caller, text), caller, Hurry(world), stop_after=2)
    assert list(states(became).values()) == ["not reached", "reached", "not reached", "reached"]


def test_who_was_not_called_counts_as_nobody_missed(caller: Client, world: World) -> None:
    plan = said_yes(caller)

    def block(halt: Hurry) -> None:
        caller.line.desk().dnc().add("sandbox", BOB, "asked", datetime.now(UTC))

    became = ran(plan, caller, Hurry(world, block), stop_after=1)
    assert states(became) == {"Ann": "reached", "Bob": "not called", "Cy": "reached"}


def test_a_voicemail_is_nobody_reached(caller: Client, world: World) -> None:
    became = ran(said_yes(caller, "name,number,time\nV,+14155550005,9:30\n"), caller, Hurry(world))
    assert (became["V"].state, became["V"].why) == ("not reached", "A voicemail answered.")


def test_a_second_wish_hangs_up_and_no_further_call_is_placed(caller: Client, world: World) -> None:
    text = f"name,number,time\nLong,+14155550008,9:30\nAnn,{ANN},10:00\n"

    def wish(halt: Hurry) -> None:
        halt.no_further = True
        halt.hang_up = halt.waits > 2

    became = ran(said_yes(caller, text, max_duration=60), caller, Hurry(world, wish))
    assert states(became) == {"Long": "hung up", "Ann": "not called"}
    (call,) = [call for call in world.get("/v1/calls")["data"] if call["phone_number"] == "+14155550008"]
    assert call["status"] == "cancelled"
    assert len(world.rings()) == 1


def test_a_third_wish_leaves_and_says_how_the_call_is_seen_and_stopped(caller: Client, world: World) -> None:
    text = f"name,number,time\nLong,+14155550008,9:30\nAnn,{ANN},10:00\n"

    def wish(halt: Hurry) -> None:
        halt.no_further = halt.leave = True

    halt = Hurry(world, wish)
    became = ran(said_yes(caller, text, max_duration=60), caller, halt)
    assert states(became) == {"Long": "in doubt", "Ann": "not called"}
    assert halt.waits == 1
    call_id = became["Long"].call_id
    assert f"follow-call --call-id {call_id} shows it, stop-call hangs up" in became["Long"].why


def test_the_first_wish_lets_the_call_under_way_go_on(caller: Client, world: World) -> None:
    halt = Hurry(world, lambda halt: setattr(halt, "no_further", True))
    became = ran(said_yes(caller), caller, halt)
    assert states(became) == {"Ann": "reached", "Bob": "not called", "Cy": "not called"}
    assert became["Bob"].why == "You stopped the list."


class Deaf(httpx.BaseTransport):
    """A network that loses every look at a single call, once calls were placed."""

    def __init__(self) -> None:
        self._inner = httpx.HTTPTransport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.method == "GET" and request.url.path.startswith("/v1/calls/"):
            raise httpx.ConnectError("down")
        return self._inner.handle_request(request)


def test_a_call_that_cannot_be_followed_is_in_doubt_and_the_last_one(
    line: Line, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Quick(Client):
        def _step(self, step: Any, approve: Any) -> Any:
            return None if isinstance(step, Sleep) else super()._step(step, approve)

    client = Quick(line=line, transport=Deaf())
    became = ran(said_yes(client), client, Hurry(world))
    assert states(became) == {"Ann": "in doubt", "Bob": "not called", "Cy": "not called"}
    assert "topcalls follow-call --call-id" in became["Ann"].why
    assert len(world.rings()) == 1


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (FILE, [(2, "Ann", ANN), (3, "Bob", BOB), (4, "Cy", CY)]),
        (f"Phone Number;Name\n{ANN};Ann\n\n{BOB};\n", [(2, "Ann", ANN), (4, "Mum", BOB)]),
        ("Roma\n# a comment\nmum  # at home\n", [(1, "Roma", CY), (3, "mum", BOB)]),
        ("name,time\nroma,8\n", [(2, "roma", CY)]),
        (f'number,note\n{CY},"a, b"\n', [(2, "Roma", CY)]),
        (f"phone,mobile\n{CY},{CY}\n{BOB},\n,{ANN}\n", [(2, "Roma", CY), (3, "Mum", BOB), (4, None, ANN)]),
    ],
)
def test_who_is_on_a_list(text: str, found: list[tuple[int, str | None, str]]) -> None:
    known = {CY: Contact(name="Roma", number=CY), BOB: Contact(name="Mum", number=BOB)}
    assert [(one.line, one.fields.get("name"), one.number) for one in people(text, known)] == found


@pytest.mark.parametrize(
    ("text", "task", "words"),
    [
        ("", TASK, "names nobody"),
        ("number\n", TASK, "names nobody"),
        ("number\n" + "".join(f"+1415555{n:04}\n" for n in range(11)), "Ask them now.", "names 11 people"),
        (f"number\n{ANN}\n{ANN}\n", "Ask them now.", "Lines 2 and 3 are one number"),
        ("number\n911\n", "Ask them now.", "Line 2"),
        ("Nobody Known\n", "Ask them now.", "none of your contacts"),
        (f"number\n{ANN}\n", TASK, "nothing for {{name}}"),
        (f"name,number,time\nAnn,{ANN},\n", TASK, "nothing for {{time}}"),
        (f"name,number,time\nAnn,{ANN},{{{{x}}}}\n", TASK, "two braces"),
        (f"number\n{ANN}\n", "Ask {{ what they want.", "write {{name}}"),
        (f"number\n{ANN}\n", "Short", "Line 2: task is too short"),
        (f"number,a\n{ANN},1,2\n", "Ask them now.", "Line 2 has more columns"),
        (",\nname,number\n,\n", "Ask them now.", "none of your contacts"),
        ("name,number\n,\nx,\n", "Ask them now.", "none of your contacts"),
        ("number,time\n,9\n", "Ask them now.", "no number and no name"),
        (f"name,number,number\nAnn,{ANN},{BOB}\n", "Ask them now.", "column number is there twice"),
        (f"number,time,Time\n{ANN},9,10\n", "Ask them now.", "column time is there twice"),
        (f"name,mobile,phone\nAnn,{ANN},{BOB}\n", "Ask them now.", "different numbers as phone and mobile"),
        (f"number,na\x1b[2Jme\n{ANN},x\n", "Tell {{other}} now.", "number, na\\u{1b}[2jme"),
    ],
)
def test_a_file_that_leaves_something_open_is_refused_in_words(text: str, task: str, words: str) -> None:
    with pytest.raises(Misconfigured) as refused:
        entries(people(text, {}, _number), {"task": task})
    assert words in str(refused.value)


def _number(text: str) -> str:
    from topcalls_tools.cli.address_files import international

    return international(text, None)


def test_a_name_of_several_contacts_is_no_answer() -> None:
    known = {number: Contact(name="Ann", number=number) for number in (ANN, BOB)}
    with pytest.raises(Misconfigured, match="2 of your contacts"):
        people("ann\n", known)


def run_cli(*arguments: str, **env: str) -> Result:
    return CliRunner(env=env).invoke(topcalls, list(arguments))


@pytest.fixture
def command(world: World, home: Path, tmp_path: Path) -> list[str]:
    owner(home)
    stored_key.write(home, stored_key.StoredKey(world.key, world.url))
    (tmp_path / "list.csv").write_text(FILE)
    return ["call-list", str(tmp_path / "list.csv"), "--task", TASK, "--max-duration", "2"]


class Screen(Terminal):
    """A list in a real terminal. What it prints is read while the sandbox's time passes."""

    def __init__(self, *arguments: str, **env: str) -> None:
        super().__init__(*arguments, **env)
        self._decoder = codecs.getincrementaldecoder("utf-8")()

    def read(self) -> bool:
        """Read what is there; whether there was anything."""
        if not select.select([self._ours], [], [], 0.1)[0]:
            return False
        try:
            self.screen += self._decoder.decode(os.read(self._ours, 65_536))
        except OSError:
            return False
        return True

    def until(self, words: str) -> None:
        for _ in range(300):
            if words in self.screen:
                return
            self.read()
        raise AssertionError(self.screen)

    def end(self) -> int:
        code = self._process.wait(30)
        while self.read():
            pass
        os.close(self._ours)
        return code

    def finish(self, world: World) -> int:
        """Let the sandbox's time pass until the command has told what became of the calls."""
        while self._process.poll() is None:
            world.advance(40)
            self.read()
        return self.end()

    def interrupt(self) -> None:
        self._process.send_signal(signal.SIGINT)


@pytest.mark.parametrize("rehearse", ["0", "1"])
def test_without_a_terminal_no_list_is_called(command: list[str], world: World, rehearse: str) -> None:
    refused = run_cli(*command, TOPCALLS_REHEARSE=rehearse)
    assert refused.exit_code == 3
    assert "at a terminal alone" in refused.stderr
    assert world.rings() == []


def test_at_a_terminal_the_list_is_shown_agreed_to_and_called(command: list[str], world: World) -> None:
    terminal = Screen(*command, TOPCALLS_REHEARSE="1")
    terminal.until("Approve these 3 calls?")
    for words in (ANN, BOB, CY, "Remind Ann of the appointment at 9:30.", "6 call minutes"):
        assert words in terminal.screen
    terminal.type("y\n")
    assert terminal.finish(world) == 0, terminal.screen
    assert "3 reached." in terminal.screen
    assert "person called  │" in terminal.screen
    assert sorted(ring["phone_number"] for ring in world.rings()) == [ANN, BOB, CY]


@pytest.mark.parametrize("keys", ["n\n", "\n", "\x04"])
def test_anything_but_a_yes_calls_nobody(command: list[str], world: World, keys: str) -> None:
    terminal = Screen(*command)
    terminal.until("Approve these 3 calls?")
    terminal.type(keys)
    assert terminal.end() == 3, terminal.screen
    assert world.rings() == []


def test_ctrl_c_lets_the_call_go_on_and_twice_hangs_up(
    command: list[str], world: World, tmp_path: Path
) -> None:
    (tmp_path / "list.csv").write_text(f"name,number,time\nLong,+14155550008,9:30\nAnn,{ANN},10:00\n")
    terminal = Screen(*command, TOPCALLS_REHEARSE="1")
    terminal.until("Approve these 2 calls?")
    terminal.type("y\n")
    terminal.until("1. Calling Long")
    world.advance(30)
    terminal.until("agent")
    terminal.interrupt()
    terminal.until("No further call.")
    assert [
        call["status"] for call in world.get("/v1/calls")["data"] if call["phone_number"].endswith("0008")
    ] == ["in_progress"]
    terminal.interrupt()
    terminal.until("Hanging up.")
    assert terminal.end() == 0, terminal.screen
    assert "1 hung up, 1 not called." in terminal.screen
    assert [ring["phone_number"] for ring in world.rings()] == ["+14155550008"]


def test_what_became_of_each_is_told_as_json(command: list[str], world: World) -> None:
    terminal = Screen(*command, "--json", TOPCALLS_REHEARSE="1")
    terminal.until("Approve these 3 calls?")
    terminal.type("y\n")
    assert terminal.finish(world) == 0, terminal.screen
    told = json.loads(terminal.screen[terminal.screen.rindex('{\r\n  "live"') :])
    assert told["live"] is False
    assert [(row["name"], row["outcome"]) for row in told["data"]] == [
        (name, "reached") for name in ("Ann", "Bob", "Cy")
    ]


def test_a_list_is_no_tool_for_models() -> None:
    assert not [
        tool.tool
        for tool in TOOLS
        if "list" in tool.tool and "call" in tool.tool and tool.tool != "list_calls"
    ]


def test_a_yes_that_somebody_writes_by_hand_is_checked_against_the_list(caller: Client, world: World) -> None:
    """A list that was never agreed to makes no yes."""
    plan = plan_of(caller)
    forged = replace(plan, row=replace(plan.row, decision="yes", decided_at=plan.row.asked_at, by="terminal"))
    became = ran(forged, caller, Hurry(world))
    assert set(states(became).values()) == {"not called"}
    assert "counts no more" in became["Ann"].why
    assert world.rings() == []


def unasked(line: Line, plan: Plan) -> list[str]:
    """What a program that asks nobody is told when it places the calls of a list."""
    client, told = Client(line=line), []
    for item in plan.items:
        with pytest.raises(Declined) as declined:
            client.send(item.entry.request)
        told.append(str(declined.value))
    return told


class Cut(httpx.BaseTransport):
    """A network that is gone while `down`."""

    def __init__(self) -> None:
        self._inner, self.down = httpx.HTTPTransport(), False

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if self.down:
            raise httpx.ConnectError("down")
        return self._inner.handle_request(request)


def test_where_a_call_was_not_placed_no_yes_to_it_is_left_for_others(
    rehearsal: Line, world: World, home: Path
) -> None:
    network = Cut()
    client = Client(line=rehearsal, transport=network)
    plan = said_yes(client)
    network.down = True
    assert set(states(ran(plan, client, Hurry(world))).values()) == {"not called"}
    assert all("needs a person's yes" in told for told in unasked(rehearsal, plan))
    network.down = False
    with pytest.raises(Declined, match="The answer was no"):
        answered(plan_of(client), False, client)
    assert all("needs a person's yes" in told for told in unasked(rehearsal, plan))
    assert world.rings() == []


def test_what_was_changed_and_changed_back_needs_a_yes_of_its_own(
    rehearsal: Line, world: World, home: Path
) -> None:
    client = Client(line=rehearsal)
    plan = said_yes(client)
    book = home / "contacts.toml"
    book.write_text(f'[[contact]]\nname = "Another Ann"\nnumber = "{ANN}"\n')
    became = ran(plan, client, Hurry(world))
    assert "changed since the list was shown" in became["Ann"].why
    book.unlink()
    with pytest.raises(Declined, match="needs a person's yes"):
        Client(line=rehearsal).send(plan.items[0].entry.request)
    assert ANN not in [ring["phone_number"] for ring in world.rings()]


def dies_agreeing(url: str, key: str, home: Path) -> None:
    """Run a list in a process that dies with the yes to its first call on its lips."""
    world = World.__new__(World)
    world._http = httpx.Client(base_url=url, headers={"Authorization": f"Bearer {key}"}, trust_env=False)
    world.url, world.key = url, key
    running.counts = lambda *_: os._exit(9)  # type: ignore[assignment]
    client = Client(line=Line(world.settings(home, rehearse=True)))
    ran(said_yes(client), client, Hurry(world))


def test_a_list_that_dies_between_a_question_and_its_call_leaves_no_yes(world: World, home: Path) -> None:
    owner(home)
    process = multiprocessing.get_context("spawn").Process(
        target=dies_agreeing, args=(world.url, world.key, home)
    )
    process.start()
    process.join(60)
    assert process.exitcode == 9
    with closing(Line(world.settings(home, rehearse=True))) as line:
        assert all("needs a person's yes" in told for told in unasked(line, plan_of(Client(line=line))))
    assert world.rings() == []


def test_the_same_call_within_ten_minutes_is_that_one_even_with_again(world: World, home: Path) -> None:
    owner(home)
    now = [datetime.now(UTC)]
    with closing(Line(world.settings(home), clock=lambda: now[0])) as line:
        client = Client(line=line)
        ran(said_yes(client), client, Hurry(world))
        soon = plan_of(client, again=True)
        assert soon.items == ()
        assert "within ten minutes is that one" in soon.left[0].why
        now[0] += timedelta(minutes=10)
        assert len(plan_of(client, again=True).items) == 3


def test_another_window_calls_nobody_again_when_ten_minutes_have_passed(world: World, home: Path) -> None:
    owner(home)
    now = [datetime.now(UTC)]
    with closing(Line(world.settings(home), clock=lambda: now[0])) as line:
        client = Client(line=line)
        first, second = said_yes(client), said_yes(client)
        ran(first, client, Hurry(world))
        now[0] += timedelta(minutes=11)
        became = ran(second, client, Hurry(world))
    assert set(states(became).values()) == {"not called"}
    assert "was placed meanwhile" in became["Ann"].why
    assert len(world.rings()) == 3


class Slow(httpx.BaseTransport):
    """A TopCalls that takes its time over each look, while `slow`; the line's timer goes on by it."""

    def __init__(self) -> None:
        self._inner, self.slow, self.seconds = httpx.HTTPTransport(), False, 0.0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if self.slow and request.method == "GET":
            self.seconds += 16
        return self._inner.handle_request(request)


def test_a_yes_to_a_list_is_not_kept_where_too_little_time_was_left(world: World, home: Path) -> None:
    """Kept, it would be a new yes: from after a stop of everything, and for any program."""
    owner(home)
    network = Slow()
    with closing(Line(world.settings(home, rehearse=True), timer=lambda: network.seconds)) as line:
        client = Client(line=line, transport=network)
        plan = said_yes(client)

        def stop(halt: Hurry) -> None:
            if not network.slow:
                assert line.desk().stop(datetime.now(UTC))
            network.slow = True

        became = ran(plan, client, Hurry(world, stop))
        assert "[rule: time-left]" in became["Bob"].why
        network.slow = False
        later = replace(plan, items=plan.items[1:])
        assert all("needs a person's yes" in told for told in unasked(line, later))
    assert [ring["phone_number"] for ring in world.rings()] == [ANN]


@pytest.mark.parametrize("whole", [False, True], ids=["to one of its calls", "to the list"])
def test_a_no_that_is_said_while_a_list_runs_outlives_ten_minutes(
    world: World, home: Path, whole: bool
) -> None:
    owner(home)
    now = [datetime.now(UTC)]
    with closing(Line(world.settings(home, rehearse=True), clock=lambda: now[0])) as line:
        client = Client(line=line)
        plan = said_yes(client, max_duration=10)

        def no(halt: Hurry) -> None:
            if now[0] < plan.row.asked_at + timedelta(minutes=11):
                with pytest.raises(Declined):
                    if whole:
                        answered(replace(plan, row=replace(plan.row, key="f" * 32)), False, client)
                    else:
                        Client(line=line, approve=lambda ask: False).send(plan.items[1].entry.request)
                now[0] += timedelta(minutes=11)

        became = ran(plan, client, Hurry(world, no))
    assert "A no was said meanwhile" in became["Bob"].why
    assert states(became)["Cy"] == ("not called" if whole else "reached")
    assert BOB not in [ring["phone_number"] for ring in world.rings()]


def test_the_question_about_a_call_ends_with_its_list(world: World, home: Path) -> None:
    """So that what a crash left is not finished after the yes to the list has run out."""
    owner(home)
    now = [datetime.now(UTC)]
    with closing(Line(world.settings(home, rehearse=True), clock=lambda: now[0])) as line:
        client = Client(line=line)
        plan = said_yes(client)

        def late(halt: Hurry) -> None:
            now[0] = plan.row.expires_at - timedelta(seconds=20)

        ran(plan, client, Hurry(world, late))
        journal = line.desk().journal()
        ends = {ask.target: ask.expires_at for ask, _ in listed(journal, 10) if ask.tool == "place_call"}
        assert ends[BOB] == plan.row.expires_at
        assert list(troubles(journal)) == []


def test_a_wish_that_comes_before_anything_was_sent_keeps_the_call_from_being_placed(
    caller: Client, world: World
) -> None:
    halt = Hurry(world)

    class Pressed(httpx.BaseTransport):
        inner = httpx.HTTPTransport()

        def handle_request(self, request: httpx.Request) -> httpx.Response:
            halt.no_further = halt.no_further or request.url.path == "/v1/balance"
            return self.inner.handle_request(request)

    plan = said_yes(caller)
    became = ran(plan, Client(line=caller.line, transport=Pressed()), halt)
    assert {one.why for one in became.values()} == {"You stopped the list."}
    assert world.rings() == []


class Odd(httpx.BaseTransport):
    """A TopCalls whose calls have ids that cannot be asked for."""

    inner = httpx.HTTPTransport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        reply = self.inner.handle_request(request)
        if request.method == "POST":
            told = {**json.loads(reply.read()), "call_id": "c1.eu"}
            return httpx.Response(reply.status_code, json=told)
        return reply


def test_a_call_whose_id_cannot_be_asked_for_is_in_doubt(caller: Client, world: World) -> None:
    client = Client(line=caller.line, transport=Odd())
    became = ran(said_yes(client), client, Hurry(world))
    assert states(became) == {"Ann": "in doubt", "Bob": "not called", "Cy": "not called"}
    assert "c1.eu" in became["Ann"].why
