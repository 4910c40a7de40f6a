"""Where questions and dials are kept: SQLite, one write transaction a time, flushed before anything is
sent."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, fields, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import (
    URL,
    Connection,
    Engine,
    RowMapping,
    create_engine,
    event,
    func,
    insert,
    inspect,
    select,
    text,
    update,
)
from sqlalchemy.exc import SQLAlchemyError

from ..errors import Misconfigured, Refused
from . import AskRow, DialRow, State
from .tables import HEAD, asks, dials

OPEN_ASKS = 3
"""How many questions of one account may be open at once."""


class Journal:
    """The journal in a file. Every method is one transaction; a store that cannot be used is a refusal in
    words."""

    def __init__(self, path: Path, patience: float = 10) -> None:
        """Open the file, made where it is missing. `patience` is how many seconds to wait for another
        writer."""
        self._path = path
        self._engine = _engine(path, patience)
        with self._writing() as db:
            if _version(db) != HEAD:
                _migrate(db)

    def close(self) -> None:
        """Close its connections."""
        self._engine.dispose()

    def open_ask(self, mine: AskRow, *, shown: bool) -> AskRow:
        """The question that is open, or was answered, for this very deed; else `mine`, written down. Where it
        is `shown` once more, the most that it can use is what is shown now.

        Raises Refused when the key belongs to another account name, or too many questions are open.
        """
        now = mine.asked_at
        with self._writing() as db:
            elsewhere = select(asks.c.account).where(asks.c.line == mine.line, asks.c.account != mine.account)
            if other := db.scalar(elsewhere.limit(1)):
                raise Refused(
                    "one-key-one-account",
                    f"This key is known as the account {other}; set TOPCALLS_ACCOUNT={other}, or use "
                    "another key.",
                )
            alive = (asks.c.account == mine.account) & (asks.c.expires_at > now)
            same = select(asks).where(alive, asks.c.digest == mine.digest).order_by(asks.c.asked_at.desc())
            if found := db.execute(same).mappings().first():
                if shown and found["decision"] is None:
                    db.execute(update(asks).where(asks.c.key == found["key"]).values(minutes=mine.minutes))
                    return replace(_ask(found), minutes=mine.minutes)
                return _ask(found)
            unanswered = select(func.count()).select_from(asks).where(alive, asks.c.decision.is_(None))
            if (count := db.scalar(unanswered) or 0) >= OPEN_ASKS:
                raise Refused(
                    "open-questions",
                    f"{count} questions are open already; have one of them answered, or wait 10 minutes.",
                )
            _erase_expired(db, now)
            db.execute(insert(asks).values(**asdict(mine)))
            return mine

    def decline(self, key: str, now: datetime) -> AskRow:
        """Write a no down; it is final for this key. Gives the row: a yes that came before stands."""
        with self._writing() as db:
            unanswered = update(asks).where(asks.c.key == key, asks.c.decision.is_(None))
            db.execute(unanswered.values(decision="no", used_at=now, box=None))
            return _ask(db.execute(select(asks).where(asks.c.key == key)).mappings().one())

    def agree(self, key: str) -> None:
        """Keep a yes that could not be acted on yet."""
        with self._writing() as db:
            unanswered = update(asks).where(asks.c.key == key, asks.c.decision.is_(None))
            db.execute(unanswered.values(decision="yes"))

    def close_ask(self, key: str, now: datetime) -> None:
        """Let a question lapse whose deed surely did not happen, so that the same deed may be asked about
        anew."""
        with self._writing() as db:
            db.execute(update(asks).where(asks.c.key == key).values(expires_at=now, box=None))

    def slip(self, key: str, slip: str, box: str) -> None:
        """Keep the digest of the slip that redeems a question, and what it redeems, sealed."""
        with self._writing() as db:
            db.execute(update(asks).where(asks.c.key == key).values(slip=slip, box=box))

    def by_slip(self, slip: str, now: datetime) -> AskRow | None:
        """The question that a slip belongs to; what expired slips redeemed is erased."""
        with self._writing() as db:
            _erase_expired(db, now)
            found = db.execute(select(asks).where(asks.c.slip == slip)).mappings().first()
            return _ask(found) if found else None

    def use(self, key: str, now: datetime) -> AskRow:
        """Use a yes up, once. Gives the row as it was before: `used_at` tells whether somebody was first."""
        with self._writing() as db:
            before = self._alive(db, key, now)
            if before.used_at is None:
                used = {"decision": "yes", "used_at": now, "box": None}
                db.execute(update(asks).where(asks.c.key == key).values(**used))
            return before

    def record(self, key: str, reply: dict[str, Any]) -> None:
        """Keep what became of a yes that adds or deletes."""
        with self._writing() as db:
            db.execute(update(asks).where(asks.c.key == key).values(reply=reply))

    def claim(self, mine: DialRow, now: datetime, consent: Callable[[], None]) -> tuple[DialRow, bool]:
        """Write a dial down, or give the one that already has this key; the second value says whether it
        is ours.

        `consent` judges inside the transaction and raises to leave nothing behind.
        """
        with self._writing() as db:
            if earlier := _find(db, mine.key):
                return earlier, False
            self._alive(db, mine.key, now)
            consent()
            used = {"decision": "yes", "used_at": now, "box": None}
            db.execute(update(asks).where(asks.c.key == mine.key).values(**used))
            db.execute(insert(dials).values(**asdict(mine)))
            return mine, True

    def take_over(self, key: str, now: datetime, lease: timedelta) -> tuple[DialRow, bool]:
        """Take a dial whose sender's lease has run out; the second value says whether it is ours now."""
        with self._writing() as db:
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
        with self._writing() as db:
            ours = (dials.c.key == mine.key) & (dials.c.leased_at == mine.leased_at)
            unsettled = update(dials).where(ours, dials.c.state.in_(("sending", "unknown")))
            changed = db.execute(unsettled.values(state=state, settled_at=now, reply=reply))
            if changed.rowcount and state == "failed":
                db.execute(update(asks).where(asks.c.key == mine.key).values(expires_at=now))
            return _found(db, mine.key)

    def dial(self, key: str) -> DialRow:
        """The dial with this key; the question's key is the dial's."""
        with self._writing() as db:
            return _found(db, key)

    def dials(self, account: str) -> list[DialRow]:
        """Every dial of an account, newest first."""
        with self._writing() as db:
            rows = select(dials).where(dials.c.account == account).order_by(dials.c.sent_at.desc())
            return list(map(_dial, db.execute(rows).mappings()))

    def _alive(self, db: Connection, key: str, now: datetime) -> AskRow:
        found = db.execute(select(asks).where(asks.c.key == key)).mappings().first()
        if found is None or (row := _ask(found)).expires_at <= now:
            raise Refused("yes-expired", "This yes is more than 10 minutes old; call again to be asked anew.")
        if row.decision == "no":
            raise Refused(
                "one-answer", "The person said no to this question; ask them before anything else is tried."
            )
        return row

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        """One transaction that has the write lock from its first statement."""
        try:
            with self._engine.begin() as db:
                yield db
        except SQLAlchemyError as error:
            reason = str(getattr(error, "orig", None) or type(error).__name__).partition("\n")[0]
            raise Refused(
                "journal",
                f"The journal {self._path} cannot be used ({reason}) and nothing was sent; make its "
                "disk and file "
                "writable, or name another TOPCALLS_HOME.",
            ) from None


