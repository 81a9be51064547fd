"""Sums by day over all accounts, and indexes for what the request log is filtered by."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

FAILED = sa.text("ending NOT IN ('finished', 'client_gone')")
SUMS = (
    *("succeeded", "failed", "fresh", "cached", "cache_write", "answer"),
    *("reasoning", "micro_usd", "unpriced"),
)
PARTS = {"model": "model", "key": "key_id", "account": "account_id"}


def upgrade() -> None:
    op.create_table(
        "day_totals",
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("part", sa.String, nullable=False),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in SUMS),
        sa.PrimaryKeyConstraint("kind", "day", "part", name="pk_day_totals"),
    )
    summed = ", ".join(f"sum({name})" for name in SUMS)
    for kind, column in PARTS.items():
        op.execute(
            f"INSERT INTO day_totals (kind, day, part, {', '.join(SUMS)}) "  # noqa: S608 -- words of this file
            f"SELECT '{kind}', day, {column}, {summed} FROM day_uses "
            f"GROUP BY day, {column}"
        )
    op.create_index("ix_uses_key_id_at_id", "uses", ["key_id", "at", "id"])
    for name, columns in (
        ("ix_uses_failed_at_id", ["at", "id"]),
        ("ix_uses_failed_account_id_at_id", ["account_id", "at", "id"]),
    ):
        op.create_index(
            name, "uses", columns, sqlite_where=FAILED, postgresql_where=FAILED
        )
