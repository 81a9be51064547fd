"""Verdicts as a home of limits gives them."""

from lightweight.policy.pace import ACCOUNT, Balance, LimitName, Refusal, Room, Verdict

DECEMBER_MS = 1_796_083_200_000
"""2026-12-01 00:00 UTC."""


def allowed(limit: int = 60, remaining: int = 59, reset_ms: int = 60_000) -> Verdict:
    """Let a call pass, with this much room for requests after it."""
    return Verdict(requests=Room(limit=limit, remaining=remaining, reset_ms=reset_ms))


def refused(
    limit: LimitName,
    wait: int | None = 1000,
    *,
    amount: int = 60,
    subject: str = ACCOUNT,
    left: int = 0,
) -> Verdict:
    """Refuse a call for ``limit``, of whose ``amount`` as much is ``left``."""
    refusal = Refusal(subject=subject, limit=limit, allowed=amount, retry_after_ms=wait)
    room = Room(limit=amount, remaining=left, reset_ms=60_000)
    balance = Balance(
        limit=amount, used=amount - left, reserved=0, resets_at_ms=DECEMBER_MS
    )
    return Verdict(
        refused=refusal,
        requests=room if limit == "requests" else None,
        tokens=room if limit == "tokens" else None,
        quota_tokens=balance if limit == "quota_tokens" else None,
        quota_usd=balance if limit == "quota_usd" else None,
    )
