"""The chain of what happened: question, yes, request, outcome; each link holds the hash of the one before.

What is personal stands outside the chain, which keeps its digest alone, under a random salt. So a person can
be forgotten, and the chain still verifies. It shows a change for sure once its last hash is kept elsewhere.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from sqlalchemy import Connection, RowMapping, bindparam, delete, select

from . import AskRow
from .statements import KNOWN, LAST_LINK, LINKS_OF, NEW_LINK, NEW_PERSONAL
from .tables import evidence, personal

Kind = Literal[
    "question", "answer", "request", "outcome", "closed", "heard", "lapsed", "stop", "stop-all", "erased",
    "blocked", "unblocked",
]  # fmt: skip
START = "0" * 64
"""What the first entry holds as the hash before."""
_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class Entry:
    """One link of the chain. `facts` are never personal; `personal` is what is left of what was."""

    seq: int
    account: str
    at: datetime
    kind: str
    key: str
    facts: dict[str, Any]
    digest: str | None
    previous: str
    hash: str
    personal: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Link:
    """What is about to be added. `content` is what is personal."""

    account: str
    at: datetime
    kind: Kind
    key: str
    facts: dict[str, Any]
    content: dict[str, Any] | None = None


def asked(row: AskRow, now: datetime) -> Link:
    """The link of a question."""
    facts = {"tool": row.tool, "minutes": row.minutes, "expires_at": row.expires_at.isoformat()}
    return Link(
        row.account, now, "question", row.key, facts, {"target": row.target, "question": row.question}
    )


def answered(row: AskRow) -> Link:
    """The link of an answer."""
    at = row.decided_at or row.asked_at
    return Link(row.account, at, "answer", row.key, {"decision": row.decision, "by": row.by})


def append(db: Connection, *links: Link) -> None:
    """Add links, inside the transaction that has the write lock."""
    seq, previous = _last(db)
    rows = []
    for link in links:
        row: dict[str, Any] = {
            "seq": (seq := seq + 1),
            "account": link.account,
            "at": link.at,
            "kind": link.kind,
            "key": link.key,
            "facts": {name: value for name, value in link.facts.items() if value is not None},
            "personal": None,
            "digest": None,
            "previous": previous,
        }
        if link.content:
            text, salt = json.dumps(link.content, sort_keys=True), secrets.token_hex(16)
            kept = db.execute(NEW_PERSONAL, {"key": link.key, "at": link.at, "salt": salt, "content": text})
            row["personal"] = (kept.inserted_primary_key or (None,))[0]
            row["digest"] = _digest(salt, text)
        row["hash"] = previous = _hash(row)
        rows.append(row)
    db.execute(NEW_LINK, rows)
    db.info["head"] = f"{seq} {previous}"


def known(db: Connection, *keys: str) -> dict[str, dict[str, Any]]:
    """What is personal of some keys, later things before earlier ones; nothing where it was forgotten."""
    found: dict[str, dict[str, Any]] = {key: {} for key in keys}
    for key, content in db.execute(KNOWN, {"keys": keys}) if keys else ():
        found[key] |= json.loads(content)
    return found


def entries(db: Connection, key: str) -> list[Entry]:
    """Everything that happened under one key, in order."""
    return [_entry(db, row) for row in db.execute(LINKS_OF, {"key": key}).mappings().all()]


def head(db: Connection) -> str:
    """The number and hash of the last link; keep it elsewhere."""
    seq, last = _last(db)
    return f"{seq} {last}"


def troubles(db: Connection, heads: frozenset[str] = frozenset()) -> Iterator[str]:
    """What is wrong with the chain, a sentence each; nothing where it holds.

    `heads` are numbers and hashes that were kept elsewhere, as `head` gives them: each must still be there.
    """
    previous, seq, missing = START, 0, set(heads) - {f"0 {START}"}
    while True:
        rows = db.execute(_PAGE, {"after": seq}).mappings().all()
        for row in rows:
            if row["seq"] != seq + 1:
                yield f"Between entry {seq} and entry {row['seq']} something was taken out."
            if row["previous"] != previous or row["hash"] != _hash(row):
                yield f"Entry {row['seq']} is not what was written."
            if row["salt"] is not None and not _same(row):
                yield f"What is personal of entry {row['seq']} is not what was written."
            seq, previous = row["seq"], row["hash"]
            missing.discard(f"{seq} {previous}")
        if len(rows) < _AT_ONCE:
            break
    for lost in sorted(missing):
        yield f"Entry {lost.partition(' ')[0]} with the hash that was kept elsewhere is not there."


_PAGE = (
    select(evidence, personal.c.key.label("whose"), personal.c.salt, personal.c.content)
    .outerjoin(personal, personal.c.id == evidence.c.personal)
    .where(evidence.c.seq > bindparam("after"))
    .order_by(evidence.c.seq)
    .limit(_AT_ONCE)
)


def _same(row: RowMapping) -> bool:
    """Whether what is personal of a link is what was written."""
    return bool(row["whose"] == row["key"] and _digest(row["salt"], row["content"]) == row["digest"])


def forget(db: Connection, keys: list[str]) -> None:
    """Delete what is personal of some keys, salts included."""
    for start in range(0, len(keys), _AT_ONCE):
        db.execute(delete(personal).where(personal.c.key.in_(keys[start : start + _AT_ONCE])))


def _last(db: Connection) -> tuple[int, str]:
    found = db.execute(LAST_LINK).first()
    return (found.seq, found.hash) if found else (0, START)


def _entry(db: Connection, row: RowMapping) -> Entry:
    kept = _kept(db, row)
    written = {name: value for name, value in row.items() if name != "personal"}
    return Entry(**written, personal=json.loads(kept["content"]) if kept else None)


def _kept(db: Connection, row: RowMapping) -> RowMapping | None:
    if row["personal"] is None:
        return None
    return db.execute(select(personal).where(personal.c.id == row["personal"])).mappings().first()


def _hash(row: Any) -> str:
    """SHA-256 over what a link says, as JSON with sorted names. `docs/exactly-once.md` describes it."""
    said = {name: row[name] for name in ("seq", "account", "kind", "key", "facts", "digest", "previous")}
    text = json.dumps({**said, "at": row["at"].astimezone(UTC).isoformat()}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _digest(salt: str, text: str) -> str:
    return hashlib.sha256(f"{salt}{text}".encode()).hexdigest()
