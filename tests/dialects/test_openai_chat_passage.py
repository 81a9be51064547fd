import json
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.chat import (
    DIALECT,
    DONE,
    PLACES,
    Damage,
    answer,
    call,
    chunk,
    completion,
    cut,
    damages,
    ending,
    payloads,
    singly,
    speech,
    stream_call,
    target,
    travel,
)

from lightweight.dialects import openai_chat_passage
from lightweight.dialects.dialect import Passage
from lightweight.errors import (
    Fault,
    ProviderCut,
    ProviderFault,
    ProviderGarbage,
    ProviderRefused,
    ProviderTimeout,
)
from lightweight.records import Usage

TRANSCRIPTS = {
    path.name: path.read_bytes()
    for path in sorted((Path(__file__).parent / "transcripts").iterdir())
}
USAGE = {"prompt_tokens": 9, "completion_tokens": 3}
GOOD = chunk(speech("a")) + chunk(ending())


def passage(model: str = "m", *, usage: bool = True) -> Passage:
    return DIALECT.passage(stream_call(usage=usage), target(model))


def whole_passage(model: str = "m") -> Passage:
    return DIALECT.passage(call(), target(model))


@pytest.mark.parametrize("name", sorted(TRANSCRIPTS))
@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_bytes_pass_untouched(name: str, end: bytes) -> None:
    data = TRANSCRIPTS[name].replace(b"\n", end)
    for pieces in ([data], singly(data)):
        assert travel(passage(), pieces) == (data, None)


COUNTED = {
    "openai.sse": (Usage(fresh=56, cached=64, answer=23, reasoning=8), 4),
    "llama_cpp.sse": (Usage(fresh=9, answer=3), 2),
    "azure.sse": (Usage(fresh=10, answer=2), 1),
    "gemini.sse": (Usage(fresh=15, answer=20), 2),
}


@pytest.mark.parametrize("name", sorted(TRANSCRIPTS))
@pytest.mark.parametrize("model", ["m", "other"])
def test_what_is_edited_where_usage_was_not_asked(name: str, model: str) -> None:
    way = passage(model, usage=False)
    assert way.content_type == "text/event-stream"
    passed, fault = travel(way, [TRANSCRIPTS[name]])
    assert fault is None
    assert passed.endswith(DONE)
    assert (way.usage, way.deltas) == COUNTED[name]
    expected = []
    for told in payloads(TRANSCRIPTS[name]):
        if told["choices"] or not told.get("usage"):
            told.pop("usage", None)
            if model == "other":
                told["model"] = "m"
            expected.append(told)
    assert payloads(passed) == expected


def test_edits_leave_every_other_byte() -> None:
    data = (
        b': hi\r\ndata:{ "a" : 1.50,"usage":null,"model" : "up" , "choices":'
        b'[{"delta":{"usage":1,"model":2},"finish_reason":"stop"}]}\r\n\r\n'
    )
    assert travel(passage("up", usage=False), [data])[0] == (
        b': hi\r\ndata:{ "a" : 1.50,"model" : "m" , "choices":'
        b'[{"delta":{"usage":1,"model":2},"finish_reason":"stop"}]}\r\n\r\n' + DONE
    )
    many = b'data: {"model":"up",\ndata: "choices":[{"finish_reason":"stop"}]}\n\n'
    assert travel(passage("up"), [many])[0] == (
        b'data: {"model":"m",\ndata: "choices":[{"finish_reason":"stop"}]}\n\n' + DONE
    )
    assert travel(passage(), [many]) == (many + DONE, None)


def test_a_model_that_is_not_there_is_not_put_in() -> None:
    data = b'data: {"choices":[{"finish_reason":"stop"}]}\n\n'
    assert travel(passage("up", usage=False), [data]) == (data + DONE, None)


def test_a_later_null_takes_no_usage_back() -> None:
    way = passage()
    travel(way, [chunk(speech("a"), usage=USAGE) + chunk(ending(), usage=None)])
    assert way.usage == Usage(fresh=9, answer=3)


