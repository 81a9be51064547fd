import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.openai_schema import response_errors, response_event_errors
from support.responses import DIALECT, call, told

from lightweight.dialects.openai_responses_writer import render_usage
from lightweight.errors import ProviderBusy, ProviderCut, ProviderTimeout
from lightweight.events import (
    Event,
    Finished,
    FinishReason,
    ReasoningDelta,
    Started,
    TextDelta,
    ToolCallDelta,
    Unknown,
    UsageReported,
)
from lightweight.records import Call, Usage

STARTED = Started(id="chatcmpl-1", created=7, model="up")
HI = TextDelta(text="Hi")
STOP = Finished(reason="stop")
USAGE = Usage(fresh=5, cached=3, cache_write=2, answer=4, reasoning=6)
RENDERED = {
    "input_tokens": 10,
    "input_tokens_details": {"cached_tokens": 3, "cache_write_tokens": 2},
    "output_tokens": 10,
    "output_tokens_details": {"reasoning_tokens": 6},
    "total_tokens": 20,
}


def write(made: Call, *events: Event) -> bytes:
    writer = DIALECT.writer(made)
    return b"".join([*map(writer.write, events), writer.finish()])


def stream(*events: Event, **fields: Any) -> list[Any]:
    written = told(write(call(stream=True, **fields), *events))
    for number, each in enumerate(written):
        assert each["sequence_number"] == number
        assert response_event_errors(each) == []
    return written


def whole(*events: Event, **fields: Any) -> Any:
    response = json.loads(write(call(**fields), *events))
    assert response_errors(response) == []
    return response


def test_the_order_of_a_stream() -> None:
    written = stream(STARTED, HI, STOP, UsageReported(usage=USAGE))
    assert [each["type"].removeprefix("response.") for each in written] == [
        "created",
        "in_progress",
        "output_item.added",
        "content_part.added",
        "output_text.delta",
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "completed",
    ]
    first, last = written[0]["response"], written[-1]["response"]
    assert (first["status"], first["output"], first["created_at"]) == (
        "in_progress",
        [],
        7,
    )
    assert (last["status"], last["model"], last["id"]) == ("completed", "m", "resp_r1")
    assert last["usage"] == RENDERED
    assert last["output"][0]["content"][0]["text"] == "Hi"


def test_whole_and_streamed_answers_are_the_same() -> None:
    events = (STARTED, ReasoningDelta(text="Hm."), HI, STOP, UsageReported(usage=USAGE))
    assert whole(*events) == stream(*events)[-1]["response"]


def test_usage_that_nobody_reported_is_not_made_up() -> None:
    assert "usage" not in whole(STARTED, HI, STOP)


@pytest.mark.parametrize(
    ("reason", "status", "details"),
    [
        ("stop", "completed", None),
        ("tool_calls", "completed", None),
        ("function_call", "completed", None),
        ("length", "incomplete", {"reason": "max_output_tokens"}),
        ("content_filter", "incomplete", {"reason": "content_filter"}),
    ],
)
def test_endings(reason: FinishReason, status: str, details: Any) -> None:
    last = stream(STARTED, HI, Finished(reason=reason))[-1]
    assert last["type"] == f"response.{status}"
    assert last["response"]["status"] == status
    assert last["response"]["incomplete_details"] == details
    assert last["response"]["output"][0]["status"] == status


@pytest.mark.parametrize("streamed", [True, False])
def test_no_ending_is_made_up(*, streamed: bool) -> None:
    with pytest.raises(ProviderCut):
        write(call(stream=streamed), STARTED, HI)


def test_a_response_repeats_its_request() -> None:
    asked = {
        "instructions": "Be brief.",
        "tools": [{"type": "function", "name": "f", "strict": False, "parameters": {}}],
        "temperature": 0.5,
        "metadata": {"a": "b"},
        "reasoning": {"effort": "low"},
        "store": True,
        "tool_choice": None,
    }
    response = whole(STARTED, STOP, **asked)
    told_back = {name: response[name] for name in asked}
    assert told_back == {**asked, "store": False, "tool_choice": "auto"}


def test_events_before_the_first() -> None:
    written = stream(HI, STARTED, STOP)
    assert written[0]["type"] == "response.created"
    assert [each["type"] for each in written].count("response.created") == 1


def test_what_has_no_word_is_not_told() -> None:
    assert len(stream(STARTED, Unknown(raw=b"{}"), STOP)) == 3


def test_the_tool_of_a_namespace_gets_its_name_back() -> None:
    inner = {"type": "function", "name": "send", "strict": False, "parameters": {}}
    space = {"type": "namespace", "name": "mail", "description": "M", "tools": [inner]}
    called = ToolCallDelta(call=0, arguments="{}", id="c", name="mail__send")
    (item,) = whole(STARTED, called, STOP, tools=[space])["output"]
    assert (item["namespace"], item["name"]) == ("mail", "send")


def test_a_stream_that_broke() -> None:
    writer = DIALECT.writer(call(stream=True))
    before = told(writer.write(STARTED))
    error, failed = told(writer.broken(ProviderTimeout("Too slow.", param="p")))
    assert (error["sequence_number"], failed["sequence_number"]) == (
        len(before),
        len(before) + 1,
    )
    assert (error["code"], error["message"], error["param"]) == (
        "upstream_timeout",
        "Too slow.",
        "p",
    )
    # The SDKs raise for this one.
    assert error["error"]["message"] == "Too slow."
    assert failed["response"]["error"] == {
        "code": "server_error",
        "message": "Too slow.",
    }
    assert response_event_errors(error) == response_event_errors(failed) == []


def test_a_stream_that_broke_before_it_began() -> None:
    error, failed = told(DIALECT.writer(call(stream=True)).broken(ProviderBusy("Wait")))
    assert error["sequence_number"] == 0
    assert failed["response"]["error"]["code"] == "rate_limit_exceeded"


def test_tools_are_repeated_with_what_the_document_wants_of_each() -> None:
    custom = {"type": "custom", "name": "patch"}
    flat = {"type": "function", "name": "f", "x_odd": 1}
    for made in (
        whole(STARTED, STOP, tools=[flat, custom]),
        stream(STARTED, STOP, tools=[flat, custom])[-1]["response"],
    ):
        assert made["tools"] == [
            {"parameters": None, "strict": None, **flat},
            custom,
        ]


def test_tools_that_are_refused_can_be_told_of() -> None:
    refused = call(stream=True, tools=[{"type": "mcp"}])
    assert told(DIALECT.writer(refused).broken(ProviderBusy("Wait")))


def test_a_whole_answer_that_broke_gets_nothing_more() -> None:
    assert DIALECT.writer(call()).broken(ProviderBusy("Wait")) == b""


@given(st.builds(Usage, fresh=st.integers(0), answer=st.integers(0)))
def test_usage(usage: Usage) -> None:
    rendered = render_usage(usage)
    assert rendered["total_tokens"] == usage.total
    assert render_usage(USAGE) == RENDERED
