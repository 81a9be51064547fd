"""The request log, and one request with the attempts made for it."""

from collections.abc import Sequence
from urllib.parse import urlencode

from msgspec.structs import replace

from lightweight.errors import BadRequest
from lightweight.records import Answer, Use
from lightweight.store.api_keys import key_page
from lightweight.store.connect import Connection
from lightweight.store.kept import kept_until, read_kept
from lightweight.store.pages import Place
from lightweight.store.summary import account_names, key_names
from lightweight.store.usage import place_of
from lightweight.store.wanted import Wanted, wanted_uses
from lightweight.web.admin.actor import use_for
from lightweight.web.dashboard.asked import Asked, said_of, said_place, see_other
from lightweight.web.dashboard.keys import SHOWN
from lightweight.web.dashboard.views import Bar, RequestsView, RequestView

PAGE = 50

_STATUS = {"": None, "ok": False, "failed": True}


async def show_requests(asked: Asked) -> Answer:
    """Show a page of the log; an id leads to its request."""
    sought = asked.query("id").strip()
    if sought:
        await asked.read(lambda c: use_for(asked.actor, c, sought))
        return see_other(f"/dashboard/requests/{sought}")
    wanted = _wanted(asked)
    after = said_place(asked.query("after"))
    scope = asked.actor.scope
    offering = asked.backstage.office.current().offering

    def work(connection: Connection) -> RequestsView:
        # One more than is shown: whether there is a next page.
        found = wanted_uses(connection, wanted, after=after, most=PAGE + 1)
        shown = found.uses[:PAGE]
        keys = key_page(connection, account_id=scope, most=SHOWN)
        return RequestsView(
            uses=shown,
            key_names=key_names(connection, {use.outcome.key_id for use in shown}),
            keys=keys,
            keeping=[key for key in keys if key.keep_prompts_days is not None],
            models=[model.id for model in offering.listed()],
            key=wanted.key_id,
            model=wanted.model,
            status=asked.query("status"),
            older=_from(asked, place_of(shown[-1])) if len(found.uses) > PAGE else "",
            further=_from(asked, found.ended) if found.ended else "",
            looked_at=found.looked_at,
            looked_back_to=found.ended.at if found.ended else None,
            filtered=wanted != Wanted(account_id=scope),
        )

    return asked.page("requests", await asked.read(work))


def _wanted(asked: Asked) -> Wanted:
    status = asked.query("status")
    if status not in _STATUS:
        raise BadRequest("There is no such status: choose one of the list.")
    return Wanted(
        account_id=asked.actor.scope,
        key_id=asked.query("key"),
        model=asked.query("model"),
        failed=_STATUS[status],
    )


def _from(asked: Asked, place: Place) -> str:
    """Give the query of the page that goes on from a place."""
    filters = {name: asked.query(name) for name in ("key", "model", "status")}
    given = {name: value for name, value in filters.items() if value}
    return urlencode({**given, "after": said_of(place)})


# -- one request -------------------------------------------------------------------


async def show_request(asked: Asked, request_id: str) -> Answer:
    """Show one request. Raises NotFound where it is not theirs, or no longer kept.

    Raises Overloaded too where it cannot be noted that its prompt is read.
    """

    def work(connection: Connection) -> RequestView:
        use = use_for(asked.actor, connection, request_id)
        outcome = use.outcome
        keys = key_names(connection, {outcome.key_id})
        accounts = account_names(connection, {outcome.account_id})
        return RequestView(
            use=use,
            kept_until=kept_until(connection, outcome.request_id, asked.now),
            key_name=keys.get(outcome.key_id, outcome.key_id),
            account=accounts.get(outcome.account_id, outcome.account_id),
            bars=waterfall(use),
            first_byte=_percent(outcome.first_byte_s, _span(use)),
        )

    view = await asked.read(work)
    # Owners and operators, of what they see at all.
    if view.kept_until is not None and asked.actor.role != "member":
        seen = view.use.outcome.request_id
        kept = await asked.change(
            lambda c: read_kept(c, seen, now=asked.now, who=asked.actor.who)
        )
        view = replace(view, kept=kept)
    return asked.page("requests", view, template="request")


def waterfall(use: Use) -> Sequence[Bar]:
    """Give a bar for each attempt: they follow each other, the last ends with the call.

    When each of them began is not recorded; between two of them hardly any time passes.
    """
    span = _span(use)
    end = use.outcome.duration_s
    bars: list[Bar] = []
    for attempt in reversed(use.outcome.attempts):
        start = max(0.0, end - attempt.seconds)
        bars.append(
            Bar(
                provider=attempt.provider,
                model=attempt.model,
                start=100 * start / span,
                width=100 * (end - start) / span,
                seconds=attempt.seconds,
                status=attempt.status,
                fault=attempt.fault,
            )
        )
        end = start
    return bars[::-1]


def _span(use: Use) -> float:
    # A call that took no time at all still has a place to be drawn.
    return max(use.outcome.duration_s, 0.001)


def _percent(at: float | None, span: float) -> float | None:
    return None if at is None else min(100.0, 100 * at / span)
