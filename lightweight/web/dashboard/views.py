"""What each page of the dashboard shows, as values; the templates only lay them out.

Times are seconds since the epoch, money is micro-USD, durations are seconds.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Literal, TypeAlias

from msgspec import Struct

from lightweight.policy.bill import Bill
from lightweight.policy.pace import Balance
from lightweight.policy.route import Health
from lightweight.records import Account, ApiKey, Kept, Limits, Model, Use

Theme: TypeAlias = Literal["auto", "light", "dark"]

State: TypeAlias = Literal["good", "warn", "bad", ""]
"""How a badge is coloured; its text says the same, so colour is never alone."""


class Visitor(Struct, frozen=True, kw_only=True):
    """Who is signed in, as far as the pages show it."""

    name: str
    account: str
    """The account's name; empty for an operator who belongs to none."""
    operator: bool = False
    may_invite: bool = False
    """An operator, or an owner of the account."""


class Frame(Struct, frozen=True, kw_only=True):
    """What stands around every page."""

    visitor: Visitor | None = None
    """None before sign-in."""
    csrf: str = ""
    theme: Theme = "auto"
    here: str = ""
    """The name of the screen in the navigation."""
    now: float
    notice: str = ""
    """What was just done, in one sentence."""
    problem: str = ""
    """What could not be done, in one sentence."""


class Badge(Struct, frozen=True):
    """A word about something's state."""

    text: str
    state: State = ""


class Chart(Struct, frozen=True, kw_only=True):
    """Numbers over days, one line or bar for each name."""

    days: Sequence[date]
    series: Mapping[str, Sequence[float]]
    unit: Literal["requests", "tokens", "usd"]


class Step(Struct, frozen=True, kw_only=True):
    """One thing to do before the first answer."""

    name: Literal["provider", "test", "key", "snippet"]
    done: bool


class LiveNow(Struct, frozen=True, kw_only=True):
    """What is under way."""

    calls: int
    streams: int
    workers: int
    """How many processes serve."""
    whole: bool = True
    """The figures are of all of them; else of the one that answers."""


class Overview(Struct, frozen=True, kw_only=True):
    """The last 30 days at a glance."""

    bill: Bill
    p50: float | None
    """Time to the first byte, of the latest requests; None where none streamed."""
    p95: float | None
    chart: Chart
    recent: Sequence[Use]
    key_names: Mapping[str, str]
    live: LiveNow
    quotas: Sequence["Quota"]
    steps: Sequence[Step]
    """Empty once everything is set up."""
    providers: Sequence["ProviderLine"]
    """Only while there are steps."""
    base_url: str
    model: str
    """One to try; empty where none is offered."""


class Quota(Struct, frozen=True, kw_only=True):
    """What is left of one quota."""

    name: Literal["tokens", "dollars"]
    balance: Balance


class UsageRow(Struct, frozen=True, kw_only=True):
    """One part of the bill."""

    label: str
    bill: Bill
    share: float
    """Of the metric shown, 0 to 1."""


class UsageView(Struct, frozen=True, kw_only=True):
    """The bill of a period, parted."""

    first: date
    last: date
    """Counted too."""
    group: Literal["model", "day", "key", "account"]
    metric: Literal["requests", "tokens", "usd"]
    bill: Bill
    rows: Sequence[UsageRow]
    chart: Chart
    quotas: Sequence[Quota]
    query: str
    """The same filters, for a link."""
    groups: Sequence[str]
    presets: Sequence[tuple[str, str, bool]]
    """Label, query, and whether it is the one shown."""


class KeyLine(Struct, frozen=True, kw_only=True):
    """One key with what is known of it."""

    key: ApiKey
    account: str
    badge: Badge
    live: bool
    """It can be rotated or revoked."""


class MadeKey(Struct, frozen=True, kw_only=True):
    """A key that was just made: the only time its secret is shown."""

    id: str
    name: str
    secret: str
    replaces: str = ""
    """The key that it follows, which works on for a while."""


