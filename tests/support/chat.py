"""Chat calls and their bytes, for tests of the dialect."""

import itertools
import json
from collections.abc import Callable, Sequence
from typing import Any

from hypothesis import strategies as st

from lightweight.dialects.dialect import Passage, Reader
from lightweight.dialects.openai_chat import OpenAIChat
from lightweight.errors import Fault
from lightweight.events import Event
from lightweight.records import Call, Request, Target

DIALECT = OpenAIChat()
DONE = b"data: [DONE]\n\n"


def request(body: bytes | dict[str, Any], **headers: str) -> Request:
    """Make a client's request; header names are written with underscores."""
    return Request(
        id="r1",
        method="POST",
        path="/v1/chat/completions",
        headers={name.replace("_", "-"): value for name, value in headers.items()},
        body=body if isinstance(body, bytes) else json.dumps(body).encode(),
        arrived=1.5,
    )


def call(**fields: Any) -> Call:
    """Make a call of model ``m`` that says hi."""
    messages = [{"role": "user", "content": "hi"}]
    return DIALECT.parse_request(
        request({"model": "m", "messages": messages, **fields})
    )


def stream_call(*, usage: bool = False) -> Call:
    """Make a streamed call, with or without ``include_usage``."""
    return call(stream=True, stream_options={"include_usage": usage})


def target(model: str = "m") -> Target:
    """Make a target that speaks this dialect."""
    return Target(provider="p", model=model, dialect="openai_chat")


def chunk(*choices: dict[str, Any], **members: Any) -> bytes:
    """Make one framed chunk."""
    body = {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 7,
        "model": "up",
        "choices": list(choices),
        **members,
    }
    return b"data: " + json.dumps(body).encode() + b"\n\n"


def speech(content: str, index: int = 0) -> dict[str, Any]:
    """Make a choice that says ``content``."""
    return {"index": index, "delta": {"content": content}, "finish_reason": None}


def ending(reason: str = "stop", index: int = 0) -> dict[str, Any]:
    """Make a choice that ends."""
    return {"index": index, "delta": {}, "finish_reason": reason}


def completion(*choices: dict[str, Any], **members: Any) -> bytes:
    """Make a whole answer."""
    body = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 7,
        "model": "up",
        "choices": list(choices),
        **members,
    }
    return json.dumps(body).encode()


def answer(reason: str | None = "stop", **message: Any) -> dict[str, Any]:
    """Make the choice of a whole answer."""
    said = {"role": "assistant", "content": "Hi.", **message}
    return {"index": 0, "message": said, "logprobs": None, "finish_reason": reason}


def read(reader: Reader, pieces: Sequence[bytes]) -> tuple[list[Event], Fault | None]:
    """Read an answer to its end; give the events and the fault that ended it."""
    events: list[Event] = []
    try:
        for piece in pieces:
            events += reader.feed(piece)
        events += reader.finish()
    except Fault as fault:
        return events, fault
    return events, None


def travel(passage: Passage, pieces: Sequence[bytes]) -> tuple[bytes, Fault | None]:
    """Pass an answer to its end; give the client's bytes and the fault, if any."""
    passed = b""
    try:
        for piece in pieces:
            passed += passage.feed(piece)
        passed += passage.finish()
    except Fault as fault:
        return passed, fault
    return passed, None


def cut(data: bytes, places: Sequence[int]) -> list[bytes]:
    """Cut ``data`` at ``places``."""
    edges = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[a:b] for a, b in itertools.pairwise(edges)]


def singly(data: bytes) -> list[bytes]:
    """Cut ``data`` into bytes."""
    return [data[at : at + 1] for at in range(len(data))]


def payloads(data: bytes) -> list[Any]:
    """Give the JSON of each event in a clean stream, [DONE] left out."""
    blocks = data.decode().split("\n\n")
    assert blocks.pop() == ""
    texts = [block.removeprefix("data: ") for block in blocks]
    return [json.loads(text) for text in texts if text != "[DONE]"]


PLACES = st.lists(st.integers(min_value=0, max_value=1 << 20), max_size=12)
"""Where to cut a body."""

Damage = Callable[[bytes], bytes]


def damages() -> st.SearchStrategy[Damage]:
    """Ways to spoil an answer: cut off, a byte changed, bytes put in or taken out."""

    def damage(at: int, drop: int, put: bytes) -> Damage:
        def spoil(data: bytes) -> bytes:
            place = at % (len(data) + 1)
            return data[:place] + put + data[place + drop :]

        return spoil

    return st.builds(
        damage,
        st.integers(min_value=0, max_value=1 << 20),
        st.integers(min_value=0, max_value=60),
        st.binary(max_size=12) | st.sampled_from([b"\n\n", b"null", b"{", b"\xff"]),
    )
