"""The journal: every question, yes and dial, flushed before anything is sent. Each method is one
transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Executable

from ..errors import Refused
from . import AskRow, Decision, DialRow, Inquiry, Ledger, State, Yes
from . import statements as say
from .engine import Storage
from .evidence import Link, answered, append, asked
from .ledger import count, ledger
from .rows import as_asks, as_dials, stored
from .tables import asks, dials

OPEN_ASKS = 3
"""How many questions of one account may be open at once."""
Judge = Callable[[Ledger, datetime], None]
"""Judges a deed inside the transaction, by the ledger and when the yes was given; raises to undo it."""


class Journal:
    """The journal in a file, or in PostgreSQL by its URL. A store that cannot be used is a refusal in words.

    `told` hears the number and hash of the last link of evidence, each time that there is a new one.
    """

    def __init__(
        self, where: Path | str, patience: float = 10, told: Callable[[str], None] | None = None
    ) -> None:
        self.storage = Storage(where, patience)
        self.purged_at: datetime | None = None
        """When this process last forgot what is old."""
        self._told = told

    def close(self) -> None:
        """Close its connections."""
        self.storage.close()

    def ledger(self, inquiry: Inquiry, now: datetime) -> Ledger:
        """What the journal knows that bears on a deed."""
        with self.storage.reading() as db:
            return ledger(db, inquiry, now)

    def ledger_of(self, digest: str, inquiry: Inquiry, now: datetime) -> Ledger:
        """The same before a deed with this digest, which may be done already and not count against itself."""
        with self.storage.reading() as db:
            key = db.scalar(say.SAME_ASK, {"account": inquiry.account, "digest": digest, "now": now})
            return ledger(db, replace(inquiry, besides=key or ""), now)

    def open_ask(self, mine: AskRow) -> AskRow:
        """The question that is open, or was answered, for this very deed; else `mine`, written down. Where it
        is asked once more, the most that it can use is what is shown now.

        Raises Refused when the key belongs to another account name, or too many questions are open.
        """
        now = mine.asked_at
        alive = {"account": mine.account, "now": now}
        with self.writing() as db:
            named(db, mine)
            for row in _asks(db, say.SAME_ASK, **alive, digest=mine.digest):
                if row.decision is not None or row.minutes == mine.minutes:
                    return row
                db.execute(say.MOST, {"this": row.key, "most": mine.minutes})
                row = replace(row, minutes=mine.minutes, question=mine.question)
                append(db, asked(row, now))
                return row
            if (count := db.scalar(say.UNANSWERED, alive) or 0) >= OPEN_ASKS:
                raise Refused(
                    "open-questions",
                    f"{count} questions are open already; have one of them answered (topcalls approvals), or "
                    "wait 10 minutes.",
                )
            db.execute(say.SLIPS_OVER, {"now": now})
            db.execute(say.NEW_ASK, stored(mine, asks))
            append(db, asked(mine, now))
            return mine

    def others(self, mine: DialRow, call_ids: list[str]) -> set[str]:
        """Those of some calls that other dials have made."""
        with self.storage.reading() as db:
            return set(db.scalars(say.OTHERS, {"key": mine.key, "calls": call_ids}))

    def asked(self, key: str) -> AskRow | None:
        """The question with this key."""
        with self.storage.reading() as db:
            return next(iter(_asks(db, say.ASK, key=key)), None)

    def open_asks(self, now: datetime) -> list[AskRow]:
        """Every question that waits for a person, of all accounts, oldest first."""
        with self.storage.reading() as db:
            return _asks(db, say.OPEN_ASKS, now=now)

    def decide(
        self, key: str, decision: Decision, by: str, now: datetime, shown: float | None = None
    ) -> AskRow:
        """Write an answer down, and give the question as it stands: the first answer counts, and none after
        its time, or to more minutes than were `shown`. A no is final for this key."""
        with self.writing() as db:
            (row,) = _asks(db, say.ASK, key=key)
            if row.decision is not None or row.expires_at <= now or shown not in (None, row.minutes):
                return row
            db.execute(say.ANSWERED, {"this": key, "said": decision, "at": now, "way": by})
            if decision == "no":
                _spend(db, key, now)
            row = replace(row, decision=decision, decided_at=now, by=by)
            append(db, answered(row))
            return row

    def close_ask(self, key: str, now: datetime, *, used: bool = False) -> None:
        """Let a question lapse, so that the same deed may be asked about anew. One whose yes was `used` only
        where the deed surely did not happen: another window may be doing it."""
        with self.writing() as db:
            _lapse(db, key, now, used)

    def slip(self, key: str, slip: str, box: str, until: datetime) -> None:
        """Keep the digest of the slip that redeems a question, and what it redeems, sealed."""
        with self.writing() as db:
            db.execute(say.NEW_SLIP, {"slip": slip, "key": key, "expires_at": until, "box": box})

    def by_slip(self, slip: str, now: datetime) -> AskRow | None:
        """The question that a slip belongs to; what expired slips redeemed is erased."""
        with self.writing() as db:
            db.execute(say.SLIPS_OVER, {"now": now})
            return next(iter(_asks(db, say.ASK_OF_SLIP, slip=slip)), None)

    def use(self, yes: Yes, now: datetime, judge: Judge, inquiry: Inquiry) -> AskRow:
        """Use a yes up, once. Gives the row as it was before: `used_at` tells whether somebody was first."""
        with self.writing() as db:
            before = _alive(db, yes.ask.key, now)
            if before.used_at is None:
                judge(ledger(db, inquiry, now), before.decided_at or yes.at)
                request = Link(before.account, now, "request", before.key, {"tool": before.tool})
                append(db, *_used(db, before, yes, now), request)
            return before

    def record(self, mine: AskRow, reply: dict[str, Any], now: datetime) -> None:
        """Keep what became of a yes that adds or deletes."""
        with self.writing() as db:
            append(db, Link(mine.account, now, "outcome", mine.key, {"state": "done"}, {"reply": reply}))

    def claim(self, mine: DialRow, yes: Yes, judge: Judge, inquiry: Inquiry) -> tuple[DialRow, bool]:
        """Write a dial down, or give the one that already has this key; the second value says whether it
        is ours."""
        now = mine.sent_at
        with self.writing() as db:
            if earlier := _dials(db, say.DIAL, key=mine.key):
                return earlier[0], False
            before = _alive(db, mine.key, now)
            mine = replace(mine, agreed_at=before.decided_at or yes.at)
            judge(ledger(db, inquiry, now), mine.agreed_at)
            db.execute(say.NEW_DIAL, stored(mine, dials))
            count(db, mine.account, now, mine.minutes)
            facts = {"tool": mine.tool, "minutes": mine.minutes}
            request = Link(mine.account, now, "request", mine.key, facts, {"arguments": mine.arguments})
            append(db, *_used(db, before, yes, now), request)
            return mine, True

    def take_over(self, key: str, now: datetime, lease: timedelta) -> tuple[DialRow, bool]:
        """Take a dial whose sender's lease has run out; the second value says whether it is ours now."""
        with self.writing() as db:
            row = _found(db, key)
            if row.state != "sending" or now - row.leased_at <= lease:
                return row, False
            db.execute(say.TAKEN, {"this": key, "now": now})
            return replace(row, leased_at=now), True

    def settle(
        self, mine: DialRow, state: State, now: datetime, reply: dict[str, Any] | None = None
    ) -> DialRow:
        """Write down what became of a dial, and give it as it stands. One that was taken over, or is settled,
        stays as it is; one that surely did not happen lets its question lapse."""
        over = state == "failed"
        closed_at, used_minutes = (now, 0.0) if over else (None, None)
        call_id = ((reply or {}).get("call_id") or "").replace("\0", r"\0") or None  # PostgreSQL holds no NUL
        told = {"outcome": state, "call": call_id, "closed": closed_at, "used": used_minutes}
        with self.writing() as db:
            ours = {"this": mine.key, "lease": mine.leased_at, "now": now}
            if not db.execute(say.SETTLED, {**ours, **told}).rowcount:
                return _found(db, mine.key)
            facts = {"state": state, "call_id": call_id}
            content = {"reply": reply} if reply else None
            append(db, Link(mine.account, now, "outcome", mine.key, facts, content))
            if over:
                count(db, mine.account, mine.sent_at, -mine.minutes)
                _lapse(db, mine.key, now, True)
        settled = replace(mine, state=state, settled_at=now, reply=reply, call_id=call_id)
        return replace(settled, closed_at=closed_at, used_minutes=used_minutes)

    def close_dial(self, mine: DialRow, used_minutes: float, now: datetime, **said: Any) -> None:
        """Settle what a dial has used, once: nothing more can come of it. `said` is what was heard of it."""
        with self.writing() as db:
            if db.execute(say.CLOSED, {"this": mine.key, "used": used_minutes, "now": now}).rowcount:
                count(db, mine.account, mine.sent_at, used_minutes - mine.minutes)
                facts = {"used_minutes": used_minutes, **said}
                append(db, Link(mine.account, now, "closed", mine.key, facts))

    def dial(self, key: str) -> DialRow:
        """The dial with this key; the question's key is the dial's."""
        with self.storage.reading() as db:
            return _found(db, key)

    def open_dials(self, account: str) -> list[DialRow]:
        """The dials of an account whose minutes are not settled, oldest first."""
        with self.storage.reading() as db:
            return _dials(db, say.OPEN_DIALS, account=account)

    def dials(self, account: str) -> list[DialRow]:
        """The dials of an account, newest first."""
        with self.storage.reading() as db:
            return _dials(db, say.DIALS, account=account)

    def stop_all(self, account: str, at: datetime) -> None:
        """From now on no yes that was given before dials, on any machine that shares this journal."""
        with self.writing() as db:
            if not db.execute(say.STOPPED, {"this": account, "now": at}).rowcount:
                db.execute(say.NEW_STOP, {"account": account, "at": at})
            append(db, Link(account, at, "stop-all", account, {}))

    def stopped(self, account: str, at: datetime, what: str, facts: dict[str, Any]) -> None:
        """Note that something was stopped: evidence of a brake, after the fact."""
        with self.writing() as db:
            append(db, Link(account, at, "stop", what, facts))

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One transaction that writes; the last link of evidence is told once it is on the disk."""
        with self.storage.writing() as db:
            db.info.pop("head", None)
            yield db
            head = db.info.pop("head", None)
        if head and self._told:
            self._told(head)


def _asks(db: Connection, statement: Executable, **given: Any) -> list[AskRow]:
    return as_asks(db, db.execute(statement, given).mappings().all())


def _dials(db: Connection, statement: Executable, **given: Any) -> list[DialRow]:
    return as_dials(db, db.execute(statement, given).mappings().all())


def named(db: Connection, mine: AskRow) -> None:
    """An account keeps one name for one key."""
    known = db.scalar(say.LINE, {"line": mine.line})
    if known is None:
        db.execute(say.NEW_LINE, {"line": mine.line, "account": mine.account})
    elif known != mine.account:
        raise Refused(
            "one-key-one-account",
            f"This key is known as the account {known}; set TOPCALLS_ACCOUNT={known}, or use another key.",
        )


def _alive(db: Connection, key: str, now: datetime) -> AskRow:
    row = next(iter(_asks(db, say.ASK, key=key)), None)
    if row is None or row.expires_at <= now:
        raise Refused("yes-expired", "This yes is more than 10 minutes old; call again to be asked anew.")
    if row.decision == "no":
        raise Refused(
            "one-answer", "The person said no to this question; ask them before anything else is tried."
        )
    return row


def _used(db: Connection, row: AskRow, yes: Yes, now: datetime) -> tuple[Link, ...]:
    """Use a yes up. Gives the link that tells of it, where it was not written down before."""
    if row.decision is not None:
        _spend(db, row.key, now)
        return ()
    db.execute(say.AGREED, {"this": row.key, "said": "yes", "at": yes.at, "way": yes.by, "now": now})
    db.execute(say.SPENT, {"this": row.key})
    return (answered(replace(row, decision="yes", decided_at=yes.at, by=yes.by)),)


def _lapse(db: Connection, key: str, now: datetime, used: bool) -> None:
    if db.execute(say.LAPSED if used else say.LAPSED_UNUSED, {"this": key, "now": now}).rowcount:
        db.execute(say.SPENT, {"this": key})
        account = next(iter(row["account"] for row in db.execute(say.ASK, {"key": key}).mappings()), "")
        append(db, Link(account, now, "lapsed", key, {}))


def _spend(db: Connection, key: str, now: datetime) -> None:
    db.execute(say.USED, {"this": key, "now": now})
    db.execute(say.SPENT, {"this": key})


def _found(db: Connection, key: str) -> DialRow:
    for row in _dials(db, say.DIAL, key=key):
        return row
    raise Refused("journal", "The journal has lost this dial; look at list_calls before calling again.")
