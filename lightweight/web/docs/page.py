"""GET /docs: how to use this server, with its own address and its own models.

The pages need no script and no inline style: a Content-Security-Policy of
``default-src 'none'; style-src 'self'; img-src 'self'`` suits them. They expect to be
served at ``/docs`` and ``/docs/integrations/NAME`` and find their files at
``/static/NAME`` (relative addresses, so a prefix in front of all is fine).
"""

import json
import shlex
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from lightweight.records import Model
from lightweight.web.docs.guides import (
    SAMPLE_KEY,
    Guide,
    by_kind,
    filled,
    render_guide,
)

if TYPE_CHECKING:
    from jinja2 import Environment

_STATIC = {
    "theme.css": "text/css; charset=utf-8",
    "docs.css": "text/css; charset=utf-8",
    "icon.svg": "image/svg+xml",
}
"""Every file that may be served, by name, with its Content-Type."""


def render_docs(
    *,
    base_url: str,
    models: Sequence[Model],
    catalog_size: int,
    example_model: str,
    tiers: Mapping[str, int | None],
) -> str:
    """Give the page as HTML.

    ``base_url`` is what clients are told to set, ``/v1`` included. ``models`` are those
    on offer in the order to show them, ``catalog_size`` counts those we know,
    ``example_model`` stands in the snippets. ``tiers`` maps a tier to its requests per
    minute, None where that is set for each account; no tiers, no section on limits.
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
        )
    )


def render_integration(guide: Guide, *, root: str, model: str) -> str:
    """Give a guide's page as HTML, filled in for a visitor whose key nobody knows.

    ``root`` is this server's address. Raise ValueError as ``filled`` does.
    """
    text = filled(guide, base_url=f"{root}/v1", root=root, key=SAMPLE_KEY, model=model)
    return (
        _templates()
        .get_template("guide.html")
        .render(
            up="../../",
            guide=guide,
            body=render_guide(text),
            kinds=by_kind(),
            key=SAMPLE_KEY,
            model=model,
        )
    )


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
