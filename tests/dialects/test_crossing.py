"""Two dialects meet; here a double of a dialect on one side and chat on the other."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

import pytest
from msgspec.structs import replace
from support.chat import DIALECT, DONE, call, payloads, stream_call, target

from lightweight.dialects.crossing import Crossing, passage, write_request
from lightweight.dialects.dialect import Dialect
from lightweight.errors import ProviderCut, ProviderTimeout
from lightweight.events import (
    Event,
    Finished,
    Started,
    TextDelta,
    UsageReported,
)
from lightweight.prompts import Prompt, Text, Turn
from lightweight.records import Call, DialectName, Target, Usage

USAGE = Usage(fresh=3, answer=2)
SAID: Sequence[Event] = (
    Started(id="x", created=1, model="up"),
    TextDelta(text="Hi"),
    TextDelta(text="!"),
    Finished(reason="stop"),
    UsageReported(usage=USAGE),
)


class Spelled:
    """A Reader for which each byte is the next of the events."""

    def __init__(self) -> None:
        self.complete = False
        self._rest = list(SAID)

    def feed(self, data: bytes) -> Sequence[Event]:
        events = [self._rest.pop(0) for _ in data]
        self.complete = not self._rest
        return events

    def finish(self) -> Sequence[Event]:
        if self._rest:
            raise ProviderCut("cut")
        return ()


class Foreign:
    """The part of a dialect that a crossing needs of the other side."""

    stream_type = "text/event-stream"

    def read_prompt(self, call: Call) -> Prompt:
        return Prompt(turns=(Turn(role="user", parts=(Text(text=call.model),)),))

    def reader(self, _call: Call, _quirks: frozenset[str]) -> Spelled:
        return Spelled()


DIALECTS = cast(
    "Mapping[DialectName, Dialect]", {"openai_chat": DIALECT, "anthropic": Foreign()}
)
ELSEWHERE = Target(provider="p", model="up", dialect="anthropic")


def test_the_same_dialect_is_not_translated() -> None:
    made = call(unknown=7)
    assert b'"unknown":7' in write_request(DIALECTS, made, target("up")).body
    assert not isinstance(passage(DIALECTS, made, target()), Crossing)


def test_a_request_crosses_as_a_prompt() -> None:
    made = replace(call(), dialect="anthropic")
    body = write_request(DIALECTS, made, target("up")).body
    assert body == b'{"model":"up","messages":[{"role":"user","content":"m"}]}'


def test_an_answer_crosses_as_events() -> None:
    way = passage(DIALECTS, stream_call(usage=True), ELSEWHERE)
    assert way.content_type == "text/event-stream"
    first = way.feed(b"..")
    assert payloads(first)[-1]["choices"][0]["delta"] == {"content": "Hi"}
    assert (way.complete, way.deltas, way.usage) == (False, 1, None)
    rest = way.feed(b"...")
    assert (way.complete, way.deltas, way.usage) == (True, 2, USAGE)
    assert way.size == len("Hi!")
    assert DONE not in first + rest
    end = way.finish()
    assert end.endswith(DONE)
    assert payloads(end)[0]["usage"]["total_tokens"] == 5


def test_a_whole_answer_comes_at_the_end() -> None:
    way = passage(DIALECTS, call(), ELSEWHERE)
    assert way.content_type == "application/json"
    assert way.feed(b".....") == b""
    assert b'"content":"Hi!"' in way.finish()


def test_what_breaks_is_told_in_the_clients_words() -> None:
    way = passage(DIALECTS, stream_call(), ELSEWHERE)
    way.feed(b"..")
    with pytest.raises(ProviderCut):
        way.finish()
    told: Any = payloads(way.broken(ProviderTimeout("slow")))
    assert told[0]["error"]["code"] == "upstream_timeout"
