"""Messages between processes: a line each, and strangers are noticed."""

from pathlib import Path

import pytest

from lightweight.daemon.messages import (
    LONGEST,
    VERSION,
    Assignment,
    Counted,
    Misunderstood,
    Order,
    Report,
    control_path,
    decode,
    decode_report,
    encode,
    encode_counted,
)
from lightweight.observe.counts import Series


def test_a_message_is_one_line_and_comes_back_whole() -> None:
    report = Report(pid=7, outcome="failed", text="two\nlines")

    line = encode(report)

    assert line.count(b"\n") == 1
    assert decode(line, Report) == report


def test_sockets_keep_their_order() -> None:
    sockets = (("tcp:1", 5), ("unix:/x", 6))
    given = decode(
        encode(Assignment(generation=2, size=1, sockets=sockets, configuration=7)),
        Assignment,
    )

    assert given.sockets == sockets


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (b"hello", "Not a message"),
        (b"{}", "Not a message"),
        (b'{"version":%d,"do":"dance"}' % VERSION, "Not a Order"),
        (b'{"version":%d,"do":"\x80serve"}' % VERSION, "Not a Order"),
        (b'{"version":%d,"do":"serve"}' % (VERSION + 1), "restart the service"),
    ],
)
def test_what_is_not_understood_is_said(line: bytes, told: str) -> None:
    with pytest.raises(Misunderstood, match=told):
        decode(line, Order)


def test_the_control_socket_prefers_the_runtime_directory() -> None:
    state = Path("/state")
    first = {"RUNTIME_DIRECTORY": "/run/lightweight:/run/other"}

    assert control_path(first, state) == Path("/run/lightweight/control.sock")
    assert control_path({}, state) == Path("/state/control.sock")


def test_what_was_counted_takes_as_many_lines_as_it_must() -> None:
    series = [Series("m", ("x" * 60, str(number)), (1.0,)) for number in range(3000)]
    lines = encode_counted(series).splitlines()
    assert len(lines) > 1
    assert max(map(len, lines)) < LONGEST
    told = [decode_report(line) for line in lines]
    assert [s for each in told if isinstance(each, Counted) for s in each.series] == (
        series
    )
    assert encode_counted([]) == b""
