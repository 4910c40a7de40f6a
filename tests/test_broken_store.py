"""A store that is full, read-only, locked, corrupt or gone refuses the dial in a sentence; brakes still go out."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from topcalls_tools.connect import Line
from topcalls_tools.journal.store import Journal
from topcalls_tools.settings import Settings

SCRIPT = """
import json, os, resource, signal, sys
import httpx
from topcalls_tools import Client, PauseCampaign, PlaceCall, StopCall, CancelCall
from topcalls_tools.approval import slips
from topcalls_tools.connect import Line
from topcalls_tools.errors import TopCallsError
from topcalls_tools.settings import Settings
import topcalls_tools.consent, topcalls_tools.journal.store, topcalls_tools.journal.archive, topcalls_tools.guard.rules
import phonenumbers.geodata, phonenumbers.tzdata, sqlalchemy.dialects.sqlite.pysqlite, alembic.command

home, breakage = sys.argv[1:]
sent = []

def answer(request):
    if request.url.path == "/v1/balance":
        return httpx.Response(200, json={"remaining": 500})
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
    home.mkdir()
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
    assert tried(home, "")["dialled"] == ["POST /v1/calls"]
