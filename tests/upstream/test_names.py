"""Addresses: known ones serve at once, new ones come in the background."""

from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.task import Clock

from support.scripted import ScriptedProvider

from lightweight.upstream.agent import ProviderAgent
from lightweight.upstream.names import (
    FRESH_SECONDS,
    STALE_SECONDS,
    RememberedNames,
    with_remembered_names,
)
from lightweight.upstream.response import abandon


class Reactor(Clock):
    """A clock, and a resolver whose answers the test gives."""

    def __init__(self) -> None:
        super().__init__()
        self.advance(1_000)
        self.asked: list[tuple[str, int]] = []
        self._waiting: list[Any] = []
        self.nameResolver = self

    def resolveHostName(self, receiver: Any, name: str, port: int) -> None:
        receiver.resolutionBegan(self)
        self.asked.append((name, port))
        self._waiting.append(receiver)

    def answer(self, *hosts: str) -> None:
        receiver = self._waiting.pop(0)
        for host in hosts:
            receiver.addressResolved(IPv4Address("TCP", host, 443))
        receiver.resolutionComplete()


class Receiver:
    """What came."""

    def __init__(self) -> None:
        self.hosts: list[str] = []
        self.done = False

    def resolutionBegan(self, resolution: Any) -> None:
        assert resolution.name == "api.example"

    def addressResolved(self, address: Any) -> None:
        self.hosts.append(address.host)

    def resolutionComplete(self) -> None:
        assert not self.done
        self.done = True


def ask(names: Any) -> Receiver:
    receiver = Receiver()
    names.resolveHostName(receiver, "api.example", 443)
    return receiver


def test_the_first_waits_and_the_others_with_it() -> None:
    reactor = Reactor()
    names = RememberedNames(reactor)
    first, second = ask(names), ask(names)
    assert reactor.asked == [("api.example", 443)]
    assert not first.done
    reactor.answer("192.0.2.1", "192.0.2.2")
    assert first.hosts == second.hosts == ["192.0.2.1", "192.0.2.2"]
    assert first.done
    assert second.done
    assert ask(names).done
    assert len(reactor.asked) == 1


def test_an_older_answer_serves_while_it_is_renewed() -> None:
    reactor = Reactor()
    names = RememberedNames(reactor)
    ask(names)
    reactor.answer("192.0.2.1")
    reactor.advance(FRESH_SECONDS)
    assert ask(names).hosts == ["192.0.2.1"]
    assert ask(names).hosts == ["192.0.2.1"]
    assert len(reactor.asked) == 2
    reactor.answer("192.0.2.9")
    assert ask(names).hosts == ["192.0.2.9"]
    assert len(reactor.asked) == 2


def test_an_old_answer_is_better_than_none() -> None:
    reactor = Reactor()
    names = RememberedNames(reactor)
    ask(names)
    reactor.answer("192.0.2.1")
    reactor.advance(STALE_SECONDS)
    late = ask(names)
    assert not late.done
    reactor.answer()
    assert late.hosts == ["192.0.2.1"]


def test_a_name_that_is_not_known_is_asked_for_again() -> None:
    reactor = Reactor()
    names = RememberedNames(reactor)
    failed = ask(names)
    reactor.answer()
    assert (failed.done, failed.hosts) == (True, [])
    again = ask(names)
    reactor.answer("192.0.2.1")
    assert again.hosts == ["192.0.2.1"]


def test_the_view_is_the_reactor_in_all_else() -> None:
    reactor = Reactor()
    view = with_remembered_names(reactor)
    assert view.seconds() == reactor.seconds()
    ask(view.nameResolver)
    assert reactor.asked == [("api.example", 443)]


async def test_the_agent_asks_once_for_a_name(
    scripted_provider: ScriptedProvider, reactor: Any, monkeypatch: Any
) -> None:
    asked: list[str] = []
    resolver = reactor.nameResolver
    real = resolver.resolveHostName

    def counted(receiver: Any, name: str, port: int) -> Any:
        asked.append(name)
        return real(receiver, name, port)

    monkeypatch.setattr(resolver, "resolveHostName", counted)
    agent = ProviderAgent(reactor, connect_timeout=5, persistent=False)
    for _ in range(3):
        scripted_provider.reply(body=b"{}")
        url = f"http://localhost:{scripted_provider.port}/"
        abandon(await agent.request(b"GET", url.encode()))
    assert asked == ["localhost"]
