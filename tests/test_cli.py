"""The command line: one command per tool, exit codes, JSON, and a question at a real terminal."""

from __future__ import annotations

import asyncio
import codecs
import fcntl
import json
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from mcp import Client as MCP

from mcp_server.server import serve
from topcalls_tools import AsyncClient
from topcalls_tools.cli import EXIT_CODES, topcalls
from topcalls_tools.connect import Line
from topcalls_tools.sandbox import bound, open_sandbox
from topcalls_tools.settings import Settings
from topcalls_tools.tools import TOOLS

from .conftest import CALL, NUMBER, World, owner

LIST = "66666666-6666-4666-8666-666666666666"
PLACE = ["place-call", "--phone-number", NUMBER, "--task", CALL["task"]]


def run(*arguments: str, **env: str) -> Result:
    return CliRunner(env=env).invoke(topcalls, list(arguments))


@pytest.fixture
def keyed(world: World, home: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    owner(home)
    monkeypatch.setenv("TOPCALLS_API_KEY", world.key)
    monkeypatch.setenv("TOPCALLS_BASE_URL", world.url)
    return world


def test_every_tool_is_a_command_with_its_arguments() -> None:
    listed = run("--help").output
    for action in TOOLS:
        name = action.tool.replace("_", "-")
        assert re.search(rf"^  {name} ", listed, re.M), name
        page = run(name, "--help")
        assert page.exit_code == 0
        for argument in action.input_schema()["properties"]:
            assert f"--{argument.replace('_', '-')}" in page.output
        for hidden in action.for_code:
            assert f"--{hidden.replace('_', '-')} " not in page.output


def test_a_call_is_placed_followed_and_stopped(keyed: World) -> None:
    placed = run(*PLACE, "--json")
    assert placed.exit_code == 0, placed.output
    told = json.loads(placed.output)
    assert told["live"] is False
    assert "With a live key a person would be asked" in told["note"]
    keyed.advance(600)
    followed = run("follow-call", "--call-id", told["call_id"])
    assert followed.output.startswith("Practice: no phone rang.")
    assert "\n  1 agent          │ Hello, this is an AI assistant" in followed.output
    assert "\n  2 person called  │ " in followed.output
    listed = run("list-calls")
    assert told["call_id"] in listed.output
    stopped = json.loads(run("stop-call", "--call-id", told["call_id"], "--json").output)
    assert stopped["ok"] is False
    assert len(keyed.rings()) == 1


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["place-call", "--phone-number", "911", "--task", "x" * 10], 2, "no international number"),
        (["place-call"], 2, "--phone-number"),
        (["list-calls", "--limit", "500"], 2, "from 1 to 200"),
        (["list-calls", "--limit", "x"], 2, "limit"),
        (["no-such-tool"], 2, "No such command"),
        (["place-call", "--phone-number", "+19005550123", "--task", "x" * 10], 3, "never-numbers"),
        (["get-call", "--call-id", "564d4fd4-03bc-400a-abe0-05540fbeff88"], 4, "404"),
    ],
)
def test_exit_codes_say_what_kind_of_no_it_was(
    keyed: World, arguments: list[str], code: int, words: str
) -> None:
    refused = run(*arguments)
    assert refused.exit_code == code in EXIT_CODES
    assert words in refused.stderr
    assert "Traceback" not in refused.output
    assert keyed.rings() == []


@pytest.mark.parametrize(
    ("env", "code", "words"),
    [
        (
            {"TOPCALLS_API_KEY": "tc_live_canary0123", "TOPCALLS_BASE_URL": "http://127.0.0.1:1"},
            6,
            "live key",
        ),
        ({"TOPCALLS_API_KEY": "tc_test_canary0123"}, 6, "tc_test_"),
        ({"TOPCALLS_API_KEY": "has spaces in it"}, 6, "is no key"),
        ({"TOPCALLS_API_KEY": ""}, 6, "is set and empty"),
        ({"TOPCALLS_BASE_URL": "https://x.example"}, 6, "TOPCALLS_API_KEY is not"),
        ({"TOPCALLS_TOOLSETS": "nonsense"}, 0, ""),
        (
            {"TOPCALLS_API_KEY": "tc_test_canary0123", "TOPCALLS_BASE_URL": "http://127.0.0.1:9"},
            5,
            "could not be reached",
        ),
    ],
)
def test_settings_that_cannot_be_used_are_a_sentence(env: dict[str, str], code: int, words: str) -> None:
    done = run("get-balance", **env)
    assert done.exit_code == code, done.output
    assert words in done.stderr
    assert "canary" not in done.output


