"""A store that is full, read-only, locked, corrupt or gone refuses the dial in a sentence; brakes still go out."""

from __future__ import annotations

import json
import os
import socket
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from topcalls_tools import StopCall
from topcalls_tools.connect import Line
from topcalls_tools.errors import Refused
from topcalls_tools.journal.engine import Storage
from topcalls_tools.journal.store import Journal
from topcalls_tools.settings import Settings

from .owner import owner
from .sockets import HOST, listening
from .test_flow import LIST, PLACE, Script, moving_line, sent, yes

SCRIPT = """
import json, os, resource, signal, sys
import httpx
from topcalls_tools import Client, PauseCampaign, PlaceCall, StopCall, CancelCall
from topcalls_tools.approval import slips
from topcalls_tools.connect import Line
from topcalls_tools.errors import TopCallsError
from topcalls_tools.settings import Settings
import topcalls_tools.flow.consent, topcalls_tools.journal.store, topcalls_tools.journal.archive, topcalls_tools.guard.rules
import phonenumbers.geodata, phonenumbers.tzdata, sqlalchemy.dialects.sqlite.pysqlite, alembic.command
from topcalls_tools.guard.policy import policy

policy({}, "personal")  # all that nobody may read is loaded
home, breakage = sys.argv[1:]
sent = []

def answer(request):
    if request.method == "GET":
        numbers = [{"id": "n", "number": "+14155550199", "status": "active"}]
        return httpx.Response(200, json={"remaining": 500, "data": numbers if "numbers" in request.url.path else []})
    sent.append(request.method + " " + request.url.path)
    return httpx.Response(200 if "/calls/" in request.url.path or "pause" in request.url.path else 201,
                          json={"ok": True, "status": "cancelled", "call_id": "c1"})

database = "postgresql://owner:secretword@127.0.0.1:1/journal" if breakage == "database" else None
facts = {"api_key": "tc_live_canary0123", "base_url": "https://topcalls.invalid", "home": home, "journal": database}
settings = Settings.load(**facts)
line = Line(settings)
line._book = lambda patience=0.2: Line._book(line, min(patience, 0.2))  # nobody waits long for the lock here
client = Client(line=line, approve=lambda ask: True, transport=httpx.MockTransport(answer))
if breakage == "full":
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
if breakage == "read-only" and os.geteuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
try:
    client.send(PlaceCall(phone_number="+14155550123", task="Ask when they open on Sunday."))
    said = None
except TopCallsError as error:
    said = str(error)
dialled = list(sent)
stopped = [client.send(brake).ok for brake in (StopCall(call_id="c1"), CancelCall(call_id="c2"),
                                               PauseCampaign(campaign_id="k1"))]
print(json.dumps({"said": said, "dialled": dialled, "stopped": stopped, "sent": sent[len(dialled):]}))
"""
BRAKES = ["POST /v1/calls/c1/stop", "POST /v1/calls/c2/cancel", "POST /v1/campaigns/k1/pause"]


def tried(home: Path, breakage: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(home), breakage],
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return told


@pytest.fixture
def kept(home: Path) -> Path:
    """A home with a journal and a secret in it."""
    owner(home)
    Journal(home / "journal.db").close()
    Line(Settings(home=home)).desk().secret()
    return home


@pytest.mark.parametrize(
    "breakage",
    ["full", "read-only", "locked", "corrupt", "directory", "database", "policy", "contacts", "secret"],
)
def test_what_cannot_be_written_down_is_not_dialled_and_brakes_go_out(kept: Path, breakage: str) -> None:
    other = sqlite3.connect(kept / "journal.db", isolation_level=None)
    match breakage:
        case "read-only":
            for path in kept.iterdir():
                path.chmod(0o444)
            for path in (kept, *kept.parents[:3]):
                path.chmod(0o555)
        case "locked":
            other.execute("BEGIN EXCLUSIVE")
        case "corrupt":
            (kept / "journal.db").write_bytes(os.urandom(50_000))
        case "directory":
            (kept / "journal.db").unlink()
            (kept / "journal.db").mkdir()
        case "policy":
            (kept / "policy.toml").write_text("approval = [")
        case "contacts":
            (kept / "contacts.toml").write_text("name = ")
        case "secret":
            (kept / "secret").write_bytes(b"short")
    told = tried(kept, breakage)
    for path in (kept, *kept.parents[:3]):
        path.chmod(0o755)
    other.close()
    assert told["dialled"] == []
    assert told["said"].endswith((".", "]"))
    assert told["said"].count("\n") == 0
    assert "secretword" not in told["said"]
    assert told["stopped"] == [True, True, True]
    assert told["sent"] == BRAKES


def test_with_everything_whole_it_is_dialled(kept: Path) -> None:
    told = tried(kept, "")
    assert (told["said"], told["dialled"]) == (None, ["POST /v1/calls"])


