"""The owner's own commands: open questions answered at a real terminal, the journal looked after, everything
stopped."""

from __future__ import annotations

import json
import os
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from topcalls_tools import Client, StartCampaign
from topcalls_tools.cli import EXIT_CODES
from topcalls_tools.connect import Line, utc_now
from topcalls_tools.errors import Declined, Refused, Unanswered, Unreachable
from topcalls_tools.flow.steps import ASK_LIVES, Sleep
from topcalls_tools.journal import AskRow
from topcalls_tools.journal.store import Journal
from topcalls_tools.settings import Settings

from .conftest import CALL, NUMBER, World
from .test_cli import Terminal, keyed, run
from .test_flow import PLACE, yes
from .test_yes import waits

__all__ = ["keyed"]
ROOT = Path(__file__).parent.parent
DIGITS = NUMBER[-4:]


@pytest.fixture
def owner(keyed: World, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Line]:
    """The sandbox under everything that a live key would meet; commands of the test speak to it too."""
    monkeypatch.setenv("TOPCALLS_REHEARSE", "1")
    line = Line(Settings.load())
    yield line
    line.close()


def waiting(line: Line, request: Any = PLACE) -> AskRow:
    """A question that is open."""
    with pytest.raises(Unanswered):
        Client(line=line, approve=waits).send(request)
    return line.desk().journal().open_asks(line.clock())[-1]


def stands(line: Line, row: AskRow) -> AskRow:
    found = line.desk().journal().asked(row.key)
    assert found
    return found


def row_of(owner: Line, /, **given: Any) -> AskRow:
    """A question as an assistant writes it down, with what a test wants to say of it."""
    now = owner.clock()
    question = {
        "title": "Call? Real phones ring and call minutes are used.",
        "lines": [],
        "quoted": [],
        "closing": [],
        "live": True,
    }
    plain = AskRow(
        "a" * 32, "office", "l1", "place_call", "d1", NUMBER, 5, now, now + ASK_LIVES, question=question
    )
    return owner.desk().journal().open_ask(replace(plain, **given))


def test_where_nothing_waits_it_says_so_and_needs_no_key(home: Path) -> None:
    for arguments in (["approvals"], ["approvals", "--json"]):
        done = run(*arguments)
        assert done.exit_code == 0, done.stderr
        assert done.output == ("Nothing waits for you.\n" if len(arguments) == 1 else '{\n  "data": []\n}\n')


def test_the_questions_of_every_account_are_listed(owner: Line) -> None:
    ours = waiting(owner)
    row_of(owner, key="b" * 32, asked_at=owner.clock() - timedelta(minutes=3), target="\x1b\u202eb")
    listed = run("approvals").output
    assert [line.split()[0] for line in listed.splitlines()[1:]] == ["bbbbbbbb", ours.key[:8]]
    assert "practice" in listed
    assert "live" in listed
    assert "3 min" in listed
    assert "\\u{1b}" in listed
    assert "\x1b" not in listed
    assert "\u202e" not in listed
    told = json.loads(run("approvals", "--json").output)["data"]
    assert [(one["account"], one["live"]) for one in told] == [("office", True), ("sandbox", False)]
    assert told[1]["question"] == ours.question
    assert told[1]["key"] == ours.key


