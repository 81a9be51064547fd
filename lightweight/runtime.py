"""What one generation of configuration means: built whole, swapped by one assignment.

A call keeps the runtime it started with, so a reload never changes a call in flight.
Providers whose plan did not change are carried over with their open connections and
with what is known of their health.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from lightweight.catalog.load import Catalog
from lightweight.catalog.offer import Offering
from lightweight.config.schema import Config
from lightweight.dialects.anthropic import Anthropic
from lightweight.dialects.dialect import Dialect
from lightweight.dialects.gemini import Gemini
from lightweight.dialects.ollama import Ollama, OllamaGenerate
from lightweight.dialects.ollama_embed import OllamaEmbed
from lightweight.dialects.openai_chat import OpenAIChat
from lightweight.dialects.openai_relay import RELAYS
from lightweight.dialects.openai_responses import OpenAIResponses
from lightweight.plan import ProviderPlan, plan_of
from lightweight.policy.admission import Tier
from lightweight.policy.route import Standing
from lightweight.records import DialectName, Limits
from lightweight.upstream.found import Found
from lightweight.upstream.provider import Provider


@dataclass(frozen=True, kw_only=True)
class Runtime:
    """Config, models on offer, dialects and providers that belong together."""

    config: Config
    offering: Offering
    dialects: Mapping[DialectName, Dialect]
    providers: Mapping[str, Provider]
    plans: Mapping[str, ProviderPlan]
    standings: Mapping[str, Standing]
    """What is known of each provider's health."""
    tiers: Mapping[str, Tier]


DIALECTS: Mapping[DialectName, Dialect] = {
    "openai_chat": OpenAIChat(),
    "openai_responses": OpenAIResponses(),
    "anthropic": Anthropic(),
    "gemini": Gemini(),
    "ollama": Ollama(),
    "ollama_generate": OllamaGenerate(),
    "ollama_embed": OllamaEmbed(),
    **RELAYS,
}
"""The dialects this build speaks; they hold no state."""


def tiers_of(config: Config) -> Mapping[str, Tier]:
    """Give the configured tiers as admission knows them."""
    return {
        name: Tier(
            limits=Limits(
                rpm=tier.rpm,
                tpm=tier.tpm,
                concurrency=tier.concurrency,
                quota_tokens=tier.quota_tokens,
                quota_micro_usd=tier.quota_usd,
            ),
            models=None if tier.models is None else frozenset(tier.models),
        )
        for name, tier in config.tiers.items()
    }


def build_runtime(
    config: Config,
    catalog: Catalog,
    *,
    environ: Mapping[str, str],
    make_provider: Callable[[ProviderPlan], Provider],
    today: date,
    found: Sequence[Found] = (),
    previous: Runtime | None = None,
) -> Runtime:
    """Build the runtime of one configuration, reusing ``previous``'s equal providers.

    Raises CatalogProblem for an operator's model that cannot be right.
    """
    plan = plan_of(config, catalog, environ=environ, today=today, found=found)
    providers: dict[str, Provider] = {}
    standings: dict[str, Standing] = {}
    for each in plan.providers:
        if previous is not None and previous.plans.get(each.name) == each:
            providers[each.name] = previous.providers[each.name]
            standings[each.name] = previous.standings[each.name]
        else:
            providers[each.name] = make_provider(each)
            standings[each.name] = Standing()
    return Runtime(
        config=config,
        offering=plan.offering,
        dialects=DIALECTS,
        providers=providers,
        plans={each.name: each for each in plan.providers},
        standings=standings,
        tiers=tiers_of(config),
    )
