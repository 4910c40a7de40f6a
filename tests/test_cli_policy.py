"""`topcalls policy`: what counts and why, and a person's yes to what has changed, at a terminal and on the page."""

from __future__ import annotations

import json
import shlex
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from topcalls_tools import Client, PlaceCall
from topcalls_tools.connect import Line
from topcalls_tools.deeds import CheckCall
from topcalls_tools.errors import Refused
from topcalls_tools.guard import AskPerson, Facts, Verdict
from topcalls_tools.guard.policy import Policy, policy
from topcalls_tools.guard.rules import RULES, rule
from topcalls_tools.journal import AskRow, Inquiry, Yes, archive
from topcalls_tools.journal.store import Journal
from topcalls_tools.policies import ACCEPTED, accept
from topcalls_tools.settings import Settings

from .conftest import CALL, World, owner
from .snapshots import ROOT, documents
from .test_cli import Terminal, keyed, run

__all__ = ["keyed"]
commands: Any = sys.modules["topcalls_tools.cli.policy"]
BROWSER = """
import pathlib, re, sys, urllib.parse, urllib.request
answer, before, uri = sys.argv[1:]
text = urllib.request.urlopen(uri).read().decode()
(address,), (code,) = re.findall('action="([^"]+)/open"', text), re.findall('value="([^"]+)"', text)

def post(path, form, cookie="", origin="null"):
    sent = urllib.parse.urlencode(form).encode()
    return urllib.request.urlopen(urllib.request.Request(address + path, sent, {"Origin": origin, "Cookie": cookie}))

cookie = post("/open", {"code": code}).headers["Set-Cookie"].partition(";")[0]
page = urllib.request.urlopen(urllib.request.Request(address + "/", headers={"Cookie": cookie})).read().decode()
home = pathlib.Path(__file__).parent
(home / "page.html").write_text(page)
if before:
    with (home / "policy.toml").open("a") as file:
        file.write(before + "\\n")
if answer:
    form = dict(re.findall('type="hidden" name="(.+?)" value="([^"]+)"', page))
    post("/answer", {**form, "answer": answer}, cookie, address)
"""
"""A browser whose person reads, perhaps edits the policy meanwhile, and answers, or does not."""
LOOSER = 'minutes_per_day = 600\nwebhook_hosts = ["b.example", "c.example"]\nminutes_per_call = 20\n'
BEFORE = 'minutes_per_day = 60\nwebhook_hosts = ["a.example", "b.example"]\nminutes_per_call = 30\n'


