import json
from typing import Any

import pytest
from support.chat import DIALECT, call, request, target

from lightweight.dialects.seals import Carried, with_carried
from lightweight.errors import BadRequest
from lightweight.prompts import Reasoning
from lightweight.records import Call

HI = [{"role": "user", "content": "hi"}]
OK = {"model": "m", "messages": HI}

# (fields beside a good request's, param, code, a piece of the sentence)
REFUSED: list[tuple[dict[str, Any], str, str | None, str]] = [
    ({"model": None}, "model", "invalid_type", "expected a string, but got null"),
    ({"model": 5}, "model", "invalid_type", "but got a number"),
    ({"model": ["m"]}, "model", "invalid_type", "but got an array"),
    ({"model": ""}, "model", None, "empty"),
    ({"messages": None}, "messages", "invalid_type", "expected an array"),
    ({"messages": "hi"}, "messages", "invalid_type", "but got a string"),
    ({"messages": {}}, "messages", "invalid_type", "but got an object"),
    ({"messages": []}, "messages", "empty_array", "at least one message"),
    ({"messages": [*HI, 1]}, "messages[1]", "invalid_type", "expected an object"),
    (
        {"messages": [{"content": "x"}]},
        "messages[0].role",
        "missing_required_parameter",
        "Missing required parameter: 'messages[0].role'",
    ),
    ({"messages": [{"role": None}]}, "messages[0].role", "invalid_type", "got null"),
    (
        {"messages": [*HI, {"role": "robot"}]},
        "messages[1].role",
        "invalid_value",
        "'robot'. Supported values are: 'system', 'developer', 'user',",
    ),
    ({"stream": "yes"}, "stream", "invalid_type", "expected a boolean"),
    ({"stream": 1}, "stream", "invalid_type", "expected a boolean"),
    ({"stream_options": True}, "stream_options", "invalid_type", "got a boolean"),
    (
        {"stream_options": {"include_usage": "no"}},
        "stream_options.include_usage",
        "invalid_type",
        "expected a boolean",
    ),
    ({"n": 0}, "n", "integer_below_min_value", "from 1 to 128, but got 0"),
    ({"n": 129}, "n", "integer_above_max_value", "from 1 to 128, but got 129"),
    ({"n": 1.5}, "n", "invalid_type", "expected an integer"),
    ({"n": False}, "n", "invalid_type", "but got a boolean"),
]


@pytest.mark.parametrize(("fields", "param", "code", "text"), REFUSED)
def test_refused(
    fields: dict[str, Any], param: str, code: str | None, text: str
) -> None:
    with pytest.raises(BadRequest) as caught:
        DIALECT.parse_request(request({**OK, **fields}))
    fault = caught.value
    assert (fault.param, fault.code) == (param, code)
    assert text in fault.message


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"messages": HI}, "model"),
        ({"model": "m"}, "messages"),
        ({}, "model"),
    ],
)
def test_missing(body: dict[str, Any], param: str) -> None:
    with pytest.raises(BadRequest) as caught:
        DIALECT.parse_request(request(body))
    assert (caught.value.param, caught.value.code) == (
        param,
        "missing_required_parameter",
    )
    assert param in caught.value.message


def test_a_long_role_is_not_echoed_whole() -> None:
    with pytest.raises(BadRequest) as caught:
        call(messages=[{"role": "x" * 10_000}])
    assert len(caught.value.message) < 500


def test_what_is_read_of_a_request() -> None:
    body = json.dumps({**OK, "stream": True, "future": {"a": [1]}}).encode()
    made = DIALECT.parse_request(
        request(body, openai_beta="x=1", authorization="Bearer k", traceparent="t")
    )
    assert isinstance(made, Call)
    assert (made.id, made.model, made.dialect) == ("r1", "m", "openai_chat")
    assert (made.stream, made.wants_usage) == (True, False)
    assert (made.arrived, made.body_size) == (1.5, len(body))
    assert bytes(made.fields["future"]) == b'{"a": [1]}'
    assert made.forward == {"openai-beta": "x=1"}


