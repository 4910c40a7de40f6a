"""What the journal and the question cost around a dial, and whether a million rows make it slower."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import time
from collections.abc import Callable, Iterable
from contextlib import closing
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

from topcalls_tools import PlaceCall
from topcalls_tools.connect import Line, utc_now
from topcalls_tools.flow import perform
from topcalls_tools.journal.store import Journal
from topcalls_tools.settings import Settings
from topcalls_tools.steps import Answer, Ask, Keep, Send
from topcalls_tools.wire import Reply

from .measure import Racer, Row, race

LITTLE, MUCH = 1_000, 1_000_000
TODAY = 500
"""Dials of the last 24 hours, in each: their minutes are added up before the next."""
AT_MOST = 5.0, 3
"""What a dial may cost: milliseconds, and commits that are on the disk."""
_NUMBERS = count()


async def rows(home: Path) -> list[Row]:
    """The bar, and a journal with a million dials beside one with a thousand."""
    with closing(_line(home / "few", LITTLE)) as few, closing(_line(home / "many", MUCH)) as many:
        commit = _commit(home / "commit.db")

        def allowed() -> float:
            return AT_MOST[0] / 1000 + AT_MOST[1] * commit()

        what = f"journal around a dial, beside {AT_MOST[0]:g} ms + {AT_MOST[1]} commits"
        bar = await race(what, _dial(few), allowed, bar=1.0, each=5)
        sizes = f"journal of {MUCH} dials beside {LITTLE}"
        return [bar, await race(sizes, _dial(many), _dial(few), bar=1.5, each=5)]


def _line(home: Path, size: int) -> Line:
    """A live line to nowhere over a journal of so many dials, all closed, spread over 90 days up to now."""
    home.mkdir()
    Journal(home / "journal.db").close()
    _fill(home / "journal.db", size)
    return Line(Settings(api_key="tc_live_benchmark", base_url="https://topcalls.invalid", home=home))


def _dial(line: Line) -> Racer:
    """One dial, its steps done by hand: TopCalls answers at once, and so does the person.

    Gives the seconds without those of closing it, which keeps the number of open calls as it is.
    """
    ready = {"GET": Reply(200, b'{"remaining": 500000}'), "POST": Reply(201, b'{"call_id": "c1"}')}

    def dial() -> float:
        task = f"Ask whether they are open on day {next(_NUMBERS)}."
        began = time.perf_counter()
        flow = perform(PlaceCall(phone_number="+14155550123", task=task), line.desk())
        outcome: Any = None
        try:
            while True:
                match flow.send(outcome):
                    case Keep(work):
                        outcome = work()
                    case Send(request):
                        outcome = ready[request.method]
                    case Ask() as ask:
                        outcome = Answer(True, ask.seal)
        except StopIteration:
            took = time.perf_counter() - began
        journal = line.desk().journal()
        for row in journal.open_dials(line.account):
            journal.close_dial(row, 0, line.clock())
        return took

    return dial


def _commit(path: Path) -> Callable[[], float]:
    """One small transaction on the same disk, flushed: its seconds."""
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("PRAGMA synchronous=FULL")
    db.execute("CREATE TABLE rows (key INTEGER PRIMARY KEY, text TEXT)")

    def commit() -> float:
        began = time.perf_counter()
        db.execute("BEGIN IMMEDIATE")
        db.execute("INSERT INTO rows (text) VALUES (?)", ("x" * 100,))
        db.execute("COMMIT")
        return time.perf_counter() - began

    return commit


def _fill(path: Path, size: int) -> None:
    """Write dials straight into the tables, each with its question, its words and its links of evidence."""
    now, start = utc_now(), "0" * 64

    def at(number: int) -> str:
        back = timedelta(days=90) * (1 - number / size) if number < size - TODAY else timedelta(hours=1)
        return (now - back - timedelta(hours=2)).strftime("%Y-%m-%d %H:%M:%S.%f")

    def key(number: int) -> str:
        return hashlib.md5(b"%d" % number).hexdigest()  # in no order, as keys are

    words = json.dumps({"target": "+14155550199", "question": None, "arguments": {"task": "Ask. " * 20}})
    facts = json.dumps({"tool": "place_call", "minutes": 10})
    asks = (
        (key(n), "live", "line", "place_call", key(n), 10, at(n), at(n), "yes", at(n)) for n in range(size)
    )
    dials = (
        (key(n), "live", "line", "place_call", key(n), 10, "placed", *[at(n)] * 4, f"call{n}", 0.01, at(n))
        for n in range(size)
    )
    links = (
        (
            n + 1,
            "live",
            at(n),
            "request",
            key(n),
            facts,
            n + 1,
            start,
            start,
            hashlib.sha256(b"%d" % n).hexdigest(),
        )
        for n in range(size)
    )
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("PRAGMA synchronous=OFF")
        _insert(db, "asks", "key account line tool digest minutes asked_at expires_at decision used_at", asks)
        moments = "agreed_at sent_at leased_at settled_at"
        told = f"key account line tool digest minutes state {moments} call_id used_minutes closed_at"
        _insert(db, "dials", told, dials)
        known = ((key(n), at(n), "salt", words) for n in range(size))
        _insert(db, "personal", "key at salt content", known)
        _insert(db, "evidence", "seq account at kind key facts personal digest previous hash", links)


def _insert(db: sqlite3.Connection, table: str, columns: str, rows: Iterable[tuple[Any, ...]]) -> None:
    names = columns.split()
    holes = ", ".join("?" * len(names))
    db.executemany(f"INSERT INTO {table} ({', '.join(names)}) VALUES ({holes})", rows)
