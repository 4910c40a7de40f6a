"""What a webhook is known by belongs to its account: two accounts may be told under one id."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("deliveries_same", "deliveries_of_call", "deliveries_at"):
        op.drop_index(name, "deliveries")
    op.rename_table("deliveries", "deliveries_before")
    kept = op.create_table(
        "deliveries",
        sa.Column("account", sa.String(64), nullable=False),
        sa.Column("delivery", sa.String(128), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("event", sa.String(64), nullable=False),
        sa.Column("call_id", sa.Text()),
        sa.Column("status", sa.String(32)),
        sa.Column("ours", sa.Boolean(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("worked_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("account", "delivery", name="deliveries_of_account"),
    )
    names = [column.name for column in kept.columns]
    before = sa.table("deliveries_before", *map(sa.column, names))
    op.execute(kept.insert().from_select(names, sa.select(before)))
    op.drop_table("deliveries_before")
    op.create_index("deliveries_same", "deliveries", ["account", "digest"])
    op.create_index("deliveries_of_call", "deliveries", ["call_id"])
    op.create_index("deliveries_at", "deliveries", ["at"])
