"""Templates to HTML. No page holds a script or a style of its own: its policy forbids.

``PAGE`` are the headers of every page. Pages hold what one person may see, and once a
key's secret: nobody keeps a copy.
"""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from msgspec import Struct

from lightweight.amounts import counted
from lightweight.policy.price import dollars
from lightweight.records import Answer
from lightweight.web.dashboard import figures
from lightweight.web.dashboard.assets import address
from lightweight.web.dashboard.views import Frame

if TYPE_CHECKING:
    from jinja2 import Environment

PAGE: Mapping[str, str] = {
    "content-type": "text/html; charset=utf-8",
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; "
        "base-uri 'none'"
    ),
    "cache-control": "no-store",
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
}


def page(name: str, frame: Frame, view: Struct | None = None) -> str:
    """Give the page of template ``name`` (``usage`` for ``usage.html``) as HTML."""
    template = _environment().get_template(f"{name}.html")
    return template.render(frame=frame, view=view)


def page_answer(
    name: str, frame: Frame, view: Struct | None = None, *, status: int = 200
) -> Answer:
    """Give the same as an answer."""
    return Answer(status=status, headers=PAGE, body=page(name, frame, view).encode())


@cache
def _environment() -> "Environment":
    # A worker starts without it: most never show a page.
    from jinja2 import (  # noqa: PLC0415 -- as it says
        Environment,
        FunctionLoader,
        StrictUndefined,
    )

    environment = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        loader=FunctionLoader(_source),
    )
    environment.filters.update(
        count=figures.count,
        counted=counted,
        short=figures.short,
        usd=figures.usd,
        dollars=dollars,
        seconds=figures.seconds,
        moment=figures.moment,
        machine=figures.machine,
        day=figures.day,
        distance=figures.distance,
        plotted=figures.plotted,
        length_bytes=lambda text: len(text.encode()),
    )
    environment.globals.update(address=address, percent=figures.percent)
    return environment


def _source(name: str) -> str | None:
    place = files("lightweight.web.dashboard").joinpath("templates", name)
    return place.read_text() if place.is_file() else None
