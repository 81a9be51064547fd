"""The guides with this server's address."""

from support.offices import Desk
from support.visits import visitor

from lightweight.web.docs.guides import guides


async def test_every_guide_is_listed_and_opens(desk: Desk) -> None:
    ann = await visitor(desk)
    page = (await ann.get("/integrations")).body.decode()
    for guide in guides():
        assert f'href="/dashboard/integrations/{guide.name}"' in page
        answer = await ann.get(f"/integrations/{guide.name}")
        assert answer.status == 200
        body = answer.body.decode()
        assert "http://localhost:8080" in body
        assert "{{" not in body


async def test_another_is_not_there(desk: Desk) -> None:
    answer = await (await visitor(desk)).get("/integrations/nothing")
    assert answer.status == 404
