"""A visit knows whose trace it is part of."""

from support.visit import visit as made

from lightweight.observe.access import Visit

TRACE = "0af7651916cd43dd8448eb211c80319c"


def visit(traceparent: str | None) -> Visit:
    return made(traceparent=traceparent)


def test_the_trace_of_a_visit() -> None:
    assert visit(f"00-{TRACE}-b7ad6b7169203331-01").trace_id == TRACE
    assert visit(f"cc-{TRACE}-b7ad6b7169203331-01-later").trace_id == TRACE
    assert visit(None).trace_id is None
