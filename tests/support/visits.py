"""Somebody who is signed in to the dashboard of a gateway in memory."""

import html
import re
from typing import Any
from urllib.parse import urlencode

from support.answered import Answered
from support.gateway import EPOCH, PEPPER
from support.offices import Desk, cookies

from lightweight.records import Account, Person, Role, Use
from lightweight.store.connect import Connection
from lightweight.store.ledger import record
from lightweight.store.sessions import begin_session, credential_of
from lightweight.web.sessions import csrf_of

FORM = "application/x-www-form-urlencoded"


class Visitor:
    """A browser with a session."""

    def __init__(self, desk: Desk, person: Person, secret: str) -> None:
        self.desk = desk
        self.person = person
        self.secret = secret

    async def get(self, path: str, **headers: str) -> Answered:
        """Ask for ``path`` below /dashboard."""
        fields = cookies(self.secret)
        del fields["X_CSRF_Token"]
        return await self.desk.ask("GET", f"/dashboard{path}", **fields | headers)

    async def post(
        self, path: str, form: dict[str, Any] | None = None, **headers: str
    ) -> Answered:
        """Send a form of a page of ours."""
        fields = {"csrf": csrf_of(self.secret), **(form or {})}
        told = cookies(self.secret)
        del told["X_CSRF_Token"]
        return await self.desk.ask(
            "POST",
            f"/dashboard{path}",
            urlencode(fields, doseq=True).encode(),
            **{"Content_Type": FORM, **told, **headers},
        )

    async def text(self, path: str) -> str:
        """Give what a page that must be good says."""
        answer = await self.get(path)
        assert answer.status == 200, answer.body
        return said(answer)


def said(answer: Answered) -> str:
    """Give the text of a page, without its tags."""
    bare = re.sub(r"<[^>]*>", " ", answer.body.decode())
    return " ".join(html.unescape(bare).split())


async def visitor(
    desk: Desk,
    role: Role = "operator",
    account: Account | None = None,
    name: str = "ann",
) -> Visitor:
    """Make somebody and sign them in."""
    person = await desk.person(name, role, account)
    secret = f"session-of-{name}"

    def work(connection: Connection) -> bool:
        checked = credential_of(connection, person.name)
        assert checked is not None
        return begin_session(
            connection,
            checked,
            secret=secret,
            replaces=None,
            address="192.0.2.1",
            pepper=PEPPER,
            now=EPOCH,
        )

    assert await desk.office.database.run(work)
    return Visitor(desk, person, secret)


async def recorded(desk: Desk, *uses: Use) -> None:
    """Put uses into the ledger."""
    await desk.office.database.run(lambda c: record(c, uses))
