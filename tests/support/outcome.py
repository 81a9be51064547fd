"""A call's outcome, as far as a test does not care."""

from typing import Any

from lightweight.records import Ending, Outcome


def outcome(ending: Ending, **given: Any) -> Outcome:
    """Make the outcome of a call that ended so."""
    told: dict[str, Any] = {
        "request_id": "r",
        "account_id": "acc_1",
        "key_id": "key_1",
        "model": "m",
        "provider": "acme",
        "upstream_model": "m",
        "dialect": "openai_chat",
        "stream": False,
        "status": 200,
        "fault": None,
        "usage": None,
        "provenance": None,
        "first_byte_s": None,
        "duration_s": 1.0,
        "attempts": (),
    }
    return Outcome(**{**told, "ending": ending, **given})
