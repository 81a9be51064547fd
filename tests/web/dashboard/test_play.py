"""The playground's page; what its script does is tested in a browser."""

from support.gateway import EPOCH
from support.offices import Desk
from support.visits import said, visitor

from lightweight.store.api_keys import key_page


async def test_prices_are_there_for_the_script(desk: Desk) -> None:
    answer = await (await visitor(desk)).get("/playground?model=renamed")
    body = answer.body.decode()
    assert (
        '<option value="renamed" selected data-input="1000000" '
        'data-output="10000000" data-cached="1000000">'
    ) in body
    assert '<option value="same">' in body
    assert 'data-base="http://localhost:8080/v1"' in body


async def test_a_key_for_an_hour(desk: Desk) -> None:
    acme = await desk.account("acme")
    ann = await visitor(desk, "member", acme)
    answer = await ann.post("/playground/key", {"model": "same"})
    assert "This key works for an hour." in said(answer)
    assert '<option value="same" selected>' in answer.body.decode()
    (key,) = await desk.office.database.read(key_page)
    assert (key.name, key.expires_at) == ("playground", EPOCH + 3600)
    assert key.account_id == acme.id
