"""Models that end soon: who is told of, and how often."""

from datetime import UTC, date, datetime

from twisted.internet.task import Clock
from twisted.logger import capturedLogs, formatEvent

from support.gateway import model

from lightweight.daemon.farewells import AHEAD_DAYS, Farewells, ending_soon

TODAY = date(2026, 11, 22)
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC).timestamp()
SOON = model("soon", shutdown_date=date(2026, 11, 30), replacement="other")
"""8 days are left."""


def test_from_thirty_days_before_to_the_last_day() -> None:
    days = [date(2026, 11, 21), TODAY, date(2026, 12, 22), date(2026, 12, 23)]
    models = [model(str(day), shutdown_date=day) for day in days]
    found = ending_soon([*models, model("endless")], TODAY)
    assert [(each.id, left) for each, left in found] == [
        ("2026-11-22", 0),
        ("2026-12-22", AHEAD_DAYS),
    ]


def test_each_day_once() -> None:
    clock = Clock()
    farewells = Farewells(
        clock, lambda: NOON + clock.seconds(), lambda: [SOON, model("endless")]
    )
    with capturedLogs() as told:
        farewells.start()
        clock.pump([3600] * 11)
        (first,) = told
        assert formatEvent(first) == (
            "Model 'soon' ends on 2026-11-30, in 8 days: no provider of this server "
            "has it from then on. Use 'other'."
        )
        clock.pump([3600] * 24)
        assert [event["days"] for event in told] == ["8 days", "7 days"]
    farewells.stop()
    assert clock.getDelayedCalls() == []
    farewells.stop()
