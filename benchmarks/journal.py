"""What the journal and the question cost around a dial, and whether a million rows make it slower."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import Any

from topcalls_tools import PlaceCall
from topcalls_tools.connect import Line
from topcalls_tools.flow import perform
from topcalls_tools.flow.steps import Answer, Ask, Keep, Send
from topcalls_tools.guard.policy import policy
from topcalls_tools.journal.store import Journal
from topcalls_tools.policies import accept
from topcalls_tools.settings import Settings
from topcalls_tools.wire import Reply

from .measure import Racer, Row, race

LITTLE, MUCH = 1_000, 1_000_000
TODAY = 2_000
"""Dials of the last 24 hours, whose minutes are added up before each dial; in a small journal half of it."""
AT_MOST = 5, 3
"""What may stand around a dial: milliseconds, and commits that are on the disk."""

OWNER = {  # limits that no dial of these meets, so that each of them is added up
    "caller": "Ann Meyer",
    "hours": "00:00-24:00",
    "minutes_per_day": 1_000_000,
    "minutes_per_month": 10_000_000,
    "calls_per_day": 1_000_000,
    "calls_at_once": 1_000_000,
}

# Keys are random, as those of questions are, so that a new one may belong on any page of an index.
_FILL = """
PRAGMA journal_mode = OFF;
PRAGMA cache_size = -600000;
BEGIN;
CREATE TEMP TABLE rows AS
    WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {size})
    SELECT
        n,
        lower(hex(randomblob(16))) AS key,
        strftime(
            '%Y-%m-%d %H:%M:%f000',
            'now',
            -iif(n > {size} - {today}, 1 + 22.0 * ({size} - n) / {today}, 24 + 2100.0 * ({size} - n) / {size})
            || ' hours'
        ) AS at
    FROM numbers;
INSERT INTO asks
    (key, account, line, tool, digest, minutes, asked_at, expires_at, decision, decided_at, by, used_at)
    SELECT key, 'live', 'line', 'place_call', key, 10, at, at, 'yes', at, 'form', at FROM rows;
INSERT INTO dials
    (key, account, line, tool, digest, minutes, state, agreed_at, sent_at, leased_at, settled_at, call_id,
        used_minutes, closed_at, callee)
    SELECT key, 'live', 'line', 'place_call', key, 10, 'placed', at, at, at, at, 'call-' || key, 0.01, at,
        key || key
    FROM rows;
INSERT INTO personal (id, key, at, salt, content)
    SELECT n, key, at, key, '{{"arguments": {{"task": "' || hex(randomblob(60)) || '"}}}}' FROM rows;
INSERT INTO evidence (seq, account, at, kind, key, facts, personal, digest, previous, hash)
    SELECT n, 'live', at, 'request', key, '{{"tool": "place_call", "minutes": 10.0}}', n, key || key,
        key || key, lower(hex(randomblob(32)))
    FROM rows;
COMMIT;
"""
_NUMBERS = count()


async def rows(home: Path) -> list[Row]:
    """A dial beside what it may cost, and in a journal of a million dials beside one of a thousand."""
    with closing(_line(home / "few", LITTLE)) as few, closing(_line(home / "many", MUCH)) as many:
        with closing(_plain(home / "commits.db")) as plain:
            what = f"journal around a dial, beside {AT_MOST[0]} ms + {AT_MOST[1]} commits"
            bar = await race(what, _dial(few), _allowed(plain), bar=1, each=5)
        sizes = f"journal around a dial, {MUCH} dials beside {LITTLE}"
        return [bar, await race(sizes, _dial(many), _dial(few), bar=1.5, each=5)]


def _line(home: Path, size: int) -> Line:
    """A live line to nowhere, over a journal of so many dials: all are over, and spread over 89 days,
    so that none of it is forgotten meanwhile."""
    home.mkdir()
    file = home / "journal.db"
    Journal(file).close()
    with closing(sqlite3.connect(file, isolation_level=None)) as db:
        db.executescript(_FILL.format(size=size, today=min(TODAY, size // 2)))
    settings = Settings(
        api_key="tc_live_benchmark", base_url="https://topcalls.invalid", home=home, lines=OWNER
    )
    accept(settings, "live", True, policy(OWNER, "personal"), settings.secret_bytes())
    return Line(settings)


def _dial(line: Line) -> Callable[[], float]:
    """A dial whose steps are done by hand: TopCalls answers at once, and the person says yes at once.

    Gives its seconds, and then closes it, so that the next one finds as many open calls.
    """
    replies = {
        "/v1/balance": Reply(200, b'{"remaining": 500000}'),
        "/v1/phone-numbers": Reply(
            200, b'{"data": [{"id": "n", "number": "+14155550199", "status": "active"}]}'
        ),
        "/v1/calls": Reply(201, b'{"call_id": "c1"}'),
    }

    def dial() -> float:
        number = next(_NUMBERS)
        request = PlaceCall(
            phone_number=f"+1415555{number % 8000 + 2000}", task="Ask whether Monday suits them."
        )
        began = time.perf_counter()
        flow = perform(request, line.desk())
        outcome: Any = None
        try:
            while True:
                match flow.send(outcome):
                    case Keep(work):
                        outcome = work()
                    case Send(sent):
                        outcome = replies[sent.path]
                    case Ask() as ask:
                        outcome = Answer(True, ask.seal)
        except StopIteration:
            took = time.perf_counter() - began
        journal = line.desk().journal()
        for row in journal.open_dials(line.account):
            journal.close_dial(row, 0, line.clock())
        return took

    return dial


def _plain(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    db.execute("CREATE TABLE rows (key INTEGER PRIMARY KEY, text TEXT)")
    return db


def _allowed(db: sqlite3.Connection) -> Racer:
    """What a dial may take, by what one small transaction takes to be on the same disk."""
    milliseconds, commits = AT_MOST

    def commit() -> float:
        began = time.perf_counter()
        db.execute("BEGIN IMMEDIATE")
        db.execute("INSERT INTO rows (text) VALUES (?)", ("x" * 100,))
        db.execute("COMMIT")
        return milliseconds / 1000 + commits * (time.perf_counter() - began)

    return commit
