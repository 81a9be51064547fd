"""The files of the pages: compressed once, named by what is in them, kept for a year.

Only what is listed is served. A page names a file by ``address``, which changes with
the file's bytes, so that a browser never asks for it twice and never has an old one.
"""

import gzip
import hashlib
from functools import cache
from importlib.resources import files

from lightweight.records import Answer

_SCRIPT = "text/javascript; charset=utf-8"
_STYLE = "text/css; charset=utf-8"

_TYPES = {
    "theme.css": _STYLE,
    "dashboard.css": _STYLE,
    "icon.svg": "image/svg+xml",
    "chart.js": _SCRIPT,
    "copy.js": _SCRIPT,
    "live.js": _SCRIPT,
    "playground.js": _SCRIPT,
    "vendor/htmx.min.js": _SCRIPT,
    "vendor/uPlot.iife.min.js": _SCRIPT,
    "vendor/uPlot.min.css": _STYLE,
}

ROOT = "/dashboard/static/"


def asset(name: str, accept_encoding: str) -> Answer | None:
    """Give a file, gzipped where the client takes that; None for any other name."""
    if name not in _TYPES:
        return None
    headers = {
        "content-type": _TYPES[name],
        "cache-control": "public, max-age=31536000, immutable",
        "vary": "accept-encoding",
        "x-content-type-options": "nosniff",
    }
    if "gzip" not in accept_encoding.lower():
        return Answer(status=200, headers=headers, body=_read(name))
    return Answer(
        status=200,
        headers={**headers, "content-encoding": "gzip"},
        body=_compressed(name),
    )


@cache
def address(name: str) -> str:
    """Give the path that a page names a file by."""
    return f"{ROOT}{name}?v={hashlib.sha256(_read(name)).hexdigest()[:10]}"


@cache
def _read(name: str) -> bytes:
    return files("lightweight.web").joinpath("static", name).read_bytes()


@cache
def _compressed(name: str) -> bytes:
    # The same bytes each time: mtime would be in them.
    return gzip.compress(_read(name), 9, mtime=0)
