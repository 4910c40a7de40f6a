"""A journal looked over as it stands: nothing is made, brought up to date or written."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from itertools import chain, islice
from pathlib import Path

from sqlalchemy import Connection, func, select, text
from sqlalchemy.exc import SQLAlchemyError

from ..errors import Misconfigured
from . import evidence
from .audit import differences
from .engine import as_it_is, version_of
from .tables import HEAD, asks, dials, lines

MOST = 3
"""How many troubles are told; `topcalls journal verify` tells all."""


@dataclass(frozen=True, slots=True)
class Checkup:
    """What stands in a journal. Where its version is not this program's, only the version was read."""

    version: str | None
    """None where there are no tables yet."""
    links: int = 0
    """Links of evidence."""
    troubles: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()
    """Names that accounts are kept under."""
    questions_open: int = 0
    """Questions that wait for a person."""
    dials_open: int = 0
    """Calls and campaigns that are not known to have ended."""
    dials_in_doubt: int = 0
    """Those of them of which nobody knows whether they took effect."""
    others: int | None = None
    """Other programs that have it open; None where that cannot be told."""

    @property
    def current(self) -> bool:
        return self.version == HEAD

    @property
    def newer(self) -> bool:
        """Whether a newer version of this package wrote it."""
        return self.version is not None and self.version > HEAD


def checkup(where: Path | str, now: datetime, heads: frozenset[str] = frozenset()) -> Checkup:
    """Look a journal over: a file, or a database by its URL. `heads` were kept elsewhere.

    Raises Misconfigured where it cannot be opened or read.
    """
    engine = as_it_is(where, 5)
    try:
        with engine.connect().execution_options(reads=True) as db:
            version = version_of(db)
            if version != HEAD:
                return Checkup(version)
            return _looked_over(db, where, now, heads)
    except ValueError:
        return Checkup(HEAD, troubles=("An entry cannot even be read.",))
    except (SQLAlchemyError, sqlite3.Error) as error:
        reason = str(getattr(error, "orig", None) or type(error).__name__).strip().partition("\n")[0]
        raise Misconfigured(f"The journal cannot be read ({reason}).") from None
    finally:
        engine.dispose()


def _looked_over(db: Connection, where: Path | str, now: datetime, heads: frozenset[str]) -> Checkup:
    open_dials = select(func.count()).select_from(dials).where(dials.c.closed_at.is_(None))
    waiting = (asks.c.expires_at > now) & asks.c.decision.is_(None)
    return Checkup(
        HEAD,
        links=int(evidence.head(db).partition(" ")[0]),
        troubles=tuple(islice(_troubles(db, heads), MOST)),
        accounts=tuple(sorted(set(db.scalars(select(lines.c.account))))),
        questions_open=db.scalar(select(func.count()).select_from(asks).where(waiting)) or 0,
        dials_open=db.scalar(open_dials) or 0,
        dials_in_doubt=db.scalar(open_dials.where(dials.c.state.in_(("sending", "unknown")))) or 0,
        others=_holders(where) if isinstance(where, Path) else _connected(db),
    )


def _troubles(db: Connection, heads: frozenset[str]) -> Iterator[str]:
    """What is wrong with the evidence; where nothing is, what the tables hold otherwise."""
    chained = evidence.troubles(db, heads)
    first = next(chained, None)
    yield from differences(db) if first is None else chain((first,), chained)


def _connected(db: Connection) -> int | None:
    """How many others are connected to a PostgreSQL database."""
    others = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    found: int | None = db.scalar(text(others))
    return found


def _holders(path: Path) -> int | None:
    """How many other processes have a file open, as far as this user may see; None where no system tells."""
    processes, found = Path("/proc"), set()
    if not (processes / "self" / "fd").is_dir():
        return None
    with suppress(OSError):
        wanted = path.resolve()
        mine = (processes / "self").resolve().name
        for entry in processes.iterdir():
            if entry.name.isdigit() and entry.name != mine and wanted in _open_files(entry / "fd"):
                found.add(entry.name)
    return len(found)


def _open_files(directory: Path) -> Iterator[Path]:
    """The files that a process has open; of a stranger's process nothing is told."""
    with suppress(OSError):
        for link in directory.iterdir():
            with suppress(OSError):
                yield link.readlink()
