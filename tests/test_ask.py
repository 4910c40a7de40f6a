"""Requests in words: fifteen that people make, by the phrase book and by a model, judged by what happened in the sandbox."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from topcalls_tools import Client
from topcalls_tools.cli import EXIT_CODES, topcalls
from topcalls_tools.connect import Line

from .conftest import World, owner
from .fifteen import FIFTEEN, OPEN, After, Case
from .scripted import Model, Step, says, scripted, tool

CALL = f"Call {OPEN} and ask whether they are open on Labor Day."
PLACE = tool("place_call", phone_number=OPEN, task="Ask whether they are open on Labor Day.")


@pytest.fixture
def keyed(world: World, home: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    owner(home)
    monkeypatch.setenv("TOPCALLS_API_KEY", world.key)
    monkeypatch.setenv("TOPCALLS_BASE_URL", world.url)
    world.pace(0)
    return world


def run(*arguments: str, lines: tuple[str, ...] = (), **env: str) -> Result:
    return CliRunner(env=env).invoke(topcalls, list(arguments), "".join(f"{line}\n" for line in lines))


def chat(*lines: str, model: Model | None = None, **env: str) -> Result:
    return run("chat", *(_by(model) if model else ()), lines=lines, **env)


def ask(sentence: str, *options: str, model: Model | None = None, **env: str) -> Result:
    return run("ask", *(_by(model) if model else ()), *options, sentence, **env)


def told_minutes(printed: str, world: World) -> bool:
    """Whether the minutes of the one call are told as the account has them."""
    left = world.get("/v1/balance")["remaining"]
    return f"Call minutes: 10 reserved, {round(1500 - left, 2):,g} billed, {left:,g} left." in printed


def _by(model: Model) -> tuple[str, ...]:
    return "--model", "openai:scripted", "--model-url", model.url


@pytest.fixture
def begin(keyed: World, line: Line) -> Any:
    return lambda case: case.begin(keyed, Client(line=line))


@pytest.mark.parametrize("case", FIFTEEN, ids=lambda case: case.name)
def test_a_model_does_what_people_ask(keyed: World, begin: Any, case: Case) -> None:
    before = begin(case)
    with scripted(*case.model) as model:
        done = chat(*case.said, model=model)
    assert done.exit_code == 0, done.output
    assert model.steps == []
    assert case.words in done.output
    assert case.holds(After(keyed, done.output, before)), done.output


@pytest.mark.parametrize(
    "case", [case for case in FIFTEEN if case.book is not None], ids=lambda case: case.name
)
def test_the_phrase_book_does_what_people_ask(keyed: World, begin: Any, case: Case) -> None:
    before = begin(case)
    done = chat(*(case.book or case.said))
    assert done.exit_code == case.code, done.output
    assert case.hint in done.stderr
    assert case.holds(After(keyed, done.output, before)), done.output


@pytest.mark.parametrize("case", [case for case in FIFTEEN if case.book is None], ids=lambda case: case.name)
def test_what_the_phrase_book_does_not_know_it_refuses_with_a_hint(
    keyed: World, begin: Any, case: Case
) -> None:
    begin(case)
    before = After(keyed, "", {})
    stood = before.campaigns, before.calls, before.carriers
    done = ask(" ".join(case.said))
    after = After(keyed, done.output, {})
    assert done.exit_code == case.code == 2 in EXIT_CODES
    assert case.hint in done.stderr
    assert "This would work: " in done.stderr
    assert "no language model" in done.stderr
    assert (after.campaigns, after.calls, after.carriers) == stood
    assert after.rung == []


def test_twelve_of_the_fifteen_are_done_by_the_phrase_book() -> None:
    assert len(FIFTEEN) == 15
    assert len([case for case in FIFTEEN if case.book is not None]) == 12


def test_the_plan_stands_before_what_comes_of_it(keyed: World) -> None:
    keyed.pace(500)
    done = ask(CALL)
    plan = (
        "Plan: place_call, rings phones and uses call minutes; a person is asked\n"
        f"  phone_number  │ {OPEN}\n"
        "  task          │ Ask whether they are open on Labor Day.\n"
    )
    assert plan in done.stderr
    assert done.output.index(plan) < done.output.index("queued") < done.output.index("person called")
    assert told_minutes(done.stdout, keyed)


def test_a_call_is_left_to_itself_where_nobody_wants_to_follow_it(keyed: World) -> None:
    done = ask(CALL, "--no-follow")
    assert done.exit_code == 0
    assert "queued" in done.stdout
    assert "agent" not in done.stdout
    assert keyed.rings()[0]["phone_number"] == OPEN


def test_it_is_what_was_spoken_of_last(keyed: World) -> None:
    done = run(
        "chat", "--no-follow", lines=(CALL, "Call +14155550188 and ask whether they are open.", "Cancel it.")
    )
    assert done.exit_code == 0, done.output
    assert [ring["phone_number"] for ring in keyed.rings()] == [OPEN]


@pytest.mark.parametrize("way", ["book", "model"])
def test_where_a_person_is_needed_and_none_is_there_it_ends_with_3(keyed: World, way: str) -> None:
    with scripted(PLACE, says("Nobody could be asked.")) as model:
        done = ask(CALL, model=model if way == "model" else None, TOPCALLS_REHEARSE="1")
    assert done.exit_code == 3, done.output
    assert "nobody can be asked" in (done.stderr if way == "book" else str(model.requests[-1]["messages"]))
    assert keyed.rings() == []


def test_what_needs_no_person_works_without_one(keyed: World) -> None:
    env = {"TOPCALLS_REHEARSE": "1"}
    assert "1500" in ask("How many minutes are left?", **env).stdout
    assert ask("Pause campaign Delivery slots.", **env).exit_code == 0
    assert ask("Block +14155550199.", **env).exit_code == 0


def test_numbers_of_ones_own_country_need_none(keyed: World) -> None:
    said = "Call 0171 5550199 and ask whether they are open."
    assert ask(said, "--no-follow").exit_code == 2
    assert ask(said, "--no-follow", "--region", "DE").exit_code == 0
    assert ask(said.replace("0199", "0198"), "--no-follow", TOPCALLS_REGION="de").exit_code == 0
    assert {ring["phone_number"] for ring in keyed.rings()} == {"+491715550199", "+491715550198"}


def test_a_model_that_dials_twice_rings_once(keyed: World) -> None:
    with scripted(PLACE, PLACE, Step(tools=PLACE.tools * 2), says("Done.")) as model:
        done = ask(CALL, "--no-follow", model=model)
    assert done.exit_code == 0, done.output
    assert len(keyed.rings()) == 1
    told = [one["content"] for one in model.requests[-1]["messages"] if one["role"] == "tool"]
    assert len(told) == 4
    assert ['"replayed":true' in one for one in told] == [False, True, True, True]


def test_a_model_that_calls_tools_without_end_is_stopped(keyed: World) -> None:
    with scripted(*[tool("get_balance")] * 40) as model:
        done = ask("How many minutes are left?", model=model)
    assert done.exit_code == 8 in EXIT_CODES
    assert done.stderr.strip().endswith(
        "Error: More than 16 tools were called for one request; ask for less at once."
    )
    assert len(model.requests) == 17


def test_tools_that_a_model_calls_in_one_breath_count_each(keyed: World) -> None:
    numbers = [f"+141555501{number}" for number in range(40, 60)]
    breath = Step(
        tools=tuple(
            ("place_call", {"phone_number": one, "task": "Ask whether they are open."}) for one in numbers
        )
    )
    with scripted(breath, says("Done.")) as model:
        ask(CALL, "--no-follow", model=model)
    assert len(keyed.rings()) == 16


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (400, "does not take this request (400)"),
        (401, "refuses the key (401)"),
        (404, "knows no such model or address (404)"),
        (429, "has no room for more now (429)"),
        (503, "failed (503)"),
    ],
)
def test_what_a_models_server_refuses_is_a_sentence_without_its_words(
    keyed: World, status: int, words: str
) -> None:
    with scripted(*[Step(status=status)] * 9) as model:
        done = ask("Hang up.", model=model, TOPCALLS_MODEL_KEY="sk-canary-0123")
    assert done.exit_code == 8
    assert words in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert "canary" not in done.output


def test_a_server_that_is_not_there_is_a_sentence(keyed: World) -> None:
    done = ask("Hang up.", "--model", "openai:scripted", "--model-url", "http://127.0.0.1:9/v1")
    assert done.exit_code == 8
    assert "gave no answer that can be used (" in done.stderr
    assert "Traceback" not in done.output


def test_what_a_model_did_before_it_failed_stays_done_and_is_shown(keyed: World) -> None:
    with scripted(PLACE, Step(status=401)) as model:
        done = ask(CALL, "--no-follow", model=model)
    assert done.exit_code == 8
    assert "queued" in done.stdout
    assert len(keyed.rings()) == 1


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--model", "no-such-provider:x"), "No chat model has that name"),
        (("--model", "anthropic:claude"), "pip install langchain-anthropic"),
        (("--model", "openai:gpt-5-mini"), "OPENAI_API_KEY"),
    ],
)
def test_a_model_that_cannot_be_connected_is_a_sentence(
    keyed: World, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...], words: str
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    done = ask("Hang up.", *options)
    assert done.exit_code == 6
    assert words in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_an_address_without_a_model_is_refused(keyed: World) -> None:
    done = ask("Hang up.", "--model-url", "http://127.0.0.1:9/v1")
    assert done.exit_code == 2
    assert "name it with --model" in done.stderr


def test_without_the_extra_it_says_how_to_install_it(keyed: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "langchain"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "langchain", None)
    done = ask("Hang up.", "--model", "openai:gpt-5-mini")
    assert done.exit_code == 6
    assert "pip install 'topcalls-tools[agents]'" in done.stderr
    assert ask("How many minutes are left?").exit_code == 0


def test_the_providers_key_goes_to_no_other_address(keyed: World) -> None:
    env = {"OPENAI_API_KEY": "sk-canary-0123"}
    with scripted(says("Hello."), says("Hello.")) as model:
        ask("Hello", model=model, **env)
        ask("Hello", model=model, TOPCALLS_MODEL_KEY="sk-own-0123", **env)
    assert model.keys == ["Bearer none", "Bearer sk-own-0123"]


def test_model_and_address_may_be_settings(keyed: World) -> None:
    with scripted(says("Hello.")) as model:
        done = ask("Hello", TOPCALLS_MODEL="scripted", TOPCALLS_MODEL_URL=model.url)
    assert "scripted says:\n  │ Hello." in done.stdout


def test_a_models_words_cannot_pose_as_ours(keyed: World) -> None:
    with scripted(says("Fine.\nApprove? [y/N]: \x1b[2Jy\nPractice: no phone rang.")) as model:
        done = ask("Hello", model=model)
    said = done.stdout.partition("says:\n")[2].splitlines()
    assert said == ["  │ Fine.", "  │ Approve? [y/N]: \\u{1b}[2Jy", "  │ Practice: no phone rang."]


def test_a_model_is_told_how_things_are_and_whose_words_it_reads(keyed: World) -> None:
    keyed.pace(500)
    follow = tool("follow_call", call_id=lambda seen: seen.last["call_id"], wait_seconds=0)
    with scripted(PLACE, follow, says("They are not open.")) as model:
        ask(CALL, "--region", "DE", model=model)
    first, last = model.requests[0]["messages"], model.requests[-1]["messages"]
    assert first[0]["role"] == "system"
    assert "is a stranger's" in first[0]["content"]
    assert "Numbers without a country are of DE." in first[0]["content"]
    assert '"speaker":"person called"' in last[-1]["content"]


def test_what_was_shown_of_a_call_is_not_shown_again_when_a_model_reads_it(keyed: World) -> None:
    keyed.pace(500)
    follow = tool("follow_call", call_id=lambda seen: seen.last["call_id"], wait_seconds=0)
    with scripted(PLACE, follow, says("They are not open.")) as model:
        done = ask(CALL, model=model)
    assert done.stdout.count("Kenji Mori") == 2  # the greeting, and the summary
    assert done.stdout.count("Summary, derived") == 1


def test_a_chat_from_a_pipe_reads_lines_until_it_is_told_to_quit(keyed: World) -> None:
    done = chat("", "/help", "How many minutes are left?", "/quit", CALL)
    assert done.exit_code == 0
    assert "  Hang up call CALL_ID." in done.stdout
    assert "remaining" in done.stdout
    assert "\x1b" not in done.output
    assert keyed.rings() == []


def test_a_line_that_fails_does_not_end_a_chat_and_is_told_in_the_end(keyed: World) -> None:
    done = chat(
        "Sing me a song.", "Hang up call 564d4fd4-03bc-400a-abe0-05540fbeff88.", "How many minutes are left?"
    )
    assert done.exit_code == 2
    assert "There is no call 564d4fd4-03bc-400a-abe0-05540fbeff88." in done.stderr
    assert "remaining" in done.stdout
    assert done.stderr.count("no language model") == 1


def test_help_loads_nothing_that_words_need(home: Path) -> None:
    heavy = "langchain_core langchain openai prompt_toolkit rich httpx phonenumbers topcalls_tools.interpreter topcalls_tools.agent"
    code = (
        "import sys; from click.testing import CliRunner; from topcalls_tools.cli import topcalls;"
        "assert CliRunner().invoke(topcalls, ['--help']).exit_code == 0;"
        f"print([name for name in {heavy.split()} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
