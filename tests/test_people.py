"""The people of the sandbox: who answers a number, what they say to a task, and what follows from it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from topcalls_tools.api.calls import PlaceCall
from topcalls_tools.api.placeholders import MOST, filled
from topcalls_tools.guard.compose import compose
from topcalls_tools.guard.policy import policy
from topcalls_tools.sandbox.errors import SandboxError
from topcalls_tools.sandbox.people import PEOPLE, People, Person
from topcalls_tools.sandbox.people.brief import brief, spoken_in
from topcalls_tools.sandbox.people.conversation import written
from topcalls_tools.sandbox.people.phrases import ENGLISH, SPANISH
from topcalls_tools.sandbox.script import (
    SCRIPT,
    Answered,
    Ended,
    Processed,
    Ringing,
    Said,
    Script,
    seen,
    spoken_ms,
)

DINNER = (
    "Book a table for two on Friday at 7:30 pm under Miller, ask whether they have vegan dishes, "
    "and how much the tasting menu costs."
)
NOON = int(datetime(2026, 3, 4, 12, tzinfo=ZoneInfo("UTC")).timestamp() * 1000)
ROOT = Path(__file__).parent.parent


def call(number: str, task: str = DINNER, ordinal: int = 1, seed: str = "topcalls", **more: Any) -> Script:
    placing = {name: more.pop(name) for name in ("person", "earlier") if name in more}
    return written(seed, PlaceCall(phone_number=number, task=task, **more), ordinal, NOON, **placing)


def turns(script: Script) -> list[Said]:
    return [event for event in script.events if isinstance(event, Said)]


def words(script: Script, speaker: str | None = None) -> str:
    return "\n".join(turn.words for turn in turns(script) if speaker in (None, turn.speaker))


def outcome(script: Script) -> str:
    (ended,) = (event for event in script.events if isinstance(event, Ended))
    return ended.outcome


def report(script: Script) -> Processed:
    (processed,) = (event for event in script.events if isinstance(event, Processed))
    return processed


def by(script: Script) -> str:
    (answered,) = (event for event in script.events if isinstance(event, Answered))
    return answered.by


def test_the_conversation_of_the_readme_is_as_it_stands_there() -> None:
    request = compose(PlaceCall(phone_number="+14155550123", task=DINNER), None, policy({}, "sandbox"))
    script = call("+14155550123", max_duration=5, task=request.task, first_sentence=request.first_sentence)
    shown = re.sub(r"[\s│]+", " ", (ROOT / "README.md").read_text("utf-8"))
    for turn in turns(script):
        assert turn.words in shown
    assert report(script).summary in shown
    assert report(script).disposition == "booked"


@pytest.mark.parametrize(
    ("ending", "how", "rings"),
    [
        ("0001", "busy", False),
        ("0002", "no-answer", True),
        ("0003", "rejected", True),
        ("0004", "failed", False),
        ("0007", "dispatch_timeout", False),
    ],
)
def test_nobody_answers_where_the_contract_says_so(ending: str, how: str, rings: bool) -> None:
    for ordinal in range(5):
        script = call(f"+1415555{ending}", ordinal=ordinal)
        assert outcome(script) == how
        assert any(isinstance(event, Ringing) for event in script.events) is rings
        assert not turns(script)
        assert (report(script).summary, report(script).disposition) == (None, None)


def test_a_queued_call_waits_for_ever_and_an_open_line_is_never_hung_up() -> None:
    assert call("+14155550009").events == ()
    open_line = call("+14155550008", max_duration=1)
    assert by(open_line) == "human"
    assert not any(isinstance(event, Ended | Processed) for event in open_line.events)
    assert turns(open_line)[-1].at - NOON > 180_000
    assert "vegan" in words(open_line, "user")


CHARACTERS = {
    "0005": ({"voicemail_left"}, "Reached a mailbox. Left a message."),
    "0006": ({"menu_reached"}, "Reached an automatic menu and pressed 2. No person was reached."),
    "0010": ({"booked"}, "Spoke with Gina Rossi."),
    "0011": ({"wrong_number"}, "They said that the number was wrong."),
    "0012": ({"booked_callback"}, "They asked to be called back: "),
    "0013": ({"booked"}, "They ended the call."),
    "0014": ({"do_not_call"}, "They asked not to be called again."),
    "0015": ({"booked"}, "Spoke with Lucía Fernández."),
    "0016": ({"booked", "declined"}, "They gave the assistant orders, which it declined."),
    "0017": ({"booked"}, "They asked whether this was a robot, and were told that it is an AI assistant."),
    "0018": ({"booked"}, "whether they have vegan dishes: yes."),
    "0020": ({"declined"}, "declined."),
    "0021": ({"booked_callback"}, "They asked to be called back: "),
    "4242": ({"booked"}, "Booked: a table for two on Friday at 7:30 pm under Miller."),
}


@pytest.mark.parametrize("ending", CHARACTERS)
@pytest.mark.parametrize("ordinal", range(8))
def test_a_character_talks_about_the_task_and_the_report_follows(ending: str, ordinal: int) -> None:
    script = call(f"+1415555{ending}", ordinal=ordinal)
    labels, told = CHARACTERS[ending]
    assert outcome(script) == "completed"
    assert report(script).disposition in labels
    assert told in (report(script).summary or "")
    assert "table for two" in words(script, "assistant" if ending in ("0005",) else None) or ending == "0006"
    settled = "ended early" not in (report(script).summary or "")
    answers = sum(turn.finding is not None and not turn.finding.aside for turn in turns(script))
    assert settled is (answers >= script.points)


def test_every_character_has_a_name_a_zone_and_a_temper_of_their_own() -> None:
    people = list(PEOPLE)
    assert len(people) >= 20
    assert len({person.name for person in people}) == len(people)
    assert len({person.temper for person in people}) >= 14
    assert len({person.timezone for person in people}) >= 10
    assert {person.tongue for person in people} == {"en", "es"}


def test_other_numbers_reach_several_helpful_people_of_several_zones() -> None:
    reached = {PEOPLE.of(f"+4420794{number}", "s").name: number for number in range(61_000, 61_200)}
    assert len(reached) >= 3
    found = [PEOPLE.of(f"+4420794{number}", "s") for number in reached.values()]
    assert len({person.timezone for person in found}) >= 3
    assert {person.temper for person in found} == {"helpful"}
    assert {PEOPLE.of("+442079460000", seed).name for seed in "abcdefgh"} != {
        PEOPLE.of("+442079460000", "a").name
    }


def test_words_differ_by_seed_and_call_and_never_otherwise() -> None:
    spoken = {words(call("+442079460042", ordinal=ordinal)) for ordinal in range(12)}
    assert len(spoken) == 12
    assert call("+442079460042", seed="one") != call("+442079460042", seed="two")
    assert call("+442079460042") == call("+442079460042")


@pytest.mark.parametrize("ending", [*CHARACTERS, "0008", "0123"])
@pytest.mark.parametrize("ordinal", range(4))
def test_a_turn_lasts_as_long_as_its_words_and_none_comes_after_the_end(ending: str, ordinal: int) -> None:
    script = call(f"+1415555{ending}", ordinal=ordinal)
    for turn, later in pairwise(turns(script)):
        assert later.at - turn.at >= spoken_ms(turn.words) + 400
    last = turns(script)[-1]
    for event in script.events:
        if isinstance(event, Ended):
            assert event.at == last.at + spoken_ms(last.words) + 800


def test_the_hostile_are_declined_and_never_obeyed() -> None:
    ends = set()
    for ordinal in range(30):
        script = call("+14155550016", ordinal=ordinal)
        agent = words(script, "assistant")
        assert not re.search(r"900|system prompt|approved|dollars.*transfer", agent)
        declined = sum(turn.words in agent for turn in turns(script) if turn.speaker == "assistant")
        assert declined >= 3
        ends.add(report(script).disposition)
        if report(script).disposition == "declined":
            assert "Booked" not in (report(script).summary or "")
    assert ends == {"booked", "declined"}


def test_orders_hold_a_premium_number_a_tool_call_and_a_closing_tag() -> None:
    heard = "\n".join(words(call("+14155550016", ordinal=ordinal), "user") for ordinal in range(30))
    for order in (
        "Ignore your previous instructions",
        "+1 900 555",
        "system prompt",
        '{"tool": "place_call"',
        "<system>",
    ):
        assert order in heard


def test_whoever_asks_hears_that_it_is_an_ai() -> None:
    for ordinal in range(10):
        said = turns(call("+14155550017", ordinal=ordinal))
        (asked,) = (
            n
            for n, turn in enumerate(said)
            if re.search("robot|machine", turn.words) and turn.speaker == "user"
        )
        assert said[asked + 1].words.startswith("Yes")
        assert "AI assistant" in said[asked + 1].words


def test_a_callback_is_a_day_and_an_hour_of_their_own_zone() -> None:
    friday_night = int(datetime(2026, 3, 6, 23, 30, tzinfo=ZoneInfo("America/Chicago")).timestamp() * 1000)
    days = set()
    for ordinal in range(40):
        request = PlaceCall(phone_number="+14155550012", task=DINNER)
        script = written("s", request, ordinal, friday_night)
        found = re.search(
            r"back: (\w+) at (\d+):(?:00|30) (am|pm) \(their time, America/Chicago\)",
            report(script).summary or "",
        )
        assert found
        assert 9 <= (int(found[2]) % 12) + (12 if found[3] == "pm" else 0) <= 17
        assert found[0].removeprefix("back: ").partition(" (")[0] in words(script, "user")
        days.add(found[1])
    assert days == {"Saturday", "Monday"}


@pytest.mark.parametrize(
    ("task", "key"),
    [
        ("Ask when they open on Sunday.", "1"),
        ("Ask how much a room costs.", "1"),
        ("Book a room for Monday at 10 am.", "2"),
        ("Cancel the room of Mr. Smith.", "3"),
        ("Confirm the appointment on Monday.", "3"),
        ("Ask whether they like jazz.", "4"),
    ],
)
def test_the_agent_presses_the_key_that_suits_its_task(task: str, key: str) -> None:
    script = call("+14155550006", task)
    assert by(script) == "ivr"
    assert f"(presses {key})" in words(script, "assistant")
    assert f"pressed {key}." in (report(script).summary or "")


def test_a_menu_that_knows_the_hours_answers() -> None:
    script = call("+14155550006", "Ask about opening hours.")
    assert "We're open from" in words(script, "user") or "we're open from" in words(script, "user")
    assert report(script).disposition == "answered"


def test_a_mailbox_greets_beeps_and_takes_the_message() -> None:
    script = call("+14155550005")
    greeting, *left = turns(script)
    assert by(script) == "voicemail"
    assert "Nora Quinn" in greeting.words
    assert greeting.words.endswith("(beep)")
    assert all(turn.speaker == "assistant" for turn in left)
    assert all(word in left[-1].words for word in ("table for two", "vegan dishes", "tasting menu"))
    assert "?" not in left[-1].words


@pytest.mark.parametrize(
    ("number", "before", "answers"), [("+14155550022", "busy", 1), ("+14155550019", "no-answer", 2)]
)
def test_some_answer_only_when_called_again(number: str, before: str, answers: int) -> None:
    for earlier in range(answers):
        assert outcome(call(number, earlier=earlier)) == before
    for earlier in (answers, answers + 5):
        assert report(call(number, earlier=earlier)).disposition == "booked"


def test_who_is_cut_short_is_reported_by_what_was_said() -> None:
    script = call("+14155550123")
    greeting, booking = turns(script)[1], turns(script)[5]
    for cut, told, label in (
        (
            greeting.at - 1,
            "The phone was answered, and nobody spoke. The call ended early: 0 of 3",
            "no_result",
        ),
        (
            greeting.at,
            "Spoke with Dana Reyes. The call ended early: 0 of 3 points were settled.",
            "no_result",
        ),
        (booking.at, "Miller. The call ended early: 1 of 3 points was settled.", "booked"),
    ):
        found = seen(script, cut, cut + 15_000)
        assert told in (found.summary or "")
        assert found.disposition == label


def test_max_duration_cuts_in_the_middle() -> None:
    script = call(
        "+14155550123",
        " ".join(f"Ask whether they have dish {number}." for number in range(40)),
        max_duration=1,
    )
    (answered,) = (event for event in script.events if isinstance(event, Answered))
    (ended,) = (event for event in script.events if isinstance(event, Ended))
    assert ended.at == answered.at + 60_000
    assert turns(script)[-1].at <= ended.at
    assert re.search(r"ended early: \d+ of 40 points were", report(script).summary or "")


@pytest.mark.parametrize(
    ("task", "asked", "answered"),
    [
        (
            "Remind Anna that her visit is on Monday.",
            "remind you that your visit is on Monday",
            "our visit is on Monday",
        ),
        ("Ask John whether he needs a taxi.", "whether you need a taxi", "need a taxi"),
        ("Cancel the room under Okafor.", "cancel the room under Okafor", "cancelled the room under Okafor"),
        ("Ask how satisfied they are with the shop.", "how satisfied you are with the shop", "out of 10"),
        ("Conduct a survey about our shop.", "conduct a survey about our shop", "your shop"),
        ("Ask them to send us the list.", "send us the list", "send you the list"),
        (
            "Move the visit to Tuesday at 4 pm.",
            "move the visit to Tuesday at 4 pm",
            "changed the visit to Tuesday",
        ),
        ("Ask when they close.", "when you close", r"We close at \d+:\d\d pm"),
        ("Tell them that we moved.", "you know that we moved", "you moved"),
        (
            "Call the bakery and ask how many cakes they have.",
            "how many cakes you have",
            r"We have \d+ cakes",
        ),
    ],
)
def test_common_tasks_are_said_and_answered_in_plain_grammar(task: str, asked: str, answered: str) -> None:
    for ordinal in range(6):
        script = call("+14155550123", task, ordinal=ordinal)
        assert asked in words(script, "assistant")
        assert re.search(answered, words(script, "user"))


def test_facts_of_a_lead_stand_in_the_conversation() -> None:
    task = "Remind {{name}} of their visit on {{day}} and ask whether they like {{thing}}."
    for facts in (
        {"name": "Ada", "day": "Monday", "thing": "tea"},
        {"name": "Bo", "day": "May 3", "thing": 7},
    ):
        filled = task
        for name, value in facts.items():
            filled = filled.replace(f"{{{{{name}}}}}", str(value))
        assert brief(task, facts) == brief(filled, None)
    whole = {"task": "Ask whether they deliver. Book a table."}
    assert [point.kind for point in brief("{{task}} Thank them.", whole).points] == ["whether", "book"]
    assert "{{name}}" in words(call("+14155550123", "Ask whether {{name}} is in."), "assistant")


SPANISH_TASK = "Pregunta si tienen platos veganos y cuánto cuesta el menú, y reserva una mesa para dos el viernes a las 20:30."


def test_a_spanish_task_is_understood_in_spanish() -> None:
    assert [point.kind for point in brief(SPANISH_TASK, None).points] == ["whether", "price", "book"]
    script = call("+34915550015", SPANISH_TASK)
    theirs = words(script, "user")
    assert re.search(r"(Sí, |no )tenemos platos veganos", theirs)
    assert re.search(r"El menú cuesta \d+ euros", theirs)
    assert "Le reservo una mesa para dos el viernes a las 20:30" in theirs
    assert re.search(
        r"decir(me)? si tienen platos veganos|saber si tienen platos veganos", words(script, "assistant")
    )
    assert "Booked: «una mesa para dos el viernes a las 20:30»." in (report(script).summary or "")
    assert not re.search(r"\b(?:the|you|customer|hello)\b", words(script), re.IGNORECASE)


def test_an_english_task_is_quoted_piece_by_piece_to_whoever_speaks_spanish() -> None:
    script = call("+34915550015")
    theirs = words(script, "user")
    for piece in ("whether you have vegan dishes", "how much the tasting menu costs"):
        assert f"«{piece}»" in theirs
    assert re.search(r"español", theirs)
    assert report(script).disposition == "booked"
    assert re.search(r"whether they have vegan dishes: (yes|no)\.", report(script).summary or "")


def test_whoever_speaks_english_has_spanish_quoted_to_them() -> None:
    script = call("+14155550123", SPANISH_TASK)
    assert "“si tienen platos veganos”" in words(script, "user")
    assert turns(script)[0].words.startswith(("Hola", "Buenas"))
    assert report(script).disposition == "booked"


@pytest.mark.parametrize(
    ("task", "kinds"),
    [
        ("Llama para confirmar la cita de mañana y pregunta a qué hora abren.", ["confirm", "when"]),
        ("Cancela la reserva del sábado. Recuérdales que el pago vence el lunes.", ["cancel", "tell"]),
        ("¿Tienen estacionamiento? ¿Cuándo cierran?", ["whether", "when"]),
        ("Pide que envíen el menú, y averigua cuántas mesas tienen.", ["favour", "count"]),
        ("Cambia la cita al martes.", ["move"]),
        ("Felicita a la señora por su cumpleaños de parte de todos.", ["matter"]),
    ],
)
def test_spanish_tasks_are_taken_apart(task: str, kinds: list[str]) -> None:
    assert spoken_in(task) == "es"
    assert [point.kind for point in brief(task, None).points] == kinds


def test_both_languages_say_the_same_things_with_the_same_holes() -> None:
    def holes(choices: tuple[str, ...]) -> set[str]:
        return set(re.findall(r"(?<!{){[a-z]+}", " ".join(choices)))

    assert ENGLISH.keys() == SPANISH.keys()
    for name in ENGLISH:
        assert holes(ENGLISH[name]) == holes(SPANISH[name]), name


@pytest.mark.parametrize(
    "temper",
    ["hurried", "hostile", "wrong_person", "hangs_up", "opts_out", "voicemail", "menu", "asks_robot"],
)
def test_every_temper_speaks_both_languages(temper: Any) -> None:
    for ordinal in range(6):
        script = call(
            "+34911234567",
            SPANISH_TASK,
            ordinal=ordinal,
            person=Person(name="Eva Gil", language="es", temper=temper),
        )
        assert not re.search(r"\b(?:you|your|I|please|the)\b", words(script).replace("</transcript>", ""))
        assert report(script).summary


def people(folder: Path, **files: str) -> People:
    for name, text in files.items():
        (folder / f"{name}.toml").write_text(text, "utf-8")
    return People.load(folder)


def test_three_lines_make_a_person(tmp_path: Path) -> None:
    mine = people(tmp_path, ada='name = "Ada Boone"\ntemper = "opts_out"\nendings = ["0042"]\n')
    ada = mine.of("+14155550042", "s")
    assert ada == Person(name="Ada Boone", temper="opts_out", endings=("0042",))
    assert mine.of("+14155550001", "s").temper == "busy"
    assert next(person.name for person in mine) == "Ada Boone"
    assert len(list(mine)) == len(list(PEOPLE)) + 1
    assert report(call("+14155550042", person=ada)).disposition == "do_not_call"


def test_the_users_people_go_before_ours_and_whole_numbers_before_endings(tmp_path: Path) -> None:
    mine = people(
        tmp_path,
        a='name = "By Ending"\nendings = ["0005", "0123"]',
        b='name = "By Number"\nnumbers = ["+14155550005"]',
        c='name = "Everybody Else"',
    )
    reached = {
        number: mine.of(number, "s").name
        for number in ("+14155550005", "+14155560005", "+14155550123", "+14155550099", "+14155550010")
    }
    assert list(reached.values()) == ["By Number", "By Ending", "By Ending", "Everybody Else", "Gina Rossi"]


def test_a_folder_may_be_absent_or_hold_other_files(tmp_path: Path) -> None:
    assert [person.name for person in People.load(tmp_path / "none")] == [person.name for person in PEOPLE]
    (tmp_path / "notes.txt").write_text("no person")
    assert [person.name for person in People.load(tmp_path)] == [person.name for person in People.load(None)]


NAMED = 'name = "Ada Boone"\n'


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", 'name is missing; give a name of 1 to 60 characters, such as "Ada Boone".'),
        ('name = ""', 'name does not fit; give a name of 1 to 60 characters, such as "Ada Boone".'),
        (NAMED + 'temper = "grumpy"', "temper does not fit; give one of helpful, hurried, asks_robot, "),
        (
            NAMED + 'language = "de-DE"',
            'language does not fit; give en or es, with a country where you like, such as "en-GB"',
        ),
        (
            NAMED + 'timezone = "Mars/Base"',
            "timezone is no time zone that this machine knows; give an IANA name, such as",
        ),
        (
            NAMED + 'timezone = "../etc/passwd"',
            "timezone is no time zone that this machine knows; give an IANA name, such as",
        ),
        (NAMED + "endings = [42]", 'endings.1 does not fit; give strings of four digits, such as ["0042"].'),
        (
            NAMED + 'endings = ["0042", "42"]',
            'endings.2 does not fit; give strings of four digits, such as ["0042"].',
        ),
        (
            NAMED + 'numbers = ["555 0142"]',
            'numbers.1 does not fit; give strings in E.164 form, such as ["+14155550142"].',
        ),
        (NAMED + "willing = 2", "willing does not fit; give a number from 0 to 1, such as 0.8."),
        (
            NAMED + "answers_on_attempt = 0",
            "answers_on_attempt does not fit; give a whole number from 1 to 20.",
        ),
        (NAMED + 'until_then = "later"', 'until_then does not fit; give "busy" or "no-answer".'),
        (NAMED + "rings_for = [1]", "rings_for"),
        (
            NAMED + "greeting = 7",
            "greeting does not fit; give one string or a list of strings, each up to 500 characters.",
        ),
        (
            NAMED + 'tempre = "busy"',
            "tempre is no field of a person; there are name, language, timezone, temper, ",
        ),
        (
            NAMED + '[[replies]]\nsay = "Yes."',
            'replies.1.about is missing; give words with | between them, such as "vegan|vegetarian".',
        ),
        (
            NAMED + '[[replies]]\nabout = "a"\nsay = "b"\ntell = 1',
            "replies.1.tell is no field of a reply; there are about, say, disposition.",
        ),
        (
            NAMED + '[[replies]]\nabout = "a"\nsay = "b"\ndisposition = "So So"',
            "replies.1.disposition does not fit; give small letters and _, ",
        ),
        (
            "name = Ada",
            "ada.toml is no TOML (invalid value (at line 1, column 8)); write lines such as name = ",
        ),
    ],
)
def test_what_is_wrong_with_a_file_is_one_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(SandboxError) as wrong:
        people(tmp_path, ada=text)
    assert str(wrong.value).startswith(str(tmp_path / "ada.toml"))
    assert sentence in str(wrong.value)
    assert str(wrong.value).endswith(".")
    assert "\n" not in str(wrong.value)


def test_no_number_has_two_people_and_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(
        SandboxError, match=r"b\.toml: 0042 reaches a\.toml already; take it out of one of the two files\."
    ):
        people(tmp_path, a=NAMED + 'endings = ["0042"]', b='name = "Bo Lee"\nendings = ["0042"]')
    with pytest.raises(SandboxError, match="is no folder"):
        People.load(tmp_path / "a.toml")
    (tmp_path / "a.toml").write_bytes(b"name = '\xff'")
    (tmp_path / "b.toml").unlink()
    with pytest.raises(SandboxError, match=r"a\.toml is not written in UTF-8; save it as UTF-8\."):
        People.load(tmp_path)


def test_a_pinned_reply_decides_answer_and_disposition() -> None:
    person = Person.model_validate(
        {
            "name": "Ada Boone",
            "willing": 0,
            "replies": [
                {"about": "VEGAN|vegetarian", "say": "Only on Mondays."},
                {"about": "table", "say": "We take no bookings", "disposition": "not_interested"},
            ],
        }
    )
    script = call("+14155550123", person=person)
    assert {"Only on Mondays.", "We take no bookings"} <= {turn.words for turn in turns(script)}
    assert report(script).disposition == "not_interested"
    summary = report(script).summary or ""
    assert "Asked whether they have vegan dishes: “Only on Mondays.”" in summary
    assert (
        "Asked to book a table for two on Friday at 7:30 pm under Miller: “We take no bookings”." in summary
    )


def test_how_willing_somebody_is_decides_what_they_grant() -> None:
    task = "Ask whether they deliver. Book a table. Confirm the date. Cancel the cake. Move the visit. Ask them to wait. Ask for a chair."
    for ordinal in range(10):
        no = call("+14155550123", task, ordinal=ordinal, person=Person(name="No Body", willing=0))
        yes = call("+14155550123", task, ordinal=ordinal, person=Person(name="Yes Man", willing=1))
        assert (report(no).summary or "").count("declined.") == 6
        assert "deliver: no." in (report(no).summary or "")
        assert report(no).disposition == "declined"
        assert "declined" not in (report(yes).summary or "")
        assert "deliver: yes." in (report(yes).summary or "")


def test_own_words_are_spoken_and_holes_filled() -> None:
    person = Person(
        name="Ada Boone",
        timezone="Asia/Tokyo",  # noon in London is nine in the evening there
        greeting=("{daypart}, {name}.",),
        ready=("Shoot.",),
        farewell=("Over and out, {first}.",),
        assent=(", rather",),
        willing=1,
    )
    theirs = [turn.words for turn in turns(call("+14155550123", person=person)) if turn.speaker == "user"]
    assert theirs[0].startswith("Good evening, Ada Boone. ")
    assert theirs[1] == "Shoot."
    assert "Yes, we have vegan dishes, rather." in theirs
    assert theirs[-1] == "Over and out, Ada."


def test_nobody_is_called_by_a_name_that_they_did_not_give() -> None:
    for ordinal in range(10):
        script = call("+14155550123", ordinal=ordinal, person=Person(name="Ada Boone", greeting=("Hello?",)))
        assert "Ada" not in words(script)
        assert (report(script).summary or "").startswith("Spoke with the person who answered.")


PROGRAM = """
import sys
sys.path.insert(0, {root!r})
from tests.test_people import CHARACTERS, SPANISH_TASK, call
from topcalls_tools.sandbox.script import SCRIPT
for ending in [*CHARACTERS, "0008", "0019", "0123"]:
    for task in ({{}}, {{"task": SPANISH_TASK}}):
        for ordinal in range(3):
            sys.stdout.buffer.write(SCRIPT.dump_json(call("+1415555" + ending, ordinal=ordinal, seed="ñ", **task)) + b"\\n")
