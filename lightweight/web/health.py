"""Whether the process lives, and whether it should be sent traffic."""

from collections.abc import Callable, Mapping
from typing import TypeAlias

from lightweight.policy.route import Health
from lightweight.records import Answer
from lightweight.web.answers import json_answer

Check: TypeAlias = Callable[[], str | None]
"""Gives None where all is well, else one sentence why not, without secrets."""


def alive() -> Answer:
    """Answer 200: a process that answers is alive."""
    return json_answer({"status": "ok"})


NOBODY = "Every provider fails and is left alone for now."


def ready(
    checks: Mapping[str, Check],
    providers: Mapping[str, Health],
    troubles: Mapping[str, Check],
) -> Answer:
    """Answer 200 where every check is well, else 503; each check says why.

    Troubles only degrade: the server goes on, but keeps some promise by halves.

    A provider that is left alone is named. Only where all of them are is there nothing
    to send traffic for.
    """
    found = {name: check() for name, check in checks.items()}
    alone = {name: each for name, each in providers.items() if each.state == "open"}
    found["providers"] = NOBODY if alone and len(alone) == len(providers) else None
    well = all(why is None for why in found.values())
    degraded = {name: why for name, check in troubles.items() if (why := check())}
    status = "degraded" if degraded else "ready"
    return json_answer(
        {
            "status": status if well else "not ready",
            "checks": {
                name: {"ok": why is None, "why": why} for name, why in found.items()
            },
            "degraded": degraded,
            "left_alone": {name: {"wait": each.wait} for name, each in alone.items()},
        },
        status=200 if well else 503,
    )
