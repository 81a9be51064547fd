"""What the admin API takes: its types are its documentation, as those in ``shapes``."""

from datetime import datetime
from typing import Literal

from msgspec import UNSET, Struct, UnsetType

from lightweight.records import DialectName, Role


class PageQuery(Struct, kw_only=True, forbid_unknown_fields=True):
    """Which page of a list."""

    limit: int = 50
    """At most 200."""
    after: str | None = None


class OwnedQuery(PageQuery, kw_only=True, forbid_unknown_fields=True):
    """Which page, and whose."""

    account: str | None = None
    """An account's id or name."""


class AuditQuery(PageQuery, kw_only=True, forbid_unknown_fields=True):
    """Which page, and about what."""

    subject: str | None = None


class UsageQuery(Struct, kw_only=True, forbid_unknown_fields=True):
    """Of which days, and parted by what; see GET /v1/usage."""

    start: str | None = None
    """A day of UTC: 2026-11-01."""
    end: str | None = None
    """The first day that does not count."""
    group_by: Literal["model", "day", "key"] | None = None


class LimitChanges(Struct, kw_only=True, forbid_unknown_fields=True):
    """Some limits; null takes one away."""

    rpm: int | UnsetType | None = UNSET
    tpm: int | UnsetType | None = UNSET
    concurrency: int | UnsetType | None = UNSET
    quota_tokens: int | UnsetType | None = UNSET
    quota_usd: str | UnsetType | None = UNSET


class AccountDraft(Struct, kw_only=True, forbid_unknown_fields=True):
    """An account to be made."""

    name: str
    tier: str
    limits: LimitChanges | None = None


class AccountChanges(Struct, kw_only=True, forbid_unknown_fields=True):
    """What to change of an account."""

    tier: str | None = None
    disabled: bool | None = None
    limits: LimitChanges | None = None


class TopUp(Struct, kw_only=True, forbid_unknown_fields=True):
    """What to add to a prepaid quota."""

    tokens: int = 0
    usd: str | None = None


class KeyDraft(Struct, kw_only=True, forbid_unknown_fields=True):
    """A key to be made."""

    account: str | None = None
    """An account's id or name; not given: your own."""
    name: str = ""
    models: list[str] | None = None
    """The only models it may use; null: all that the account may."""
    expires_at: datetime | None = None
    limits: LimitChanges | None = None


class KeyChanges(Struct, kw_only=True, forbid_unknown_fields=True):
    """What to change of a key."""

    limits: LimitChanges | None = None
    keep_prompts_days: int | UnsetType | None = UNSET
    """For how many days prompts and answers are kept, 1 to 30; null: they are not.
    Operators only."""


class Rotation(Struct, kw_only=True, forbid_unknown_fields=True):
    """How a key is replaced."""

    grace_s: float = 86_400.0
    """Seconds for which the old key works on."""


class PersonChanges(Struct, kw_only=True, forbid_unknown_fields=True):
    """What to change of somebody."""

    role: Role | None = None
    disabled: bool | None = None


class InviteDraft(Struct, kw_only=True, forbid_unknown_fields=True):
    """An invite to be made, to an account there is or to a new one."""

    role: Role = "member"
    account: str | None = None
    """An account's id or name; not given: your own."""
    new_account: str | None = None
    """The name of an account that is made with the person; takes ``tier``."""
    tier: str | None = None
    note: str = ""
    life_s: float | None = None
    """For how many seconds it works; null: seven days."""


class Question(Struct, kw_only=True, forbid_unknown_fields=True):
    """A call to be explained."""

    model: str
    key: str | None = None
    """The id of a key; not given: of the account alone."""
    account: str | None = None
    """An account's id or name; not given: the key's, or your own."""
    dialect: DialectName = "openai_chat"
    session: str | None = None
    """What names the session, which decides among targets of equal priority."""


class AdminTokenDraft(Struct, kw_only=True, forbid_unknown_fields=True):
    """A token to be made."""

    name: str
    role: Role = "operator"
    account: str | None = None
    """To which one that is no operator's is confined."""
    expires_at: datetime | None = None