def test_a_chunk_without_choices_goes_only_where_it_tells_usage() -> None:
    data = b'data: {"choices":[],"usage":null,"prompt_filter_results":[1]}\n\n'
    passed, fault = travel(passage(usage=False), [data + GOOD])
    assert fault is None
    assert passed == (
        b'data: {"choices":[],"prompt_filter_results":[1]}\n\n' + GOOD + DONE
    )


def test_comments_pass_and_steering_does_not() -> None:
    data = b": wait\n\nid: 7\nretry: 1\n\nevent: ping\n\nid: 8\n" + GOOD
    assert travel(passage(), [data]) == (b": wait\n\n" + GOOD + DONE, None)


def test_the_end_is_withheld_until_finish() -> None:
    way = passage()
    assert way.feed(GOOD) == GOOD
    assert not way.complete
    assert way.feed(b"data: [DONE]\r\n\r\n" + b": bye\n\n") == b""
    assert way.complete
    assert way.feed(b"data: {garbage\n\n") == b""
    assert way.finish() == b"data: [DONE]\r\n\r\n"


def test_a_missing_done_is_added() -> None:
    way = passage()
    assert way.feed(GOOD) == GOOD
    assert way.finish() == DONE
    assert way.complete


def test_a_done_without_its_end_is_heard_at_the_stream_s() -> None:
    way = passage()
    assert way.feed(GOOD + b"data: [DONE]\r\n\r") == GOOD
    assert not way.complete
    way.finish()
    assert way.complete


# (a stream, the fault)
BROKEN: list[tuple[bytes, type[Fault]]] = [
    (b"", ProviderCut),
    (DONE, ProviderCut),
    (chunk(speech("a")), ProviderCut),
    (chunk(speech("a")) + DONE, ProviderCut),
    (chunk(speech("a"), speech("b", 1)) + chunk(ending()) + DONE, ProviderCut),
    (GOOD + b'data: {"choices', ProviderCut),
    (chunk(ending("")), ProviderCut),
    (b"<html>Bad gateway", ProviderGarbage),
    (completion(answer()), ProviderGarbage),
    (GOOD + b"data: {garbage\n\n", ProviderGarbage),
    (GOOD + b"data: \xff\n\n", ProviderGarbage),
    (GOOD + b'data: {"error":{"message":"db1"}}\n\n' + DONE, ProviderRefused),
]


@pytest.mark.parametrize(("data", "kind"), BROKEN)
def test_broken_streams(data: bytes, kind: type[Fault]) -> None:
    way = passage()
    passed, fault = travel(way, [data])
    assert type(fault) is kind
    assert DONE not in passed
    assert b"db1" not in passed
    (frame,) = payloads(way.broken(ProviderTimeout("Too slow.")))
    assert frame["error"]["message"] == "Too slow."


def test_a_fault_behind_good_events_waits_for_them() -> None:
    way = passage()
    assert way.feed(GOOD + b"data: {garbage\n\n") == GOOD
    assert way.complete
    with pytest.raises(ProviderGarbage):
        way.feed(b"")
    with pytest.raises(ProviderGarbage):
        way.finish()


def test_deltas_are_counted_where_no_usage_comes() -> None:
    way = passage()
    role = {"index": 0, "delta": {"role": "assistant", "content": None}}
    thought = {"index": 0, "delta": {"reasoning_content": "r"}}
    travel(way, [chunk(role) + chunk(thought, speech("b", 1)) + GOOD])
    assert (way.usage, way.deltas) == (None, 3)


@pytest.mark.parametrize("model", ["m", "up"])
def test_a_whole_answer(model: str) -> None:
    body = b" " + completion(answer(model="x"), usage=USAGE, future=1.5) + b"\n"
    way = whole_passage(model)
    assert way.content_type == "application/json"
    assert b"".join(way.feed(piece) for piece in singly(body)) == b""
    assert not way.complete
    expected = body.replace(b'"up"', b'"m"') if model == "up" else body
    assert way.finish() == expected
    assert (way.usage, way.deltas) == (Usage(fresh=9, answer=3), 1)
    assert way.broken(ProviderTimeout("x")) == b""


