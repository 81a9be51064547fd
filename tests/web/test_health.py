"""Alive and ready are two questions."""

import json

from lightweight.policy.route import Health
from lightweight.web.health import NOBODY, alive, ready

WELL = Health(state="closed", wait=0.0, resting={"m": 3.0})
TRIED = Health(state="half-open", wait=1.0, resting={})
ALONE = Health(state="open", wait=4.5, resting={})


def test_alive_is_always_200() -> None:
    assert alive().status == 200


def test_ready_where_every_check_is_well() -> None:
    answer = ready({"store": lambda: None}, {"acme": WELL}, {})
    assert answer.status == 200
    assert json.loads(answer.body) == {
        "status": "ready",
        "checks": {
            "store": {"ok": True, "why": None},
            "providers": {"ok": True, "why": None},
        },
        "degraded": {},
        "left_alone": {},
    }


def test_one_check_that_is_not_well_says_why() -> None:
    answer = ready({"store": lambda: None, "draining": lambda: "It stops."}, {}, {})
    assert answer.status == 503
    assert json.loads(answer.body)["checks"] == {
        "store": {"ok": True, "why": None},
        "draining": {"ok": False, "why": "It stops."},
        "providers": {"ok": True, "why": None},
    }


def test_who_is_left_alone_is_named_while_others_serve() -> None:
    answer = ready({}, {"one": ALONE, "two": TRIED}, {})
    assert answer.status == 200
    assert json.loads(answer.body)["left_alone"] == {"one": {"wait": 4.5}}


def test_where_all_are_left_alone_no_traffic_should_come() -> None:
    answer = ready({}, {"one": ALONE, "two": ALONE}, {})
    assert answer.status == 503
    assert json.loads(answer.body)["checks"]["providers"]["why"] == NOBODY


def test_a_trouble_degrades_and_no_more() -> None:
    answer = ready({}, {}, {"limits": lambda: "Redis is away.", "x": lambda: None})
    told = json.loads(answer.body)
    assert (answer.status, told["status"]) == (200, "degraded")
    assert told["degraded"] == {"limits": "Redis is away."}
    answer = ready({"load": lambda: "Too much."}, {}, {"limits": lambda: "Away."})
    assert (answer.status, json.loads(answer.body)["status"]) == (503, "not ready")
