"""What the verbs on people, invites, keys and tokens do alike with a row of theirs."""

from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Table, select, update

from lightweight.store.audit import note


def row_of_id(connection: Connection, table: Table, row_id: str) -> Row[Any] | None:
    """Give the row of an id, which somebody typed; None where there is none.

    What is not printable is nobody's, and a lone surrogate cannot even be asked.
    """
    if not row_id.isprintable():
        return None
    return connection.execute(select(table).where(table.c.id == row_id)).first()


def revoke_row(
    connection: Connection,
    table: Table,
    row_id: str,
    what: str,
    *,
    now: float,
    who: str,
) -> None:
    """End what a row stands for; ``what`` the audit log calls that."""
    connection.execute(update(table).where(table.c.id == row_id).values(revoked_at=now))
    note(connection, now, who, what, row_id)


def owned(
    table: Table, account_id: str | None, *, operators: bool
) -> list[ColumnElement[bool]]:
    """Give what a row must be: of one account (None: of any), an operator's or not."""
    conditions = [] if account_id is None else [table.c.account_id == account_id]
    return conditions if operators else [*conditions, table.c.role != "operator"]
