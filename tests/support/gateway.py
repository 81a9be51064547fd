"""The whole gateway in memory: bytes of a client in, doubles of providers behind.

No sockets, no reactor: the clock stands still until a test advances it, and every byte
is where it must be as soon as the call that caused it returns.
"""

import itertools
import json
import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from functools import cache, partial
from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.ssl import ContextFactory
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.web.resource import IResource

from msgspec.structs import replace
from support.answered import Answered, read_answer
from support.fakes import FakeJournal, FakeLedger, FakeLimits, FakeProvider

from lightweight.catalog.load import load_catalog
from lightweight.catalog.offer import Offering
from lightweight.config.schema import Config
from lightweight.dialects.dialect import Dialect
from lightweight.dialects.openai_chat import OpenAIChat
from lightweight.observe.access import Visit
from lightweight.policy.admission import Tier
from lightweight.policy.route import Standing
from lightweight.records import (
    Account,
    ApiKey,
    Identity,
    Kept,
    Model,
    Outcome,
    Price,
    Target,
)
from lightweight.runtime import DIALECTS, Runtime
from lightweight.store.database import Database
from lightweight.store.passwords import Passwords
from lightweight.upstream.openid import OpenIdProvider
from lightweight.web.admin.app import admin_resource
from lightweight.web.app import App, nobodys
from lightweight.web.dashboard.app import Dashboard
from lightweight.web.dashboard.backstage import Backstage
from lightweight.web.dashboard.settings import settings_of
from lightweight.web.dashboard.views import LiveNow
from lightweight.web.docs.prefix import key_for_docs
from lightweight.web.front import Front
from lightweight.web.gate import Gate
from lightweight.web.health import Check
from lightweight.web.live import Live
from lightweight.web.office import Office
from lightweight.web.rates import Rates
from lightweight.web.serve import Aside, Desk, at_once
from lightweight.web.site import GatewaySite

KEY = "lw-known"
PRICE = Price(input=1_000_000, output=10_000_000)
"""What the model "renamed" costs: a micro-USD a token sent, ten a token back."""

EPOCH = 1_795_343_400.0
"""When a gateway's clock stands at 0: 2026-11-22 10:30 UTC."""

PEPPER = b"p" * 64

STORED_KEY = "lw-stored"
LIMITED_KEY = "lw-limited"


def identity(name: str = "acme", models: frozenset[str] | None = None) -> Identity:
    """Make someone who may ask."""
    account = Account(id=f"acc_{name}", name=name, tier="pro", created_at=0)
    key = ApiKey(
        id=f"key_{name}",
        account_id=account.id,
        name=name,
        shown="lw-…",
        created_at=0,
        models=models,
    )
    return Identity(account, key)


def model(id_: str, *targets: Target, **fields: Any) -> Model:
    """Make a model served by ``targets``."""
    return Model(
        id=id_,
        owned_by="acme",
        created=1_700_000_000,
        context="128K",
        context_window=128_000,
        targets=targets,
        **fields,
    )


def offering(*models: Model) -> Offering:
    """Make the offering of exactly these models."""
    named = {name: m.id for m in models for name in (m.id, *m.aliases)}
    return Offering(
        models={m.id: m for m in models},
        names={name.casefold(): id_ for name, id_ in named.items()},
        reasons={},
    )


class Keys:
    """A keyring of three keys; one of them only the store knows."""

    def __init__(self) -> None:
        self.held = {
            KEY: identity(),
            LIMITED_KEY: identity("limited", frozenset({"same"})),
        }
        self.stored: dict[str, Identity | None] = {STORED_KEY: identity("stored")}

    def digest(self, presented: str) -> bytes:
        return presented.encode()

    def holder(self, digest: bytes) -> Identity | None:
        return self.held.get(digest.decode())

    def plausible(self, presented: str) -> bool:
        return presented in self.stored

    async def identify(self, presented: str) -> Identity | None:
        return self.stored.get(presented)


