"""Uses, their sums by day, and how far each journal was read."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "uses",
        sa.Column("id", sa.String, nullable=False),
        sa.Column("account_id", sa.String, nullable=False),
        sa.Column("key_id", sa.String, nullable=False),
        sa.Column("model", sa.String, nullable=False),
        sa.Column("provider", sa.String),
        sa.Column("upstream_model", sa.String),
        sa.Column("dialect", sa.String, nullable=False),
        sa.Column("stream", sa.Boolean, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("status", sa.Integer, nullable=False),
        sa.Column("ending", sa.String, nullable=False),
        sa.Column("fault", sa.String),
        sa.Column("fresh", sa.BigInteger, nullable=False),
        sa.Column("cached", sa.BigInteger, nullable=False),
        sa.Column("cache_write", sa.BigInteger, nullable=False),
        sa.Column("answer", sa.BigInteger, nullable=False),
        sa.Column("reasoning", sa.BigInteger, nullable=False),
        sa.Column("provenance", sa.String),
        sa.Column("micro_usd", sa.BigInteger),
        sa.Column("first_byte_s", sa.Double),
        sa.Column("duration_s", sa.Double, nullable=False),
        sa.Column("attempts", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_uses"),
    )
    op.create_index("ix_uses_account_id_at_id", "uses", ["account_id", "at", "id"])
    op.create_index("ix_uses_at_id", "uses", ["at", "id"])
    op.create_table(
        "day_uses",
        sa.Column("account_id", sa.String, nullable=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("key_id", sa.String, nullable=False),
        sa.Column("model", sa.String, nullable=False),
        sa.Column("succeeded", sa.BigInteger, nullable=False),
        sa.Column("failed", sa.BigInteger, nullable=False),
        sa.Column("fresh", sa.BigInteger, nullable=False),
        sa.Column("cached", sa.BigInteger, nullable=False),
        sa.Column("cache_write", sa.BigInteger, nullable=False),
        sa.Column("answer", sa.BigInteger, nullable=False),
        sa.Column("reasoning", sa.BigInteger, nullable=False),
        sa.Column("micro_usd", sa.BigInteger, nullable=False),
        sa.Column("unpriced", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint(
            "account_id", "day", "key_id", "model", name="pk_day_uses"
        ),
    )
    op.create_index("ix_day_uses_day", "day_uses", ["day"])
    op.create_table(
        "last_used",
        sa.Column("key_id", sa.String, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("key_id", name="pk_last_used"),
    )
    op.create_table(
        "journal_positions",
        sa.Column("writer", sa.String, nullable=False),
        sa.Column("segment", sa.BigInteger, nullable=False),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("done", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("writer", name="pk_journal_positions"),
    )
