"""One request for a page: who asks, with which parameters, and what comes back.

Changes come as forms. They are taken from our own pages only: the session's token and
the browser's ``Origin`` must both be right (``sessions``).
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar, get_args
from urllib.parse import parse_qs

from msgspec import Struct
from msgspec.structs import replace

from lightweight.errors import BadRequest, TooLarge
from lightweight.records import Answer, Request
from lightweight.store.connect import Connection
from lightweight.store.pages import Place
from lightweight.web.admin.actor import Actor, actor_for
from lightweight.web.dashboard.backstage import Backstage
from lightweight.web.dashboard.render import PAGE, page_answer
from lightweight.web.dashboard.views import Frame, Theme, Visitor
from lightweight.web.office import told_as_faults
from lightweight.web.sessions import CSRF_FIELD, Door, SignedIn

T = TypeVar("T")

MAX_FORM = 64 * 1024
MAX_FIELDS = 300
"""More than the models there are to tick."""

THEMES: tuple[Theme, ...] = get_args(Theme)
THEME_COOKIE = "lw-theme"

_FORM = "application/x-www-form-urlencoded"


class Asked(Struct, frozen=True, kw_only=True):
    """A request of somebody who is signed in."""

    request: Request
    door: Door
    signed: SignedIn
    actor: Actor
    base_url: str
    """What clients are configured with, ``/v1`` included."""
    account: str
    """The name of the visitor's account; empty for an operator without one."""
    backstage: Backstage
    form: Mapping[str, Sequence[str]] = {}
    """Of a change."""
    notice: str = ""
    problem: str = ""

    @property
    def root(self) -> str:
        """The address of this server, without a path."""
        return self.base_url.removesuffix("/v1")

    @property
    def now(self) -> float:
        """Seconds since the epoch."""
        return self.backstage.office.wall()

    def query(self, name: str) -> str:
        """Give a parameter of the address; empty where there is none."""
        return last(parse_qs(self.request.query), name)

    def field(self, name: str) -> str:
        """Give a field of the form without space around it; empty where it has none."""
        return last(self.form, name).strip()

    def secret(self, name: str) -> str:
        """Give a field exactly as it was typed."""
        return last(self.form, name)

    def frame(self, here: str) -> Frame:
        """Give what stands around the screen ``here``."""
        role = self.actor.role
        return Frame(
            visitor=Visitor(
                name=self.signed.person.name,
                account=self.account,
                operator=role == "operator",
                may_invite=role != "member",
            ),
            csrf=self.signed.csrf,
            theme=theme_of(self.request),
            here=here,
            now=self.now,
            notice=self.notice,
            problem=self.problem,
        )

    def page(self, here: str, view: Struct, *, template: str = "") -> Answer:
        """Give the screen ``here`` as an answer."""
        return page_answer(template or here, self.frame(here), view)

    def done(self, notice: str) -> "Asked":
        """Give the same, to be shown after something was done."""
        return replace(self, notice=notice)

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Do ``work`` in a transaction that cannot write.

        Raises the Fault that tells what cannot be done. Cancelling is harmless.
        """
        with told_as_faults():
            return await self.backstage.office.database.read(work)

    async def change(self, work: Callable[[Connection], T]) -> T:
        """Do ``work`` in a transaction that may write. Cancelling does not undo it."""
        with told_as_faults():
            return await self.backstage.office.database.run(work)


def asked(
    request: Request,
    *,
    door: Door,
    signed: SignedIn,
    base_url: str,
    account: str,
    backstage: Backstage,
) -> Asked:
    """Put a request together."""
    return Asked(
        request=request,
        door=door,
        signed=signed,
        actor=actor_for(signed.person),
        base_url=base_url,
        account=account,
        backstage=backstage,
    )


def form_of(request: Request) -> Mapping[str, Sequence[str]]:
    """Read a form (WHATWG URL standard, section 5.1).

    Raises BadRequest for what is none and TooLarge for one that no page of ours sends.
    """
    said = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if said != _FORM:
        raise BadRequest("This is sent by a form of the dashboard.")
    if len(request.body) > MAX_FORM:
        raise TooLarge("The form is larger than any of ours.")
    try:
        return parse_qs(
            request.body.decode(), keep_blank_values=True, max_num_fields=MAX_FIELDS
        )
    except ValueError:
        raise BadRequest("The form cannot be read.") from None


def token_of(form: Mapping[str, Sequence[str]]) -> str:
    """Give the session's token that a form came with."""
    return last(form, CSRF_FIELD)


def last(values: Mapping[str, Sequence[str]], name: str) -> str:
    """Give the last value of a name; empty where there is none."""
    found = values.get(name)
    return found[-1] if found else ""


def said_place(said: str) -> Place | None:
    """Read the place that an address goes on from; None where it names none.

    Raises BadRequest.
    """
    if not said:
        return None
    at, _, row_id = said.partition(",")
    try:
        return Place(float(at), row_id)
    except ValueError:
        raise BadRequest("This address of a page is broken: begin anew.") from None


def said_of(place: Place) -> str:
    """Give what ``said_place`` reads."""
    return f"{place.at!r},{place.id}"


def theme_of(request: Request) -> Theme:
    """Give the theme that the visitor chose."""
    for part in request.headers.get("cookie", "").split(";"):
        name, _, value = part.strip().partition("=")
        if name == THEME_COOKIE and value in THEMES:
            return value
    return "auto"


def see_other(place: str, *, cookies: Sequence[str] = ()) -> Answer:
    """Send a browser on after a change (RFC 9110 section 15.4.4).

    ``place`` is a path of ours, or where a provider lets people sign in; each of
    ``cookies`` is a Set-Cookie field, one at most.
    """
    headers = {**PAGE, "location": place}
    if cookies:
        (headers["set-cookie"],) = cookies
    return Answer(status=303, headers=headers, body=b"")
