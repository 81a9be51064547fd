"""The providers: how they fare, a test of one, and the TOML that adds one."""

from collections.abc import Sequence
from urllib.parse import urlsplit

from lightweight.catalog.load import Preset
from lightweight.errors import NotFound
from lightweight.policy.route import Health
from lightweight.records import Answer, Target
from lightweight.runtime import Runtime
from lightweight.upstream.trial import try_target
from lightweight.web.admin.actor import require_role
from lightweight.web.dashboard.asked import Asked
from lightweight.web.dashboard.backstage import Backstage
from lightweight.web.dashboard.views import (
    Badge,
    ProviderLine,
    ProvidersView,
    Tested,
)

SECRETS = "/etc/lightweight"


async def show_providers(asked: Asked, tested: Tested | None = None) -> Answer:
    """Show the providers, to operators."""
    require_role(asked.actor, "operator")
    backstage = asked.backstage
    presets = sorted(
        name for name, preset in backstage.presets.items() if preset.kind != "demo"
    )
    chosen = asked.query("preset")
    if chosen not in presets:
        chosen = presets[0] if presets else ""
    view = ProvidersView(
        providers=provider_lines(backstage),
        presets=presets,
        preset=chosen,
        toml=toml_of(backstage.presets[chosen]) if chosen else "",
        file="" if backstage.file is None else str(backstage.file),
        tested=tested,
    )
    return asked.page("providers", view)


def provider_lines(backstage: Backstage) -> Sequence[ProviderLine]:
    """Give a line for each provider in force."""
    runtime = backstage.office.current()
    now = backstage.office.clock.seconds()
    return [_line(runtime, name, now) for name in runtime.plans]


def _line(runtime: Runtime, name: str, now: float) -> ProviderLine:
    plan = runtime.plans[name]
    health = runtime.standings[name].health(now)
    served = [found for found in _served(runtime) if found[1].provider == name]
    return ProviderLine(
        name=name,
        preset=plan.preset or "",
        kind=plan.kind,
        # Not the whole URL: some carry a credential.
        host=urlsplit(plan.base_url or "").hostname or "",
        credentials=(plan.credential is not None) + len(plan.spares),
        models=len({model for model, _ in served}),
        health=health,
        badge=_badge(health),
        model=served[0][0] if served else "",
    )


def _served(runtime: Runtime) -> Sequence[tuple[str, Target]]:
    return [
        (model.id, target)
        for model in runtime.offering.listed()
        for target in model.targets
    ]


def _badge(health: Health) -> Badge:
    if health.state == "open":
        return Badge("left alone after failures", "bad")
    if health.resting:
        return Badge("some models limited", "warn")
    if health.state == "closed":
        return Badge("well", "good")
    return Badge("on trial", "warn")


# -- a test, a reload --------------------------------------------------------------


async def test_provider(asked: Asked, name: str) -> Answer:
    """Ask a provider for a few words; no account is billed for them."""
    require_role(asked.actor, "operator")
    office = asked.backstage.office
    runtime = office.current()
    served = [found for found in _served(runtime) if found[1].provider == name]
    if not served:
        raise NotFound("There is no such provider, or no model it serves.")
    model, target = served[0]
    tried = await try_target(
        model,
        target,
        provider=runtime.providers[name],
        dialects=runtime.dialects,
        clock=office.clock,
    )
    tested = Tested(
        provider=name, model=model, seconds=tried.seconds, problem=tried.fault
    )
    return await show_providers(asked, tested)


async def reload(asked: Asked) -> Answer:
    """Ask for what SIGHUP asks for."""
    require_role(asked.actor, "operator")
    asked.backstage.reload()
    said = (
        "Asked for a reload. If the configuration cannot be used the old one stays in "
        "force, and the log says why."
    )
    return await show_providers(asked.done(said))


# -- one to add --------------------------------------------------------------------


def toml_of(preset: Preset) -> str:
    """Give what to write into the configuration for a provider of this preset."""
    lines = [f"[providers.{preset.name}]"]
    if preset.base_url is None:
        lines.append('base_url = "https://…"  # where yours is')
    if preset.env is not None:
        lines += [
            f'api_key = {{ file = "{SECRETS}/{preset.name}.key" }}',
            f'# or from the environment: api_key = {{ env = "{preset.env}" }}',
        ]
    return "\n".join(lines) + "\n"
