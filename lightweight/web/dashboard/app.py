"""The routes below /dashboard: who may see a screen, and what a form changes."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import TypeAlias
from urllib.parse import parse_qs

from klein import Klein
from twisted.internet.defer import CancelledError
from twisted.python.failure import Failure
from twisted.web.iweb import IRequest
from twisted.web.resource import IResource

from msgspec.structs import replace
from werkzeug.exceptions import HTTPException

from lightweight.errors import ClientFault, Fault, MethodNotAllowed, NotFound
from lightweight.records import Answer
from lightweight.store.accounts import find_account
from lightweight.web.address import address_of
from lightweight.web.answers import send
from lightweight.web.dashboard import (
    accounts,
    door,
    guides,
    keys,
    log,
    me,
    people,
    providers,
)
from lightweight.web.dashboard.asked import (
    Asked,
    asked,
    form_of,
    theme_of,
    token_of,
)
from lightweight.web.dashboard.assets import asset
from lightweight.web.dashboard.backstage import Backstage
from lightweight.web.dashboard.explain import show_explain
from lightweight.web.dashboard.live import stream_live
from lightweight.web.dashboard.models import show_models
from lightweight.web.dashboard.overview import show_overview
from lightweight.web.dashboard.play import make_play_key, show_playground
from lightweight.web.dashboard.settings import show_settings
from lightweight.web.dashboard.usage import show_usage, usage_csv, usage_json
from lightweight.web.dashboard.views import Frame
from lightweight.web.faults import cut_cancelled
from lightweight.web.office import told_as_faults
from lightweight.web.sessions import (
    check_csrf,
    check_origin,
    door_of,
    signed_in,
)
from lightweight.web.site_exchange import SiteExchange
from lightweight.web.site_request import GatewayRequest, of

Show: TypeAlias = Callable[..., Awaitable[Answer]]
"""Takes an Asked and the parts of the path, and gives the page."""

Knock: TypeAlias = Callable[[door.Stranger], Awaitable[Answer]]
"""The same for who is not signed in."""

Route: TypeAlias = Callable[..., Awaitable[None]]


def screen(show: Show) -> Route:
    """Make a route of a page for whoever is signed in."""

    async def route(app: "Dashboard", request: IRequest, **parts: str) -> None:
        exchange = SiteExchange(of(request))
        entered = await app.entered(exchange, of(request))
        if entered is None:
            send(exchange, door.to_sign_in(exchange.request))
        else:
            send(exchange, await show(entered, **parts))

    return route


def change(act: Show, back: Show | None = None) -> Route:
    """Make a route of what a form changes; ``back`` shows why it could not be done."""

    async def route(app: "Dashboard", request: IRequest, **parts: str) -> None:
        exchange = SiteExchange(of(request))
        entered = await app.entered(exchange, of(request))
        if entered is None:
            send(exchange, door.to_sign_in(exchange.request))
            return
        form = form_of(exchange.request)
        check_origin(exchange.request.headers, entered.door)
        check_csrf(entered.signed, token_of(form))
        entered = replace(entered, form=form)
        try:
            answer = await act(entered, **parts)
        except ClientFault as fault:
            if back is None or fault.status == NotFound.status:
                raise
            shown = await back(replace(entered, problem=fault.message))
            answer = replace(shown, status=fault.status)
        send(exchange, answer)

    return route


def doorstep(show: Knock) -> Route:
    """Make a route of a page for whoever comes."""

    async def route(app: "Dashboard", request: IRequest) -> None:
        exchange = SiteExchange(of(request))
        send(exchange, await show(app.stranger(exchange, of(request))))

    return route


SCREENS: Mapping[str, Show] = {
    "/": show_overview,
    "/usage": show_usage,
    "/usage.csv": usage_csv,
    "/usage.json": usage_json,
    "/requests": log.show_requests,
    "/requests/<request_id>": log.show_request,
    "/keys": keys.show_keys,
    "/playground": show_playground,
    "/models": show_models,
    "/integrations": guides.show_guides,
    "/integrations/<name>": guides.show_guide,
    "/explain": show_explain,
    "/providers": providers.show_providers,
    "/people": people.show_people,
    "/accounts": accounts.show_accounts,
    "/accounts/<account_id>": accounts.show_account,
    "/settings": show_settings,
    "/me": me.show_me,
}

CHANGES: Sequence[tuple[str, Show, Show | None]] = (
    ("/keys", keys.make_key, keys.show_keys),
    ("/keys/<key_id>/rotate", keys.rotate, keys.show_keys),
    ("/keys/<key_id>/revoke", keys.revoke, keys.show_keys),
    ("/keys/<key_id>/prompts", keys.keep, keys.show_keys),
    ("/playground/key", make_play_key, show_playground),
    ("/providers/<name>/test", providers.test_provider, providers.show_providers),
    ("/reload", providers.reload, providers.show_providers),
    ("/invites", people.invite, people.show_people),
    ("/invites/<invite_id>/revoke", people.end_invite, people.show_people),
    ("/people/<person_id>/link", people.make_link, people.show_people),
    (
        "/people/<person_id>/disable",
        partial(people.set_disabled, disabled=True),
        people.show_people,
    ),
    (
        "/people/<person_id>/enable",
        partial(people.set_disabled, disabled=False),
        people.show_people,
    ),
    ("/accounts/<account_id>/tier", accounts.change_tier, accounts.show_again),
    ("/accounts/<account_id>/limits", accounts.change_limits, accounts.show_again),
    ("/accounts/<account_id>/top-up", accounts.add_quota, accounts.show_again),
    ("/accounts/<account_id>/clear-quota", accounts.clear_quota, accounts.show_again),
    ("/me/password", me.new_password, me.show_me),
    ("/theme", me.choose_theme, None),
    ("/sign-out", me.leave, None),
)
"""The path, what is done, and the screen that tells why it was not."""

DOORS: Sequence[tuple[str, Knock, Knock]] = (
    ("/sign-in", door.show_sign_in, door.do_sign_in),
    ("/join", door.show_join, door.do_join),
    ("/password", door.show_password, door.do_password),
)
"""The path, its page, and what its form does."""

PROVIDERS: Mapping[str, Knock] = {
    "/sign-in/there": door.go_there,
    "/sign-in/back": door.come_back,
}
"""Links to a provider of OpenID Connect and back."""


class Dashboard:
    """The dashboard's own Klein app; the service's hangs it in below /dashboard/."""

    _app = Klein()

    def __init__(self, backstage: Backstage) -> None:
        self._backstage = backstage

    def get_resource(self) -> IResource:
        """Give the resource of everything below /dashboard/."""
        resource: IResource = self._app.resource()
        return resource

    async def entered(
        self, exchange: SiteExchange, request: GatewayRequest
    ) -> Asked | None:
        """Give who asks; None where nobody is signed in. Raises Overloaded."""
        office = self._backstage.office
        runtime = office.current()
        at = door_of(request, runtime.config.public_url)
        signed = await signed_in(exchange.request.headers, at, office)
        if signed is None:
            return None
        account_id = signed.person.account_id
        account = ""
        if account_id is not None:
            with told_as_faults():
                found = await office.database.read(
                    lambda c: find_account(c, account_id)
                )
            account = found.name
        return asked(
            exchange.request,
            door=at,
            signed=signed,
            base_url=f"{address_of(request, runtime)}/v1",
            account=account,
            backstage=self._backstage,
        )

    def stranger(
        self, exchange: SiteExchange, request: GatewayRequest
    ) -> door.Stranger:
        """Give a request of which no session is asked."""
        office = self._backstage.office
        return door.Stranger(
            request=exchange.request,
            door=door_of(request, office.current().config.public_url),
            office=office,
            query=parse_qs(exchange.request.query),
        )

    # -- routes from the tables above ----------------------------------------------

    # Klein would tell routes apart by the name of their function, which is one here.
    for _path, _show in SCREENS.items():
        _app.route(_path, methods=["GET"], endpoint=f"GET {_path}")(screen(_show))
    for _path, _act, _back in CHANGES:
        _app.route(_path, methods=["POST"], endpoint=f"POST {_path}")(
            change(_act, _back)
        )
    for _path, _get, _post in DOORS:
        _app.route(_path, methods=["GET"], endpoint=f"GET {_path}")(doorstep(_get))
        _app.route(_path, methods=["POST"], endpoint=f"POST {_path}")(doorstep(_post))
    for _path, _get in PROVIDERS.items():
        _app.route(_path, methods=["GET"], endpoint=f"GET {_path}")(doorstep(_get))
    del _path, _show, _act, _back, _get, _post

    # -- files and the like --------------------------------------------------------

    @_app.route("/static/<path:name>", methods=["GET"])
    def static(self, request: IRequest, name: str) -> None:
        """Give a file of the pages."""
        ours = of(request)
        found = asset(name, ours.sent(b"accept-encoding") or "")
        if found is None:
            raise NotFound("There is no such file.")
        ours.answer(found)

    @_app.route("/live", methods=["GET"])
    async def live(self, request: IRequest) -> None:
        """Stream what is under way."""
        exchange = SiteExchange(of(request))
        entered = await self.entered(exchange, of(request))
        if entered is None:
            send(exchange, door.to_sign_in(exchange.request))
        else:
            await stream_live(exchange, self._backstage)

    # -- what goes wrong -----------------------------------------------------------

    @_app.handle_errors(Fault)
    def fault(self, request: IRequest, failure: Failure) -> None:
        """Tell a person of a fault."""
        assert isinstance(failure.value, Fault)
        self._tell(of(request), failure.value)

    @_app.handle_errors(HTTPException)
    def unrouted(self, request: IRequest, failure: Failure) -> None:
        """Tell a person of a path that does not exist, or takes no such method."""
        methods = getattr(failure.value, "valid_methods", None)
        if methods:
            fault: Fault = MethodNotAllowed("This page cannot be asked for that way.")
        else:
            fault = NotFound("There is no such page.")
        self._tell(of(request), fault)

    @_app.handle_errors(CancelledError)
    def cancelled(self, request: IRequest, failure: Failure) -> None:
        """Cut what nobody may take for whole."""
        cut_cancelled(request, failure)

    def _tell(self, request: GatewayRequest, fault: Fault) -> None:
        frame = Frame(
            theme=theme_of(request.record()), now=self._backstage.office.wall()
        )
        request.answer_or_cut(door.stop_page(fault, frame))
