"""May it go on, and what is left: a verdict on the tallies of an ask's subjects."""

from collections.abc import Iterator, Sequence
from typing import TypeAlias

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
    refused = [
        each
        for subject, tally in standing
        for each in _refusals(subject, tally, ask, clock, now)
    ]
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


def _refusals(
    subject: Subject, tally: Tally, ask: Ask, clock: Clock, now: int
) -> Iterator[Refusal]:
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
        wait: int | None
        if more > allowed:
            wait = None
        elif name == "concurrency":
            wait = CONCURRENCY_WAIT_MS
        elif name in {"requests", "tokens"}:
            window = tally.requests if name == "requests" else tally.tokens
            wait = clock.wait(window.frees(gone + more - allowed), now)
        else:
            resets_at = tally.resets_at(prepaid=limits.prepaid)
            wait = None if resets_at is None else resets_at - now
        yield Refusal(
            subject=subject.name, limit=name, allowed=allowed, retry_after_ms=wait
        )


def verdict(
    standing: Standing,
    clock: Clock,
    now: int,
    refused: Refusal | None,
) -> Verdict:
    """Say what is left, of each limit for the subject with the least of it."""
    requests: list[Room] = []
    tokens: list[Room] = []
    quota_tokens: list[Balance] = []
    quota_usd: list[Balance] = []
    for subject, tally in standing:
        limits = subject.limits
        purse = tally.purse(prepaid=limits.prepaid)
        resets_at = tally.resets_at(prepaid=limits.prepaid)
        if limits.rpm is not None:
            requests.append(room(tally.requests, limits.rpm, clock, now))
        if limits.tpm is not None:
            tokens.append(room(tally.tokens, limits.tpm, clock, now))
        if limits.quota_tokens is not None:
            quota_tokens.append(balance(purse.tokens, limits.quota_tokens, resets_at))
        if limits.quota_micro_usd is not None:
            quota_usd.append(
                balance(purse.micro_usd, limits.quota_micro_usd, resets_at)
            )
    return Verdict(
        refused=refused,
        requests=min(requests, key=_remaining, default=None),
        tokens=min(tokens, key=_remaining, default=None),
        quota_tokens=min(quota_tokens, key=_remaining, default=None),
        quota_usd=min(quota_usd, key=_remaining, default=None),
    )


def _remaining(left: Room | Balance) -> int:
    return left.remaining
