"""The approval page's locks: who may open it, who may answer, and what reaches the person."""

from __future__ import annotations

import re
import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from topcalls_tools import PlaceCall
from topcalls_tools.api.account import Balance
from topcalls_tools.approval.browser import graphical
from topcalls_tools.approval.page import Page
from topcalls_tools.errors import Misconfigured, Refused
from topcalls_tools.flow.question import question
from topcalls_tools.guard import Facts, judge
from topcalls_tools.journal import AskRow
from topcalls_tools.journal.store import Journal

from .conftest import CALL, allowing

KEY = "k" * 32


@dataclass
class Desk:
    """A page over a journal with one open question, a clock in hand, and the files that a browser was shown."""

    journal: Journal
    home: Path
    now: datetime
    files: list[Path] = field(default_factory=list)
    shows: bool = True

    def __post_init__(self) -> None:
        self.page = Page(
            lambda: self.journal, browser=self._shown, clock=lambda: self.now, directory=self.home
        )
        self.ask(KEY)

    def _shown(self, file: Path) -> bool:
        self.files.append(file)
        return self.shows

    def ask(self, key: str, *, live: bool = True, **more: Any) -> None:
        request = PlaceCall(**{**CALL, **more})
        seen = (Balance(remaining=500),)
        said = judge(request, Facts(self.now, seen), allowing())
        words = question(request, seen, said, now=self.now, live=live, policy=allowing())
        row = AskRow(
            key,
            "live",
            "l",
            "place_call",
            key[:32],
            CALL["phone_number"],
            10,
            self.now,
            self.now + timedelta(minutes=10),
        )
        self.journal.open_ask(replace(row, question=words.document()))

    def code(self, key: str = KEY) -> str:
        """Open the page, and read the code as a browser does."""
        assert self.page.open(key)
        (code,) = re.findall(r'name="code" value="([^"]+)"', self.files[-1].read_text())
        return str(code)

    def visitor(self, **headers: str) -> httpx.Client:
        own = {"Origin": self.page.address, **headers}
        return httpx.Client(base_url=self.page.address, headers=own, trust_env=False)

    def let_in(self, key: str = KEY) -> tuple[httpx.Client, str]:
        """A visitor with a cookie, and the token of its form."""
        code, visitor = self.code(key), self.visitor()
        assert visitor.post("/open", data={"code": code}, headers={"Origin": "null"}).status_code == 200
        (token,) = re.findall(r'name="token" value="([^"]+)"', visitor.get("/").text)
        return visitor, str(token)

    def say(self, visitor: httpx.Client, answer: str) -> httpx.Response:
        """Press a button of the page as it stands."""
        return visitor.post("/answer", data={**form_of(visitor.get("/").text), "answer": answer})

    def decision(self, key: str = KEY) -> str | None:
        row = self.journal.asked(key)
        assert row
        return row.decision


def form_of(page: str) -> dict[str, str]:
    return dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]+)"', page))


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(Journal(tmp_path / "j.db"), tmp_path, datetime.now(UTC))
    yield desk
    desk.page.close()
    desk.journal.close()


@pytest.mark.parametrize(("answer", "written"), [("yes", "yes"), ("no", "no")])
def test_an_answer_is_written_down_and_nothing_else_is_done(desk: Desk, answer: str, written: str) -> None:
    visitor, _ = desk.let_in()
    said = desk.say(visitor, answer)
    assert said.status_code == 200
    assert "written down" in said.text
    row = desk.journal.asked(KEY)
    assert row
    assert (row.decision, row.by, row.used_at is None) == (written, "page", written == "yes")
    assert desk.journal.dials("live") == []
    assert "written down" in visitor.get("/").text


def test_the_file_that_opens_it_is_the_owners_alone_and_gone_after_use(desk: Desk) -> None:
    code = desk.code()
    (file,) = desk.files
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert code not in file.name
    desk.visitor().post("/open", data={"code": code}, headers={"Origin": "null"})
    assert not file.exists()


def test_a_file_that_nobody_used_is_gone_when_its_code_is_too_old_and_at_the_end(desk: Desk) -> None:
    desk.code()
    desk.now += timedelta(seconds=61)
    desk.code()
    assert [file.exists() for file in desk.files] == [False, True]
    desk.page.close()
    assert [file.exists() for file in desk.files] == [False, False]


