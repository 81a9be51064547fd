import json
from typing import Any

import pytest
from msgspec import Raw
from support.responses import USAGE, function_call, message, text

from lightweight.dialects.openai_responses_shapes import (
    decode_item,
    decode_piece,
    decode_response,
    decode_text,
    thinks,
    usage_of,
)
from lightweight.errors import ProviderGarbage
from lightweight.records import Usage


def raw(value: Any) -> Raw:
    return Raw(json.dumps(value).encode())


@pytest.mark.parametrize(
    ("model", "thinking"),
    [
        ("gpt-5.3-codex", True),
        ("openai/gpt-5-mini", True),
        ("o3-mini", True),
        ("codex-mini-latest", True),
        ("gpt-5-chat-latest", False),
        ("gpt-4o", False),
        ("my-deployment", False),
        ("gpt-oss-20b", False),
    ],
)
def test_whose_thoughts_can_be_asked_for(*, model: str, thinking: bool) -> None:
    assert thinks(model) is thinking


def test_usage_is_told_in_disjoint_classes() -> None:
    assert usage_of(raw(USAGE)) == Usage(
        fresh=5, cached=3, cache_write=2, answer=4, reasoning=6
    )
    assert usage_of(raw({"input_tokens": 3})) == Usage(fresh=3)


@pytest.mark.parametrize("odd", [None, {}, 7, {"input_tokens": -1}, {"a": 1}])
def test_what_is_no_usage(odd: Any) -> None:
    assert usage_of(raw(odd)) is None
    assert usage_of(Raw()) is None


def test_a_detail_larger_than_its_whole() -> None:
    told = {"output_tokens": 2, "output_tokens_details": {"reasoning_tokens": 5}}
    assert usage_of(raw(told)) == Usage(reasoning=5)


def test_items() -> None:
    said = decode_item(raw(message(text("Hi"))))
    assert said is not None
    assert (said.content or [])[0].text == "Hi"
    called = decode_item(raw(function_call('{"a":1}')))
    assert called is not None
    assert called.arguments == '{"a":1}'
    assert decode_item(raw({"type": "web_search_call", "content": 7})) is None


@pytest.mark.parametrize("data", [b"", b"[]", b"{", b'{"type":7}', b"\xff"])
def test_what_is_no_event(data: bytes) -> None:
    with pytest.raises(ProviderGarbage):
        decode_piece(data)


@pytest.mark.parametrize("data", [b"", b"[]", b'{"output":7}'])
def test_what_is_no_response(data: bytes) -> None:
    with pytest.raises(ProviderGarbage):
        decode_response(data)


def test_texts() -> None:
    assert decode_text(raw("a")) == "a"
    assert decode_text(Raw()) == ""
    with pytest.raises(ProviderGarbage):
        decode_text(raw(7))
    with pytest.raises(ProviderGarbage):
        decode_item(raw(function_call(name=7)))
