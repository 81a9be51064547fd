"""The keys: made, rotated, revoked. A secret is shown by the answer that made it."""

from collections.abc import Collection

from lightweight.amounts import counted
from lightweight.errors import BadRequest
from lightweight.records import Answer, ApiKey, Limits
from lightweight.store.accounts import account_page
from lightweight.store.api_keys import create_key, key_page, revoke_key, rotate_key
from lightweight.store.connect import Connection
from lightweight.store.kept import keep_prompts
from lightweight.store.keys import mint
from lightweight.store.summary import account_names
from lightweight.web.admin.actor import account_for, key_for, require_role
from lightweight.web.dashboard.asked import Asked
from lightweight.web.dashboard.overview import example_model
from lightweight.web.dashboard.views import Badge, KeyLine, KeysView, MadeKey

SHOWN = 200
"""Keys and accounts that a page lists, the newest first."""

DAY_S = 86_400.0
LONGEST_GRACE_S = 30 * DAY_S


async def show_keys(asked: Asked, made: MadeKey | None = None) -> Answer:
    """Show the keys."""
    lines, accounts = await asked.read(
        lambda c: (
            key_lines(c, asked),
            account_page(c, account_id=asked.actor.scope, most=SHOWN),
        )
    )
    offering = asked.backstage.office.current().offering
    view = KeysView(
        keys=lines,
        models=[model.id for model in offering.listed()],
        accounts=accounts,
        base_url=asked.base_url,
        model=example_model(asked),
        made=made,
    )
    return asked.page("keys", view)


def key_lines(connection: Connection, asked: Asked) -> list[KeyLine]:
    """Give the visitor's keys, those that work first."""
    found = key_page(connection, account_id=asked.actor.scope, most=SHOWN)
    owners = account_names(connection, {key.account_id for key in found})
    lines = [
        KeyLine(
            key=key,
            account=owners.get(key.account_id, key.account_id),
            badge=_badge(key, asked.now),
            live=_works(key, asked.now) and key.revoked_at is None,
        )
        for key in found
    ]
    return sorted(lines, key=lambda line: not line.live)


def _works(key: ApiKey, now: float) -> bool:
    ends = (key.revoked_at, key.expires_at)
    return all(end is None or end > now for end in ends)


def _badge(key: ApiKey, now: float) -> Badge:
    if key.revoked_at is not None:
        if key.revoked_at > now:
            return Badge("replaced, ends soon", "warn")
        return Badge("revoked")
    return Badge("active", "good") if _works(key, now) else Badge("expired")


# -- changes -----------------------------------------------------------------------


async def make_key(asked: Asked) -> Answer:
    """Make a key of the form and show it."""
    days = number(asked.field("expires"), "the days until it expires")
    money = asked.field("quota_usd")
    made = await make(
        asked,
        name=asked.field("name"),
        models=frozenset(asked.form.get("models", ())) or None,
        life=None if days is None else days * DAY_S,
        limits=Limits(
            rpm=number(asked.field("rpm"), "requests a minute"),
            quota_micro_usd=micro_usd(money) if money else None,
        ),
    )
    return await show_keys(asked.done("The key works at once."), made)


async def make(
    asked: Asked,
    *,
    name: str,
    life: float | None,
    models: Collection[str] | None = None,
    limits: Limits | None = None,
) -> MadeKey:
    """Make a key of the form's account, or of the visitor's own.

    ``life`` is in seconds. Raises NotFound for an account that is not theirs, Conflict
    for what cannot be done. Cancelling may leave a key that nobody knows.
    """
    office = asked.backstage.office
    account = asked.field("account") or asked.signed.person.account_id
    if not account:
        raise BadRequest("A key belongs to an account: make one with an invite first.")
    _check_models(asked, models)
    secret = mint(office.random_bytes)

    def work(connection: Connection) -> ApiKey:
        owner = account_for(asked.actor, connection, account)
        return create_key(
            connection,
            key_id=office.new_id("key"),
            account=owner.id,
            name=name,
            secret=secret,
            pepper=office.pepper,
            now=asked.now,
            who=asked.actor.who,
            models=None if models is None else frozenset(models),
            expires_at=None if life is None else asked.now + life,
            limits=limits or Limits(),
        )

    key = await asked.change(work)
    return MadeKey(id=key.id, name=key.name, secret=secret)


async def rotate(asked: Asked, key_id: str) -> Answer:
    """Make the key that follows another, and show it."""
    office = asked.backstage.office
    grace = number(asked.field("grace") or "0", "the seconds of grace") or 0
    if grace > LONGEST_GRACE_S:
        raise BadRequest("An old key may work on for 30 days at most.")
    secret = mint(office.random_bytes)

    def work(connection: Connection) -> ApiKey:
        old = key_for(asked.actor, connection, key_id)
        return rotate_key(
            connection,
            old.id,
            new_key_id=office.new_id("key"),
            secret=secret,
            pepper=office.pepper,
            grace=grace,
            now=asked.now,
            who=asked.actor.who,
        )

    key = await asked.change(work)
    made = MadeKey(id=key.id, name=key.name, secret=secret, replaces=key_id)
    return await show_keys(asked.done("The new key works at once."), made)


async def revoke(asked: Asked, key_id: str) -> Answer:
    """End a key."""

    def work(connection: Connection) -> ApiKey:
        key = key_for(asked.actor, connection, key_id)
        return revoke_key(connection, key.id, now=asked.now, who=asked.actor.who)

    key = await asked.change(work)
    said = f"The key {key.name or key.shown} is revoked: it is dead within two seconds."
    return await show_keys(asked.done(said))


async def keep(asked: Asked, key_id: str) -> Answer:
    """Have a key's prompts and answers kept for some days, or no more."""
    days = number(asked.field("days"), "the days that prompts are kept")

    def work(connection: Connection) -> ApiKey:
        # What is not theirs is not there; what is, is not theirs to change.
        key = key_for(asked.actor, connection, key_id)
        require_role(asked.actor, "operator")
        return keep_prompts(
            connection, key.id, days, now=asked.now, who=asked.actor.who
        )

    key = await asked.change(work)
    name = key.name or key.shown
    if days is None:
        said = f"Prompts and answers of {name} are not kept; what was is deleted."
    else:
        kept = counted(days, "day")
        said = f"Prompts and answers of {name} are kept for {kept} from now on."
    return await show_keys(asked.done(said))


def _check_models(asked: Asked, models: Collection[str] | None) -> None:
    offered = asked.backstage.office.current().offering.models
    if models is not None and not offered.keys() >= set(models):
        raise BadRequest("One of these models is not on offer any more: choose again.")


def number(said: str, what: str) -> int | None:
    """Read a whole number; None where there is none. Raises BadRequest."""
    if not said:
        return None
    if not (said.isascii() and said.isdigit() and len(said) <= 16):  # noqa: PLR2004 -- 10^15
        raise BadRequest(f"For {what}, give a whole number or leave it empty.")
    return int(said)


def micro_usd(said: str) -> int:
    """Read an amount of dollars. Raises BadRequest."""
    whole, _, cents = said.partition(".")
    if not (whole + cents).isascii() or not (whole + cents).isdigit():
        raise BadRequest("For dollars, give a number such as 20 or 12.50.")
    if len(whole) > 9 or len(cents) > 6:  # noqa: PLR2004 -- 10^9 dollars, a millionth
        raise BadRequest("For dollars, give less than 10^9, to a millionth.")
    return int(whole or "0") * 1_000_000 + int(cents.ljust(6, "0"))