def test_a_code_counts_once_and_a_second_use_closes_the_question(desk: Desk) -> None:
    code = desk.code()
    for status in (200, 403):
        assert (
            desk.visitor().post("/open", data={"code": code}, headers={"Origin": "null"}).status_code
            == status
        )
    row = desk.journal.asked(KEY)
    assert row
    assert row.expires_at <= desk.now


def test_after_a_second_use_the_first_window_can_agree_to_nothing(desk: Desk) -> None:
    code, visitor = desk.code(), desk.visitor()
    visitor.post("/open", data={"code": code}, headers={"Origin": "null"})
    (token,) = re.findall(r'name="token" value="([^"]+)"', visitor.get("/").text)
    desk.visitor().post("/open", data={"code": code}, headers={"Origin": "null"})
    assert "over" in visitor.post("/answer", data={"token": token, "answer": "yes"}).text
    assert desk.decision() is None


@pytest.mark.parametrize("code", ["", "x", "ü", "x" * 5000])
def test_an_unknown_code_lets_nobody_in(desk: Desk, code: str) -> None:
    desk.code()
    visitor = desk.visitor()
    assert visitor.post("/open", data={"code": code}).status_code == 403
    assert not visitor.cookies
    assert visitor.get("/").status_code == 403


def test_a_code_is_good_for_a_minute(desk: Desk) -> None:
    code = desk.code()
    desk.now += timedelta(seconds=60)
    visitor = desk.visitor()
    assert visitor.post("/open", data={"code": code}).status_code == 403
    assert not visitor.cookies


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost:{port}", "127.0.0.1", "127.0.0.1:1", "[::1]:{port}", ""]
)
@pytest.mark.parametrize("path", ["/", "/open", "/answer", "/other"])
def test_only_its_own_name_reaches_it(desk: Desk, host: str, path: str) -> None:
    visitor, token = desk.let_in()
    port = desk.page.address.rpartition(":")[2]
    given = {"Host": host.format(port=port)}
    method = "GET" if path == "/" else "POST"
    reply = visitor.request(
        method,
        path,
        data={"token": token, "answer": "yes", "code": "x"} if method == "POST" else None,
        headers=given,
    )
    assert reply.status_code in (400, 421)
    assert token not in reply.text
    assert desk.decision() is None


@pytest.mark.parametrize(
    "origin", [None, "null", "https://evil.example", "http://localhost:{port}", "http://127.0.0.1"]
)
def test_only_its_own_page_answers(desk: Desk, origin: str | None) -> None:
    visitor, token = desk.let_in()
    del visitor.headers["Origin"]
    port = desk.page.address.rpartition(":")[2]
    given = {"Origin": origin.format(port=port)} if origin is not None else {}
    assert visitor.post("/answer", data={"token": token, "answer": "yes"}, headers=given).status_code == 403
    assert desk.decision() is None


@pytest.mark.parametrize("origin", [None, "https://evil.example"])
def test_only_a_file_or_its_own_page_opens_it(desk: Desk, origin: str | None) -> None:
    code, visitor = desk.code(), desk.visitor()
    del visitor.headers["Origin"]
    given = {"Origin": origin} if origin else {}
    assert visitor.post("/open", data={"code": code}, headers=given).status_code == 403
    assert not visitor.cookies


@pytest.mark.parametrize(
    "form",
    [
        {"answer": "yes"},
        {"answer": "yes", "token": ""},
        {"answer": "yes", "token": "wrong"},
        {"answer": "yes", "token": "ü"},
        {"token": "{token}"},
        {"answer": "maybe", "token": "{token}"},
        {"answer": "YES", "token": "{token}"},
        {"answer": ["no", "yes"], "token": "wrong"},
        {"answer": "yes", "token": "{token}", "more": "x" * 5000},
    ],
    ids=str,
)
def test_a_form_that_is_not_its_own_writes_nothing(desk: Desk, form: dict[str, Any]) -> None:
    visitor, token = desk.let_in()
    sent = {
        name: value.format(token=token) if isinstance(value, str) else value for name, value in form.items()
    }
    assert visitor.post("/answer", data=sent).status_code in (400, 403)
    assert desk.decision() is None


def test_without_its_cookie_nothing_is_shown_or_written(desk: Desk) -> None:
    _, token = desk.let_in()
    stranger = desk.visitor()
    assert stranger.get("/").status_code == 403
    assert "Labor Day" not in stranger.get("/").text
    assert stranger.post("/answer", data={"token": token, "answer": "yes"}).status_code == 403
    assert desk.decision() is None


