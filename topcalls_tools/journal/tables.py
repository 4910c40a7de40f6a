"""The journal's tables; `migrations/` makes them."""

from __future__ import annotations

from sqlalchemy import JSON, Column, DateTime, Float, Index, MetaData, String, Table, Text

HEAD = "0001"
"""The migration that this code needs."""

tables = MetaData()
asks = Table(
    "asks",
    tables,
    Column("key", String(64), primary_key=True),
    Column("account", String(64), nullable=False),
    Column("line", String(64), nullable=False, index=True),
    Column("tool", String(64), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("target", Text, nullable=False),
    Column("minutes", Float, nullable=False),
    Column("asked_at", DateTime(timezone=True), nullable=False),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    Column("decision", String(8)),
    Column("used_at", DateTime(timezone=True)),
    Column("reply", JSON),
    Column("slip", String(64), unique=True),
    Column("box", Text),
    Index("asks_open", "account", "expires_at"),
)
dials = Table(
    "dials",
    tables,
    Column("key", String(64), primary_key=True),
    Column("account", String(64), nullable=False),
    Column("tool", String(64), nullable=False),
    Column("arguments", JSON, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("target", Text, nullable=False),
    Column("minutes", Float, nullable=False),
    Column("state", String(16), nullable=False),
    Column("sent_at", DateTime(timezone=True), nullable=False),
    Column("leased_at", DateTime(timezone=True), nullable=False),
    Column("reply", JSON),
    Column("settled_at", DateTime(timezone=True)),
    Index("dials_of_account", "account", "sent_at"),
)