@pytest.mark.parametrize("given", [f"{DIGITS}\n", "y\n", ""])
def test_no_pipe_answers_a_question(owner: Line, given: str) -> None:
    row = waiting(owner)
    done = subprocess.run(
        [sys.executable, "-m", "topcalls_tools.cli", "approvals", "answer", row.key],
        input=given, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 3
    assert "at a terminal alone" in done.stderr
    assert stands(owner, row).decision is None


@pytest.mark.parametrize("option", ["--yes", "-y", "--force", "--confirm", "--digits=0123"])
def test_no_option_answers_a_question_or_forgets(owner: Line, option: str) -> None:
    row = waiting(owner)
    assert run("approvals", "answer", option, row.key).exit_code == 2
    assert run("journal", "forget", option, NUMBER).exit_code == 2
    assert stands(owner, row).decision is None
    assert stands(owner, row).target == NUMBER


def test_a_yes_at_the_terminal_is_written_down_and_the_same_call_again_goes_on(
    keyed: World, owner: Line
) -> None:
    row = waiting(owner)
    terminal = Terminal("approvals", "answer")
    terminal.until("n is no.")
    assert f"│ {NUMBER}" in terminal.screen
    assert CALL["task"] in terminal.screen
    terminal.type(f"{DIGITS}\n")
    assert terminal.end() == 0, terminal.screen
    assert "nothing is dialled by this command" in terminal.screen
    answered = stands(owner, row)
    assert (answered.decision, answered.by) == ("yes", "terminal")
    assert keyed.rings() == []
    Client(line=owner).send(PLACE)
    assert len(keyed.rings()) == 1


@pytest.mark.parametrize("keys", ["n\n", "No\n"])
def test_a_no_at_the_terminal_is_final(keyed: World, owner: Line, keys: str) -> None:
    row = waiting(owner)
    terminal = Terminal("approvals", "answer", row.key[:4])
    terminal.until("n is no.")
    terminal.type(keys)
    assert terminal.end() == 0, terminal.screen
    assert (stands(owner, row).decision, stands(owner, row).by) == ("no", "terminal")
    with pytest.raises(Declined, match="said no"):
        Client(line=owner, approve=yes).send(PLACE)
    assert keyed.rings() == []


@pytest.mark.parametrize("keys", ["\x04", "y\ny\n", "\n\n", "+14155550123\n0124\n", f"{DIGITS}\x04\x04"])
def test_what_is_not_typed_as_it_must_be_is_no_answer(owner: Line, keys: str) -> None:
    row = waiting(owner)
    terminal = Terminal("approvals", "answer")
    terminal.until("n is no.")
    terminal.type(keys)
    assert terminal.end() == 3, terminal.screen
    assert stands(owner, row).decision is None


def test_who_mistypes_is_asked_once_more(owner: Line) -> None:
    row = waiting(owner)
    terminal = Terminal("approvals", "answer")
    terminal.until("n is no.")
    terminal.type("y\n")
    terminal.until("no answer.")
    terminal.type(f"{DIGITS}\n")
    assert terminal.end() == 0, terminal.screen
    assert stands(owner, row).decision == "yes"


def test_what_was_typed_before_there_was_a_question_does_not_count(owner: Line) -> None:
    row = waiting(owner)
    terminal = Terminal("approvals", "answer")
    terminal.type(f"{DIGITS}\n{DIGITS}\n")
    terminal.until("n is no.")
    terminal.type("\x04")
    assert terminal.end() == 3, terminal.screen
    assert stands(owner, row).decision is None


def test_what_is_no_number_is_named_exactly(keyed: World, owner: Line) -> None:
    campaign = next(one for one in keyed.get("/v1/campaigns?status=draft")["data"])
    for typed, code in ((campaign["name"][:-1] + "\nx\n", 3), (campaign["name"] + "\n", 0)):
        row = waiting(owner, StartCampaign(campaign_id=campaign["id"]))
        terminal = Terminal("approvals", "answer", row.key)
        terminal.until("n is no.")
        terminal.type(typed)
        assert terminal.end() == code, terminal.screen
        assert stands(owner, row).decision == ("yes" if code == 0 else None)


@pytest.mark.parametrize("target", ["", "  ", "\x1b\u202e"])
def test_a_name_that_is_nothing_is_not_agreed_to_by_typing_nothing(owner: Line, target: str) -> None:
    row = row_of(owner, target=target)
    terminal = Terminal("approvals", "answer")
    if target:
        terminal.until("n is no.")
        terminal.type("\n\n")
    assert terminal.end() == 3, terminal.screen
    assert stands(owner, row).decision is None


def test_of_several_questions_one_is_named_by_the_beginning_of_its_key(owner: Line) -> None:
    for letter in "bc":
        row_of(owner, key=letter * 32, digest=letter)
    terminal = Terminal("approvals", "answer")
    assert terminal.end() == 2
    assert "2 questions are meant" in terminal.screen
    terminal = Terminal("approvals", "answer", "c")
    terminal.until("n is no.")
    terminal.type("n\n")
    assert terminal.end() == 0
    assert [row.key[0] for row in owner.desk().journal().open_asks(owner.clock())] == ["b"]


def test_a_key_that_nothing_has_and_nothing_open_are_said(owner: Line) -> None:
    terminal = Terminal("approvals", "answer", "abcdef")
    assert (terminal.end(), "no question by that name" in terminal.screen) == (3, True), terminal.screen
    terminal = Terminal("approvals", "answer")
    assert (terminal.end(), "Nothing waits for you." in terminal.screen) == (0, True), terminal.screen


@pytest.mark.parametrize(
    ("meanwhile", "words"),
    [
        (lambda journal, key: journal.decide(key, "no", "page", utc_now()), "answered already: no, by page"),
        (lambda journal, key: journal.close_ask(key, utc_now()), "has run out"),
    ],
    ids=["answered", "run out"],
)
def test_a_question_that_ends_meanwhile_stays_as_it_is(
    owner: Line, meanwhile: Callable[[Journal, str], Any], words: str
) -> None:
    row = waiting(owner)
    terminal = Terminal("approvals", "answer")
    terminal.until("n is no.")
    meanwhile(owner.desk().journal(), row.key)
    before = stands(owner, row)
    terminal.type(f"{DIGITS}\n")
    assert terminal.end() == 3, terminal.screen
    assert words in " ".join(terminal.screen.split())
    assert stands(owner, row) == before
    terminal = Terminal("approvals", "answer", row.key)  # and who names it later is told the same
    assert terminal.end() == 3
    assert words in " ".join(terminal.screen.split())


def test_a_question_that_grows_meanwhile_is_asked_once_more(owner: Line) -> None:
    row = row_of(owner)
    terminal = Terminal("approvals", "answer")
    terminal.until("n is no.")
    row_of(owner, key="f" * 32, minutes=50, question={**(row.question or {}), "lines": ["Up to 50 minutes."]})
    terminal.type(f"{DIGITS}\n")
    terminal.until("has changed meanwhile")
    terminal.screen = terminal.screen.partition("has changed meanwhile")[2]
    terminal.until("Up to 50 minutes.")
    terminal.until("n is no.")  # what was typed before this prompt is dropped
    assert stands(owner, row).decision is None
    terminal.type(f"{DIGITS}\n")
    assert terminal.end() == 0, terminal.screen
    assert stands(owner, row).decision == "yes"


@pytest.fixture
def placed(owner: Line) -> str:
    """The key of a call that was placed."""
    Client(line=owner, approve=yes).send(PLACE)
    (row,) = owner.desk().journal().dials(owner.account)
    return row.key


def test_questions_and_calls_are_listed_and_shown(owner: Line, placed: str) -> None:
    open_row = row_of(owner)
    listed = run("journal", "list").output.splitlines()
    assert listed[1].split()[0] == open_row.key[:8]
    assert "open" in listed[1]
    assert all(word in listed[2] for word in (placed[:8], NUMBER, "yes", "placed", "10 held"))
    assert len(run("journal", "list", "--limit", "1").output.splitlines()) == 2
    told = json.loads(run("journal", "list", "--json").output)["data"]
    assert (told[1]["key"], told[1]["decision"], told[1]["by"], told[1]["state"]) == (
        placed,
        "yes",
        "callback",
        "placed",
    )
    by_call = run("journal", "show", told[1]["call_id"])
    assert by_call.output == run("journal", "show", placed[:6]).output
    for words in (
        f"│ {NUMBER}",
        "Answer: yes, by callback",
        "and it is placed",
        "10 reserved, not settled yet",
    ):
        assert words in by_call.output
    shown = json.loads(run("journal", "show", placed, "--json").output)
    assert [link["kind"] for link in shown["evidence"]] == ["question", "answer", "request", "outcome"]
    assert shown["dial"]["call_id"] == told[1]["call_id"]


def test_what_was_quoted_has_its_bars_on_a_narrow_terminal(owner: Line) -> None:
    row = waiting(owner, PLACE.model_copy(update={"task": "Ask them one thing after the other. " * 9}))
    screen = Terminal("journal", "show", row.key, columns=50)
    assert screen.end() == 0
    quoted = [line for line in screen.screen.splitlines() if "│" in line]
    assert len(quoted) > 8
    assert max(map(len, quoted)) <= 50


def test_words_of_others_steer_no_terminal(owner: Line) -> None:
    evil = "x\x1b]0;title\x07\u202e"
    question = {
        "title": "Call?",
        "lines": [],
        "quoted": [{"label": "task", "value": evil}],
        "closing": [],
        "live": True,
    }
    row = row_of(owner, target=evil, question=question)
    for arguments in (["journal", "list"], ["journal", "show", row.key], ["approvals"]):
        shown = run(*arguments).output
        assert not {"\x1b", "\x07", "\u202e"} & set(shown), arguments
        assert "\\u{1b}" in shown


def test_one_call_is_exported_for_its_owner_alone(owner: Line, placed: str, tmp_path: Path) -> None:
    path = tmp_path / "call.json"
    done = run("journal", "export", placed, "-o", str(path))
    assert done.exit_code == 0, done.stderr
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert json.loads(path.read_text()) == json.loads(run("journal", "export", placed).output)
    again = run("journal", "export", placed, "-o", str(path))
    assert (again.exit_code, "not there yet" in again.stderr) == (6, True)
    assert run("journal", "export", "nothing").exit_code == 3


def test_evidence_that_holds_is_verified_against_what_was_kept(
    owner: Line, placed: str, home: Path, tmp_path: Path
) -> None:
    done = run("journal", "verify")
    assert done.exit_code == 0
    assert "against nothing" in done.stderr
    head = done.stdout.splitlines()[-1]
    assert run("journal", "verify", "--head", head).stderr == ""
    kept = tmp_path / "heads"
    kept.write_text(f"{head}\n\n")
    assert run("journal", "verify", "--head-file", str(kept)).exit_code == 0
    lost = f"{head[:-1]}{'0' if head[-1] != '0' else '1'}"
    refused = run("journal", "verify", "--head", lost)
    assert refused.exit_code == 7 in EXIT_CODES
    assert "that was kept elsewhere is not there" in refused.stdout
    kept.write_text(f"{lost}\n")
    assert run("journal", "verify", "--head-file", str(kept)).exit_code == 7
    assert run("journal", "verify", "--head", "12 abc").exit_code == 2
    kept.write_bytes(b"\xff\xfe")
    assert run("journal", "verify", "--head-file", str(kept)).exit_code == 6
    assert run("journal", "verify", "--head-file", str(tmp_path / "none")).exit_code == 6


def test_the_file_that_the_policy_names_is_checked_by_itself(owner: Line, home: Path) -> None:
    with (home / "policy.toml").open("a") as policy:
        policy.write('evidence_head = "heads"\n')
    waiting(owner)
    done = run("journal", "verify")
    assert (done.exit_code, done.stderr) == (0, "")
    with sqlite3.connect(home / "journal.db") as db:
        db.execute("DELETE FROM evidence")  # everything anew, as one who can write the file could
    assert run("journal", "verify").exit_code == 7
    (home / "heads").unlink()
    assert "against nothing" in run("journal", "verify").stderr


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("UPDATE evidence SET facts = '{}' WHERE seq = 2", "Entry 2 is not what was written."),
        ("DELETE FROM evidence WHERE seq = 2", "Between entry 1 and entry 3 something was taken out."),
        ("UPDATE personal SET content = replace(content, 'Labor', 'Labour')", "What is personal of entry 1"),
        ("UPDATE evidence SET facts = 'no JSON' WHERE seq = 2", "cannot even be read"),
        ("UPDATE evidence SET at = 'never' WHERE seq = 2", "cannot even be read"),
    ],
)
def test_evidence_that_was_changed_is_told_by_a_line_and_a_code_of_its_own(
    owner: Line, placed: str, home: Path, change: str, words: str
) -> None:
    with sqlite3.connect(home / "journal.db") as db:
        db.execute(change)
    done = run("journal", "verify")
    assert done.exit_code == 7, done.output
    assert words in done.stdout
    assert "holds" not in done.stdout


