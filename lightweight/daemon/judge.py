"""One judgement of a configuration, for start, reload and check alike."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from lightweight.catalog.load import Catalog, CatalogProblem
from lightweight.config.load import ConfigError, Loaded, load
from lightweight.config.schema import Config
from lightweight.daemon.listen import CannotListen, endpoint
from lightweight.plan import Plan, plan_of
from lightweight.store.problems import StoreProblem

PARENTS = ("listen", "state", "workers", "drain")
"""The settings that the parent process acts upon; all others are its workers'."""


class Unequipped(Exception):
    """The configuration needs an extra that is not installed; the text says which."""


UNFIT = (ConfigError, CatalogProblem, CannotListen, StoreProblem, Unequipped)
"""What ``judged`` raises; the text of each has one line for each problem."""


def judged(
    path: Path | None,
    environ: Mapping[str, str],
    catalog: Catalog,
    reactor: Any,
    *,
    texts: Mapping[Path, str] | None = None,
) -> Loaded:
    """Read the configuration and try everything a start would make of it.

    ``texts`` are what a worker got from its parent, which has opened the sockets.
    Raises one of UNFIT. Nothing is opened and nothing is sent.
    """
    loaded = load(path, environ, presets=catalog.presets, texts=texts)
    if texts is None:
        _try_sockets(loaded.config, reactor)
    if loaded.config.database.url is not None:
        # A parent whose database is the file in its state needs none of SQLAlchemy.
        from lightweight.store.connect import read_url  # noqa: PLC0415 -- as it says

        read_url(loaded.config.database.url.reveal())
    if loaded.config.oidc is not None and find_spec("jwt") is None:
        raise Unequipped(
            "[oidc] needs a library that is not installed: "
            "pip install 'lightweight-gateway[oidc]'."
        )
    imagined(loaded.config, environ, catalog)
    return loaded


def read_for_parent(
    path: Path | None, environ: Mapping[str, str], catalog: Catalog, reactor: Any
) -> Loaded:
    """Read the configuration and judge what a parent that runs already acts upon.

    The rest is judged by the new workers, with the code that is on disk by now: a
    setting that is unknown here may be one of theirs. Raises one of UNFIT.
    """
    loaded = load(path, environ, presets=catalog.presets, concerns=PARENTS)
    _try_sockets(loaded.config, reactor)
    return loaded


def _try_sockets(config: Config, reactor: Any) -> None:
    for description in config.listen:
        endpoint(reactor, description)


def imagined(config: Config, environ: Mapping[str, str], catalog: Catalog) -> Plan:
    """Give what a configuration means before anybody looked for local servers.

    Raises CatalogProblem.
    """
    return plan_of(config, catalog, environ=environ, today=today())


def today() -> date:
    """Give the day in UTC: models end on a day, wherever the server stands."""
    return datetime.now(UTC).date()
