"""May it go on, and what is left: a verdict on the tallies of an ask's subjects."""

from collections.abc import Sequence
from typing import TypeAlias, TypeVar

from lightweight.policy.pace import (
    Ask,
    Balance,
    LimitName,
    Refusal,
    Room,
    Subject,
    Verdict,
)
from lightweight.policy.tally import Tally, balance, room
from lightweight.policy.window import Clock

Standing: TypeAlias = Sequence[tuple[Subject, Tally]]
"""Each subject of an ask with what it has taken, as of now."""

Left = TypeVar("Left", Room, Balance)

CONCURRENCY_WAIT_MS = 1000
"""Nobody knows when a call ends: a guess that a client may live with."""

ORDER: tuple[LimitName, ...] = (
    "requests",
    "tokens",
    "concurrency",
    "quota_tokens",
    "quota_usd",
)
"""Which limit a refusal names, of several without room."""


def refusal(standing: Standing, ask: Ask, clock: Clock, now: int) -> Refusal | None:
    """Give the first limit without room, with the wait of the slowest of them all."""
    refused: list[Refusal] = []
    for subject, tally in standing:
        limits = subject.limits
        purse = tally.purse(prepaid=limits.prepaid)
        wanted: tuple[tuple[LimitName, int | None, int, int], ...] = (
            ("requests", limits.rpm, tally.requests.total, 1),
            ("tokens", limits.tpm, tally.tokens.total, ask.tokens),
            ("concurrency", limits.concurrency, len(tally.leases), 1),
            ("quota_tokens", limits.quota_tokens, purse.tokens.gone, ask.tokens),
            ("quota_usd", limits.quota_micro_usd, purse.micro_usd.gone, ask.micro_usd),
        )
        for name, allowed, gone, more in wanted:
            if allowed is None or gone + more <= allowed:
                continue
            wait = None
            if more <= allowed:
                missing = gone + more - allowed
                wait = _wait(name, subject, tally, missing, clock, now)
            refused.append(
                Refusal(
                    subject=subject.name,
                    limit=name,
                    allowed=allowed,
                    retry_after_ms=wait,
                )
            )
    if not refused:
        return None
    first = min(refused, key=lambda each: ORDER.index(each.limit))
    waits = [each.retry_after_ms for each in refused]
    return Refusal(
        subject=first.subject,
        limit=first.limit,
        allowed=first.allowed,
        retry_after_ms=None if None in waits else max(w for w in waits if w),
    )


def _wait(
    name: LimitName,
    subject: Subject,
    tally: Tally,
    missing: int,
    clock: Clock,
    now: int,
) -> int | None:
    """Give the milliseconds until a limit has so much more room; None: never."""
    match name:
        case "concurrency":
            return CONCURRENCY_WAIT_MS
        case "requests":
            return clock.wait(tally.requests.frees(missing), now)
        case "tokens":
            return clock.wait(tally.tokens.frees(missing), now)
        case _:
            resets_at = tally.resets_at(prepaid=subject.limits.prepaid)
            return None if resets_at is None else resets_at - now


def verdict(
    standing: Standing,
    clock: Clock,
    now: int,
    refused: Refusal | None,
) -> Verdict:
    """Say what is left, of each limit for the subject with the least of it."""
    requests: Room | None = None
    tokens: Room | None = None
    quota_tokens: Balance | None = None
    quota_usd: Balance | None = None
    for subject, tally in standing:
        limits = subject.limits
        purse = tally.purse(prepaid=limits.prepaid)
        resets_at = tally.resets_at(prepaid=limits.prepaid)
        if limits.rpm is not None:
            requests = _least(requests, room(tally.requests, limits.rpm, clock, now))
        if limits.tpm is not None:
            tokens = _least(tokens, room(tally.tokens, limits.tpm, clock, now))
        if limits.quota_tokens is not None:
            paid = balance(purse.tokens, limits.quota_tokens, resets_at)
            quota_tokens = _least(quota_tokens, paid)
        if limits.quota_micro_usd is not None:
            paid = balance(purse.micro_usd, limits.quota_micro_usd, resets_at)
            quota_usd = _least(quota_usd, paid)
    return Verdict(
        refused=refused,
        requests=requests,
        tokens=tokens,
        quota_tokens=quota_tokens,
        quota_usd=quota_usd,
    )


def _least(so_far: Left | None, left: Left) -> Left:
    return left if so_far is None or left.remaining < so_far.remaining else so_far
