"""Lines, however they are cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.chat import PLACES, cut

from lightweight.dialects.ndjson import Lines
from lightweight.errors import ProviderGarbage


def test_lines_keep_their_ends_and_blank_ones_are_left_out() -> None:
    lines = Lines()
    assert list(lines.feed(b"{}\n\n  \n[1]\r\n{")) == [b"{}\n", b"[1]\r\n"]
    assert list(lines.finish()) == [b"{"]
    assert list(lines.finish()) == []


def test_a_return_within_a_line_ends_nothing() -> None:
    assert list(Lines().feed(b'{\r"a": 1}\n')) == [b'{\r"a": 1}\n']


def test_a_line_that_is_too_long_is_garbage() -> None:
    lines = Lines(limit=4)
    assert list(lines.feed(b"123\n")) == [b"123\n"]
    with pytest.raises(ProviderGarbage):
        list(lines.feed(b"12345"))


@given(st.lists(st.sampled_from([b"{}", b"\n", b"\r", b"\r\n", b" x"])), PLACES)
def test_cuts_change_nothing(pieces: list[bytes], places: list[int]) -> None:
    data = b"".join(pieces)
    whole, cutted = Lines(), Lines()
    expected = [*whole.feed(data), *whole.finish()]
    given_ = [each for piece in cut(data, places) for each in cutted.feed(piece)]
    assert [*given_, *cutted.finish()] == expected
