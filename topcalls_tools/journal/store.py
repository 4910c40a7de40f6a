"""The journal: every question, yes and dial, flushed before anything is sent. Each method is one
transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from ..errors import Refused
from . import AskRow, Decision, DialRow, Inquiry, Ledger, State, Yes, evidence
from .engine import Storage
from .ledger import ledger
from .rows import as_ask, as_dial, stored
from .tables import asks, dials, lines, stops

OPEN_ASKS = 3
"""How many questions of one account may be open at once."""
Judge = Callable[[Ledger, datetime], None]
"""Judges a deed inside the transaction, by what the ledger says and when the yes was given; raises to leave
nothing behind."""


class Journal:
    """The journal in a file, or in PostgreSQL by its URL. A store that cannot be used is a refusal in words.

    `told` hears the number and hash of the last link of evidence, each time that there is a new one.
    """

    def __init__(
        self, where: Path | str, patience: float = 10, told: Callable[[str], None] | None = None
    ) -> None:
        self.storage = Storage(where, patience)
        self._told = told

    def close(self) -> None:
        """Close its connections."""
        self.storage.close()

    def ledger(self, inquiry: Inquiry, now: datetime) -> Ledger:
        """What the journal knows that bears on a deed."""
        with self.storage.reading() as db:
            return ledger(db, inquiry, now)

    def open_ask(self, mine: AskRow) -> AskRow:
        """The question that is open, or was answered, for this very deed; else `mine`, written down. Where it
        is asked once more, the most that it can use is what is shown now.

        Raises Refused when the key belongs to another account name, or too many questions are open.
        """
        now = mine.asked_at
        with self.writing() as db:
            _named(db, mine)
            alive = (asks.c.account == mine.account) & (asks.c.expires_at > now)
            same = select(asks).where(alive, asks.c.digest == mine.digest).order_by(asks.c.asked_at.desc())
            if found := db.execute(same).mappings().first():
                row = as_ask(db, found)
                if row.decision is not None or row.minutes == mine.minutes:
                    return row
                db.execute(update(asks).where(asks.c.key == row.key).values(minutes=mine.minutes))
                row = replace(row, minutes=mine.minutes, question=mine.question)
                _asked(db, row, now)
                return row
            unanswered = select(func.count()).select_from(asks).where(alive, asks.c.decision.is_(None))
            if (count := db.scalar(unanswered) or 0) >= OPEN_ASKS:
                raise Refused(
                    "open-questions",
                    f"{count} questions are open already; have one of them answered (topcalls approvals), or "
                    "wait 10 minutes.",
                )
            _erase_expired(db, now)
            db.execute(insert(asks).values(**stored(mine, asks)))
            _asked(db, mine, now)
            return mine

    def asked(self, key: str) -> AskRow | None:
        """The question with this key."""
        with self.storage.reading() as db:
            found = db.execute(select(asks).where(asks.c.key == key)).mappings().first()
            return as_ask(db, found) if found else None

    def open_asks(self, now: datetime) -> list[AskRow]:
        """Every question that waits for a person, of all accounts, oldest first."""
        with self.storage.reading() as db:
            rows = select(asks).where(asks.c.expires_at > now, asks.c.decision.is_(None))
            return [as_ask(db, row) for row in db.execute(rows.order_by(asks.c.asked_at)).mappings().all()]

    def decide(self, key: str, decision: Decision, by: str, now: datetime) -> AskRow:
        """Write an answer down, and give the question as it stands: the first answer counts, and none after
        its time. A no is final for this key."""
        with self.writing() as db:
            row = as_ask(db, db.execute(select(asks).where(asks.c.key == key)).mappings().one())
            if row.decision is not None or row.expires_at <= now:
                return row
            spent = {"used_at": now, "box": None} if decision == "no" else {}
            _answered(db, row, decision, by, now, **spent)
            return replace(row, decision=decision, decided_at=now, by=by)

    def close_ask(self, key: str, now: datetime) -> None:
        """Let a question lapse whose deed surely did not happen, so that the same deed may be asked about
        anew."""
        with self.writing() as db:
            _lapse(db, key, now)

    def slip(self, key: str, slip: str, box: str) -> None:
        """Keep the digest of the slip that redeems a question, and what it redeems, sealed."""
        with self.writing() as db:
            db.execute(update(asks).where(asks.c.key == key).values(slip=slip, box=box))

    def by_slip(self, slip: str, now: datetime) -> AskRow | None:
        """The question that a slip belongs to; what expired slips redeemed is erased."""
        with self.writing() as db:
            _erase_expired(db, now)
            found = db.execute(select(asks).where(asks.c.slip == slip)).mappings().first()
            return as_ask(db, found) if found else None

    def use(self, yes: Yes, now: datetime, judge: Judge, inquiry: Inquiry) -> AskRow:
        """Use a yes up, once. Gives the row as it was before: `used_at` tells whether somebody was first."""
        with self.writing() as db:
            before = _alive(db, yes.ask.key, now)
            if before.used_at is None:
                judge(ledger(db, inquiry, now), before.decided_at or yes.at)
                _used(db, before, yes, now)
                evidence.append(db, before.account, now, "request", before.key, {"tool": before.tool})
            return before

    def record(self, mine: AskRow, reply: dict[str, Any], now: datetime) -> None:
        """Keep what became of a yes that adds or deletes."""
        with self.writing() as db:
            evidence.append(db, mine.account, now, "outcome", mine.key, {"state": "done"}, {"reply": reply})

    def claim(self, mine: DialRow, yes: Yes, judge: Judge, inquiry: Inquiry) -> tuple[DialRow, bool]:
        """Write a dial down, or give the one that already has this key; the second value says whether it
        is ours."""
        now = mine.sent_at
        with self.writing() as db:
            if earlier := _find(db, mine.key):
                return earlier, False
            before = _alive(db, mine.key, now)
            mine = replace(mine, agreed_at=before.decided_at or yes.at)
            judge(ledger(db, inquiry, now), mine.agreed_at)
            _used(db, before, yes, now)
            db.execute(insert(dials).values(**stored(mine, dials)))
            facts = {"tool": mine.tool, "minutes": mine.minutes}
            evidence.append(db, mine.account, now, "request", mine.key, facts, {"arguments": mine.arguments})
            return mine, True

    def take_over(self, key: str, now: datetime, lease: timedelta) -> tuple[DialRow, bool]:
        """Take a dial whose sender's lease has run out; the second value says whether it is ours now."""
        with self.writing() as db:
            row = _found(db, key)
            if row.state != "sending" or now - row.leased_at <= lease:
                return row, False
            db.execute(update(dials).where(dials.c.key == key).values(leased_at=now))
            return replace(row, leased_at=now), True

    def settle(
        self, mine: DialRow, state: State, now: datetime, reply: dict[str, Any] | None = None
    ) -> DialRow:
        """Write down what became of a dial, and give it as it stands. One that was taken over, or is settled,
        stays as it is; one that surely did not happen lets its question lapse."""
        with self.writing() as db:
            ours = (dials.c.key == mine.key) & (dials.c.leased_at == mine.leased_at)
            unsettled = update(dials).where(ours, dials.c.state.in_(("sending", "unknown")))
            over = {"closed_at": now, "used_minutes": 0} if state == "failed" else {}
            call_id = (reply or {}).get("call_id")
            told = {"state": state, "settled_at": now, "call_id": call_id, **over}
            if db.execute(unsettled.values(**told)).rowcount:
                facts = {"state": state, "call_id": call_id}
                content = {"reply": reply} if reply else None
                evidence.append(db, mine.account, now, "outcome", mine.key, facts, content)
                if state == "failed":
                    _lapse(db, mine.key, now)
            return _found(db, mine.key)

    def close_dial(self, key: str, used_minutes: float, now: datetime) -> None:
        """Settle what a dial has used, once: nothing more can come of it."""
        with self.writing() as db:
            still = update(dials).where(dials.c.key == key, dials.c.closed_at.is_(None))
            if db.execute(still.values(used_minutes=used_minutes, closed_at=now)).rowcount:
                account = _found(db, key).account
                evidence.append(db, account, now, "closed", key, {"used_minutes": used_minutes})

    def dial(self, key: str) -> DialRow:
        """The dial with this key; the question's key is the dial's."""
        with self.storage.reading() as db:
            return _found(db, key)

    def open_dials(self, account: str, *states: State, most: int | None = None) -> list[DialRow]:
        """The dials of an account whose minutes are not settled, in these states or any, oldest first."""
        with self.storage.reading() as db:
            rows = select(dials).where(dials.c.account == account, dials.c.closed_at.is_(None))
            if states:
                rows = rows.where(dials.c.state.in_(states))
            return [
                as_dial(db, row)
                for row in db.execute(rows.order_by(dials.c.sent_at).limit(most)).mappings().all()
            ]

    def dials(self, account: str, most: int | None = None) -> list[DialRow]:
        """The dials of an account, newest first."""
        with self.storage.reading() as db:
            rows = select(dials).where(dials.c.account == account).order_by(dials.c.sent_at.desc())
            return [as_dial(db, row) for row in db.execute(rows.limit(most)).mappings().all()]

    def stop_all(self, account: str, at: datetime) -> None:
        """From now on no yes that was given before dials, on any machine that shares this journal."""
        with self.writing() as db:
            if not db.execute(update(stops).where(stops.c.account == account).values(at=at)).rowcount:
                db.execute(insert(stops).values(account=account, at=at))
            evidence.append(db, account, at, "stop-all", account, {})

    def stopped(self, account: str, at: datetime, what: str, facts: dict[str, Any]) -> None:
        """Note that something was stopped: evidence of a brake, after the fact."""
        with self.writing() as db:
            evidence.append(db, account, at, "stop", what, facts)

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One transaction that writes; the last link of evidence is told once it is on the disk."""
        with self.storage.writing() as db:
            db.info.pop("head", None)
            yield db
            head = db.info.pop("head", None)
        if head and self._told:
            self._told(head)


def _named(db: Connection, mine: AskRow) -> None:
    """An account keeps one name for one key."""
    known = db.scalar(select(lines.c.account).where(lines.c.line == mine.line))
    if known is None:
        db.execute(insert(lines).values(line=mine.line, account=mine.account))
    elif known != mine.account:
        raise Refused(
            "one-key-one-account",
            f"This key is known as the account {known}; set TOPCALLS_ACCOUNT={known}, or use another key.",
        )


def _asked(db: Connection, row: AskRow, now: datetime) -> None:
    facts = {"tool": row.tool, "minutes": row.minutes, "expires_at": row.expires_at.isoformat()}
    content = {"target": row.target, "question": row.question}
    evidence.append(db, row.account, now, "question", row.key, facts, content)


def _alive(db: Connection, key: str, now: datetime) -> AskRow:
    found = db.execute(select(asks).where(asks.c.key == key)).mappings().first()
    if found is None or (row := as_ask(db, found)).expires_at <= now:
        raise Refused("yes-expired", "This yes is more than 10 minutes old; call again to be asked anew.")
    if row.decision == "no":
        raise Refused(
            "one-answer", "The person said no to this question; ask them before anything else is tried."
        )
    return row


def _used(db: Connection, row: AskRow, yes: Yes, now: datetime) -> None:
    """Use a yes up; where it was not written down yet, it is now."""
    spent = {"used_at": now, "box": None}
    if row.decision is None:
        _answered(db, row, "yes", yes.by, yes.at, **spent)
    else:
        db.execute(update(asks).where(asks.c.key == row.key).values(**spent))


def _answered(db: Connection, row: AskRow, decision: Decision, by: str, at: datetime, **more: Any) -> None:
    answer = {"decision": decision, "decided_at": at, "by": by, **more}
    db.execute(update(asks).where(asks.c.key == row.key).values(**answer))
    evidence.append(db, row.account, at, "answer", row.key, {"decision": decision, "by": by})


def _lapse(db: Connection, key: str, now: datetime) -> None:
    alive = (asks.c.key == key) & (asks.c.expires_at > now)
    if db.execute(update(asks).where(alive).values(expires_at=now, box=None)).rowcount:
        account = db.scalar(select(asks.c.account).where(asks.c.key == key)) or ""
        evidence.append(db, account, now, "lapsed", key, {})


def _erase_expired(db: Connection, now: datetime) -> None:
    """Forget what slips redeemed whose time is over. Nothing is kept longer than a day unseen."""
    lately = asks.c.expires_at.between(now - timedelta(days=1), now)
    db.execute(update(asks).where(lately, asks.c.box.is_not(None)).values(box=None))


def _find(db: Connection, key: str) -> DialRow | None:
    found = db.execute(select(dials).where(dials.c.key == key)).mappings().first()
    return as_dial(db, found) if found else None


def _found(db: Connection, key: str) -> DialRow:
    if (row := _find(db, key)) is None:
        raise Refused("journal", "The journal has lost this dial; look at list_calls before calling again.")
    return row
