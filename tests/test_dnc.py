"""Numbers that are not to be called: a file to which lines are only added, and the owner's commands over it."""

from __future__ import annotations

import errno
import json
import os
import stat
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from topcalls_tools import Client
from topcalls_tools.connect import Line
from topcalls_tools.dnc import Blocked, DoNotCall
from topcalls_tools.errors import Misconfigured, Refused

from .conftest import NUMBER, World
from .test_cli import Terminal, keyed, run
from .test_flow import PLACE

__all__ = ["keyed"]
AT = datetime(2026, 11, 25, 9, 30, tzinfo=UTC)
OTHER = "+493055501401"


@pytest.fixture
def dnc(home: Path) -> DoNotCall:
    return DoNotCall(home / "dnc.log")


def test_a_number_is_kept_for_its_account_alone(dnc: DoNotCall) -> None:
    assert dnc.numbers("live") == {}
    dnc.add("live", NUMBER, "asked us", AT)
    dnc.add("sandbox", OTHER, None, AT)
    assert dnc.numbers("live") == {NUMBER: Blocked(AT, "asked us")}
    assert dnc.numbers("sandbox") == {OTHER: Blocked(AT)}


def test_the_file_is_the_owners_alone_and_one_line_an_entry(dnc: DoNotCall) -> None:
    dnc.add("live", NUMBER, "said:\n\u2028no \ud83d", AT)
    dnc.add("live", OTHER, None, AT)
    assert stat.S_IMODE(dnc.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(dnc.path.parent.stat().st_mode) == 0o700
    lines = dnc.path.read_bytes().splitlines()
    assert [json.loads(line)["number"] for line in lines] == [NUMBER, OTHER]


def test_what_is_removed_may_be_called_and_can_be_blocked_anew(dnc: DoNotCall) -> None:
    dnc.add("live", NUMBER, "first", AT)
    dnc.add("other", NUMBER, None, AT)
    dnc.remove("live", NUMBER, AT)
    assert dnc.numbers("live") == {}
    assert NUMBER in dnc.numbers("other")
    dnc.add("live", NUMBER, "second", AT)
    assert dnc.numbers("live") == {NUMBER: Blocked(AT, "second")}


def test_another_process_is_heard_at_once(dnc: DoNotCall) -> None:
    assert dnc.numbers("live") == {}
    DoNotCall(dnc.path).add("live", NUMBER, None, AT)
    assert NUMBER in dnc.numbers("live")
    DoNotCall(dnc.path).add("live", OTHER, None, AT)
    assert {*dnc.numbers("live")} == {NUMBER, OTHER}
    dnc.path.unlink()
    assert dnc.numbers("live") == {}


@pytest.mark.parametrize(
    "line",
    [
        '{"account": "live", "number": "+1415',
        "not json",
        "[]",
        "7",
        '{"account": "live"}',
        '{"account": "live", "number": 14155550123, "at": "2026-11-25T09:30:00+00:00"}',
        '{"account": "live", "number": "030 55501401", "at": "2026-11-25T09:30:00+00:00"}',
        '{"account": "live", "number": "+14155550123", "at": "yesterday"}',
        '{"account": "live", "number": "+14155550123\\n", "at": "2026-11-25T09:30:00+00:00"}',
    ],
)
def test_a_line_that_cannot_be_read_blocks_everything_for_whom_it_meant_is_unknown(
    dnc: DoNotCall, line: str
) -> None:
    dnc.add("live", OTHER, None, AT)
    with dnc.path.open("a") as file:
        file.write(line)
    with pytest.raises(Misconfigured, match=r"dnc\.log cannot be read \(line 2 is no entry\)"):
        dnc.numbers("live")


def test_after_a_write_that_was_cut_off_the_next_one_stands_on_a_line_of_its_own(dnc: DoNotCall) -> None:
    dnc.add("live", OTHER, None, AT)
    with dnc.path.open("a") as file:
        file.write('{"account": "li')
    dnc.add("live", NUMBER, None, AT)
    lines = dnc.path.read_text().splitlines()
    assert json.loads(lines[2])["number"] == NUMBER
    dnc.path.write_text("\n".join([lines[0], "", lines[2]]))
    assert {*dnc.numbers("live")} == {NUMBER, OTHER}


def test_a_line_in_another_notation_blocks_the_number_that_it_means(dnc: DoNotCall) -> None:
    line = '{"account": "live", "number": "+49 (0)30 55501401", "at": "2026-11-25T09:30:00+00:00"}'
    dnc.path.parent.mkdir(exist_ok=True)
    dnc.path.write_text(f"{line}\n")
    assert list(dnc.numbers("live")) == ["+493055501401"]


def test_what_the_disk_has_room_for_in_part_is_taken_back(
    dnc: DoNotCall, monkeypatch: pytest.MonkeyPatch
) -> None:
    dnc.add("live", OTHER, None, AT)
    before, write = dnc.path.read_bytes(), os.write
    monkeypatch.setattr(os, "write", lambda descriptor, text: write(descriptor, text[:20]))
    with pytest.raises(Misconfigured, match=f"cannot be written \\({os.strerror(errno.ENOSPC)}\\)"):
        dnc.add("live", NUMBER, None, AT)
    assert dnc.path.read_bytes() == before


def test_it_is_on_the_disk_before_it_is_said_to_be(dnc: DoNotCall, monkeypatch: pytest.MonkeyPatch) -> None:
    held: list[bytes] = []
    monkeypatch.setattr(os, "fsync", lambda descriptor: held.append(dnc.path.read_bytes()))
    dnc.add("live", NUMBER, None, AT)
    assert NUMBER.encode() in held[0]
    assert len(held) == 2, "a new file's name is flushed too"


def test_many_processes_write_at_once_and_every_line_stands(dnc: DoNotCall) -> None:
    code = """
import os, sys
from datetime import UTC, datetime
from pathlib import Path
from topcalls_tools.dnc import DoNotCall
os.fsync = lambda descriptor: None  # as fast as may be
sys.stdin.readline()
for place in range(1000):
    DoNotCall(Path(sys.argv[1])).add("live", f"+1415555{int(sys.argv[2]) * 1000 + place:04}", None, datetime.now(UTC))
"""
    started = [
        subprocess.Popen([sys.executable, "-c", code, str(dnc.path), str(place)], stdin=subprocess.PIPE)
        for place in range(4)
    ]
    for one in started:
        assert one.stdin
        one.stdin.write(b"go\n")
        one.stdin.close()
    assert [one.wait(60) for one in started] == [0] * 4
    assert len(dnc.numbers("live")) == 4000


def test_importing_it_loads_nothing_heavy() -> None:
    code = "import sys, topcalls_tools.dnc; print([name for name in sys.modules if name.startswith(('sqlalchemy', 'topcalls_tools.journal', 'topcalls_tools.guard', 'phonenumbers', 'httpx'))])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_no_call_is_made_to_a_number_in_the_file_nor_where_the_file_cannot_be_read(
    world: World, line: Line, dnc: DoNotCall
) -> None:
    dnc.add("sandbox", NUMBER, None, AT)
    with pytest.raises(Refused, match=r"\[rule: do-not-call\]"):
        Client(line=line).send(PLACE)
    dnc.path.write_text("torn\n")
    with pytest.raises(Misconfigured, match="whom it meant is unknown"):
        Client(line=line).send(PLACE)
    assert world.rings() == []
    dnc.path.unlink()
    Client(line=line).send(PLACE)
    assert len(world.rings()) == 1