def test_a_journal_that_is_gone_is_made_anew(home: Path) -> None:
    owner(home)
    assert tried(home, "")["dialled"] == ["POST /v1/calls"]


class Relay:
    """A way to a server that can freeze: it takes every byte from then on, and hands none on."""

    def __init__(self, server: int) -> None:
        self._server, self._line, self._open = server, listening(), list[socket.socket]()
        self.port = int(self._line.getsockname()[1])
        self.freezes: Callable[[bytes], bool] = lambda said: False
        """Hears what a caller says, and tells when to freeze."""
        self.frozen, self.arrives = False, True
        """`arrives` tells whether that last word still reaches the server."""
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):  # closed
            while True:
                caller, _ = self._line.accept()
                server = socket.create_connection((HOST, self._server))
                self._open += [caller, server]
                for one, other, hears in ((caller, server, True), (server, caller, False)):
                    threading.Thread(target=self._pass_on, args=(one, other, hears), daemon=True).start()

    def _pass_on(self, one: socket.socket, other: socket.socket, hears: bool) -> None:
        with suppress(OSError):
            while said := one.recv(65_536):
                if self.frozen:
                    continue
                self.frozen = hears and self.freezes(said)
                if self.arrives or not self.frozen:
                    other.sendall(said)
            other.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        self._line.close()
        for one in self._open:
            one.close()


@pytest.fixture
def relay(database: str) -> Iterator[Relay]:
    with closing(Relay(int(database.rpartition(":")[2].partition("/")[0]))) as relay:
        yield relay


def over(relay: Relay, database: str, home: Path) -> tuple[Line, list[Any]]:
    """A line whose journal is behind a relay and is waited for half a second, and the clock it goes by."""
    line, now = moving_line(home)
    head, _, name = database.rpartition("/")
    url = f"{head.rpartition(':')[0]}:{relay.port}/{name}"
    line._book = lambda patience=0.5: Journal(url, patience)  # type: ignore[method-assign]
    line.desk().journal()
    return line, now


def posts(script: Script) -> int:
    return sum(request.method == "POST" for request in script.requests)


@pytest.mark.parametrize("driver", ["sync", "async"])
def test_a_database_that_freezes_refuses_the_dial_in_a_sentence(
    relay: Relay, database: str, home: Path, driver: str
) -> None:
    line, _ = over(relay, database, home)
    relay.frozen = True
    script = Script()
    with pytest.raises(Refused, match=r"connection timeout expired|did not answer") as refused:
        sent(driver, line, script, PLACE, approve=yes)
    assert str(refused.value).count("\n") == 0
    assert script.requests == []
    relay.frozen = False
    script = Script(201)
    assert sent(driver, line, script, PLACE, approve=yes).call_id == "c1"
    assert posts(script) == 1
    line.close()


@pytest.mark.parametrize("arrives", [True, False])
def test_a_database_that_freezes_in_the_middle_of_a_commit_has_nothing_sent_on_its_account(
    relay: Relay, database: str, home: Path, arrives: bool
) -> None:
    line, now = over(relay, database, home)
    said: list[bytes] = []

    def freezes(part: bytes) -> bool:
        said.append(part)
        return b"COMMIT" in part and any(b"INSERT INTO dials" in one for one in said)

    relay.freezes, relay.arrives = freezes, arrives
    script = Script()
    with pytest.raises(Refused, match="it did not answer within 2 seconds"):
        sent("sync", line, script, PLACE, approve=yes)
    assert script.requests == []
    relay.freezes, relay.frozen = (lambda part: False), False
    now[0] += timedelta(seconds=61)
    script = Script(*[LIST] * arrives, 201)
    sent("sync", line, script, PLACE, approve=yes)
    assert posts(script) == 1
    line.close()


def test_a_database_that_freezes_holds_up_no_brake(relay: Relay, database: str, home: Path) -> None:
    line, _ = over(relay, database, home)
    relay.frozen = True
    script = Script((200, {"ok": True, "status": "cancelled"}))
    assert sent("sync", line, script, StopCall(call_id="c1")).ok
    assert posts(script) == 1
    line.close()


def test_a_writer_that_freezes_in_the_middle_lets_the_next_one_write(database: str) -> None:
    held, other = Storage(database, patience=0.5), Storage(database)
    wrote = []
    with pytest.raises(Refused, match="cannot be used"), held.writing() as db:
        with other.writing() as next_one:
            wrote.append(next_one.exec_driver_sql("INSERT INTO stops VALUES ('live', now())").rowcount)
        db.exec_driver_sql("SELECT 1")
    assert wrote == [1]
    held.close()
    other.close()


def test_with_more_at_once_than_it_has_connections_it_is_busy(store: Path | str) -> None:
    storage = Storage(store, patience=0.1)
    held = [storage._engine.connect() for _ in range(15)]
    with pytest.raises(Refused, match="is busy and nothing was sent"), storage.reading():
        pass
    for one in held:
        one.close()
    storage.close()
