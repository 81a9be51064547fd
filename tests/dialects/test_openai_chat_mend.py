"""Answers of providers that chat oddly: strict output whatever comes in."""

import json
from pathlib import Path
from typing import Any

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
    travel,
)
from support.openai_schema import chunk_errors, completion_errors

from lightweight.dialects.crossing import Crossing
from lightweight.errors import (
    Fault,
    ProviderCut,
    ProviderFault,
    ProviderGarbage,
    ProviderRefused,
)
from lightweight.records import Call, Target, Usage

TRANSCRIPTS = Path(__file__).parent / "transcripts"
ODD = "odd_chunks"


def quirky(*quirks: str) -> Target:
    return Target(
        provider="p", model="up", dialect="openai_chat", quirks=frozenset(quirks)
    )


def mended(data: bytes, *quirks: str, usage: bool = False) -> list[Any]:
    """Give the chunks a client gets, each of them judged."""
    way = DIALECT.passage(stream_call(usage=usage), quirky(*(quirks or (ODD,))))
    made, fault = travel(way, [data])
    assert fault is None
    assert made.endswith(DONE)
    chunks = payloads(made)
    for each in chunks:
        assert chunk_errors(each) == []
        assert each["model"] == "m"
    return chunks


def deltas(chunks: list[Any]) -> list[Any]:
    return [choice["delta"] for each in chunks for choice in each["choices"]]


def reason(chunks: list[Any]) -> Any:
    return [c["choices"][0]["finish_reason"] for c in chunks if c["choices"]][-1]


def failed(data: bytes, asked: Call | None = None) -> Fault | None:
    return travel(DIALECT.passage(asked or stream_call(), quirky(ODD)), [data])[1]


def test_a_provider_without_such_quirks_passes_byte_for_byte() -> None:
    data = chunk(speech("Hi"), obfuscation="x") + chunk(ending()) + DONE
    target = Target(
        provider="p",
        model="m",
        dialect="openai_chat",
        quirks=frozenset({"no_user", "reasoning_parameters"}),
    )
    way = DIALECT.passage(stream_call(), target)
    assert not isinstance(way, Crossing)
    assert travel(way, [data]) == (data, None)


def test_the_role_comes_first_and_once() -> None:
    data = chunk(speech("a")) + chunk(
        {"index": 0, "delta": {"role": "assistant", "content": "b"}}
    )
    made = mended(data + chunk(ending()) + DONE)
    assert deltas(made) == [
        {"role": "assistant", "content": ""},
        {"content": "a"},
        {"content": "b"},
        {},
    ]


def test_ids_and_names_come_once_and_indices_are_there() -> None:
    def piece(arguments: str, **more: Any) -> bytes:
        body = {"name": "f", "arguments": arguments}
        told = {"id": "c", "type": "function", "function": body, **more}
        return chunk({"delta": {"tool_calls": [told]}})

    data = piece('{"a"') + piece(":1}") + chunk(ending("tool_calls")) + DONE
    calls = [c for d in deltas(mended(data)) for c in d.get("tool_calls", ())]
    assert calls == [
        {
            "index": 0,
            "id": "c",
            "type": "function",
            "function": {"name": "f", "arguments": ""},
        },
        {"index": 0, "function": {"arguments": '{"a"'}},
        {"index": 0, "function": {"arguments": ":1}"}},
    ]


CALLED = chunk(
    {
        "index": 0,
        "delta": {
            "tool_calls": [
                {"index": 0, "id": "c", "function": {"name": "f", "arguments": "{}"}}
            ]
        },
    }
)


def test_stop_after_tools_is_mended_where_the_quirk_says_so() -> None:
    data = CALLED + chunk(ending()) + DONE
    assert reason(mended(data, "stop_after_tools")) == "tool_calls"
    assert reason(mended(data, ODD)) == "stop"
    words = chunk(speech("a")) + chunk(ending()) + DONE
    assert reason(mended(words, "stop_after_tools")) == "stop"
    cut_off = CALLED + chunk(ending("length")) + DONE
    assert reason(mended(cut_off, "stop_after_tools")) == "length"


def test_the_ending_may_stand_before_the_tools() -> None:
    data = chunk(ending()) + CALLED + DONE
    made = mended(data, "stop_after_tools")
    assert made[-1]["choices"][0]["finish_reason"] == "tool_calls"


def test_usage_comes_last_and_alone_wherever_it_stood() -> None:
    told = {"prompt_tokens": 3, "completion_tokens": 2}
    data = chunk(speech("a"), usage=told) + chunk(ending(), usage=None) + DONE
    made = mended(data, "usage_unasked", usage=True)
    assert [each["usage"] for each in made[:-1]] == [None] * (len(made) - 1)
    assert made[-1]["choices"] == []
    assert made[-1]["usage"]["total_tokens"] == 5
    assert all("usage" not in each for each in mended(data, "usage_unasked"))
    way = DIALECT.passage(stream_call(), quirky(ODD))
    travel(way, [data])
    assert way.usage == Usage(fresh=3, answer=2)
    assert way.deltas == 1


