"""Whom a dial rang, as a digest, and the minutes of each month."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("dials", sa.Column("callee", sa.String(64)))
    op.create_index("dials_to", "dials", ["account", "callee", "sent_at"])
    op.drop_index("dials_of_account", "dials")
    op.create_index("dials_of_account", "dials", ["account", "sent_at", "used_minutes", "minutes", "state"])
    usage = op.create_table(
        "usage",
        sa.Column("account", sa.String(64), primary_key=True),
        sa.Column("month", sa.String(7), primary_key=True),
        sa.Column("minutes", sa.Float(), nullable=False),
    )
    minutes = "coalesce(used_minutes, minutes)"
    found = op.get_bind().execute(sa.text(f"SELECT account, sent_at, {minutes} AS minutes FROM dials"))
    sums: dict[tuple[str, str], float] = {}
    for row in found:
        key = row.account, str(row.sent_at)[:7]
        sums[key] = sums.get(key, 0.0) + row.minutes
    if sums:
        rows = [{"account": one, "month": month, "minutes": used} for (one, month), used in sums.items()]
        op.bulk_insert(usage, rows)
