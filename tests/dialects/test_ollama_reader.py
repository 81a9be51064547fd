"""An Ollama server's answer as events."""

import pytest
from hypothesis import given
from support.chat import PLACES, Damage, cut, damages, read
from support.ollama import CHAT, COUNTS, call, last, line

from lightweight.errors import ProviderCut, ProviderFault, ProviderGarbage
from lightweight.events import (
    Event,
    Finished,
    ReasoningDelta,
    Started,
    TextDelta,
    ToolCallDelta,
    Unknown,
    UsageReported,
)
from lightweight.records import Usage

STARTED = Started(id="", created=1_700_000_000, model="up")
USED = UsageReported(usage=Usage(fresh=7, answer=2))
CALLED = [
    {"function": {"name": "f", "arguments": {"a": [1]}}},
    {"id": "theirs", "function": {"name": "g"}},
]
SPOKEN = (
    line("", message={"thinking": "hm"})
    + line("Hi")
    + line("", message={"tool_calls": CALLED})
    + last()
)


def heard(data: bytes, *, stream: bool = True) -> list[Event]:
    events, fault = read(CHAT.reader(call(stream=stream)), [data])
    assert fault is None
    return events


def test_everything_at_once() -> None:
    assert heard(SPOKEN) == [
        STARTED,
        ReasoningDelta(text="hm"),
        TextDelta(text="Hi"),
        ToolCallDelta(call=0, id="call_r1_0", name="f", arguments='{"a": [1]}'),
        ToolCallDelta(call=1, id="theirs", name="g", arguments="{}"),
        Finished(reason="tool_calls"),
        USED,
    ]


def test_a_whole_answer() -> None:
    data = line("Hi", done=True, done_reason="length", **COUNTS)
    assert heard(data, stream=False) == [
        STARTED,
        TextDelta(text="Hi"),
        Finished(reason="length"),
        USED,
    ]


def test_too_long_is_said_also_where_tools_are_called() -> None:
    data = line("", message={"tool_calls": CALLED}) + last("length")
    assert Finished(reason="length") in heard(data)


def test_what_has_no_word_is_told_as_it_is() -> None:
    told = line("Hi", logprobs=[{"token": "Hi"}])
    assert Unknown(raw=told) in heard(told + last())


def test_the_last_line_may_lack_its_end() -> None:
    assert heard(line("Hi") + last().rstrip())[-1] == USED


def test_what_ends_early_is_cut() -> None:
    events, fault = read(CHAT.reader(call()), [line("Hi")])
    assert events == [STARTED, TextDelta(text="Hi")]
    assert isinstance(fault, ProviderCut)


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"<html>"])
def test_a_whole_answer_that_is_none(body: bytes) -> None:
    _, fault = read(CHAT.reader(call(stream=False)), [body])
    assert isinstance(fault, ProviderGarbage)


def test_a_whole_answer_that_is_not_done_is_cut() -> None:
    _, fault = read(CHAT.reader(call(stream=False)), [line("Hi")])
    assert isinstance(fault, ProviderCut)


@given(PLACES)
def test_cuts_change_nothing(places: list[int]) -> None:
    assert read(CHAT.reader(call()), cut(SPOKEN, places)) == (heard(SPOKEN), None)


@given(damages(), PLACES)
def test_any_bytes_are_events_or_the_providers_fault(
    damage: Damage, places: list[int]
) -> None:
    data = damage(SPOKEN)
    events, fault = read(CHAT.reader(call()), [data])
    assert fault is None or isinstance(fault, ProviderFault)
    again, other = read(CHAT.reader(call()), cut(data, places))
    assert (again, type(other)) == (events, type(fault))
