"""Prompts and answers that an operator wants kept, for a while and within bounds.

They are there for as long as the switch of their key says, and only while the key
works: who revokes a key has them gone. Whoever reads one is in the audit log.
"""

from collections.abc import Iterable
from typing import Any

from msgspec.structs import replace
from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Table,
    delete,
    or_,
    select,
    update,
)

from lightweight.records import ApiKey, Kept
from lightweight.store.api_keys import find_key, update_key
from lightweight.store.audit import note
from lightweight.store.bulk import insert_into
from lightweight.store.directory import DirectoryProblem, take_turn
from lightweight.store.schema import kept_prompts, keys

DAY_S = 86_400.0
DEFAULT_DAYS = 7
MOST_DAYS = 30


def keep_prompts(
    connection: Connection, key_id: str, days: int | None, *, now: float, who: str
) -> ApiKey:
    """Keep the prompts of a key for so many days, or no more: then they go at once."""
    if days is not None and not 1 <= days <= MOST_DAYS:
        raise DirectoryProblem(f"Prompts are kept for 1 to {MOST_DAYS} days.")
    take_turn(connection)
    key = find_key(connection, key_id)
    update_key(connection, key.id, keep_prompts_days=days)
    of_key = kept_prompts.c.key_id == key.id
    if days is None:
        connection.execute(delete(kept_prompts).where(of_key))
    else:
        ends_at = kept_prompts.c.at + days * DAY_S
        connection.execute(update(kept_prompts).where(of_key).values(ends_at=ends_at))
    note(connection, now, who, "key.keep_prompts", key.id, days=days)
    return replace(key, keep_prompts_days=days)


def record_kept(connection: Connection, kept: Iterable[Kept], now: float) -> None:
    """Write what came, once each, as far as its key is still to be kept."""
    found = {each.request_id: each for each in kept}
    wanted = select(keys.c.id, keys.c.keep_prompts_days).where(
        keys.c.id.in_({each.key_id for each in found.values()}),
        keys.c.keep_prompts_days.is_not(None),
        ~_dead(now),
    )
    days = {row.id: row.keep_prompts_days for row in connection.execute(wanted)}
    rows = [
        {
            "request_id": each.request_id,
            "key_id": each.key_id,
            "at": each.at,
            "ends_at": each.at + days[each.key_id] * DAY_S,
            # PostgreSQL's texts hold no NUL.
            "prompt": each.prompt.replace("\0", ""),
            "prompt_bytes": each.prompt_bytes,
            "answer": each.answer.replace("\0", ""),
            "answer_bytes": each.answer_bytes,
        }
        for each in found.values()
        if each.key_id in days
    ]
    if rows:
        insert = insert_into(connection.dialect, kept_prompts).on_conflict_do_nothing()
        connection.execute(insert, rows)


def forget_kept(connection: Connection, now: float) -> int:
    """Delete what is to be kept no longer; give how many that were."""
    dead = select(keys.c.id).where(_dead(now))
    old = or_(kept_prompts.c.ends_at <= now, kept_prompts.c.key_id.in_(dead))
    return connection.execute(delete(kept_prompts).where(old)).rowcount


def kept_until(connection: Connection, request_id: str, now: float) -> float | None:
    """Give until when a request's prompt is kept; None where none is."""
    ends_at = kept_prompts.c.ends_at
    found: float | None = connection.execute(_kept(ends_at, request_id, now)).scalar()
    return found


def read_kept(
    connection: Connection, request_id: str, *, now: float, who: str
) -> Kept | None:
    """Give what is kept of a request; None where nothing is.

    That it was read is noted, so this takes a transaction that may write.
    """
    row = connection.execute(_kept(kept_prompts, request_id, now)).first()
    if row is None:
        return None
    note(connection, now, who, "prompt.read", row.request_id, key=row.key_id)
    return Kept(
        request_id=row.request_id,
        key_id=row.key_id,
        at=row.at,
        prompt=row.prompt,
        prompt_bytes=row.prompt_bytes,
        answer=row.answer,
        answer_bytes=row.answer_bytes,
    )


def _kept(
    what: Table | ColumnElement[float], request_id: str, now: float
) -> Select[Any]:
    return (
        select(what)
        .join(keys, keys.c.id == kept_prompts.c.key_id)
        .where(kept_prompts.c.request_id == request_id)
        .where(kept_prompts.c.ends_at > now, ~_dead(now))
    )


def _dead(now: float) -> ColumnElement[bool]:
    ends = (keys.c.revoked_at, keys.c.expires_at)
    return or_(*(end.is_not(None) & (end <= now) for end in ends))
