"""`lightweight admin-token`: what programs use the admin API with."""

from typing import get_args

import click

from lightweight.cli.options import seconds
from lightweight.cli.output import (
    WHO,
    Opened,
    json_option,
    moment,
    moment_or_none,
    show_list,
    show_once,
    show_one,
    told_plainly,
)
from lightweight.records import AdminToken, Role
from lightweight.store.admin_tokens import (
    admin_tokens_page,
    create_admin_token,
    revoke_admin_token,
)
from lightweight.store.connect import reading, writing
from lightweight.store.tokens import ADMIN_PREFIX, mint_token

SHOWN_ONCE = "The token is shown only now: keep it where only its user can read it."

COLUMNS = {
    "ID": "id",
    "NAME": "name",
    "TOKEN": "shown",
    "ROLE": "role",
    "ACCOUNT": "account_id",
    "STATE": "state",
    "CREATED": "created_at",
    "EXPIRES": "expires_at",
}


@click.group("admin-token")
def admin_tokens() -> None:
    """Tokens with which programs use the admin API."""


@admin_tokens.command()
@click.argument("name")
@click.option(
    "--role",
    type=click.Choice(get_args(Role)),
    default="operator",
    show_default=True,
    help="What it may do; any but the default is for one account.",
)
@click.option("--account", help="The account's name or id.")
@click.option("--expires", help="How long it works: 30d, 12h.  [default: for ever]")
@json_option
@click.pass_obj
def create(
    opened: Opened,
    /,
    name: str,
    role: Role,
    account: str | None,
    expires: str | None,
    *,
    as_json: bool,
) -> None:
    """Make a token, called NAME after what uses it, and show it, this once."""
    now = opened.now()
    secret = mint_token(opened.random_bytes, ADMIN_PREFIX)
    expires_at = None if expires is None else now + seconds("--expires", expires)
    with told_plainly(), writing(opened.engine()) as connection:
        token = create_admin_token(
            connection,
            token_id=opened.new_id("token"),
            secret=secret,
            pepper=opened.pepper(),
            name=name,
            role=role,
            account=account,
            expires_at=expires_at,
            now=now,
            who=WHO,
        )
    show_once(_described(token, now), {"token": secret}, SHOWN_ONCE, as_json=as_json)


@admin_tokens.command("list")
@json_option
@click.pass_obj
def list_(opened: Opened, *, as_json: bool) -> None:
    """Show all tokens, without their secrets."""
    with told_plainly(), reading(opened.engine()) as connection:
        found = admin_tokens_page(connection, most=None)
    described = [_described(token, opened.now()) for token in found]
    show_list(described, COLUMNS, as_json=as_json)


@admin_tokens.command()
@click.argument("token_id", metavar="ID")
@json_option
@click.pass_obj
def revoke(opened: Opened, token_id: str, *, as_json: bool) -> None:
    """End a token now."""
    now = opened.now()
    with told_plainly(), writing(opened.engine()) as connection:
        token = revoke_admin_token(connection, token_id, now=now, who=WHO)
    show_one(_described(token, now), as_json=as_json)


def _state(token: AdminToken, now: float) -> str:
    if token.revoked_at is not None:
        return "revoked"
    expired = token.expires_at is not None and token.expires_at <= now
    return "expired" if expired else "active"


def _described(token: AdminToken, now: float) -> dict[str, str | None]:
    return {
        "id": token.id,
        "name": token.name,
        "shown": token.shown,
        "role": token.role,
        "account_id": token.account_id,
        "state": _state(token, now),
        "created_at": moment(token.created_at),
        "expires_at": moment_or_none(token.expires_at),
    }
