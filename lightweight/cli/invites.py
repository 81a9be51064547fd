"""`lightweight invites`: who is to become somebody here."""

from typing import get_args

import click

from lightweight.cli.links import site_url
from lightweight.cli.options import check_tier, seconds
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
from lightweight.records import Invite, Role
from lightweight.store.connect import reading, writing
from lightweight.store.invites import (
    create_invite,
    invites_page,
    revoke_invite,
    state_of_invite,
)
from lightweight.store.tokens import mint_token
from lightweight.web.links import join_link

SHOWN_ONCE = "The link is shown only now and works once: send it to its person alone."

COLUMNS = {
    "ID": "id",
    "ROLE": "role",
    "ACCOUNT": "account",
    "TIER": "tier",
    "STATE": "state",
    "CREATED": "created_at",
    "EXPIRES": "expires_at",
    "NOTE": "note",
}


@click.group()
def invites() -> None:
    """Invites to the dashboard: nobody signs up without one."""


@invites.command()
@click.option(
    "--role",
    type=click.Choice(get_args(Role)),
    default="owner",
    show_default=True,
    help="What the person may do: all, or see to one account or to its keys.",
)
@click.option("--account", help="The account's name or id.")
@click.option("--new-account", metavar="NAME", help="Make this account, too.")
@click.option("--tier", help="The tier of the new account.")
@click.option("--note", default="", help="Whom it is for.")
@click.option(
    "--expires", default="7d", show_default=True, help="How long it works: 7d, 12h."
)
@json_option
@click.pass_obj
def create(
    opened: Opened,
    /,
    role: Role,
    account: str | None,
    new_account: str | None,
    tier: str | None,
    note: str,
    expires: str,
    *,
    as_json: bool,
) -> None:
    """Make an invite and show its link, this once."""
    if tier is not None:
        check_tier(tier, opened.config.config.tiers)
    now, life = opened.now(), seconds("--expires", expires)
    secret = mint_token(opened.random_bytes)
    with told_plainly(), writing(opened.engine()) as connection:
        invite = create_invite(
            connection,
            invite_id=opened.new_id("invite"),
            secret=secret,
            pepper=opened.pepper(),
            role=role,
            account=account,
            account_name=new_account,
            tier=tier,
            whom=note,
            life=life,
            now=now,
            who=WHO,
        )
    url = join_link(site_url(opened.config.config), secret)
    show_once(_described(invite, now), {"url": url}, SHOWN_ONCE, as_json=as_json)


@invites.command("list")
@json_option
@click.pass_obj
def list_(opened: Opened, *, as_json: bool) -> None:
    """Show all invites, the newest first."""
    with told_plainly(), reading(opened.engine()) as connection:
        found = invites_page(connection, most=None)
    described = [_described(invite, opened.now()) for invite in found]
    show_list(described, COLUMNS, as_json=as_json)


@invites.command()
@click.argument("invite_id", metavar="ID")
@json_option
@click.pass_obj
def revoke(opened: Opened, invite_id: str, *, as_json: bool) -> None:
    """End an invite that was not used yet."""
    now = opened.now()
    with told_plainly(), writing(opened.engine()) as connection:
        invite = revoke_invite(connection, invite_id, now=now, who=WHO)
    show_one(_described(invite, now), as_json=as_json)


def _described(invite: Invite, now: float) -> dict[str, str | None]:
    return {
        "id": invite.id,
        "role": invite.role,
        "account": invite.account_id or invite.account_name,
        "tier": invite.tier,
        "state": state_of_invite(invite, now),
        "created_at": moment(invite.created_at),
        "expires_at": moment_or_none(invite.expires_at),
        "note": invite.note,
    }
