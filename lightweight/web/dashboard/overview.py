"""The overview: the last 30 days at a glance, and what to do first."""

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta

from msgspec.structs import replace

from lightweight.errors import Overloaded
from lightweight.plan import DEMO
from lightweight.policy.bill import Bill, added
from lightweight.records import Account, Answer, ApiKey, Identity
from lightweight.store.accounts import find_account
from lightweight.store.api_keys import key_page
from lightweight.store.connect import Connection
from lightweight.store.summary import (
    Period,
    day_bills,
    first_bytes,
    key_names,
)
from lightweight.store.wanted import Wanted, wanted_uses
from lightweight.web.dashboard.asked import Asked
from lightweight.web.dashboard.providers import provider_lines
from lightweight.web.dashboard.views import Chart, Overview, Quota, Step

DAYS = 30
RECENT = 6


async def show_overview(asked: Asked) -> Answer:
    """Show the overview."""
    scope = asked.actor.scope
    today = datetime.fromtimestamp(asked.now, UTC).date()
    days = [today - timedelta(n) for n in reversed(range(DAYS))]

    period = Period(account_id=scope, first=days[0], last=today)

    live = await asked.backstage.live()

    def work(connection: Connection) -> Overview:
        recent = wanted_uses(connection, Wanted(account_id=scope), most=RECENT).uses
        waits = first_bytes(connection, scope)
        bills = day_bills(connection, period)
        # Whoever has requests has a key.
        keys = [] if recent else key_page(connection, account_id=scope, most=2)
        return Overview(
            bill=added(bills.values()),
            p50=_part_of(waits, 0.5),
            p95=_part_of(waits, 0.95),
            chart=_chart(days, bills),
            recent=recent,
            key_names=key_names(connection, {use.outcome.key_id for use in recent}),
            live=live,
            quotas=(),
            steps=_steps(asked, keys, used=bool(recent)),
            providers=provider_lines(asked.backstage) if not recent else (),
            base_url=asked.base_url,
            model=example_model(asked),
        )

    view = await asked.read(work)
    quotas = await quotas_of(asked)
    return asked.page("overview", replace(view, quotas=quotas))


def example_model(asked: Asked) -> str:
    """Give a model to try; empty where none is offered."""
    offered = asked.backstage.office.current().offering.listed()
    return offered[0].id if offered else ""


async def quotas_of(asked: Asked) -> Sequence[Quota]:
    """Give what is left of the visitor's account's quotas; none where it has none.

    Cancelling is harmless.
    """
    account_id = asked.signed.person.account_id
    if account_id is None:
        return ()
    account = await asked.read(lambda c: find_account(c, account_id))
    return await quotas_left(asked, account)


async def quotas_left(asked: Asked, account: Account) -> Sequence[Quota]:
    """Give what is left of an account's quotas; none where it has none.

    Cancelling is harmless.
    """
    try:
        verdict = await asked.backstage.office.rates.look(
            _as_a_whole(account), asked.request.id
        )
    except Overloaded:
        # The page says what it can.
        return ()
    found = (("tokens", verdict.quota_tokens), ("dollars", verdict.quota_usd))
    return [
        Quota(name=name, balance=balance)  # type: ignore[arg-type]  # the two names above
        for name, balance in found
        if balance is not None
    ]


def _as_a_whole(account: Account) -> Identity:
    """Give a key without limits of its own: what is left is the account's."""
    key = ApiKey(
        id="dashboard", account_id=account.id, name="", shown="", created_at=0.0
    )
    return Identity(account, key)


def _part_of(ascending: Sequence[float], part: float) -> float | None:
    """Give the nearest-rank percentile."""
    if not ascending:
        return None
    return ascending[max(0, math.ceil(part * len(ascending)) - 1)]


def _chart(days: Sequence[date], bills: Mapping[date, Bill]) -> Chart:
    nothing = Bill()
    found = (bills.get(day, nothing) for day in days)
    line = [float(bill.succeeded + bill.failed) for bill in found]
    return Chart(days=days, series={"Requests": line}, unit="requests")


def _steps(asked: Asked, keys: Sequence[ApiKey], *, used: bool) -> Sequence[Step]:
    if used:
        return ()
    kinds = {plan.kind for plan in asked.backstage.office.current().plans.values()}
    connected = bool(kinds - {DEMO})
    steps = (
        Step(name="provider", done=connected),
        Step(name="test", done=False),
        Step(name="key", done=bool(keys)),
        Step(name="snippet", done=False),
    )
    operator = asked.actor.role == "operator"
    return steps if operator else steps[2:]
