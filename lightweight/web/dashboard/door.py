"""The pages before sign-in: name and password, a provider, an invite, a link."""

from collections.abc import Mapping, Sequence
from urllib.parse import quote

from msgspec import Struct
from msgspec.structs import replace

from lightweight.errors import Fault, Forbidden, NotFound
from lightweight.records import Answer, Request
from lightweight.store.invites import invite_of_secret
from lightweight.store.people import person_of_link
from lightweight.web.dashboard.asked import form_of, last, see_other, theme_of
from lightweight.web.dashboard.render import page_answer
from lightweight.web.dashboard.views import DoorView, Frame
from lightweight.web.links import THERE
from lightweight.web.office import Office, told_as_faults
from lightweight.web.openid import arrive, depart
from lightweight.web.sessions import (
    Door,
    SignedIn,
    join,
    replace_password,
    session_cookie,
    sign_in,
)

HOME = "/dashboard/"
SIGN_IN = "/dashboard/sign-in"


class Stranger(Struct, frozen=True, kw_only=True):
    """A request of somebody of whom nothing is known."""

    request: Request
    door: Door
    office: Office
    query: Mapping[str, Sequence[str]]

    def form(self) -> Mapping[str, Sequence[str]]:
        """Give the form; raise BadRequest or TooLarge."""
        return form_of(self.request)


def to_sign_in(request: Request) -> Answer:
    """Send a browser to the sign-in page, and back here after it."""
    if request.method not in ("GET", "HEAD") or request.path == HOME:
        return see_other(SIGN_IN)
    query = f"?{request.query}" if request.query else ""
    return see_other(f"{SIGN_IN}?next={quote(request.path + query, safe='')}")


def next_page(said: str) -> str:
    """Give where to go after sign-in: a screen of ours, whatever was asked for."""
    # A backslash is a slash to browsers (WHATWG URL standard, section 4.4).
    local = said.startswith(HOME) and "\\" not in said and said.isprintable()
    return said if local else HOME


# -- name and password -------------------------------------------------------------


async def show_sign_in(stranger: Stranger) -> Answer:
    """Show the sign-in page."""
    return _sign_in(stranger, DoorView(next=last(stranger.query, "next")))


async def do_sign_in(stranger: Stranger) -> Answer:
    """Let somebody in, or show the page again with the reason."""
    form = stranger.form()
    name, onwards = last(form, "name"), last(form, "next")
    try:
        signed = await sign_in(
            name,
            last(form, "password"),
            headers=stranger.request.headers,
            door=stranger.door,
            office=stranger.office,
        )
    except Fault as fault:
        return _sign_in(stranger, DoorView(name=name, next=onwards), fault=fault)
    return _let_in(stranger, signed, next_page(onwards))


def _sign_in(
    stranger: Stranger, view: DoorView, *, fault: Fault | None = None
) -> Answer:
    office = stranger.office
    provider = office.openid()
    if provider is not None:
        # A ticket counts where people come back to: at the public address.
        there = f"{office.current().config.public_url}{THERE}"
        view = replace(
            view,
            provider=provider.config.name,
            there=f"{there}?next={quote(view.next, safe='')}",
        )
    return _page(stranger, "sign_in", view, fault=fault)


# -- a provider of OpenID Connect --------------------------------------------------


async def go_there(stranger: Stranger) -> Answer:
    """Send a browser to the provider, or show the sign-in page with the reason."""
    onwards = next_page(last(stranger.query, "next"))
    try:
        departure = await depart(onwards, stranger.door, stranger.office)
    except NotFound:
        raise
    except Fault as fault:
        return _sign_in(stranger, DoorView(next=onwards), fault=fault)
    return see_other(departure.url, cookies=[departure.cookie])


async def come_back(stranger: Stranger) -> Answer:
    """Let somebody in whom the provider knows, or show the page with the reason."""
    try:
        signed, onwards = await arrive(
            stranger.query, stranger.request.headers, stranger.door, stranger.office
        )
    except NotFound:
        raise
    except Fault as fault:
        return _sign_in(stranger, DoorView(), fault=fault)
    return _let_in(stranger, signed, next_page(onwards))


# -- an invite ---------------------------------------------------------------------


async def show_join(stranger: Stranger) -> Answer:
    """Show the page on which an invite is accepted."""
    view = await _invited(stranger, last(stranger.query, "invite"), "")
    return _page(stranger, "sign_up", view)


async def do_join(stranger: Stranger) -> Answer:
    """Make the person of an invite, or show the page again with the reason."""
    form = stranger.form()
    token, name = last(form, "token"), last(form, "name")
    try:
        signed = await join(
            token,
            name,
            last(form, "password"),
            headers=stranger.request.headers,
            door=stranger.door,
            office=stranger.office,
        )
    except NotFound:
        raise
    except Fault as fault:
        view = await _invited(stranger, token, name)
        return _page(stranger, "sign_up", view, fault=fault)
    return _let_in(stranger, signed, HOME)


async def _invited(stranger: Stranger, token: str, name: str) -> DoorView:
    office = stranger.office
    with told_as_faults():
        invite = await office.database.read(
            lambda c: invite_of_secret(
                c, token, pepper=office.pepper, now=office.wall()
            )
        )
    return DoorView(
        token=token,
        name=name,
        account=invite.account_name or "",
        new_account=invite.account_name is not None,
    )


# -- a forgotten password ----------------------------------------------------------


async def show_password(stranger: Stranger) -> Answer:
    """Show the page on which a one-time link chooses a password."""
    view = await _linked(stranger, last(stranger.query, "link"))
    return _page(stranger, "set_password", view)


async def do_password(stranger: Stranger) -> Answer:
    """Set the password, or show the page again with the reason."""
    form = stranger.form()
    token = last(form, "token")
    try:
        signed = await replace_password(
            token,
            last(form, "password"),
            headers=stranger.request.headers,
            door=stranger.door,
            office=stranger.office,
        )
    except NotFound:
        raise
    except Fault as fault:
        view = await _linked(stranger, token)
        return _page(stranger, "set_password", view, fault=fault)
    return _let_in(stranger, signed, HOME)


async def _linked(stranger: Stranger, token: str) -> DoorView:
    office = stranger.office
    with told_as_faults():
        person = await office.database.read(
            lambda c: person_of_link(c, token, pepper=office.pepper, now=office.wall())
        )
    return DoorView(token=token, name=person.name)


# -- what they share ---------------------------------------------------------------


def stop_page(fault: Fault, frame: Frame) -> Answer:
    """Tell of a fault on a page of its own."""
    title = _TITLES.get(type(fault), "That did not work")
    view = DoorView(name=title, account=fault.message)
    return page_answer("stop", frame, view, status=fault.status)


_TITLES: Mapping[type[Fault], str] = {
    NotFound: "Nothing here",
    Forbidden: "Not for you",
}


def _page(
    stranger: Stranger, template: str, view: DoorView, *, fault: Fault | None = None
) -> Answer:
    closed = stranger.door.why_closed or ""
    frame = Frame(
        theme=theme_of(stranger.request),
        now=stranger.office.wall(),
        problem=fault.message if fault else "",
    )
    return page_answer(
        template,
        frame,
        replace(view, impossible=closed),
        status=fault.status if fault else 200,
    )


def _let_in(stranger: Stranger, signed: SignedIn, path: str) -> Answer:
    return see_other(path, cookies=[session_cookie(stranger.door, signed.secret)])
