"""What the configuration holds: names and defaults of SPEC section 10.

Durations are seconds, sizes bytes, money micro-USD. ``Annotated[T, parser]`` names the
function of ``values`` that turns a plain TOML value into a ``T``.
"""

from collections.abc import Mapping
from datetime import date
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

from msgspec import Struct, field, structs

from lightweight.config import values
from lightweight.config.secret import Secret
from lightweight.config.units import parse_tokens
from lightweight.records import DialectName

ProviderKind: TypeAlias = Literal[
    "openai", "azure", "anthropic", "gemini", "ollama", "demo"
]

Seconds: TypeAlias = Annotated[float, values.duration]
SomeSeconds: TypeAlias = Annotated[float, values.some_time]
SomeDays: TypeAlias = Annotated[float, values.some_days]
Size: TypeAlias = Annotated[int, values.some_size]
Positive: TypeAlias = Annotated[int, values.positive]
Limit: TypeAlias = Annotated[int, values.limit]
Network: TypeAlias = Annotated[IPv4Network | IPv6Network, values.network]
Name: TypeAlias = Annotated[str, values.name]
ModelId: TypeAlias = Annotated[str, values.model_id]
Dollars: TypeAlias = Annotated[int, values.price]
Word: TypeAlias = Annotated[str, values.quirk]


class Keys(Struct, frozen=True, kw_only=True):
    """How Lightweight's own keys are kept."""

    pepper: Secret | None = None
    """None: made at the first start, in the state directory."""


class Drain(Struct, frozen=True, kw_only=True):
    """How long running calls may take to end."""

    reload: Seconds = 600.0
    stop: Seconds = 60.0


class PartialTimeouts(Struct, frozen=True, kw_only=True):
    """One provider's clocks; None takes the one for all."""

    connect: SomeSeconds | None = None
    first_byte: SomeSeconds | None = None
    idle: SomeSeconds | None = None
    total: SomeSeconds | None = None


class Timeouts(Struct, frozen=True, kw_only=True):
    """How long a provider may take."""

    connect: SomeSeconds = 5.0
    first_byte: SomeSeconds = 120.0
    idle: SomeSeconds = 60.0
    total: SomeSeconds = 1800.0

    def overlaid(self, partial: PartialTimeouts | None) -> "Timeouts":
        """Give these clocks with the ones that ``partial`` sets."""
        if partial is None:
            return self
        given = structs.asdict(partial)
        return structs.replace(
            self, **{k: v for k, v in given.items() if v is not None}
        )


class ProviderConfig(Struct, frozen=True, kw_only=True):
    """One ``[providers.NAME]``; None is the preset's."""

    preset: Name | None = None
    """None: the preset of the provider's own name, if there is one."""
    kind: ProviderKind | None = None
    base_url: Annotated[str, values.web_url] | None = None
    """Without a slash at its end."""
    api_key: Secret | None = None
    api_keys: tuple[Secret, ...] = ()
    """Used in this order, after ``api_key``, while those before are limited."""
    timeouts: PartialTimeouts | None = None
    quirks: tuple[Word, ...] | None = None
    probe: SomeSeconds | None = None
    """While it is left alone, how often it is asked whether it works; None: never."""
    on_disconnect: Literal["cancel", "drain"] = "cancel"
    """What becomes of an answer whose client left: stopped, or read to its end."""
    drain_limit: SomeSeconds = 30.0
    """For how long it is read then."""


class Edge(Struct, frozen=True, kw_only=True):
    """What a client may take."""

    header_timeout: SomeSeconds = 10.0
    body_timeout: SomeSeconds = 60.0
    keep_alive: SomeSeconds = 15.0
    write_stall: SomeSeconds = 60.0
    max_body: Size = 32 * 1024 * 1024
    max_connections: Positive = 10_000


class Tier(Struct, frozen=True, kw_only=True):
    """The limits of one tier; None is no limit."""

    rpm: Limit | None = None
    tpm: Limit | None = None
    concurrency: Limit | None = None
    quota_tokens: Limit | None = None
    """For each calendar month, UTC."""
    quota_usd: Annotated[int, values.micro_usd] | None = None
    """In micro-USD here, in dollars in the file; for each calendar month, UTC."""
    models: tuple[ModelId, ...] | None = None
    """The only models, or None for all."""


DEFAULT_TIERS: Mapping[str, Tier] = {
    "beta": Tier(rpm=60),
    "pro": Tier(rpm=250),
    "enterprise": Tier(),
}
"""Tiers there are without being configured; a table of the same name replaces one."""


class Redis(Struct, frozen=True, kw_only=True):
    """Where gateways on many machines share their limits."""

    url: Annotated[Secret, values.redis_url] | None = None
    """A Secret since it may hold a password; None: embedded limits."""
    on_failure: Literal["local", "open", "closed"] = "local"
    machines: Positive = 1


