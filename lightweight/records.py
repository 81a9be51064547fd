"""Frozen nouns: what every room may hold in its hand.

A record is made once, never changed, and knows nothing of sockets, clocks or stores.
Times named ``*_at`` are seconds of the wall clock since the epoch; ``arrived`` and
durations are seconds of the reactor's monotonic clock.
"""

from collections.abc import Mapping
from datetime import date
from typing import Literal, TypeAlias

from msgspec import Raw, Struct

Headers: TypeAlias = Mapping[str, str]
"""Header fields by lower-case name; repeated fields are joined by ``", "``."""

Provenance: TypeAlias = Literal["reported", "counted", "estimated"]
"""How a number of tokens is known: the provider said so, we counted deltas, a guess."""

Ending: TypeAlias = Literal[
    "finished", "refused", "failed", "cut", "client_gone", "aborted"
]
"""How a call ended.

``finished``: the client got the whole answer. ``refused``: no provider was asked.
``failed``: no byte of an answer reached the client. ``cut``: the answer broke after it
began and the client was told. ``client_gone``: the client left first. ``aborted``: the
process that served it died; the bookkeeper settled it with an estimate.
"""

Role: TypeAlias = Literal["operator", "owner", "member"]
"""What somebody may do: an ``operator`` everything on this server; an ``owner`` sees to
the keys and the people of one account, a ``member`` to its keys."""

KeyState: TypeAlias = Literal["active", "rotated", "expired", "revoked"]
"""Whether a key works: a rotated one does, for its grace."""

InviteState: TypeAlias = Literal["open", "used", "expired", "revoked"]

DialectName: TypeAlias = Literal[
    "openai_chat",
    "openai_responses",
    "anthropic",
    "gemini",
    "ollama",
    "ollama_generate",
    "ollama_embed",
    "openai_completions",
    "openai_embeddings",
    "openai_moderations",
    "openai_images",
    "openai_image_edits",
    "openai_speech",
    "openai_transcriptions",
    "openai_translations",
    "openai_rerank",
]
"""The names of dialects in configuration and catalog (SPEC section 10).

One for each shape of request; ``dialects.crossing`` says whose providers take which.
"""


class Request(Struct, frozen=True, kw_only=True):
    """One HTTP request, whole, before anyone has judged it."""

    id: str
    """Our request id, also sent back as ``x-request-id``."""
    method: str
    path: str
    """The path without its query."""
    query: str = ""
    headers: Headers
    body: bytes = b""
    arrived: float
    peer: str = ""
    """The client's address, for the log."""


class Call(Struct, frozen=True, kw_only=True):
    """What a client asks of a model: validated, with every unknown field kept."""

    id: str
    dialect: DialectName
    """What the request is written in."""
    answer_in: DialectName | None = None
    """What the answer is to be written in, where that is another dialect."""
    model: str
    """The model as the client named it: the answer names it so too."""
    stream: bool
    wants_usage: bool = False
    """The client asked for usage inside the stream (``include_usage``)."""
    counts: bool = False
    """Only how many tokens the prompt has is asked (Anthropic's ``count_tokens``)."""
    fields: Mapping[str, Raw]
    """The body's top level; nested values are the client's own bytes."""
    forward: Headers = {}
    """The client's headers that a provider of the same dialect may see."""
    query: str = ""
    """What such a provider may see of the path's query."""
    trace: Headers = {}
    """Which trace it is part of: every provider is told."""
    arrived: float
    form: tuple[bytes, bytes] | None = None
    """Of a form with files: its bytes before the model's name, and after it."""
    body_size: int
    """Size of the client's body in bytes: the base of a token estimate."""
    most_tokens: int | None = None
    """How many tokens the client lets all answers have; None where it does not say."""


