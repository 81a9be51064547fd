"""Alive and ready are two questions."""

import json

from lightweight.web.health import alive, ready


def test_alive_is_always_200() -> None:
    assert alive().status == 200


def test_ready_where_every_check_is_well() -> None:
    answer = ready({"store": lambda: None})
    assert answer.status == 200
    assert json.loads(answer.body) == {
        "status": "ready",
        "checks": {"store": {"ok": True, "why": None}},
    }


def test_one_check_that_is_not_well_says_why() -> None:
    answer = ready({"store": lambda: None, "draining": lambda: "It stops."})
    assert answer.status == 503
    assert json.loads(answer.body)["checks"] == {
        "store": {"ok": True, "why": None},
        "draining": {"ok": False, "why": "It stops."},
    }
