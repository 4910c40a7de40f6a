"""What the owner does with the journal: look up, verify, take out as a file, forget."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, and_, exists, insert, or_, select, union

from ..errors import Refused
from . import AskRow, DialRow, deliveries, evidence
from .audit import differences
from .evidence import Link
from .rows import as_asks, as_dials
from .statements import ASK, DIAL
from .store import Journal
from .tables import asks, dials, do_not_call, personal

AT_ONCE = 200
"""How many old rows are forgotten by the way, before a dial."""
EVERY = timedelta(minutes=5)
"""How often that is done."""


def listed(journal: Journal, most: int) -> list[tuple[AskRow, DialRow | None]]:
    """The newest questions of all accounts, each with the dial that came of it."""
    with journal.storage.reading() as db:
        rows = db.execute(select(asks).order_by(asks.c.asked_at.desc()).limit(most)).mappings().all()
        keys = [row["key"] for row in rows]
        rung = db.execute(select(dials).where(dials.c.key.in_(keys))).mappings().all()
        dial_of = {dial.key: dial for dial in as_dials(db, rung)}
        return [(ask, dial_of.get(ask.key)) for ask in as_asks(db, rows)]


def key_of(journal: Journal, name: str) -> str:
    """The key that somebody means by it, by its beginning, or by the call that came of it.

    Raises Refused where there is none, or are several.
    """
    with journal.storage.reading() as db:
        begins = asks.c.key.startswith(name, autoescape=True)
        called = select(dials.c.key).where(dials.c.call_id == name)
        found = db.scalars(select(asks.c.key).where(or_(begins, asks.c.key.in_(called))).limit(2)).all()
    if len(found) != 1 or len(name) < 4:
        several = "several questions" if len(found) > 1 else "no question"
        raise Refused("journal", f"There is {several} by that name; topcalls journal list shows their keys.")
    return str(found[0])


def exported(journal: Journal, key: str) -> dict[str, Any]:
    """Everything about one question and its dial as JSON, with its links of the chain of evidence."""
    with journal.storage.reading() as db:
        (ask,) = as_asks(db, db.execute(ASK, {"key": key}).mappings().all())
        dial = next(iter(as_dials(db, db.execute(DIAL, {"key": key}).mappings().all())), None)
        links = evidence.entries(db, key)
        return {
            "question": _json(asdict(ask), leave=("box",)),
            "dial": _json(asdict(dial)) if dial else None,
            "evidence": [_json(asdict(link)) for link in links],
            "head": evidence.head(db),
        }


def troubles(journal: Journal, heads: frozenset[str] = frozenset()) -> Iterator[str]:
    """What is wrong with the evidence, a sentence each; where nothing is, what the tables hold otherwise."""
    holds = True
    with journal.storage.reading() as db:
        for trouble in evidence.troubles(db, heads):
            holds = False
            yield trouble
        if holds:
            yield from differences(db)


def head(journal: Journal) -> str:
    """The number and hash of the last link of evidence."""
    with journal.storage.reading() as db:
        return evidence.head(db)


def purge_at_times(journal: Journal, keeps: timedelta, now: datetime) -> None:
    """Forget a little of what is older than it is kept, at most every few minutes in each process."""
    if journal.purged_at is None or now - journal.purged_at > EVERY:
        journal.purged_at = now
        purge(journal, now - keeps, now)


def purge(journal: Journal, before: datetime, now: datetime, most: int = AT_ONCE) -> int:
    """Forget what is personal and from before, and what webhooks told, oldest first; gives of how many
    questions. Dials that are not closed keep it."""
    deliveries.purge(journal, before, most)
    with journal.storage.reading() as db:
        going = exists().where(and_(dials.c.key == personal.c.key, dials.c.closed_at.is_(None)))
        old = select(personal.c.key).where(personal.c.at < before, ~going).order_by(personal.c.at).limit(most)
        keys = list(dict.fromkeys(db.scalars(old)))
    if keys:
        with journal.writing() as db:
            _erase(db, keys, now, "age")
    return len(keys)


def forget(journal: Journal, number: str, now: datetime, callee: str | None = None) -> int:
    """Forget a number: everything personal of each question about it. Gives of how many.

    Where `callee` is given, the number's digest under the owner's secret is kept, so that it is not called
    again. Raises Refused while a call to it is not closed.
    """
    with journal.writing() as db:
        about = personal.c.content.contains(number, autoescape=True)
        held = db.execute(select(personal.c.key, personal.c.content).where(about))
        whole = re.compile(re.escape(number) + r"(?![0-9])")  # not the beginning of a longer one
        keys = list(dict.fromkeys(key for key, content in held if whole.search(content)))
        going = dials.c.closed_at.is_(None) & dials.c.key.in_(keys)
        if db.scalar(select(dials.c.key).where(going).limit(1)):
            raise Refused(
                "forget",
                "A call to this number may still be under way; topcalls journal settle closes it once it has "
                "ended, then forget it.",
            )
        _erase(db, keys, now, "asked")
        if callee and not db.scalar(select(do_not_call.c.number).where(do_not_call.c.number == callee)):
            db.execute(insert(do_not_call).values(number=callee, at=now))
            evidence.append(db, Link("", now, "blocked", callee, {}))
    journal.storage.scrub()
    return len(keys)


def _erase(db: Connection, keys: list[str], now: datetime, why: str) -> None:
    evidence.forget(db, keys)
    named = union(*(select(of.c.key, of.c.account).where(of.c.key.in_(keys)) for of in (asks, dials)))
    links = [Link(account, now, "erased", key, {"why": why}) for key, account in sorted(db.execute(named))]
    if links:
        evidence.append(db, *links)


def _json(row: dict[str, Any], leave: tuple[str, ...] = ()) -> dict[str, Any]:
    """A row as JSON: times as text, nothing that is absent."""
    kept = {name: value for name, value in row.items() if value is not None and name not in leave}
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in kept.items()}
