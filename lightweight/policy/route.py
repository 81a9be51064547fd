"""In which order the places that serve a model are asked.

By priority; among equals by weight and by lot. The lot is drawn by hashing a seed with
each target (weighted rendezvous): calls of one session always draw the same, so that
they meet their prompt cache, and a target that goes away moves only its own sessions.
"""

import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from itertools import islice

import msgspec
from msgspec import Raw, Struct, field

from lightweight.policy.breaker import Breaker, State
from lightweight.policy.retry import Resting
from lightweight.records import Call, DialectName, Headers, Target

_FIELDS = ("prompt_cache_key", "user", "safety_identifier")
"""What OpenAI's API calls a session or its user (API reference, chat completions)."""


class _Metadata(Struct, frozen=True):
    user_id: str = ""
    """Anthropic's word; Claude Code puts its session into it."""


_METADATA = msgspec.json.Decoder(_Metadata)

_HEADERS = ("x-session-id", "session_id", "x-session-affinity")
"""What coding agents call it."""

THOUGHT_SIGNATURES = "thought_signatures"
"""The quirk of targets that take Gemini's seals in chat."""

_BOUND: frozenset[DialectName] = frozenset({"openai_responses"})

_LOTS = 2.0**64

SHOWN = 5
"""Resting models that are told of one provider."""


class Health(Struct, frozen=True):
    """How one provider fares, to be shown; waits are in seconds."""

    state: State
    """Its breaker's."""
    wait: float
    """Until it may be asked again."""
    resting: Mapping[str, float]
    """Its models that are limited, by their id there, the longest waits first."""


class Standing(Struct, frozen=True):
    """What is known of one provider's health; it outlives a reload."""

    breaker: Breaker = field(default_factory=Breaker)
    resting: Resting = field(default_factory=Resting)
    """Which of its models are limited, by their id there."""

    def wait(self, model: str, now: float) -> float:
        """Give the seconds until ``model`` may be asked here; 0 if it may now."""
        wait, rest = self.breaker.wait(now), self.resting.wait(model, now)
        return max(wait, rest) if rest else wait

    def health(self, now: float) -> Health:
        """Say how the provider fares."""
        resting = islice(self.resting.waits(now).items(), SHOWN)
        return Health(
            state=self.breaker.state(now),
            wait=round(self.breaker.wait(now), 1),
            resting={str(model): round(wait, 1) for model, wait in resting},
        )


def session_of(call: Call, headers: Headers) -> str | None:
    """Give what names the session or the user of a call; None where nothing does."""
    for header in _HEADERS:
        if headers.get(header):
            return headers[header]
    named = next(filter(None, (_text(call.fields, name) for name in _FIELDS)), None)
    return named or _user_id(call.fields) or None


def fitting(targets: Sequence[Target], dialect: DialectName) -> Sequence[Target]:
    """Give the targets without those that are another's place in a worse dialect.

    Where a provider serves a model in several dialects, the client's own is the one to
    ask, since nothing is translated then; else the first.
    """
    if len(targets) <= 1:
        return targets
    best: dict[tuple[str, str], DialectName] = {}
    for target in targets:
        place = (target.provider, target.model)
        if place not in best or target.dialect == dialect:
            best[place] = target.dialect
    return [
        target
        for target in targets
        if target.dialect == best[target.provider, target.model]
    ]


def arranged(targets: Sequence[Target], seed: str) -> Sequence[Target]:
    """Give the targets in the order in which to ask them.

    A target without a priority has its place in ``targets`` for one, from 1. ``seed``
    names the session, or the one call where there is none.
    """
    if len(targets) <= 1:
        return targets
    ranked = sorted(
        (target.priority or place, _lot(target, seed), place)
        for place, target in enumerate(targets, start=1)
    )
    return [targets[place - 1] for *_, place in ranked]


def staying(
    targets: Sequence[Target],
    sealed_by: DialectName | None,
    free: Callable[[Target], bool],
) -> Sequence[Target]:
    """Give the targets that can go on with a conversation, of those arranged.

    They are those that read the seals in it (``sealed_by`` is their dialect); where
    none does all of them, since translation leaves foreign seals out. OpenAI's seals
    are bound to one account: of its places the first stays that is ``free``, that is
    which may be asked now.
    """
    fit = [target for target in targets if _reads(target, sealed_by)]
    if not fit:
        return targets
    if sealed_by not in _BOUND:
        return fit
    first = next(filter(free, fit), fit[0])
    return [target for target in fit if target.provider == first.provider]


def _reads(target: Target, sealed_by: DialectName | None) -> bool:
    if target.dialect == sealed_by:
        return True
    return sealed_by == "gemini" and THOUGHT_SIGNATURES in target.quirks


def _lot(target: Target, seed: str) -> float:
    """Draw from an exponential distribution: the smallest of all wins by weight."""
    told = f"{seed}\0{target.provider}\0{target.model}".encode(errors="replace")
    drawn = int.from_bytes(hashlib.blake2b(told, digest_size=8).digest(), "big")
    return -math.log((drawn + 0.5) / _LOTS) / target.weight


def _user_id(fields: Mapping[str, Raw]) -> str:
    try:
        return _METADATA.decode(fields.get("metadata", b"{}")).user_id
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ""


def _text(fields: Mapping[str, Raw], name: str) -> str:
    raw = fields.get(name)
    if raw is None:
        return ""
    try:
        return msgspec.json.decode(raw, type=str)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ""
