from collections.abc import Iterator

import pytest
from support.chat import call, target

from lightweight.dialects.answer import EventStream, Gathered, cut_short, own_name
from lightweight.dialects.sse import Block
from lightweight.errors import ProviderCut, ProviderGarbage


def test_a_whole_answer_is_bounded() -> None:
    gathered = Gathered(limit=4)
    gathered.add(b"ab")
    gathered.add(b"cd")
    assert gathered.body == b"abcd"
    with pytest.raises(ProviderGarbage, match="too large"):
        gathered.add(b"e")


def test_cut_short() -> None:
    assert isinstance(cut_short(), ProviderCut)


def test_a_name_is_set_back_where_it_differs() -> None:
    assert own_name(call(), target()) is None
    assert own_name(call(), target("up")) == b'"m"'


class Listener:
    """Hears letters one by one; "." is the end, "!" a fault, "-" says nothing."""

    def __init__(self) -> None:
        self.stream = EventStream()

    def hear(self, block: Block) -> Iterator[str]:
        for letter in (block.data or b"").decode():
            if letter == "!":
                raise ProviderGarbage("odd")
            self.stream.complete = self.stream.complete or letter == "."
            yield "" if letter == "-" else letter

    def feed(self, data: bytes) -> str:
        return "".join(self.stream.feed(data, self.hear))

    def finish(self) -> str:
        return "".join(self.stream.finish(self.hear))


def test_what_blocks_say_until_the_end() -> None:
    made = Listener()
    assert made.feed(b"data: a\n\nda") == "a"
    assert made.feed(b"ta: b\n\ndata: .\n\ndata: never\n\n") == "b."
    assert made.stream.complete
    assert made.feed(b"data: !\n\n") == ""
    assert made.finish() == ""


def test_what_was_said_comes_before_its_fault() -> None:
    made = Listener()
    assert made.feed(b"data: a\n\ndata: b!c\n\ndata: d\n\n") == "ab"
    assert (made.stream.faulty, made.stream.complete) == (True, False)
    for ask in (lambda: made.feed(b"data: e\n\n"), made.finish):
        with pytest.raises(ProviderGarbage):
            ask()


@pytest.mark.parametrize("data", [b"data: !\n\n", b"data: -\n\ndata: -!\n\n"])
def test_where_nothing_was_said_a_fault_comes_at_once(data: bytes) -> None:
    made = Listener()
    with pytest.raises(ProviderGarbage):
        made.feed(data)


def test_the_end_of_a_stream_may_complete_an_event() -> None:
    made = Listener()
    assert made.feed(b"data: a\r\n\r") == ""
    assert made.finish() == "a"
    assert made.feed(b"data: b") == ""
    assert made.stream.leftover == b"data: b"
    assert not made.stream.complete