def test_a_row_that_cannot_be_read_is_a_sentence(owner: Line, placed: str, home: Path) -> None:
    with sqlite3.connect(home / "journal.db") as db:
        db.execute("UPDATE personal SET content = 'no JSON'")
    for arguments in (["journal", "list"], ["journal", "show", placed]):
        done = run(*arguments)
        assert (done.exit_code, "journal verify" in done.stderr) == (3, True), done.output


def test_a_journal_that_machines_share_is_looked_after_from_any_of_them(
    home: Path, monkeypatch: pytest.MonkeyPatch, database: str
) -> None:
    monkeypatch.setenv("TOPCALLS_JOURNAL", database)
    with closing(Line(Settings.load())) as line:
        row = row_of(line)
    monkeypatch.setenv("TOPCALLS_HOME", str(home.parent / "another machine"))
    for arguments in (["approvals"], ["journal", "list"], ["journal", "show", row.key]):
        done = run(*arguments)
        assert (done.exit_code, row.key[:8] in done.output) == (0, True), done.stderr
    assert run("journal", "verify").exit_code == 0
    assert run("journal", "purge").output == "0 questions forgotten.\n"
    away = run("approvals", TOPCALLS_JOURNAL="postgresql://canary@127.0.0.1:9/none")
    assert (away.exit_code, away.stderr.count("\n")) == (3, 1)


