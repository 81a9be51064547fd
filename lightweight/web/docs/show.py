"""The pages of /docs as answers: which address, which models, which guide."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from urllib.parse import quote

from msgspec import Struct

from lightweight.errors import NotFound
from lightweight.records import Answer, Model
from lightweight.runtime import Runtime
from lightweight.web.docs.guides import BLANKS, SAMPLE_KEY, guides
from lightweight.web.docs.page import render_docs, render_integration, render_search
from lightweight.web.docs.search import LONGEST, Entry, around, as_json, entries, found

_HEADERS = {
    "content-type": "text/html; charset=utf-8",
    "content-security-policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
}
SOMEWHERE = "https://this-server"
"""Nobody searches for the address."""

_OF_SOMEBODY = {"cache-control": "no-store"}
"""Of a page with the beginning of somebody's key."""


def show_docs(runtime: Runtime, address: str, key: str = SAMPLE_KEY) -> Answer:
    """Give the page that tells how to use the server at ``address``."""
    return _page(_docs(_Said.of(runtime), address, key), key)


class _Said(Struct, frozen=True):
    """What of a runtime the pages tell."""

    models: tuple[Model, ...]
    catalog_size: int
    tiers: tuple[tuple[str, int | None], ...]

    @staticmethod
    def of(runtime: Runtime) -> "_Said":
        return _Said(
            models=tuple(runtime.offering.listed()),
            catalog_size=len(set(runtime.offering.names.values())),
            tiers=tuple((name, t.limits.rpm) for name, t in runtime.tiers.items()),
        )


def _docs(said: _Said, address: str, key: str) -> str:
    return render_docs(
        base_url=f"{address}/v1",
        models=said.models,
        catalog_size=said.catalog_size,
        example_model=said.models[0].id if said.models else "MODEL",
        tiers=dict(said.tiers),
        key=key,
    )


def show_guide(
    runtime: Runtime, address: str, name: str, key: str = SAMPLE_KEY
) -> Answer:
    """Give the guide of that name; raise NotFound where there is none."""
    for guide in guides():
        if guide.name == name:
            root, model = plain_root(address), plain_model(runtime.offering.listed())
            page = render_integration(guide, root=root, model=model, key=key)
            return _page(page, key)
    raise NotFound("No such guide. /docs lists the ones there are.")


def show_search(runtime: Runtime, question: str) -> Answer:
    """Give the page of what was found, for who runs no script."""
    question = question[:LONGEST]
    fitting = found(question, _index(_Said.of(runtime)))
    results = [(each, around(each.text, question)) for each in fitting]
    return _page(render_search(question, results), SAMPLE_KEY)


def show_index(runtime: Runtime) -> Answer:
    """Give the index for the script that searches."""
    headers = {"content-type": "application/json", "cache-control": "max-age=60"}
    return Answer(status=200, headers=headers, body=as_json(_index(_Said.of(runtime))))


@lru_cache(maxsize=2)
def _index(said: _Said) -> Sequence[Entry]:
    """Make the index, once for what the pages tell: whoever asks, at any address."""
    html = _docs(said, SOMEWHERE, SAMPLE_KEY)
    index = entries("docs", html)
    model = plain_model(said.models)
    for guide in guides():
        html = render_integration(guide, root=SOMEWHERE, model=model)
        index += entries(f"docs/integrations/{guide.name}", html)
    return index


def plain_root(address: str) -> str:
    """Give this server's address as it may stand in a guide.

    An operator's may hold any character: in a URL it can be told in plain ones.
    """
    return quote(address, safe="/:[]@%+,=-")


def plain_model(models: Iterable[Model]) -> str:
    """Give the first model whose name may stand in a guide."""
    plain = (model.id for model in models if BLANKS["model"].fullmatch(model.id))
    return next(plain, "MODEL")


def _page(html: str, key: str) -> Answer:
    headers = _HEADERS if key == SAMPLE_KEY else {**_HEADERS, **_OF_SOMEBODY}
    return Answer(status=200, headers=headers, body=html.encode())
