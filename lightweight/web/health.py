"""Whether the process lives, and whether it should be sent traffic."""

from collections.abc import Callable, Mapping
from typing import TypeAlias

from lightweight.records import Answer
from lightweight.web.answers import json_answer

Check: TypeAlias = Callable[[], str | None]
"""Gives None where all is well, else one sentence why not, without secrets."""


def alive() -> Answer:
    """Answer 200: a process that answers is alive."""
    return json_answer({"status": "ok"})


def ready(checks: Mapping[str, Check]) -> Answer:
    """Answer 200 where every check is well, else 503; each check says why."""
    found = {name: check() for name, check in checks.items()}
    well = all(why is None for why in found.values())
    return json_answer(
        {
            "status": "ready" if well else "not ready",
            "checks": {
                name: {"ok": why is None, "why": why} for name, why in found.items()
            },
        },
        status=200 if well else 503,
    )