def earlier(minutes: float) -> Line:
    """The same owner, some minutes ago."""
    return Line(Settings.load(), clock=lambda: utc_now() - timedelta(minutes=minutes))


def sent_by(line: Line, transport: httpx.BaseTransport | None = None) -> None:
    client = Client(line=line, approve=yes, transport=transport)
    inner = client._step
    client._step = lambda step, ask: None if isinstance(step, Sleep) else inner(step, ask)  # type: ignore[method-assign]
    client.send(PLACE)


class Deaf(httpx.BaseTransport):
    """Carries a dial to the sandbox, or not, and loses the answer."""

    def __init__(self, arrives: bool) -> None:
        self._inner, self._arrives = httpx.HTTPTransport(), arrives

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            return self._inner.handle_request(request)
        if self._arrives:
            self._inner.handle_request(request).close()
        raise httpx.ReadTimeout("lost")


def test_ended_calls_are_settled(keyed: World, owner: Line) -> None:
    sent_by(earlier(2))
    keyed.advance(3600)
    done = run("journal", "settle")
    assert done.exit_code == 0, done.stderr
    assert done.output == "1 open: 0 found out about, 1 closed, 0 in doubt.\n"
    (row,) = owner.desk().journal().dials(owner.account)
    assert row.used_minutes is not None
    shown = run("journal", "show", row.key).output
    assert f"{row.used_minutes:g} used" in shown
    assert "Said that an AI speaks: in turn 1.\nSaid that the call is recorded: in turn 1.\n" in shown
    assert run("journal", "settle").output == "0 open: 0 found out about, 0 closed, 0 in doubt.\n"


