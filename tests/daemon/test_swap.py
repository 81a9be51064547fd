"""Reloads: whole or not at all, one at a time, and what is left out gets closed."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import date

from twisted.internet.defer import Deferred
from twisted.logger import LogEvent, globalLogPublisher

from support.fakes import FakeProvider

from lightweight.catalog.load import load_catalog
from lightweight.config.load import ConfigError, Loaded, Problem
from lightweight.config.schema import Config, ProviderConfig
from lightweight.daemon.swap import Swap
from lightweight.runtime import Runtime, build_runtime
from lightweight.upstream.found import Found

CATALOG = load_catalog()


def loaded(config: Config) -> Loaded:
    return Loaded(config=config, warnings=(), origins={}, files=())


def with_providers(*names: str) -> Config:
    given = {
        name: ProviderConfig(kind="openai", base_url=f"http://{name}/v1")
        for name in names
    }
    return Config(providers=given, discover=False)


class World:
    """What a Swap is given, under a test's control."""

    def __init__(self, config: Config) -> None:
        self.next: Config | ConfigError = config
        self.reads = 0
        self.adopted: list[Runtime] = []
        self.found: Callable[[], Awaitable[Sequence[Found]]] = self.nothing
        self.swap = Swap(
            loaded(config),
            reread=self.reread,
            build=self.build,
            discover=self.look,
            adopted=self.adopted.append,
        )

    async def look(self) -> Sequence[Found]:
        return await self.found()

    async def nothing(self) -> Sequence[Found]:
        return ()

    def reread(self) -> Loaded:
        self.reads += 1
        if isinstance(self.next, ConfigError):
            raise self.next
        return loaded(self.next)

    def build(
        self, config: Config, found: Sequence[Found], previous: Runtime | None
    ) -> Runtime:
        return build_runtime(
            config,
            CATALOG,
            environ={},
            make_provider=lambda plan: FakeProvider(plan.name),
            today=date(2026, 11, 22),
            found=found,
            previous=previous,
        )

    def provider(self, name: str) -> FakeProvider:
        provider = self.swap.current.providers[name]
        assert isinstance(provider, FakeProvider)
        return provider


def logged() -> tuple[list[LogEvent], Callable[[], None]]:
    events: list[LogEvent] = []
    globalLogPublisher.addObserver(events.append)  # type: ignore[arg-type]  # a callable
    return events, lambda: globalLogPublisher.removeObserver(events.append)  # type: ignore[arg-type]  # as above


async def test_a_reload_swaps_and_closes_what_is_left_out() -> None:
    world = World(with_providers("a", "b"))
    kept, dropped = world.provider("a"), world.provider("b")
    world.next = with_providers("a", "c")

    await world.swap.reload()

    assert list(world.swap.current.providers) == ["a", "c"]
    assert world.provider("a") is kept
    assert (kept.closed, dropped.closed) == (False, True)
    assert world.adopted[-1] is world.swap.current


async def test_a_wrong_configuration_changes_nothing_and_is_told_whole() -> None:
    world = World(with_providers("a"))
    before = world.swap.current
    problems = [Problem(file="f.toml", line=n, text=f"wrong {n}") for n in (1, 2)]
    world.next = ConfigError(problems)
    events, stop = logged()

    await world.swap.reload()

    stop()
    assert world.swap.current is before
    (event,) = events
    assert "f.toml:1: wrong 1\nf.toml:2: wrong 2" in str(event["problem"])


async def test_requests_during_a_reload_are_served_once_after_it() -> None:
    world = World(Config())
    answer: Deferred[Sequence[Found]] = Deferred()

    async def slow() -> Sequence[Found]:
        return await answer

    world.found = slow
    asked = [Deferred.fromCoroutine(world.swap.reload()) for _ in range(6)]
    assert world.reads == 1
    world.found = world.nothing
    answer.callback(())
    for each in asked:
        await each

    assert world.reads == 2


async def test_local_servers_replace_the_demo() -> None:
    world = World(Config())
    assert list(world.swap.current.providers) == ["demo"]

    async def one() -> Sequence[Found]:
        return (Found(name="vllm", base_url="http://127.0.0.1:1/v1", models=("m",)),)

    world.found = one
    await world.swap.look_around()

    assert list(world.swap.current.providers) == ["vllm"]


async def test_what_needs_a_restart_is_named() -> None:
    world = World(with_providers("a"))
    world.next = Config(listen=("tcp:9",), discover=False)
    events, stop = logged()

    await world.swap.reload()

    stop()
    assert [event["name"] for event in events if "name" in event] == ["listen"]
