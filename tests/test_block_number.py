"""Blocking a number: on the disk at once, heard of by every machine, its lead unsubscribed, and nothing that is
broken here stands in its way."""

from __future__ import annotations

import json
import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from topcalls_tools import Client, ListLeads
from topcalls_tools.connect import Line
from topcalls_tools.deeds import BlockNumber
from topcalls_tools.deeds.block_number import NumberBlocked
from topcalls_tools.errors import Refused
from topcalls_tools.flow.blocking import blocked
from topcalls_tools.flow.steps import Sleep
from topcalls_tools.journal import archive
from topcalls_tools.journal.store import Journal
from topcalls_tools.settings import Settings

from .conftest import NUMBER, World
from .test_cli import keyed
from .test_flow import DRIVERS, PLACE, sent

__all__ = ["keyed"]
BLOCK = BlockNumber(phone_number=NUMBER, reason="asked us to stop")


def told(
    line: Line, request: BlockNumber = BLOCK, transport: httpx.BaseTransport | None = None
) -> NumberBlocked:
    client = Client(line=line, transport=transport)
    inner = client._step
    client._step = lambda step, ask: None if isinstance(step, Sleep) else inner(step, ask)  # type: ignore[method-assign]
    return client.send(request)


class Leads:
    """The leads of a TopCalls in a few lines; `refuse` answers before anything else."""

    def __init__(
        self,
        *leads: dict[str, Any],
        refuse: Callable[[httpx.Request], httpx.Response | None] = lambda request: None,
    ) -> None:
        self.leads = {lead["id"]: {"phone_number": NUMBER, "status": "New", **lead} for lead in leads}
        self.asked: list[str] = []
        self._refuse = refuse

    def play(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(f"{request.method} {request.url.path}")
        if (refused := self._refuse(request)) is not None:
            return refused
        match request.method, request.url.path.strip("/").split("/"):
            case "GET", ["v1", "leads"]:
                start = int(request.url.params.get("cursor", 0))
                page, rest = [*self.leads.values()][start : start + 2], start + 2 < len(self.leads)
                return httpx.Response(
                    200, json={"items": page, "next_cursor": str(start + 2) if rest else None}
                )
            case "PATCH", ["v1", "leads", name]:
                self.leads[name] |= json.loads(request.content)
                return httpx.Response(200, json=self.leads[name])
            case "GET", ["v1", "balance" | "phone-numbers"]:  # what a call's question shows
                return httpx.Response(200, json={"remaining": 500, "data": []})
        raise AssertionError(request.url)

    @property
    def transport(self) -> httpx.MockTransport:
        return httpx.MockTransport(self.play)


def refusing(method: str, status: int) -> Callable[[httpx.Request], httpx.Response | None]:
    def refuse(request: httpx.Request) -> httpx.Response | None:
        return (
            httpx.Response(status, json={"status": status, "title": "no"})
            if request.method == method
            else None
        )

    return refuse


@pytest.mark.parametrize("driver", DRIVERS)
def test_it_is_written_down_unasked_and_no_call_is_made_any_more(
    live: Callable[..., Line], home: Path, driver: str
) -> None:
    line, topcalls = live(), Leads()
    done = sent(driver, line, topcalls, BLOCK, approve=lambda ask: pytest.fail("was asked"))
    assert (done.ok, done.known_before, done.leads_unsubscribed) == (True, False, ())
    assert done.note == "The number is blocked for the account live. No lead had to be unsubscribed."
    assert line.desk().dnc().numbers("live")[NUMBER].reason == "asked us to stop"
    with pytest.raises(Refused, match="not to be called any more"):
        sent(driver, line, topcalls, PLACE, approve=lambda ask: pytest.fail("was asked"))
    assert {one.partition(" ")[0] for one in topcalls.asked} == {"GET"}


def test_twice_is_once(live: Callable[..., Line], home: Path) -> None:
    line, leads = live(), Leads()
    told(line, transport=leads.transport)
    again = told(line, transport=leads.transport)
    assert (again.ok, again.known_before) == (True, True)
    assert again.note.startswith("The number is blocked for the account live already.")
    assert len((home / "dnc.log").read_text().splitlines()) == 1
    assert [*archive.troubles(line.desk().journal())] == []


def test_it_concerns_its_own_account_alone(world: World, home: Path) -> None:
    practice, other = Line(world.settings(home)), Line(Settings(home=home, account="other"))
    told(practice)
    with pytest.raises(Refused, match="do-not-call"):
        Client(line=practice).send(PLACE)
    assert other.desk().dnc().numbers("other") == {}
    assert Client(line=other).send(PLACE).call_id
    assert world.rings() == []
    for line in (practice, other):
        line.close()


def test_under_another_name_the_same_key_does_not_forget_it(world: World, home: Path) -> None:
    practice, renamed = Line(world.settings(home)), Line(world.settings(home, account="other"))
    told(practice)
    with pytest.raises(Refused, match="This key is known as the account sandbox"):
        Client(line=renamed).send(PLACE)
    assert world.rings() == []
    for line in (practice, renamed):
        line.close()


@pytest.fixture
def elsewhere(world: World, home: Path, tmp_path: Path, store: Path | str) -> Iterator[Callable[[str], Line]]:
    """Lines of machines that share a journal and a secret, and nothing else."""
    lines: list[Line] = []

    def make(name: str) -> Line:
        (tmp_path / name).mkdir(exist_ok=True)
        if isinstance(store, Path):
            (tmp_path / name / "journal.db").symlink_to(store)
        journal = {} if isinstance(store, Path) else {"journal": store}
        lines.append(Line(world.settings(tmp_path / name, secret="shared by all", **journal)))
        return lines[-1]

    if isinstance(store, Path):
        Journal(store).close()
    yield make
    for line in lines:
        line.close()


def test_every_machine_that_shares_the_journal_hears_of_it(
    world: World, elsewhere: Callable[[str], Line]
) -> None:
    one, other = elsewhere("one"), elsewhere("other")
    told(one)
    assert other.desk().dnc().numbers("sandbox") == {}
    with pytest.raises(Refused, match="do-not-call"):
        Client(line=other).send(PLACE)
    assert world.rings() == []
    assert [*archive.troubles(one.desk().journal())] == []


def test_the_lead_with_this_number_is_unsubscribed_and_no_other(world: World, line: Line) -> None:
    client = Client(line=line)
    lead = next(one for one in client.send(ListLeads(limit=200)).data if one.status != "Unsubscribed")
    assert lead.phone_number
    done = told(line, BlockNumber(phone_number=lead.phone_number))
    assert done.leads_unsubscribed == (lead.id,)
    assert "1 lead is set to Unsubscribed." in done.note
    after = {one.id: one.status for page in client.pages(ListLeads(limit=200)) for one in page.data}
    assert after.pop(lead.id) == "Unsubscribed"
    assert told(line, BlockNumber(phone_number=lead.phone_number)).leads_unsubscribed == ()
    assert after == {
        one.id: one.status
        for page in client.pages(ListLeads(limit=200))
        for one in page.data
        if one.id != lead.id
    }


def test_all_pages_are_read_and_only_this_number_is_changed(live: Callable[..., Line], home: Path) -> None:
    leads = Leads(
        {"id": "l1"},
        {"id": "l2", "status": "Unsubscribed"},
        {"id": "l3", "phone_number": "+493055501401"},
        {"id": "l4", "phone_number": "1 (415) 555-0123"},
        {"id": "l5", "phone_number": None},
        {"id": "l6"},
    )
    done = told(live(), transport=leads.transport)
    assert done.leads_unsubscribed == ("l1", "l4", "l6")
    assert "3 leads are set to Unsubscribed." in done.note
    assert [one for one in leads.asked if one.startswith("PATCH")] == [
        f"PATCH /v1/leads/{name}" for name in done.leads_unsubscribed
    ]
    assert leads.leads["l3"]["status"] == "New"


def test_many_numbers_are_looked_for_in_one_walk_over_the_leads(
    live: Callable[..., Line], home: Path
) -> None:
    line = live()
    leads = Leads(
        {"id": "l1"},
        {"id": "l2", "phone_number": "+493055501401"},
        {"id": "l3", "phone_number": "+14155550199"},
    )
    client = Client(line=line, transport=leads.transport)
    done = client.run(blocked((NUMBER, "+493055501401"), None, line.desk()))
    assert [*done.leads] == ["l1", "l2"]
    assert done.note() == "2 numbers are blocked for the account live. 2 leads are set to Unsubscribed."
    assert {*line.desk().dnc().numbers("live")} == {NUMBER, "+493055501401"}


@pytest.mark.parametrize(
    ("refuse", "words"),
    [
        (refusing("GET", 403), "Leads could not all be looked at, and campaigns may still call: .*403"),
        (refusing("GET", 500), "Leads could not all be looked at, and campaigns may still call: .*500"),
        (refusing("PATCH", 403), "1 lead is not unsubscribed, and campaigns may still call: .*leads:write"),
        (refusing("PATCH", 500), "1 lead is not unsubscribed, and campaigns may still call: .*500"),
    ],
)
def test_what_topcalls_does_not_do_is_said_and_the_number_is_blocked(
    live: Callable[..., Line], home: Path, refuse: Any, words: str
) -> None:
    line = live()
    done = told(line, transport=Leads({"id": "l1"}, refuse=refuse).transport)
    assert done.ok
    assert re.search(words, done.note), done.note
    assert NUMBER in line.desk().dnc().numbers("live")


def test_a_lead_whose_id_cannot_be_sent_keeps_nobody_from_the_rest(
    live: Callable[..., Line], home: Path
) -> None:
    done = told(live(), transport=Leads({"id": "no/id"}, {"id": "l2"}).transport)
    assert done.leads_unsubscribed == ("l2",)
    assert "1 lead is not unsubscribed" in done.note


def test_a_number_too_short_for_a_lead_is_blocked_without_a_look(
    live: Callable[..., Line], home: Path
) -> None:
    line, leads = live(), Leads()
    assert told(line, BlockNumber(phone_number="+4912345"), leads.transport).ok
    assert leads.asked == []
    assert "+4912345" in line.desk().dnc().numbers("live")


@pytest.fixture
def kept(home: Path) -> Path:
    """A home with a journal in it."""
    home.mkdir(exist_ok=True)
    Journal(home / "journal.db").close()
    return home


BROKEN = ["locked", "corrupt", "directory", "missing", "policy", "contacts", "secret", "torn list"]


@pytest.mark.parametrize("breakage", BROKEN)
def test_nothing_that_is_broken_here_stands_in_its_way(keyed: World, kept: Path, breakage: str) -> None:
    other = sqlite3.connect(kept / "journal.db", isolation_level=None)
    match breakage:
        case "locked":
            other.execute("BEGIN EXCLUSIVE")
        case "corrupt":
            (kept / "journal.db").write_bytes(os.urandom(50_000))
        case "directory":
            (kept / "journal.db").unlink()
            (kept / "journal.db").mkdir()
        case "missing":
            (kept / "journal.db").unlink()
        case "policy":
            (kept / "policy.toml").write_text("approval = [")
        case "contacts":
            (kept / "contacts.toml").write_text("name = ")
        case "secret":
            (kept / "secret").write_bytes(b"short")
        case "torn list":
            (kept / "dnc.log").write_text('{"account": "sand')
    line = Line(Settings.load())
    done = told(line)
    line.close()
    other.close()
    assert done.ok
    last = json.loads((kept / "dnc.log").read_text().splitlines()[-1])
    assert (last["account"], last["number"]) == ("sandbox", NUMBER)
    untold = breakage in ("locked", "corrupt", "directory", "secret")
    assert ("The journal could not be told" in done.note) is untold, done.note
    assert ("Nothing at all can be called meanwhile" in done.note) is (breakage == "torn list")


SCRIPT = """
import os, resource, signal, sys
from topcalls_tools import Client, GetBalance
from topcalls_tools.deeds import BlockNumber
from topcalls_tools.errors import TopCallsError
import topcalls_tools.journal.blocking, topcalls_tools.journal.heads, alembic.command, sqlalchemy.dialects.sqlite.pysqlite
import phonenumbers.geodata
if os.environ.get("TOPCALLS_JOURNAL"):
    import psycopg, sqlalchemy.dialects.postgresql.psycopg

client = Client()
client.send(GetBalance())  # all that nobody may read is loaded
if sys.argv[1] == "full":
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
elif os.geteuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
try:
    print(client.send(BlockNumber(phone_number="+14155550123")).note)
except TopCallsError as error:
    print(error)
"""


def told_by(breakage: str, kept: Path, **env: str) -> str:
    """What a process says whose disk is full, or whose home it may not write to."""
    for path in kept.iterdir():
        path.chmod(0o444)
    for path in (kept, *kept.parents[:3]):
        path.chmod(0o555)
    try:
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT, breakage],
            capture_output=True, text=True, timeout=100, check=False, env={**os.environ, **env},
        )  # fmt: skip
    finally:
        for path in (kept, *kept.parents[:3]):
            path.chmod(0o755)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize("breakage", ["full", "read-only"])
