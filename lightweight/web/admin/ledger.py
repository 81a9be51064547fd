"""What was used and done: usage, the request log, the audit log."""

from datetime import UTC, datetime

from msgspec import convert

from lightweight.policy.statement import period_of
from lightweight.records import Use
from lightweight.store.audit import audit_log
from lightweight.store.bill import Ledger
from lightweight.store.connect import Connection
from lightweight.store.usage import place_of, request_log
from lightweight.web.admin import drafts, shapes, shown
from lightweight.web.admin.actor import account_for, scope_for, use_for
from lightweight.web.admin.identities import without_key
from lightweight.web.admin.reading import (
    number_after,
    page,
    page_size,
    place_after,
)
from lightweight.web.admin.table import Case, Table
from lightweight.web.usage import usage_of

TABLE = Table()


@TABLE.route("GET", "/accounts/{id}/usage")
async def show_usage(case: Case, *, query: drafts.UsageQuery) -> shapes.Usage:
    """Show what an account used and what is left to it, as GET /v1/usage does."""
    office = case.office
    account = await office.database.read(lambda c: account_for(case.actor, c, case.id))
    period = period_of(
        query.start,
        query.end,
        today=datetime.fromtimestamp(office.wall(), UTC).date(),
    )
    verdict = await office.rates.look(without_key(account), case.request_id)
    used = await usage_of(
        account, verdict, period, query.group_by, Ledger(office.database)
    )
    return convert(used, shapes.Usage)


@TABLE.route("GET", "/requests")
async def list_requests(
    case: Case, *, query: drafts.OwnedQuery
) -> shapes.Page[shapes.Request]:
    """List the requests for which a provider was asked, with every attempt."""
    most, after = page_size(query), place_after(query)

    def work(connection: Connection) -> list[Use]:
        owner = scope_for(case.actor, connection, query.account)
        return request_log(connection, account_id=owner, after=after, most=most + 1)

    found = await case.office.database.read(work)
    return page(found, most, lambda use: _request(case, use), place_of)


@TABLE.route("GET", "/requests/{id}")
async def show_request(case: Case) -> shapes.Request:
    """Show one request, by its x-request-id."""
    found = await case.office.database.read(lambda c: use_for(case.actor, c, case.id))
    return _request(case, found)


@TABLE.route("GET", "/audit", least="operator")
async def list_audit(
    case: Case, *, query: drafts.AuditQuery
) -> shapes.Page[shapes.AuditEntry]:
    """List who did what, the newest first."""
    most, before = page_size(query), number_after(query)
    found = await case.office.database.read(
        lambda c: audit_log(c, subject=query.subject, before=before, most=most + 1)
    )
    return shapes.Page(
        data=[shown.audit_entry(each) for each in found[:most]],
        next=str(found[most - 1].id) if len(found) > most else None,
    )


def _request(case: Case, use: Use) -> shapes.Request:
    # What a provider said is for those who deal with it.
    return shown.request(use, faults=case.actor.role == "operator")