def test_a_call_whose_answer_was_lost_is_found(keyed: World, owner: Line) -> None:
    sent_by(earlier(2), Deaf(arrives=True))  # it looks by itself
    with sqlite3.connect(owner.settings.home / "journal.db") as db:  # as if it had been killed before that
        db.execute("UPDATE dials SET state = 'sending', call_id = NULL, settled_at = NULL")
    done = run("journal", "settle")
    assert done.output == "1 open: 1 found out about, 0 closed, 0 in doubt.\n", done.stderr
    assert len(keyed.rings()) == 1
    (row,) = owner.desk().journal().dials(owner.account)
    assert row.state == "placed"


def test_nothing_rings_late_and_what_is_in_doubt_stays_so(keyed: World, owner: Line) -> None:
    with pytest.raises(Unreachable):
        sent_by(earlier(11), Deaf(arrives=False))
    done = run("journal", "settle")
    assert done.exit_code == 0
    (row,) = owner.desk().journal().dials(owner.account)
    assert row.state == "unknown"
    assert f"In doubt: {row.key[:8]}" in done.output
    assert keyed.rings() == []


def test_calls_of_another_key_are_left_to_it(keyed: World, owner: Line, placed: str) -> None:
    with sqlite3.connect(owner.settings.home / "journal.db") as db:
        db.execute("UPDATE dials SET line = 'other'")
    assert run("journal", "settle").output.splitlines()[1:] == [
        "Another key placed 1 call more; settle with that key."
    ]


