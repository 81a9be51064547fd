"""Visits as tests need them."""

from typing import Any

from lightweight.observe.access import Visit


def visit(**given: Any) -> Visit:
    """Give a POST that went well, but for what is ``given``."""
    told: dict[str, Any] = {
        "request_id": "r",
        "peer": "",
        "method": "POST",
        "path": "/",
        "status": 200,
        "sent": 0,
        "at": 0.0,
        "duration_s": 0.0,
    }
    return Visit(**{**told, **given})
