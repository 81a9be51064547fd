"""`lightweight keys`: make keys, see them, rotate and revoke them."""

from collections.abc import Mapping

import click
from msgspec.structs import replace

from lightweight.amounts import counted
from lightweight.cli.limits import (
    NONE,
    chosen_limits,
    limit_options,
    limits_described,
    limits_in_words,
    number,
)
from lightweight.cli.options import seconds
from lightweight.cli.output import (
    WHO,
    Described,
    Opened,
    in_words,
    json_option,
    moment,
    moment_or_none,
    show_list,
    show_once,
    show_one,
    told_plainly,
)
from lightweight.records import ApiKey, Limits
from lightweight.store.accounts import find_account, list_accounts
from lightweight.store.api_keys import (
    create_key,
    find_key,
    list_keys,
    revoke_key,
    rotate_key,
    set_key_limits,
    state_of_key,
)
from lightweight.store.connect import Connection, reading, writing
from lightweight.store.kept import MOST_DAYS
from lightweight.store.kept import keep_prompts as switch_prompts
from lightweight.store.keys import mint

SHOWN_ONCE = "The key is shown only now: keep it where only its user can read it."

COLUMNS = {
    "ID": "id",
    "ACCOUNT": "account",
    "NAME": "name",
    "KEY": "shown",
    "STATE": "state",
    "CREATED": "created_at",
    "EXPIRES": "expires_at",
    "MODELS": "models",
    "LIMITS": "limits",
}


@click.group()
def keys() -> None:
    """The keys with which accounts use this gateway."""


@keys.command()
@click.option("--account", required=True, help="The account's name or id.")
@click.option("--name", default="", help="A name by which people know the key.")
@click.option("--models", help="The only models it may use: a,b.  [default: all]")
@click.option("--expires", help="How long it works: 30d, 12h.  [default: for ever]")
@limit_options
@json_option
@click.pass_obj
def create(
    opened: Opened,
    /,
    account: str,
    name: str,
    models: str | None,
    expires: str | None,
    *,
    as_json: bool,
    **limits: str | None,
) -> None:
    """Make a key and show it, this once; its limits hold beside its account's."""
    now = opened.now()
    secret = mint(opened.random_bytes)
    chosen = replace(Limits(), **chosen_limits(limits))
    expires_at = None if expires is None else now + seconds("--expires", expires)
    with told_plainly(), writing(opened.engine()) as connection:
        key = create_key(
            connection,
            key_id=opened.new_id("key"),
            account=account,
            name=name,
            secret=secret,
            pepper=opened.pepper(),
            now=now,
            who=WHO,
            models=_model_set(models),
            expires_at=expires_at,
            limits=chosen,
        )
        owner = _owner(connection, key)
    made = _described(key, owner, now)
    show_once(made, {"key": secret}, SHOWN_ONCE, as_json=as_json, words=_in_words)


@keys.command("list")
@click.option("--account", help="Only the keys of this account, by name or id.")
@json_option
@click.pass_obj
def list_(opened: Opened, account: str | None, *, as_json: bool) -> None:
    """Show all keys, or those of one account."""
    with told_plainly(), reading(opened.engine()) as connection:
        found = list_keys(connection, account)
        owners = {each.id: each.name for each in list_accounts(connection)}
    now = opened.now()
    described = [_described(key, owners[key.account_id], now) for key in found]
    show_list(described, COLUMNS, as_json=as_json, words=_in_words)


@keys.command()
@click.argument("key_id", metavar="ID")
@json_option
@click.pass_obj
def show(opened: Opened, key_id: str, *, as_json: bool) -> None:
    """Show one key, without its secret."""
    with told_plainly(), reading(opened.engine()) as connection:
        key = find_key(connection, key_id)
        owner = _owner(connection, key)
    show_one(_described(key, owner, opened.now()), as_json=as_json, words=_in_words)