class Wire(StringTransport):
    """The server's end of a connection; it closes a turn after it is told to."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(
            hostAddress=IPv4Address("TCP", "127.0.0.1", 8080),
            peerAddress=IPv4Address("TCP", "192.0.2.7", 40000),
        )
        self.aborted = False
        self.closed = False
        self._clock = clock
        self.on_close: Callable[[Failure], None] = lambda _: None

    def write(self, data: bytes) -> None:
        if not self.disconnecting:
            super().write(data)

    def loseConnection(self) -> None:
        if not self.disconnecting:
            self.disconnecting = True
            self._clock.callLater(0, self.close, ConnectionDone())

    def abortConnection(self) -> None:
        self.aborted = True
        self.loseConnection()

    def close(self, why: Exception) -> None:
        if not self.closed:
            self.closed = self.disconnecting = True
            self.on_close(Failure(why))


class Client:
    """One connection to the gateway."""

    def __init__(self, channel: Front, wire: Wire) -> None:
        self.wire = wire
        self._channel = channel
        wire.on_close = channel.connectionLost
        channel.makeConnection(wire)

    def send(self, data: bytes) -> None:
        """Send bytes as they are."""
        self._channel.dataReceived(data)

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        key: str | None = KEY,
    ) -> None:
        """Send one request with its length."""
        fields = {"Host": "gateway.example", **(headers or {})}
        if key is not None:
            fields.setdefault("Authorization", f"Bearer {key}")
        if body is not None:
            fields.setdefault("Content-Length", str(len(body)))
        lines = [f"{method} {path} HTTP/1.1", *(f"{k}: {v}" for k, v in fields.items())]
        self.send("\r\n".join([*lines, "", ""]).encode("latin-1") + (body or b""))

    def chat(self, key: str | None = KEY, **fields: Any) -> None:
        """Ask for a chat completion."""
        asked = {
            "model": "renamed",
            "messages": [{"role": "user", "content": "Hi"}],
            **fields,
        }
        self.ask(
            "POST",
            "/v1/chat/completions",
            json.dumps(asked).encode(),
            {"Content-Type": "application/json"},
            key,
        )

    @property
    def received(self) -> bytes:
        """All bytes that came, whatever they are."""
        received: bytes = self.wire.value()
        return received

    def answer(self, *, head_only: bool = False) -> Answered:
        """Give the first answer, as far as it came."""
        return read_answer(self.received, head_only=head_only)

    def stall(self) -> None:
        """Stop reading: the server's buffer is full."""
        producer: Any = self.wire.producer
        producer.pauseProducing()

    def read_on(self) -> None:
        """Read what waits."""
        producer: Any = self.wire.producer
        producer.resumeProducing()

    def leave(self) -> None:
        """Go without a word."""
        self.wire.close(ConnectionLost())


