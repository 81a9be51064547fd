import json
from typing import Any
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.chat import DIALECT, request

from lightweight.dialects import openai_chat_request
from lightweight.dialects.json_body import members_of
from lightweight.dialects.openai_chat_plain import LARGEST, plain_request
from lightweight.errors import BadRequest
from lightweight.records import Call

HI = b'"messages":[{"role":"user","content":"hi"}]'


@pytest.mark.parametrize(
    "more",
    [
        b"",
        b',"stream":null,"stream_options":null,"max_tokens":null,"n":null',
        b',"stream":true,"stream_options":{"include_usage":true}',
        b',"temperature":0.7,"top_p":1,"seed":-1,"n":2,"user":"u"',
        b',"stop":"x","frequency_penalty":0,"presence_penalty":-2e0',
        b',"stop":["x","y"],"reasoning_effort":"low"',
        b',"max_completion_tokens":7,"max_tokens":9223372036854775807',
        b',"messages":[{"role":"tool","content":"7","tool_call_id":"c"}]',
        b',"messages":[{"role":"assistant","content":null,"refusal":null,"name":"n"}]',
        b',"messages":[{"role":"user","content":[{"type":"text","text":"a"}]}]',
        b',"messages":[{"role":"user","content":[{"type":"i","image_url":{"url":""}}]}]',
        ',"user":"ü\\u00fc\\ud83d\\ude00"'.encode(),
    ],
)
def test_what_is_plain(more: bytes) -> None:
    body = b'{"model":"m",' + HI + more + b"}"
    plain = plain_request(body, members_of(body))
    assert plain is not None
    assert plain.model == "m"


@pytest.mark.parametrize(
    "body",
    [
        b"{" + HI + b"}",
        b'{"model":"m"}',
        b'{"model":"",' + HI + b"}",
        b'{"model":"m","messages":[]}',
        b'{"model":"m","messages":[{"role":"robot"}]}',
        b'{"model":"m","messages":[{"role":"user","content":[{"text":"x"}]}]}',
        b'{"model":"m","messages":[{"role":"user","content":[{"type":"x","n":1}]}]}',
        b'{"model":"m","messages":[{"role":"user","future":1}]}',
        b'{"model":"m",' + HI + b',"future":1}',
        b'{"model":"m",' + HI + b',"temperature":1e999}',
        b'{"model":"m",' + HI + b',"temperature":1e999,"temperature":1}',
        b'{"model":"m",' + HI + b',"temperature":' + b"9" * 400 + b"}",
        b'{"model":"m",' + HI + b',"seed":' + b"9" * 400 + b"}",
        b'{"model":"m",' + HI + b',"max_tokens":0}',
        b'{"model":"m",' + HI + b',"n":129}',
        b'{"model":"m",' + HI + b',"stop":["x",1]}',
        b'{"model":"m",' + HI + b',"user":"\xff"}',
        b'{"model":"m",' + HI + b',"user":"' + b"x" * LARGEST + b'"}',
    ],
)
def test_what_is_not(body: bytes) -> None:
    assert plain_request(body, members_of(body)) is None


def judgement(body: bytes) -> Call | tuple[str, str | None, str | None]:
    try:
        return DIALECT.parse_request(request(body, openai_beta="b"))
    except BadRequest as fault:
        return fault.message, fault.param, fault.code


def with_care(body: bytes) -> Call | tuple[str, str | None, str | None]:
    """Judge a body member by member, whatever is in it."""
    with mock.patch.object(openai_chat_request, "plain_request", return_value=None):
        return judgement(body)


TEXTS = st.one_of(st.none(), st.text(max_size=9))
LIMITS = (-(2**63), -1, 0, 1, 128, 129, 2**53, 2**63, 10**307, 10**309, 0.5, 1e308)
ODD: st.SearchStrategy[Any] = st.sampled_from(
    (*LIMITS, None, True, "", "user", "\ud800", "ü", [], {})
)
ROLES = st.sampled_from(["user", "system", "tool", "robot"])
TEXTS = st.one_of(st.none(), st.text(max_size=9))
PARTS: st.SearchStrategy[Any] = st.lists(
    st.dictionaries(st.sampled_from(["type", "text", "image_url"]), TEXTS), max_size=2
)
MESSAGE = st.fixed_dictionaries(
    {"role": ROLES},
    optional={"content": TEXTS | PARTS, "name": TEXTS, "refusal": TEXTS},
)
ODD_MESSAGE = st.dictionaries(
    st.sampled_from(["role", "content", "name", "tool_calls"]), ODD, max_size=2
)
GOOD = st.fixed_dictionaries(
    {"model": st.just("m"), "messages": st.lists(MESSAGE, min_size=1, max_size=2)},
    optional={
        "stream": st.booleans(),
        "stream_options": st.fixed_dictionaries({"include_usage": st.booleans()}),
        "max_tokens": st.integers(1, 9),
        "max_completion_tokens": st.integers(1, 9),
        "n": st.integers(1, 9),
        "stop": st.lists(st.text(max_size=3), max_size=2),
    },
)
NUMERIC = ("n", "max_tokens", "max_completion_tokens", "temperature", "seed")
OTHER = ("model", "messages", "stream", "stream_options", "stop", "input", "tools")
ODDS = (
    st.dictionaries(st.sampled_from(NUMERIC), st.sampled_from(LIMITS), max_size=1)
    | st.dictionaries(st.sampled_from(NUMERIC + OTHER), ODD, max_size=1)
    | st.fixed_dictionaries({"messages": st.lists(ODD_MESSAGE, max_size=2)})
)
REQUESTS = st.builds(lambda good, odd: {**good, **odd}, GOOD, ODDS)


@given(REQUESTS)
def test_a_plain_request_is_judged_as_with_care(told: dict[str, Any]) -> None:
    for ascii_only in (True, False):
        text = json.dumps(told, ensure_ascii=ascii_only)
        body = text.encode(errors="surrogatepass")
        assert judgement(body) == with_care(body)


@given(REQUESTS, REQUESTS)
def test_so_it_is_where_keys_come_again(
    first: dict[str, Any], second: dict[str, Any]
) -> None:
    body = (json.dumps(first)[:-1] + "," + json.dumps(second)[1:]).encode()
    assert judgement(body) == with_care(body)
