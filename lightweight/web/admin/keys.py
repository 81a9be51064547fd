"""Keys of accounts."""

from msgspec import UnsetType

from lightweight.errors import BadRequest
from lightweight.records import ApiKey
from lightweight.store.api_keys import (
    create_key,
    key_page,
    revoke_key,
    rotate_key,
    set_key_limits,
)
from lightweight.store.connect import Connection
from lightweight.store.kept import keep_prompts
from lightweight.store.keys import mint
from lightweight.store.usage import last_used_at
from lightweight.web.admin import drafts, shapes, shown
from lightweight.web.admin.actor import (
    account_for,
    key_for,
    own_account,
    require_role,
    scope_for,
)
from lightweight.web.admin.reading import (
    epoch,
    limit_changes,
    limits_of,
    made_at,
    page,
    page_size,
    place_after,
)
from lightweight.web.admin.table import Case, Table

TABLE = Table()

LONGEST_GRACE_S = 90 * 86_400.0


@TABLE.route("GET", "/keys")
async def list_keys(case: Case, *, query: drafts.OwnedQuery) -> shapes.Page[shapes.Key]:
    """List keys: of one account, or of all that are yours to see."""
    most, after = page_size(query), place_after(query)

    def work(connection: Connection) -> tuple[list[ApiKey], dict[str, float]]:
        owner = scope_for(case.actor, connection, query.account)
        keys = key_page(connection, account_id=owner, after=after, most=most + 1)
        return keys, last_used_at(connection, [key.id for key in keys])

    found, used = await case.office.database.read(work)
    now = case.office.wall()
    return page(
        found,
        most,
        lambda key: shown.key(key, now, used.get(key.id)),
        made_at,
    )


@TABLE.route("POST", "/keys", status=201)
async def create_a_key(case: Case, *, asked: drafts.KeyDraft) -> shapes.NewKey:
    """Make a key and show it, this once."""
    office, secret = case.office, mint(case.office.random_bytes)
    limits, expires_at = limits_of(asked.limits), epoch("expires_at", asked.expires_at)
    account = own_account(case.actor, asked.account)

    def work(connection: Connection) -> ApiKey:
        return create_key(
            connection,
            key_id=office.new_id("key"),
            account=account_for(case.actor, connection, account).id,
            name=asked.name,
            secret=secret,
            pepper=office.pepper,
            now=office.wall(),
            who=case.actor.who,
            models=None if asked.models is None else frozenset(asked.models),
            expires_at=expires_at,
            limits=limits,
        )

    made = await office.database.run(work)
    return shapes.NewKey(key=secret, details=shown.key(made, office.wall()))


@TABLE.route("GET", "/keys/{id}")
async def show_key(case: Case) -> shapes.Key:
    """Show a key, without its secret."""

    def work(connection: Connection) -> tuple[ApiKey, dict[str, float]]:
        key = key_for(case.actor, connection, case.id)
        return key, last_used_at(connection, [key.id])

    found, used = await case.office.database.read(work)
    return shown.key(found, case.office.wall(), used.get(found.id))


@TABLE.route("PATCH", "/keys/{id}")
async def change_key(case: Case, *, asked: drafts.KeyChanges) -> shapes.Key:
    """Change a key's limits, which hold beside its account's, or what is kept of it."""
    changes, now, who = limit_changes(asked.limits), case.office.wall(), case.actor.who
    days = asked.keep_prompts_days

    def work(connection: Connection) -> ApiKey:
        key = key_for(case.actor, connection, case.id)
        if changes:
            key = set_key_limits(connection, key.id, changes, now=now, who=who)
        if not isinstance(days, UnsetType):
            require_role(case.actor, "operator")
            key = keep_prompts(connection, key.id, days, now=now, who=who)
        return key

    return shown.key(await case.office.database.run(work), now)


@TABLE.route("POST", "/keys/{id}/rotate", status=201)
async def rotate_a_key(case: Case, *, asked: drafts.Rotation) -> shapes.NewKey:
    """Make a new key in the place of another, which works on for a while."""
    office, secret = case.office, mint(case.office.random_bytes)
    if not 0 <= asked.grace_s <= LONGEST_GRACE_S:
        raise BadRequest(
            "Invalid 'grace_s': expected seconds from 0 to those of 90 days.",
            param="grace_s",
            code="invalid_value",
        )
    made = await office.database.run(
        lambda c: rotate_key(
            c,
            key_for(case.actor, c, case.id).id,
            new_key_id=office.new_id("key"),
            secret=secret,
            pepper=office.pepper,
            grace=asked.grace_s,
            now=office.wall(),
            who=case.actor.who,
        )
    )
    return shapes.NewKey(key=secret, details=shown.key(made, office.wall()))


@TABLE.route("POST", "/keys/{id}/revoke")
async def revoke_a_key(case: Case) -> shapes.Key:
    """End a key: every worker refuses it within two seconds."""
    now = case.office.wall()
    ended = await case.office.database.run(
        lambda c: revoke_key(
            c, key_for(case.actor, c, case.id).id, now=now, who=case.actor.who
        )
    )
    return shown.key(ended, now)