def test_the_cookie_of_one_question_answers_no_other(desk: Desk) -> None:
    other = "o" * 32
    desk.ask(other, task="Ask whether Whitsun is free.")
    first, token = desk.let_in()
    second, other_token = desk.let_in(other)
    assert first.post("/answer", data={"token": other_token, "answer": "yes"}).status_code == 403
    assert second.post("/answer", data={"token": token, "answer": "yes"}).status_code == 403
    assert (desk.decision(), desk.decision(other)) == (None, None)
    assert "Whitsun" in second.get("/").text
    assert "Whitsun" not in first.get("/").text


@pytest.mark.parametrize(
    "path", ["/?answer=yes&token={token}", "/answer?answer=yes&token={token}", "/open?code={token}"]
)
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH"])
def test_nothing_but_a_form_changes_anything(desk: Desk, method: str, path: str) -> None:
    visitor, token = desk.let_in()
    form = {**form_of(visitor.get("/").text), "answer": "yes"}
    visitor.request(method, path.format(token=token), data=form)
    assert desk.decision() is None


def test_a_question_that_changed_after_it_was_read_is_read_again(desk: Desk) -> None:
    """Asked once more, the same campaign may use more: a yes is a yes to what stood there."""
    visitor, _ = desk.let_in()
    form = form_of(visitor.get("/").text)
    row = desk.journal.asked(KEY)
    assert row
    desk.journal.open_ask(replace(row, key="another", minutes=500, asked_at=desk.now))
    assert "changed meanwhile" in visitor.post("/answer", data={**form, "answer": "yes"}).text
    assert desk.decision() is None
    desk.say(visitor, "yes")
    assert desk.decision() == "yes"


@pytest.mark.parametrize("over", ["expired", "answered", "gone"])
def test_a_question_that_is_over_takes_no_answer(desk: Desk, over: str) -> None:
    visitor, token = desk.let_in()
    match over:
        case "expired":
            desk.now += timedelta(minutes=10)
        case "answered":
            desk.journal.decide(KEY, "no", "terminal", desk.now)
        case "gone":
            desk.journal.close_ask(KEY, desk.now)
    shown = visitor.get("/")
    assert "Approve</button>" not in shown.text
    visitor.post("/answer", data={"token": token, "answer": "yes"})
    assert desk.decision() == ("no" if over == "answered" else None)


def test_a_journal_that_fails_is_said_on_the_page(desk: Desk) -> None:
    visitor, _ = desk.let_in()
    form = form_of(visitor.get("/").text)

    def broken(*_: Any) -> Any:
        raise Refused("journal", "The journal cannot be used and nothing was sent.")

    desk.journal.decide = broken  # type: ignore[method-assign]
    reply = visitor.post("/answer", data={**form, "answer": "yes"})
    assert (reply.status_code, "cannot be used" in reply.text) == (503, True)


def test_a_fault_of_the_page_is_said_on_it_and_writes_nothing(desk: Desk) -> None:
    visitor, _ = desk.let_in()
    form = form_of(visitor.get("/").text)

    def broken(*_: Any) -> Any:
        raise RuntimeError("a secret of the machine")

    desk.journal.decide = broken  # type: ignore[method-assign]
    reply = visitor.post("/answer", data={**form, "answer": "yes"})
    assert (reply.status_code, "This page failed" in reply.text) == (500, True)
    assert "secret" not in reply.text
    assert "default-src 'none'" in reply.headers["content-security-policy"]
    assert desk.decision() is None


def test_a_question_that_is_known_no_more_is_over(desk: Desk) -> None:
    visitor, _ = desk.let_in()
    form = form_of(visitor.get("/").text)
    desk.journal.asked = lambda key: None  # type: ignore[method-assign]
    for reply in (visitor.get("/"), visitor.post("/answer", data={**form, "answer": "yes"})):
        assert (reply.status_code, "This question is over" in reply.text) == (200, True)


def test_after_a_yes_it_says_until_when_the_same_call_goes_on(desk: Desk) -> None:
    """A yes that was given late counts no longer than the question would have."""
    desk.now += timedelta(minutes=9)
    row = desk.journal.asked(KEY)
    assert row
    visitor, _ = desk.let_in()
    assert f"until {row.expires_at.astimezone():%H:%M}" in desk.say(visitor, "yes").text


