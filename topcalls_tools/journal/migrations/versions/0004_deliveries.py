"""What webhooks told of calls, and how far a campaign's calls were heard."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("dials", sa.Column("heard_to", sa.DateTime(timezone=True)))
    op.create_table(
        "deliveries",
        sa.Column("delivery", sa.String(128), primary_key=True),
        sa.Column("account", sa.String(64), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("event", sa.String(64), nullable=False),
        sa.Column("call_id", sa.Text()),
        sa.Column("status", sa.String(32)),
        sa.Column("ours", sa.Boolean(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("worked_at", sa.DateTime(timezone=True)),
    )
    op.create_index("deliveries_same", "deliveries", ["account", "digest"])
    op.create_index("deliveries_of_call", "deliveries", ["call_id"])
    op.create_index("deliveries_at", "deliveries", ["at"])