def closed(line: Line) -> None:
    """Nothing more can come of any call."""
    journal = line.desk().journal()
    for row in journal.open_dials(line.account):
        journal.close_dial(row, 1, line.clock())


@pytest.mark.parametrize("written", ["+1 (415) 555-0123", NUMBER])
def test_a_number_is_forgotten_after_a_yes_at_the_terminal(
    keyed: World, owner: Line, placed: str, home: Path, written: str
) -> None:
    closed(owner)
    terminal = Terminal("journal", "forget", written, "--do-not-call")
    terminal.until("brings it back.")
    terminal.type("y\n")
    assert terminal.end() == 0, terminal.screen
    assert "1 question about it forgotten" in terminal.screen
    assert NUMBER.encode() not in (home / "journal.db").read_bytes()
    assert run("journal", "verify").exit_code == 0
    assert "What it asked is forgotten." in run("journal", "show", placed).output
    assert "its words forgotten" in run("journal", "show", placed).output
    with pytest.raises(Refused, match="do-not-call"):
        Client(line=owner, approve=yes).send(PLACE)


@pytest.mark.parametrize("keys", ["n\n", "\n", "\x04"])
def test_without_a_yes_nothing_is_forgotten(owner: Line, placed: str, keys: str) -> None:
    closed(owner)
    for arguments in (["forget", NUMBER], ["purge", "--days", "1"]):
        terminal = Terminal("journal", *arguments)
        terminal.until("brings it back.")
        terminal.type(keys)
        assert terminal.end() == 3, terminal.screen
        assert run("journal", *arguments).exit_code == 3  # no terminal
    assert f"│ {NUMBER}" in run("journal", "show", placed).output


def test_a_call_that_may_be_under_way_is_not_forgotten(owner: Line, placed: str) -> None:
    terminal = Terminal("journal", "forget", NUMBER)
    terminal.until("brings it back.")
    terminal.type("y\n")
    assert terminal.end() == 3, terminal.screen
    assert "journal settle" in terminal.screen
    assert run("journal", "forget", "911").exit_code == 2


def test_what_is_older_than_the_policy_keeps_goes_unasked(owner: Line, home: Path) -> None:
    old = earlier(minutes=91 * 24 * 60)
    for place in range(3):
        row_of(old, key=f"{place}" * 32, digest=str(place))
    kept = row_of(owner)
    assert run("journal", "purge", "--days", "92").output == "0 questions forgotten.\n"
    assert run("journal", "purge").output == "3 questions forgotten.\n"
    assert stands(owner, kept).target == NUMBER
    assert run("journal", "verify").exit_code == 0
    (home / "policy.toml").write_text("keep_days = [")
    assert run("journal", "purge").exit_code == 6


