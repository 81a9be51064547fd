"""A process put together: its credentials, how many files it may open."""

import resource

from twisted.internet.task import Clock

from msgspec import structs

from lightweight.assembly import credentials_of, descriptors, secrets_of
from lightweight.catalog.load import load_catalog
from lightweight.config.schema import Config, ProviderConfig, Redis
from lightweight.config.secret import Secret
from lightweight.daemon.judge import today
from lightweight.plan import ProviderPlan, plan_providers
from lightweight.runtime import build_runtime
from lightweight.upstream.demo import DemoProvider
from lightweight.upstream.provider import Provider


def test_the_process_may_open_as_many_files_as_the_system_lets_it() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, 500), hard))
    assert descriptors() == hard
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == (hard, hard)


def test_each_credential_of_a_provider_has_its_headers() -> None:
    given = ProviderConfig(kind="openai", base_url="http://p", api_key=Secret("sk-1"))
    given = structs.replace(given, api_keys=(Secret("sk-2"),))
    (plan,) = plan_providers(Config(providers={"p": given}), load_catalog(), {})
    shown = credentials_of(plan)
    assert [each["authorization"] for each in shown] == ["Bearer sk-1", "Bearer sk-2"]


def never_asked(plan: ProviderPlan) -> Provider:
    return DemoProvider(plan.name, Clock(), wall=lambda: 0.0)


def test_every_secret_is_hidden() -> None:
    config = Config(
        metrics_token=Secret("m-token"),
        redis=Redis(url=Secret("redis://:r-word@127.0.0.1/0")),
        providers={
            "demo": ProviderConfig(
                kind="demo", api_key=Secret("sk-1"), api_keys=(Secret("sk-2"),)
            )
        },
    )
    runtime = build_runtime(
        config,
        load_catalog(),
        environ={},
        make_provider=never_asked,
        today=today(),
    )
    assert {"m-token", "sk-1", "sk-2", "r-word"} <= set(secrets_of(runtime))