@pytest.mark.parametrize("path", ["/", "/open", "/answer", "/other"])
@pytest.mark.parametrize("method", ["TRACE", "PROPFIND", "GET", "HEAD", "PUT"])
def test_no_method_is_answered_in_words_but_ours(desk: Desk, method: str, path: str) -> None:
    visitor, _ = desk.let_in()
    reply = visitor.request(method, path)
    assert "frame-ancestors 'none'" in reply.headers["content-security-policy"]
    assert reply.headers["cache-control"] == "no-store"
    assert reply.status_code in (403, 404, 405) or (path == "/" and method in ("GET", "HEAD"))


def test_every_reply_forbids_frames_scripts_and_keeping(desk: Desk) -> None:
    visitor, token = desk.let_in()
    replies = [
        visitor.get("/"),
        visitor.get("/nowhere"),
        visitor.post("/open", data={"code": "x"}),
        visitor.post("/answer", data={"token": "x"}),
        visitor.get("/", headers={"Host": "evil.example"}),
        visitor.put("/"),
        visitor.post("/answer", data={"token": token, "answer": "yes"}),
    ]
    nonces = set()
    for reply in replies:
        policy = reply.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "script" not in policy
        nonces.add(policy)
        assert reply.headers["x-frame-options"] == "DENY"
        assert reply.headers["cache-control"] == "no-store"
        assert reply.headers["referrer-policy"] == "same-origin"
        assert reply.headers["x-content-type-options"] == "nosniff"
        assert "<script" not in reply.text
    assert len(nonces) == len(replies)


def test_the_cookie_is_strict_out_of_reach_and_named_by_its_port(desk: Desk) -> None:
    code = desk.code()
    reply = desk.visitor().post("/open", data={"code": code}, headers={"Origin": "null"})
    cookie = reply.headers["set-cookie"]
    assert cookie.startswith(f"topcalls_{desk.page.address.rpartition(':')[2]}=")
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert "Domain" not in cookie


def test_the_same_question_opens_no_second_window_at_once(desk: Desk) -> None:
    assert desk.page.open(KEY)
    assert desk.page.open(KEY)
    assert len(desk.files) == 1
    desk.now += timedelta(seconds=61)
    assert desk.page.open(KEY)
    assert len(desk.files) == 2


def test_where_no_browser_starts_nothing_is_left(desk: Desk) -> None:
    desk.shows = False
    assert not desk.page.open(KEY)
    assert not desk.files[0].exists()


@pytest.mark.parametrize(
    ("setting", "display", "there"),
    [
        ("none", True, False),
        ("", True, False),
        ("lynx", True, False),
        ("/usr/bin/w3m -o x", True, False),
        ("firefox --new-window", False, True),
        (None, False, False),
    ],
)
def test_only_a_browser_with_windows_counts(setting: str | None, display: bool, there: bool) -> None:
    assert (graphical(setting, display) is not None) == there


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the system has a command of its own")
@pytest.mark.parametrize(
    ("there", "taken"),
    [((), False), (("lynx", "w3m", "links", "elinks", "www-browser"), False), (("w3m", "firefox"), True)],
)
def test_of_the_systems_browsers_only_those_with_windows_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, there: tuple[str, ...], taken: bool
) -> None:
    for name in there:
        (tmp_path / name).touch(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert (graphical(None, True) is not None) == taken


def test_a_browser_says_nothing_on_our_standard_output() -> None:
    """It is an assistant's protocol."""
    program = (
        "import contextlib, os, pathlib\n"
        "from topcalls_tools.approval.browser import graphical\n"
        "assert graphical('sh -c \"echo gotcha; echo gotcha >&2\"', True)(pathlib.Path('/x'))\n"
        "with contextlib.suppress(ChildProcessError):  # it may be over, and forgotten, already\n"
        "    os.wait()\n"
    )
    heard = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert (heard.stdout, heard.stderr) == ("", "")


def test_a_browser_that_is_no_command_line_is_said_in_a_sentence() -> None:
    with pytest.raises(Misconfigured, match="browser is no command line"):
        graphical("firefox '", True)


def test_a_browser_that_cannot_be_started_is_none(tmp_path: Path) -> None:
    browser = graphical("/no/such/browser", True)
    assert browser
    assert not browser(tmp_path / "x.html")
