import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.chat import PLACES, cut, singly

from lightweight.dialects.sse import Block, Framing, framed, passable, with_data
from lightweight.errors import ProviderGarbage

BOM = b"\xef\xbb\xbf"


def blocks_of(pieces: list[bytes]) -> tuple[list[Block], bytes]:
    framing = Framing()
    blocks = [block for piece in pieces for block in framing.feed(piece)]
    blocks += framing.finish()
    return blocks, framing.leftover


# (what arrives, what the standard dispatches, what is left over)
EVENTS = [
    (b"data: a\n\n", [("", b"a")], b""),
    (b"data:a\n\n", [("", b"a")], b""),
    (b"data:  a\n\n", [("", b" a")], b""),
    (b"data: a\r\n\r\n", [("", b"a")], b""),
    (b"data: a\r\r", [("", b"a")], b""),
    (b"data: a\r\rdata: b\r\r", [("", b"a"), ("", b"b")], b""),
    (b"data: a\r\n\rdata: b\n\r\n", [("", b"a"), ("", b"b")], b""),
    (BOM + b"data: a\n\n", [("", b"a")], b""),
    (b"data: a\n\n" + BOM + b"data: b\n\n", [("", b"a")], b""),
    (b"data: a\ndata: b\n\n", [("", b"a\nb")], b""),
    (b"data: a\ndata\n\n", [("", b"a\n")], b""),
    (b"data\ndata\n\n", [("", b"\n")], b""),
    (b"data: a\ndata: b\r\ndata: c\r\r\n", [("", b"a\nb\nc")], b""),
    (b"event: x\ndata: a\n\ndata: b\n\n", [("x", b"a"), ("", b"b")], b""),
    (b"event: \xff\ndata: a\n\n", [("\ufffd", b"a")], b""),
    (b": hi\n\ndata: a\n\n", [("", b"a")], b""),
    (b"data: a\n: hi\nid: 1\nretry: 5\nother: x\n\n", [("", b"a")], b""),
    (b"data:\n\ndata: a\n\n", [("", b"a")], b""),
    (b"data: \n\ndata: a\n\n", [("", b"a")], b""),
    (b"data: a\rdata: b\n\n", [("", b"a\nb")], b""),
    (b"event: ping\n\n", [], b""),
    (b"\n\n\n", [], b""),
    (b"data: a\n\ndata: b\n", [("", b"a")], b"data: b\n"),
    (b"data: a\n\ndata: b", [("", b"a")], b"data: b"),
    (b"data: a\n\n: half a com", [("", b"a")], b""),
    (
        b"data: a\x0b\x0c\x1c\xe2\x80\xa8b\n\n",
        [("", b"a\x0b\x0c\x1c\xe2\x80\xa8b")],
        b"",
    ),
    (b"", [], b""),
]


@pytest.mark.parametrize(("stream", "events", "leftover"), EVENTS)
def test_events_of_the_standard(
    stream: bytes, events: list[tuple[str, bytes]], leftover: bytes
) -> None:
    for pieces in ([stream], singly(stream), stream.splitlines(keepends=True)):
        blocks, rest = blocks_of(pieces)
        seen = [(b.event, b.data) for b in blocks if b.data is not None]
        assert (seen, rest) == (events, leftover)


LINES = st.sampled_from(
    [b"data: x", b"data", b"event: e", b"id: 1", b"retry: 2", b": c", b"", b"", b"\xff"]
)
ENDS = st.sampled_from([b"\n", b"\r", b"\r\n"])


def test_a_block_may_come_line_by_line() -> None:
    blocks, _ = blocks_of([b"event: x\n", b"data: a\n\n"])
    assert [(b.event, b.data) for b in blocks] == [("x", b"a")]


@given(st.lists(st.tuples(LINES, ENDS)), PLACES)
def test_blocks_do_not_depend_on_the_network(
    lines: list[tuple[bytes, bytes]], places: list[int]
) -> None:
    stream = b"".join(line + end for line, end in lines)
    whole = blocks_of([stream])
    assert blocks_of(singly(stream)) == whole
    assert blocks_of(cut(stream, places)) == whole
    raw = b"".join(block.raw for block in whole[0])
    assert stream.startswith(raw)


@pytest.mark.parametrize(
    "document", [b'{"a": 1}', b"<html>", b"[1]", BOM + b"{", b" \t<p>", BOM + b" ["]
)
def test_a_document_is_no_stream(document: bytes) -> None:
    for pieces in ([document], singly(document)):
        with pytest.raises(ProviderGarbage):
            blocks_of(pieces)


def test_a_later_line_may_look_like_a_document() -> None:
    blocks, _ = blocks_of([b": x\n", b"{x\n", b"data: a\n\n"])
    assert blocks[0].data == b"a"


@pytest.mark.parametrize("line", [b"data: " + b"a" * 50, b"data: a\n" * 10])
def test_a_block_is_bounded(line: bytes) -> None:
    framing = Framing(limit=40)
    with pytest.raises(ProviderGarbage):
        for piece in singly(line):
            list(framing.feed(piece))
    assert list(Framing(limit=40).feed(b"data: aaaaaaaaaaaaaaaaaaaa\n\n" * 9))
    event = b"data: " + b"a" * 32 + b"\n\n"
    assert [block.raw for block in Framing(limit=40).feed(event)] == [event]
    with pytest.raises(ProviderGarbage):
        list(Framing(limit=39).feed(event))


# (a block as it arrives, what a client may see of it)
PASSABLE = [
    (b"data: a\n\n", b"data: a\n\n"),
    (b": hi\n\n", b": hi\n\n"),
    (b": hi\r\ndata: a\r\n\r\n", b": hi\r\ndata: a\r\n\r\n"),
    (b"id: 1\ndata: a\nretry: 5\n\n", b"data: a\n\n"),
    (b"id\ndata: a\n\n", b"data: a\n\n"),
    (b"event: x\r\ndata: a\r\nid:1\r\n\r\n", b"event: x\r\ndata: a\r\n\r\n"),
    (b"retry: 3000\n\n", b""),
    (b"event: ping\n\n", b""),
    (b"data:\n\n", b""),
    (b": hi\nevent: ping\ndata:\n\n", b": hi\n\n"),
    (b"\n", b"\n"),
]


@pytest.mark.parametrize(("raw", "seen"), PASSABLE)
def test_what_a_client_may_see(raw: bytes, seen: bytes) -> None:
    blocks, _ = blocks_of([raw])
    assert [passable(block) for block in blocks] == [seen]


@pytest.mark.parametrize(
    ("raw", "old", "edited"),
    [
        (b": c\r\ndata:{1}\r\n\r\n", b"{1}", b": c\r\ndata:{2}\r\n\r\n"),
        (b"data: {\ndata: 1}\n: c\n\n", b"{\n1}", b": c\ndata: {2}\n\n"),
        (b": {1}\ndata: {1}\n\n", b"{1}", b": {1}\ndata: {2}\n\n"),
    ],
)
def test_data_is_exchanged(raw: bytes, old: bytes, edited: bytes) -> None:
    assert with_data(raw, old, b"{2}") == edited


def test_framed_data_is_one_event() -> None:
    assert framed(b"a\nb") == b"data: a\ndata: b\n\n"
    assert blocks_of([framed(b"a\nb")])[0][0].data == b"a\nb"
