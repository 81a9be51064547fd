"""GET /docs: how to use this server, with its own address and its own models.

The page needs no script and no inline style: a Content-Security-Policy of
``default-src 'none'; style-src 'self'; img-src 'self'`` suits it. It expects to be
served at ``/docs`` and finds its files at ``/static/NAME`` (relative addresses, so a
prefix in front of both is fine).
"""

import json
import shlex
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files

from jinja2 import Environment, StrictUndefined, Template

from lightweight.records import Model

_STATIC = {
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
    return _page().render(
        base_url=base_url.rstrip("/"),
        models=models,
        catalog_size=catalog_size,
        example_model=example_model,
        curl_body=_curl_body(example_model),
        tiers=tiers,
    )


def static_file(name: str) -> tuple[bytes, str] | None:
    """Give a file of the page and its Content-Type; None for any other name."""
    content_type = _STATIC.get(name)
    if content_type is None:
        return None
    return _read("static", name), content_type


@cache
def _read(folder: str, name: str) -> bytes:
    return files("lightweight.web").joinpath(folder, name).read_bytes()


@cache
def _page() -> Template:
    environment = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    # Snippets are pasted into shells and programs: what we put into them is quoted for
    # those first, and for HTML by autoescape afterwards.
    environment.filters["shell"] = shlex.quote
    environment.filters["literal"] = _literal
    return environment.from_string(_read("docs", "page.html").decode())


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


def _literal(text: str) -> str:
    """A string literal that Python and JavaScript read alike."""
    return json.dumps(text)
