"""A worker's vitals, as far as a test does not care."""

from typing import Any

from lightweight.daemon.messages import Vitals


def vitals(**given: Any) -> Vitals:
    """Make vitals of a worker that does nothing."""
    nothing: dict[str, Any] = {
        "uptime": 1.0,
        "cpu": 0.0,
        "memory": 0,
        "connections": 0,
        "calls": 0,
        "streams": 0,
        "calls_per_s": 0.0,
        "errors_per_s": 0.0,
        "lag": 0.0,
        "providers": {},
    }
    return Vitals(**{**nothing, **given})
