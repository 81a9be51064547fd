"""`lightweight people`: who may sign in to the dashboard."""

import click

from lightweight.cli.links import site_url
from lightweight.cli.output import (
    WHO,
    Opened,
    facts,
    in_json,
    json_option,
    moment,
    moment_or_none,
    show_list,
    show_one,
    told_plainly,
)
from lightweight.records import Person
from lightweight.store import identities
from lightweight.store.connect import reading, writing
from lightweight.store.people import (
    LINK_S,
    make_password_link,
    people_page,
    set_person,
)
from lightweight.store.tokens import mint_token
from lightweight.web.links import password_link

COLUMNS = {
    "ID": "id",
    "NAME": "name",
    "ROLE": "role",
    "ACCOUNT": "account_id",
    "STATE": "state",
    "CREATED": "created_at",
    "SIGNED IN": "signed_in_at",
}


@click.group()
def people() -> None:
    """Who may sign in: 'lightweight invites create' invites others."""


@people.command("list")
@json_option
@click.pass_obj
def list_(opened: Opened, *, as_json: bool) -> None:
    """Show everybody, the newest first."""
    with told_plainly(), reading(opened.engine()) as connection:
        found = people_page(connection, most=None)
    described = [_described(person) for person in found]
    show_list(described, COLUMNS, as_json=as_json)


@people.command("reset-password")
@click.argument("person")
@json_option
@click.pass_obj
def reset_password(opened: Opened, person: str, *, as_json: bool) -> None:
    """Make a link by which a PERSON, by name or id, chooses another password."""
    now, secret = opened.now(), mint_token(opened.random_bytes)
    with told_plainly(), writing(opened.engine()) as connection:
        found = make_password_link(
            connection, person, secret=secret, pepper=opened.pepper(), now=now, who=WHO
        )
    made = {
        "name": found.name,
        "url": password_link(site_url(opened.config.config), secret),
        "expires_at": moment(now + LINK_S),
    }
    if as_json:
        click.echo(in_json(made))
        return
    click.echo(facts(made))
    click.echo("\nThe link works once: give it to its person alone.")


@people.command()
@click.argument("person")
@json_option
@click.pass_obj
def disable(opened: Opened, person: str, *, as_json: bool) -> None:
    """Let a PERSON, by name or id, sign in no more; ends their sessions."""
    _set_disabled(opened, person, disabled=True, as_json=as_json)


@people.command()
@click.argument("person")
@json_option
@click.pass_obj
def enable(opened: Opened, person: str, *, as_json: bool) -> None:
    """Let a PERSON, by name or id, sign in again."""
    _set_disabled(opened, person, disabled=False, as_json=as_json)


@people.command()
@click.argument("person")
@json_option
@click.pass_obj
def unlink(opened: Opened, person: str, *, as_json: bool) -> None:
    """Forget who a PERSON, by name or id, is where they sign in by OpenID Connect.

    Ends their sessions. The next who comes with their verified address is linked anew.
    """
    with told_plainly(), writing(opened.engine()) as connection:
        changed = identities.unlink(connection, person, now=opened.now(), who=WHO)
    show_one(_described(changed), as_json=as_json)


def _set_disabled(
    opened: Opened, person: str, *, disabled: bool, as_json: bool
) -> None:
    with told_plainly(), writing(opened.engine()) as connection:
        changed = set_person(
            connection, person, disabled=disabled, now=opened.now(), who=WHO
        )
    show_one(_described(changed), as_json=as_json)


def _described(person: Person) -> dict[str, str | None]:
    return {
        "id": person.id,
        "name": person.name,
        "role": person.role,
        "account_id": person.account_id,
        "state": "disabled" if person.disabled else "active",
        "created_at": moment(person.created_at),
        "signed_in_at": moment_or_none(person.signed_in_at),
    }