class Database(Struct, frozen=True, kw_only=True):
    """Where accounts, keys and usage live."""

    url: Annotated[Secret, values.database_url] | None = None
    """A Secret since it may hold a password; None: SQLite in the state directory."""
    keep_uses: SomeDays = 400 * 86_400.0
    """Seconds, in whole days: how long single uses stay. Sums by day stay for ever."""
    keep_audit: SomeDays = 400 * 86_400.0
    """The same for the audit log."""


class Oidc(Struct, frozen=True, kw_only=True):
    """Where people may sign in besides here: a provider of OpenID Connect."""

    issuer: Annotated[str, values.issuer]
    """Exactly as the provider writes it."""
    client_id: Annotated[str, values.printable]
    client_secret: Secret
    name: Annotated[str, values.printable] = "single sign-on"
    """What the button says."""
    scopes: tuple[Annotated[str, values.scope], ...] = ("email",)
    """Asked for besides ``openid``."""
    auto_domains: tuple[Annotated[str, values.domain], ...] | None = None
    """Who has a verified e-mail address there comes in without an invite."""
    auto_account: Annotated[str, values.printable] | None = None
    """The account that they become members of; None: each gets one of their own."""
    auto_tier: Name | None = None
    """The tier of accounts that are made; None: none are."""


class TargetConfig(Struct, frozen=True, kw_only=True):
    """One place that serves a model."""

    provider: Name
    model: ModelId
    dialect: DialectName
    priority: Positive | None = None
    """From 1, which goes first; None: the place in the list."""
    weight: Positive = 1


class PriceConfig(Struct, frozen=True, kw_only=True):
    """What a million tokens cost: micro-USD here, dollars in the file."""

    input: Dollars
    output: Dollars
    cached: Dollars | None = None
    """None: as ``input``, and so below."""
    cache_write: Dollars | None = None


class ModelConfig(Struct, frozen=True, kw_only=True):
    """A model to add to the catalog or to override in it; None is the catalog's."""

    id: ModelId
    context: Annotated[str, values.context] | None = None
    """As people write it: ``128K``."""
    targets: tuple[TargetConfig, ...] | None = None
    status: Literal["GA", "Preview"] | None = None
    owned_by: Annotated[str, values.printable] | None = None
    aliases: tuple[ModelId, ...] | None = None
    capabilities: tuple[Word, ...] | None = None
    shutdown_date: Annotated[date, values.day] | None = None
    replacement: ModelId | None = None
    price: PriceConfig | None = None
    """At every target of the model."""

    @property
    def context_window(self) -> int | None:
        """The context window in tokens."""
        return None if self.context is None else parse_tokens(self.context)


class Config(Struct, frozen=True, kw_only=True):
    """The whole configuration."""

    listen: tuple[Annotated[str, values.endpoint], ...] = (
        "tcp:8080:interface=127.0.0.1",
    )
    state: Annotated[Path, values.absolute_path] | None = None
    """None: ``state_directory``."""
    workers: Annotated[int | Literal["auto"], values.workers] = 1
    log_format: Literal["auto", "json", "text"] = "auto"
    public_url: Annotated[str, values.web_url] | None = None
    """Without a slash at its end; None: from the request."""
    trusted_proxies: tuple[Network, ...] = (IPv4Network("127.0.0.1/32"),)
    cors_origins: tuple[Annotated[str, values.origin], ...] = ("*",)
    discover: bool = True
    express: bool = True
    metrics_token: Secret | None = None
    """None: /metrics answers loopback only."""
    keys: Keys = Keys()
    drain: Drain = Drain()
    providers: Mapping[Name, ProviderConfig] = {}
    models: tuple[ModelConfig, ...] = ()
    timeouts: Timeouts = Timeouts()
    edge: Edge = Edge()
    tiers: Mapping[Name, Tier] = field(default_factory=lambda: dict(DEFAULT_TIERS))
    redis: Redis = Redis()
    database: Database = Database()
    oidc: Oidc | None = None
    """None: people sign in with passwords only."""

    def timeouts_of(self, provider: str) -> Timeouts:
        """Give the clocks of a provider, configured or not."""
        config = self.providers.get(provider)
        return self.timeouts.overlaid(config.timeouts if config else None)

    def drain_limit_of(self, provider: str) -> float:
        """Give the seconds to read on when a provider's client left; 0: stop it."""
        config = self.providers.get(provider)
        if config is None or config.on_disconnect == "cancel":
            return 0.0
        return config.drain_limit


def state_directory(environ: Mapping[str, str]) -> Path:
    """Give where state lives when ``state`` is not configured.

    Follows the XDG base directory specification: ``$XDG_STATE_HOME/lightweight``, else
    ``~/.local/state/lightweight``. Raises ValueError where the environment names no
    home.
    """
    given = Path(environ.get("XDG_STATE_HOME", ""))
    if given.is_absolute():
        return given / "lightweight"
    home = Path(environ.get("HOME", ""))
    if not home.is_absolute():
        raise ValueError(
            "There is no place for state: set `state` in the configuration to an "
            "absolute path, or XDG_STATE_HOME or HOME in the environment."
        )
    return home / ".local" / "state" / "lightweight"
