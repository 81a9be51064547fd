"""What a client is told when its limits refuse a call."""

import math
from datetime import UTC, datetime

from lightweight.amounts import counted
from lightweight.errors import Fault, QuotaExceeded, RateLimited
from lightweight.policy.pace import ACCOUNT, Ask, Balance, Refusal, Verdict
from lightweight.policy.price import dollars


def fault_of(refused: Refusal, verdict: Verdict, ask: Ask) -> Fault:
    """Give the fault of a refused ``ask``, whose verdict says what is left."""
    if refused.limit == "quota_tokens":
        return _quota(refused, verdict.quota_tokens, counted(ask.tokens, "token"))
    if refused.limit == "quota_usd":
        return _quota(refused, verdict.quota_usd, f"${dollars(ask.micro_usd)}")
    wait = refused.retry_after_ms
    return RateLimited(
        f"{_limit(refused)} {_advice(refused, ask)}",
        kind=refused.limit,
        retry_after_ms=wait,
    )


def _limit(refused: Refusal) -> str:
    whose = _whose(refused)
    if refused.limit == "concurrency":
        calls = counted(refused.allowed, "call")
        return f"This {whose} may have {calls} at the same time."
    most = counted(refused.allowed, refused.limit.removesuffix("s"))
    return f"Rate limit reached: this {whose} may use {most} in any 60 seconds."


def _advice(refused: Refusal, ask: Ask) -> str:
    needs = f"This request may take {counted(ask.tokens, 'token')}."
    if refused.retry_after_ms is None:
        if refused.limit != "tokens":
            return "Waiting does not help: another limit has no room for this request."
        return f"{needs} It can never pass: send a shorter one or lower max_tokens."
    if refused.limit == "concurrency":
        return "Try again when one of them ended."
    wait = f"Try again in {math.ceil(refused.retry_after_ms / 1000)} s."
    return f"{needs} {wait}" if refused.limit == "tokens" else wait


def _quota(refused: Refusal, left: Balance | None, needed: str) -> QuotaExceeded:
    in_money = refused.limit == "quota_usd"

    def amount(number: int) -> str:
        return f"${dollars(number)}" if in_money else counted(number, "token")

    said = f"The quota of this {_whose(refused)} is {amount(refused.allowed)}"
    if left is None:
        return QuotaExceeded(f"{said} and has no room for this request.")
    each = "in all, prepaid" if left.resets_at_ms is None else "a calendar month"
    when = (
        "It does not reset: ask for a top-up."
        if left.resets_at_ms is None
        else f"It resets at {_moment(left.resets_at_ms)}."
    )
    needs = f" and this request may take {needed}" if left.remaining else ""
    return QuotaExceeded(
        f"{said} {each}, with {amount(left.remaining)} left{needs}. {when}"
    )


def _whose(refused: Refusal) -> str:
    return "account" if refused.subject == ACCOUNT else "key"


def _moment(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")
