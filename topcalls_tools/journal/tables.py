"""The journal's tables; `migrations/` makes them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    DateTime,
    Float,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    text,
)

HEAD = "0002"
"""The migration that this code needs."""

_Serial = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts up in an INTEGER key alone

tables = MetaData()
lines = Table(
    "lines",
    tables,
    Column("line", String(64), primary_key=True),
    Column("account", String(64), nullable=False),
)
asks = Table(
    "asks",
    tables,
    Column("key", String(64), primary_key=True),
    Column("account", String(64), nullable=False),
    Column("line", String(64), nullable=False),
    Column("tool", String(64), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("minutes", Float, nullable=False),
    Column("asked_at", DateTime(timezone=True), nullable=False),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    Column("decision", String(8)),
    Column("decided_at", DateTime(timezone=True)),
    Column("by", String(16)),
    Column("used_at", DateTime(timezone=True)),
    Index("asks_open", "account", "expires_at"),
    Index("asks_ending", "expires_at"),
)
slips = Table(
    "slips",
    tables,
    Column("slip", String(64), primary_key=True),  # a digest under the owner's secret
    Column("key", String(64), nullable=False, index=True),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    Column("box", Text),
)
dials = Table(
    "dials",
    tables,
    Column("key", String(64), primary_key=True),
    Column("account", String(64), nullable=False),
    Column("line", String(64), nullable=False),
    Column("tool", String(64), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("minutes", Float, nullable=False),
    Column("state", String(16), nullable=False),
    Column("agreed_at", DateTime(timezone=True), nullable=False),
    Column("sent_at", DateTime(timezone=True), nullable=False),
    Column("leased_at", DateTime(timezone=True), nullable=False),
    Column("settled_at", DateTime(timezone=True)),
    Column("call_id", String(128)),
    Column("used_minutes", Float),
    Column("closed_at", DateTime(timezone=True)),
    Index("dials_of_account", "account", "sent_at", "used_minutes", "minutes"),
    Index("dials_of_call", "call_id"),
    Index(
        "dials_open",
        "account",
        "sent_at",
        sqlite_where=text("closed_at IS NULL"),
        postgresql_where=text("closed_at IS NULL"),
    ),
)
stops = Table(
    "stops",
    tables,
    Column("account", String(64), primary_key=True),
    Column("at", DateTime(timezone=True), nullable=False),
)
do_not_call = Table(
    "do_not_call",
    tables,
    Column("number", String(64), primary_key=True),  # a digest under the owner's secret
    Column("at", DateTime(timezone=True), nullable=False),
)
evidence = Table(
    "evidence",
    tables,
    Column("seq", _Serial, primary_key=True, autoincrement=False),
    Column("account", String(64), nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("key", String(128), nullable=False, index=True),
    Column("facts", JSON, nullable=False),
    Column("personal", _Serial),  # which row of `personal`; that row may be gone
    Column("digest", String(64)),
    Column("previous", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
)
personal = Table(
    "personal",
    tables,
    Column("id", _Serial, primary_key=True, autoincrement=True),
    Column("key", String(128), nullable=False, index=True),
    Column("at", DateTime(timezone=True), nullable=False, index=True),
    Column("salt", String(64), nullable=False),
    Column("content", Text, nullable=False),
)


def utc(value: Any) -> Any:
    """A time of the store as an aware one in UTC: SQLite keeps no zone, PostgreSQL gives its own."""
    if not isinstance(value, datetime):
        return value
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
