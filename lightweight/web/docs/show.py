"""The pages of /docs as answers: which address, which models, which guide."""

from collections.abc import Iterable
from urllib.parse import quote

from lightweight.errors import NotFound
from lightweight.records import Answer, Model
from lightweight.runtime import Runtime
from lightweight.web.docs.guides import BLANKS, guides
from lightweight.web.docs.page import render_docs, render_integration

_HEADERS = {
    "content-type": "text/html; charset=utf-8",
    "content-security-policy": "default-src 'none'; style-src 'self'; img-src 'self'",
}


def show_docs(runtime: Runtime, address: str) -> Answer:
    """Give the page that tells how to use the server at ``address``."""
    models = runtime.offering.listed()
    page = render_docs(
        base_url=f"{address}/v1",
        models=models,
        catalog_size=len(set(runtime.offering.names.values())),
        example_model=models[0].id if models else "MODEL",
        tiers={name: tier.limits.rpm for name, tier in runtime.tiers.items()},
    )
    return _page(page)


def show_guide(runtime: Runtime, address: str, name: str) -> Answer:
    """Give the guide of that name; raise NotFound where there is none."""
    for guide in guides():
        if guide.name == name:
            root, model = plain_root(address), plain_model(runtime.offering.listed())
            return _page(render_integration(guide, root=root, model=model))
    raise NotFound("No such guide. /docs lists the ones there are.")


def plain_root(address: str) -> str:
    """Give this server's address as it may stand in a guide.

    An operator's may hold any character: in a URL it can be told in plain ones.
    """
    return quote(address, safe="/:[]@%+,=-")


def plain_model(models: Iterable[Model]) -> str:
    """Give the first model whose name may stand in a guide."""
    plain = (model.id for model in models if BLANKS["model"].fullmatch(model.id))
    return next(plain, "MODEL")


def _page(html: str) -> Answer:
    return Answer(status=200, headers=_HEADERS, body=html.encode())
