"""Prompts and answers that an operator wants kept for a while."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.add_column("keys", sa.Column("keep_prompts_days", sa.Integer))
    op.create_table(
        "kept_prompts",
        sa.Column("request_id", sa.String, nullable=False),
        sa.Column("key_id", sa.String, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("ends_at", sa.Double, nullable=False),
        sa.Column("prompt", sa.Text, nullable=False),
        sa.Column("prompt_bytes", sa.BigInteger, nullable=False),
        sa.Column("answer", sa.Text, nullable=False),
        sa.Column("answer_bytes", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("request_id", name="pk_kept_prompts"),
    )
    op.create_index("ix_kept_prompts_key_id", "kept_prompts", ["key_id"])
    op.create_index("ix_kept_prompts_ends_at", "kept_prompts", ["ends_at"])