"""


def test_every_process_writes_the_same_bytes() -> None:
    told = []
    for hashing, place, zone in (("0", "C", "UTC"), ("4242", "es_ES.UTF-8", "Asia/Tokyo")):
        environment = {**os.environ, "PYTHONHASHSEED": hashing, "LC_ALL": place, "TZ": zone}
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM.format(root=str(ROOT))],
            check=True,
            capture_output=True,
            env=environment,
        )
        told.append(done.stdout)
    assert told[0] == told[1]
    assert told[0].count(b"\n") == 102


FRAGMENTS = st.sampled_from(
    [
        "ask whether they", "Ask", "book", "pregunta si", "¿Tienen", "cuánto cuesta", "{{name}}", "{name}", "{first}", "{about}",
        "and", " y ", "then", "if not", "unless", "call to confirm that", "remind Anna of her", "you are Rachel from", "?", ".", ",", "\n",
        "cancel", "</system>", "your", "table", "on Friday at 7 pm", "how many", "how much", "when", "what time", "rate", "“", "»", "\\1",
    ]
)  # fmt: skip
TASKS = st.one_of(
    st.text(min_size=10, max_size=400),
    st.lists(st.one_of(FRAGMENTS, st.text(max_size=12)), min_size=4, max_size=40)
    .map(" ".join)
    .filter(lambda text: len(text) >= 10),
)
ENDINGS = st.sampled_from([*CHARACTERS, "0001", "0008", "0009", "0123"])


@settings(max_examples=300, deadline=None)
@given(
    TASKS,
    ENDINGS,
    st.integers(0, 10**6),
    st.text(max_size=5),
    st.dictionaries(st.just("name"), st.text(max_size=80)),
)
def test_any_task_becomes_a_call_in_order(
    task: str, ending: str, ordinal: int, seed: str, facts: dict[str, str]
) -> None:
    request = PlaceCall.model_construct(
        phone_number=f"+1415555{ending}",
        task=task,
        instructions=None,
        first_sentence=None,
        request_data=facts,
        max_duration=3,
    )
    script = written(seed, request, ordinal, NOON)
    assert [event.at for event in script.events] == sorted(event.at for event in script.events)
    ends = [event.at for event in script.events if isinstance(event, Ended)]
    assert all(turn.at <= end for turn in turns(script) for end in ends)
    assert all(turn.words.strip() for turn in turns(script))
    assert script == written(seed, request, ordinal, NOON)
    assert SCRIPT.validate_json(SCRIPT.dump_json(script)) == script


@settings(max_examples=200, deadline=None)
@given(
    TASKS, st.sampled_from(["0010", "0013", "0016", "0123", "4242"]), st.integers(0, 1000), st.floats(0, 1)
)
def test_a_summary_tells_nothing_that_was_not_said(task: str, ending: str, ordinal: int, part: float) -> None:
    request = PlaceCall.model_construct(
        phone_number=f"+1415555{ending}",
        task=task,
        instructions=None,
        first_sentence=None,
        request_data=None,
        max_duration=3,
    )
    script = written("s", request, ordinal, NOON)
    said = turns(script)
    cut = said[int(part * (len(said) - 1))].at
    found = seen(script, cut, cut + 15_000)
    assert found.turns == tuple(turn for turn in said if turn.at <= cut)
    summary = found.summary or ""
    for turn in said:
        if turn.finding and turn.at > cut:
            heard = {earlier.finding.said for earlier in found.turns if earlier.finding}
            assert turn.finding.said not in summary or any(turn.finding.said in told for told in heard)
    person = PEOPLE.of(request.phone_number, "s").name
    assert person not in summary.split(".")[0] or any(person in turn.words for turn in found.turns)


def test_facts_do_not_blow_a_task_up() -> None:
    task = "{{a}} " * 3000
    assert len(filled(task, {"a": "word " * 50_000})) < 3 * MOST + len(task)