@pytest.mark.parametrize(
    ("fields", "stream", "wants"),
    [
        ({}, False, False),
        ({"stream": None, "stream_options": None, "n": None}, False, False),
        ({"stream": False, "stream_options": {"include_usage": True}}, False, False),
        ({"stream": True, "stream_options": {"include_usage": True}}, True, True),
        ({"stream": True, "stream_options": {"include_usage": None}}, True, False),
        ({"stream": True, "stream_options": {}, "n": 128}, True, False),
    ],
)
def test_streaming_and_usage(
    fields: dict[str, Any], *, stream: bool, wants: bool
) -> None:
    made = call(**fields)
    assert (made.stream, made.wants_usage) == (stream, wants)


@pytest.mark.parametrize(
    "role", ["system", "developer", "user", "assistant", "tool", "function"]
)
def test_every_role_is_known(role: str) -> None:
    call(messages=[{"role": role, "content": None, "future": 1}])


def test_a_whole_request_is_changed_in_its_model_alone() -> None:
    body = (
        b'{ "model":"m", "messages":[ {"role":"user","content":"\\u00e9"} ],'
        b'"stream_options": {"include_usage" : false}, "x":1.50}'
    )
    made = DIALECT.parse_request(request(body, idempotency_key="k", openai_beta="b"))
    outgoing = DIALECT.write_request(made, target("up/1"))
    assert outgoing.path == "/chat/completions"
    assert outgoing.stream is False
    assert outgoing.headers == {
        "openai-beta": "b",
        "content-type": "application/json",
        "accept": "application/json",
    }
    assert outgoing.body == (
        b'{"model":"up/1","messages":[ {"role":"user","content":"\\u00e9"} ],'
        b'"stream_options":{"include_usage" : false},"x":1.50}'
    )


@pytest.mark.parametrize(
    ("options", "sent"),
    [
        (b"", b'"stream_options":{"include_usage":true}'),
        (b',"stream_options":null', b'"stream_options":{"include_usage":true}'),
        (
            b',"stream_options":{"x":[ 1 ],"include_usage":false}',
            b'"stream_options":{"x":[ 1 ],"include_usage":true}',
        ),
    ],
)
def test_a_stream_always_asks_for_usage(options: bytes, sent: bytes) -> None:
    messages = b'[{"role":"user"}]'
    body = b'{"model":"m","messages":' + messages + b',"stream":true' + options + b"}"
    outgoing = DIALECT.write_request(DIALECT.parse_request(request(body)), target())
    assert outgoing.stream is True
    assert outgoing.headers["accept"] == "text/event-stream"
    assert outgoing.body == (
        b'{"model":"m","messages":' + messages + b',"stream":true,' + sent + b"}"
    )


def test_a_repeated_key_is_sent_once_as_it_was_judged() -> None:
    body = b'{"model":"dear","messages":[{"role":"user"}],"n":1,"model":"m","n":2}'
    made = DIALECT.parse_request(request(body))
    assert made.model == "m"
    sent = DIALECT.write_request(made, target()).body
    assert sent == b'{"model":"m","messages":[{"role":"user"}],"n":2}'


def test_ids_are_sent_without_what_they_carried() -> None:
    thought = Reasoning(text="Hm", seal="s", sealed_by="anthropic")
    shown = with_carried("c1", Carried(thoughts=(thought,)))
    message = {"role": "tool", "tool_call_id": shown, "content": "7"}
    sent = DIALECT.write_request(call(messages=[message]), target()).body
    assert b'"tool_call_id": "c1"' in sent


@pytest.mark.parametrize(
    ("fields", "most"),
    [
        ({}, None),
        ({"max_tokens": 100}, 100),
        ({"max_completion_tokens": 50, "max_tokens": 100}, 50),
        ({"max_completion_tokens": None, "max_tokens": 100}, 100),
        ({"max_tokens": 100, "n": 3}, 300),
        ({"max_tokens": "many"}, None),
        ({"max_tokens": 0}, None),
        ({"max_tokens": -5}, None),
    ],
)
def test_the_most_an_answer_may_take(fields: dict[str, Any], most: int | None) -> None:
    assert DIALECT.parse_request(request({**OK, **fields})).most_tokens == most
