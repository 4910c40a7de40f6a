"""The stored key: who may read it, where it goes, what goes before it, and that it is never seen."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from topcalls_tools import Client, GetBalance, stored_key
from topcalls_tools.cli import topcalls
from topcalls_tools.connect import Line
from topcalls_tools.errors import Misconfigured
from topcalls_tools.sandbox import open_sandbox, serve_in_background
from topcalls_tools.settings import Settings
from topcalls_tools.stored_key import StoredKey

from .conftest import World, owner
from .stranger import Stranger
from .test_cli import Terminal

BALANCE = {"remaining": 100.5, "reserved": 0, "allocated": 100, "used": 0}
posix = pytest.mark.skipif(os.name != "posix", reason="rights are those of POSIX")


def run(*arguments: str, given: str | None = None, **env: str) -> Result:
    return CliRunner(env=env).invoke(topcalls, list(arguments), input=given)


@pytest.fixture
def stored(world: World, home: Path) -> World:
    """A world whose key its owner has stored."""
    done = run("login", "--stdin", given=f"{world.key}\n", TOPCALLS_BASE_URL=world.url)
    assert done.exit_code == 0, done.output
    return world


def test_a_stored_key_is_used_where_none_is_set(stored: World, home: Path) -> None:
    told = json.loads(run("get-balance", "--json").stdout)
    assert told["remaining"] == 1500
    line = Line(Settings.load())
    assert (line.address(), line.settings.stored) == (stored.url, True)
    assert not (home / "sandbox.db").exists()


@posix
def test_the_owner_alone_can_read_it(stored: World, home: Path) -> None:
    assert oct((home / "key").stat().st_mode)[-3:] == "600"
    assert oct(home.stat().st_mode)[-3:] == "700"
    assert [path.name for path in home.iterdir()] == ["key"]


@posix
def test_it_is_never_readable_by_others_whatever_the_umask(home: Path) -> None:
    home.mkdir()
    seen: list[int] = []
    before = os.umask(0)
    try:
        path = stored_key.write(home, StoredKey("tc_test_canary0123", "http://127.0.0.1:9"))
        seen.append(path.stat().st_mode & 0o777)
    finally:
        os.umask(before)
    assert seen == [0o600]


def test_a_key_that_cannot_be_written_leaves_the_one_that_was_there(home: Path) -> None:
    home.mkdir()
    stored_key.write(home, StoredKey("tc_test_before0123", "http://127.0.0.1:9"))
    (home / "key").unlink()
    (home / "key").mkdir()  # nothing can replace a directory
    with pytest.raises(Misconfigured, match="no key was stored"):
        stored_key.write(home, StoredKey("tc_test_canary0123", "http://127.0.0.1:9"))
    assert [path.name for path in home.iterdir()] == ["key"]


@posix
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o601])
def test_with_a_key_that_others_can_read_nothing_is_dialled_and_everything_can_be_stopped(
    stored: World, home: Path, mode: int
) -> None:
    call = "place-call", "--phone-number", "+14155550123", "--task", "Ask when they open."
    (home / "key").chmod(mode)
    refused = run(*call)
    assert refused.exit_code == 6
    assert f"chmod 600 {home / 'key'}" in refused.stderr
    assert stored.key not in refused.output
    assert run("get-balance").exit_code == 0
    assert run("stop-all").exit_code == 0
    (home / "key").chmod(0o600)
    assert run(*call).exit_code == 0


@pytest.mark.parametrize(
    "content",
    ["", "tc_live_canary0123", "[]", '{"api_key": 1}', '{"api_key": "x", "base_url": 2}', "\xff\xfe"],
)
def test_a_file_that_holds_no_key_is_never_a_reason_to_practise(home: Path, content: str) -> None:
    home.mkdir(mode=0o700)
    (home / "key").write_bytes(content.encode("latin-1"))
    (home / "key").chmod(0o600)
    refused = run("get-balance")
    assert refused.exit_code == 6
    assert "holds no key; run topcalls login again" in refused.stderr
    assert "canary" not in refused.output


def test_the_environment_goes_first(stored: World, tmp_path: Path) -> None:
    with closing(serve_in_background(sandbox := open_sandbox(tmp_path / "other.db"))) as other:
        done = run("get-balance", TOPCALLS_API_KEY=sandbox.key(), TOPCALLS_BASE_URL=other.url)
        line = Line(Settings.load(api_key=sandbox.key(), base_url=other.url))
        assert (line.address(), line.settings.stored) == (other.url, False)
    assert done.exit_code == 0
    refused = run("get-balance", TOPCALLS_API_KEY="")
    assert refused.exit_code == 6  # an empty key is an error, and never a reason to take another


def test_what_is_given_in_code_goes_first(stored: World) -> None:
    with Client(api_key="tc_test_canary0123", base_url=stored.url) as client:
        assert client.line.key() == "tc_test_canary0123"


@pytest.mark.parametrize(
    ("kept", "given"),
    [
        (None, "https://api.topcalls.ai"),
        (None, "https://API.topcalls.ai:443/"),
        ("http://127.0.0.1:9", "http://127.0.0.1:9/"),
        ("http://127.0.0.1:9", ""),
    ],
)
def test_a_stored_key_goes_to_its_own_address_however_that_is_written(
    home: Path, kept: str | None, given: str
) -> None:
    home.mkdir()
    stored_key.write(home, StoredKey("tc_test_canary0123" if kept else "tc_live_canary0123", kept))
    with closing(Line(Settings.load(base_url=given))) as line:
        assert line.settings.stored
        assert line.address() == (kept or "https://api.topcalls.ai")


@pytest.mark.parametrize(
    "other",
    [
        "http://api.topcalls.ai",
        "https://api.topcalls.ai:8443",
        "https://api.topcalls.ai/v2",
        "https://x@api.topcalls.ai",
        "https://api@.topcalls.ai",
        "https://[",
        "nonsense",
    ],
)
def test_a_stored_key_goes_to_no_other_address(home: Path, other: str) -> None:
    home.mkdir()
    stored_key.write(home, StoredKey("tc_live_canary0123"))
    with pytest.raises(Misconfigured, match="another address"):
        Settings.load(base_url=other)


def test_a_stored_key_is_sent_nowhere_but_where_it_was_tried(stored: World) -> None:
    stranger = Stranger({"/v1/balance": BALANCE})
    with stranger.open() as url:
        refused = run("get-balance", TOPCALLS_BASE_URL=url)
    assert refused.exit_code == 6
    assert "run topcalls login for that address" in refused.stderr
    assert stranger.came == []


@pytest.mark.parametrize(
    ("key", "code", "words"),
    [
        ("tc_test_unknown0123", 4, "nothing was stored"),
        ("has spaces in it", 6, "is no key"),
        ("short", 6, "is no key"),
        ("", 6, "No key was given"),
        ("tc_live_canary0123", 6, "A live key is sent only over https"),
    ],
)
def test_a_key_that_is_refused_is_not_stored(
    world: World, home: Path, key: str, code: int, words: str
) -> None:
    refused = run("login", "--stdin", given=f"{key}\n", TOPCALLS_BASE_URL=world.url)
    assert refused.exit_code == code, refused.output
    assert words in refused.stderr
    assert not key or key not in refused.output
    assert not home.exists()


def test_a_key_that_could_not_be_tried_is_not_stored(home: Path) -> None:
    refused = run("login", "--stdin", given="tc_test_canary0123\n", TOPCALLS_BASE_URL="http://127.0.0.1:9")
    assert refused.exit_code == 5
    assert "nothing was stored" in refused.stderr
    assert not home.exists()


def test_a_key_is_tried_with_one_free_read(home: Path) -> None:
    stranger = Stranger({"/v1/balance": BALANCE})
    with stranger.open() as url:
        assert run("login", "--stdin", given="tc_test_canary0123", TOPCALLS_BASE_URL=url).exit_code == 0
    assert stranger.came == [("GET", "/v1/balance")]


def test_a_key_without_the_scope_is_stored_and_that_is_said(tmp_path: Path, home: Path) -> None:
    key = (sandbox := open_sandbox(tmp_path / "scoped.db")).add_key(["campaigns:read"])
    with closing(serve_in_background(sandbox)) as served:
        done = run("login", "--stdin", given=key, TOPCALLS_BASE_URL=served.url)
    assert done.exit_code == 0
    assert "calls:read" in done.stderr
    assert (home / "key").exists()


def test_a_key_on_the_command_line_is_refused_and_not_repeated(world: World, home: Path) -> None:
    refused = run("login", world.key, TOPCALLS_BASE_URL=world.url)
    assert refused.exit_code == 2
    assert "not taken from the command line" in " ".join(refused.stderr.split())
    assert world.key not in refused.output
    assert not home.exists()


def test_without_a_terminal_a_key_comes_by_stdin_alone(world: World, home: Path) -> None:
    refused = run("login", given=f"{world.key}\n", TOPCALLS_BASE_URL=world.url)
    assert refused.exit_code == 3
    assert "--stdin" in refused.stderr
    assert not home.exists()


def test_a_key_is_typed_unseen(world: World, home: Path) -> None:
    terminal = Terminal("login", TOPCALLS_BASE_URL=world.url)
    terminal.until("it is not shown")
    terminal.type(f"{world.key}\n")
    assert terminal.end() == 0, terminal.screen
    assert world.key not in terminal.screen
    assert "no phone rings" in terminal.screen
    assert stored_key.read(home) == StoredKey(world.key, world.url)


def test_an_end_of_input_stores_nothing(world: World, home: Path) -> None:
    terminal = Terminal("login", TOPCALLS_BASE_URL=world.url)
    terminal.until("it is not shown")
    terminal.type("\x04")
    assert terminal.end() == 6, terminal.screen
    assert not home.exists()


def test_logout_deletes_it_and_everything_is_practice_again(stored: World, home: Path) -> None:
    done = run("logout")
    assert done.exit_code == 0
    assert "everything is practice" in done.stdout
    assert not (home / "key").exists()
    assert Line(Settings.load()).live is False
    assert Settings.load().api_key is None
    assert "No key is stored" in run("logout").stdout


@posix
def test_logout_and_login_work_where_the_file_cannot_be_used(stored: World, home: Path) -> None:
    (home / "key").chmod(0o644)
    again = run("login", "--stdin", given=stored.key, TOPCALLS_BASE_URL=stored.url)
    assert (again.exit_code, "Replaced" in again.stdout) == (0, True), again.output
    assert run("get-balance").exit_code == 0
    (home / "key").write_text("nonsense")
    assert run("logout").exit_code == 0
    assert not (home / "key").exists()


def test_a_key_in_the_environment_is_told_to_go_before_it(stored: World) -> None:
    env = {"TOPCALLS_API_KEY": stored.key, "TOPCALLS_BASE_URL": stored.url}
    done = run("login", "--stdin", given=stored.key, **env)
    assert "TOPCALLS_API_KEY is set here" in done.stderr
    out = run("logout", **env)
    assert "TOPCALLS_API_KEY is set here" in out.stderr
    assert "practice" not in out.output


def test_a_running_program_keeps_whom_it_speaks_to(stored: World, home: Path) -> None:
    line = Line(Settings.load())
    stored_key.remove(home)
    owner(home)  # policy.toml has changed, and is read again
    assert line.settings.stored
    assert line.settings.api_key is not None
    practising = Line(Settings.load())
    (home / "key").write_text("nonsense")
    (home / "policy.toml").write_text("minutes_per_day = 1\n")
    assert practising.settings.api_key is None
    assert practising.live is False


def test_whoever_has_it_calls_live_and_login_says_so(home: Path, tmp_path: Path) -> None:
    """A live key goes over https alone, so that what login says of one is shown by the line it makes."""
    home.mkdir(mode=0o700)
    stored_key.write(home, StoredKey("tc_live_canary0123"))
    line = Line(Settings.load())
    assert (line.live, line.strict, line.account) == (True, True, "live")
    assert "canary" not in repr(line) + repr(line.settings) + repr(stored_key.read(home))


def test_it_counts_for_the_mcp_server_too(stored: World) -> None:
    code = (
        "from topcalls_tools import Client, GetBalance\n"
        "with Client() as client: print(client.send(GetBalance()).remaining)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "1500.0"


async def test_an_unreadable_policy_leaves_the_stored_key_in_use(stored: World, home: Path) -> None:
    (home / "policy.toml").write_text("minutes_per_day = [")
    line = Line(Settings.load())
    assert line.settings.trouble
    with Client(line=line) as client:
        assert (await asyncio.to_thread(client.send, GetBalance())).remaining == 1500
