"""The indexes of a part of a table, which only who makes tables need know.

Naming their condition for PostgreSQL loads SQLAlchemy's dialect of it: who reads and
writes starts without.
"""

from sqlalchemy import Index

from lightweight.store.schema import FAILED, uses

PARTIAL = tuple(
    Index(name, *columns, sqlite_where=FAILED, postgresql_where=FAILED)
    for name, columns in (
        ("ix_uses_failed_at_id", (uses.c.at, uses.c.id)),
        (
            "ix_uses_failed_account_id_at_id",
            (uses.c.account_id, uses.c.at, uses.c.id),
        ),
    )
)
