"""A process put together out of its rooms: what all of them stand on, and the server.

With tap.py the composition root: the only files that know every room.
"""

import os
import resource
import secrets
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from twisted.internet.threads import deferToThreadPool
from twisted.web.resource import IResource, Resource

from lightweight.config.redis import parse_redis_url
from lightweight.config.schema import Config, Oidc
from lightweight.daemon.farewells import Farewells
from lightweight.daemon.judge import today
from lightweight.daemon.later import Later
from lightweight.daemon.listen import Opened
from lightweight.daemon.live_sums import LiveSums
from lightweight.daemon.messages import control_path
from lightweight.daemon.metering import Metering
from lightweight.daemon.pulse import Gauges
from lightweight.daemon.scrape import Alone, Scrape, ask_parent, ask_sums
from lightweight.daemon.self_test import SelfTest
from lightweight.daemon.service import GatewayService, Parts
from lightweight.daemon.settle import loading
from lightweight.daemon.state import (
    State,
    new_id,
)
from lightweight.daemon.swap import Swap
from lightweight.ground import Ground
from lightweight.instruments import Instruments
from lightweight.meters import Meters
from lightweight.observe.logs import AccessLog
from lightweight.observe.memory import memory_limit, resident
from lightweight.observe.otel import told_of
from lightweight.plan import ProviderPlan
from lightweight.records import Headers, Model
from lightweight.runtime import Runtime, build_runtime
from lightweight.store.bill import Ledger
from lightweight.store.database import Database
from lightweight.store.keyring import Keyring
from lightweight.store.passwords import Passwords
from lightweight.store.spool import KEPT, Spool
from lightweight.upstream.demo import DemoProvider
from lightweight.upstream.discover import discover
from lightweight.upstream.found import Found
from lightweight.upstream.http import HttpProvider, credential_headers
from lightweight.upstream.openid import OpenIdProvider
from lightweight.upstream.probes import Probed, Probes
from lightweight.upstream.provider import Provider
from lightweight.web.app import App
from lightweight.web.dashboard.views import LiveNow
from lightweight.web.docs.prefix import key_for_docs
from lightweight.web.gate import Gate
from lightweight.web.journal import Journal
from lightweight.web.live import Live
from lightweight.web.office import Office
from lightweight.web.overload import Overload
from lightweight.web.rates import Rates
from lightweight.web.serve import Desk
from lightweight.web.site import GatewaySite

MEMORY_SHARE = 0.9
"""The part of the memory at which no new call is taken: beyond it the kernel kills.

The workers of a generation share it. While an old generation leaves there are twice as
many of them: then each one's mark is no guarantee.
"""


def credentials_of(plan: ProviderPlan) -> Sequence[Headers]:
    """Give the headers of each credential of a provider; at least one, maybe empty."""
    return [
        credential_headers(plan.kind, None if key is None else key.reveal())
        for key in (plan.credential, *plan.spares)
    ]


def secrets_of(runtime: Runtime) -> Sequence[str]:
    """Give every secret that must never reach a log."""
    config = runtime.config
    held = [
        config.metrics_token,
        config.keys.pepper,
        config.redis.url,
        config.database.url,
        None if config.oidc is None else config.oidc.client_secret,
        *(plan.credential for plan in runtime.plans.values()),
        *(spare for plan in runtime.plans.values() for spare in plan.spares),
    ]
    found = [secret.reveal() for secret in held if secret is not None]
    if config.redis.url is not None:
        password = parse_redis_url(config.redis.url.reveal()).password
        found += [password] if password else []
    return found


