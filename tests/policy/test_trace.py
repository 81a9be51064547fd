"""Only what W3C Trace Context lets through is passed on."""

import pytest

from lightweight.policy.trace import parent_of, trace_of

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = f"00-{TRACE}-b7ad6b7169203331-01"


@pytest.mark.parametrize(
    "parent",
    [PARENT, f" {PARENT} ", f"cc-{TRACE}-b7ad6b7169203331-01-what.the-future-brings"],
)
def test_a_trace_is_passed_on_with_its_state(parent: str) -> None:
    state = "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE"
    assert trace_of({"traceparent": parent, "tracestate": state, "x": "y"}) == {
        "traceparent": parent.strip(),
        "tracestate": state,
    }
    assert parent_of(parent) == parent.strip()


@pytest.mark.parametrize(
    "parent",
    [
        "",
        "t",
        PARENT.upper(),
        f"{PARENT}-more",
        f"ff{PARENT[2:]}",
        f"00-{'0' * 32}-b7ad6b7169203331-01",
        f"00-{TRACE}-{'0' * 16}-01",
        PARENT[:-1],
        f"{PARENT}, {PARENT}",
        f"cc-{TRACE}-b7ad6b7169203331-01-{'x' * 300}",
        f"{PARENT}\x00",
    ],
)
def test_what_is_none_is_dropped_with_its_state(parent: str) -> None:
    assert trace_of({"traceparent": parent, "tracestate": "a=b"}) == {}
    assert parent_of(parent) is None


@pytest.mark.parametrize("state", ["", "x" * 513, "a=\x00", "a=é"])
def test_a_state_that_cannot_be_passed_on_is_dropped_alone(state: str) -> None:
    told = {"traceparent": PARENT, "tracestate": state}
    assert trace_of(told) == {"traceparent": PARENT}


def test_nobody_said_anything() -> None:
    assert trace_of({"tracestate": "a=b"}) == {}
    assert parent_of(None) is None
