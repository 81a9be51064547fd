"""The map of the service: every route, and an answer for whatever goes wrong on it."""

from collections.abc import Awaitable, Callable, Coroutine, Mapping
from functools import partial, wraps
from typing import Any, TypeAlias
from urllib.parse import parse_qs

from klein import Klein
from twisted.internet.defer import CancelledError
from twisted.python.failure import Failure
from twisted.web.iweb import IRequest
from twisted.web.resource import IResource

from werkzeug.exceptions import HTTPException

from lightweight.dialects.openai_relay import ENDPOINTS
from lightweight.errors import Fault
from lightweight.records import Answer, DialectName, Identity
from lightweight.runtime import Runtime
from lightweight.web import health, ollama
from lightweight.web.address import address_of
from lightweight.web.answers import redirect, send, with_headers
from lightweight.web.auth import Keyring, identify
from lightweight.web.count_tokens import serve_count
from lightweight.web.docs.guides import SAMPLE_KEY
from lightweight.web.docs.page import static_file
from lightweight.web.docs.show import show_docs, show_guide, show_index, show_search
from lightweight.web.exchange import KeyedExchange
from lightweight.web.faults import (
    answer_fault,
    answer_unrouted,
    cut_cancelled,
    no_such_path,
)
from lightweight.web.front_exchange import FrontExchange
from lightweight.web.metrics import Scrape, refuse_stranger
from lightweight.web.models import list_models, one_model
from lightweight.web.responses import count_input, not_kept
from lightweight.web.serve import Desk, serve_call
from lightweight.web.site import Express
from lightweight.web.site_exchange import SiteExchange
from lightweight.web.site_request import GatewayRequest, of
from lightweight.web.usage import Ledger, show_usage

_VARIES = {"vary": "Accept"}
_HERE = Answer(
    status=200,
    headers={"content-type": "text/plain; charset=utf-8", **_VARIES},
    body=b"Lightweight is running. /docs describes how to use it.\n",
)

EXPRESS: Mapping[str, DialectName] = {
    "/v1/chat/completions": "openai_chat",
    "/v1/messages": "anthropic",
    "/v1/responses": "openai_responses",
    **{f"/v1{endpoint.path}": name for name, endpoint in ENDPOINTS.items()},
}
"""The paths of the express lane, and what is spoken there."""

Keyed: TypeAlias = Callable[..., Awaitable[None]]
"""A handler that takes the app, an exchange and the Identity it is served for."""


async def identified(exchange: KeyedExchange, keyring: Keyring) -> Identity:
    """Give who asks; raise InvalidKey where nobody knows. Cancelling is harmless."""
    identity = exchange.identity
    if identity is None or not exchange.identified:
        identity = await identify(exchange.request.headers, keyring)
        exchange.identity = identity
    return identity


async def attend(
    exchange: KeyedExchange,
    keyring: Keyring,
    handle: Callable[[Identity], Awaitable[None]],
) -> None:
    """Find out who asks and have ``handle`` answer; what is a bug is answered here.

    Raises Fault. Cancelling says that the client left.
    """
    try:
        await handle(await identified(exchange, keyring))
    except (Fault, CancelledError):
        raise
    except Exception:  # noqa: BLE001 -- the one catch-all; cancelling passed above
        # Klein would not tell our log of it once the answer is finished.
        exchange.failed(Failure())


def keyed(handler: Keyed) -> Callable[..., Awaitable[None]]:
    """Make a route of a handler that cannot run without an Identity."""

    @wraps(handler)
    async def route(app: "App", request: IRequest, **parts: str) -> None:
        exchange = SiteExchange(of(request))
        attending = attend(
            exchange,
            app.keyring,
            lambda identity: handler(app, exchange, identity, **parts),
        )
        await exchange.handled(attending, app.clock)

    return route


def public(render: Callable[..., Answer]) -> Callable[..., Awaitable[None]]:
    """Make a route of what anyone may read."""

    @wraps(render)
    async def route(app: "App", request: IRequest, **parts: str) -> None:
        of(request).answer(render(app, of(request), **parts))

    return route


async def nobodys(_request: GatewayRequest) -> str:
    """Give what stands for the key of a visitor whom nobody knows."""
    return SAMPLE_KEY


