"""Tokens for programs that use this API."""

from lightweight.store.admin_tokens import (
    admin_tokens_page,
    create_admin_token,
    find_admin_token,
    revoke_admin_token,
)
from lightweight.store.tokens import ADMIN_PREFIX, mint_token
from lightweight.web.admin import drafts, shapes, shown
from lightweight.web.admin.reading import epoch, made_at, page, page_size, place_after
from lightweight.web.admin.table import Case, Table

TABLE = Table()


@TABLE.route("GET", "/tokens", least="operator")
async def list_tokens(
    case: Case, *, query: drafts.PageQuery
) -> shapes.Page[shapes.AdminToken]:
    """List admin tokens, without their secrets."""
    most, after = page_size(query), place_after(query)
    found = await case.office.database.read(
        lambda c: admin_tokens_page(c, after=after, most=most + 1)
    )
    return page(found, most, shown.admin_token, made_at)


@TABLE.route("POST", "/tokens", least="operator", status=201)
async def create_token(
    case: Case, *, asked: drafts.AdminTokenDraft
) -> shapes.NewAdminToken:
    """Make an admin token and show it, this once."""
    office = case.office
    secret = mint_token(office.random_bytes, ADMIN_PREFIX)
    made = await office.database.run(
        lambda c: create_admin_token(
            c,
            token_id=office.new_id("token"),
            secret=secret,
            pepper=office.pepper,
            name=asked.name,
            role=asked.role,
            account=asked.account,
            expires_at=epoch("expires_at", asked.expires_at),
            now=office.wall(),
            who=case.actor.who,
        )
    )
    return shapes.NewAdminToken(token=secret, details=shown.admin_token(made))


@TABLE.route("GET", "/tokens/{id}", least="operator")
async def show_token(case: Case) -> shapes.AdminToken:
    """Show an admin token, without its secret."""
    found = await case.office.database.read(lambda c: find_admin_token(c, case.id))
    return shown.admin_token(found)


@TABLE.route("POST", "/tokens/{id}/revoke", least="operator")
async def revoke_token(case: Case) -> shapes.AdminToken:
    """End an admin token."""
    ended = await case.office.database.run(
        lambda c: revoke_admin_token(
            c, case.id, now=case.office.wall(), who=case.actor.who
        )
    )
    return shown.admin_token(ended)