def test_where_neither_file_nor_journal_can_be_written_it_is_an_error_in_words(
    keyed: World, kept: Path, breakage: str
) -> None:
    Line(Settings.load()).desk().secret()
    said = told_by(breakage, kept)
    assert said.startswith("Nothing is blocked: ")
    assert "dnc.log cannot be written" in said
    assert "Do not call" in said
    assert "No lead had to be unsubscribed." in said, "what TopCalls can do is done all the same"


@pytest.mark.parametrize("breakage", ["full", "read-only"])
def test_where_the_file_cannot_be_written_a_journal_that_can_is_enough(
    keyed: World, kept: Path, database: str, breakage: str
) -> None:
    Journal(database).close()
    env = {"TOPCALLS_JOURNAL": database, "TOPCALLS_SECRET": "shared by all"}
    said = told_by(breakage, kept, **env)
    assert said.startswith("The number is blocked by the journal alone: ")
    line = Line(Settings.load(journal=database, secret="shared by all"))
    with pytest.raises(Refused, match="do-not-call"):
        Client(line=line).send(PLACE)
    line.close()
    assert keyed.rings() == []


def test_before_it_is_on_the_disk_no_journal_no_guard_and_no_policy_is_loaded(home: Path) -> None:
    code = """
import os, sys, httpx
from topcalls_tools.client import Client
from topcalls_tools.connect import Line
from topcalls_tools.deeds import BlockNumber
from topcalls_tools.settings import Settings
loaded, flush = [], os.fsync
def fsync(descriptor):
    flush(descriptor)
    heavy = ("topcalls_tools.journal", "topcalls_tools.guard", "topcalls_tools.polic", "sqlalchemy", "topcalls_tools.flow.consent")
    loaded.append([name for name in sys.modules if name.startswith(heavy)])
os.fsync = fsync
line = Line(Settings(api_key="tc_live_12345678"))
transport = httpx.MockTransport(lambda request: httpx.Response(200, json={"items": []}))
assert Client(line=line, transport=transport).send(BlockNumber(phone_number="+14155550123")).ok
print(loaded[0])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "[]", done.stdout + done.stderr
