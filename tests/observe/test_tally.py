"""Visits are counted on their way to the log."""

import pytest
from support.outcome import outcome
from support.visit import visit

from lightweight.observe.access import Visit
from lightweight.observe.tally import Tally


@pytest.mark.parametrize(
    ("seen", "calls", "errors"),
    [
        (visit(), 0, 0),
        (visit(status=404), 0, 0),
        (visit(status=503), 0, 1),
        (visit(outcome=outcome("finished")), 1, 0),
        (visit(outcome=outcome("client_gone")), 1, 0),
        (visit(outcome=outcome("cut")), 1, 1),
        (visit(outcome=outcome("failed"), status=502), 1, 1),
    ],
)
def test_calls_and_errors_are_counted(seen: Visit, calls: int, errors: int) -> None:
    passed: list[Visit] = []
    tally = Tally(passed.append)

    tally.count(seen)

    assert (tally.calls, tally.errors) == (calls, errors)
    assert passed == [seen]