def test_a_whole_answer_in_the_place_of_a_stream() -> None:
    body = completion(answer("stop", content="Hi."), usage={"prompt_tokens": 3})
    made = mended(b" \n" + body)
    assert deltas(made) == [
        {"role": "assistant", "content": ""},
        {"content": "Hi."},
        {},
    ]
    assert type(failed(body[:-3])) is ProviderGarbage
    error = b'[{"error": {"code": 503, "message": "x", "status": "UNAVAILABLE"}}]'
    assert type(failed(error)) is ProviderRefused
    assert type(failed(error, call())) is ProviderRefused
    assert type(failed(b"data: " + error + b"\n\n")) is ProviderRefused


def test_no_ending_is_made_up() -> None:
    assert type(failed(b"")) is ProviderCut
    assert type(failed(chunk(speech("a")))) is ProviderCut
    assert type(failed(chunk(speech("a")) + DONE)) is ProviderCut
    assert type(failed(CALLED + DONE)) is ProviderCut
    way = DIALECT.passage(stream_call(), quirky(ODD))
    passed = way.feed(CALLED + chunk(ending()) + chunk(speech("a")))
    assert b'"finish_reason":"' not in passed
    assert DONE not in passed


def test_azure_s_stream_keeps_what_azure_adds() -> None:
    data = (TRANSCRIPTS / "azure.sse").read_bytes()
    made = mended(data)
    assert any("prompt_filter_results" in each for each in made)
    assert all(each["object"] == "chat.completion.chunk" for each in made)
    assert made[-1]["choices"][0]["finish_reason"]


def test_logprobs_and_unknown_members_are_kept() -> None:
    spoken = {
        "index": 0,
        "delta": {"content": "a", "audio": {"id": "x"}},
        "logprobs": {"content": None, "refusal": None},
    }
    made = mended(chunk(spoken) + chunk(ending()) + DONE, usage=True)
    (kept,) = [each for each in made if '"audio"' in json.dumps(each)]
    assert kept["choices"] == [
        {
            "index": 0,
            "delta": {"audio": {"id": "x"}},
            "finish_reason": None,
            "logprobs": {"content": None, "refusal": None},
        }
    ]
    assert kept["usage"] is None


@pytest.mark.parametrize("streamed", [True, False])
def test_the_fingerprint_and_the_tier_are_kept(*, streamed: bool) -> None:
    told = {"system_fingerprint": "fp_1", "service_tier": "flex"}
    if streamed:
        data = chunk(speech("Hi"), **told) + chunk(ending(), **told) + DONE
        made = mended(data)
    else:
        way = DIALECT.passage(call(), quirky(ODD))
        way.feed(completion(answer(), **told))
        made = [json.loads(way.finish())]
    for each in made:
        assert {name: each[name] for name in told} == told
    assert "service_tier" not in mended(chunk(ending(), service_tier=None) + DONE)[0]


def test_a_whole_answer_keeps_them_too() -> None:
    spoken = answer("stop", tool_calls=[{"id": "c", "function": {"name": "f"}}])
    spoken["logprobs"] = {"content": None, "refusal": None}
    spoken["message"]["annotations"] = []
    spoken["message"]["extra"] = {"a": 1}
    way = DIALECT.passage(call(), quirky("stop_after_tools"))
    made, fault = travel(way, singly(completion(spoken, citations=["x"])))
    assert fault is None
    body = json.loads(made)
    assert completion_errors(body) == []
    assert body["citations"] == ["x"]
    (choice,) = body["choices"]
    assert choice["finish_reason"] == "tool_calls"
    assert choice["logprobs"] == {"content": None, "refusal": None}
    assert choice["message"]["extra"] == {"a": 1}
    assert choice["message"]["tool_calls"][0]["type"] == "function"


SOURCES = st.sampled_from(
    [path.read_bytes() for path in sorted(TRANSCRIPTS.glob("*.sse"))]
    + [
        CALLED + chunk(ending()) + DONE,
        completion(answer()),
        b'[{"error":{"message":"x"}}]',
    ]
)


@given(data=SOURCES, spoil=damages(), places=PLACES, stream=st.booleans())
def test_what_a_client_gets_does_not_depend_on_the_network(
    data: bytes, spoil: Damage, places: list[int], *, stream: bool
) -> None:
    asked = stream_call() if stream else call()
    spoilt = spoil(data)
    made, fault = travel(DIALECT.passage(asked, quirky("stop_after_tools")), [spoilt])
    assert fault is None or isinstance(fault, ProviderFault)
    for pieces in (singly(spoilt), cut(spoilt, places)):
        way = DIALECT.passage(asked, quirky("stop_after_tools"))
        again, other = travel(way, pieces)
        assert (type(other)) is type(fault)
        assert fault is not None or again == made


@given(st.binary())
def test_any_bytes(data: bytes) -> None:
    for asked in (stream_call(), call()):
        _, fault = travel(DIALECT.passage(asked, quirky(ODD)), [data])
        assert isinstance(fault, ProviderFault)


@pytest.mark.parametrize(
    "path", sorted(TRANSCRIPTS.glob("*.sse")), ids=lambda p: p.stem
)
def test_real_streams_become_strict_ones(path: Path) -> None:
    assert mended(path.read_bytes(), "stop_after_tools", usage=True)