def listed() -> list[str]:
    return [one["number"] for one in json.loads(run("dnc", "list", "--json").stdout)["data"]]


def test_the_owner_adds_and_lists(keyed: World, dnc: DoNotCall) -> None:
    assert run("dnc", "list").stdout == "No number is blocked for the account sandbox.\n"
    assert json.loads(run("dnc", "list", "--json").stdout) == {"account": "sandbox", "data": []}
    done = run("dnc", "add", "+1 (415) 555-0123", "--reason", "asked \x1b[2J us")
    assert done.exit_code == 0, done.stderr
    assert done.stdout == "The number is blocked for the account sandbox. No lead had to be unsubscribed.\n"
    assert "blocked for the account sandbox already" in run("dnc", "add", NUMBER).stdout
    assert listed() == [NUMBER]
    assert "asked \\u{1b}[2J us" in run("dnc", "list").stdout
    assert len(dnc.path.read_text().splitlines()) == 1


@pytest.mark.parametrize("number", ["0171 2345678", "911", "mum", ""])
def test_what_is_no_number_is_not_blocked(keyed: World, dnc: DoNotCall, number: str) -> None:
    done = run("dnc", "add", number)
    assert done.exit_code == 2
    assert "plus sign" in done.stderr
    assert not dnc.path.exists()


