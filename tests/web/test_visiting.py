"""A line is written once, when the answer and every call behind it ended."""

from support.outcome import outcome

from lightweight.records import Outcome
from lightweight.web.visiting import Visiting


def visiting() -> tuple[Visiting, list[tuple[int, Outcome | None]]]:
    lines: list[tuple[int, Outcome | None]] = []
    one = Visiting()
    one.report = lambda status, of: lines.append((status, of))
    return one, lines


def test_without_a_call_the_answer_is_all() -> None:
    one, lines = visiting()
    one.answered(404)
    assert lines == [(404, None)]


def test_a_call_holds_the_line_back() -> None:
    one, lines = visiting()
    one.call_began()
    one.answered(200)
    assert lines == []
    how = outcome("finished")
    one.call_ended(how)
    assert lines == [(200, how)]


def test_a_call_may_end_before_its_answer() -> None:
    one, lines = visiting()
    one.call_began()
    one.call_ended(None)
    assert lines == []
    one.answered(499)
    assert lines == [(499, None)]
