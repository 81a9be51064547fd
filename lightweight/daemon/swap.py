"""Which runtime is in force, and how the next one takes its place.

The new configuration is read and its runtime built whole; then one assignment swaps
them. Whatever goes wrong before that leaves the old one in force and is told once.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence

from twisted.logger import Logger

from lightweight.amounts import counted
from lightweight.catalog.load import CatalogProblem
from lightweight.config.load import ConfigError, Loaded
from lightweight.config.schema import Config
from lightweight.daemon.reloads import Reloads
from lightweight.runtime import Runtime
from lightweight.upstream.found import Found
from lightweight.upstream.provider import Provider

NEEDS_RESTART = ("listen", "state", "workers", "log_format", "keys", "database")
"""Settings that are read once, when the process starts."""


class Swap:
    """Holds the runtime in force and replaces it."""

    log = Logger()

    def __init__(
        self,
        loaded: Loaded,
        *,
        reread: Callable[[], Loaded],
        build: Callable[[Config, Sequence[Found], Runtime | None], Runtime],
        discover: Callable[[], Awaitable[Sequence[Found]]],
        adopted: Callable[[Runtime], None],
    ) -> None:
        """Build the first runtime; raises CatalogProblem where it cannot be.

        ``reread`` reads the configuration again, raising ConfigError; ``discover``
        finds local servers; ``adopted`` is told of each runtime that came in force.
        """
        self._reread = reread
        self._build = build
        self._discover = discover
        self._adopted = adopted
        self._started_with = loaded.config
        self._reloads = Reloads(self._reload)
        self.current = build(loaded.config, (), None)
        adopted(self.current)

    async def look_around(self) -> None:
        """Offer the local servers there are, where nothing else is configured.

        Cancelling leaves the runtime as it was.
        """
        await self._swap(self.current.config)

    async def reload(self) -> None:
        """Read the configuration again and put it in force, or say why not.

        A request that comes during a reload is served after it, once for all of them.
        Never raises for what is wrong in a configuration. Cancelling just stops
        waiting.
        """
        await self._reloads.ask()

    async def _reload(self) -> str | None:
        try:
            loaded = self._reread()
            await self._swap(loaded.config)
        except (ConfigError, CatalogProblem) as problem:
            self.log.error(
                "Reload refused, the old configuration stays in force:\n{problem}",
                problem=problem,
            )
            return str(problem)
        for warning in loaded.warnings:
            self.log.warn("{warning}", warning=warning)
        for name in self._changed_for_good(loaded.config):
            self.log.warn("'{name}' has changed: restart to apply it.", name=name)
        self.log.info(
            "Reloaded: {providers}, {models}.",
            providers=counted(len(self.current.providers), "provider"),
            models=counted(len(self.current.offering.models), "model"),
        )
        return None

    def _changed_for_good(self, config: Config) -> Iterable[str]:
        return (
            name
            for name in NEEDS_RESTART
            if getattr(config, name) != getattr(self._started_with, name)
        )

    async def _swap(self, config: Config) -> None:
        wanted = config.discover and not config.providers
        found = await self._discover() if wanted else ()
        old = self.current
        self.current = self._build(config, found, old)
        self._adopted(self.current)
        for provider in _left_out(old, self.current):
            await provider.close()


def _left_out(old: Runtime, new: Runtime) -> list[Provider]:
    kept = {id(provider) for provider in new.providers.values()}
    return [each for each in old.providers.values() if id(each) not in kept]
