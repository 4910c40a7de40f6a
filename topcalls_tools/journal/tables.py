"""The journal's tables; `migrations/` makes them."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Float,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    text,
)

HEAD = "0005"
"""The migration that this code needs."""

_Serial = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts up in an INTEGER key alone


class Time(TypeDecorator[datetime]):
    """An aware time, in UTC: SQLite keeps no zone, and PostgreSQL gives its own."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: object) -> datetime | None:
        return value and value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: object) -> datetime | None:
        if value is None or value.tzinfo:
            return value and value.astimezone(UTC)
        return value.replace(tzinfo=UTC)


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
    Column("asked_at", Time, nullable=False),
    Column("expires_at", Time, nullable=False),
    Column("decision", String(8)),
    Column("decided_at", Time),
    Column("by", String(16)),
    Column("used_at", Time),
    Index("asks_open", "account", "expires_at"),
    Index("asks_ending", "expires_at"),
)
slips = Table(
    "slips",
    tables,
    Column("slip", String(64), primary_key=True),  # a digest under the owner's secret
    Column("key", String(64), nullable=False, index=True),
    Column("expires_at", Time, nullable=False),
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
    Column("agreed_at", Time, nullable=False),
    Column("sent_at", Time, nullable=False),
    Column("leased_at", Time, nullable=False),
    Column("settled_at", Time),
    Column("call_id", Text),
    Column("used_minutes", Float),
    Column("closed_at", Time),
    Column("callee", String(64)),  # a digest under the owner's secret
    Column("heard_to", Time),  # a campaign's calls that were placed before this were heard
    Index("dials_of_account", "account", "sent_at", "used_minutes", "minutes", "state"),
    Index("dials_to", "account", "callee", "sent_at"),
    Index("dials_of_call", "call_id"),
    Index(
        "dials_open",
        "account",
        "sent_at",
        sqlite_where=text("closed_at IS NULL"),
        postgresql_where=text("closed_at IS NULL"),
    ),
)
usage = Table(  # what each month's dials used or may yet use, so that nobody adds up thousands
    "usage",
    tables,
    Column("account", String(64), primary_key=True),
    Column("month", String(7), primary_key=True),
    Column("minutes", Float, nullable=False),
)
stops = Table(
    "stops",
    tables,
    Column("account", String(64), primary_key=True),
    Column("at", Time, nullable=False),
)
do_not_call = Table(
    "do_not_call",
    tables,
    Column("number", String(64), primary_key=True),  # a digest under the owner's secret
    Column("at", Time, nullable=False),
)
deliveries = Table(  # what webhooks told, without a word that was spoken
    "deliveries",
    tables,
    Column("account", String(64), primary_key=True),
    Column("delivery", String(128), primary_key=True),
    Column("digest", String(64), nullable=False),  # of the body: the same one again is the same event
    Column("event", String(64), nullable=False),
    Column("call_id", Text),
    Column("status", String(32)),
    Column("ours", Boolean, nullable=False),
    Column("at", Time, nullable=False),
    Column("worked_at", Time),
    Index("deliveries_same", "account", "digest"),
    Index("deliveries_of_call", "call_id"),
    Index("deliveries_at", "at"),
)
evidence = Table(
    "evidence",
    tables,
    Column("seq", _Serial, primary_key=True, autoincrement=False),
    Column("account", String(64), nullable=False),
    Column("at", Time, nullable=False),
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
    Column("at", Time, nullable=False, index=True),
    Column("salt", String(64), nullable=False),
    Column("content", Text, nullable=False),
)
