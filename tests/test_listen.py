"""`topcalls listen`, as a process of its own; and what a call asks for so that it is told."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest

from topcalls_tools import PlaceCall
from topcalls_tools.cli.listen import AT_ONCE
from topcalls_tools.errors import Misconfigured
from topcalls_tools.flow.question import question
from topcalls_tools.guard import Allow
from topcalls_tools.guard.compose import TOLD, compose
from topcalls_tools.guard.policy import tightened
from topcalls_tools.guard.rules.people import webhook_hosts
from topcalls_tools.settings import Settings

from .conftest import allowing, owner
from .hooks import SECRET, TASK, Stage, post, staged
from .test_webhooks import receiver

__all__ = ["receiver"]
NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
BUSY, NOBODY = "+14155550001", "+14155550002"
OURS = "https://hooks.example.com/topcalls"
CALL = PlaceCall(phone_number="+14155550123", task=TASK)


@pytest.fixture
def stage(home: Path, receiver: Any) -> Iterator[Stage]:
    with staged(home, receiver) as found:
        yield found


def environment(stage: Stage, **more: str) -> dict[str, str]:
    own = {
        "TOPCALLS_HOME": str(stage.line.settings.home),
        "TOPCALLS_API_KEY": stage.world.key,
        "TOPCALLS_BASE_URL": stage.world.url,
        "TOPCALLS_WEBHOOK_SECRET": SECRET,
    }
    return {**os.environ, **own, **more}


@contextmanager
def listening(stage: Stage, *switches: str, **more: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """`topcalls listen`, and the address that it says."""
    command = [sys.executable, "-m", "topcalls_tools.cli", "listen", "--port", "0", *switches]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    process: subprocess.Popen[str] = subprocess.Popen(command, env=environment(stage, **more), **pipes)  # type: ignore[call-overload]
    try:
        assert process.stdout
        words = process.stdout.readline().split()
        assert words[:4] == ["Webhooks", "are", "received", "at"], process.communicate()
        yield process, words[4].rstrip(";")
    finally:
        process.kill()
        process.wait()


def script(path: Path, text: str) -> str:
    path.write_text(text)
    return f"'{sys.executable}' '{path}' one 'two words' '$HOME; exit 7'"


def lines(process: subprocess.Popen[str]) -> Iterator[str]:
    assert process.stderr
    return iter(process.stderr.readline, "")


def until(process: subprocess.Popen[str], words: str) -> str:
    """Wait until standard error says something; fails where it ends without."""
    said = []
    for line in lines(process):
        said.append(line)
        if words in line:
            return "".join(said)
    raise AssertionError(said)


def test_a_command_is_run_at_a_calls_end_with_what_is_known_and_without_a_shell(
    stage: Stage, tmp_path: Path
) -> None:
    call_id = stage.place("+14155550016")  # who gives the assistant orders
    told = stage.told()
    code = "import json, sys; print('RAN', json.dumps([sys.argv[1:], json.load(sys.stdin)]))"
    with listening(stage, "--exec", script(tmp_path / "note.py", code)) as (process, url):
        assert {post(url, one) for one in told} == {200}
        ran = until(process, "RAN ")
        arguments, known = json.loads(ran.partition("RAN ")[2])
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    assert arguments == ["one", "two words", "$HOME; exit 7"]
    assert (known["id"], known["live"], known["event"]) == (call_id, False, "call.completed")
    transcript = stage.call(call_id)["transcript"]
    assert [(turn["turn"], turn["text"]) for turn in known["turns"]] == [
        (turn["id"], turn["text"]) for turn in transcript
    ]
    assert {turn["speaker"] for turn in known["turns"]} == {"agent", "person called"}
    mine = "".join(line for line in ran.splitlines() if "RAN" not in line)
    assert "+14…16" in mine
    assert not any(turn["text"] in mine for turn in transcript)


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("import sys; sys.exit(3)", "ended with 3"),
        ("import time; time.sleep(600)", "took over 0.5 seconds"),
        ("import os; os.kill(os.getpid(), 9)", "ended with -9"),
    ],
)
def test_a_command_that_fails_or_hangs_is_said_and_the_next_call_is_told(
    stage: Stage, tmp_path: Path, code: str, said: str
) -> None:
    calls = [stage.place(BUSY), stage.place(NOBODY)]
    told = [one for one in stage.told() if one.event == "call.failed"]
    with listening(stage, "--exec", script(tmp_path / "x.py", code), "--timeout", "0.5") as (process, url):
        for call_id in calls:
            (one,) = (found for found in told if found.said["call_id"] == call_id)
            assert post(url, one) == 200
            assert call_id in until(process, said)
        assert process.poll() is None


def test_a_listener_that_is_killed_while_the_command_runs_runs_it_again(stage: Stage, tmp_path: Path) -> None:
    call_id = stage.place(BUSY)
    told = stage.told()
    hangs = "import sys, time; print('BEGUN', file=sys.stderr, flush=True); time.sleep(20)"
    with listening(stage, "--exec", script(tmp_path / "x.py", hangs)) as (process, url):
        assert {post(url, one) for one in told} == {200}
        until(process, "BEGUN")
        process.kill()
    code = "import json, sys; print('RAN', json.load(sys.stdin)['id'])"
    with listening(stage, "--exec", script(tmp_path / "y.py", code)) as (process, _):
        assert call_id in until(process, "RAN ")


@pytest.mark.parametrize(
    ("switches", "secret", "code", "said"),
    [
        ((), "", 6, "--unsigned"),
        (("--unsigned",), SECRET, 2, "unset it"),
        (("--exec", "'"), SECRET, 2, "quote it"),
        (("--exec", " "), SECRET, 2, "names no program"),
        (("--exec", "no-such-program-here"), SECRET, 2, "names no program"),
    ],
)
def test_it_begins_with_a_secret_and_a_program_or_not_at_all(
    home: Path, switches: tuple[str, ...], secret: str, code: int, said: str
) -> None:
    command = [sys.executable, "-m", "topcalls_tools.cli", "listen", "--port", "0", *switches]
    env = {**os.environ, "TOPCALLS_HOME": str(home), "TOPCALLS_WEBHOOK_SECRET": secret}
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stdout) == (code, "")
    assert said in done.stderr
    assert SECRET not in done.stderr


def test_where_nobody_reads_standard_error_the_command_runs_all_the_same(
    stage: Stage, tmp_path: Path
) -> None:
    stage.place(BUSY)
    told, mark = stage.told(), tmp_path / "ran"
    code = f"open({str(mark)!r}, 'w').close()"
    with listening(stage, "--exec", script(tmp_path / "x.py", code)) as (process, url):
        assert process.stderr
        process.stderr.close()
        assert {post(url, one) for one in told} == {200}
        until_there(mark)
        assert process.poll() is None


def test_a_command_that_runs_when_listening_ends_is_ended_and_runs_again(
    stage: Stage, tmp_path: Path
) -> None:
    call_id = stage.place(BUSY)
    told = stage.told()
    hangs = "import os, sys, time; print('BEGUN', os.getpid(), file=sys.stderr, flush=True); time.sleep(600)"
    with listening(stage, "--exec", script(tmp_path / "x.py", hangs), "--timeout", "600") as (process, url):
        assert {post(url, one) for one in told} == {200}
        child = int(until(process, "BEGUN").split()[-1])
        process.send_signal(signal.SIGTERM)
        assert "runs again for that call" in until(process, "was ended with the listener")
        assert process.wait(30) == 0
    with pytest.raises(ProcessLookupError):
        os.killpg(child, 0)
    code = "import json, sys; print('RAN', json.load(sys.stdin)['id'])"
    with listening(stage, "--exec", script(tmp_path / "y.py", code)) as (process, _):
        assert call_id in until(process, "RAN ")


def test_no_secret_of_ours_is_in_the_environment_of_a_command(stage: Stage, tmp_path: Path) -> None:
    stage.place(BUSY)
    told = stage.told()
    secrets = {f"TOPCALLS_{name}": f"s-{name}" for name in ("SECRET", "MODEL_KEY")}
    code = "import json, os; print('RAN', json.dumps(dict(os.environ)))"
    more = {**secrets, "topcalls_model_key": "s-small", "TOPCALLS_REGION": "DE"}
    with listening(stage, "--exec", script(tmp_path / "x.py", code), **more) as (process, url):
        assert {post(url, one) for one in told} == {200}
        found = json.loads(until(process, "RAN ").partition("RAN ")[2])
    hidden = {*more.values(), SECRET, stage.world.key} - {"DE"}
    assert not hidden & {*found.values()}
    assert found["TOPCALLS_REGION"] == "DE"
    assert found["TOPCALLS_HOME"] == str(stage.line.settings.home)


def test_whoever_connects_and_says_nothing_keeps_no_webhook_out(stage: Stage) -> None:
    stage.place(BUSY)
    told = stage.told()
    with listening(stage) as (_, url), ExitStack() as idle:
        port = int(url.rpartition(":")[2])
        for _ in range(AT_ONCE * 2):
            one = idle.enter_context(socket.create_connection(("127.0.0.1", port)))
            one.sendall(b"P")
        assert {post(url, one, patient=False) for one in told} == {200}


def until_there(path: Path) -> None:
    for _ in range(3000):
        if path.exists():
            return
        threading.Event().wait(0.01)
    raise AssertionError("It never came.")


# What a call asks for


def test_a_call_that_is_placed_asks_for_its_events_at_the_owners_address(stage: Stage) -> None:
    sent = stage.call(stage.place())["metadata"]
    assert sent["webhook_url"] == f"{stage.caught.url}/hook"
    assert tuple(sent["webhook_events"]) == TOLD


def test_a_callers_own_address_stays(stage: Stage) -> None:
    own = f"{stage.caught.url}/own"
    sent = stage.call(stage.place(webhook_url=own, webhook_events=("call.failed",)))["metadata"]
    assert (sent["webhook_url"], sent["webhook_events"]) == (own, ["call.failed"])


def test_the_owners_address_is_asked_for_and_no_other_of_its_host() -> None:
    named = allowing(webhook_url=OURS)
    assert compose(CALL, None, named).webhook_url == OURS
    assert compose(CALL, None, allowing(webhook_hosts=["hooks.example.com"])).webhook_events is None
    more = compose(CALL.model_copy(update={"webhook_events": ("call.transferred",)}), None, named)
    assert more.webhook_events == (*TOLD, "call.transferred")


def test_of_the_receivers_host_a_caller_may_name_the_receiver_alone() -> None:
    owners = allowing(webhook_url=OURS, webhook_hosts=[])
    for url, allowed in (
        (OURS, True),
        (f"{OURS}/x", False),
        ("https://hooks.example.com:8443/topcalls", False),
    ):
        named = CALL.model_copy(update={"webhook_url": url})
        assert isinstance(webhook_hosts(named, cast(Any, None), owners), Allow) is allowed


def test_with_a_live_key_the_address_counts_once_all_of_it_was_accepted(live: Any, home: Path) -> None:
    lines = 'webhook_hosts = ["hooks.example.com"]\n'
    elsewhere = f'{lines}webhook_url = "{OURS}-elsewhere"\n'
    for accepted in (lines, elsewhere):
        owner(home, f'{lines}webhook_url = "{OURS}"\n', accepted=accepted)
        waits = live()
        assert waits.standing().waiting == ("webhook_url",)
        assert compose(CALL, None, waits.desk().policy()).webhook_url is None
    owner(home, f'{lines}webhook_url = "{OURS}"\n', accepted=f'{lines}webhook_url = "{OURS}"\n')
    assert compose(CALL, None, live().desk().policy()).webhook_url == OURS


def test_the_systems_list_of_hosts_bars_an_address_elsewhere() -> None:
    mine = allowing(webhook_url=OURS)
    assert tightened(mine, {"webhook_hosts": ["example.com"]}).webhook_url is None
    assert tightened(mine, {"pack": "personal"}).webhook_url is None
    assert tightened(mine, {"webhook_hosts": ["hooks.example.com"]}).webhook_url == OURS
    assert tightened(mine, {}).webhook_url == OURS


def test_a_question_shows_the_host_alone_of_the_owners_address() -> None:
    secret = allowing(webhook_url=f"{OURS}/TOKEN-s3cret")
    whole = compose(CALL, None, secret)
    words = question(whole, (), (), now=NOW, live=True, policy=secret)
    assert ("webhook_url", "hooks.example.com") in words.quoted
    assert "TOKEN-s3cret" not in f"{words.text()} {words.document()}"


def test_no_environment_says_where_words_are_sent(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOPCALLS_WEBHOOK_URL", "https://evil.example/x")
    assert Settings.load(home=home).webhook_url is None
    owner(home, f'webhook_url = "{OURS}"\n')
    assert Settings.load(home=home).webhook_url == OURS


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example.com/x",
        "https://hooks.example.com@evil.example/x",
        "hooks.example.com",
        "https://",
        "https://[::1",
        "",
    ],
)
def test_what_is_no_address_stops_what_needs_a_yes(world: Any, home: Path, url: str) -> None:
    home.mkdir(exist_ok=True)
    (home / "policy.toml").write_text(f'webhook_url = "{url}"\n')
    from topcalls_tools.connect import Line

    with pytest.raises(Misconfigured, match="webhook_url"):
        Line(world.settings(home)).standing()


@pytest.mark.parametrize("url", ["http://127.0.0.1:8415", "https://localhost/x"])
def test_with_a_live_key_an_address_on_this_machine_is_refused(live: Any, home: Path, url: str) -> None:
    owner(home, f'webhook_url = "{url}"\n')
    with pytest.raises(Misconfigured, match="TopCalls cannot reach"):
        live().standing()


def test_the_secret_is_shown_nowhere(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOPCALLS_WEBHOOK_SECRET", SECRET)
    settings = Settings.load(home=home)
    assert settings.webhook_secret is not None
    assert settings.webhook_secret.get_secret_value() == SECRET
    assert SECRET not in f"{settings!r} {settings.model_dump_json()}"
