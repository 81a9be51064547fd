"""Limits of an account's own, and of a key's."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("accounts", sa.Column("limits", sa.JSON(none_as_null=True)))
    op.add_column("keys", sa.Column("limits", sa.JSON(none_as_null=True)))
