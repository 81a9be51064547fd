import pytest
from msgspec import Raw

from lightweight.dialects.anthropic_shapes import (
    Tally,
    decode_event,
    decode_whole,
    reason_of,
)
from lightweight.errors import ProviderGarbage, ProviderRefused
from lightweight.records import Usage


def test_counts_of_a_stream_add_up_to_one_usage() -> None:
    tally = Tally()
    assert tally.usage is None
    tally.hear(Raw(b'{"input_tokens":5,"cache_read_input_tokens":3}'))
    assert tally.usage == Usage(fresh=5, cached=3)
    tally.hear(Raw(b'{"input_tokens":null,"output_tokens":2}'))
    assert tally.usage == Usage(fresh=5, cached=3, answer=2)


def test_more_thoughts_than_output_are_no_debt() -> None:
    tally = Tally()
    told = b'{"output_tokens":2,"output_tokens_details":{"thinking_tokens":3}}'
    tally.hear(Raw(told))
    assert tally.usage == Usage(reasoning=3)


@pytest.mark.parametrize("told", [b"", b"null", b"7", b"{}", b'{"input_tokens":-1}'])
def test_what_is_no_count_is_passed_over(told: bytes) -> None:
    tally = Tally()
    tally.hear(Raw(told))
    assert tally.usage is None


def test_an_error_in_the_place_of_an_answer() -> None:
    told = b'{"type":"error","error":{"type":"api_error"}}'
    for decode in (decode_event, decode_whole):
        with pytest.raises(ProviderRefused):
            decode(told)


def test_a_reason_of_tomorrow_is_not_guessed_at() -> None:
    with pytest.raises(ProviderGarbage):
        reason_of("tired")