class App:
    """The web service.

    ``current`` gives the runtime in force: a call keeps the one it started with.
    ``checks`` are what /readyz asks, by name; ``troubles`` what only degrades.
    ``admin`` gives what stands below /admin/v1, ``dashboard`` the pages below
    /dashboard: a worker serves calls before it has loaded either.
    ``docs_key`` gives what stands for the visitor's key in the docs.
    """

    _app = Klein()

    def __init__(
        self,
        *,
        current: Callable[[], Runtime],
        keyring: Keyring,
        desk: Desk,
        ledger: Ledger,
        checks: Mapping[str, health.Check],
        troubles: Mapping[str, health.Check] | None = None,
        scrape: Scrape,
        admin: Callable[[], IResource] | None = None,
        dashboard: Callable[[], IResource] | None = None,
        docs_key: Callable[[GatewayRequest], Awaitable[str]] = nobodys,
    ) -> None:
        self.keyring = keyring
        self.clock = desk.clock
        self._admin = admin
        self._dashboard = dashboard
        self._docs_key = docs_key
        self._ledger = ledger
        self._current = current
        self._desk = desk
        self._checks = checks
        self._troubles = troubles or {}
        self._scrape = scrape

    def get_resource(self) -> IResource:
        """Give the resource that a Site serves."""
        resource: IResource = self._app.resource()
        return resource

    @_app.route("/v1/chat/completions", methods=["POST"])
    @keyed
    async def chat(self, exchange: SiteExchange, identity: Identity) -> None:
        """Answer a chat completion."""
        await self._serve(exchange, identity, "openai_chat")

    @_app.route("/v1/messages", methods=["POST"])
    @keyed
    async def messages(self, exchange: SiteExchange, identity: Identity) -> None:
        """Answer a message of Anthropic's API."""
        await self._serve(exchange, identity, "anthropic")

    @_app.route("/v1/messages/count_tokens", methods=["POST"])
    @keyed
    async def count_tokens(self, exchange: SiteExchange, identity: Identity) -> None:
        """Count the tokens of a message of Anthropic's API."""
        await serve_count(exchange, identity, self._current(), desk=self._desk)

    @_app.route("/v1/responses", methods=["POST"])
    @keyed
    async def responses(self, exchange: SiteExchange, identity: Identity) -> None:
        """Answer with a response."""
        await self._serve(exchange, identity, "openai_responses")

    @_app.route("/v1/responses/input_tokens", methods=["POST"])
    @keyed
    async def input_tokens(self, exchange: SiteExchange, _identity: Identity) -> None:
        """Estimate the tokens of a request for a response."""
        dialect = self._current().dialects["openai_responses"]
        send(exchange, count_input(exchange.request, dialect))

    @_app.route("/v1/responses/<path:_rest>", methods=["GET", "POST", "DELETE"])
    @keyed
    async def kept(
        self, _exchange: SiteExchange, _identity: Identity, _rest: str
    ) -> None:
        """Say that no response is kept."""
        raise not_kept()

    @keyed
    async def relayed(
        self, exchange: SiteExchange, identity: Identity, dialect: DialectName
    ) -> None:
        """Answer at one of the endpoints that are only passed on."""
        await self._serve(exchange, identity, dialect)

    for _name, _endpoint in ENDPOINTS.items():
        _app.route(
            f"/v1{_endpoint.path}", methods=["POST"], defaults={"dialect": _name}
        )(relayed)
    del _name, _endpoint

    @_app.route("/v1/models", methods=["GET"])
    @keyed
    async def models(self, exchange: SiteExchange, identity: Identity) -> None:
        """List the models the key may use."""
        anthropic = "anthropic-version" in exchange.request.headers
        await self._desk.rates.recall(identity, exchange.request.id)
        send(exchange, list_models(self._current(), identity, anthropic=anthropic))

    @_app.route("/v1/models/<path:name>", methods=["GET"])
    @keyed
    async def model(
        self, exchange: SiteExchange, identity: Identity, name: str
    ) -> None:
        """Show one model."""
        anthropic = "anthropic-version" in exchange.request.headers
        await self._desk.rates.recall(identity, exchange.request.id)
        runtime = self._current()
        send(exchange, one_model(runtime, identity, name, anthropic=anthropic))

    @_app.route("/v1/usage", methods=["GET"])
    @keyed
    async def usage(self, exchange: SiteExchange, identity: Identity) -> None:
        """Show what the account used and what is left."""
        answer = await show_usage(
            exchange.request,
            identity,
            rates=self._desk.rates,
            ledger=self._ledger,
            now=self._desk.wall(),
        )
        send(exchange, answer)

    # -- Ollama's API --------------------------------------------------------------

    @_app.route("/api/chat", methods=["POST"])
    @keyed
    async def ollama_chat(self, exchange: SiteExchange, identity: Identity) -> None:
        """Answer a chat of Ollama's API, or load a model."""
        nothing = {"message": {"role": "assistant", "content": ""}}
        if not await self._loaded(exchange, identity, nothing):
            await self._serve(exchange, identity, "ollama")

    @_app.route("/api/generate", methods=["POST"])
    @keyed
    async def ollama_generate(self, exchange: SiteExchange, identity: Identity) -> None:
        """Answer a completion of Ollama's API, or load a model."""
        if not await self._loaded(exchange, identity, {"response": ""}):
            await self._serve(exchange, identity, "ollama_generate")

    @_app.route("/api/embed", methods=["POST"])
    @keyed
    async def ollama_embed(self, exchange: SiteExchange, identity: Identity) -> None:
        """Make embeddings for an Ollama client."""
        await self._serve(exchange, identity, "ollama_embed")

    @_app.route("/api/tags", methods=["GET"])
    @keyed
    async def ollama_tags(self, exchange: SiteExchange, identity: Identity) -> None:
        """List the models the key may use, as Ollama does."""
        await self._desk.rates.recall(identity, exchange.request.id)
        send(exchange, ollama.tags(self._current(), identity))

    @_app.route("/api/show", methods=["POST"])
    @keyed
    async def ollama_show(self, exchange: SiteExchange, identity: Identity) -> None:
        """Describe one model, as Ollama does."""
        await self._desk.rates.recall(identity, exchange.request.id)
        send(exchange, ollama.show(exchange.request, self._current(), identity))

    @_app.route("/api/ps", methods=["GET"])
    @keyed
    async def ollama_ps(self, exchange: SiteExchange, _identity: Identity) -> None:
        """List the models in memory."""
        send(exchange, ollama.running())

    @_app.route("/api/version", methods=["GET"])
    @public
    def ollama_version(self, _request: GatewayRequest) -> Answer:
        """Say which Ollama's API this is."""
        return ollama.version()

    async def _loaded(
        self, exchange: SiteExchange, identity: Identity, nothing: Mapping[str, object]
    ) -> bool:
        """Answer a request that only loads a model; tell whether it was one."""
        answer = ollama.loaded(exchange.request, self._current(), identity, nothing)
        if answer is None:
            return False
        await self._desk.rates.recall(identity, exchange.request.id)
        send(exchange, answer)
        return True

    # -- the express lane ----------------------------------------------------------

    def express(self) -> Mapping[bytes, Express]:
        """Give the routes that need no router: every POST that asks a model."""
        return {
            path.encode(): partial(self._express, dialect)
            for path, dialect in EXPRESS.items()
        }

    def _express(
        self, dialect: DialectName, exchange: FrontExchange
    ) -> Coroutine[Any, Any, None]:
        if exchange.identified and exchange.identity is not None:
            # Nearly all are: one coroutine less to go through.
            return self._serve(exchange, exchange.identity, dialect)
        return self._express_to_whom(dialect, exchange)

    async def _express_to_whom(
        self, dialect: DialectName, exchange: FrontExchange
    ) -> None:
        await self._serve(exchange, await identified(exchange, self.keyring), dialect)

    def _serve(
        self, exchange: KeyedExchange, identity: Identity, dialect: DialectName
    ) -> Coroutine[Any, Any, None]:
        runtime = self._current()
        return serve_call(
            exchange,
            identity,
            runtime.dialects[dialect],
            runtime,
            desk=self._desk,
            report=exchange.hold_line(),
        )

    # -- pages and probes ----------------------------------------------------------

    @_app.route("/", methods=["GET"])
    @public
    def front(self, request: GatewayRequest) -> Answer:
        """Lead a browser to the docs; tell a client that somebody is here.

        Ollama's look for certain words, Claude Code for a 200 of any.
        """
        if ollama.is_client(request.sent(b"user-agent") or ""):
            return ollama.RUNNING
        if "text/html" in (request.sent(b"accept") or ""):
            return with_headers(redirect("/docs"), _VARIES)
        return _HERE

    @_app.route("/docs", methods=["GET"])
    async def docs(self, request: IRequest) -> None:
        """Show how to use this server."""
        ours, runtime = of(request), self._current()
        key = await self._docs_key(ours)
        ours.answer(show_docs(runtime, address_of(ours, runtime), key))

    @_app.route("/docs/integrations/<name>", methods=["GET"])
    async def guide(self, request: IRequest, name: str) -> None:
        """Show how a tool is told of this server."""
        ours, runtime = of(request), self._current()
        key = await self._docs_key(ours)
        ours.answer(show_guide(runtime, address_of(ours, runtime), name, key))

    @_app.route("/docs/search", methods=["GET"])
    @public
    def search(self, request: GatewayRequest) -> Answer:
        """Search in the docs for who runs no script."""
        question = parse_qs(request.record().query).get("q", [""])[-1]
        return show_search(self._current(), question)

    @_app.route("/docs/search.json", methods=["GET"])
    @public
    def search_index(self, _request: GatewayRequest) -> Answer:
        """Give what the docs' script searches in."""
        return show_index(self._current())

    @_app.route("/static/<name>", methods=["GET"])
    @public
    def static(self, _request: GatewayRequest, name: str) -> Answer:
        """Give a file of the pages."""
        found = static_file(name)
        if found is None:
            raise no_such_path()
        body, content_type = found
        return Answer(status=200, headers={"content-type": content_type}, body=body)

    @_app.route("/healthz", methods=["GET"])
    @public
    def healthz(self, _request: GatewayRequest) -> Answer:
        """Say that the process lives."""
        return health.alive()

    @_app.route("/readyz", methods=["GET"])
    @public
    def readyz(self, _request: GatewayRequest) -> Answer:
        """Say whether to send traffic here."""
        now = self._desk.clock.seconds()
        standings = self._current().standings
        return health.ready(
            self._checks,
            {name: each.health(now) for name, each in standings.items()},
            self._troubles,
        )

    @_app.route("/metrics", methods=["GET"])
    async def metrics(self, request: IRequest) -> None:
        """Give the figures of the whole server to who may have them."""
        ours = of(request)
        refuse_stranger(
            ours.neighbour, ours.fields(), self._current().config.metrics_token
        )
        content_type, body = await self._scrape(ours.sent(b"accept") or "")
        headers = {"content-type": content_type, "cache-control": "no-store"}
        ours.answer(Answer(status=200, headers=headers, body=body))

    # -- for people and their programs ---------------------------------------------

    @_app.route("/admin/v1/", branch=True)
    def admin(self, _request: IRequest) -> IResource:
        """Leave the admin API to its own app."""
        if self._admin is None:
            raise no_such_path()
        return self._admin()

    @_app.route("/dashboard/", branch=True)
    def dashboard(self, _request: IRequest) -> IResource:
        """Leave the pages to their own app."""
        if self._dashboard is None:
            raise no_such_path()
        return self._dashboard()

    @_app.route("/dashboard", methods=["GET"])
    @public
    def to_dashboard(self, _request: GatewayRequest) -> Answer:
        """Lead a visitor who left out the slash."""
        return redirect("/dashboard/")

    @_app.route("/openapi.json", methods=["GET"])
    @public
    def openapi(self, request: GatewayRequest) -> Answer:
        """Describe the admin API for programs."""
        # It is made of all the admin API, and read now and then.
        from lightweight.web.admin.openapi import described_api  # noqa: PLC0415 -- as it says

        return described_api(address_of(request, self._current()))

    @_app.route("/openapi-v1.json", methods=["GET"])
    @public
    def openapi_v1(self, request: GatewayRequest) -> Answer:
        """Describe for programs what keys are for."""
        # As above.
        from lightweight.web.openapi_v1 import described_v1  # noqa: PLC0415 -- as it says

        return described_v1(self._app, address_of(request, self._current()))

    # -- what goes wrong -----------------------------------------------------------

    @_app.handle_errors(Fault)
    def fault(self, request: IRequest, failure: Failure) -> None:
        """Tell the client of a fault in its dialect."""
        answer_fault(request, failure)

    @_app.handle_errors(HTTPException)
    def unrouted(self, request: IRequest, failure: Failure) -> None:
        """Tell the client of a path or method that does not exist."""
        answer_unrouted(request, failure)

    @_app.handle_errors(CancelledError)
    def cancelled(self, request: IRequest, failure: Failure) -> None:
        """Cut what nobody may take for whole."""
        cut_cancelled(request, failure)
