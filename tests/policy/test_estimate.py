"""Guesses of tokens: near enough for text, and not absurd for images."""

import base64
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from lightweight.policy import estimate as estimates
from lightweight.policy.estimate import (
    ATTACHMENT_BYTES,
    ATTACHMENT_TOKENS,
    LONGEST_ANSWER,
    UNSAID_ANSWER,
    answer_tokens,
    estimate,
    tokens_of,
)
from lightweight.records import Call

IMAGE = base64.b64encode(bytes(range(256)) * 4096).decode()


def called(
    most_tokens: int | None = None, *, slash: bytes = b"/", **fields: Any
) -> Call:
    body = json.dumps(fields).encode().replace(b"/", slash)
    return Call(
        id="req_1",
        dialect="openai_chat",
        model="m",
        stream=False,
        fields=msgspec.json.decode(body, type=dict[str, Raw]),
        arrived=0,
        body_size=len(body),
        most_tokens=most_tokens,
    )


def test_four_bytes_are_a_token_and_there_is_always_one() -> None:
    assert [tokens_of(size) for size in (0, 1, 4, 5, 400)] == [1, 1, 1, 2, 100]


@pytest.mark.parametrize(
    ("said", "reserved"),
    [
        (None, UNSAID_ANSWER),
        (1, 1),
        (500, 500),
        (LONGEST_ANSWER, LONGEST_ANSWER),
        (10**9, LONGEST_ANSWER),
    ],
)
def test_an_answer_takes_what_the_client_allows_up_to_a_cap(
    said: int | None, reserved: int
) -> None:
    assert estimate(called(said)).answer == reserved


@pytest.mark.parametrize(
    "content",
    [
        [{"type": "image_url", "image_url": {"url": f"data:image/png;base64,{IMAGE}"}}],
        [{"type": "input_audio", "input_audio": {"data": IMAGE, "format": "wav"}}],
        [{"type": "file", "file": {"file_data": IMAGE}}],
    ],
)
@pytest.mark.parametrize("slash", [b"/", b"\\/"])
def test_an_attachment_counts_the_same_however_large(
    content: list[Any], slash: bytes
) -> None:
    asked = called(messages=[{"role": "user", "content": content}], slash=slash)
    assert asked.body_size > 1_000_000
    assert ATTACHMENT_TOKENS < estimate(asked).prompt < ATTACHMENT_TOKENS + 100


def test_each_attachment_counts() -> None:
    parts = [{"data": IMAGE[:ATTACHMENT_BYTES]}, {"data": IMAGE[-ATTACHMENT_BYTES:]}]
    prompt = estimate(called(messages=[{"role": "user", "content": parts}])).prompt
    assert 2 * ATTACHMENT_TOKENS < prompt < 2 * ATTACHMENT_TOKENS + 100


@pytest.mark.parametrize(
    "text",
    [
        "What a long story it was. " * 1000,
        "多くの言葉" * 2000,
        json.dumps({"a": list(range(5000))}),
        IMAGE[: ATTACHMENT_BYTES // 2],
    ],
)
def test_text_counts_by_its_length(text: str) -> None:
    asked = called(messages=[{"role": "user", "content": text}])
    assert estimate(asked).prompt == tokens_of(asked.body_size)


@given(st.text(alphabet='"ab', max_size=80).map(str.encode))
def test_no_long_run_is_missed(text: bytes) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(estimates, "ATTACHMENT_BYTES", 4)
        found = [text[start:end] for start, end in estimates._long_runs(text)]
    assert found == [run for run in text.split(b'"') if len(run) >= 4]


def test_an_answer_is_what_came_in_pieces_or_in_bytes() -> None:
    assert answer_tokens(0, 0) == 0
    assert answer_tokens(3, 4) == 3
    assert answer_tokens(3, 400) == 100