class Gateway:
    """A gateway with two providers, "one" and "two", and what it told of itself."""

    express: bool | None = None
    """Which lane it serves on; None: as its configuration says."""

    def __init__(
        self, config: Config | None = None, *, database: Database | None = None
    ) -> None:
        """``database``: a real one that runs, for the admin API."""
        self.clock = Clock()
        self.one = FakeProvider("one")
        self.two = FakeProvider("two")
        self.visits: list[Visit] = []
        self.limits = FakeLimits()
        self.journal = FakeJournal()
        self.ledger = FakeLedger()
        self.live = Live()
        self.kept: list[Kept] = []
        self.keys = Keys()
        self.aside: Aside = at_once
        self.openid: OpenIdProvider | None = None
        self.checks: dict[str, Check] = {}
        self.reloads: list[float] = []
        self.tiers: dict[str, Tier] = {"pro": Tier()}
        self.standings = {"one": Standing(), "two": Standing()}
        config = config or Config()
        if self.express is not None:
            config = replace(config, express=self.express)
        self.runtime = self.made(config)
        numbers = itertools.count(1)
        rates = Rates(self.limits, self.clock, tiers=lambda: self.runtime.tiers)
        self.rates = rates
        office = None if database is None else self._office(database, rates)
        self.office = office
        app = App(
            current=lambda: self.runtime,
            keyring=self.keys,
            desk=Desk(
                clock=self.clock,
                wall=lambda: EPOCH + self.clock.seconds(),
                live=self.live,
                rates=rates,
                journal=self.journal,
                aside=lambda work: self.aside(work),  # noqa: PLW0108 -- set later
                keep=self.kept.append,
            ),
            ledger=self.ledger,
            checks=self.checks,
            scrape=self.scrape,
            admin=cache(partial(admin_resource, office)) if office else None,
            dashboard=cache(partial(self._dashboard, office)) if office else None,
            docs_key=partial(key_for_docs, office=office) if office else nobodys,
        )
        self.site = GatewaySite(
            app.get_resource(),
            self.clock,
            current=lambda: self.runtime,
            record=self.visits.append,
            wall=lambda: EPOCH + self.clock.seconds(),
            entropy=lambda size: b"".join(
                next(numbers).to_bytes(12, "big") for _ in range(0, size, 12)
            ),
            descriptors=100_000,
        )
        self.site.express = app.express()
        self.overloaded: str | None = None
        gate = Gate(self.keys, lambda: self.overloaded, rates.refusal)
        self.site.gate = gate.judge
        self.site.standing = rates.headers

    async def scrape(self, accept: str) -> tuple[str, bytes]:
        """Give figures that tell what was asked for."""
        return "text/plain; version=0.0.4", f"asked for {accept}".encode()

    def made(self, config: Config, dialect: Dialect | None = None) -> Runtime:
        """Make a runtime of ``config`` with this gateway's providers."""
        at_one = Target(
            provider="one",
            model="renamed-there",
            dialect="openai_chat",
            price=PRICE,
        )
        same = Target(provider="one", model="same", dialect="openai_chat")
        at_two = Target(provider="two", model="renamed-there", dialect="openai_chat")
        return Runtime(
            config=config,
            offering=offering(
                model("renamed", at_one, aliases=("other-name",)),
                model("same", same),
                model("org/path.1", at_one, at_two, status="Preview"),
            ),
            dialects={**DIALECTS, "openai_chat": dialect or OpenAIChat()},
            providers={"one": self.one, "two": self.two},
            plans={},
            standings=self.standings,
            tiers=self.tiers,
        )

    def _office(self, database: Database, rates: Rates) -> Office:
        from twisted.internet import reactor

        return Office(
            database=database,
            passwords=Passwords(reactor),
            pepper=PEPPER,
            clock=self.clock,
            wall=lambda: EPOCH + self.clock.seconds(),
            random_bytes=os.urandom,
            new_id=lambda prefix: f"{prefix}_{os.urandom(8).hex()}",
            current=lambda: self.runtime,
            rates=rates,
            openid=lambda: self.openid,
        )

    def _dashboard(self, office: Office) -> IResource:
        backstage = Backstage(
            office=office,
            live=self._live_now,
            leaving=lambda: self.site.draining,
            reload=lambda: self.reloads.append(office.wall()),
            file=None,
            settings=lambda: settings_of(self.runtime.config, {}),
            presets=load_catalog().presets,
        )
        return Dashboard(backstage).get_resource()

    async def _live_now(self) -> LiveNow:
        return LiveNow(calls=self.live.count, streams=0, workers=1)

    def connect(self) -> Client:
        """Open a connection."""
        channel = self.site.buildProtocol(IPv4Address("TCP", "192.0.2.7", 40000))
        return Client(channel, Wire(self.clock))

    def turn(self) -> None:
        """Let what is due happen."""
        self.clock.advance(0)

    @property
    def visit(self) -> Visit:
        """The only visit there was."""
        assert len(self.visits) == 1, self.visits
        return self.visits[0]

    @property
    def outcome(self) -> Outcome:
        """The only call's outcome."""
        assert self.visit.outcome is not None
        return self.visit.outcome


@asynccontextmanager
async def on_loopback(
    gateway: Gateway, tls: ContextFactory | None = None
) -> AsyncIterator[int]:
    """Serve on a real port, over TLS if there is a context; give its number."""
    from twisted.internet import reactor

    real: Any = reactor
    gateway.site.reactor = real
    if tls is None:
        port = real.listenTCP(0, gateway.site, interface="127.0.0.1")
    else:
        port = real.listenSSL(0, gateway.site, tls, interface="127.0.0.1")
    try:
        yield port.getHost().port
    finally:
        await port.stopListening()


def chunk(
    content: str | None = "Hi", finish: str | None = None, **more: object
) -> bytes:
    """Make one event of an OpenAI chat stream, as a provider writes it."""
    delta = {} if content is None else {"content": content}
    body = {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1_700_000_000,
        "model": "renamed-there",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
        **more,
    }
    return b"data: " + json.dumps(body).encode() + b"\n\n"


DONE = b"data: [DONE]\n\n"

USAGE = {"prompt_tokens": 7, "completion_tokens": 2, "total_tokens": 9}


def usage_chunk() -> bytes:
    """Make the event that tells the usage."""
    return chunk(choices=[], usage=USAGE)


def completion(**more: object) -> bytes:
    """Make a whole answer, as a provider writes it."""
    message = {"role": "assistant", "content": "Hi", "refusal": None}
    body = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": "renamed-there",
        "choices": [
            {
                "index": 0,
                "message": message,
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": USAGE,
        **more,
    }
    return json.dumps(body).encode()
