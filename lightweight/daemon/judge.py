"""One judgement of a configuration, for start, reload and check alike."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from twisted.internet.task import Clock

from lightweight.catalog.load import Catalog, CatalogProblem
from lightweight.config.load import ConfigError, Loaded, load
from lightweight.config.schema import Config
from lightweight.daemon.listen import CannotListen, endpoint
from lightweight.runtime import ProviderPlan, Runtime, build_runtime
from lightweight.store.connect import read_url
from lightweight.store.problems import StoreProblem
from lightweight.upstream.demo import DemoProvider
from lightweight.upstream.provider import Provider

CONFIG_VARIABLE = "LIGHTWEIGHT_CONFIG"
"""The environment variable that names the configuration file."""

UNFIT = (ConfigError, CatalogProblem, CannotListen, StoreProblem)
"""What ``judged`` raises; the text of each has one line for each problem."""


def config_path(given: str | None, environ: Mapping[str, str]) -> Path | None:
    """Give the absolute path of the configuration file; None for no file at all."""
    named = given or environ.get(CONFIG_VARIABLE)
    return Path(named).absolute() if named else None


def judged(
    path: Path | None,
    environ: Mapping[str, str],
    catalog: Catalog,
    reactor: Any,
    *,
    listens: bool = True,
) -> Loaded:
    """Read the configuration and try everything a start would make of it.

    ``listens`` is False for a worker, whose sockets are open. Raises one of UNFIT.
    Nothing is opened and nothing is sent.
    """
    loaded = load(path, environ, presets=catalog.presets)
    for description in loaded.config.listen if listens else ():
        endpoint(reactor, description)
    if loaded.config.database.url is not None:
        read_url(loaded.config.database.url.reveal())
    imagined(loaded.config, environ, catalog)
    return loaded


def imagined(config: Config, environ: Mapping[str, str], catalog: Catalog) -> Runtime:
    """Build what a configuration means, with providers that nothing can be sent to.

    Raises CatalogProblem.
    """
    return build_runtime(
        config,
        catalog,
        environ=environ,
        make_provider=_no_provider,
        today=today(),
    )


def _no_provider(plan: ProviderPlan) -> Provider:
    """Stand for a provider where nothing will be sent."""
    return DemoProvider(plan.name, Clock(), wall=lambda: 0.0)


def today() -> date:
    """Give the day in UTC: models end on a day, wherever the server stands."""
    return datetime.now(UTC).date()