def test_a_policy_that_cannot_be_read_keeps_no_brake_from_its_work(keyed: World) -> None:
    placed = json.loads(run(*PLACE, "--json").output)
    assert run("stop-call", "--call-id", placed["call_id"], TOPCALLS_APPROVAL="maybe").exit_code == 0
    refused = run(*PLACE, TOPCALLS_APPROVAL="maybe")
    assert refused.exit_code == 6
    assert "approval" in refused.stderr


def test_where_a_person_is_needed_and_there_is_no_terminal_it_is_refused(keyed: World) -> None:
    done = run(*PLACE, TOPCALLS_REHEARSE="1")
    assert done.exit_code == 3
    assert "nobody can be asked" in done.stderr
    assert keyed.rings() == []


def test_a_password_is_not_taken_from_the_command_line(keyed: World, tmp_path: Path) -> None:
    carrier = [
        "add-carrier",
        "--carrier-name",
        "Acme",
        "--trunk-type",
        "auth",
        "--sip-gateway",
        '{"ipv4": "203.0.113.9"}',
    ]
    secret = '{"username": "u", "password": "canary-password"}'
    refused = run(*carrier, "--inbound-auth", secret)
    assert refused.exit_code == 2
    assert "@FILE" in refused.stderr
    (tmp_path / "auth.json").write_text(secret)
    added = run(*carrier, "--inbound-auth", f"@{tmp_path / 'auth.json'}", "--json")
    assert json.loads(added.output)["carrier_name"] == "Acme"
    assert "canary-password" not in added.output


def test_leads_are_imported_from_a_file_and_listed(keyed: World, tmp_path: Path) -> None:
    people = [
        {"name": "Ann Lee", "phone_number": "+14155550142"},
        {"name": "B", "phone_number": "+14155550143"},
    ]
    (tmp_path / "people.json").write_text(json.dumps(people))
    imported = run("import-leads", "--list-id", LIST, "--leads", f"@{tmp_path / 'people.json'}", "--json")
    assert json.loads(imported.output)["inserted"] == 2, imported.output
    listed = json.loads(run("list-leads", "--list-id", LIST, "--phone", "+14155550142", "--json").output)
    assert [lead["name"] for lead in listed["data"]] == ["Ann Lee"]
    assert listed["has_more"] is False


@pytest.mark.parametrize(
    ("leads", "words"),
    [
        ("Ann", 'is no JSON; write it as in [{"name": "value"}]'),
        ('{"name": "Ann"}', "leads has the wrong type; give a list, each item an object with name"),
        ('[{"name": "Ann"}]', "leads.0.phone_number is missing"),
    ],
)
def test_leads_in_another_form_are_refused_in_words(leads: str, words: str) -> None:
    refused = run("import-leads", "--list-id", LIST, "--leads", leads)
    assert refused.exit_code == 2
    assert words in " ".join(refused.stderr.split())


def test_a_command_for_what_is_for_code_alone_does_not_exist() -> None:
    listed = run("--help").output
    assert "-webhook" not in listed
    assert run("create-webhook", "--event", "call.completed").exit_code == 2


async def test_tools_prints_exactly_what_tools_list_serves(home: Path) -> None:
    printed = await asyncio.to_thread(run, "tools", "--json")
    async with AsyncClient(line=Line(Settings.load())) as client, MCP(serve(client)) as mcp:
        served = [
            tool.model_dump(by_alias=True, exclude_none=True, mode="json")
            for tool in (await mcp.list_tools()).tools
        ]
    assert json.loads(printed.output) == {"tools": served}


