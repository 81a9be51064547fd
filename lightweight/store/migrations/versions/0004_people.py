"""People, their invites, sessions and password links; tokens for the admin API."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    _people()
    _sign_in()
    _admin_tokens()


def _people() -> None:
    op.create_table(
        "people",
        sa.Column("id", sa.String, nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("role", sa.String, nullable=False),
        sa.Column("account_id", sa.String),
        sa.Column("password", sa.String, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("disabled", sa.Boolean, nullable=False),
        sa.Column("signed_in_at", sa.Double),
        sa.PrimaryKeyConstraint("id", name="pk_people"),
        sa.UniqueConstraint("name", name="uq_people_name"),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name="fk_people_account_id_accounts"
        ),
    )
    op.create_index("ix_people_account_id", "people", ["account_id"])
    op.create_table(
        "invites",
        sa.Column("id", sa.String, nullable=False),
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("note", sa.String, nullable=False),
        sa.Column("role", sa.String, nullable=False),
        sa.Column("account_id", sa.String),
        sa.Column("account_name", sa.String),
        sa.Column("tier", sa.String),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("expires_at", sa.Double, nullable=False),
        sa.Column("used_at", sa.Double),
        sa.Column("used_by", sa.String),
        sa.Column("revoked_at", sa.Double),
        sa.PrimaryKeyConstraint("id", name="pk_invites"),
        sa.UniqueConstraint("digest", name="uq_invites_digest"),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name="fk_invites_account_id_accounts"
        ),
        sa.ForeignKeyConstraint(
            ["used_by"], ["people.id"], name="fk_invites_used_by_people"
        ),
    )
    op.create_index("ix_invites_account_id", "invites", ["account_id"])


def _sign_in() -> None:
    op.create_table(
        "password_links",
        sa.Column("person_id", sa.String, nullable=False),
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("expires_at", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("person_id", name="pk_password_links"),
        sa.UniqueConstraint("digest", name="uq_password_links_digest"),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name="fk_password_links_person_id_people"
        ),
    )
    op.create_table(
        "sessions",
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("person_id", sa.String, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("seen_at", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_sessions"),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name="fk_sessions_person_id_people"
        ),
    )
    op.create_index("ix_sessions_person_id", "sessions", ["person_id"])
    op.create_table(
        "sign_in_attempts",
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("since", sa.Double, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_sign_in_attempts"),
    )
    op.create_index("ix_sign_in_attempts_since", "sign_in_attempts", ["since"])


def _admin_tokens() -> None:
    op.create_table(
        "admin_tokens",
        sa.Column("id", sa.String, nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("shown", sa.String, nullable=False),
        sa.Column("role", sa.String, nullable=False),
        sa.Column("account_id", sa.String),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("expires_at", sa.Double),
        sa.Column("revoked_at", sa.Double),
        sa.PrimaryKeyConstraint("id", name="pk_admin_tokens"),
        sa.UniqueConstraint("digest", name="uq_admin_tokens_digest"),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name="fk_admin_tokens_account_id_accounts"
        ),
    )