@pytest.mark.parametrize(
    "text",
    [
        "# stop list\n+1 415 555 0123\n\n030 55501401  # office\n+14155550123\n",
        "name,phone\nAnn,+1 415 555 0123\nBob,030 55501401\n,\n",
        "Phone;Reason\n+14155550123;x\n+49 (0)30 55501401;y\n",
        "\ufeffnumber\n+14155550123\n03055501401\n",
    ],
)
def test_a_list_is_taken_over_a_number_a_line_or_in_a_column(
    keyed: World, tmp_path: Path, dnc: DoNotCall, text: str
) -> None:
    (tmp_path / "list").write_text(text)
    done = run("dnc", "import", str(tmp_path / "list"), "--region", "de", "--reason", "list of 2026")
    assert done.exit_code == 0, done.output
    assert "2 numbers are blocked for the account sandbox." in done.stdout
    assert {number: one.reason for number, one in dnc.numbers("sandbox").items()} == {
        NUMBER: "list of 2026",
        OTHER: "list of 2026",
    }
    assert "sandbox already" in run("dnc", "import", str(tmp_path / "list"), "--region", "DE").stdout
    assert len(dnc.path.read_text().splitlines()) == 2


def test_what_a_list_holds_that_is_no_number_is_told_with_its_line(
    keyed: World, tmp_path: Path, dnc: DoNotCall
) -> None:
    (tmp_path / "list").write_text("+14155550123\n030 55501401\n+49 30 55501401 ext. 7\n")
    done = run("dnc", "import", str(tmp_path / "list"))
    assert done.exit_code == 6
    assert "2 left out" in done.stdout
    assert [line.partition(":")[0] for line in done.stderr.splitlines()] == [
        "Left out, line 2",
        "Left out, line 3",
    ]
    assert listed() == [NUMBER]


@pytest.mark.parametrize("text", ["", "name,mail\nAnn,a@b.c\n", "nobody\n", "\n# none\n", "number\n12\n"])
def test_a_file_without_a_number_changes_nothing(
    keyed: World, tmp_path: Path, dnc: DoNotCall, text: str
) -> None:
    (tmp_path / "list").write_text(text)
    done = run("dnc", "import", str(tmp_path / "list"))
    assert done.exit_code == 6
    assert "so nothing was" in done.stderr
    assert not dnc.path.exists()


@pytest.mark.parametrize("given", ["0123\n", "y\n", ""])
def test_no_pipe_lets_a_number_be_called_again(keyed: World, dnc: DoNotCall, given: str) -> None:
    dnc.add("sandbox", NUMBER, None, AT)
    done = subprocess.run(
        [sys.executable, "-m", "topcalls_tools.cli", "dnc", "remove", NUMBER],
        input=given, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 3
    assert "at a terminal" in done.stderr
    assert NUMBER in dnc.numbers("sandbox")


@pytest.mark.parametrize(("keys", "code"), [("0123\n", 0), ("n\n", 3), ("y\n\n", 3), ("0124\n0124\n", 3)])
def test_the_last_four_digits_typed_at_a_terminal_let_a_number_be_called_again(
    keyed: World, dnc: DoNotCall, keys: str, code: int
) -> None:
    assert run("dnc", "add", NUMBER).exit_code == 0
    terminal = Terminal("dnc", "remove", NUMBER)
    terminal.until("n is no.")
    assert f"│ {NUMBER}" in terminal.screen
    terminal.type(keys)
    assert terminal.end() == code, terminal.screen
    assert listed() == ([] if code == 0 else [NUMBER])
    if code == 0:
        Client().send(PLACE)
        assert len(keyed.rings()) == 1
        assert run("journal", "verify").exit_code == 0
    else:
        with pytest.raises(Refused, match="do-not-call"):
            Client().send(PLACE)


def test_a_number_that_only_the_journal_knows_is_let_go_too(keyed: World, dnc: DoNotCall) -> None:
    run("dnc", "add", NUMBER)
    dnc.path.unlink()  # it was blocked on another machine
    with pytest.raises(Refused, match="do-not-call"):
        Client().send(PLACE)
    terminal = Terminal("dnc", "remove", NUMBER)
    terminal.until("n is no.")
    terminal.type("0123\n")
    assert terminal.end() == 0, terminal.screen
    Client().send(PLACE)
    assert len(keyed.rings()) == 1


def test_removing_what_is_not_blocked_asks_nothing(keyed: World, dnc: DoNotCall) -> None:
    terminal = Terminal("dnc", "remove", NUMBER)
    assert terminal.end() == 0
    assert "not blocked" in terminal.screen
    assert not dnc.path.exists()


def test_what_the_journal_cannot_let_go_stays_in_the_file_too(keyed: World, dnc: DoNotCall) -> None:
    run("dnc", "add", NUMBER)
    (dnc.path.parent / "journal.db").write_bytes(os.urandom(9000))
    terminal = Terminal("dnc", "remove", NUMBER)
    terminal.until("n is no.")
    terminal.type("0123\n")
    assert terminal.end() != 0, terminal.screen
    assert NUMBER in dnc.numbers("sandbox")
