"""The line in which a script of Redis gives its verdict.

A status reply of whole numbers, since txredisapi reads a line at once and takes a turn
of the reactor for every reply that is a string.
"""

from collections.abc import Sequence
from typing import TypeAlias

from lightweight.policy.pace import Ask, Balance, Refusal, Room, Verdict
from lightweight.policy.verdict import ORDER

_Words: TypeAlias = Sequence[int | None]


def read_verdict(line: str, ask: Ask) -> Verdict:
    """Read the verdict on ``ask``: 18 words, ``-`` where there is nothing to say.

    Refusal: subject, limit (both counted from 1), allowed, wait. Requests and tokens:
    limit, remaining, reset. Tokens and micro-USD of the quota: limit, used, reserved,
    reset. Raises ValueError for any other line.
    """
    words = [None if word == "-" else int(word) for word in line.split(" ")]
    if len(words) != 18:  # noqa: PLR2004 -- as counted above
        raise ValueError(f"{len(words)} words are no verdict")
    return Verdict(
        refused=_refusal(words[0:4], ask),
        requests=_room(words[4:7]),
        tokens=_room(words[7:10]),
        quota_tokens=_balance(words[10:14]),
        quota_usd=_balance(words[14:18]),
    )


def _refusal(words: _Words, ask: Ask) -> Refusal | None:
    subject, limit, allowed, wait = words
    if subject is None or limit is None or allowed is None:
        return None
    return Refusal(
        subject=ask.subjects[subject - 1].name,
        limit=ORDER[limit - 1],
        allowed=allowed,
        retry_after_ms=wait,
    )


def _room(words: _Words) -> Room | None:
    limit, remaining, reset = words
    if limit is None or remaining is None or reset is None:
        return None
    return Room(limit=limit, remaining=remaining, reset_ms=reset)


def _balance(words: _Words) -> Balance | None:
    limit, used, reserved, reset = words
    if limit is None or used is None or reserved is None:
        return None
    return Balance(limit=limit, used=used, reserved=reserved, resets_at_ms=reset)
