"""Whose key the docs are filled in with."""

from support.offices import Desk
from support.visits import visitor

from lightweight.store.api_keys import revoke_key
from lightweight.web.docs.guides import SAMPLE_KEY
from lightweight.web.docs.prefix import example_key


async def test_who_is_signed_in_finds_the_beginning_of_the_own_key(desk: Desk) -> None:
    acme = await desk.account("acme")
    key = await desk.key(acme)
    await desk.key(await desk.account("other"))
    ann = await visitor(desk, "member", acme)
    begun = key.shown[:8]
    for path in ("/docs", "/docs/integrations/curl"):
        answer = await desk.ask(
            "GET", path, Cookie=f"lw={ann.secret}", Host="localhost"
        )
        assert f"{begun}-and-the-rest-of-your-key" in answer.body.decode()
        assert answer.headers["cache-control"] == "no-store"
        stranger = await desk.ask("GET", path, Host="localhost")
        assert begun not in stranger.body.decode()
        assert SAMPLE_KEY in stranger.body.decode()
        assert "cache-control" not in stranger.headers
    assert begun in await ann.text("/integrations/curl")


async def test_a_key_that_works_no_more_is_not_named(desk: Desk) -> None:
    acme = await desk.account("acme")
    key = await desk.key(acme)
    read = desk.office.database.read
    now = desk.office.wall()
    assert (await read(lambda c: example_key(c, acme.id, now))).startswith(
        key.shown[:8]
    )
    await desk.office.database.run(lambda c: revoke_key(c, key.id, now=now, who="test"))
    assert await read(lambda c: example_key(c, acme.id, now)) == SAMPLE_KEY


async def test_an_operator_without_an_account_has_none(desk: Desk) -> None:
    boss = await visitor(desk)
    answer = await desk.ask(
        "GET", "/docs", Cookie=f"lw={boss.secret}", Host="localhost"
    )
    assert SAMPLE_KEY in answer.body.decode()