class Price(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What tokens cost, in micro-USD for a million tokens of each class."""

    input: int
    output: int
    """Reasoning tokens too."""
    cached: int | None = None
    """Prompt tokens read from a cache; None: as ``input``."""
    cache_write: int | None = None
    """Prompt tokens written to a cache; None: as ``input``."""
    as_of: date | None = None
    """The day on which a public list said so; None: the operator's word."""


class Target(Struct, frozen=True, kw_only=True):
    """One place that serves a model: a configured provider and its name for it."""

    provider: str
    """The provider's name in the configuration."""
    model: str
    """The model's id at that provider."""
    dialect: DialectName
    quirks: frozenset[str] = frozenset()
    priority: int | None = None
    """From 1, which goes first; None: the target's place in its model's list."""
    weight: int = 1
    """The share of calls among targets of equal priority."""
    price: Price | None = None
    """None where nobody knows it."""


class Model(Struct, frozen=True, kw_only=True):
    """A model this server offers, with the places that serve it in order."""

    id: str
    owned_by: str
    created: int
    context: str
    """The context window as people write it: ``128K``, ``1M+``."""
    context_window: int
    """The same in tokens."""
    status: Literal["GA", "Preview"] = "GA"
    aliases: tuple[str, ...] = ()
    capabilities: frozenset[str] = frozenset()
    shutdown_date: date | None = None
    replacement: str | None = None
    targets: tuple[Target, ...] = ()


class Limits(Struct, frozen=True, kw_only=True):
    """How much a subject (an account, or one of its keys) may use; None: no limit."""

    rpm: int | None = None
    """Requests accepted in any 60 s."""
    tpm: int | None = None
    """Tokens in any 60 s: estimated at admission, corrected at the end."""
    concurrency: int | None = None
    """Calls at the same time."""
    quota_tokens: int | None = None
    """Tokens in a calendar month, UTC; in all, where prepaid."""
    quota_micro_usd: int | None = None
    """The same in micro-USD."""
    prepaid: bool = False
    """The quotas never reset: they are what was paid for."""


class Account(Struct, frozen=True, kw_only=True):
    """Who pays and whose limits count."""

    id: str
    name: str
    tier: str
    created_at: float
    disabled: bool = False
    limits: Limits = Limits()
    """What is set for this account alone; where it says None the tier decides."""


class ApiKey(Struct, frozen=True, kw_only=True):
    """One credential of an account; the secret itself is not here."""

    id: str
    account_id: str
    name: str
    shown: str
    """First 8 and last 4 characters of the key, for recognition: ``lw-Ab3dE…9xYz``."""
    created_at: float
    expires_at: float | None = None
    revoked_at: float | None = None
    """From then on the key is dead; in the future while a rotation's grace runs."""
    models: frozenset[str] | None = None
    """The only models it may use, or None for all of the account's."""
    last_used_at: float | None = None
    limits: Limits = Limits()
    """What is set for this key, beside what holds for its whole account."""
    keep_prompts_days: int | None = None
    """An operator wants its prompts and answers kept for so long; None: never kept."""


class Identity(Struct, frozen=True):
    """The proof that a request may be served: who asks, with which key.

    Handlers take it as an argument, so none can run without one.
    """

    account: Account
    key: ApiKey


class Person(Struct, frozen=True, kw_only=True):
    """Somebody who may sign in."""

    id: str
    name: str
    """What they sign in with, in lower case: a word or an address of mail."""
    role: Role
    account_id: str | None
    """The one account they belong to; an operator may have none."""
    created_at: float
    disabled: bool = False
    signed_in_at: float | None = None


class Claims(Struct, frozen=True, kw_only=True):
    """Whom a provider of OpenID Connect says somebody is; it was checked."""

    issuer: str
    subject: str
    """Theirs for ever, and nobody else's at this issuer."""
    email: str | None
    """None: it told none, or did not verify it."""


class Invite(Struct, frozen=True, kw_only=True):
    """A word given to somebody who is to become a Person; its secret is not here."""

    id: str
    note: str
    """Whom it is for, in the words of who made it."""
    role: Role
    account_id: str | None
    """The account to belong to, or None: one is made, or an operator has none."""
    account_name: str | None
    """The account that is made when the invite is used."""
    tier: str | None
    """That account's."""
    created_at: float
    expires_at: float
    used_at: float | None = None
    used_by: str | None = None
    """The Person it made."""
    revoked_at: float | None = None


class AdminToken(Struct, frozen=True, kw_only=True):
    """A credential for programs that use the admin API; the secret is not here."""

    id: str
    name: str
    shown: str
    """Its first and last characters, for recognition."""
    role: Role
    account_id: str | None
    """The account it is confined to; None for an operator's."""
    created_at: float
    expires_at: float | None = None
    revoked_at: float | None = None


class Usage(Struct, frozen=True, kw_only=True, gc=False):
    """Tokens of one call in disjoint classes: no token is in two of them.

    OpenAI's inclusive figures are ``prompt`` and ``completion``.
    """

    fresh: int = 0
    """Prompt tokens that were neither read from nor written to a cache."""
    cached: int = 0
    cache_write: int = 0
    answer: int = 0
    """Completion tokens that were not reasoning."""
    reasoning: int = 0

    @property
    def prompt(self) -> int:
        """Every token sent, cached ones included."""
        return self.fresh + self.cached + self.cache_write

    @property
    def completion(self) -> int:
        """Every token generated, reasoning included."""
        return self.answer + self.reasoning

    @property
    def total(self) -> int:
        """Prompt and completion."""
        return self.prompt + self.completion


class Outgoing(Struct, frozen=True, kw_only=True):
    """A request to a provider, before its address and credential are known."""

    path: str
    """Appended to the provider's base URL: ``/chat/completions``."""
    headers: Headers
    body: bytes
    stream: bool
    left_out: tuple[str, ...] = ()
    """Types of what the client said that this request passes over."""


class Answer(Struct, frozen=True, kw_only=True):
    """A whole HTTP answer to the client."""

    status: int
    headers: Headers
    body: bytes


class Attempted(Struct, frozen=True, kw_only=True, gc=False):
    """One target that was asked, and what came of it."""

    provider: str
    model: str
    """The model's id at that provider."""
    status: int | None
    """What the provider answered with; None where no answer came."""
    fault: str | None
    """One sentence for the operator, without secrets; None when all went well."""
    seconds: float
    """From the request to the fault, or to the end of the answer."""
    left_out: tuple[str, ...] = ()
    """As in its Outgoing."""


class Outcome(Struct, frozen=True, gc=False):
    """How one call ended. There is exactly one for every call, whatever happened."""

    request_id: str
    account_id: str
    key_id: str
    model: str
    """Its id here, by whichever alias it was asked for; the client's word for none."""
    provider: str | None
    """The provider that answered or failed last; None when none was asked."""
    upstream_model: str | None
    dialect: DialectName
    stream: bool
    status: int
    """The HTTP status the client got or would have got."""
    ending: Ending
    fault: str | None
    """One sentence for the operator, without secrets; None when all went well."""
    usage: Usage | None
    provenance: Provenance | None
    first_byte_s: float | None
    """Seconds from arrival to the first byte of the answer."""
    duration_s: float
    attempts: tuple[Attempted, ...] = ()
    """Every target that was asked, in order."""


class Dispatch(Struct, frozen=True, kw_only=True, gc=False):
    """A use that begins: written before a provider is asked.

    What a dead process leaves of a call; enough to settle it.
    """

    id: str
    """The request id: there is one Dispatch and one Use for each."""
    account_id: str
    key_id: str
    model: str
    dialect: DialectName
    stream: bool
    at: float
    """When the request arrived, by the wall clock: its day and period."""
    tokens: int
    """Reserved: the estimate that an aborted call is billed with."""
    micro_usd: int | None
    """Reserved; None where the model has no price."""


class Use(Struct, frozen=True, kw_only=True, gc=False):
    """A use that ended: one row of the bill."""

    outcome: Outcome
    at: float
    """As in its Dispatch."""
    micro_usd: int | None
    """What it cost; 0 where it failed, None where the model has no price."""


class Kept(Struct, frozen=True, kw_only=True):
    """What a call said and was answered: kept where an operator asked for it."""

    request_id: str
    key_id: str
    at: float
    """When it ended."""
    prompt: str
    """Of the request's body as much as is kept; empty where it is no text."""
    prompt_bytes: int
    """Its whole size."""
    answer: str
    """The same of what the client was sent."""
    answer_bytes: int


class DayUse(Struct, frozen=True, kw_only=True):
    """What one key used of one model on one day: a row of the roll-up."""

    day: date
    """UTC, of the wall time at which the requests arrived."""
    key_id: str
    model: str
    succeeded: int
    """Calls that ended ``finished`` or ``client_gone``."""
    failed: int
    """Calls that ended in any other way after a provider was asked."""
    usage: Usage
    micro_usd: int
    """Of the calls that have a price."""
    unpriced: int
    """Calls without one."""
