"""Which web pages may call the API from a browser (Fetch standard, section 3.2).

On for ``/v1`` and ``/api`` only; credentials are never allowed, so a page needs a key.
"""

import re
from functools import lru_cache

from lightweight.records import Headers

_OPEN = ("/v1", "/api")
_BELOW = tuple(f"{root}/" for root in _OPEN)
_HEADER_NAMES = re.compile(r"[A-Za-z0-9_, -]{1,1024}")
_PREFLIGHT_SECONDS = 600
_EXPOSED = ", ".join(
    [
        "x-request-id",
        "retry-after",
        "retry-after-ms",
        "x-should-retry",
        *(
            f"x-ratelimit-{what}-{of}"
            for of in ("requests", "tokens")
            for what in ("limit", "remaining", "reset")
        ),
    ]
)


def _is_open(path: str) -> bool:
    return path.startswith(_BELOW) or path in _OPEN


@lru_cache(maxsize=256)
def cors_headers(path: str, origin: str | None, allowed: tuple[str, ...]) -> Headers:
    """Give what lets ``origin`` read an answer of ``path``; nothing where it may not.

    ``allowed`` is ``cors_origins`` of the configuration; ``*`` allows every origin.
    """
    if not allowed or not _is_open(path):
        return {}
    if "*" in allowed:
        allow = {"access-control-allow-origin": "*"}
    elif origin is None or origin not in allowed:
        return {"vary": "Origin"}
    else:
        allow = {"access-control-allow-origin": origin, "vary": "Origin"}
    return {**allow, "access-control-expose-headers": _EXPOSED}


def preflight_headers(
    path: str, origin: str | None, asked: str, allowed: tuple[str, ...]
) -> Headers | None:
    """Give what a preflight is answered with; None where the path has no CORS.

    ``asked`` is Access-Control-Request-Headers; it is allowed as it is, since a browser
    sends no credentials of its own along.
    """
    if not _is_open(path) or not allowed:
        return None
    granted = cors_headers(path, origin, allowed)
    if "access-control-allow-origin" not in granted:
        return granted
    names = asked if _HEADER_NAMES.fullmatch(asked) else "authorization, content-type"
    return {
        **granted,
        "access-control-allow-methods": "GET, POST, OPTIONS",
        "access-control-allow-headers": names,
        "access-control-max-age": str(_PREFLIGHT_SECONDS),
    }
