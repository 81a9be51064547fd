"""A real server for the tests that leave it as they found it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.redis import RedisServer


@pytest.fixture(scope="session")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path_factory.mktemp("redis")).start()
    yield server
    server.kill()


@pytest.fixture
def server(shared_server: RedisServer) -> RedisServer:
    """Give an empty server; a test that harms one starts its own."""
    shared_server.command("FLUSHALL")
    return shared_server


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[RedisServer]:
    """Give a server that a test may harm."""
    server = RedisServer(tmp_path).start()
    yield server
    server.kill()
