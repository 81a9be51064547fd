"""The audit log: who did what to whom, written with what was done or not at all."""

from msgspec import Struct
from sqlalchemy import Connection, insert, select

from lightweight.store.schema import audit


class AuditEntry(Struct, frozen=True, kw_only=True):
    """One thing that was done."""

    id: int
    at: float
    who: str
    """``cli``, ``first start``, or a person or token by name and id."""
    what: str
    """Noun and verb: ``key.revoke``."""
    subject: str
    """The id of what it was done to."""
    details: dict[str, str | float | bool | None]


def note(
    connection: Connection,
    at: float,
    who: str,
    what: str,
    subject: str,
    **details: str | float | None,
) -> None:
    """Write an entry, in the transaction of what it tells of."""
    connection.execute(
        insert(audit).values(
            at=at, who=who, what=what, subject=subject, details=details
        )
    )


def audit_log(
    connection: Connection,
    *,
    subject: str | None = None,
    what: str | None = None,
    before: int | None = None,
    most: int = 50,
) -> list[AuditEntry]:
    """Give a page of entries, the newest first: about one subject, or about all.

    ``what`` is the one deed that is asked for; None: any.
    ``before`` is the id of the last page's last entry.
    """
    query = select(audit).order_by(audit.c.id.desc()).limit(most)
    if subject is not None and not subject.isprintable():
        return []  # nobody's id, and PostgreSQL could not even be asked
    if subject is not None:
        query = query.where(audit.c.subject == subject)
    if what is not None:
        query = query.where(audit.c.what == what)
    if before is not None:
        query = query.where(audit.c.id < before)
    return [
        AuditEntry(
            id=row.id,
            at=row.at,
            who=row.who,
            what=row.what,
            subject=row.subject,
            details=row.details,
        )
        for row in connection.execute(query)
    ]