class KeysView(Struct, frozen=True, kw_only=True):
    """The keys of an account, or of all."""

    keys: Sequence[KeyLine]
    models: Sequence[str]
    accounts: Sequence[Account]
    """Those that a new key may be of."""
    base_url: str
    model: str
    made: MadeKey | None = None


class RequestsView(Struct, frozen=True, kw_only=True):
    """A page of the request log, the newest first."""

    uses: Sequence[Use]
    key_names: Mapping[str, str]
    keys: Sequence[ApiKey]
    models: Sequence[str]
    key: str = ""
    model: str = ""
    status: str = ""
    """The filters."""
    id: str = ""
    older: str = ""
    """The query of the next page; empty on the last one."""
    filtered: bool = False
    further: str = ""
    """The query that looks further back; empty where all that is kept was seen."""
    looked_back_to: float | None = None
    """Where looking was given up, with fewer found than a page shows."""
    keeping: Sequence[ApiKey] = ()
    """Those of the visitor's keys whose prompts are kept."""
    looked_at: int = 0
    """How many requests were looked at till then."""


class Bar(Struct, frozen=True, kw_only=True):
    """One attempt in a waterfall; places are percent of the whole request."""

    provider: str
    model: str
    start: float
    width: float
    seconds: float
    status: int | None
    fault: str | None


class RequestView(Struct, frozen=True, kw_only=True):
    """One request and the attempts made for it."""

    use: Use
    key_name: str
    account: str
    bars: Sequence[Bar]
    first_byte: float | None
    """Its place in the waterfall, percent."""
    kept: Kept | None = None
    """What was said, where it is kept and the visitor may read it."""
    kept_until: float | None = None
    """None where nothing is kept."""


class ModelLine(Struct, frozen=True, kw_only=True):
    """One model on offer."""

    model: Model
    badge: Badge
    allowed: bool = True
    """The account's tier lets it be used."""


class ModelsView(Struct, frozen=True, kw_only=True):
    """Every model the catalog knows."""

    offered: Sequence[ModelLine]
    missing: Sequence[tuple[str, str]]
    """Ids that are not on offer, and why."""


class ProviderLine(Struct, frozen=True, kw_only=True):
    """One provider."""

    name: str
    preset: str
    kind: str
    host: str
    """Of its base URL; empty for the built-in demo."""
    credentials: int
    models: int
    health: Health
    badge: Badge
    model: str = ""
    """A model to test it with; empty where it serves none."""


class Tested(Struct, frozen=True, kw_only=True):
    """What came of a test."""

    provider: str
    model: str
    seconds: float
    problem: str | None
    """One sentence; None when all went well."""


class ProvidersView(Struct, frozen=True, kw_only=True):
    """The providers, and how to add one."""

    providers: Sequence[ProviderLine]
    presets: Sequence[str]
    preset: str
    """The one whose TOML is shown."""
    toml: str
    file: str
    """Where to paste it; empty where the server runs without a file."""
    tested: Tested | None = None


class PlaygroundView(Struct, frozen=True, kw_only=True):
    """What the playground needs; the rest is its script's."""

    models: Sequence[Model]
    base_url: str
    accounts: Sequence[Account]
    chosen: str = ""
    made: MadeKey | None = None


class PersonLine(Struct, frozen=True, kw_only=True):
    """One person who can sign in."""

    id: str
    name: str
    account: str
    role: str
    created_at: float
    disabled: bool
    self: bool
    """The visitor."""


class InviteLine(Struct, frozen=True, kw_only=True):
    """An invite that was not used yet."""

    id: str
    account: str
    """Empty: a new account."""
    tier: str
    role: str
    expires_at: float


class TierLine(Struct, frozen=True, kw_only=True):
    """One tier of the configuration."""

    name: str
    limits: Limits
    models: Sequence[str] | None