def _engine(path: Path, patience: float) -> Engine:
    if not path.exists():
        try:
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        except OSError as error:
            raise Misconfigured(
                f"The journal {path} cannot be made ({error.strerror}); name a writable directory in "
                "TOPCALLS_HOME."
            ) from None
    engine = create_engine(URL.create("sqlite", database=str(path)), connect_args={"timeout": patience})

    @event.listens_for(engine, "connect")
    def _(db: Any, _: object) -> None:
        db.isolation_level = None  # sqlite3 opens transactions late and shared; we take the write lock first
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=FULL")

    event.listen(engine, "begin", lambda db: db.exec_driver_sql("BEGIN IMMEDIATE"))
    return engine


def _version(db: Connection) -> str | None:
    if not inspect(db).has_table("alembic_version"):
        return None
    version: str | None = db.scalar(text("SELECT version_num FROM alembic_version"))
    return version


def _migrate(db: Connection) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = db
    try:
        command.upgrade(config, HEAD)
    except CommandError:
        raise Misconfigured(
            "The journal was written by a newer version of TopCalls Tools; update the package, or "
            "name another "
            "TOPCALLS_HOME."
        ) from None


def _erase_expired(db: Connection, now: datetime) -> None:
    """Forget what slips redeemed whose time is over."""
    db.execute(update(asks).where(asks.c.expires_at <= now, asks.c.box.is_not(None)).values(box=None))


def _find(db: Connection, key: str) -> DialRow | None:
    found = db.execute(select(dials).where(dials.c.key == key)).mappings().first()
    return _dial(found) if found else None


def _found(db: Connection, key: str) -> DialRow:
    if (row := _find(db, key)) is None:
        raise Refused("journal", "The journal has lost this dial; look at list_calls before calling again.")
    return row


def _ask(row: RowMapping) -> AskRow:
    return AskRow(**{field.name: _aware(row[field.name]) for field in fields(AskRow)})


def _dial(row: RowMapping) -> DialRow:
    return DialRow(**{field.name: _aware(row[field.name]) for field in fields(DialRow)})


def _aware(value: Any) -> Any:
    """SQLite keeps times without their zone; all of ours are UTC."""
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) and value.tzinfo is None else value
