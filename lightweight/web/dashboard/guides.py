"""The integration guides with this server's address in them."""

from lightweight.errors import NotFound
from lightweight.records import Answer
from lightweight.web.dashboard.asked import Asked
from lightweight.web.dashboard.views import GuideLine, GuidesView
from lightweight.web.docs.guides import SAMPLE_KEY, filled, guides, render_guide
from lightweight.web.docs.prefix import example_key
from lightweight.web.docs.show import plain_model, plain_root


async def show_guides(asked: Asked) -> Answer:
    """Show which guides there are."""
    view = GuidesView(
        guides=[
            GuideLine(name=each.name, title=each.title, about=each.about)
            for each in guides()
        ],
        base_url=asked.base_url,
    )
    return asked.page("integrations", view)


async def show_guide(asked: Asked, name: str) -> Answer:
    """Show one guide. Raises NotFound where there is none of the name."""
    guide = next((each for each in guides() if each.name == name), None)
    if guide is None:
        raise NotFound("There is no such guide.")
    account_id, key = asked.signed.person.account_id, SAMPLE_KEY
    if account_id is not None:
        key = await asked.read(lambda c: example_key(c, account_id, asked.now))
    root = plain_root(asked.root)
    offered = asked.backstage.office.current().offering.listed()
    text = filled(
        guide, base_url=f"{root}/v1", root=root, key=key, model=plain_model(offered)
    )
    view = GuidesView(
        guides=(),
        open=name,
        title=guide.title,
        html=render_guide(text),
        base_url=asked.base_url,
    )
    return asked.page("integrations", view)
