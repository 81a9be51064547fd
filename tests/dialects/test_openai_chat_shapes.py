import json
from typing import Any

import pytest
from msgspec import Raw

from lightweight.dialects.openai_chat_shapes import (
    Progress,
    complete_answer,
    decode_piece,
    disjoint,
    says_something,
    seconds_of,
    text_of,
    usage_of,
)
from lightweight.errors import ProviderCut, ProviderGarbage
from lightweight.records import Usage


def reported(**usage: Any) -> Usage | None:
    return usage_of(Raw(json.dumps(usage).encode()))


# (what a provider says, what it means)
USAGE: list[tuple[dict[str, Any], Usage]] = [
    ({"prompt_tokens": 9, "completion_tokens": 3}, Usage(fresh=9, answer=3)),
    ({"prompt_tokens": 9}, Usage(fresh=9)),
    ({"completion_tokens": 3, "prompt_tokens_details": None}, Usage(answer=3)),
    (
        {
            "prompt_tokens": 100,
            "completion_tokens": 30,
            "prompt_tokens_details": {"cached_tokens": 40, "cache_write_tokens": 10},
            "completion_tokens_details": {"reasoning_tokens": 20, "x": "y"},
        },
        Usage(fresh=50, cached=40, cache_write=10, answer=10, reasoning=20),
    ),
    (
        {
            "prompt_tokens": 1,
            "completion_tokens": 1,
            "prompt_tokens_details": {"cached_tokens": 2, "cache_write_tokens": None},
            "completion_tokens_details": {"reasoning_tokens": 2},
        },
        Usage(cached=2, reasoning=2),
    ),
]


@pytest.mark.parametrize(("told", "meant"), USAGE)
def test_usage_is_disjoint(told: dict[str, Any], meant: Usage) -> None:
    assert reported(**told) == meant


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"null",
        b"{}",
        b"5",
        b'{"prompt_tokens":-1}',
        b'{"prompt_tokens":"9"}',
        b'{"prompt_tokens":99999999999999999999}',
        b'{"prompt_tokens":9,"prompt_tokens_details":7}',
    ],
)
def test_what_is_no_count(raw: bytes) -> None:
    assert usage_of(Raw(raw)) is None


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"x",
        b"5",
        b"[]",
        b'{"choices":5}',
        b'{"choices":[{"index":-1}]}',
        b'{"choices":[{"index":128}]}',
        b'{"choices":[{"finish_reason":5}]}',
        b'{"choices":[{"delta":"x"}]}',
        b'{"a":"\xff"}',
        b'{"a":NaN}',
        b'{"a":' + b"[" * 100_000,
    ],
)
def test_what_is_no_chat_completion(data: bytes) -> None:
    with pytest.raises(ProviderGarbage):
        decode_piece(data)


ANSWER = b'{"message":{"content":"x"},"finish_reason":"stop"}'
COUNTS = b'"usage":{"prompt_tokens":9,"completion_tokens":3}'
GOOD = b'{"choices":[' + ANSWER + b"]," + COUNTS


def test_a_complete_answer() -> None:
    answer = complete_answer(GOOD + b',"model":"\xc3\xa4","id":5,"error":null}')
    assert answer is not None
    assert len(answer.choices) == 1
    assert text_of(answer.model) == "ä"
    assert disjoint(answer.usage) == Usage(fresh=9, answer=3)
    assert complete_answer(GOOD + b"}") is not None


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"{" + COUNTS + b"}",
        GOOD + b',"choices":[]}',
        GOOD + b',"choices":[{"message":{}}]}',
        GOOD + b',"choices":[{"message":{},"finish_reason":null}]}',
        GOOD + b',"choices":[{"message":{},"finish_reason":""}]}',
        GOOD + b',"choices":[{"message":null,"finish_reason":"stop"}]}',
        GOOD + b',"choices":[{"message":[],"finish_reason":"stop"}]}',
        GOOD + b',"choices":[{"message":{},"finish_reason":"stop","delta":5}]}',
        GOOD + b',"choices":[{"message":{},"finish_reason":"stop","index":128}]}',
        GOOD + b',"error":{"message":"x"}}',
        GOOD + b',"usage":null}',
        GOOD + b',"usage":{"prompt_tokens":9}}',
        GOOD + b',"usage":{"prompt_tokens":-1,"completion_tokens":3}}',
        GOOD + b',"id":"\xff"}',
        GOOD + b',"x":' + b"[" * 100_000,
    ],
)
def test_what_is_not_complete_or_odd(data: bytes) -> None:
    assert complete_answer(data) is None


def test_odd_members_do_not_spoil_the_rest() -> None:
    piece = decode_piece(b'{"id":5,"created":1.9,"model":null,"usage":"no"}')
    assert text_of(piece.id) == ""
    assert text_of(piece.model) == ""
    assert seconds_of(piece.created) == 1
    assert usage_of(piece.usage) is None
    assert seconds_of(piece.id) == 5
    assert seconds_of(Raw(b'"x"')) == 0
    assert text_of(Raw(b'"x"')) == "x"
    assert text_of(Raw()) == ""


@pytest.mark.parametrize("raw", [b"", b"null", b'""', b"[]", b"{}"])
def test_nothing_is_said(raw: bytes) -> None:
    assert not says_something(Raw(raw))
    assert not says_something(None)
    assert says_something(Raw(b"0"))


def test_progress() -> None:
    progress = Progress()
    with pytest.raises(ProviderCut):
        progress.check()
    assert progress.begin(0)
    assert not progress.begin(0)
    with pytest.raises(ProviderCut):
        progress.check()
    assert progress.end(0)
    assert not progress.end(0)
    progress.check()
    assert not progress.begin(0)
    progress.check()
    assert progress.begin(1)
    with pytest.raises(ProviderCut):
        progress.check()
    assert progress.end(2)
    assert progress.end(1)
    progress.check()
