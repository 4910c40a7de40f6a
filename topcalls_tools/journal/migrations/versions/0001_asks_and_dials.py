"""Questions to a person, and dials."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "asks",
        sa.Column("key", sa.String(64), primary_key=True),
        sa.Column("account", sa.String(64), nullable=False),
        sa.Column("line", sa.String(64), nullable=False),
        sa.Column("tool", sa.String(64), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("minutes", sa.Float(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decision", sa.String(8)),
        sa.Column("used_at", sa.DateTime(timezone=True)),
        sa.Column("reply", sa.JSON()),
        sa.Column("slip", sa.String(64), unique=True),
        sa.Column("box", sa.Text()),
    )
    op.create_index("ix_asks_line", "asks", ["line"])
    op.create_index("asks_open", "asks", ["account", "expires_at"])
    op.create_table(
        "dials",
        sa.Column("key", sa.String(64), primary_key=True),
        sa.Column("account", sa.String(64), nullable=False),
        sa.Column("tool", sa.String(64), nullable=False),
        sa.Column("arguments", sa.JSON(), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("minutes", sa.Float(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("leased_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reply", sa.JSON()),
        sa.Column("settled_at", sa.DateTime(timezone=True)),
    )
    op.create_index("dials_of_account", "dials", ["account", "sent_at"])


def downgrade() -> None:
    op.drop_table("dials")
    op.drop_table("asks")