class Terminal:
    """A command in a real terminal: one that knows how wide it is, where `columns` says so."""

    def __init__(self, *arguments: str, columns: int = 0, **env: str) -> None:
        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40 if columns else 0, columns, 0, 0))
        command = [sys.executable, "-m", "topcalls_tools.cli", *arguments]
        self._process = subprocess.Popen(
            command,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env={**os.environ, "COLUMNS": str(columns or 120), **env},
            start_new_session=True,
            preexec_fn=lambda: os.close(os.open(os.ttyname(0), os.O_RDWR)),  # so that Ctrl-C reaches it
        )
        os.close(theirs)
        self.screen = ""
        self._characters = codecs.getincrementaldecoder("utf-8")()

    def until(self, words: str) -> None:
        deadline = time.monotonic() + 30
        while words not in self.screen:
            assert time.monotonic() < deadline, self.screen
            if select.select([self._ours], [], [], 0.1)[0]:
                try:
                    self.screen += self._read()
                except OSError:
                    assert words in self.screen, self.screen

    def type(self, keys: str) -> None:
        os.write(self._ours, keys.encode())

    def end(self) -> int:
        code = self._process.wait(30)
        while select.select([self._ours], [], [], 0.1)[0]:
            try:
                self.screen += self._read()
            except OSError:
                break
        os.close(self._ours)
        return code

    def _read(self) -> str:
        return self._characters.decode(os.read(self._ours, 4096))


@pytest.mark.parametrize(
    ("keys", "code", "rings"), [("y\n", 0, 1), ("n\n", 3, 0), ("\n", 3, 0), ("\x04", 3, 0)]
)
def test_a_person_is_asked_at_the_terminal(keyed: World, keys: str, code: int, rings: int) -> None:
    terminal = Terminal(*PLACE, TOPCALLS_REHEARSE="1")
    terminal.until("Approve?")
    assert f"│ {NUMBER}" in terminal.screen
    assert "Practice: no phone rings." in terminal.screen
    terminal.type(keys)
    assert terminal.end() == code, terminal.screen
    assert len(keyed.rings()) == rings


def test_the_sandbox_command_serves_a_world_until_it_is_ended(tmp_path: Path) -> None:
    env: dict[str, Any] = {**os.environ, "TOPCALLS_HOME": str(tmp_path / "home")}
    command = [
        sys.executable,
        "-m",
        "topcalls_tools.cli",
        "sandbox",
        "--port",
        "0",
        "--seed",
        "s",
        "--speed",
        "60",
    ]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env)
    assert process.stdout
    lines = [process.stdout.readline() for _ in range(6)]
    settings = dict(re.findall(r"(TOPCALLS_\w+)=(\S+)", "".join(lines)))
    assert json.loads(run("get-balance", "--json", **settings).output)["remaining"] == 1500
    process.terminate()
    assert process.wait(15) in (0, -15)
    again = subprocess.run(
        [*command[:-4], "--seed", "other"], capture_output=True, text=True, env=env, timeout=30, check=False
    )
    assert again.returncode == 6
    assert "--reset" in again.stderr


CAMPAIGN = '[[campaigns]]\nname = "Fair"\ntask = "Tell {{name}} of the fair."\n'


@pytest.mark.parametrize(
    ("switch", "content", "said"),
    [
        ("--port", b"", "Port"),
        ("--campaigns", b"[[campaigns", "[[campaigns]]"),
        ("--campaigns", f'{CAMPAIGN}voice = "nobody"'.encode(), "voice"),
        ("--campaigns", f'{CAMPAIGN}from_number = "+14155559999"'.encode(), "from_number"),
        ("--webhook-secret", b"\xff\xfe", "UTF-8"),
    ],
    ids=["port", "TOML", "voice", "number", "secret"],
)
def test_a_world_is_not_reset_by_a_command_that_is_refused(
    home: Path, tmp_path: Path, switch: str, content: bytes, said: str
) -> None:
    path, given = home / "sandbox.db", tmp_path / "given"
    given.write_bytes(content)
    home.mkdir()
    with closing(open_sandbox(path)) as world:
        world.add_key(name="witness")
    with closing(bound(0)) as taken:
        ports = ["--port", str(taken.getsockname()[1]) if switch == "--port" else "0"]
        refused = run("sandbox", "--reset", *ports, *([] if switch == "--port" else [switch, str(given)]))
    assert (refused.exit_code, said in refused.output) == (6, True), refused.output
    with closing(open_sandbox(path)) as world:
        assert "witness" in {key.name for key in world.all_keys()}
