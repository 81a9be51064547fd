"""A bill as people and scripts read it: the shape of GET /v1/usage (SPEC section 6).

Tokens have OpenAI's inclusive meaning, ``requests`` of a part counts those that
succeeded, money is exact. Where calls had no price, ``unpriced_requests`` stands beside
``cost_usd`` and says how many are missing in it.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Literal, TypeAlias

from lightweight.errors import BadRequest
from lightweight.policy.bill import Bill, month_around, summed, summed_by
from lightweight.policy.price import dollars
from lightweight.records import DayUse

Group: TypeAlias = Literal["model", "day", "key"]

LONGEST_DAYS = 366
"""How many days one statement may be of."""


def period_of(start: str | None, end: str | None, *, today: date) -> tuple[date, date]:
    """Give the first day of a period and the first one after it.

    They default to those of the calendar month of ``today``, UTC. Raises BadRequest
    that names the wrong one.
    """
    month, next_month = month_around(today)
    first = month if start is None else _day("start", start)
    after = next_month if end is None else _day("end", end)
    wrong = "start" if end is None else "end"
    if after <= first:
        raise BadRequest(
            f"Invalid '{wrong}': the period must end after it starts, and goes from "
            f"{first} to {after}. 'end' is the first day that is not counted.",
            param=wrong,
            code="invalid_value",
        )
    if (after - first).days > LONGEST_DAYS:
        raise BadRequest(
            f"Invalid '{wrong}': a period may have at most {LONGEST_DAYS} days.",
            param=wrong,
            code="invalid_value",
        )
    return first, after


def _day(name: str, said: str) -> date:
    try:
        # The ends of a period as ``described`` writes them are good here too.
        return date.fromisoformat(said.removesuffix("T00:00:00Z"))
    except ValueError:
        raise BadRequest(
            f"Invalid '{name}': expected a day of UTC such as 2026-11-22.",
            param=name,
            code="invalid_value",
        ) from None


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


def parts(rows: Sequence[DayUse], group: Group | None) -> Mapping[str, object]:
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


def _midnight(day: date) -> str:
    return f"{day}T00:00:00Z"
