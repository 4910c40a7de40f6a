"""What the person called asks is heard once, when the call is closed: by whose word, in which turn, and what is done
about it."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest

from topcalls_tools import Client, PlaceCall
from topcalls_tools.api.fields import E164
from topcalls_tools.api.transcript import Turn
from topcalls_tools.connect import Line
from topcalls_tools.contacts import Contact
from topcalls_tools.errors import Misconfigured, Refused
from topcalls_tools.flow.reconcile import BY_THE_WAY, bookkeeping, close_books
from topcalls_tools.flow.steps import IN_ALL, ONE_ATTEMPT
from topcalls_tools.guard.callbacks import callback
from topcalls_tools.guard.heard import KINDS, Heard, Kind, heard
from topcalls_tools.guard.moments import Times
from topcalls_tools.guard.policy import policy
from topcalls_tools.journal import DialRow, archive
from topcalls_tools.sandbox.people.phrases import ENGLISH, SPANISH

from .conftest import CALL, NUMBER, World
from .labelling import HEARD, heard_score
from .labelling import turns as labelled
from .test_block_number import Leads
from .test_cli import Terminal, keyed, run
from .test_flow import PLACE, Script, moving_line, sent, yes
from .test_reconcile import drive, row_of

__all__ = ["keyed"]
SAID_AT = datetime(2026, 11, 25, 18, 0, tzinfo=UTC)
"""A Wednesday, 10:00 in Los Angeles."""
ROBOT = NUMBER[:-4] + "0017"
OUT = NUMBER[:-4] + "0014"
MAILBOX = NUMBER[:-4] + "0005"
LATER = NUMBER[:-4] + "0012"


MET_LATE = ("heard_roundabout", "heard_held_out", "heard_held_out_second")
"""Sets of which the lists learned little, or nothing."""


def turn(words: str, number: int = 1, user: str = "user") -> Turn:
    return Turn(id=number, user=user, text=words, created_at=SAID_AT.isoformat())  # type: ignore[arg-type]


def kinds(words: str) -> set[Kind]:
    return {one.kind for one in heard([turn(words)])}


@pytest.mark.parametrize("name", [name for name in HEARD if name not in MET_LATE])
@pytest.mark.parametrize("kind", KINDS)
def test_what_the_lists_were_made_for_they_hear(name: str, kind: Kind) -> None:
    assert heard_score(name, kind).recall >= (0.97 if kind == "opt_out" else 0.9)
    assert heard_score(name, kind).precision >= (0.9 if kind != "callback" else 0.7)


def test_most_wishes_are_heard_in_words_that_the_lists_have_not_met() -> None:
    scores = [heard_score(name, "opt_out") for name in HEARD if "held_out" in name]
    assert sum(one.told for one in scores) / sum(one.told + one.missed for one in scores) >= 0.65
    assert sum(one.false for one in scores) == 0


def test_no_turn_is_in_two_sets() -> None:
    every = [one.text for name in HEARD for one in labelled(name)]
    assert len(set(every)) == len(every) > 400


@pytest.mark.parametrize("language", ["en", "es"])
def test_every_group_stands_in_a_phrase(language: str) -> None:
    text = files("topcalls_tools.guard").joinpath("phrases", f"heard_{language}.toml").read_text("utf-8")
    assert [name for name in tomllib.loads(text)["groups"] if f"<{name}>" not in text] == []


def test_what_is_harmless_seldom_blocks_a_number() -> None:
    harmless = [one for name in HEARD for one in labelled(name) if not one.kinds]
    assert len(harmless) > 150
    assert sum("opt_out" in one.told for one in harmless) <= len(harmless) // 50


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        ("opt_out", "opt_out"),
        ("wrong_number", "wrong_person"),
        ("is_robot", "robot"),
        ("call_back", "callback"),
    ],
)
def test_every_wording_of_the_people_in_the_sandbox_is_heard(key: str, kind: Kind) -> None:
    for phrases, when in ((ENGLISH, "Friday at ten"), (SPANISH, "viernes a las diez")):
        for words in phrases[key]:
            assert kind in kinds(words.replace("{when}", when)), words


def test_the_persons_turns_count_and_never_the_agents() -> None:
    asked = "Stop calling me."
    assert heard([turn(asked, 2, "assistant"), turn("Hello?", 3)]) == ()
    assert heard([turn("Hello?", 1), turn(asked, 4)]) == (
        Heard("opt_out", 4, "asked not to be called", SAID_AT),
    )


@pytest.mark.parametrize(
    "greeting",
    [
        "You have reached the voicemail of Ann. We do not accept sales calls, remove us from your list. Leave a "
        "message after the beep.",
        "Please try again later, or leave your name and number after the tone.",
        "Deje su mensaje después de la señal, o llame más tarde.",
        "To be removed from our list, press 2.",
        "Press 2, to be removed from our list.",
        "I can't come to the phone right now. Please call back later.",
    ],
)
def test_a_mailbox_wishes_nothing(greeting: str) -> None:
    assert kinds(greeting) == set()


@pytest.mark.parametrize(
    "words",
    [
        "You keep leaving messages on my voicemail after the tone. Stop calling me.",
        "Stop calling me. You keep leaving messages on my voicemail after the tone.",
        "Stop calling me and never leave me a message after the beep again.",
        "I can't come to the phone, I'm driving, so stop calling me.",
        "Wait for the beep, ha. Now stop calling me.",
        "Please leave a message after the tone? I'm a human, stop calling.",
        "To be removed from our list, press 2. Seriously, stop calling me.",
        "Deje su mensaje después de la señal, ja. Deje de llamarme.",
    ],
)
def test_a_person_who_speaks_of_a_mailbox_is_heard(words: str) -> None:
    assert kinds(words) == {"opt_out"}


def test_who_cannot_come_to_the_phone_may_be_called_back() -> None:
    assert kinds("She can't come to the phone, call back at five.") == {"callback"}


@pytest.mark.parametrize(
    "words",
    [
        "You call again and I'll call the police",
        "Call me again and I'll call the police.",
        "If you call back I'm reporting you to the FTC.",
        "Llame otra vez y llamo a la policía.",
    ],
)
def test_a_threat_is_no_wish_to_be_called_back(words: str) -> None:
    assert kinds(words) == {"opt_out"}


@pytest.mark.parametrize(
    "words",
    [
        "Do not call",
        "I said do not call",
        "Stop. Calling. Me.",
        "bórrenme",
        "Deje de marcarme.",
        "You don't stop calling!",
    ],
)
def test_few_words_are_enough(words: str) -> None:
    assert kinds(words) == {"opt_out"}


@pytest.mark.parametrize(
    "words",
    [
        "Don't stop calling, I'm just busy.",
        "Why did you stop calling me?",
        "We need to stop calling it a robot.",
        "Conference calls have to end by noon.",
        "Don't try again today, we're closed.",
        "No busque más, lo tengo aquí.",
        "El nombre está mal, bórrelo.",
    ],
)
def test_to_stop_is_not_always_wished(words: str) -> None:
    assert "opt_out" not in kinds(words)


def wishes(*said: str) -> list[tuple[Kind, int]]:
    """What is heard where the agent and the person called speak in turn, the person first."""
    turns = [turn(words, at, "assistant" if at % 2 == 0 else "user") for at, words in enumerate(said, 1)]
    return [(one.kind, one.turn) for one in heard(turns)]


def test_a_sentence_that_a_few_words_of_the_agent_cut_in_two_is_heard_whole() -> None:
    assert wishes("Please don't", "I understand.", "call me again.") == [("opt_out", 3)]
    assert wishes("Put me on the", "Yes?", "do not", "Yes?", "call list.") == [("opt_out", 5)]
    assert wishes("Stop calling me", "Sorry.", "Goodbye.") == [("opt_out", 1)]
    assert wishes("Stop calling me", "Sorry.", "Or call back at five.") == [("opt_out", 1), ("callback", 3)]
    (back,) = heard([turn("Call me back", 1), turn("Sure.", 2, "assistant"), turn("tomorrow at noon.", 3)])
    assert (back.kind, back.turn) == ("callback", 1)


def test_what_was_said_to_the_end_is_no_part_of_what_is_said_next() -> None:
    assert wishes("I didn't.", "I see.", "Call me back at five.") == [("callback", 3)]
    long = "I see. May I tell you when the doctor has time, and what to bring?"
    assert wishes("I didn't", long, "Call me back at five.") == [("callback", 3)]


def test_nothing_of_the_persons_words_stands_in_ours() -> None:
    said = heard(
        [turn("Zanzibar 4711! Take me off your list, are you a robot? Wrong number. Call me at five.")]
    )
    assert {one.kind for one in said} == set(KINDS)
    assert not [one for one in said if "zanzibar" in repr(one).lower() or "4711" in repr(one)]


def test_of_a_speech_without_end_no_moment_is_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[object] = []
    monkeypatch.setattr(Times, "named", lambda self, words: read.append(words))
    (wish,) = heard([turn("Call me back at five pm. " * 20_000)])
    assert (wish.kind, wish.moment, read) == ("callback", None, [])
    heard([turn("Call me back at five pm. " * 3)])
    assert len(read) == 3


def test_who_lives_in_the_sandbox_and_asks_nothing_blocks_no_number() -> None:
    said = [
        words
        for phrases in (ENGLISH, SPANISH)
        for key, many in phrases.items()
        if isinstance(many, tuple) and not key.endswith("opt_out")
        for words in many
    ]
    assert len(said) > 200
    assert [words for words in map(str, said) if "opt_out" in kinds(words)] == []


LOS_ANGELES = ZoneInfo("America/Los_Angeles")


@pytest.mark.parametrize(
    ("words", "there"),
    [
        ("Call me back at five.", ["17:00"]),
        ("Call me back at 5 pm.", ["17:00"]),
        ("Call me at 5:30 p.m. tomorrow.", ["+1 17:30"]),
        ("Call me back tomorrow at half past ten in the morning.", ["+1 10:30"]),
        ("Call me tomorrow at nine.", ["+1 09:00", "+1 21:00"]),
        ("Call me back tomorrow at quarter to six.", ["+1 05:45", "+1 17:45"]),
        ("Call me back at noon.", ["12:00"]),
        ("Ring me back on Friday at 14:15.", ["+2 14:15"]),
        ("Try again tomorrow morning.", ["+1 00:00"]),
        ("Call me back this afternoon.", ["12:00"]),
        ("Call me tonight.", ["17:00"]),
        ("Call back the day after tomorrow.", ["+2 00:00"]),
        ("Call me back in twenty minutes.", ["10:20"]),
        ("Call me back in an hour.", ["11:00"]),
        ("I can't talk now, call me back at three o'clock.", ["15:00"]),
        ("My appointment is at two. Call me back at four.", ["16:00"]),
        ("Llámeme mañana a las diez y media de la mañana.", ["+1 10:30"]),
        ("Llámeme mañana por la tarde.", ["+1 12:00"]),
        ("¿Me llama el viernes a las cinco de la tarde?", ["+2 17:00"]),
        ("Llame dentro de una hora.", ["11:00"]),
        ("Llámeme pasado mañana al mediodía.", ["+2 12:00"]),
    ],
)
def test_a_time_is_read_by_the_clock_where_the_phone_is(words: str, there: list[str]) -> None:
    (wish,) = [one for one in heard([turn(words)]) if one.kind == "callback"]
    today = SAID_AT.astimezone(LOS_ANGELES)
    found = [at.astimezone(LOS_ANGELES) for at in wish.instants([LOS_ANGELES])]
    told = [
        (f"+{ahead} " if (ahead := (at.date() - today.date()).days) else "") + f"{at:%H:%M}" for at in found
    ]
    assert told == there


@pytest.mark.parametrize(
    "words",
    [
        "Call me later.",
        "Call me back next week.",
        "Call me back on Wednesday.",
        "Call me back on Thursday between two and four.",
        "I can't talk today, call me tomorrow.",
        "Call me back at two, or at three.",
        "Call me back, but not on Monday.",
        "Call me back at 555 0123.",
        "Call me back on March 3 at five.",
        "Call me back at nine in the morning.",
        "Call me tomorrow. I am at work at two. Call me on Friday.",
        "Call me back on the 5th at noon.",
        "Llámeme la semana que viene, el lunes.",
        "Llámeme mañana, pero no a las cinco.",
    ],
)
def test_a_time_is_never_guessed(words: str) -> None:
    (wish,) = [one for one in heard([turn(words)]) if one.kind == "callback"]
    assert wish.instants([LOS_ANGELES]) == ()


def test_zones_that_differ_and_turns_without_a_time_leave_it_open() -> None:
    (wish,) = heard([turn("Call me back at 5 pm.")])
    assert wish.instants([LOS_ANGELES, ZoneInfo("America/Denver")]) == ()
    (wish,) = heard([Turn(id=1, user="user", text="Call me back at 5 pm.", created_at="soon")])  # type: ignore[arg-type]
    assert wish.instants([LOS_ANGELES]) == ()


@pytest.mark.parametrize(
    ("words", "zone", "at"),
    [
        ("Call me tomorrow at nine.", None, "2026-11-26T09:00:00-08:00"),
        ("Call me tomorrow at eight.", None, None),
        ("Call me tonight at 11 pm.", None, "2026-11-26T08:00:00-08:00"),
        ("Try again tomorrow morning.", None, "2026-11-26T08:00:00-08:00"),
        ("Call me tomorrow at noon.", "Europe/Berlin", "2026-11-26T12:00:00+01:00"),
        ("Call me later.", None, None),
    ],
)
def test_a_call_back_is_proposed_for_the_first_hour_that_is_allowed(
    words: str, zone: str | None, at: str | None
) -> None:
    number = E164(NUMBER)
    hours = {"hours": "08:00-21:00", "warned_hours": "08:00-21:00"}
    owner = policy({"caller": "Ann", **hours}, "personal")
    (wish,) = heard([turn(words)])
    known = {number: Contact(name="Bo", number=number, zone=zone)} if zone else {}
    found = callback(wish, number, known, owner)
    assert (found.isoformat() if found else None) == at


@pytest.fixture
def called(world: World, line: Line) -> Callable[[str], DialRow]:
    """Call somebody in the sandbox until the end, and close the books."""

    def call(number: str) -> DialRow:
        client = Client(line=line)
        key = client.send(PlaceCall(**{**CALL, "phone_number": number})).call_id
        world.advance(900)
        at = line.clock() + timedelta(minutes=1)
        line.clock = lambda: at
        client.run(close_books(line.desk()))
        (row,) = (one for one in line.desk().journal().dials("sandbox") if one.call_id == key)
        return row

    return call


def facts_of(line: Line, row: DialRow) -> dict[str, Any]:
    found = archive.exported(line.desk().journal(), row.key)
    (closed,) = (link for link in found["evidence"] if link["kind"] == "closed")
    facts: dict[str, Any] = closed["facts"]
    return facts


def test_who_asks_not_to_be_called_is_not_called_again(
    called: Callable[[str], DialRow], world: World, line: Line
) -> None:
    row = called(OUT)
    facts = facts_of(line, row)
    asked = facts["heard"]["opt_out"]
    known = line.desk().dnc().numbers("sandbox")
    assert {**known} == {OUT: known[OUT]}
    assert known[OUT].reason == f"turn {asked}: asked not to be called"
    assert asked > 1
    rang = len(world.rings())
    with pytest.raises(Refused, match=r"not to be called.*\[rule: do-not-call\]"):
        Client(line=line).send(PlaceCall(**{**CALL, "phone_number": OUT, "task": "Ask them once more."}))
    assert len(world.rings()) == rang
    assert [*archive.troubles(line.desk().journal())] == []


def test_the_next_call_hears_the_last_one_before_it_is_judged(world: World, line: Line) -> None:
    client = Client(line=line)
    client.send(PlaceCall(**{**CALL, "phone_number": OUT}))
    world.advance(900)
    at = line.clock() + timedelta(minutes=1)
    line.clock = lambda: at
    with pytest.raises(Refused, match="do-not-call"):
        client.send(PlaceCall(**{**CALL, "phone_number": OUT, "task": "Ask them once more."}))


def test_a_robot_question_and_a_call_back_stand_in_the_journal_and_block_nobody(
    called: Callable[[str], DialRow], line: Line
) -> None:
    assert set(facts_of(line, called(ROBOT))["heard"]) == {"robot"}
    later = facts_of(line, called(LATER))
    assert set(later["heard"]) == {"callback"}
    assert datetime.fromisoformat(later["call_from"]) > line.clock() - timedelta(hours=1)
    assert "heard" not in facts_of(line, called(MAILBOX))
    assert line.desk().dnc().numbers("sandbox") == {}


def test_the_journal_shows_it_settle_hears_it_and_one_command_undoes_it_for_good(
    keyed: World, home: Path
) -> None:
    placed = run("place-call", "--phone-number", OUT, "--task", CALL["task"], "--json")
    assert placed.exit_code == 0, placed.output
    name = json.loads(placed.output)["call_id"]
    keyed.advance(900)
    assert run("journal", "settle").exit_code == 0
    shown = run("journal", "show", name).output
    assert re.search(r"^Heard: opt_out in turn \d+\.$", shown, re.M), shown
    assert "Do not call: since then, with 0 of its leads unsubscribed." in shown
    assert OUT in run("dnc", "list").output
    terminal = Terminal("dnc", "remove", OUT)
    terminal.until("n is no.")
    terminal.type(f"{OUT[-4:]}\n")
    assert terminal.end() == 0, terminal.screen
    assert run("journal", "settle").exit_code == 0
    assert OUT not in run("dnc", "list").output
    again = run("place-call", "--phone-number", OUT, "--task", "Ask them once more.")
    assert "do-not-call" not in again.output + again.stderr
    assert run("journal", "verify").exit_code == 0


def test_a_call_in_which_the_agent_never_said_who_speaks_is_told_as_that(home: Path) -> None:
    silent = [{"id": 1, "user": "assistant", "text": "Good day, Ann Meyer here."}]
    line = closed(home, Town(transcript=silent))
    assert facts_of(line, row_of(line)) == {"used_minutes": 1, "disclosed": 0, "announced": 0}
    shown = run("journal", "show", row_of(line).key)
    assert "Said that an AI speaks: never.\n" in shown.output
    assert "AI not said" in run("journal", "list").output


ENDED = {"id": "c1", "status": "completed", "duration": 1, "completed": True, "answered_by": "human"}
ASKED = [
    {"id": 1, "user": "assistant", "text": "Hello, an AI assistant speaks. Shall I stop calling you?"},
    {"id": 2, "user": "user", "text": "Stop calling me."},
]


class Town(Leads):
    """A TopCalls of one call that has ended, and of leads."""

    def __init__(self, *leads: dict[str, Any], refuse: Any = lambda request: None, **call: Any) -> None:
        super().__init__(*leads, refuse=refuse)
        self.call = {**ENDED, "transcript": ASKED, **call}

    def play(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/v1/calls":
            return httpx.Response(201, json={"call_id": "c1", "status": "queued"})
        if request.url.path == "/v1/calls/c1":
            return httpx.Response(200, json=self.call)
        return super().play(request)


def closed(home: Path, town: Town, after: timedelta = timedelta(minutes=5)) -> Line:
    """A line whose one call was placed, has ended and was looked at."""
    line, now = moving_line(home)
    sent("sync", line, Script(201), PLACE, approve=yes)
    now[0] += after
    drive(line, town, close_books(line.desk()))  # type: ignore[arg-type]
    return line


def test_the_leads_of_who_asked_are_unsubscribed(home: Path) -> None:
    town = Town({"id": "l1"}, {"id": "l2", "phone_number": "+493055501401"})
    line = closed(home, town)
    assert [lead["status"] for lead in town.leads.values()] == ["Unsubscribed", "New"]
    facts = facts_of(line, row_of(line))
    assert (facts["heard"], facts["leads_unsubscribed"], facts["leads_left"]) == ({"opt_out": 2}, 1, False)
    assert facts["disclosed"] == 1
    assert "Stop calling" not in json.dumps(archive.exported(line.desk().journal(), row_of(line).key))


def menu(*said: str) -> list[dict[str, Any]]:
    """A call in which a menu answered, and the other side said so then."""
    spoken = [("user", "For sales press one."), ("assistant", "One."), *(("user", words) for words in said)]
    return [{"id": at, "user": user, "text": words} for at, (user, words) in enumerate(spoken, 1)]


@pytest.mark.parametrize("machine", ["ivr", "voicemail"])
def test_a_person_who_takes_over_from_a_machine_is_not_called_again(home: Path, machine: str) -> None:
    said = menu(
        "Sales, Dana speaking.", "Take us off your list and never call again.", "Or call back at five."
    )
    line = closed(home, Town(transcript=said, answered_by=machine))
    assert NUMBER in line.desk().dnc().numbers("live")
    assert facts_of(line, row_of(line))["heard"] == {"opt_out": 4}


@pytest.mark.parametrize("machine", ["ivr", "voicemail"])
def test_of_a_machine_nothing_else_is_believed(home: Path, machine: str) -> None:
    said = menu(
        "Wrong number.", "Are you a robot?", "Call back at five.", "To be taken off our list press two."
    )
    line = closed(home, Town(transcript=said, answered_by=machine))
    assert "heard" not in facts_of(line, row_of(line))
    assert line.desk().dnc().numbers("live") == {}


@pytest.mark.parametrize("status", [403, 500])
def test_leads_that_cannot_be_changed_keep_no_number_from_being_blocked(home: Path, status: int) -> None:
    def refuse(request: httpx.Request) -> httpx.Response | None:
        return httpx.Response(status, json={"status": status}) if request.url.path == "/v1/leads" else None

    line = closed(home, Town({"id": "l1"}, refuse=refuse))
    assert NUMBER in line.desk().dnc().numbers("live")
    assert facts_of(line, row_of(line))["leads_left"] is True


def test_hearing_leaves_time_for_the_dial_that_comes_after_it(home: Path) -> None:
    line, now = moving_line(home)
    sent("sync", line, Script(201), PLACE, approve=yes)
    now[0] += timedelta(minutes=5)
    passed = [0.0]
    line.timer = lambda: passed[0]

    def slow(request: httpx.Request) -> httpx.Response | None:
        passed[0] += request.extensions["timeout"]["read"] if request.url.path.startswith("/v1/leads") else 0
        return None

    town = Town(*({"id": f"l{number}"} for number in range(40)), refuse=slow)
    desk = line.desk()
    desk.restart()
    drive(line, town, bookkeeping(desk))  # type: ignore[arg-type]
    assert desk.left() > IN_ALL - BY_THE_WAY - ONE_ATTEMPT
    assert NUMBER in desk.dnc().numbers("live")
    assert facts_of(line, row_of(line))["leads_left"] is True


def test_a_call_whose_last_turns_may_still_come_is_heard_when_they_are_there(home: Path) -> None:
    early = Town(completed=False, transcript=ASKED[:1])
    line = closed(home, early)
    assert row_of(line).closed_at is None
    drive(line, Town(), close_books(line.desk()))  # type: ignore[arg-type]
    assert NUMBER in line.desk().dnc().numbers("live")


def test_a_call_that_is_never_complete_is_heard_once_it_must_be_over(home: Path) -> None:
    line = closed(home, Town(completed=False), timedelta(minutes=71))
    assert facts_of(line, row_of(line))["heard"] == {"opt_out": 2}


def test_a_crash_before_it_is_closed_has_it_heard_again(home: Path) -> None:
    line, now = moving_line(home)
    sent("sync", line, Script(201), PLACE, approve=yes)
    now[0] += timedelta(minutes=5)
    journal = line.desk().journal()
    close = journal.close_dial
    journal.close_dial = lambda *given, **said: (_ for _ in ()).throw(KeyboardInterrupt)  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        drive(line, Town(), close_books(line.desk()))  # type: ignore[arg-type]
    journal.close_dial = close  # type: ignore[method-assign]
    assert NUMBER in line.desk().dnc().numbers("live")
    drive(line, Town(), close_books(line.desk()))  # type: ignore[arg-type]
    assert facts_of(line, row_of(line))["heard"] == {"opt_out": 2}
    assert len((home / "dnc.log").read_text().splitlines()) == 1


def test_what_cannot_be_written_down_leaves_the_call_open(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise Refused("journal", "The journal cannot be written.")

    line, now = moving_line(home)
    sent("sync", line, Script(201), PLACE, approve=yes)
    now[0] += timedelta(minutes=5)
    (home / "dnc.log").mkdir()
    monkeypatch.setattr("topcalls_tools.journal.blocking.block", full)
    with pytest.raises(Misconfigured, match="Nothing is blocked"):
        drive(line, Town(), close_books(line.desk()))  # type: ignore[arg-type]
    assert row_of(line).closed_at is None


def test_settle_and_report_count_what_was_asked(keyed: World) -> None:
    since = ("--since", "2000-01-01")
    assert json.loads(run("report", *since, "--json").output)["heard"] == {}
    for number in (OUT, ROBOT, OUT[:-4] + "0001"):
        assert run("place-call", "--phone-number", number, "--task", CALL["task"]).exit_code == 0
    keyed.advance(900)
    settled = run("journal", "settle").output.splitlines()
    lines = [
        "In 1 call somebody asked not to be called again.",
        "In 1 call somebody asked whether a robot speaks.",
    ]
    assert settled[1:] == lines
    assert json.loads(run("journal", "settle", "--json").output)["heard"] == {}
    assert json.loads(run("report", *since, "--json").output)["heard"] == {"opt_out": 1, "robot": 1}
    assert "\n".join(lines) in run("report", *since).output
    before = json.loads(run("report", *since, "--until", "2001-01-01", "--json").output)
    assert before["heard"] == {}
