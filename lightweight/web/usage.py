"""GET /v1/usage: what the caller's account used, and what is left to it.

The bill is the ledger's, in whole days of UTC; what is left is asked of the limits.
``requests`` of a part counts those that succeeded, and tokens have OpenAI's inclusive
meaning. Where calls had no price, ``unpriced_requests`` stands beside ``cost_usd`` and
says how many are missing in it.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Protocol
from urllib.parse import parse_qs

from lightweight.errors import BadRequest, Overloaded
from lightweight.policy.bill import Bill, month_of, summed, summed_by
from lightweight.policy.pace import Balance, Room
from lightweight.policy.price import dollars
from lightweight.records import Answer, DayUse, Identity, Request
from lightweight.store.problems import StoreProblem
from lightweight.web.answers import json_answer
from lightweight.web.rates import Rates

LONGEST_DAYS = 366
"""How many days one request may ask for."""

GROUPS = ("model", "day", "key")

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
    first, end = period_of(asked, today=datetime.fromtimestamp(now, UTC).date())
    try:
        rows = await ledger.day_uses(identity.account.id, first, end - timedelta(1))
    except StoreProblem:
        raise Overloaded(UNREADABLE) from None
    body: dict[str, object] = {
        "object": "usage",
        "account": identity.account.name,
        "tier": identity.account.tier,
        **described(rows, first, end),
        "quota": _quota(verdict.quota_tokens),
        "rate_limit": _rate_limit(verdict.requests),
        **parts(rows, group),
    }
    if verdict.quota_usd is not None:
        body["quota_usd"] = _money_quota(verdict.quota_usd)
    return json_answer(body)


def described(rows: Sequence[DayUse], first: date, end: date) -> Mapping[str, object]:
    """Give the sums of ``rows``; ``end`` is the first day that does not count."""
    bill = summed(rows)
    usage = bill.usage
    return {
        "period": {"start": _midnight(first), "end": _midnight(end)},
        "tokens": {
            "prompt": usage.prompt,
            "completion": usage.completion,
            "cached": usage.cached,
            "reasoning": usage.reasoning,
            "total": usage.total,
        },
        "requests": {"succeeded": bill.succeeded, "failed": bill.failed},
        **_cost(bill),
    }


def parts(rows: Sequence[DayUse], group: str | None) -> Mapping[str, object]:
    """Give the sums of the parts: those of ``group``, or else by model and by day."""
    shown: dict[str, object] = {}
    if group in (None, "model"):
        models = summed_by(rows, lambda row: row.model)
        shown["by_model"] = [{"model": m, **_part(models[m])} for m in sorted(models)]
    if group in (None, "day"):
        days = summed_by(rows, lambda row: row.day)
        shown["by_day"] = [
            {
                "date": day.isoformat(),
                "requests": days[day].succeeded,
                "total": days[day].usage.total,
            }
            for day in sorted(days)
        ]
    if group == "key":
        keys = summed_by(rows, lambda row: row.key_id)
        shown["by_key"] = [{"key": key, **_part(keys[key])} for key in sorted(keys)]
    return shown


def period_of(asked: Mapping[str, Sequence[str]], *, today: date) -> tuple[date, date]:
    """Give the first day asked for and the first one after it.

    ``start`` and ``end`` default to those of the calendar month of ``today``. Raises
    BadRequest that names the wrong one.
    """
    month, next_month = month_of(today)
    first = _day(asked, "start", month)
    end = _day(asked, "end", next_month)
    wrong = "end" if "end" in asked else "start"
    if end <= first:
        raise BadRequest(
            f"Invalid '{wrong}': the period must end after it starts, and goes from "
            f"{first} to {end}. 'end' is the first day that is not counted.",
            param=wrong,
            code="invalid_value",
        )
    if (end - first).days > LONGEST_DAYS:
        raise BadRequest(
            f"Invalid '{wrong}': a period may have at most {LONGEST_DAYS} days.",
            param=wrong,
            code="invalid_value",
        )
    return first, end


def _day(asked: Mapping[str, Sequence[str]], name: str, default: date) -> date:
    if name not in asked:
        return default
    # What this very route says as the period's ends is good here too.
    said = asked[name][-1].removesuffix("T00:00:00Z")
    try:
        return date.fromisoformat(said)
    except ValueError:
        raise BadRequest(
            f"Invalid '{name}': expected a day of UTC such as 2026-11-22.",
            param=name,
            code="invalid_value",
        ) from None


def _group(asked: Mapping[str, Sequence[str]]) -> str | None:
    if "group_by" not in asked:
        return None
    group = asked["group_by"][-1]
    if group not in GROUPS:
        raise BadRequest(
            f"Invalid 'group_by': expected one of {', '.join(GROUPS)}.",
            param="group_by",
            code="invalid_value",
        )
    return group


def _part(bill: Bill) -> Mapping[str, object]:
    return {
        "requests": bill.succeeded,
        "prompt": bill.usage.prompt,
        "completion": bill.usage.completion,
        **_cost(bill),
    }


def _cost(bill: Bill) -> Mapping[str, object]:
    cost: dict[str, object] = {"cost_usd": dollars(bill.micro_usd)}
    if bill.unpriced:
        cost["unpriced_requests"] = bill.unpriced
    return cost


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


def _midnight(day: date) -> str:
    return f"{day}T00:00:00Z"


def _moment(at_ms: int | None) -> str | None:
    if at_ms is None:
        return None
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
