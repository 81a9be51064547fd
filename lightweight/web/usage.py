"""GET /v1/usage: what the caller's account used, and what is left to it.

The bill is the ledger's, in whole days of UTC; what is left is asked of the limits.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Protocol, get_args
from urllib.parse import parse_qs

from lightweight.errors import BadRequest, Overloaded
from lightweight.policy.pace import Balance, Room, Verdict
from lightweight.policy.price import dollars
from lightweight.policy.statement import Group, described, parts, period_of
from lightweight.records import Account, Answer, DayUse, Identity, Request
from lightweight.store.problems import StoreProblem
from lightweight.web.answers import json_answer
from lightweight.web.rates import Rates

GROUPS: tuple[Group, ...] = get_args(Group)

UNREADABLE = "The usage cannot be read. Try again in a moment."


class Ledger(Protocol):
    """What was used, by whom."""

    async def day_uses(
        self, account_id: str, first: date, last: date
    ) -> Sequence[DayUse]:
        """Give an account's rows of the days from ``first`` to ``last``, both counted.

        Raises StoreProblem. Cancelling is harmless.
        """


async def show_usage(
    request: Request, identity: Identity, *, rates: Rates, ledger: Ledger, now: float
) -> Answer:
    """Answer with the account's usage; ``now`` is the wall clock's, in seconds.

    Raises BadRequest for a parameter that makes no sense, and Overloaded where ledger
    or limits cannot be asked. Cancelling is harmless.
    """
    # First of all, since a refusal has rate headers too.
    verdict = await rates.look(identity, request.id)
    asked = parse_qs(request.query, keep_blank_values=True)
    group = _group(asked)
    period = period_of(
        _last(asked, "start"),
        _last(asked, "end"),
        today=datetime.fromtimestamp(now, UTC).date(),
    )
    return json_answer(await usage_of(identity.account, verdict, period, group, ledger))


async def usage_of(
    account: Account,
    verdict: Verdict,
    period: tuple[date, date],
    group: Group | None,
    ledger: Ledger,
) -> Mapping[str, object]:
    """Give an account's usage of a period: the first day and the one after it.

    Raises Overloaded where the ledger cannot be asked. Cancelling is harmless.
    """
    first, end = period
    try:
        rows = await ledger.day_uses(account.id, first, end - timedelta(1))
    except StoreProblem:
        raise Overloaded(UNREADABLE) from None
    body: dict[str, object] = {
        "object": "usage",
        "account": account.name,
        "tier": account.tier,
        **described(rows, first, end),
        "quota": _quota(verdict.quota_tokens),
        "rate_limit": _rate_limit(verdict.requests),
        **parts(rows, group),
    }
    if verdict.quota_usd is not None:
        body["quota_usd"] = _money_quota(verdict.quota_usd)
    return body


def _last(asked: Mapping[str, Sequence[str]], name: str) -> str | None:
    return asked[name][-1] if name in asked else None


def _group(asked: Mapping[str, Sequence[str]]) -> Group | None:
    said = _last(asked, "group_by")
    for group in GROUPS:
        if said == group:
            return group
    if said is None:
        return None
    raise BadRequest(
        f"Invalid 'group_by': expected one of {', '.join(GROUPS)}.",
        param="group_by",
        code="invalid_value",
    )


def _quota(balance: Balance | None) -> Mapping[str, object] | None:
    if balance is None:
        return None
    return {
        "limit": balance.limit,
        "used": balance.used,
        "reserved": balance.reserved,
        "remaining": balance.remaining,
        "resets_at": _moment(balance.resets_at_ms),
    }


def _money_quota(balance: Balance) -> Mapping[str, object]:
    return {
        "limit": dollars(balance.limit),
        "used": dollars(balance.used),
        "reserved": dollars(balance.reserved),
        "remaining": dollars(balance.remaining),
        "resets_at": _moment(balance.resets_at_ms),
    }


def _rate_limit(room: Room | None) -> Mapping[str, object] | None:
    if room is None:
        return None
    return {"requests_per_minute": room.limit, "remaining": room.remaining}


def _moment(at_ms: int | None) -> str | None:
    if at_ms is None:
        return None
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
