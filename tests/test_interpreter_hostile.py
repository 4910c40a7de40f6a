"""Sentences that sound like orders and are none, or like one order and are two; and what a call that is placed again
repeats."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from topcalls_tools import Client
from topcalls_tools.api.calls import PlaceCall
from topcalls_tools.guard.compose import VOICEMAIL
from topcalls_tools.interpreter import Doubt, Reading, Scene

from .test_interpreter import ENDED, LIVE, SCENE, SPOKEN, WAITING, WAITS, acts, read, say

TALKED_OF = replace(SCENE, last_call=LIVE.id)
"""A call is under way, and it was spoken of last."""
BOTH = replace(SCENE, calls=(LIVE, WAITS, ENDED))
CALL = "Call the clinic and ask about Tuesday"


def whys(said: str, scene: Scene = SCENE) -> str:
    found = read(said, scene)
    assert isinstance(found, Doubt), found
    return found.why


@pytest.mark.parametrize(
    ("said", "first", "last"),
    [
        (f"{CALL}, at most 5 minutes, no, 50 minutes.", "5", "50"),
        (f"{CALL}, at most five minutes, sorry, ten minutes", "five", "10"),
        (f"{CALL}, at most 5 minutes, max 50 minutes", "5", "50"),
        ("Call the clinic for at most 5 minutes and ask about Tuesday, at most 50 minutes", "5", "50"),
        ("Call the clinic and ask if a 20 minute walk is fine, at most five minutes", "20 minute", "5"),
        ("Call Mario's and ask for a 90 minute slot, at most 6 minutes", "90 minute", "6"),
    ],
)
def test_two_lengths_of_time_are_a_doubt_that_says_which_two(said: str, first: str, last: str) -> None:
    why = whys(said)
    assert f" {first} " in why
    assert f" {last} minutes" in why


@pytest.mark.parametrize(
    "limit",
    [
        "at least 5 minutes", "more than 5 minutes", "not 5 minutes", "exactly 5 minutes", "1 to 5 minutes",
        "5-10 minutes", "at most minus five minutes", "at most fifteen or fifty minutes", "unlimited minutes",
        "at most 1.500 minutes",
    ],
)  # fmt: skip
def test_minutes_that_are_no_limit_are_not_left_to_the_agent(limit: str) -> None:
    assert whys(f"{CALL}, {limit}").startswith("It is not clear whether the minutes are the call's limit")


@pytest.mark.parametrize(
    "said", [f"{CALL}, make that Wednesday", f"{CALL}. Or wait.", f"{CALL}, or better not"]
)
def test_a_task_that_is_taken_back_in_its_last_words_is_none(said: str) -> None:
    assert whys(said).startswith("The sentence takes back what it says")


@pytest.mark.parametrize(
    "said", ["stop talking", "Stop talking!", "could you stop talking please", "be quiet", "Shut up."]
)
def test_to_stop_talking_may_be_to_be_quiet_or_to_hang_up(said: str) -> None:
    found = read(said)
    assert isinstance(found, Doubt)
    assert "to hang up, or only to be quiet" in found.why
    assert [(one.tool, one.arguments) for one in found.readings] == [("stop_call", {"call_id": LIVE.id})]


def test_to_stop_talking_to_somebody_is_to_hang_up() -> None:
    found = read("stop talking to them")
    assert isinstance(found, Reading)
    assert (found.tool, found.arguments) == ("stop_call", {"call_id": LIVE.id})


@pytest.mark.parametrize(
    "said",
    [
        "Can you stop everything?",
        "Would you stop everything",
        "you can stop everything",
        "do you think you can stop everything",
        "Stop everything?",
        "could someone stop it all?",
    ],
)
def test_whether_everything_can_be_stopped_stops_nothing_before_it_is_chosen(said: str) -> None:
    found = read(said)
    assert isinstance(found, Doubt)
    assert [one.tool for one in found.readings] == ["stop_all"]


@pytest.mark.parametrize(
    "said",
    [
        "Stop everything!",
        "Could you please stop everything?",
        "Please, can you stop everything",
        "I want to stop everything",
    ],
)
def test_everything_is_stopped_where_it_is_ordered(said: str) -> None:
    found = read(said)
    assert isinstance(found, Reading)
    assert found.tool == "stop_all"


@pytest.mark.parametrize("said", ["stop everything for a moment", "stop everything for now"])
def test_nothing_is_stopped_for_a_moment(said: str) -> None:
    assert whys(said).startswith("Nothing that is stopped goes on again by itself")


@pytest.mark.parametrize("said", ["Pause it", "pause this", "resume it", "start it"])
def test_it_is_no_campaign_where_a_call_was_spoken_of(said: str) -> None:
    assert whys(said, TALKED_OF) == "It is not clear whether the call or the campaign is meant; name it."


@pytest.mark.parametrize(
    ("said", "scene"),
    [
        ("Hang up on nobody", SCENE),
        ("Stop talking to anybody", SCENE),
        ("Call a clinic and ask about dinner", SCENE),
        ("Call any clinic and ask about dinner", SCENE),
        ("Add carrier Zen at 203.0.113.999", SCENE),
        ("Shouldn't you hang up?", SCENE),
        ("Don't you dare hang up", SCENE),
        ("You could have hung up", SCENE),
        ("Make sure you don't hang up", SCENE),
        ("Ask me before hanging up", SCENE),
        ("Wait for her to hang up", SCENE),
        ("Hang up or don't", SCENE),
        ("Hang up? No. Follow it.", SCENE),
        ("Hang up - that's what he told me", SCENE),
        ("hang up the washing", SCENE),
        ("The agent wants to hang up", SCENE),
        ("In the film he shouts: hang up", SCENE),
        ("They told the agent: stop everything", SCENE),
        ("stop everything except the winter survey", SCENE),
        ("stop everything when the survey is done", SCENE),
        ("has everything stopped?", SCENE),
        ("Not the winter survey, pause the spring fair", SCENE),
        ("Pause the winter survey until Monday", SCENE),
        ("You were supposed to pause the winter survey", SCENE),
        ("Start the spring fair campaign, not the check-ups", SCENE),
        ("Block +49 30 55501499, no, +49 30 55501498", SCENE),
        ("Block Mario's for a week", SCENE),
        ("They asked not to be called again", SCENE),
        ("never call the clinic again before noon", SCENE),
        ("don't ever call the clinic again without asking me", SCENE),
        ("Call the clinic, no, Mario's, and ask for a table for two", SCENE),
        ("Call 030 55501499 or 030 55501498 and ask when they open", SCENE),
        ("Call 030 55501499 every 5 minutes and ask for Bob", SCENE),
        ("Call the clinic instead of Mario's and ask about dinner", SCENE),
        ("Call the clinic if Mario's is closed and ask for a table", SCENE),
        ("Call the clinic in 5 and ask about dinner", SCENE),
        ("I called the clinic and asked whether Tuesday is free", SCENE),
        ("He asked me to call the clinic and ask whether Tuesday is free", SCENE),
        ("Delete my number +49 30 55501490, no, don't", SCENE),
        ("Delete carrier Acme and add carrier Zen at 203.0.113.10", SCENE),
        ("Leg auf", SCENE),
        ("Cuelga", SCENE),
        ("Llama a Mario's y pregunta por el menú", SCENE),
        ("dont hagn up", SCENE),
        ("dnot hang up", SCENE),
        ("unblock +49 30 55501499", SCENE),
        ("Cancel the call unless it is Anna's", WAITING),
        ("Don't cancel, I changed my mind", WAITING),
        ("forget about not making that call", WAITING),
        ("stop the other one", BOTH),
        ("stop all calls except the clinic", BOTH),
        ("cancel it", BOTH),
        ("don't redial", SPOKEN),
        ("redial her and ask something else", SPOKEN),
        ("redial tomorrow", SPOKEN),
    ],
)
def test_nothing_is_done_that_is_not_ordered(said: str, scene: Scene) -> None:
    assert not acts(read(said, scene))


@pytest.mark.parametrize(
    ("said", "task"),
    [
        ("Call the clinic and ask whether a table for 5 at 7 costs 30 euros", "Ask whether a table for 5 at 7 costs 30 euros."),
        ("Call the clinic and read out the code 4 1 5 5 5 5 0 1 3 2", "Read out the code 4 1 5 5 5 5 0 1 3 2."),
        ("Call Mario's and say my number is +49 30 55501499", "Say my number is +49 30 55501499."),
        ("Call the clinic and ask them to stop everything", "Ask them to stop everything."),
        ("Call the clinic and ask if I should hang up", "Ask if I should hang up."),
        ("Call Mario's and book for 20 minutes", "Book for 20 minutes."),
    ],
)  # fmt: skip
def test_numbers_and_orders_inside_a_task_are_the_tasks(said: str, task: str) -> None:
    found = read(said)
    assert isinstance(found, Reading)
    assert found.tool == "place_call"
    assert found.arguments["task"].startswith(f"{task} You call")
    assert "max_duration" not in found.arguments


TASK = "Ask whether Tuesday is free."
NUMBER = "+14155550123"


def redialled(client: Client, placed: str) -> dict[str, Any]:
    found = say(client, "Redial.", last_call=placed)
    assert isinstance(found, Reading), found
    assert found.tool == "place_call"
    return {**found.arguments, "means": found.means}


def test_a_call_is_placed_again_with_what_was_asked_of_it_and_nothing_that_was_added(client: Client) -> None:
    asked = {"phone_number": NUMBER, "task": TASK, "max_duration": 4, "voice": "sage"}
    placed = client.send(PlaceCall(**asked))
    found = redialled(client, placed.call_id)
    means = f"Call {NUMBER} once more. Task: {TASK} At most 4 minutes."
    assert found == {**asked, "means": means}


def test_an_opening_of_ones_own_is_repeated_without_ours(client: Client) -> None:
    asked = {"phone_number": NUMBER, "instructions": TASK, "first_sentence": "It is about your order."}
    placed = client.send(PlaceCall(**asked))
    found = redialled(client, placed.call_id)
    assert {name: found[name] for name in asked} == asked


def test_an_opening_that_cannot_be_told_from_ours_is_not_repeated_and_that_is_told(
    client: Client, home: Path
) -> None:
    placed = client.send(PlaceCall(phone_number=NUMBER, task=TASK, first_sentence="It is about your order."))
    path = home / "policy.toml"
    path.write_text(path.read_text().replace('caller = "Ann Meyer"', 'caller = "Bob Meyer"'))
    found = redialled(client, placed.call_id)
    assert "first_sentence" not in found
    assert "What it said first is not repeated" in found["means"]


def test_without_a_journal_task_and_limit_alone_are_repeated_and_that_is_told() -> None:
    told = {
        "task": f"{TASK}\n{VOICEMAIL['hang_up']}",
        "max_duration": 7,
        "from_number": "+493055501490",
        "model": "gpt",
        "voice": "alloy",
        "first_sentence": "This is an AI assistant.",
    }
    found = read("Redial", replace(SPOKEN, calls=(ENDED.model_copy(update={"metadata": told}),)))
    assert isinstance(found, Reading)
    assert found.arguments == {"phone_number": ENDED.phone_number, "task": TASK, "max_duration": 7}
    assert "Only its task and its limit are repeated" in found.means
