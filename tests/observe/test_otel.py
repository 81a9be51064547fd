"""Traces where the environment wants them, and a sentence where they cannot be."""

import sys
from collections.abc import Callable, Mapping

from twisted.logger import ILogObserver, LogEvent, formatEvent, globalLogPublisher
from zope.interface import implementer

import pytest

from lightweight.observe.access import Visit
from lightweight.observe.otel import told_of, wanted

HERE = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"}


@pytest.mark.parametrize(
    ("environ", "are"),
    [
        ({}, False),
        (HERE, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:1"}, True),
        ({**HERE, "OTEL_SDK_DISABLED": "true"}, False),
        ({**HERE, "OTEL_TRACES_EXPORTER": "none"}, False),
        ({**HERE, "OTEL_TRACES_EXPORTER": "otlp"}, True),
    ],
)
def test_whether_traces_are_wanted(environ: Mapping[str, str], *, are: bool) -> None:
    assert wanted(environ) is are


def record(_visit: Visit) -> None:
    """Take a visit."""


def test_without_it_nothing_stands_between() -> None:
    assert told_of(record, {}, never) is record


def never(_close: Callable[[], None]) -> None:
    raise AssertionError("there is nothing to close")


def test_without_the_extra_a_sentence_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    lines: list[str] = []

    @implementer(ILogObserver)
    def observe(event: LogEvent) -> None:
        lines.append(formatEvent(event))

    monkeypatch.setitem(sys.modules, "opentelemetry.exporter", None)
    monkeypatch.delitem(sys.modules, "lightweight.observe.spans", raising=False)
    for name in [each for each in sys.modules if "opentelemetry.exporter." in each]:
        monkeypatch.delitem(sys.modules, name)
    globalLogPublisher.addObserver(observe)
    try:
        assert told_of(record, HERE, never) is record
    finally:
        globalLogPublisher.removeObserver(observe)
    assert "OTEL_EXPORTER_OTLP_ENDPOINT is set" in lines[0]
    assert "[otel]" in lines[0]