def descriptors() -> int:
    """Raise the limit of open files as far as it goes, and give it."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard if hard != resource.RLIM_INFINITY else sys.maxsize


def gateway_service(
    ground: Ground,
    *,
    open_ports: Callable[[GatewaySite], Sequence[Opened]],
    prepare: Callable[[str], tuple[State, Path | None]],
    cannot_start: Callable[[BaseException], None],
    generation: int | None,
    size: int,
    limits_at: int | None,
) -> GatewayService:
    """Put a server together.

    ``limits_at`` is the descriptor of the limits its parent keeps; None: it has no
    parent and keeps limits and books itself.
    """
    reactor = ground.reactor
    wall, live, later = time.time, Live(), Later(reactor)  # noqa: TID251 -- the composition root
    swap = Swap(
        ground.loaded,
        reread=ground.reread,
        build=_runtime_builder(ground, wall),
        discover=lambda: discover(reactor, skip_ports=service.ports_of_ours()),
        adopted=lambda runtime: ground.writer.hide(secrets_of(runtime)),
    )
    instruments = Instruments(swap)
    site = _site(ground, swap, instruments, generation, wall)
    overload = Overload(reactor, memory=resident, mark=_memory_mark(size))
    self_test = SelfTest(reactor, current=_current_of(swap), new_id=_fresh_id)
    gauges = instruments.gauges(site, live, overload, self_test)

    def serve(keyring: Keyring, database: Database, state: State) -> Metering:
        metering = _meters(ground, state, generation, limits_at).of_server(database)
        rates = Rates(metering.limits, reactor, tiers=lambda: swap.current.tiers)
        journal = metering.journal
        site.standing = rates.headers
        site.gate = _gate(keyring, overload, journal, rates).judge
        office = _office(reactor, database, state, swap, rates)
        now = _live(ground, state, live, site, size, limits_at)
        app = App(
            current=_current_of(swap),
            keyring=keyring,
            desk=_desk(reactor, swap, state, live, rates, journal),
            ledger=Ledger(database),
            checks={
                "serving": lambda: service.why_not_ready,
                "load": lambda: overload.reason,
                "journal": lambda: journal.why_full,
            },
            troubles={"limits": metering.why_degraded, "self_test": self_test.why},
            **_for_people(later, ground, office, now, site, limits_at),
            docs_key=partial(key_for_docs, office=office),
            scrape=_scrape(ground, state, gauges if limits_at is None else None),
        )
        site.resource, site.express = app.get_resource(), app.express()
        instruments.meter(metering, rates)
        return metering

    service = GatewayService(
        Parts(
            reactor=reactor,
            wall=wall,
            observer=ground.observer,
            reopen_log=ground.writer.reopen,
            tell=ground.tell,
            swap=swap,
            site=site,
            live=live,
            overload=overload,
            open_ports=lambda: open_ports(site),
            prepare=prepare,
            serve=serve,
            cannot_start=cannot_start,
            gauges=gauges,
            probes=Probes(reactor, lambda: _probed(swap.current)),
            self_test=self_test,
            farewells=_farewells(reactor, wall, swap) if limits_at is None else None,
            later=later,
        )
    )
    return service


def _current_of(swap: Swap) -> Callable[[], Runtime]:
    """Give the runtime in force: asked a dozen times each call, so no code of ours."""
    return partial(getattr, swap, "current")


def _fresh_id(prefix: str) -> str:
    return new_id(prefix, secrets.token_bytes)


def _gate(keyring: Keyring, overload: Overload, journal: Journal, rates: Rates) -> Gate:
    return Gate(keyring, lambda: overload.reason or journal.why_full, rates.refusal)


def _meters(
    ground: Ground, state: State, generation: int | None, limits_at: int | None
) -> Meters:
    return Meters(
        reactor=ground.reactor,
        wall=time.time,  # noqa: TID251 -- the composition root
        config=ground.loaded.config,
        directory=state.directory,
        generation=generation or 0,
        limits_at=limits_at,
    )


def _scrape(ground: Ground, state: State, alone: Gauges | None) -> Scrape:
    """``alone`` has the figures of a process without a parent."""
    reactor = ground.reactor
    if alone is not None:
        return Scrape(reactor, Alone(reactor, alone).series)
    control = control_path(ground.environ, state.directory)
    return Scrape(reactor, partial(ask_parent, reactor, control))


def _desk(
    reactor: Any,
    swap: Swap,
    state: State,
    live: Live,
    rates: Rates,
    journal: Journal,
) -> Desk:
    return Desk(
        clock=reactor,
        wall=time.time,  # noqa: TID251 -- the composition root
        live=live,
        rates=rates,
        journal=journal,
        aside=partial(deferToThreadPool, reactor, reactor.getThreadPool()),
        keep=_spool(reactor, state, lambda: secrets_of(swap.current)).put,
    )


def _spool(reactor: Any, state: State, hidden: Callable[[], Sequence[str]]) -> Spool:
    pool = reactor.getThreadPool()

    def in_thread(work: Callable[[], None], done: Callable[[], None]) -> None:
        deferToThreadPool(reactor, pool, work).addCallback(lambda _: done())

    return Spool(state.directory / KEPT, secrets=hidden, in_thread=in_thread)


def _memory_mark(workers: int) -> int:
    return int(memory_limit() * MEMORY_SHARE) // workers


def _office(
    reactor: Any, database: Database, state: State, swap: Swap, rates: Rates
) -> Office:
    wall = time.time  # noqa: TID251 -- the composition root

    # It keeps what it learnt while its configuration stays the same.
    @lru_cache(maxsize=1)
    def provider(config: Oidc) -> OpenIdProvider:
        return OpenIdProvider(reactor, config, wall=wall)

    def openid() -> OpenIdProvider | None:
        config = swap.current.config.oidc
        return None if config is None else provider(config)

    return Office(
        database=database,
        passwords=Passwords(reactor),
        pepper=state.pepper,
        clock=reactor,
        wall=wall,
        random_bytes=secrets.token_bytes,
        new_id=_fresh_id,
        current=_current_of(swap),
        rates=rates,
        openid=openid,
    )


def _for_people(
    later: Later,
    ground: Ground,
    office: Office,
    live: Callable[[], Awaitable[LiveNow]],
    site: GatewaySite,
    limits_at: int | None,
) -> Mapping[str, Callable[[], IResource]]:
    """Give what App takes for ``admin`` and ``dashboard``: no start waits for them."""
    # Who was started by a parent leaves reloads to it, and to nobody after it.
    chief = os.getpid() if limits_at is None else os.getppid()
    return {
        "admin": later.once(partial(_admin, office)),
        "dashboard": later.once(partial(_dashboard, ground, office, live, site, chief)),
    }


def _admin(office: Office) -> IResource:
    with loading():
        from lightweight.web.admin.app import admin_resource  # noqa: PLC0415 -- for people

    return admin_resource(office)


def _dashboard(
    ground: Ground,
    office: Office,
    live: Callable[[], Awaitable[LiveNow]],
    site: GatewaySite,
    chief: int,
) -> IResource:
    with loading():
        from lightweight.web.dashboard.app import Dashboard  # noqa: PLC0415 -- for people
        from lightweight.web.dashboard.backstage import Backstage  # noqa: PLC0415 -- for people
        from lightweight.web.dashboard.settings import settings_of  # noqa: PLC0415 -- for people

    backstage = Backstage(
        office=office,
        live=live,
        leaving=lambda: site.draining,
        reload=lambda: os.kill(chief, signal.SIGHUP),
        file=ground.path,
        settings=lambda: settings_of(office.current().config, ground.loaded.origins),
        presets=ground.catalog.presets,
    )
    return Dashboard(backstage).get_resource()


def _live(
    ground: Ground,
    state: State,
    live: Live,
    site: GatewaySite,
    size: int,
    limits_at: int | None,
) -> Callable[[], Awaitable[LiveNow]]:
    def own() -> LiveNow:
        return LiveNow(calls=live.count, streams=site.streams, workers=size)

    async def alone() -> LiveNow:
        return own()

    if limits_at is None:
        return alone
    control = control_path(ground.environ, state.directory)
    return LiveSums(ground.reactor, own, partial(ask_sums, ground.reactor, control))


def _farewells(reactor: Any, wall: Callable[[], float], swap: Swap) -> Farewells:
    def offered() -> Sequence[Model]:
        return swap.current.offering.listed()

    return Farewells(reactor, wall, offered)


def _runtime_builder(
    ground: Ground, wall: Callable[[], float]
) -> Callable[[Config, Sequence[Found], Runtime | None], Runtime]:
    make_provider = provider_maker(ground.reactor, wall)

    def build(
        config: Config, found: Sequence[Found], previous: Runtime | None
    ) -> Runtime:
        return build_runtime(
            config,
            ground.catalog,
            environ=ground.environ,
            make_provider=make_provider,
            today=today(),
            found=found,
            previous=previous,
        )

    return build


def _site(
    ground: Ground,
    swap: Swap,
    instruments: Instruments,
    generation: int | None,
    wall: Callable[[], float],
) -> GatewaySite:
    access = AccessLog(
        ground.writer,
        ground.form,
        journal=ground.journal,
        generation=generation,
    )
    reactor = ground.reactor
    spans_ends: list[Callable[[], None]] = []
    told = told_of(access.keep, ground.environ, spans_ends.append)
    visits = instruments.measured(told, reactor, ground.writer.flush)
    ground.ends += [visits.flush, *spans_ends]
    return GatewaySite(
        Resource(),
        reactor,
        current=_current_of(swap),
        record=visits.keep,
        wall=wall,
        entropy=secrets.token_bytes,
        descriptors=descriptors(),
    )


def _probed(runtime: Runtime) -> Iterator[Probed]:
    for name, plan in runtime.plans.items():
        provider = runtime.providers[name]
        # The demo is always well.
        if plan.probe is not None and isinstance(provider, HttpProvider):
            yield Probed(
                name=name,
                every=plan.probe,
                breaker=runtime.standings[name].breaker,
                ask=provider.probe,
            )


def provider_maker(
    reactor: Any, wall: Callable[[], float]
) -> Callable[[ProviderPlan], Provider]:
    """Give what makes providers; ``wall`` gives seconds since the epoch."""
    instance = secrets.token_hex(8)

    def make_provider(plan: ProviderPlan) -> Provider:
        if plan.base_url is None:
            return DemoProvider(plan.name, reactor, wall=wall)
        credential, *spares = credentials_of(plan)
        return HttpProvider(
            reactor,
            name=plan.name,
            base_url=plan.base_url,
            credential=credential,
            spares=spares,
            timeouts=plan.timeouts,
            instance=instance,
            wall=wall,
        )

    return make_provider
