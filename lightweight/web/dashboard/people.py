"""People, invites and tiers. Links are shown by the answer that made them."""

from lightweight.errors import BadRequest
from lightweight.records import Answer, Invite, Person, Role
from lightweight.store.accounts import account_page
from lightweight.store.connect import Connection
from lightweight.store.invites import create_invite, invites_page, revoke_invite
from lightweight.store.people import (
    LINK_S,
    make_password_link,
    people_page,
    set_person,
)
from lightweight.store.summary import account_names
from lightweight.store.tokens import mint_token
from lightweight.web.admin.actor import (
    account_for,
    invite_for,
    person_for,
    require_role,
    sees,
)
from lightweight.web.dashboard.asked import Asked
from lightweight.web.dashboard.keys import DAY_S, SHOWN, number
from lightweight.web.dashboard.views import (
    InviteLine,
    Link,
    PeopleView,
    PersonLine,
    TierLine,
)
from lightweight.web.links import join_link, password_link

ROLES: tuple[Role, ...] = ("member", "owner", "operator")


async def show_people(asked: Asked, made: Link | None = None) -> Answer:
    """Show who can sign in, to operators and to owners of an account."""
    require_role(asked.actor, "owner")
    tiers = asked.backstage.office.current().tiers

    def work(connection: Connection) -> PeopleView:
        scope = asked.actor.scope
        people = people_page(connection, account_id=scope, most=SHOWN)
        invites = invites_page(connection, account_id=scope, most=SHOWN)
        ids = [each.account_id for each in people]
        ids += [each.account_id for each in invites]
        names = account_names(connection, {each for each in ids if each})
        return PeopleView(
            people=[
                _person(each, names, asked)
                for each in people
                if sees(asked.actor, each.account_id, each.role)
            ],
            invites=[
                _invite(each, names)
                for each in invites
                if _is_open(each, asked.now)
                and sees(asked.actor, each.account_id, each.role)
            ],
            tiers=[
                TierLine(
                    name=name,
                    limits=tier.limits,
                    models=None if tier.models is None else sorted(tier.models),
                )
                for name, tier in tiers.items()
            ],
            accounts=account_page(connection, account_id=scope, most=SHOWN),
            made=made,
        )

    return asked.page("people", await asked.read(work))


def _person(person: Person, accounts: dict[str, str], asked: Asked) -> PersonLine:
    return PersonLine(
        id=person.id,
        name=person.name,
        account=accounts.get(person.account_id or "", ""),
        role=person.role,
        created_at=person.created_at,
        disabled=person.disabled,
        self=person.id == asked.signed.person.id,
    )


def _invite(invite: Invite, accounts: dict[str, str]) -> InviteLine:
    account = accounts.get(invite.account_id or "", invite.account_name or "")
    return InviteLine(
        id=invite.id,
        account=account,
        tier=invite.tier or "",
        role=invite.role,
        expires_at=invite.expires_at,
    )


def _is_open(invite: Invite, now: float) -> bool:
    ended = invite.used_at is not None or invite.revoked_at is not None
    return not ended and invite.expires_at > now


# -- changes -----------------------------------------------------------------------


async def invite(asked: Asked) -> Answer:
    """Make an invite and show its link."""
    require_role(asked.actor, "owner")
    office = asked.backstage.office
    role = _role(asked)
    new_account = asked.field("account_name") or None
    account = asked.field("account") or None
    if new_account is not None or role == "operator":
        require_role(asked.actor, "operator")
    if new_account is not None and account is not None:
        raise BadRequest("Choose an account, or name a new one: not both.")
    days = number(asked.field("days") or "7", "the days the invite works for") or 0
    secret = mint_token(office.random_bytes)

    def work(connection: Connection) -> Invite:
        owner = account and account_for(asked.actor, connection, account).id
        return create_invite(
            connection,
            invite_id=office.new_id("invite"),
            secret=secret,
            pepper=office.pepper,
            role=role,
            account=owner,
            account_name=new_account,
            tier=asked.field("tier") if new_account else None,
            whom=asked.field("note"),
            life=days * DAY_S,
            now=asked.now,
            who=asked.actor.who,
        )

    made = await asked.change(work)
    where = f"the new account {new_account}" if new_account else "an account there is"
    link = Link(
        url=join_link(asked.root, secret),
        what=f"a new {role} of {where}",
        expires_at=made.expires_at,
    )
    return await show_people(asked.done("Send this link yourself."), link)


def _role(asked: Asked) -> Role:
    said = asked.field("role")
    for role in ROLES:
        if said == role:
            return role
    raise BadRequest("There is no such role: choose one of the list.")


async def end_invite(asked: Asked, invite_id: str) -> Answer:
    """End an invite."""
    require_role(asked.actor, "owner")

    def work(connection: Connection) -> Invite:
        found = invite_for(asked.actor, connection, invite_id)
        return revoke_invite(connection, found.id, now=asked.now, who=asked.actor.who)

    await asked.change(work)
    return await show_people(asked.done("The invite does not work any more."))


async def make_link(asked: Asked, person_id: str) -> Answer:
    """Make a link by which somebody chooses a new password, and show it."""
    require_role(asked.actor, "owner")
    office = asked.backstage.office
    secret = mint_token(office.random_bytes)

    def work(connection: Connection) -> Person:
        person = person_for(asked.actor, connection, person_id)
        return make_password_link(
            connection,
            person.id,
            secret=secret,
            pepper=office.pepper,
            now=asked.now,
            who=asked.actor.who,
        )

    person = await asked.change(work)
    link = Link(
        url=password_link(asked.root, secret),
        what=f"{person.name} to choose a password",
        expires_at=asked.now + LINK_S,
    )
    return await show_people(asked.done("Send this link yourself."), link)


async def set_disabled(asked: Asked, person_id: str, *, disabled: bool) -> Answer:
    """Let somebody in no more, or again."""
    require_role(asked.actor, "owner")
    if person_id == asked.signed.person.id:
        raise BadRequest("You cannot disable yourself: ask somebody else to.")

    def work(connection: Connection) -> Person:
        person = person_for(asked.actor, connection, person_id)
        return set_person(
            connection,
            person.id,
            disabled=disabled,
            now=asked.now,
            who=asked.actor.who,
        )

    person = await asked.change(work)
    said = "cannot sign in any more" if disabled else "can sign in again"
    return await show_people(asked.done(f"{person.name} {said}."))
