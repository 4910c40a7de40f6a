"""Evidence, minutes that are settled, and what is personal in a table of its own."""

import json
import secrets
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "lines",
        sa.Column("line", sa.String(64), primary_key=True),
        sa.Column("account", sa.String(64), nullable=False),
    )
    op.create_table(
        "slips",
        sa.Column("slip", sa.String(64), primary_key=True),
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("expires_at", _TIME, nullable=False),
        sa.Column("box", sa.Text()),
    )
    op.create_index("ix_slips_key", "slips", ["key"])
    op.create_table(
        "stops",
        sa.Column("account", sa.String(64), primary_key=True),
        sa.Column("at", _TIME, nullable=False),
    )
    op.create_table(
        "do_not_call",
        sa.Column("number", sa.String(64), primary_key=True),
        sa.Column("at", _TIME, nullable=False),
    )
    op.create_table(
        "evidence",
        sa.Column("seq", _SERIAL, primary_key=True, autoincrement=False),
        sa.Column("account", sa.String(64), nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("key", sa.String(128), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("personal", _SERIAL),
        sa.Column("digest", sa.String(64)),
        sa.Column("previous", sa.String(64), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
    )
    op.create_index("ix_evidence_key", "evidence", ["key"])
    personal = op.create_table(
        "personal",
        sa.Column("id", _SERIAL, primary_key=True, autoincrement=True),
        sa.Column("key", sa.String(128), nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("salt", sa.String(64), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
    )
    op.create_index("ix_personal_key", "personal", ["key"])
    op.create_index("ix_personal_at", "personal", ["at"])
    _carry_over(personal)
    with op.batch_alter_table("asks") as asks:
        asks.drop_index("ix_asks_line")
        asks.drop_column("target")
        asks.drop_column("reply")
        asks.drop_column("slip")
        asks.drop_column("box")
        asks.add_column(sa.Column("decided_at", _TIME))
        asks.add_column(sa.Column("by", sa.String(16)))
        asks.create_index("asks_ending", ["expires_at"])
    with op.batch_alter_table("dials") as dials:
        dials.drop_column("target")
        dials.drop_column("arguments")
        dials.drop_column("reply")
        dials.alter_column("line", nullable=False)
        dials.alter_column("agreed_at", nullable=False)
        dials.create_index("dials_of_call", ["call_id"])
        dials.drop_index("dials_of_account")
        dials.create_index("dials_of_account", ["account", "sent_at", "used_minutes", "minutes"])
    op.create_index(
        "dials_open",
        "dials",
        ["account", "sent_at"],
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    )


def _carry_over(personal: sa.Table) -> None:
    """Give what is there its new places. Dials of before have no evidence; what is open stays open."""
    with op.batch_alter_table("dials") as dials:
        dials.add_column(sa.Column("line", sa.String(64)))
        dials.add_column(sa.Column("agreed_at", _TIME))
        dials.add_column(sa.Column("call_id", sa.Text()))
        dials.add_column(sa.Column("used_minutes", sa.Float()))
        dials.add_column(sa.Column("closed_at", _TIME))
    db = op.get_bind()
    db.execute(sa.text("INSERT INTO lines SELECT line, min(account) FROM asks GROUP BY line"))
    db.execute(
        sa.text(
            "UPDATE dials SET agreed_at = sent_at,"
            " line = coalesce((SELECT line FROM asks WHERE asks.key = dials.key), ''),"
            " closed_at = CASE WHEN state = 'failed' THEN settled_at END,"
            " used_minutes = CASE WHEN state = 'failed' THEN 0 END"
        )
    )
    for name, at, fields in (
        ("asks", "asked_at", ("target", "reply")),
        ("dials", "sent_at", ("target", "arguments", "reply")),
    ):
        table = sa.table(name, sa.column("key"), sa.column(at, _TIME), *_columns(fields))
        for row in db.execute(sa.select(table)).mappings().all():
            content = {field: row[field] for field in fields if row[field] is not None}
            db.execute(
                sa.insert(personal).values(
                    key=row["key"],
                    at=row[at],
                    salt=secrets.token_hex(16),
                    content=json.dumps(content, sort_keys=True),
                )
            )
    calls = sa.select(personal.c.key, personal.c.content).where(personal.c.content.contains('"call_id"'))
    for key, content in db.execute(calls).all():
        call_id = (json.loads(content).get("reply") or {}).get("call_id")
        db.execute(
            sa.text("UPDATE dials SET call_id = :call WHERE key = :key"), {"call": call_id, "key": key}
        )


def _columns(names: tuple[str, ...]) -> list[Any]:
    return [sa.column(name, sa.Text() if name == "target" else sa.JSON()) for name in names]
