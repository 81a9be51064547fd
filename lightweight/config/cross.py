"""What must agree between parts of the configuration that are right by themselves."""

from collections.abc import Collection, Iterator
from collections.abc import Set as AbstractSet

from lightweight.config.check import Checked, Issue
from lightweight.config.schema import (
    DEFAULT_TIERS,
    Config,
    ModelConfig,
    Oidc,
    ProviderConfig,
)
from lightweight.config.words import KeyPath, suggestion


def cross_check(checked: Checked[Config], presets: Collection[str]) -> list[Issue]:
    """Find what single values cannot show, and nothing that was found before.

    ``presets`` are the names of the catalog's presets; where there are none, whatever
    depends on them is not judged.
    """
    config, blamed = checked.value, checked.blamed
    found: list[Issue] = []
    if not config.listen:
        found.append(Issue(("listen",), "must name at least one endpoint"))
    for name, provider in config.providers.items():
        if presets and isinstance(provider, ProviderConfig):
            found += _provider(("providers", name), provider, presets, blamed)
    if isinstance(config.oidc, Oidc):
        found += _oidc(config.oidc, config, blamed)
    known = {*config.providers, *presets}
    first: dict[str, int] = {}
    for index, model in enumerate(config.models):
        if isinstance(model, ModelConfig):
            found += _model(index, model, known, first)
    return found


def _provider(
    path: KeyPath,
    provider: ProviderConfig,
    presets: Collection[str],
    blamed: AbstractSet[KeyPath],
) -> Iterator[Issue]:
    if provider.preset is not None and provider.preset not in presets:
        hint = suggestion(provider.preset, presets)
        yield Issue((*path, "preset"), f"there is no such preset{hint}")
    name = str(path[-1])
    reason = "no preset has this name"
    needed = {"kind": provider.kind, "base_url": provider.base_url}
    if name in presets or provider.preset is not None:
        if (provider.kind or provider.preset or name) != "azure":
            return
        del needed["kind"]
        reason = "each Azure resource has an address of its own"
    elif provider.kind == "demo":
        return
    missing = [key for key, value in needed.items() if value is None]
    # What is there but wrong was said already; a wrong preset may have had both.
    if missing and not {(*path, key) for key in (*missing, "preset")} & blamed:
        hint = suggestion(name, presets) if "kind" in missing else ""
        yield Issue(path, f"needs {' and '.join(missing)}: {reason}{hint}")


def _oidc(oidc: Oidc, config: Config, blamed: AbstractSet[KeyPath]) -> Iterator[Issue]:
    path: KeyPath = ("oidc",)
    if config.public_url is None and ("public_url",) not in blamed:
        yield Issue(path, "needs public_url: people come back to an address of it")
    if bool(oidc.auto_domains) != bool(oidc.auto_account or oidc.auto_tier):
        yield Issue(
            (*path, "auto_domains"),
            "needs auto_account or auto_tier, and these need it",
        )
    tiers = {**DEFAULT_TIERS, **config.tiers}
    if oidc.auto_tier is not None and oidc.auto_tier not in tiers:
        hint = suggestion(oidc.auto_tier, tiers)
        yield Issue((*path, "auto_tier"), f"there is no such tier{hint}")


def _model(
    index: int, model: ModelConfig, known: Collection[str], first: dict[str, int]
) -> Iterator[Issue]:
    path: KeyPath = ("models", index)
    if isinstance(model.id, str) and first.setdefault(model.id, index) != index:
        earlier = first[model.id]
        yield Issue((*path, "id"), f"is already the id of models[{earlier}]")
    for number, target in enumerate(model.targets or ()):
        # Where the target or its provider is no good that was said already.
        provider = getattr(target, "provider", None)
        if isinstance(provider, str) and provider not in known:
            hint = suggestion(provider, known)
            yield Issue(
                (*path, "targets", number, "provider"),
                f"there is no such provider, add its [providers] table{hint}",
            )
