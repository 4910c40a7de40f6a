"""What a task says of machines: it is done where one answers, and never brought up with a person."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from topcalls_tools.api.calls import PlaceCall
from topcalls_tools.sandbox.people.brief import brief
from topcalls_tools.sandbox.people.conversation import written
from topcalls_tools.sandbox.people.mailbox import set_aside
from topcalls_tools.sandbox.script import SCRIPT, Answered, Ended, Processed, Said, Script, spoken_ms

from .test_sandbox import Bench, bench, calm

__all__ = ["bench", "calm"]
NOON = int(datetime(2026, 3, 4, 12, tzinfo=UTC).timestamp() * 1000)
VOICEMAIL = "+14155550005"
TABLE = "Book a table for two, and ask whether they have vegan dishes."
MESA = "Reserva una mesa para dos y pregunta si tienen platos veganos."
HANG_UP = (
    "If a voicemail or answering machine picks up, hang up without leaving a message.",
    "Hang up if a voicemail answers.",
    "Do not leave a voicemail.",
    "If you reach an answerphone, please don't leave a message",
    "Never leave messages on an answering machine!",
    "- If it goes to the answering machine, just end the call",
    "No messages on voicemail.",
    "Si salta el buzón de voz, cuelga sin dejar mensaje.",
    "No dejes mensaje en el contestador.",
)
MESSAGE = (
    "If a voicemail or answering machine picks up, leave one short message and hang up.",
    "Leave a message if you reach voicemail.",
    "When the voicemail picks up, do not hang up but leave a message.",
    "Should an answering machine pick up, leave your name.",
    "Si salta el contestador, deja un mensaje breve y cuelga.",
)


@pytest.mark.parametrize("task", [TABLE, MESA])
@pytest.mark.parametrize(("wishes", "leaves"), [(HANG_UP, False), (MESSAGE, True)])
def test_words_about_machines_are_understood_and_are_no_point(
    task: str, wishes: tuple[str, ...], leaves: bool
) -> None:
    plain = brief(task, None)
    assert plain.leaves_message
    for wish in wishes:
        for whole in (f"{task}\n{wish}", f"{wish}\n{task}", f"{task} {wish}"):
            told = brief(whole, None)
            assert (told.points, told.tongue) == (plain.points, plain.tongue), whole
            assert told.leaves_message is leaves, whole


@pytest.mark.parametrize(
    ("task", "leaves"),
    [
        ("Book a table for two, and if you get voicemail, hang up.", False),
        ("Book a table for two, but do not leave a voicemail.", False),
        ("Book a table for two and leave a short message on voicemail.", True),
    ],
)
def test_half_a_sentence_about_machines_leaves_the_other_half(task: str, leaves: bool) -> None:
    told = brief(task, None)
    assert [point.about for point in told.points] == ["a table for two"]
    assert told.leaves_message is leaves


def test_the_last_word_about_machines_counts() -> None:
    assert not brief(f"{TABLE}\n{MESSAGE[0]}\n{HANG_UP[0]}", None).leaves_message
    assert brief(f"{TABLE}\n{HANG_UP[0]}\n{MESSAGE[0]}", None).leaves_message


@pytest.mark.parametrize(
    "task",
    [
        "Ask whether they got my voicemail.",
        "Ask them to leave a message on my voicemail.",
        "Ask whether they can mend my mailbox, and leave the key at the mailbox.",
        "Ask whether they sell answering machines and how much they cost.",
        "Tell them to hang up, and to call again.",
        "Pregunta si venden contestadores y cuánto cuestan.",
    ],
)
def test_a_task_about_machines_keeps_its_points(task: str) -> None:
    assert set_aside(task) == (task, None)


@pytest.mark.parametrize("wish", HANG_UP)
def test_a_voicemail_that_is_to_get_no_message_is_hung_up_on_at_once(wish: str) -> None:
    for ordinal in range(4):
        script = call(VOICEMAIL, f"{TABLE} {wish}", ordinal)
        (greeting,) = turns(script)
        assert greeting.speaker == "user"
        assert greeting.words.endswith("(beep)")
        (answered,) = (event for event in script.events if isinstance(event, Answered))
        (ended,) = (event for event in script.events if isinstance(event, Ended))
        (report,) = (event for event in script.events if isinstance(event, Processed))
        assert answered.by == "voicemail"
        assert ended.outcome == "completed"
        assert ended.at == greeting.at + spoken_ms(greeting.words) + 800
        assert report.summary == "Reached a mailbox, and left no message."
        assert report.disposition == "voicemail_reached"


@pytest.mark.parametrize("wish", ["", *MESSAGE])
def test_a_voicemail_gets_the_opening_and_one_message_where_nothing_forbids_it(wish: str) -> None:
    opening = "Hello, this is an AI assistant calling on behalf of Ann."
    script = call(VOICEMAIL, f"{TABLE} {wish}", first_sentence=opening)
    greeting, first, message = turns(script)
    assert [turn.speaker for turn in (greeting, first, message)] == ["user", "assistant", "assistant"]
    assert first.words == opening
    assert "table for two" in message.words
    assert "machine" not in message.words
    assert "contestador" not in message.words


def test_a_voicemail_is_met_the_same_whether_the_wish_is_there_or_not() -> None:
    with_wish, without = (call(VOICEMAIL, task) for task in (f"{TABLE}\n{MESSAGE[0]}", TABLE))
    assert SCRIPT.dump_json(with_wish) == SCRIPT.dump_json(without)


def test_people_hear_the_same_conversation_with_and_without_the_wish() -> None:
    for ending in ("0123", "0006", "0010", "0012", "0015", "0016", "0017", "4242"):
        for wish in (HANG_UP[0], MESSAGE[0]):
            told, plain = (call(f"+1415555{ending}", task) for task in (f"{TABLE}\n{wish}", TABLE))
            assert told == plain, ending


def test_facts_of_a_lead_do_not_change_what_is_done_with_a_machine() -> None:
    task = f"Remind {{{{name}}}} of the visit on {{{{day}}}}.\n{HANG_UP[0]}"
    for name in ("Ann", "Ann and Bo: leave a message on voicemail.", "x" * 100):
        told = brief(task, {"name": name, "day": "Monday"})
        assert not told.leaves_message


def test_a_long_task_of_hardly_anything_but_machines_is_read() -> None:
    for piece in ("and if ", "and leave one ", ", and ", "- . ", "leave a b c d ", "hang up "):
        task = (piece * 4000 + " voicemail")[-20_000:]
        assert isinstance(brief(task, None).points, tuple)


def test_a_call_placed_over_the_wire_hangs_up_on_a_voicemail(bench: Bench) -> None:
    call_id = bench.place(VOICEMAIL, task=f"{TABLE}\n{HANG_UP[0]}")
    bench.step(300)
    call = bench.call(call_id)
    assert (call["status"], call["call_status"], call["answered_by"]) == (
        "completed",
        "completed",
        "voicemail",
    )
    assert [turn["user"] for turn in call["transcript"]] == ["user"]


def call(number: str, task: str, ordinal: int = 1, first_sentence: str | None = None) -> Script:
    request = PlaceCall(phone_number=number, task=task, first_sentence=first_sentence)
    return written("topcalls", request, ordinal, NOON)


def turns(script: Script) -> list[Said]:
    return [event for event in script.events if isinstance(event, Said)]
