"""Whose limits a call meets, and which models an account may use at all."""

from collections.abc import Iterable, Mapping

import msgspec
from msgspec import Struct

from lightweight.policy.pace import ACCOUNT, Subject
from lightweight.records import Account, Identity, Limits

NO_LIMITS = Limits()

_AMOUNTS = ("rpm", "tpm", "concurrency", "quota_tokens", "quota_micro_usd")


class Tier(Struct, frozen=True, kw_only=True):
    """What the accounts of one tier may use."""

    limits: Limits = NO_LIMITS
    models: frozenset[str] | None = None
    """The only models, by id or alias; None: all."""


def tier_of(name: str, tiers: Mapping[str, Tier]) -> Tier:
    """Give the tier of that name; one that is configured no more is the strictest.

    An account must not lose its limits because its tier was taken out of a file, nor
    stop working: so the smallest of every limit holds, over all tiers there are, and
    only models that each of them allows.
    """
    found = tiers.get(name)
    return _strictest(tiers.values()) if found is None else found


def subjects_of(identity: Identity, tiers: Mapping[str, Tier]) -> tuple[Subject, ...]:
    """Give the account with its limits and, where the key has some, the key with its.

    Empty where nothing limits them.
    """
    account, key = identity.account, identity.key
    limits = limits_of_account(account, tiers)
    if key.limits != NO_LIMITS:
        return Subject(ACCOUNT, limits), Subject(key.id, key.limits)
    return () if limits == NO_LIMITS else (Subject(ACCOUNT, limits),)


def limits_of_account(account: Account, tiers: Mapping[str, Tier]) -> Limits:
    """Give what counts for an account: its own limits over those of its tier."""
    return _laid_over(tier_of(account.tier, tiers).limits, account.limits)


def _laid_over(tier: Limits, own: Limits) -> Limits:
    """Lay an account's own limits over its tier's, field by field.

    Prepaid quotas stand alone: a tier's are for each month.
    """
    if own == NO_LIMITS:
        return tier
    if own.prepaid:
        tier = msgspec.structs.replace(tier, quota_tokens=None, quota_micro_usd=None)
    given = {
        name: amount for name in _AMOUNTS if (amount := getattr(own, name)) is not None
    }
    return msgspec.structs.replace(tier, prepaid=own.prepaid, **given)


def _strictest(tiers: Iterable[Tier]) -> Tier:
    known = list(tiers)
    limits = NO_LIMITS
    for name in _AMOUNTS:
        amounts = [getattr(tier.limits, name) for tier in known]
        least = min((each for each in amounts if each is not None), default=None)
        limits = msgspec.structs.replace(limits, **{name: least})
    lists = [tier.models for tier in known if tier.models is not None]
    return Tier(
        limits=limits,
        models=frozenset.intersection(*lists) if lists else None,
    )
