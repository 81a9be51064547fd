"""What a configuration asks for: its providers, and the models they let us offer.

The parent and the bookkeeper judge a configuration by this, and bring nothing that
would speak to a provider.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import get_args

from msgspec import structs

from lightweight.catalog.load import Catalog, Preset
from lightweight.catalog.offer import AddedTarget, Addition, Offering, offer
from lightweight.config.schema import Config, ModelConfig, Timeouts
from lightweight.config.secret import Secret
from lightweight.policy.price import FREE
from lightweight.records import DialectName, Price
from lightweight.upstream.found import Found

OUR_KEYS = "lw-"
"""A key that starts so is one of ours: using it would make a gateway call a gateway."""

DEMO = "demo"

SPOKEN: frozenset[DialectName] = frozenset(get_args(DialectName))
"""The dialects this build speaks: all that have a name."""


@dataclass(frozen=True, kw_only=True)
class ProviderPlan:
    """Everything a provider is made of; equal plans make interchangeable providers."""

    name: str
    preset: str | None
    kind: str
    base_url: str | None
    """None for the built-in demo."""
    credential: Secret | None
    spares: tuple[Secret, ...] = ()
    """Credentials to use while the first is limited or refused."""
    timeouts: Timeouts
    quirks: frozenset[str]
    probe: float | None = None
    """Seconds from one probe to the next while it is left alone; None: no probes."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The providers there are to be, and what they serve."""

    providers: Sequence[ProviderPlan]
    offering: Offering


def plan_of(
    config: Config,
    catalog: Catalog,
    *,
    environ: Mapping[str, str],
    today: date,
    found: Sequence[Found] = (),
) -> Plan:
    """Say what ``config`` means where these local servers were ``found``.

    Raises CatalogProblem for an operator's model that cannot be right.
    """
    plans = [*plan_providers(config, catalog, environ)]
    if config.providers or not config.discover:
        found = ()
    else:
        plans += plan_found(config, found)
        if not plans:
            plans.append(plan_demo(config))
    offering = offer(
        catalog,
        {plan.name: plan.preset for plan in plans},
        _additions(config, plans, found),
        SPOKEN,
        today,
        {plan.name: plan.quirks for plan in plans},
    )
    return Plan(providers=plans, offering=offering)


def plan_providers(
    config: Config, catalog: Catalog, environ: Mapping[str, str]
) -> Sequence[ProviderPlan]:
    """Say which providers there are: configured ones, else the environment's.

    A provider without a base URL of its own and without a preset's is left out: the
    configuration's check has already said so.
    """
    plans = []
    for name, given in config.providers.items():
        preset = catalog.presets.get(given.preset or name)
        base_url = given.base_url or (preset.base_url if preset else None)
        kind = given.kind or (preset.kind if preset else "openai")
        if base_url is None and kind != DEMO:
            continue
        quirks = given.quirks
        if quirks is None:
            quirks = tuple(preset.quirks) if preset else ()
        keys = [key for key in (given.api_key, *given.api_keys) if key is not None]
        plans.append(
            ProviderPlan(
                name=name,
                preset=preset.name if preset else None,
                kind=kind,
                base_url=base_url,
                credential=keys[0] if keys else None,
                spares=tuple(keys[1:]),
                timeouts=config.timeouts_of(name),
                quirks=frozenset(quirks),
                probe=given.probe,
            )
        )
    if not config.providers and config.discover:
        plans += _plans_of_environment(config, catalog, environ)
    return plans


def _plans_of_environment(
    config: Config, catalog: Catalog, environ: Mapping[str, str]
) -> list[ProviderPlan]:
    return [
        _plan_of_preset(preset, Secret(environ[preset.env]), config.timeouts)
        for preset in catalog.presets.values()
        if preset.env is not None
        and preset.base_url is not None
        and environ.get(preset.env)
        and not environ[preset.env].startswith(OUR_KEYS)
    ]


def _plan_of_preset(
    preset: Preset, credential: Secret | None, timeouts: Timeouts
) -> ProviderPlan:
    return ProviderPlan(
        name=preset.name,
        preset=preset.name,
        kind=preset.kind,
        base_url=preset.base_url,
        credential=credential,
        timeouts=timeouts,
        quirks=preset.quirks,
    )


def plan_found(config: Config, found: Sequence[Found]) -> Sequence[ProviderPlan]:
    """Plan the local servers that were found on loopback."""
    return [
        ProviderPlan(
            name=each.name,
            preset=None,
            kind="openai",
            base_url=each.base_url,
            credential=None,
            timeouts=config.timeouts,
            quirks=frozenset(),
        )
        for each in found
    ]


def plan_demo(config: Config) -> ProviderPlan:
    """Plan the built-in provider, for a machine that has no other."""
    return ProviderPlan(
        name=DEMO,
        preset=None,
        kind=DEMO,
        base_url=None,
        credential=None,
        timeouts=config.timeouts,
        quirks=frozenset(),
    )


def _additions(
    config: Config, plans: Sequence[ProviderPlan], found: Sequence[Found]
) -> Sequence[Addition]:
    """Give the models beyond the catalog: local ones, the demo, the operator's own.

    The operator's word replaces what was found under the same name.
    """
    extra: dict[str, Addition] = {}
    for server in found:
        for model in server.models:
            extra.setdefault(model, _served_by(model, server.name))
    for plan in plans:
        if plan.kind == DEMO:
            extra.setdefault(DEMO, _served_by(DEMO, plan.name, price=FREE))
    for given in config.models:
        extra[given.id] = _added(given)
    return list(extra.values())


def _served_by(model: str, provider: str, price: Price | None = None) -> Addition:
    target = AddedTarget(provider=provider, model=model, dialect="openai_chat")
    return Addition(id=model, owned_by=provider, targets=(target,), price=price)


def _added(given: ModelConfig) -> Addition:
    targets = given.targets
    return Addition(
        id=given.id,
        owned_by=given.owned_by,
        context=given.context,
        status=given.status,
        aliases=given.aliases,
        capabilities=(
            None if given.capabilities is None else frozenset(given.capabilities)
        ),
        shutdown_date=given.shutdown_date,
        replacement=given.replacement,
        price=None if given.price is None else Price(**structs.asdict(given.price)),
        targets=(
            None
            if targets is None
            else tuple(
                AddedTarget(
                    provider=t.provider,
                    model=t.model,
                    dialect=t.dialect,
                    priority=t.priority,
                    weight=t.weight,
                )
                for t in targets
            )
        ),
    )
