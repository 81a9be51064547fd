"""The admin API as a Klein app: all its routes are checked and answered alike."""

from collections.abc import Awaitable, Callable, Sequence

from klein import Klein
from twisted.internet.defer import CancelledError
from twisted.web.iweb import IRequest
from twisted.web.resource import IResource

from werkzeug.exceptions import HTTPException

from lightweight.errors import Fault
from lightweight.web.address import address_of
from lightweight.web.admin import (
    accounts,
    catalog,
    explain,
    keys,
    ledger,
    people,
    tiers,
    tokens,
)
from lightweight.web.admin.actor import actor_of, require_role
from lightweight.web.admin.reading import read_body, read_query
from lightweight.web.admin.table import Case, Route
from lightweight.web.answers import json_answer, with_headers
from lightweight.web.faults import (
    answer_fault,
    answer_unrouted,
    cut_cancelled,
)
from lightweight.web.office import Office, told_as_faults
from lightweight.web.site_request import of

ROUTES: Sequence[Route] = [
    route
    for room in (accounts, tiers, keys, people, tokens, ledger, catalog, explain)
    for route in room.TABLE.routes
]

_FIELDS = {"cache-control": "no-store"}
"""Answers hold secrets and other people's affairs."""


def admin_resource(office: Office) -> IResource:
    """Give what stands below /admin/v1."""
    app = Klein()
    for route in ROUTES:
        path = route.path.replace("{id}", "<id_>")
        app.route(path, methods=[route.method])(_endpoint(route, office))
    app.handle_errors(Fault)(answer_fault)
    app.handle_errors(HTTPException)(answer_unrouted)
    app.handle_errors(CancelledError)(cut_cancelled)
    resource: IResource = app.resource()
    return resource


def _endpoint(route: Route, office: Office) -> Callable[..., Awaitable[None]]:
    async def endpoint(request: IRequest, id_: str = "") -> None:
        ours = of(request)
        actor = await actor_of(ours, office)
        require_role(actor, route.least)
        record = ours.record()
        case = Case(
            office=office,
            actor=actor,
            id=id_,
            request_id=record.id,
            base_url=address_of(ours, office.current()),
        )
        given: dict[str, object] = {}
        if route.asked is not None:
            given["asked"] = read_body(record.body, route.asked)
        if route.query is not None:
            given["query"] = read_query(record.query, route.query)
        with told_as_faults():
            answer = await route.work(case, **given)
        ours.answer(with_headers(json_answer(answer, status=route.status), _FIELDS))

    endpoint.__name__ = route.name
    return endpoint
