"""GET /docs: how to use this server, with its own address and its own models.

The pages are whole without their scripts, which search while one types and copy
snippets, and hold none inline, nor a style. They expect to be served at ``/docs``,
``/docs/search`` and ``/docs/integrations/NAME`` and find their files at
``/static/NAME`` (relative addresses, so a prefix in front of all is fine).
"""

import json
import shlex
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from lightweight.amounts import counted
from lightweight.records import Model
from lightweight.web.docs.guides import (
    SAMPLE_KEY,
    Guide,
    by_kind,
    filled,
    render_guide,
)
from lightweight.web.docs.search import Entry

if TYPE_CHECKING:
    from jinja2 import Environment

_STATIC = {
    "theme.css": "text/css; charset=utf-8",
    "docs.css": "text/css; charset=utf-8",
    "icon.svg": "image/svg+xml",
    "copy.js": "text/javascript; charset=utf-8",
    "docs.js": "text/javascript; charset=utf-8",
}
"""Every file that may be served, by name, with its Content-Type."""


def render_docs(
    *,
    base_url: str,
    models: Sequence[Model],
    catalog_size: int,
    example_model: str,
    tiers: Mapping[str, int | None],
    key: str = SAMPLE_KEY,
) -> str:
    """Give the page as HTML.

    ``base_url`` is what clients are told to set, ``/v1`` included. ``models`` are those
    on offer in the order to show them, ``catalog_size`` counts those we know,
    ``example_model`` stands in the snippets. ``tiers`` maps a tier to its requests per
    minute, None where that is set for each account; no tiers, no section on limits.
    ``key`` stands for the visitor's.
    """
    return (
        _templates()
        .get_template("page.html")
        .render(
            up="",
            base_url=base_url.rstrip("/"),
            root=base_url.rstrip("/").removesuffix("/v1"),
            models=models,
            catalog_size=catalog_size,
            example_model=example_model,
            curl_body=_curl_body(example_model),
            kinds=by_kind(),
            tiers=tiers,
            key=key,
        )
    )


def render_integration(
    guide: Guide, *, root: str, model: str, key: str = SAMPLE_KEY
) -> str:
    """Give a guide's page as HTML, filled in.

    ``root`` is this server's address, ``key`` stands for the visitor's. Raise
    ValueError as ``filled`` does.
    """
    text = filled(guide, base_url=f"{root}/v1", root=root, key=key, model=model)
    return (
        _templates()
        .get_template("guide.html")
        .render(
            up="../../",
            guide=guide,
            body=render_guide(text),
            kinds=by_kind(),
            key=key,
            model=model,
        )
    )


def render_search(question: str, results: Sequence[tuple[Entry, str]]) -> str:
    """Give the page of what was found: sections, each with the part that fits."""
    template = _templates().get_template("search.html")
    return template.render(up="../", question=question, results=results)


def static_file(name: str) -> tuple[bytes, str] | None:
    """Give a file of the page and its Content-Type; None for any other name."""
    content_type = _STATIC.get(name)
    if content_type is None:
        return None
    return _read(name), content_type


@cache
def _read(name: str) -> bytes:
    return files("lightweight.web").joinpath("static", name).read_bytes()


@cache
def _templates() -> "Environment":
    # A worker starts without it: most never show a page.
    from jinja2 import (  # noqa: PLC0415 -- as it says
        Environment,
        PackageLoader,
        StrictUndefined,
    )

    environment = Environment(
        loader=PackageLoader("lightweight.web", "docs"),
        auto_reload=False,
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["counted"] = counted
    # Snippets are pasted into shells and programs: what we put into them is quoted for
    # those first, and for HTML by autoescape afterwards.
    environment.filters["shell"] = shlex.quote
    return environment


def _curl_body(model: str) -> str:
    """A request's JSON, laid out as one would type it behind ``-d``."""
    return f"""{{
    "model": {json.dumps(model)},
    "messages": [
      {{"role": "system", "content": "You are a helpful assistant."}},
      {{"role": "user", "content": "Write a quicksort in Python."}}
    ],
    "stream": true
  }}"""
