"""The service in this process, on the real reactor: its order of start and stop.

What signals do to a real ``twistd`` is in tests/live/test_lifecycle.py.
"""

import signal
from collections.abc import AsyncIterator
from pathlib import Path

from twisted.internet.task import deferLater
from twisted.internet.testing import EventLoggingObserver
from twisted.logger import globalLogPublisher

import pytest
import pytest_twisted
from support.http import fetch

from lightweight.daemon.listen import CannotListen
from lightweight.daemon.service import GatewayService
from lightweight.store.problems import StoreProblem
from lightweight.tap import Options, makeService

SIGNALS = (signal.SIGHUP, signal.SIGUSR1, signal.SIGTERM, signal.SIGINT)


def made(directory: Path, listen: str = "tcp:0:interface=127.0.0.1") -> GatewayService:
    from twisted.internet import reactor

    path = directory / "lightweight.toml"
    path.write_text(
        f'listen = ["{listen}"]\nstate = "{directory / "state"}"\n'
        'discover = false\n[providers.demo]\nkind = "demo"\n'
    )
    options = Options()
    options.parseOptions(["--single", "-c", str(path)])
    service = makeService(options, reactor=reactor)
    assert isinstance(service, GatewayService)
    return service


@pytest_twisted.async_yield_fixture  # type: ignore[untyped-decorator]  # has no types
async def restored() -> AsyncIterator[None]:
    """Put the signal handlers back whatever a test leaves."""
    earlier = {number: signal.getsignal(number) for number in SIGNALS}
    yield
    for number, action in earlier.items():
        signal.signal(number, action)


async def ready(service: GatewayService) -> None:
    from twisted.internet import reactor

    while service.why_not_ready is not None:
        await deferLater(reactor, 0.01)


async def test_it_serves_from_start_to_stop(tmp_path: Path, restored: None) -> None:
    before = {number: signal.getsignal(number) for number in SIGNALS}
    service = made(tmp_path)
    service.privilegedStartService()
    assert service.why_not_ready == "The server is starting."
    service.startService()
    await ready(service)
    (port,) = service.ports_of_ours()
    root = f"http://127.0.0.1:{port}"

    answer = await fetch(f"{root}/readyz", headers={"Connection": "close"})
    assert answer.status == 200

    await service.stopService()
    assert service.why_not_ready == "The server is shutting down."
    with pytest.raises(ConnectionRefusedError):
        await fetch(f"{root}/readyz")
    assert {number: signal.getsignal(number) for number in SIGNALS} == before


async def test_a_taken_port_is_raised_and_told(tmp_path: Path, restored: None) -> None:
    first = made(tmp_path)
    first.privilegedStartService()
    first.startService()
    await ready(first)
    (port,) = first.ports_of_ours()
    other = tmp_path / "other"
    other.mkdir()
    second = made(other, f"tcp:{port}:interface=127.0.0.1")

    with pytest.raises(CannotListen, match="in use"):
        second.privilegedStartService()
    await first.stopService()


async def test_state_that_cannot_be_used_is_raised_and_told(
    tmp_path: Path, restored: None
) -> None:
    (tmp_path / "state").write_text("a file in the way")
    observer = EventLoggingObserver()
    globalLogPublisher.addObserver(observer)
    service = made(tmp_path)
    service.privilegedStartService()

    with pytest.raises(StoreProblem):
        service.startService()

    assert any("state" in str(event.get("problem")) for event in observer)
    await service.stopService()
    globalLogPublisher.removeObserver(observer)


async def test_the_first_start_alone_writes_the_first_key(
    tmp_path: Path, restored: None
) -> None:
    written = []
    for _ in range(2):
        service = made(tmp_path)
        service.privilegedStartService()
        service.startService()
        await ready(service)
        await service.stopService()
        written.append((tmp_path / "state" / "first-run.txt").read_text())

    assert written[0] == written[1]
    assert "curl" in written[0]
