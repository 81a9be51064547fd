"""What the admin API takes and gives: its types are its documentation.

Times are RFC 3339 in UTC; dollars are decimal strings, exact to a millionth.
"""

from datetime import date, datetime
from typing import Generic, Literal, TypeVar

from msgspec import UNSET, Struct, UnsetType

from lightweight import records
from lightweight.records import InviteState, KeyState, Role

T = TypeVar("T")


class Page(Struct, Generic[T], kw_only=True):
    """Part of a list, the newest first."""

    object: Literal["list"] = "list"
    data: list[T]
    next: str | None
    """Give it as ``after`` to read on; null: that was all."""


class Limits(Struct, kw_only=True):
    """How much may be used; null: no limit of its own."""

    rpm: int | None
    tpm: int | None
    concurrency: int | None
    quota_tokens: int | None
    quota_usd: str | None
    prepaid: bool


class Account(Struct, kw_only=True):
    """Who pays and whose limits count."""

    id: str
    name: str
    tier: str
    disabled: bool
    created_at: datetime
    limits: Limits


class Key(Struct, kw_only=True):
    """A key of an account, without its secret."""

    id: str
    account_id: str
    name: str
    shown: str
    state: KeyState
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None
    models: list[str] | None
    limits: Limits
    keep_prompts_days: int | None
    """For how many days prompts and answers are kept; null: they are not."""


class NewKey(Struct, kw_only=True):
    """A key with its secret, which is shown only now."""

    key: str
    details: Key


class Person(Struct, kw_only=True):
    """Somebody who may sign in."""

    id: str
    name: str
    role: Role
    account_id: str | None
    disabled: bool
    created_at: datetime
    signed_in_at: datetime | None


class Link(Struct, kw_only=True):
    """A one-time link, which is shown only now."""

    url: str
    expires_at: datetime


class Invite(Struct, kw_only=True):
    """An invite, without its secret."""

    id: str
    note: str
    role: Role
    account_id: str | None
    account_name: str | None
    tier: str | None
    state: InviteState
    created_at: datetime
    expires_at: datetime
    used_by: str | None


class NewInvite(Struct, kw_only=True):
    """An invite with its link, which is shown only now."""

    url: str
    details: Invite


class AdminToken(Struct, kw_only=True):
    """A credential for programs, without its secret."""

    id: str
    name: str
    shown: str
    role: Role
    account_id: str | None
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None


class NewAdminToken(Struct, kw_only=True):
    """A token with its secret, which is shown only now."""

    token: str
    details: AdminToken


class Me(Struct, kw_only=True):
    """Who asks."""

    role: Role
    account: Account | None
    person: Person | None


class Tier(Struct, kw_only=True):
    """The limits that accounts of a tier have; it is defined in the configuration."""

    name: str
    limits: Limits
    models: list[str] | None


class Attempt(Struct, kw_only=True):
    """One provider that was asked; attempts follow one another."""

    provider: str
    model: str
    status: int | None
    fault: str | None
    seconds: float


class Tokens(Struct, kw_only=True):
    """Tokens as OpenAI counts them: prompt has cached, completion has reasoning."""

    prompt: int
    completion: int
    cached: int
    reasoning: int
    total: int


class Request(Struct, kw_only=True):
    """One request for which a provider was asked, and what came of it."""

    id: str
    at: datetime
    account_id: str
    key_id: str
    model: str
    provider: str | None
    dialect: str
    stream: bool
    status: int
    ending: records.Ending
    fault: str | None
    tokens: Tokens | None
    tokens_known_by: records.Provenance | None
    cost_usd: str | None
    first_byte_s: float | None
    duration_s: float
    attempts: list[Attempt]


class Period(Struct, kw_only=True):
    """Days of UTC; ``end`` is the first that does not count."""

    start: datetime
    end: datetime


class Calls(Struct, kw_only=True):
    """Requests for which a provider was asked."""

    succeeded: int
    failed: int


class Quota(Struct, kw_only=True):
    """What may be used in a period, in tokens."""

    limit: int
    used: int
    reserved: int
    remaining: int
    resets_at: datetime | None
    """Null: it is prepaid."""