LimitName: TypeAlias = Literal[
    "rpm", "tpm", "concurrency", "quota_tokens", "quota_micro_usd"
]
"""The numbers of ``records.Limits``."""


class LimitRow(Struct, frozen=True, kw_only=True):
    """One limit of an account: where it comes from and what counts."""

    name: LimitName
    tier: int | None
    own: int | None
    counts: int | None


class TopUp(Struct, frozen=True, kw_only=True):
    """Prepaid quota that was added."""

    at: float
    who: str
    """Empty where the visitor need not know."""
    tokens: int
    micro_usd: int


class AccountView(Struct, frozen=True, kw_only=True):
    """One account: what it may use, and what was paid for."""

    account: Account
    tiers: Sequence[str]
    """Those that it may be put on; empty where the visitor may not."""
    configured: bool
    """Its tier still is."""
    limits: Sequence[LimitRow]
    quotas: Sequence[Quota]
    top_ups: Sequence[TopUp]


class AccountsView(Struct, frozen=True, kw_only=True):
    """All accounts, for operators."""

    accounts: Sequence[Account]
    older: str = ""
    """The query of the next page."""


class Link(Struct, frozen=True, kw_only=True):
    """A one-time link that was just made."""

    url: str
    what: str
    """Whom it is for, in a few words."""
    expires_at: float


class PeopleView(Struct, frozen=True, kw_only=True):
    """Who can sign in, who was invited, which tiers there are."""

    people: Sequence[PersonLine]
    invites: Sequence[InviteLine]
    tiers: Sequence[TierLine]
    accounts: Sequence[Account]
    made: Link | None = None


class GuideLine(Struct, frozen=True, kw_only=True):
    """One guide in the list."""

    name: str
    title: str
    about: str


class GuidesView(Struct, frozen=True, kw_only=True):
    """The guides, and the one that is open."""

    guides: Sequence[GuideLine]
    open: str = ""
    title: str = ""
    html: str = ""
    """From the guide's own Markdown, in which raw HTML is off."""
    base_url: str


class Setting(Struct, frozen=True, kw_only=True):
    """One setting in force."""

    path: str
    value: str
    """Never a secret's."""
    origin: str
    """``file:line``, or empty for a default."""


class AuditLine(Struct, frozen=True, kw_only=True):
    """One entry of the audit log."""

    at: float
    who: str
    what: str
    subject: str
    details: str


class SettingsView(Struct, frozen=True, kw_only=True):
    """The configuration in force and who changed what."""

    settings: Sequence[Setting]
    audit: Sequence[AuditLine]
    older: str = ""
    """The query of the next page of the audit log."""


class LimitLine(Struct, frozen=True, kw_only=True):
    """One limit that counts for a call."""

    name: str
    limit: str
    left: str


class TargetLine(Struct, frozen=True, kw_only=True):
    """One target and what would become of it."""

    provider: str
    model: str
    tried: bool
    why: str


class Explained(Struct, frozen=True, kw_only=True):
    """What would happen to a call."""

    verdict: str
    """One sentence."""
    good: bool
    limits: Sequence[LimitLine]
    targets: Sequence[TargetLine]


class ExplainView(Struct, frozen=True, kw_only=True):
    """The question and its answer."""

    keys: Sequence[KeyLine]
    models: Sequence[str]
    key: str = ""
    model: str = ""
    explained: Explained | None = None


class MeView(Struct, frozen=True, kw_only=True):
    """One's own sign-in."""

    has_password: bool
    """Who always came by a provider of OpenID Connect has none."""


class DoorView(Struct, frozen=True, kw_only=True):
    """Sign-in, sign-up by invite, a one-time link."""

    next: str = ""
    token: str = ""
    name: str = ""
    account: str = ""
    """Whom the invite or the link is for."""
    new_account: bool = False
    provider: str = ""
    """Who else may tell who somebody is; empty: nobody."""
    there: str = ""
    """The link that begins it."""
    impossible: str = ""
    """Why nobody can sign in this way, in a sentence that says what to do."""