@keys.command("set")
@click.argument("key_id", metavar="ID")
@limit_options
@click.option(
    "--keep-prompts",
    metavar="DAYS",
    help=f"Keep prompts and answers for 1 to {MOST_DAYS} days, or none.",
)
@json_option
@click.pass_obj
def set_(
    opened: Opened,
    /,
    key_id: str,
    keep_prompts: str | None,
    *,
    as_json: bool,
    **limits: str | None,
) -> None:
    """Change the limits of a key; "none" clears one.

    Prompts are kept only where --keep-prompts says so, which the dashboard tells who
    uses the key; "none" ends that and deletes what was kept.
    """
    changes = chosen_limits(limits)
    if not changes and keep_prompts is None:
        raise click.ClickException(
            "Nothing was changed: say what, as 'lightweight keys set --help' shows."
        )
    days = None
    if keep_prompts is not None and keep_prompts != NONE:
        days = number("--keep-prompts", keep_prompts)
    now = opened.now()
    with told_plainly(), writing(opened.engine()) as connection:
        key = find_key(connection, key_id)
        if changes:
            key = set_key_limits(connection, key.id, changes, now=now, who=WHO)
        if keep_prompts is not None:
            key = switch_prompts(connection, key.id, days, now=now, who=WHO)
        owner = _owner(connection, key)
    show_one(_described(key, owner, now), as_json=as_json, words=_in_words)


@keys.command()
@click.argument("key_id", metavar="ID")
@click.option(
    "--grace",
    default="24h",
    show_default=True,
    help="How long the old key works on; 0s ends it now.",
)
@json_option
@click.pass_obj
def rotate(opened: Opened, key_id: str, grace: str, *, as_json: bool) -> None:
    """Make a new key in the place of another, which works on for a while."""
    now = opened.now()
    secret = mint(opened.random_bytes)
    grace_s = seconds("--grace", grace)
    with told_plainly(), writing(opened.engine()) as connection:
        key = rotate_key(
            connection,
            key_id,
            new_key_id=opened.new_id("key"),
            secret=secret,
            pepper=opened.pepper(),
            grace=grace_s,
            now=now,
            who=WHO,
        )
        owner = _owner(connection, key)
        old = find_key(connection, key_id)
    ends = moment(min(at for at in (old.revoked_at, old.expires_at) if at is not None))
    described = {
        **_described(key, owner, now),
        "replaces": {"id": old.id, "ends_at": ends},
    }
    note = f"{SHOWN_ONCE}\nThe key {old.id} that it replaces works until {ends}."
    show_once(described, {"key": secret}, note, as_json=as_json, words=_in_words)


@keys.command()
@click.argument("key_id", metavar="ID")
@json_option
@click.pass_obj
def revoke(opened: Opened, key_id: str, *, as_json: bool) -> None:
    """End a key: a running daemon refuses it within two seconds."""
    now = opened.now()
    with told_plainly(), writing(opened.engine()) as connection:
        key = revoke_key(connection, key_id, now=now, who=WHO)
        owner = _owner(connection, key)
    show_one(_described(key, owner, now), as_json=as_json, words=_in_words)


def _owner(connection: Connection, key: ApiKey) -> str:
    return find_account(connection, key.account_id).name


def _model_set(text: str | None) -> frozenset[str] | None:
    if text is None:
        return None
    return frozenset(model.strip() for model in text.split(",") if model.strip())


def _described(key: ApiKey, owner: str, now: float) -> dict[str, object]:
    return {
        "id": key.id,
        "account": owner,
        "account_id": key.account_id,
        "name": key.name,
        "shown": key.shown,
        "state": state_of_key(key, now),
        "created_at": moment(key.created_at),
        "expires_at": moment_or_none(key.expires_at),
        "revoked_at": moment_or_none(key.revoked_at),
        "models": None if key.models is None else sorted(key.models),
        "limits": limits_described(key.limits),
        "keep_prompts_days": key.keep_prompts_days,
    }


def _in_words(described: Described) -> Mapping[str, str]:
    models = described["models"]
    words = dict(in_words(described))
    words.pop("replaces", None)
    words["models"] = ", ".join(models) if isinstance(models, list) else "all"
    limits = described["limits"]
    assert isinstance(limits, Mapping)
    words["limits"] = limits_in_words(limits)
    del words["keep_prompts_days"]
    days = described["keep_prompts_days"]
    words["prompts"] = (
        f"kept for {counted(days, 'day')}" if isinstance(days, int) else "not kept"
    )
    return words
