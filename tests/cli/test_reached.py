"""What Redis and the providers answer when they are asked whether they work."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from support.ports import free_port
from support.redis import RedisServer
from support.scripted import ScriptedProvider, scripted_provider, whole

from lightweight.assembly import provider_maker
from lightweight.catalog.load import load_catalog
from lightweight.cli.reached import ask_all
from lightweight.config.schema import Config, ProviderConfig, Redis
from lightweight.config.secret import Secret
from lightweight.daemon.judge import today
from lightweight.runtime import build_runtime

__all__ = ["scripted_provider"]


async def verdicts(config: Config) -> Mapping[str, tuple[str, str]]:
    from twisted.internet import reactor

    runtime = build_runtime(
        config,
        load_catalog(),
        environ={},
        make_provider=provider_maker(reactor, lambda: 0.0),
        today=today(),
    )
    found = await ask_all(runtime, reactor)
    return {each.check: (each.verdict, each.text) for each in found}


def openai(url: str, **more: Any) -> ProviderConfig:
    return ProviderConfig(kind="openai", base_url=url, **more)


async def test_each_provider_is_asked(scripted_provider: ScriptedProvider) -> None:
    scripted_provider.always(*whole(200, None, b"{}"))
    away = f"http://127.0.0.1:{free_port()}/v1"
    found = await verdicts(
        Config(
            providers={
                "well": openai(scripted_provider.base_url, api_key=Secret("sk-1234")),
                "away": openai(away),
                "demo": ProviderConfig(kind="demo"),
            }
        )
    )
    assert found["provider well"][0] == "ok"
    verdict, text = found["provider away"]
    assert verdict == "problem"
    assert away not in text
    assert found.keys() == {"provider well", "provider away"}


async def test_redis_is_asked_to_write(tmp_path: Path) -> None:
    server = RedisServer(tmp_path)
    config = Config(
        discover=False, redis=Redis(url=Secret(server.url.replace("//", "//:wrong@")))
    )
    server.start()
    try:
        right = Config(discover=False, redis=Redis(url=Secret(server.url)))
        assert (await verdicts(right))["redis"][0] == "ok"
        verdict, text = (await verdicts(config))["redis"]
        assert verdict == "problem"
        assert "wrong" not in text.replace("WRONGPASS", "")
    finally:
        server.kill()
