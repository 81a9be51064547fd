"""Asking the admin API of a gateway in memory, whose database is real."""

import itertools
import json
from collections.abc import Mapping
from typing import Any

from support.answered import Answered
from support.gateway import PEPPER, Gateway
from support.until import until
from support.uses import use

from lightweight.records import Account, AdminToken, ApiKey, Person, Role
from lightweight.store.accounts import create_account
from lightweight.store.admin_tokens import create_admin_token
from lightweight.store.api_keys import create_key
from lightweight.store.keys import mint
from lightweight.store.ledger import record
from lightweight.store.people import add_person
from lightweight.store.tokens import ADMIN_PREFIX, mint_token
from lightweight.web.office import Office
from lightweight.web.sessions import csrf_of

PASSWORD = "correct horse battery"
NOW = 1_795_343_000.0
"""A few minutes before a gateway's clock begins."""

BODIES: Mapping[str, dict[str, object]] = {
    "create_an_account": {"name": "new", "tier": "pro"},
    "top_up_account": {"tokens": 1},
    "change_account": {"disabled": True},
    "create_a_key": {"account": "theirs"},
    "change_key": {"limits": {"rpm": 1}},
    "change_person": {"role": "owner"},
    "create_an_invite": {"account": "theirs"},
    "create_token": {"name": "ci"},
    "explain": {"model": "same", "account": "theirs"},
}
"""A body for each operation that an operator could send; ``theirs`` is an account."""

_numbers = itertools.count(1)


class Desk:
    """A gateway, and its office as tests use it."""

    def __init__(self, gateway: Gateway) -> None:
        assert gateway.office is not None
        self.gateway = gateway
        self.office: Office = gateway.office

    async def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        token: str | None = None,
        **headers: str,
    ) -> Answered:
        """Give the whole answer; ``token`` is an admin token."""
        client = self.gateway.connect()
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        if token is not None:
            fields["Authorization"] = f"Bearer {token}"
        sent = None
        if body is not None:
            sent = body if isinstance(body, bytes) else json.dumps(body).encode()
        client.ask(method, path, sent, fields, key=None)
        await until(lambda: b"\r\n\r\n" in client.received and client.answer().whole)
        return client.answer()

    async def asked(
        self, method: str, path: str, body: object = None, **more: str
    ) -> Any:
        """Give the JSON of an answer that must be good."""
        answer = await self.ask(method, path, body, **more)
        assert answer.status in (200, 201), answer.body
        return answer.json()

    async def stocked(self, name: str) -> dict[str, str]:
        """Make an account with everything in it; give ids by the first of a path."""
        account = await self.account(name)
        key, person = (
            await self.key(account),
            await self.person("eve", "member", account),
        )
        made = use("req_1", account_id=account.id, key_id=key.id)
        await self.office.database.run(lambda c: record(c, [made]))
        secret, token = await self.token_and_row()
        draft = {"account": account.id}
        invite = await self.asked("POST", "/admin/v1/invites", draft, token=secret)
        return {
            "accounts": account.id,
            "keys": key.id,
            "people": person.id,
            "invites": invite["details"]["id"],
            "requests": "req_1",
            "tokens": token.id,
            "providers": "one",
        }

    # -- what is there -------------------------------------------------------------

    async def account(self, name: str) -> Account:
        """Make an account."""
        return await self.office.database.run(
            lambda c: create_account(
                c,
                account_id=f"acct_{next(_numbers)}",
                name=name,
                tier="pro",
                now=NOW,
                who="test",
            )
        )

    async def key(self, account: Account, **more: Any) -> ApiKey:
        """Make a key."""
        return await self.office.database.run(
            lambda c: create_key(
                c,
                key_id=f"key_{next(_numbers)}",
                account=account.id,
                name="ci",
                secret=mint(self.office.random_bytes),
                pepper=PEPPER,
                now=NOW,
                who="test",
                **more,
            )
        )

    async def person(
        self, name: str, role: Role = "member", account: Account | None = None
    ) -> Person:
        """Make somebody whose password is PASSWORD."""
        hashed = await self.office.passwords.hashed(PASSWORD)
        return await self.office.database.run(
            lambda c: add_person(
                c,
                person_id=f"person_{next(_numbers)}",
                name=name,
                role=role,
                account_id=None if account is None else account.id,
                password=hashed,
                now=NOW,
            )
        )

    async def token(
        self, role: Role = "operator", account: Account | None = None
    ) -> str:
        """Make an admin token and give its secret."""
        secret, _ = await self.token_and_row(role, account)
        return secret

    async def token_and_row(
        self, role: Role = "operator", account: Account | None = None
    ) -> tuple[str, AdminToken]:
        """Make an admin token."""
        secret = mint_token(self.office.random_bytes, ADMIN_PREFIX)
        made = await self.office.database.run(
            lambda c: create_admin_token(
                c,
                token_id=f"token_{next(_numbers)}",
                secret=secret,
                pepper=PEPPER,
                name="test",
                role=role,
                account=None if account is None else account.id,
                now=NOW,
                who="test",
            )
        )
        return secret, made


def cookies(secret: str, name: str = "lw") -> dict[str, str]:
    """Give the headers of a page of ours that asks for a change."""
    return {
        "Cookie": f"{name}={secret}",
        "Origin": "http://localhost:8080",
        "Host": "localhost:8080",
        "X_CSRF_Token": csrf_of(secret),
    }
