"""Where an assistant's call leads when no person was asked: to the page, and from there on."""

from __future__ import annotations

import json
import os
import shlex
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import mcp_types as types
import pytest
from mcp import Client as MCP
from mcp import StdioServerParameters

from topcalls_tools.connect import Line, utc_now
from topcalls_tools.journal import archive

from .chromium import PROGRAM, SWITCHES, needed
from .conftest import CALL, World
from .owner import owner as permissive
from .test_mcp import Person, connected, said

needed()

VISITOR = """
import re, sys, urllib.request, urllib.parse
answer, uri = sys.argv[1:]
text = urllib.request.urlopen(uri).read().decode()
(address,), (code,) = re.findall('action="([^"]+)/open"', text), re.findall('value="([^"]+)"', text)

def post(path, form, cookie="", origin="null"):
    data = urllib.parse.urlencode(form).encode()
    request = urllib.request.Request(address + path, data, {"Origin": origin, "Cookie": cookie})
    return urllib.request.urlopen(request)

cookie = post("/open", {"code": code}).headers["Set-Cookie"].partition(";")[0]
page = urllib.request.urlopen(urllib.request.Request(address + "/", headers={"Cookie": cookie})).read().decode()
form = dict(re.findall('type="hidden" name="(.+?)" value="([^"]+)"', page))
if answer != "none":
    post("/answer", {**form, "answer": answer}, cookie, address)
"""
PERSON = """
import sys
from playwright.sync_api import sync_playwright
program, button, uri, *switches = sys.argv[1:]
with sync_playwright() as play:
    page = play.chromium.launch(executable_path=program, args=switches).new_page()
    page.goto(uri)
    page.get_by_role("button", name=button).click()
    page.get_by_text("written down").wait_for()
"""


def owner(home: Path, browser: str, **programs: str) -> None:
    """What the owner has set: rehearsal, a browser, and programs that may be one."""
    home.mkdir(exist_ok=True)
    for name, text in programs.items():
        (home / f"{name}.py").write_text(text)
    permissive(home, f"rehearse = true\nbrowser = {json.dumps(browser)}\n")


@pytest.fixture
def opens(home: Path) -> Callable[..., None]:
    """Set the owner's browser: a program that goes to the page by itself and answers, or does not."""

    def choose(answer: str) -> None:
        owner(home, shlex.join([sys.executable, str(home / "visitor.py"), answer]), visitor=VISITOR)

    return choose


class Reader(Person):
    """Somebody who reads for two seconds, by the line's clocks."""

    def __init__(self, line: Line, action: str, yes: Any) -> None:
        super().__init__(action, yes)
        self.line, self.read = line, 0.0
        line.clock = lambda: utc_now() + timedelta(seconds=self.read)
        line.timer = lambda: time.monotonic() + self.read

    async def __call__(self, ctx: Any, params: Any) -> types.ElicitResult:
        self.read += 2
        return await super().__call__(ctx, params)


ERAS = ["auto", "legacy"]
FORMS: dict[str, Callable[[], Person | None]] = {
    "no form": lambda: None,
    "accepted by itself": lambda: Person("accept", True),
    "declined by itself": lambda: Person("decline"),
    "cancelled by itself": lambda: Person("cancel"),
    "a no by itself": lambda: Person("accept", False),
}


def line_of(world: World, home: Path) -> Line:
    """The sandbox under everything that a live key would meet, as the owner's policy says it."""
    return Line(world.settings(home))


@pytest.mark.parametrize("mode", ERAS)
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("answer", ["yes", "no"])
async def test_a_call_that_no_person_was_asked_about_lands_on_the_page(
    world: World, home: Path, opens: Callable[..., None], mode: str, form: str, answer: str
) -> None:
    """Whatever the assistant's form said by itself: the page decides, and nothing rings before it does."""
    opens(answer)
    line = line_of(world, home)
    async with connected(line, mode, FORMS[form]()) as mcp:
        reply = await mcp.call_tool("place_call", CALL)
    (row, _), *_ = archive.listed(line.desk().journal(), 5)
    assert (row.decision, row.by) == (answer, "page")
    assert reply.is_error == (answer == "no"), said(reply)
    assert len(world.rings()) == (answer == "yes")


