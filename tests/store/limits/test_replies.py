"""Replies of a Redis server, however its bytes arrive."""

import itertools

from txredisapi import InvalidResponse, ResponseError

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightweight.store.limits.replies import LONGEST, Replies, Reply

SAID: list[tuple[bytes, Reply]] = [
    (b"+settled\r\n", "settled"),
    (b"+\r\n", ""),
    ('+[null,"ü"]\r\n'.encode(), '[null,"ü"]'),
    (b"+\xff\r\n", "\N{REPLACEMENT CHARACTER}"),
    (b"-NOSCRIPT No matching script.\r\n", "NOSCRIPT No matching script."),
    (b"-ERR \xff\r\n", "ERR \N{REPLACEMENT CHARACTER}"),
    (b":-12\r\n", -12),
    (b"$4\r\na\r\nb\r\n", b"a\r\nb"),
    (b"$0\r\n\r\n", b""),
    (b"$-1\r\n", None),
    (b"*-1\r\n", None),
    (b"*0\r\n", []),
    (b"*4\r\n$9\r\n127.0.0.1\r\n$-1\r\n:6\r\n+x\r\n", [b"127.0.0.1", None, 6, "x"]),
]
"""What a server says, and what it means; of errors their words."""


def meant(reply: Reply) -> Reply:
    return str(reply) if isinstance(reply, ResponseError) else reply


@given(said=st.lists(st.sampled_from(SAID)), data=st.data())
def test_replies_are_read_however_they_arrive(
    said: list[tuple[bytes, Reply]], data: st.DataObject
) -> None:
    whole = b"".join(each for each, _ in said)
    cuts = data.draw(st.lists(st.integers(0, len(whole)), max_size=12))
    replies = Replies()
    read: list[Reply] = []
    for start, end in itertools.pairwise([0, *sorted(cuts), len(whole)]):
        read += replies.feed(whole[start:end])
    assert [meant(reply) for reply in read] == [reply for _, reply in said]


def test_what_came_in_parts_is_read_once() -> None:
    replies = Replies()
    read = [replies.feed(part) for part in (b"+on", b"e\r\n", b"+two\r\n+three\r\n")]
    assert read == [[], ["one"], ["two", "three"]]


def test_an_error_is_told_from_a_line() -> None:
    (reply,) = Replies().feed(b"-ERR unknown\r\n")
    assert isinstance(reply, ResponseError)


@pytest.mark.parametrize(
    "nonsense",
    [
        b"HTTP/1.1 400 Bad Request\r\n",
        b"\r\n",
        b":many\r\n",
        b"$x\r\n",
        b"$2\r\nabcd",
        b"*1\r\n*1\r\n",
    ],
)
def test_what_is_no_reply_is_refused(nonsense: bytes) -> None:
    with pytest.raises(InvalidResponse):
        Replies().feed(b"+well\r\n" + nonsense)


@pytest.mark.parametrize(
    ("begun", "more"),
    [(b"+", b"x"), (b"$99999999\r\n", b"x"), (b"*99999999\r\n", b":1\r\n")],
)
def test_no_reply_fills_the_memory(begun: bytes, more: bytes) -> None:
    replies = Replies()
    replies.feed(begun)
    with pytest.raises(InvalidResponse, match="too long"):
        for _ in range(1 + LONGEST // 1000):
            replies.feed(more * 1000)
