"""How records are shown in the shapes of the admin API."""

from datetime import UTC, datetime

from lightweight import records
from lightweight.policy.admission import Tier
from lightweight.policy.price import dollars
from lightweight.store.api_keys import state_of_key
from lightweight.store.audit import AuditEntry
from lightweight.store.invites import state_of_invite
from lightweight.web.admin import shapes


def moment(at: float) -> datetime:
    """Give a time of the wall clock."""
    return datetime.fromtimestamp(at, UTC)


def moment_or_none(at: float | None) -> datetime | None:
    """Give ``moment`` for what may not have one."""
    return None if at is None else moment(at)


def dollars_or_none(micro_usd: int | None) -> str | None:
    """Give an amount that may not be known."""
    return None if micro_usd is None else dollars(micro_usd)


def limits(held: records.Limits) -> shapes.Limits:
    """Show limits."""
    return shapes.Limits(
        rpm=held.rpm,
        tpm=held.tpm,
        concurrency=held.concurrency,
        quota_tokens=held.quota_tokens,
        quota_usd=dollars_or_none(held.quota_micro_usd),
        prepaid=held.prepaid,
    )


def account(found: records.Account) -> shapes.Account:
    """Show an account."""
    return shapes.Account(
        id=found.id,
        name=found.name,
        tier=found.tier,
        disabled=found.disabled,
        created_at=moment(found.created_at),
        limits=limits(found.limits),
    )


def key(
    found: records.ApiKey, now: float, last_used_at: float | None = None
) -> shapes.Key:
    """Show a key."""
    return shapes.Key(
        id=found.id,
        account_id=found.account_id,
        name=found.name,
        shown=found.shown,
        state=state_of_key(found, now),
        created_at=moment(found.created_at),
        expires_at=moment_or_none(found.expires_at),
        revoked_at=moment_or_none(found.revoked_at),
        last_used_at=moment_or_none(last_used_at),
        models=_names(found.models),
        limits=limits(found.limits),
        keep_prompts_days=found.keep_prompts_days,
    )


def person(found: records.Person) -> shapes.Person:
    """Show somebody."""
    return shapes.Person(
        id=found.id,
        name=found.name,
        role=found.role,
        account_id=found.account_id,
        disabled=found.disabled,
        created_at=moment(found.created_at),
        signed_in_at=moment_or_none(found.signed_in_at),
    )


def invite(found: records.Invite, now: float) -> shapes.Invite:
    """Show an invite."""
    return shapes.Invite(
        id=found.id,
        note=found.note,
        role=found.role,
        account_id=found.account_id,
        account_name=found.account_name,
        tier=found.tier,
        state=state_of_invite(found, now),
        created_at=moment(found.created_at),
        expires_at=moment(found.expires_at),
        used_by=found.used_by,
    )


def admin_token(found: records.AdminToken) -> shapes.AdminToken:
    """Show an admin token."""
    return shapes.AdminToken(
        id=found.id,
        name=found.name,
        shown=found.shown,
        role=found.role,
        account_id=found.account_id,
        created_at=moment(found.created_at),
        expires_at=moment_or_none(found.expires_at),
        revoked_at=moment_or_none(found.revoked_at),
    )


def tier(name: str, defined: Tier) -> shapes.Tier:
    """Show a tier."""
    return shapes.Tier(
        name=name, limits=limits(defined.limits), models=_names(defined.models)
    )


def request(use: records.Use, *, faults: bool) -> shapes.Request:
    """Show a request, with or without what went wrong in providers' words."""
    outcome = use.outcome
    usage = outcome.usage
    return shapes.Request(
        id=outcome.request_id,
        at=moment(use.at),
        account_id=outcome.account_id,
        key_id=outcome.key_id,
        model=outcome.model,
        provider=outcome.provider,
        dialect=outcome.dialect,
        stream=outcome.stream,
        status=outcome.status,
        ending=outcome.ending,
        fault=outcome.fault if faults else None,
        tokens=None
        if usage is None
        else shapes.Tokens(
            prompt=usage.prompt,
            completion=usage.completion,
            cached=usage.cached,
            reasoning=usage.reasoning,
            total=usage.total,
        ),
        tokens_known_by=outcome.provenance,
        cost_usd=dollars_or_none(use.micro_usd),
        first_byte_s=outcome.first_byte_s,
        duration_s=outcome.duration_s,
        attempts=[attempt(each, faults=faults) for each in outcome.attempts],
    )


def attempt(made: records.Attempted, *, faults: bool) -> shapes.Attempt:
    """Show one attempt."""
    return shapes.Attempt(
        provider=made.provider,
        model=made.model,
        status=made.status,
        fault=made.fault if faults else None,
        seconds=made.seconds,
    )


def audit_entry(found: AuditEntry) -> shapes.AuditEntry:
    """Show an entry of the audit log."""
    return shapes.AuditEntry(
        id=found.id,
        at=moment(found.at),
        who=found.who,
        what=found.what,
        subject=found.subject,
        details=found.details,
    )


def _names(models: frozenset[str] | None) -> list[str] | None:
    return None if models is None else sorted(models)