@pytest.mark.parametrize("mode", ERAS)
async def test_a_form_that_was_read_and_came_back_empty_lands_on_the_page(
    world: World, home: Path, opens: Callable[..., None], mode: str
) -> None:
    opens("yes")
    line = line_of(world, home)
    async with connected(line, mode, Reader(line, "accept", None)) as mcp:
        assert not (await mcp.call_tool("place_call", CALL)).is_error
    (row, _), *_ = archive.listed(line.desk().journal(), 5)
    assert row.by == "page"


@pytest.mark.parametrize("mode", ERAS)
@pytest.mark.parametrize(("yes", "rings"), [(True, 1), (False, 0)])
async def test_a_form_that_was_read_decides_without_a_page(
    world: World, home: Path, opens: Callable[..., None], mode: str, yes: bool, rings: int
) -> None:
    opens("no" if yes else "yes")
    line = line_of(world, home)
    async with connected(line, mode, Reader(line, "accept", yes)) as mcp:
        await mcp.call_tool("place_call", CALL)
    (row, _), *_ = archive.listed(line.desk().journal(), 5)
    assert row.by == "form"
    assert len(world.rings()) == rings


@pytest.mark.parametrize("mode", ERAS)
async def test_the_page_is_answered_when_the_call_has_long_returned(
    world: World, home: Path, opens: Callable[..., None], mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mcp_server.forms.SCREEN_WAITS", 0.3)
    opens("none")
    line = line_of(world, home)
    async with connected(line, mode) as mcp:
        for _ in range(2):
            waiting = await mcp.call_tool("place_call", CALL)
            assert waiting.is_error
            assert "open on the person's screen" in said(waiting)
        assert world.rings() == []
        (row,) = line.desk().journal().open_asks(line.clock())
        line.desk().journal().decide(row.key, "yes", "page", line.clock())
        placed = await mcp.call_tool("place_call", CALL)
        again = await mcp.call_tool("place_call", CALL)
    assert placed.structured_content["call_id"] == again.structured_content["call_id"]
    assert again.structured_content["replayed"] is True
    assert len(world.rings()) == 1


@pytest.mark.parametrize("mode", ERAS)
async def test_without_a_browser_the_owner_answers_in_a_terminal(
    world: World, home: Path, opens: Callable[..., None], mode: str
) -> None:
    owner(home, "none")
    line = line_of(world, home)
    async with connected(line, mode) as mcp:
        waiting = await mcp.call_tool("place_call", CALL)
        assert waiting.is_error
        assert "`topcalls approvals`" in said(waiting)
        (row,) = line.desk().journal().open_asks(line.clock())
        line.desk().journal().decide(row.key, "yes", "terminal", line.clock())
        assert not (await mcp.call_tool("place_call", CALL)).is_error
    assert len(world.rings()) == 1


@pytest.mark.parametrize("answer", ["yes", "no"])
async def test_from_a_server_over_stdio_to_chromium_and_back(
    world: World, home: Path, tmp_path: Path, answer: str
) -> None:
    """The owner's browser is a real one; a person clicks there while the assistant waits."""
    button = "Approve" if answer == "yes" else "Decline"
    words = [sys.executable, str(home / "person.py"), PROGRAM or "", button]
    command = "sh -c " + shlex.quote(f'{shlex.join(words)} "$0" {shlex.join(SWITCHES)}')
    owner(home, command, person=PERSON)
    env = {
        **os.environ,
        "TOPCALLS_API_KEY": world.key,
        "TOPCALLS_BASE_URL": world.url,
        "TOPCALLS_HOME": str(home),
    }
    server = StdioServerParameters(command=sys.executable, args=["-m", "mcp_server"], env=env)
    async with MCP(server) as mcp:
        reply = await mcp.call_tool("place_call", CALL)
    assert reply.is_error == (answer == "no"), said(reply)
    assert len(world.rings()) == (answer == "yes")
