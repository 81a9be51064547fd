"""People, and invites for those to come."""

from collections.abc import Callable
from typing import TypeVar

from lightweight.records import Invite, Person
from lightweight.store.connect import Connection
from lightweight.store.invites import (
    create_invite,
    invites_page,
    revoke_invite,
)
from lightweight.store.people import (
    LINK_S,
    make_password_link,
    people_page,
    set_person,
)
from lightweight.store.tokens import INVITE_S, mint_token
from lightweight.web.admin import drafts, shapes, shown
from lightweight.web.admin.actor import (
    account_for,
    invite_for,
    own_account,
    person_for,
    require_role,
    scope_for,
)
from lightweight.web.admin.reading import made_at, page, page_size, place_after
from lightweight.web.admin.table import Case, Table
from lightweight.web.admin.tiers import require_tier
from lightweight.web.links import join_link, password_link

TABLE = Table()

_T = TypeVar("_T")


async def _seen(
    case: Case, query: drafts.OwnedQuery, page_of: Callable[..., list[_T]]
) -> list[_T]:
    """Give what ``page_of`` finds of what is theirs to see, one more than a page."""
    most, after = page_size(query), place_after(query)

    def work(connection: Connection) -> list[_T]:
        owner = scope_for(case.actor, connection, query.account)
        return page_of(
            connection,
            account_id=owner,
            operators=case.actor.role == "operator",
            after=after,
            most=most + 1,
        )

    return await case.office.database.read(work)


@TABLE.route("GET", "/people", least="owner")
async def list_people(
    case: Case, *, query: drafts.OwnedQuery
) -> shapes.Page[shapes.Person]:
    """List who may sign in: of one account, or all that are yours to see."""
    found = await _seen(case, query, people_page)
    return page(found, page_size(query), shown.person, made_at)


@TABLE.route("GET", "/people/{id}", least="owner")
async def show_person(case: Case) -> shapes.Person:
    """Show somebody."""
    found = await case.office.database.read(
        lambda c: person_for(case.actor, c, case.id)
    )
    return shown.person(found)


@TABLE.route("PATCH", "/people/{id}", least="owner")
async def change_person(case: Case, *, asked: drafts.PersonChanges) -> shapes.Person:
    """Change somebody's role, or whether they may sign in; ends their sessions."""
    if asked.role is not None:
        require_role(case.actor, asked.role)

    def work(connection: Connection) -> Person:
        return set_person(
            connection,
            person_for(case.actor, connection, case.id).id,
            disabled=asked.disabled,
            role=asked.role,
            now=case.office.wall(),
            who=case.actor.who,
        )

    return shown.person(await case.office.database.run(work))


@TABLE.route("POST", "/people/{id}/reset-password", least="owner", status=201)
async def reset_password(case: Case) -> shapes.Link:
    """Make a one-time link by which somebody chooses another password."""
    office, secret = case.office, mint_token(case.office.random_bytes)
    now = office.wall()
    await office.database.run(
        lambda c: make_password_link(
            c,
            person_for(case.actor, c, case.id).id,
            secret=secret,
            pepper=office.pepper,
            now=now,
            who=case.actor.who,
        )
    )
    return shapes.Link(
        url=password_link(case.base_url, secret), expires_at=shown.moment(now + LINK_S)
    )


# -- invites -----------------------------------------------------------------------


@TABLE.route("GET", "/invites", least="owner")
async def list_invites(
    case: Case, *, query: drafts.OwnedQuery
) -> shapes.Page[shapes.Invite]:
    """List invites: to one account, or all that are yours to see."""
    found = await _seen(case, query, invites_page)
    now = case.office.wall()
    return page(found, page_size(query), lambda each: shown.invite(each, now), made_at)


@TABLE.route("POST", "/invites", least="owner", status=201)
async def create_an_invite(
    case: Case, *, asked: drafts.InviteDraft
) -> shapes.NewInvite:
    """Make an invite and show its link, this once."""
    require_role(case.actor, asked.role)
    if asked.new_account is not None:
        require_role(case.actor, "operator")
    if asked.tier is not None:
        require_tier(case, asked.tier)
    account = asked.account
    if account is None and asked.new_account is None and asked.role != "operator":
        account = own_account(case.actor, None)
    office, secret = case.office, mint_token(case.office.random_bytes)
    now = office.wall()

    def work(connection: Connection) -> Invite:
        owner = account and account_for(case.actor, connection, account).id
        return create_invite(
            connection,
            invite_id=office.new_id("invite"),
            secret=secret,
            pepper=office.pepper,
            role=asked.role,
            account=owner,
            account_name=asked.new_account,
            tier=asked.tier,
            whom=asked.note,
            life=INVITE_S if asked.life_s is None else asked.life_s,
            now=now,
            who=case.actor.who,
        )

    made = await office.database.run(work)
    return shapes.NewInvite(
        url=join_link(case.base_url, secret), details=shown.invite(made, now)
    )


@TABLE.route("POST", "/invites/{id}/revoke", least="owner")
async def revoke_an_invite(case: Case) -> shapes.Invite:
    """End an invite that was not used yet."""
    now = case.office.wall()
    ended = await case.office.database.run(
        lambda c: revoke_invite(
            c, invite_for(case.actor, c, case.id).id, now=now, who=case.actor.who
        )
    )
    return shown.invite(ended, now)
