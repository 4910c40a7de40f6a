"""The doctor: what is wrong with a set-up, the command that mends it, and that nothing is changed by looking."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from topcalls_tools import Client, PlaceCall, stored_key
from topcalls_tools.cli import topcalls
from topcalls_tools.connect import Line
from topcalls_tools.sandbox import open_sandbox, serve_in_background
from topcalls_tools.settings import Settings
from topcalls_tools.stored_key import StoredKey

from .conftest import CALL, World, owner
from .stranger import Stranger
from .test_cli import Terminal

BALANCE = {"remaining": 100.5, "reserved": 0, "allocated": 100, "used": 0}


def doctor(**env: str) -> tuple[dict[str, dict[str, str]], Result]:
    """What was found, by what it is about."""
    done = CliRunner(env=env).invoke(topcalls, ["doctor", "--json"])
    told = json.loads(done.stdout)
    assert done.exit_code == (0 if told["ok"] else 6)
    assert told["ok"] == all(one["state"] != "wrong" for one in told["findings"])
    return {one["about"]: one for one in told["findings"]}, done


def state(found: dict[str, dict[str, str]], about: str) -> tuple[str, str | None]:
    return found[about]["state"], found[about].get("mend")


@pytest.fixture
def keyed(world: World, home: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    owner(home)
    monkeypatch.setenv("TOPCALLS_API_KEY", world.key)
    monkeypatch.setenv("TOPCALLS_BASE_URL", world.url)
    return world


@pytest.fixture
def called(keyed: World, line: Line) -> World:
    """A world whose owner has a journal with one call in it."""
    Client(line=line).send(PlaceCall(**CALL))
    line.close()
    return keyed


def files(home: Path) -> dict[str, tuple[bytes, int, int]]:
    return {
        str(path): (
            path.read_bytes() if path.is_file() else b"",
            path.stat().st_mtime_ns,
            path.stat().st_mode,
        )
        for path in [home, *home.rglob("*")]
    }


def test_before_anything_was_set_all_is_well_and_nothing_is_made(home: Path) -> None:
    found, done = doctor()
    assert done.exit_code == 0
    assert {one["state"] for one in found.values()} == {"ok"}
    assert "practice" in found["key"]["said"]
    assert "There is none yet" in found["journal"]["said"]
    assert not home.exists()


def test_with_a_key_one_free_read_is_sent_and_nothing_is_changed(called: World, home: Path) -> None:
    before = files(home)
    found, done = doctor()
    assert {one["state"] for one in found.values()} == {"ok"}, found
    assert "It is accepted" in found["key"]["said"]
    assert called.key not in done.output
    assert files(home) == before
    with Stranger({"/v1/balance": BALANCE}, lambda: datetime.now(UTC)).open() as url:
        doctor(TOPCALLS_BASE_URL=url)
    assert files(home) == before


def test_what_is_sent_is_one_get(keyed: World) -> None:
    stranger = Stranger({"/v1/balance": BALANCE}, lambda: datetime.now(UTC))
    with stranger.open() as url:
        doctor(TOPCALLS_BASE_URL=url)
    assert stranger.came == [("GET", "/v1/balance")]


def test_every_part_of_a_set_up_has_a_line(keyed: World) -> None:
    found, _ = doctor()
    assert (
        set(["key", "address", "clock", "journal", "policy", "contacts", "approval", "rights", "versions"])
        <= found.keys()
    )
    assert {"do not call", "stop file"} <= found.keys()


@pytest.mark.parametrize(
    ("answer", "about", "expected", "words"),
    [
        (
            (401, "application/problem+json", {"title": "Unauthorized", "status": 401}),
            "key",
            "wrong",
            "refuses it",
        ),
        (
            (403, "application/problem+json", {"title": "Forbidden", "status": 403}),
            "key",
            "warn",
            "calls:read",
        ),
        ((200, "text/html", "<html>A page</html>"), "address", "wrong", "does not answer as TopCalls does"),
        ((500, "text/html", "down"), "address", "wrong", "does not answer as TopCalls does"),
        ({**BALANCE, "remaining": 10, "reserved": 10}, "address", "warn", "no call minutes are free"),
        (BALANCE, "address", "ok", "answers"),
    ],
)
def test_what_the_service_says_of_key_and_minutes(
    keyed: World, answer: Any, about: str, expected: str, words: str
) -> None:
    with Stranger({"/v1/balance": answer}, lambda: datetime.now(UTC)).open() as url:
        found, _ = doctor(TOPCALLS_BASE_URL=url)
    assert found[about]["state"] == expected, found[about]
    assert words in found[about]["said"]


def test_a_key_that_is_refused_is_mended_by_another_login(keyed: World) -> None:
    found, done = doctor(TOPCALLS_API_KEY="tc_test_canary0123")
    assert state(found, "key") == ("wrong", "topcalls login")
    assert done.exit_code == 6
    assert "canary" not in done.output


def test_an_address_where_nobody_answers_is_wrong(keyed: World) -> None:
    found, _ = doctor(TOPCALLS_BASE_URL="http://127.0.0.1:9")
    assert state(found, "address") == ("wrong", "topcalls sandbox")
    assert "clock" not in found


def test_key_and_address_that_do_not_fit_are_wrong_and_the_rest_is_still_looked_at(home: Path) -> None:
    found, done = doctor(TOPCALLS_API_KEY="tc_live_canary0123", TOPCALLS_BASE_URL="http://127.0.0.1:9")
    assert found["address"]["state"] == "wrong"
    assert found["versions"]["state"] == "ok"
    assert "canary" not in done.output


@pytest.mark.parametrize(
    ("ahead", "expected", "words"),
    [
        (0, "ok", "Within"),
        (30, "warn", "30 s behind"),
        (-30, "warn", "30 s ahead of"),
        (7200, "wrong", "hours"),
    ],
)
def test_the_clock_is_held_against_the_date_of_the_reply(
    keyed: World, ahead: int, expected: str, words: str
) -> None:
    there: Callable[[], datetime] = lambda: datetime.now(UTC) + timedelta(seconds=ahead)  # noqa: E731
    with Stranger({"/v1/balance": BALANCE}, there).open() as url:
        found, _ = doctor(TOPCALLS_BASE_URL=url)
    assert found["clock"]["state"] == expected, found["clock"]
    assert words in found["clock"]["said"]


def test_a_reply_without_a_date_says_nothing_of_the_clock(keyed: World) -> None:
    with Stranger({"/v1/balance": BALANCE}).open() as url:
        found, _ = doctor(TOPCALLS_BASE_URL=url)
    assert found["clock"]["state"] == "warn"


def test_evidence_that_was_changed_is_wrong(called: World, home: Path) -> None:
    found, _ = doctor()
    assert found["journal"]["state"] == "ok"
    with closing(sqlite3.connect(home / "journal.db")) as db, db:
        db.execute("UPDATE dials SET minutes = 1")
    found, _ = doctor()
    assert state(found, "journal") == ("wrong", "topcalls journal verify")


def test_a_head_that_was_kept_elsewhere_and_is_not_there_is_wrong(called: World, home: Path) -> None:
    owner(home, 'evidence_head = "heads"')
    (home / "heads").write_text(f"1 {'a' * 64}\n")
    found, _ = doctor()
    assert state(found, "journal") == ("wrong", "topcalls journal verify")


@pytest.mark.parametrize(
    "content", [b"no database at all, but something else", b"SQLite format 3\0" + bytes(200)]
)
def test_a_journal_that_is_none_is_wrong(keyed: World, home: Path, content: bytes) -> None:
    (home / "journal.db").write_bytes(content)
    found, _ = doctor()
    assert found["journal"]["state"] == "wrong"
    assert (home / "journal.db").read_bytes() == content


@pytest.mark.parametrize(("version", "expected"), [("9999", "wrong"), ("0002", "ok")])
def test_a_journal_of_another_version_is_told_and_left_as_it_is(
    called: World, home: Path, version: str, expected: str
) -> None:
    with closing(sqlite3.connect(home / "journal.db")) as db, db:
        db.execute("UPDATE alembic_version SET version_num = ?", [version])
    before = files(home)
    found, _ = doctor()
    assert found["journal"]["state"] == expected
    assert ("newer" if expected == "wrong" else "older") in found["journal"]["said"]
    assert files(home) == before


@pytest.mark.skipif(
    not Path("/proc/self/fd").is_dir(), reason="this system does not tell who has a file open"
)
def test_who_else_has_the_journal_open_is_told(called: World, home: Path) -> None:
    code = "import sys, sqlite3; db = sqlite3.connect(sys.argv[1]); db.execute('BEGIN'); print('open', flush=True); input()"
    other = subprocess.Popen(
        [sys.executable, "-c", code, str(home / "journal.db")], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert other.stdout
    assert other.stdout.readline() == b"open\n"
    found, _ = doctor()
    other.communicate(b"\n", timeout=30)
    assert "Open in 1 more program." in found["journal"]["said"]
    assert "Open in" not in doctor()[0]["journal"]["said"]


def test_a_dial_in_doubt_is_settled_by_the_command_that_is_named(called: World, home: Path) -> None:
    with closing(sqlite3.connect(home / "journal.db")) as db, db:
        db.execute("DELETE FROM evidence")
        db.execute("UPDATE dials SET state = 'unknown'")
    found, _ = doctor()
    assert state(found, "journal") == ("warn", "topcalls journal settle")


def test_a_journal_in_postgresql_is_looked_over_without_showing_its_password(
    keyed: World, database: str
) -> None:
    with closing(Line(keyed.settings(Path(os.environ["TOPCALLS_HOME"]), journal=database))) as line:
        Client(line=line).send(PlaceCall(**CALL))
        found, done = doctor(TOPCALLS_JOURNAL=database)
    assert found["journal"]["state"] == "ok", found["journal"]
    assert "links of evidence hold" in found["journal"]["said"]
    assert "Open in 1 more program" in found["journal"]["said"]
    assert database not in done.output


@pytest.mark.parametrize(
    ("lines", "accepted", "expected", "words"),
    [
        ("minutes_per_day = 600", "minutes_per_day = 60", "warn", "wait for your yes: minutes_per_day"),
        ("minutes_per_day = 60", "minutes_per_day = 600", "warn", "taken back without a yes"),
        ("", None, "ok", "nothing waits"),
        ('nonsense = "x"', "", "wrong", "does not know nonsense"),
        ("minutes_per_day = [", "", "wrong", "Nothing that needs a yes is done"),
    ],
)
def test_what_the_policy_waits_for(
    keyed: World, home: Path, lines: str, accepted: str | None, expected: str, words: str
) -> None:
    owner(home, accepted=accepted)
    (home / "policy.toml").write_text((home / "policy.toml").read_text() + f"\n{lines}\n")
    if "minutes_per_day = 6" in lines:
        owner(home, lines, accepted=accepted)
    found, done = doctor(TOPCALLS_REHEARSE="1")
    assert found["policy"]["state"] == expected, found["policy"]
    assert words in found["policy"]["said"]
    if expected == "warn":
        assert found["policy"]["mend"] == "topcalls policy accept"
    assert (done.exit_code == 6) == (expected == "wrong")


def test_a_live_owner_without_a_name_to_call_for_is_told(keyed: World, home: Path) -> None:
    (home / "policy.toml").write_text("")
    found, _ = doctor(TOPCALLS_REHEARSE="1")
    assert found["caller"]["state"] == "wrong"
    owner(home)
    assert "caller" not in doctor(TOPCALLS_REHEARSE="1")[0]


@pytest.mark.parametrize(
    ("name", "content", "about"),
    [
        ("contacts.toml", "[[contact]]\nname = 1\n", "contacts"),
        ("dnc.log", "no entry\n", "do not call"),
        ("stopped_at", "some day", "stop file"),
        ("stopped_at", "2999-01-01T00:00:00+00:00", "stop file"),
    ],
)
def test_an_owners_file_that_cannot_be_read_is_wrong(
    keyed: World, home: Path, name: str, content: str, about: str
) -> None:
    assert doctor()[0][about]["state"] == "ok"
    (home / name).write_text(content)
    found, _ = doctor()
    assert found[about]["state"] == "wrong"
    assert str(home / name) in found[about]["mend"]


def test_a_stop_is_told(keyed: World, home: Path) -> None:
    (home / "stopped_at").write_text("2026-11-01T10:00:00+00:00")
    assert "2026-11-01T10:00:00Z" in doctor()[0]["stop file"]["said"]


@pytest.mark.skipif(os.name != "posix", reason="rights are those of POSIX")
@pytest.mark.parametrize(("name", "mode"), [("secret", 0o644), ("policy.toml", 0o666), ("journal.db", 0o640)])
def test_rights_that_are_too_wide_are_wrong_and_mended_by_the_command(
    called: World, home: Path, name: str, mode: int
) -> None:
    assert doctor()[0]["rights"]["state"] == "ok"
    (home / name).chmod(mode)
    found, _ = doctor()
    assert found["rights"]["state"] == "wrong"
    subprocess.run(found["rights"]["mend"], shell=True, check=True)
    assert doctor()[0]["rights"]["state"] == "ok"


@pytest.mark.skipif(os.name != "posix", reason="rights are those of POSIX")
def test_a_stored_key_that_others_can_read_is_wrong_and_mended_by_the_command(
    world: World, home: Path
) -> None:
    owner(home)
    stored_key.write(home, StoredKey(world.key, world.url)).chmod(0o640)
    found, done = doctor()
    assert "can be read by others" in found["policy"]["said"]
    assert found["policy"]["state"] == "wrong"
    assert "the file that topcalls login keeps" in found["key"]["said"]
    assert world.key not in done.output
    subprocess.run(found["policy"]["mend"], shell=True, check=True)
    found, _ = doctor()
    assert found["policy"]["state"] == "ok"


def test_a_package_that_does_not_fit_is_wrong(home: Path, tmp_path: Path) -> None:
    info = tmp_path / "site" / "topcalls_tools-9.9.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: topcalls-tools\nVersion: 9.9\nRequires-Dist: pydantic>=99\n"
        'Requires-Dist: nowhere-to-be-found; extra == "docs"\n'
    )
    command = [sys.executable, "-m", "topcalls_tools.cli", "doctor"]
    done = subprocess.run(
        command,
        env={**os.environ, "PYTHONPATH": str(info.parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 6, done.stderr
    assert "wrong: versions: " in done.stdout
    assert "pydantic 2" in done.stdout
    assert "(>=99 is needed)" in done.stdout
    assert "nowhere-to-be-found" not in done.stdout


def test_no_secret_is_shown(keyed: World, home: Path) -> None:
    secrets = {
        "TOPCALLS_API_KEY": "tc_test_canarykey01",
        "TOPCALLS_SECRET": "canarysecret",
        "TOPCALLS_WEBHOOK_SECRET": "canarywebhook",
        "TOPCALLS_JOURNAL": "postgresql://u:canarypassword@127.0.0.1:9/x",
    }
    page = (200, "text/html", "tc_test_canarykey01")
    with Stranger({"/v1/balance": page}).open() as url:
        _, done = doctor(**secrets, TOPCALLS_BASE_URL=url)
    assert "canary" not in done.output


def test_how_a_person_would_be_asked_is_told_for_this_place(keyed: World) -> None:
    assert "this is no terminal" in doctor()[0]["approval"]["said"]
    assert doctor(TOPCALLS_REHEARSE="1", TOPCALLS_BROWSER="none")[0]["approval"]["state"] == "warn"
    found = doctor(TOPCALLS_REHEARSE="1", TOPCALLS_BROWSER="firefox")[0]["approval"]
    assert found["state"] == "ok"
    assert "the approval page" in found["said"]
    terminal = Terminal("doctor", TOPCALLS_REHEARSE="1", TOPCALLS_BROWSER="none")
    assert terminal.end() == 0, terminal.screen
    assert "at this terminal" in " ".join(terminal.screen.split())


def test_a_scope_that_is_missing_leaves_the_key_accepted(tmp_path: Path, home: Path) -> None:
    sandbox = open_sandbox(tmp_path / "scoped.db")
    key = sandbox.add_key(["campaigns:read"])
    with closing(serve_in_background(sandbox)) as served:
        found, _ = doctor(TOPCALLS_API_KEY=key, TOPCALLS_BASE_URL=served.url)
    assert found["key"]["state"] == "warn"
    assert "accepted" in found["key"]["said"]


def test_settings_of_the_program_are_left_alone_by_a_look(home: Path) -> None:
    doctor()
    assert Settings.load().api_key is None
    assert not home.exists()


@pytest.mark.parametrize(
    ("url", "secret", "expected", "words"),
    [
        (False, False, "ok", "No webhooks are asked for"),
        (True, False, "warn", "none can be believed"),
        (False, True, "warn", "no webhook_url"),
        (True, True, "ok", "believes those that are signed"),
    ],
)
def test_whether_webhooks_are_asked_for_and_believed(
    keyed: World, home: Path, url: bool, secret: bool, expected: str, words: str
) -> None:
    if url:
        (home / "policy.toml").write_text('webhook_url = "http://127.0.0.1:9"\n')
    found, _ = doctor(**({"TOPCALLS_WEBHOOK_SECRET": "canary"} if secret else {}))
    assert found["receiver"]["state"] == expected
    assert words in found["receiver"]["said"]


def test_a_secret_that_is_gone_is_not_made_anew_by_a_look(called: World, home: Path) -> None:
    (home / "secret").unlink()
    before = files(home)
    found, _ = doctor(TOPCALLS_REHEARSE="1")
    assert "wait for your yes" in found["policy"]["said"]  # what was accepted is sealed under it
    assert files(home) == before