def test_a_shorter_time_is_asked_about(owner: Line) -> None:
    row_of(earlier(minutes=3 * 24 * 60))
    terminal = Terminal("journal", "purge", "--days", "2")
    terminal.until("older than 2 days")
    terminal.type("y\n")
    assert terminal.end() == 0, terminal.screen
    assert "1 question forgotten." in terminal.screen


READS = [["list"], ["show", "abcdef"], ["export", "abcdef"], ["verify"], ["purge"]]


@pytest.mark.parametrize("command", READS, ids=lambda command: command[0])
@pytest.mark.parametrize(
    ("breakage", "code"), [("missing", 6), ("corrupt", 3), ("directory", 3), ("newer", 6), ("no home", 6)]
)
def test_a_journal_that_cannot_be_used_is_a_sentence(
    home: Path, monkeypatch: pytest.MonkeyPatch, command: list[str], breakage: str, code: int
) -> None:
    home.mkdir()
    path = home / "journal.db"
    match breakage:
        case "corrupt":
            path.write_bytes(os.urandom(50_000))
        case "directory":
            path.mkdir()
        case "newer":
            Journal(path).close()
            with sqlite3.connect(path) as db:
                db.execute("UPDATE alembic_version SET version_num = '9999'")
        case "no home":
            monkeypatch.setenv("TOPCALLS_HOME", "/dev/null/nothing")
    done = run("journal", *command)
    assert done.exit_code == code, done.output
    assert done.stderr.startswith("Error: ")
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""
    assert path.exists() is (breakage not in ("missing", "no home"))


def test_stop_all_says_what_it_did(keyed: World, monkeypatch: pytest.MonkeyPatch) -> None:
    inner = Client._step
    monkeypatch.setattr(
        Client,
        "_step",
        lambda client, step, ask: None if isinstance(step, Sleep) else inner(client, step, ask),
    )
    call = json.loads(
        run("place-call", "--phone-number", "+14155550008", "--task", CALL["task"], "--json").output
    )
    done = run("stop-all")
    assert done.exit_code == 0, done.output
    assert done.output.splitlines()[:2] == ["Practice: no phone rang.", "Everything is stopped."]
    assert f"Calls ended:\n  {call['call_id']}\n" in done.output
    told = json.loads(run("stop-all", "--json").output)
    assert (told["live"], told["ok"], told["calls_ended"]) == (False, True, [])
    away = run("stop-all", TOPCALLS_BASE_URL="http://127.0.0.1:9")
    assert away.exit_code == 5
    assert "Not everything is surely stopped." in away.output
    assert "could not be reached" in away.output


def test_stop_all_runs_with_a_policy_that_cannot_be_read(keyed: World, home: Path) -> None:
    (home / "policy.toml").write_text("approval = [")
    done = subprocess.run(
        [sys.executable, "-m", "topcalls_tools.cli", "stop-all"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Everything is stopped." in done.stdout
    assert datetime.fromisoformat((home / "stopped_at").read_text())


def test_help_loads_no_storage() -> None:
    code = """
import sys
from topcalls_tools.cli import topcalls
for arguments in ([], ["approvals"], ["journal"], ["journal", "forget"], ["stop-all"]):
    topcalls([*arguments, "--help"], standalone_mode=False)
heavy = ("sqlalchemy", "httpx", "rich", "pydantic_settings", "phonenumbers", "alembic")
print([name for name in heavy if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_the_documentation_knows_every_exit_code_and_command() -> None:
    page = (ROOT / "docs" / "cli.md").read_text()
    for code, meaning in EXIT_CODES.items():
        assert f"| {code} | {meaning} |" in page
    for name in ("list", "show", "export", "verify", "settle", "forget", "purge"):
        assert f"`journal {name}" in page
        assert run("journal", name, "--help").exit_code == 0
