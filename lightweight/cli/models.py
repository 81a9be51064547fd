"""`lightweight models`: what this server offers, from whom, and whether they answer."""

import os
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from lightweight.catalog.load import CatalogProblem, load_catalog
from lightweight.cli.output import NOTHING, Opened, facts, in_json, json_option, table
from lightweight.config.load import ConfigError, load
from lightweight.config.schema import Config
from lightweight.errors import ModelNotFound
from lightweight.records import Model, Target

if TYPE_CHECKING:
    from lightweight.catalog.offer import Offering
    from lightweight.upstream.trial import Tried

_TARGETS = ("PROVIDER", "MODEL THERE", "DIALECT", "QUIRKS")


@click.group()
def models() -> None:
    """Show the models on offer and try whether their providers answer."""


@models.command("list")
@click.option("--all", "every", is_flag=True, help="Also known models not offered.")
@json_option
@click.pass_obj
def list_models(opened: Opened, *, every: bool, as_json: bool) -> None:
    """List the models that this configuration offers.

    Local servers that the daemon finds by itself are not looked for.
    """
    offering = _offering(opened.config.config)
    reasons = dict(sorted(offering.reasons.items())) if every else {}
    if as_json:
        told = [_described(model) for model in offering.listed()]
        click.echo(in_json({"models": told, "not_offered": reasons}))
        return
    heads = ("MODEL", "CONTEXT", "STATUS", "ENDS", "PROVIDERS")
    click.echo(table(heads, [_line(model) for model in offering.listed()]))
    for reason in reasons.values():
        click.echo(reason)


@models.command()
@click.argument("id_", metavar="ID")
@json_option
@click.pass_obj
def show(opened: Opened, id_: str, *, as_json: bool) -> None:
    """Show one model, by its id or an alias, with everyone who serves it."""
    model = _find(_offering(opened.config.config), id_)
    if as_json:
        click.echo(in_json(_described(model)))
        return
    click.echo(
        facts(
            {
                "Model": model.id,
                "Made by": model.owned_by,
                "Context": model.context or NOTHING,
                "Status": model.status,
                "Capabilities": ", ".join(sorted(model.capabilities)) or NOTHING,
                "Aliases": ", ".join(model.aliases) or NOTHING,
                "Ends": _ends(model),
                "Then use": model.replacement or NOTHING,
            }
        )
    )
    click.echo()
    click.echo(table(_TARGETS, [_target_line(target) for target in model.targets]))


@models.command()
@click.argument("id_", metavar="ID")
@click.option("--yes", is_flag=True, help="Do not ask: it costs tokens.")
@json_option
@click.pass_obj
def test(opened: Opened, id_: str, *, yes: bool, as_json: bool) -> None:
    """Send one tiny request to each target of a model: who answers, how fast.

    They are asked directly, with this configuration's credentials and without the
    daemon: a few tokens each, which no account is billed for. Exits 1 if one fails.
    """
    try:
        loaded = load(opened.path, os.environ, presets=load_catalog().presets)
    except ConfigError as problem:
        raise click.ClickException(str(problem)) from problem
    model = _find(_offering(loaded.config), id_)
    count = len(model.targets)
    places = "its one target" if count == 1 else f"each of its {count} targets"
    if not yes:
        click.confirm(
            f"This sends a request to {places}, which costs a few tokens. Go on?",
            abort=True,
            err=True,
        )
    tried = _try_all(loaded.config, model)
    if as_json:
        click.echo(in_json({"model": model.id, "targets": list(map(_result, tried))}))
    else:
        click.echo(_results(tried))
    if any(each.fault is not None for each in tried):
        raise SystemExit(1)


def _try_all(config: Config, model: Model) -> Sequence["Tried"]:
    """Ask each target after the other on a reactor that runs for this alone."""
    # What the daemon itself is made of; all of it needs Twisted.
    from twisted.internet import reactor, task  # noqa: PLC0415, TID251 -- a composition root
    from twisted.internet.defer import Deferred  # noqa: PLC0415 -- as above

    from lightweight.assembly import provider_maker  # noqa: PLC0415 -- as above
    from lightweight.daemon.judge import today  # noqa: PLC0415 -- as above
    from lightweight.runtime import build_runtime  # noqa: PLC0415 -- as above
    from lightweight.upstream.trial import try_target  # noqa: PLC0415 -- as above

    clock: Any = reactor
    clock.seconds = time.monotonic
    runtime = build_runtime(
        config,
        load_catalog(),
        environ=os.environ,
        make_provider=provider_maker(reactor, time.time),  # noqa: TID251 -- as above
        today=today(),
    )
    tried: list[Tried] = []

    async def run() -> None:
        for target in model.targets:
            provider = runtime.providers[target.provider]
            told = await try_target(
                model.id,
                target,
                provider=provider,
                dialects=runtime.dialects,
                clock=clock,
            )
            tried.append(told)
        for provider in runtime.providers.values():
            await provider.close()

    try:
        task.react(lambda _: Deferred.fromCoroutine(run()))
    except SystemExit as end:
        if end.code:
            raise
    return tried


def _offering(config: Config) -> "Offering":
    from lightweight.daemon.judge import imagined  # noqa: PLC0415 -- needs Twisted

    try:
        return imagined(config, os.environ, load_catalog()).offering
    except CatalogProblem as problem:
        raise click.ClickException(str(problem)) from problem


def _find(offering: "Offering", name: str) -> Model:
    try:
        return offering.find(name)
    except ModelNotFound as fault:
        raise click.ClickException(fault.message) from fault


def _ends(model: Model) -> str:
    return str(model.shutdown_date or NOTHING)


def _line(model: Model) -> list[str]:
    providers = dict.fromkeys(target.provider for target in model.targets)
    return [
        model.id,
        model.context or NOTHING,
        model.status,
        _ends(model),
        ", ".join(providers),
    ]


def _target_line(target: Target) -> list[str]:
    quirks = ", ".join(sorted(target.quirks)) or NOTHING
    return [target.provider, target.model, target.dialect, quirks]


def _described(model: Model) -> dict[str, object]:
    return {
        "id": model.id,
        "owned_by": model.owned_by,
        "context": model.context,
        "context_window": model.context_window,
        "status": model.status,
        "aliases": list(model.aliases),
        "capabilities": sorted(model.capabilities),
        "shutdown_date": None if model.shutdown_date is None else _ends(model),
        "replacement": model.replacement,
        "targets": [_target(target) for target in model.targets],
    }


def _target(target: Target) -> dict[str, object]:
    return {
        "provider": target.provider,
        "model": target.model,
        "dialect": target.dialect,
        "quirks": sorted(target.quirks),
    }


def _result(tried: "Tried") -> dict[str, object]:
    return {
        **_target(tried.target),
        "answered": tried.fault is None,
        "seconds": round(tried.seconds, 3),
        "tokens": tried.tokens,
        "fault": tried.fault,
    }


def _results(tried: Sequence["Tried"]) -> str:
    heads = ("PROVIDER", "MODEL THERE", "DIALECT", "SECONDS", "TOKENS", "RESULT")
    rows = [
        [
            each.target.provider,
            each.target.model,
            each.target.dialect,
            f"{each.seconds:.2f}",
            NOTHING if each.tokens is None else str(each.tokens),
            each.fault or "answered",
        ]
        for each in tried
    ]
    return table(heads, rows)