@pytest.fixture
def home_with(keyed: World, home: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Make a home whose policy allows more than what was accepted, with a browser that answers so."""
    monkeypatch.setenv("TOPCALLS_REHEARSE", "1")

    def make(answer: str | None = None, edit: str = "") -> Path:
        home.mkdir(exist_ok=True)
        (home / "browser.py").write_text(BROWSER)
        words = [sys.executable, str(home / "browser.py"), answer or "", edit]
        browser = "none" if answer is None else shlex.join(words)
        owner(home, f"{LOOSER}browser = {json.dumps(browser)}\n", accepted=BEFORE)
        return home

    return make


@pytest.fixture
def line() -> Iterator[Line]:
    """The owner's line, as the environment of the test says it."""
    line = Line(Settings.load())
    yield line
    line.close()


def counts(name: str) -> Any:
    """What counts of a line now."""
    return getattr(Line(Settings.load()).standing().counts, name)


def questions() -> list[AskRow]:
    """Every question about a policy, newest first."""
    line = Line(Settings.load())
    found = [row for row, _ in archive.listed(line.desk().journal(), 9) if row.tool == "accept_policy"]
    line.close()
    return found


def test_every_line_is_told_with_its_value_and_where_that_comes_from(home_with: Any) -> None:
    home_with()
    printed = run("policy")
    assert printed.exit_code == 0, printed.output
    told = tomllib.loads(printed.output)
    missing = {name for name in Policy.model_fields if f"# {name} = not set  # default" in printed.output}
    assert told.keys() | missing == Policy.model_fields.keys()
    assert missing == {"numbers", "webhook_url", "price_per_minute"}
    assert (told["minutes_per_day"], told["webhook_hosts"], told["minutes_per_call"]) == (
        60,
        ["b.example"],
        20,
    )
    for words in (
        "minutes_per_day = 60  # what was accepted",
        'webhook_hosts = ["b.example"]  # policy.toml, within what was accepted',
        "minutes_per_call = 20  # policy.toml",
        "consent = false  # pack personal",
        "# waits: minutes_per_day = 600 counts once you accept it (topcalls policy accept)",
        "# not pinned: minutes_per_call = 20 can be taken back in policy.toml without a yes until you accept it "
        "(topcalls policy accept)",
    ):
        assert f"{words}\n" in printed.output
    assert printed.output.count("# waits: ") == 2
    assert printed.output.count("# not pinned: ") == 1


def test_as_json_each_line_says_what_it_means_too(home_with: Any) -> None:
    home_with()
    told = json.loads(run("policy", "--json").output)
    assert (told["account"], told["live"], told["rehearsal"]) == ("sandbox", False, True)
    assert told["waiting"] == ["minutes_per_day", "webhook_hosts"]
    assert told["not_pinned"] == ["minutes_per_call"]
    lines = {one["name"]: one for one in told["lines"]}
    assert lines["minutes_per_day"] == {
        "name": "minutes_per_day",
        "value": 60,
        "from": "what was accepted",
        "means": "Minutes that may be used in 24 hours.",
        "waits": 600,
    }
    assert "waits" not in lines["minutes_per_call"]
    assert all(one["means"] for one in told["lines"])


def test_at_a_terminal_it_is_a_table(home_with: Any) -> None:
    home_with()
    terminal = Terminal("policy")
    assert terminal.end() == 0
    assert "waits: minutes_per_day = 600 counts once you accept it" in terminal.screen
    assert "pack personal" in terminal.screen
    assert " = 60 " not in terminal.screen


def test_what_steers_a_terminal_is_shown_as_escapes(home: Path) -> None:
    owner(home, 'caller = "Ann\\u001b[2J\\u202e"\n')
    printed = run("policy").output
    assert "\x1b" not in printed
    assert "\u202e" not in printed
    assert "Ann\\u001b[2J\\u{202e}" in printed


@pytest.mark.parametrize("arguments", [["policy"], ["policy", "--json"], ["policy", "accept"]])
def test_a_policy_that_cannot_be_read_is_a_sentence(home: Path, arguments: list[str]) -> None:
    home.mkdir()
    (home / "policy.toml").write_text("minutes_per_day = many\n")
    printed = run(*arguments)
    assert printed.exit_code == 6
    assert "policy.toml" in printed.output
    assert run("policy", "--rules").exit_code == 0


def test_every_rule_is_told_with_its_source() -> None:
    printed = run("policy", "--rules").output
    rows = json.loads(run("policy", "--rules", "--json").output)["data"]
    assert [row["rule"] for row in rows] == list(RULES)
    for one in RULES.values():
        assert f"{one.name}: {one.guards} (" in printed
        assert one.source in printed
    assert [row["rule"] for row in rows if row["in_practice"] == "refuses too"] == [
        one.name for one in RULES.values() if one.always
    ]


@pytest.fixture
def added() -> Iterator[str]:
    """A rule that was added in the ten-minute way."""

    @rule(of=PlaceCall, source="house", checked="2026-11-25")
    def long_call(action: PlaceCall, facts: Facts, policy: Policy) -> Verdict:
        """A call that may last over nine minutes says so in its question."""
        return AskPerson(f"This call may last {action.max_duration:g} minutes.")

    yield "long-call"
    del RULES["long-call"]


def test_a_rule_that_is_added_shows_everywhere_by_itself(added: str, rehearsal: Line) -> None:
    asked: list[str] = []
    approve = lambda ask: asked.append(ask.question.text())  # noqa: E731
    with Client(line=rehearsal, approve=approve) as client:
        with pytest.raises(Exception, match="Nobody answered"):
            client.send(PlaceCall(**CALL))
        checked = client.send(CheckCall(**CALL))
    assert f"This call may last 10 minutes. [rule: {added}]" in asked[0]
    assert added in {one.rule for one in checked.opinions}
    assert f"{added}: A call that may last over nine minutes" in run("policy", "--rules").output
    assert f"| `{added}` | A call that may last" in documents()[ROOT / "docs/rules.md"]


def test_practice_needs_no_acceptance(keyed: World, home: Path) -> None:
    owner(home, LOOSER, accepted=BEFORE)
    printed = run("policy", "accept")
    assert (printed.exit_code, "Nothing needs accepting in practice" in printed.output) == (0, True)
    assert counts("minutes_per_day") == 600
    assert questions() == []


TIGHTER = BEFORE.replace("= 60", "= 5")


def test_what_allows_less_can_be_kept_at_a_terminal(home_with: Any, home: Path) -> None:
    home_with()
    owner(home, TIGHTER, accepted=BEFORE)
    assert "# not pinned: minutes_per_day = 5 can be taken back" in run("policy").output
    terminal = Terminal("policy", "accept")
    terminal.until("n is no")
    for words in (
        "Accept a policy that allows less? Practice: no phone rings.",
        "Less is allowed by: minutes_per_day. It counts already; accepted, only your yes undoes it.",
        "minutes_per_day allows less: Minutes that may be used in 24 hours.",
        "│ 60 → 5",
    ):
        assert words in terminal.screen, terminal.screen
    assert "More is allowed" not in terminal.screen
    terminal.type("accept\n")
    assert terminal.end() == 0, terminal.screen
    assert "Accepted; these lines count until you accept others: minutes_per_day." in terminal.screen
    assert "pinned" not in run("policy").output
    (home / "policy.toml").write_text((home / "policy.toml").read_text().replace("= 5\n", "= 60\n"))
    assert counts("minutes_per_day") == 5
    assert "# waits: minutes_per_day = 60 counts once you accept it" in run("policy").output


@pytest.mark.parametrize(("answer", "code", "after"), [("yes", 0, 5), ("no", 3, 60)])
def test_what_allows_less_can_be_kept_on_the_page(
    home_with: Any, home: Path, answer: str, code: int, after: int
) -> None:
    home_with(answer)
    browser = tomllib.loads((home / "policy.toml").read_text())["browser"]
    owner(home, f"{TIGHTER}browser = {json.dumps(browser)}\n", accepted=BEFORE)
    printed = run("policy", "accept")
    assert printed.exit_code == code, printed.output
    page = (home / "page.html").read_text()
    assert "Accept a policy that allows less?" in page
    assert "minutes_per_day allows less" in page
    (home / "policy.toml").write_text((home / "policy.toml").read_text().replace("= 5\n", "= 60\n"))
    assert counts("minutes_per_day") == after


def test_a_yes_where_the_acceptances_cannot_be_read_is_a_sentence(home_with: Any) -> None:
    home = home_with("yes")
    (home / ACCEPTED).write_text('{"live other": ')
    printed = run("policy", "accept")
    assert (printed.exit_code, "policy.accepted cannot be read" in printed.output) == (6, True), (
        printed.output
    )
    assert (home / ACCEPTED).read_text() == '{"live other": '


def test_where_nothing_differs_it_says_so(home_with: Any, home: Path) -> None:
    home_with()
    owner(home, f'{BEFORE}caller = "Bob"\n', accepted=BEFORE)
    before = (home / ACCEPTED).read_bytes()
    printed = run("policy", "accept")
    assert (printed.exit_code, "Nothing waits" in printed.output) == (0, True)
    assert (home / ACCEPTED).read_bytes() == before
    assert questions() == []


def test_a_person_accepts_at_a_terminal(home_with: Any, keyed: World) -> None:
    home_with()
    call = PlaceCall(**CALL, max_duration=20)
    terminal = Terminal("policy", "accept")
    terminal.until("n is no")
    for words in (
        "Accept a policy that allows more? Practice: no phone rings.",
        "More is allowed by: minutes_per_day, webhook_hosts.",
        "webhook_hosts allows others: Hosts to which Python",
        '│ ["a.example", "b.example"] → ["b.example", "c.example"]',
        "minutes_per_day allows more: Minutes that may be used in 24 hours.",
        "│ 60 → 600",
        "minutes_per_call allows less",
        "Less is allowed by: minutes_per_call. It counts already",
    ):
        assert words in terminal.screen, terminal.screen
    assert "consent" not in terminal.screen
    assert counts("minutes_per_day") == 60
    terminal.type("accept\n")
    assert terminal.end() == 0, terminal.screen
    assert (
        "Accepted; these lines count until you accept others: minutes_per_day, webhook_hosts, minutes_per_call."
        in terminal.screen
    )
    assert (counts("minutes_per_day"), run("policy").output.count("waits: ")) == (600, 0)
    (row,) = questions()
    assert (row.decision, row.by, row.used_at is not None) == ("yes", "terminal", True)
    assert row.reply == {"accepted": Line(Settings.load()).standing().wanted.version}
    assert run("journal", "verify").exit_code == 0
    with Client(line=Line(Settings.load()), approve=lambda ask: True) as client:
        assert client.send(call).call_id
    assert len(keyed.rings()) == 1


@pytest.mark.parametrize(
    ("keys", "decision"),
    [("n\n", "no"), ("yes\n", None), ("y\nACCEPT\n", None), ("\x04", None), ("accep\x04\x04", None)],
)
def test_nothing_else_that_is_typed_accepts(
    home_with: Any, home: Path, keys: str, decision: str | None
) -> None:
    before = (home_with() / ACCEPTED).read_bytes()
    terminal = Terminal("policy", "accept")
    for typed in keys.splitlines(keepends=True):
        terminal.until("n is no")
        terminal.screen = ""
        terminal.type(typed)
    if keys == "yes\n":
        terminal.until("n is no")
        terminal.type("\x04")
    assert terminal.end() == 3, terminal.screen
    assert (home / ACCEPTED).read_bytes() == before
    (row,) = questions()
    assert (row.decision, row.used_at is not None) == (decision, decision == "no")


def test_a_no_is_final(home_with: Any, line: Line) -> None:
    home_with("no")
    first = run("policy", "accept")
    assert (first.exit_code, "The answer was no" in first.output) == (3, True)
    home_with("yes")
    second = run("policy", "accept")
    assert (second.exit_code, "The answer was no" in second.output) == (3, True), "asked once"
    assert counts("minutes_per_day") == 60
    assert len(questions()) == 1


@pytest.mark.parametrize(("answer", "code", "minutes"), [("yes", 0, 600), ("no", 3, 60)])
def test_without_a_terminal_the_page_asks(home_with: Any, answer: str, code: int, minutes: int) -> None:
    home = home_with(answer)
    printed = run("policy", "accept")
    assert printed.exit_code == code, printed.output
    assert counts("minutes_per_day") == minutes
    (row,) = questions()
    assert (row.decision, row.by) == (answer, "page")
    page = (home / "page.html").read_text()
    assert "Accept a policy that allows more?" in page
    assert "60 → 600" in page
    assert "minutes_per_day allows more" in page
    assert run("journal", "verify").exit_code == 0


def test_without_a_terminal_and_a_browser_it_says_how(home_with: Any, line: Line) -> None:
    home_with()
    printed = run("policy", "accept")
    assert (printed.exit_code, "in a terminal, or where a browser can be opened" in printed.output) == (
        3,
        True,
    )
    assert counts("minutes_per_day") == 60
    assert line.desk().journal().open_asks(line.clock()) == []


@pytest.mark.parametrize(
    "edit", ["calls_per_day = 20000", "calls_per_day = 3", 'language = "de"', "minutes_per_day = x"]
)
def test_a_policy_that_changes_while_a_person_reads_is_not_accepted(
    home_with: Any, home: Path, edit: str
) -> None:
    home_with("yes", edit)
    (home / "policy.toml").write_text(
        "".join(
            row
            for row in (home / "policy.toml").read_text().splitlines(keepends=True)
            if not row.startswith("calls_per_day")
        )
    )
    before = (home / ACCEPTED).read_bytes()
    printed = run("policy", "accept")
    assert printed.exit_code == (6 if edit.endswith("x") else 3), printed.output
    assert (home / ACCEPTED).read_bytes() == before
    if not edit.endswith("x"):
        assert "has changed while it was read" in printed.output
        assert counts("minutes_per_day") == 60


def test_another_acceptance_meanwhile_ends_the_question(
    home_with: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What stood on the left is no longer what was accepted last."""
    home = home_with("yes")
    asked = commands._answered

    def slowly(line: Line, *more: Any) -> AskRow:
        settings = Settings.load(home=home)
        accept(
            settings, "sandbox", False, policy({"minutes_per_day": 90}, "personal"), settings.secret_bytes()
        )
        return asked(line, *more)

    monkeypatch.setattr(commands, "_answered", slowly)
    assert run("policy", "accept").exit_code == 3
    assert counts("minutes_per_day") == 90


def test_an_answer_that_came_after_the_command_had_ended_counts_at_the_next(
    home_with: Any, line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    home_with("")
    monkeypatch.setattr(commands, "WAITS", 0.0)
    first = run("policy", "accept")
    assert (first.exit_code, "Nobody has answered so far" in first.output) == (3, True)
    (row,) = questions()
    line.desk().journal().decide(row.key, "yes", "page", line.clock())
    home_with()
    assert run("policy", "accept").exit_code == 0, "the browser is gone, and the yes is there"
    assert counts("minutes_per_day") == 600


def test_a_yes_is_used_once(home_with: Any, home: Path) -> None:
    home_with("yes")
    assert run("policy", "accept").exit_code == 0
    home_with("no")  # what was accepted before is so again
    assert counts("minutes_per_day") == 60
    assert run("policy", "accept").exit_code == 3
    assert [row.decision for row in questions()] == ["no", "yes"]
    assert counts("minutes_per_day") == 60


def test_of_two_windows_with_one_yes_one_accepts(
    home_with: Any, line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    home_with("yes")
    asked = commands._answered

    def second(own: Line, journal: Journal, row: AskRow) -> AskRow:
        row = asked(own, journal, row)
        now = own.clock()
        journal.use(Yes(row, "page", now), now, lambda ledger, at: None, Inquiry("sandbox", now))
        return row

    monkeypatch.setattr(commands, "_answered", second)
    printed = run("policy", "accept")
    assert (printed.exit_code, "This yes was used already" in printed.output) == (3, True)
    assert counts("minutes_per_day") == 60


def test_a_question_that_was_closed_accepts_nothing(
    home_with: Any, line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    home_with("")
    shown = Line.screen

    def closed(self: Line, key: str) -> bool:
        opened = shown(self, key)
        self.desk().journal().close_ask(key, self.clock())
        return opened

    monkeypatch.setattr(Line, "screen", closed)
    printed = run("policy", "accept")
    assert (printed.exit_code, "The question was closed" in printed.output) == (3, True)
    assert counts("minutes_per_day") == 60


def test_no_yes_to_something_else_accepts_a_policy(home_with: Any, line: Line) -> None:
    """Another account's, or another change's: what is agreed to stands in the question's digest."""
    home_with("")
    other = commands._asked(line, line.desk().journal(), line.standing())
    line.desk().journal().decide(other.key, "yes", "page", line.clock())
    assert run("policy", "accept", TOPCALLS_ACCOUNT="office", TOPCALLS_BROWSER="none").exit_code == 3
    (home_file := Settings.load().home / "policy.toml").write_text(
        home_file.read_text().replace("minutes_per_day = 600", "minutes_per_day = 601")
    )
    assert run("policy", "accept", TOPCALLS_BROWSER="none").exit_code == 3
    assert counts("minutes_per_day") == 60


def test_no_tool_accepts_a_policy(home_with: Any, line: Line) -> None:
    """A question about the policy is no deed: nothing that an assistant can call redeems it."""
    from topcalls_tools.tools import TOOLS

    assert not [tool.tool for tool in TOOLS if "policy" in tool.tool or "accept" in tool.tool]
    home_with("")
    row = commands._asked(line, line.desk().journal(), line.standing())
    line.desk().journal().decide(row.key, "yes", "page", line.clock())
    with (
        Client(line=line, approve=lambda ask: True) as client,
        pytest.raises(Refused, match="the owner allows 20"),
    ):
        client.send(PlaceCall(**CALL, max_duration=30))
    assert counts("minutes_per_day") == 60