class MoneyQuota(Struct, kw_only=True):
    """What may be used in a period, in dollars."""

    limit: str
    used: str
    reserved: str
    remaining: str
    resets_at: datetime | None


class RateLimit(Struct, kw_only=True):
    """How many requests may still come now."""

    requests_per_minute: int
    remaining: int


class UsagePart(Struct, kw_only=True, omit_defaults=True):
    """What was used of one model, or with one key."""

    model: str | UnsetType = UNSET
    key: str | UnsetType = UNSET
    requests: int
    prompt: int
    completion: int
    cost_usd: str
    unpriced_requests: int | UnsetType = UNSET


class UsageDay(Struct, kw_only=True):
    """What was used on one day."""

    date: date
    requests: int
    total: int


class Usage(Struct, kw_only=True):
    """What an account used and what is left to it, as GET /v1/usage has it."""

    object: Literal["usage"]
    account: str
    tier: str
    period: Period
    tokens: Tokens
    requests: Calls
    cost_usd: str
    unpriced_requests: int | UnsetType = UNSET
    quota: Quota | None
    quota_usd: MoneyQuota | UnsetType = UNSET
    rate_limit: RateLimit | None
    by_model: list[UsagePart] | UnsetType = UNSET
    by_day: list[UsageDay] | UnsetType = UNSET
    by_key: list[UsagePart] | UnsetType = UNSET


class AuditEntry(Struct, kw_only=True):
    """One thing that was done."""

    id: int
    at: datetime
    who: str
    what: str
    subject: str
    details: dict[str, str | float | bool | None]


class Price(Struct, kw_only=True):
    """What tokens cost, in dollars for a million of each class."""

    input: str
    output: str
    cached: str | None
    cache_write: str | None


class ModelTarget(Struct, kw_only=True):
    """One place that serves a model."""

    provider: str
    model: str
    dialect: str
    price: Price | None


class Model(Struct, kw_only=True):
    """A model of the catalog or the configuration."""

    id: str
    offered: bool
    why_not: str | None
    """Why it is not offered."""
    aliases: list[str]
    context: str | None
    status: str | None
    shutdown_date: date | None
    replacement: str | None
    targets: list[ModelTarget]


class Provider(Struct, kw_only=True):
    """A provider of the configuration, and how it fares with this worker."""

    name: str
    preset: str | None
    kind: str
    base_url: str | None
    credentials: int
    """How many keys of it are configured."""
    state: str
    """closed: all is well; open: it is left alone; half_open: it is tried again."""
    wait_s: float
    """Until it may be asked again."""
    resting: dict[str, float]
    """Its models that are limited, with the seconds until they are not."""
    models: list[str]


class ProviderTest(Struct, kw_only=True):
    """What came of asking a provider for its list of models."""

    ok: bool
    fault: str | None
    seconds: float


class Room(Struct, kw_only=True):
    """What a limit in any 60 s still takes."""

    limit: int
    remaining: int
    reset_s: float


class Standing(Struct, kw_only=True):
    """Where the limits of an account, with those of a key, stand; null: no limit."""

    requests: Room | None
    tokens: Room | None
    quota: Quota | None
    quota_usd: MoneyQuota | None


class Subject(Struct, kw_only=True):
    """Whose limits count, and which they are."""

    kind: Literal["account", "key"]
    id: str
    limits: Limits


class Place(Struct, kw_only=True):
    """A target, in the order in which it would be tried."""

    provider: str
    model: str
    dialect: str
    priority: int | None
    """From 1, which goes first; null: it does not count at all."""
    weight: int | None
    tried: bool
    """It would be asked if those before it fail."""
    why_not: str | None
    """Why it would not be asked, or not now."""


class Explanation(Struct, kw_only=True):
    """What would happen to a call."""

    model: str | None
    """The id of the model that is meant."""
    allowed: bool
    """The call would be sent to a provider now."""
    why_not: str | None
    subjects: list[Subject]
    standing: Standing
    places: list[Place]