def test_a_whole_answer_without_a_model_stays() -> None:
    body = json.dumps({"choices": [answer()]}).encode()
    assert travel(whole_passage("up"), [body]) == (body, None)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", ProviderGarbage),
        (b"<html>", ProviderGarbage),
        (completion(), ProviderGarbage),
        (completion(answer()) + b"x", ProviderGarbage),
        (completion(answer(None)), ProviderCut),
        (b'{"error":{"message":"x"}}', ProviderRefused),
    ],
)
def test_broken_whole_answers(body: bytes, kind: type[Fault]) -> None:
    passed, fault = travel(whole_passage(), [body])
    assert (passed, type(fault)) == (b"", kind)


CHOICES = st.builds(
    lambda reason, odd: {**answer(reason), **odd},
    st.sampled_from(["stop", "stop", None, ""]),
    st.dictionaries(
        st.sampled_from(["index", "delta", "message", "finish_reason"]),
        st.sampled_from([None, 0, 1, 128, "x", {}, {"content": "ü"}]),
        max_size=1,
    ),
)
MEMBERS = st.dictionaries(
    st.sampled_from(["usage", "error", "model", "id"]),
    st.sampled_from([None, 5, "", {}, USAGE, {"prompt_tokens": -1}, {"message": "x"}]),
    max_size=2,
)


@given(st.lists(CHOICES, max_size=2), MEMBERS, st.none() | damages())
def test_a_complete_answer_is_judged_as_any_other(
    choices: list[dict[str, Any]], members: dict[str, Any], spoil: Damage | None
) -> None:
    body = completion(*choices, **members)
    body = spoil(body) if spoil else body
    way, other = whole_passage("up"), whole_passage("up")
    passed, fault = travel(way, [body])
    with mock.patch.object(openai_chat_passage, "complete_answer", return_value=None):
        again, doubt = travel(other, [body])
    assert (passed, type(fault)) == (again, type(doubt))
    assert (way.usage, way.complete) == (other.usage, other.complete)
    assert way.deltas == other.deltas
    assert way.size == other.size or way.usage is not None


SOURCES = st.sampled_from([*TRANSCRIPTS.values(), *(data for data, _ in BROKEN), GOOD])


@given(SOURCES, damages(), PLACES, st.booleans(), st.sampled_from(["m", "up"]))
def test_bytes_do_not_depend_on_the_network(
    data: bytes, spoil: Damage, places: list[int], usage: Any, model: str
) -> None:
    spoilt = spoil(data)
    first = passage(model, usage=usage)
    passed, fault = travel(first, [spoilt])
    assert fault is None or isinstance(fault, ProviderFault)
    assert passed.endswith(DONE.strip() + b"\n\n") or fault is not None
    for pieces in (singly(spoilt), cut(spoilt, places)):
        way = passage(model, usage=usage)
        again, other = travel(way, pieces)
        assert (again, type(other)) == (passed, type(fault))
        assert (way.usage, way.deltas) == (first.usage, first.deltas)


@given(st.binary() | st.binary().map(lambda data: b"data: " + data + b"\n\n"))
def test_any_bytes_pass_or_are_a_fault_of_the_provider(data: bytes) -> None:
    for way in (passage(), whole_passage()):
        assert isinstance(travel(way, [data])[1], ProviderFault)


def test_the_size_of_what_is_said_is_known_in_pieces_and_whole() -> None:
    way = passage()
    way.feed(chunk({"index": 0, "delta": {"role": "assistant", "content": "abcd"}}))
    assert (way.deltas, way.size) == (1, 6), "with its quotes, without the role"
    way.feed(chunk({"index": 0, "delta": {"content": "", "tool_calls": []}}))
    way.feed(chunk({"index": 0, "delta": {"content": "x", "reasoning": "yz"}}))
    assert (way.deltas, way.size) == (2, 6 + 3 + 4)
    whole = whole_passage()
    whole.feed(completion(answer(content="abcd", refusal=None), answer(content="x")))
    whole.finish()
    assert (whole.deltas, whole.size) == (2, 6 + 3), "without what is null"
