"""The tables, the same on SQLite and PostgreSQL.

Times are seconds since the epoch. ``changed`` is the value that the counter of keys had
after the row's last change: who remembers a value finds what is newer by it.
"""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Date,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    text,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)
"""Every constraint has a name, so that a later migration can drop it."""

accounts = Table(
    "accounts",
    metadata,
    Column("id", String, primary_key=True),
    Column("name", String, nullable=False, unique=True),
    Column("tier", String, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("disabled", Boolean, nullable=False),
    Column("changed", BigInteger, nullable=False, index=True),
    # What is set of records.Limits, or null for nothing.
    Column("limits", JSON(none_as_null=True)),
)

keys = Table(
    "keys",
    metadata,
    Column("id", String, primary_key=True),
    Column("account_id", ForeignKey(accounts.c.id), nullable=False, index=True),
    Column("name", String, nullable=False),
    Column("digest", LargeBinary(32), nullable=False, unique=True),
    Column("shown", String, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("expires_at", Double),
    Column("revoked_at", Double),
    # A list of model ids, or null for all.
    Column("models", JSON(none_as_null=True)),
    Column("changed", BigInteger, nullable=False, index=True),
    # As an account's.
    Column("limits", JSON(none_as_null=True)),
    # Null where prompts are not kept.
    Column("keep_prompts_days", Integer),
)

audit = Table(
    "audit",
    metadata,
    # SQLite numbers rows by itself only where the type is exactly INTEGER.
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("at", Double, nullable=False),
    Column("who", String, nullable=False),
    Column("what", String, nullable=False),
    Column("subject", String, nullable=False),
    Column("details", JSON, nullable=False),
    Index(None, "subject"),
)

counters = Table(
    "counters",
    metadata,
    Column("name", String, primary_key=True),
    Column("value", BigInteger, nullable=False),
)

KEYS_COUNTER = "keys"
"""The counter of changes to accounts and keys; its row comes with the table."""

# -- people ------------------------------------------------------------------------

people = Table(
    "people",
    metadata,
    Column("id", String, primary_key=True),
    Column("name", String, nullable=False, unique=True),
    Column("role", String, nullable=False),
    Column("account_id", ForeignKey(accounts.c.id), index=True),
    # Argon2's own form: it says how it was made.
    Column("password", String, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("disabled", Boolean, nullable=False),
    Column("signed_in_at", Double),
)

identities = Table(
    "identities",
    metadata,
    # Who somebody is at a provider of OpenID Connect.
    Column("issuer", String, primary_key=True),
    Column("subject", String, primary_key=True),
    Column("person_id", ForeignKey(people.c.id), nullable=False, index=True),
    Column("linked_at", Double, nullable=False),
)

invites = Table(
    "invites",
    metadata,
    Column("id", String, primary_key=True),
    Column("digest", LargeBinary(32), nullable=False, unique=True),
    Column("note", String, nullable=False),
    Column("role", String, nullable=False),
    # An account there is, or the name and tier of one to be made.
    Column("account_id", ForeignKey(accounts.c.id), index=True),
    Column("account_name", String),
    Column("tier", String),
    Column("created_at", Double, nullable=False),
    Column("expires_at", Double, nullable=False),
    Column("used_at", Double),
    Column("used_by", ForeignKey(people.c.id)),
    Column("revoked_at", Double),
)

password_links = Table(
    "password_links",
    metadata,
    # A person has one at most: a new one ends the last.
    Column("person_id", ForeignKey(people.c.id), primary_key=True),
    Column("digest", LargeBinary(32), nullable=False, unique=True),
    Column("expires_at", Double, nullable=False),
)

sessions = Table(
    "sessions",
    metadata,
    Column("digest", LargeBinary(32), primary_key=True),
    Column("person_id", ForeignKey(people.c.id), nullable=False, index=True),
    Column("created_at", Double, nullable=False),
    Column("seen_at", Double, nullable=False),
)

sign_in_attempts = Table(
    "sign_in_attempts",
    metadata,
    # Of a name or an address: what people type into a name may be a password.
    Column("digest", LargeBinary(32), primary_key=True),
    Column("since", Double, nullable=False, index=True),
    Column("tries", Integer, nullable=False),
)

admin_tokens = Table(
    "admin_tokens",
    metadata,
    Column("id", String, primary_key=True),
    Column("name", String, nullable=False),
    Column("digest", LargeBinary(32), nullable=False, unique=True),
    Column("shown", String, nullable=False),
    Column("role", String, nullable=False),
    Column("account_id", ForeignKey(accounts.c.id)),
    Column("created_at", Double, nullable=False),
    Column("expires_at", Double),
    Column("revoked_at", Double),
)

# -- the ledger --------------------------------------------------------------------

FAILED = text("ending NOT IN ('finished', 'client_gone')")
"""Which uses failed; word for word what their indexes are limited to."""

uses = Table(
    "uses",
    metadata,
    # The request id: importing a use twice inserts it once.
    Column("id", String, primary_key=True),
    Column("account_id", String, nullable=False),
    Column("key_id", String, nullable=False),
    Column("model", String, nullable=False),
    Column("provider", String),
    Column("upstream_model", String),
    Column("dialect", String, nullable=False),
    Column("stream", Boolean, nullable=False),
    Column("at", Double, nullable=False),
    Column("status", Integer, nullable=False),
    Column("ending", String, nullable=False),
    Column("fault", String),
    Column("fresh", BigInteger, nullable=False),
    Column("cached", BigInteger, nullable=False),
    Column("cache_write", BigInteger, nullable=False),
    Column("answer", BigInteger, nullable=False),
    Column("reasoning", BigInteger, nullable=False),
    # Null where nobody knows of any token.
    Column("provenance", String),
    # Null where the model has no price.
    Column("micro_usd", BigInteger),
    Column("first_byte_s", Double),
    Column("duration_s", Double, nullable=False),
    Column("attempts", JSON, nullable=False),
    Index("ix_uses_account_id_at_id", "account_id", "at", "id"),
    Index("ix_uses_at_id", "at", "id"),
    # What the request log is filtered by.
    Index("ix_uses_key_id_at_id", "key_id", "at", "id"),
)

SUMS = (
    "succeeded",
    "failed",
    "fresh",
    "cached",
    "cache_write",
    "answer",
    "reasoning",
    "micro_usd",
    "unpriced",
)
"""What is added up of uses."""

day_uses = Table(
    "day_uses",
    metadata,
    Column("account_id", String, primary_key=True),
    Column("day", Date, primary_key=True, index=True),
    Column("key_id", String, primary_key=True),
    Column("model", String, primary_key=True),
    *(Column(name, BigInteger, nullable=False) for name in SUMS),
)
"""Sums of ``uses``, as ``records.DayUse``; they stay when old uses are deleted."""

day_totals = Table(
    "day_totals",
    metadata,
    # What the part is: ``model``, ``key`` or ``account``.
    Column("kind", String, primary_key=True),
    Column("day", Date, primary_key=True),
    Column("part", String, primary_key=True),
    *(Column(name, BigInteger, nullable=False) for name in SUMS),
)
"""Sums of ``day_uses`` over all accounts: what operators look at."""

kept_prompts = Table(
    "kept_prompts",
    metadata,
    Column("request_id", String, primary_key=True),
    Column("key_id", String, nullable=False, index=True),
    Column("at", Double, nullable=False),
    Column("ends_at", Double, nullable=False, index=True),
    Column("prompt", Text, nullable=False),
    Column("prompt_bytes", BigInteger, nullable=False),
    Column("answer", Text, nullable=False),
    Column("answer_bytes", BigInteger, nullable=False),
)
"""What ``records.Kept`` says, until it is to be forgotten."""

last_used = Table(
    "last_used",
    metadata,
    Column("key_id", String, primary_key=True),
    Column("at", Double, nullable=False),
)

journal_positions = Table(
    "journal_positions",
    metadata,
    Column("writer", String, primary_key=True),
    Column("segment", BigInteger, nullable=False),
    Column("position", BigInteger, nullable=False),
    # The writer is dead and all it left is in the ledger: its files may go.
    Column("done", Boolean, nullable=False),
)

PRUNED_COUNTER = "uses_pruned"
"""The counter that holds the first day whose uses were never deleted, as an ordinal."""
