"""A process put together: its credentials, how many files it may open."""

import resource

from msgspec import structs

from lightweight.assembly import credentials_of, descriptors
from lightweight.catalog.load import load_catalog
from lightweight.config.schema import Config, ProviderConfig
from lightweight.config.secret import Secret
from lightweight.runtime import plan_providers


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
