"""What is told twice is heard once, and what is told once is not lost."""

import json
from typing import Any

import pytest
from msgspec import Raw
from support.responses import call, function_call, message, text, thoughts

from lightweight.dialects.openai_responses_output import Output
from lightweight.dialects.openai_responses_shapes import decode_piece
from lightweight.errors import ProviderGarbage
from lightweight.events import (
    Event,
    ReasoningDelta,
    ReasoningSealed,
    RefusalDelta,
    ToolCallDelta,
    Unknown,
)


def heard(*events: dict[str, Any], final: list[dict[str, Any]] | None = None) -> Any:
    output = Output(call())
    said: list[Event] = []
    for event in events:
        data = json.dumps({**event, "type": f"response.{event['type']}"}).encode()
        said += output.hear(decode_piece(data), data)
    raws = [Raw(json.dumps(item).encode()) for item in final or []]
    return said + list(output.catch_up(raws))


def piece(delta: str, kind: str = "output_text", **more: Any) -> dict[str, Any]:
    return {"type": f"{kind}.delta", "delta": delta, **more}


def added(item: dict[str, Any], index: int = 0) -> dict[str, Any]:
    return {"type": "output_item.added", "item": item, "output_index": index}


def done(item: dict[str, Any], index: int = 0) -> dict[str, Any]:
    return {"type": "output_item.done", "item": item, "output_index": index}


HI = message(text("Hi"))
WHOLE = {"type": "output_text.done", "text": "Hi"}
BEGUN = ToolCallDelta(call=0, arguments="", id="call_1", name="f")
CALL = function_call('{"a":1}')
ARGUED = ToolCallDelta(call=0, arguments='{"a":1}')
ARGUING = piece('{"a":1}', "function_call_arguments")


@pytest.mark.parametrize(
    "events",
    [
        [piece("H"), piece("i")],
        [piece("H"), piece("i"), WHOLE, done(HI)],
        [added(message()), WHOLE, done(HI)],
        [done(HI)],
        [],
    ],
)
def test_text_is_heard_once(events: list[dict[str, Any]]) -> None:
    said = heard(*events, final=[HI])
    assert "".join(event.text for event in said) == "Hi"


@pytest.mark.parametrize(
    "events",
    [
        [added(function_call("")), ARGUING],
        [added(function_call("")), ARGUING, done(CALL)],
        [added(CALL), ARGUING, done(CALL)],
        [added(function_call("")), done(CALL)],
        [ARGUING, done(CALL)],
        [added(function_call(""))],
        [],
    ],
)
def test_a_call_is_heard_once(events: list[dict[str, Any]]) -> None:
    assert heard(*events, final=[CALL]) == [BEGUN, ARGUED]


def test_a_weaker_final_copy_changes_nothing() -> None:
    said = heard(added(function_call("")), ARGUING, final=[function_call("")])
    assert said == [BEGUN, ARGUED]


def test_calls_are_counted_without_the_other_items() -> None:
    custom = {"type": "custom_tool_call", "call_id": "c2", "name": "p", "input": ""}
    said = heard(
        done(thoughts(), 0),
        added(function_call(""), 1),
        added(custom, 2),
        piece("raw", "custom_tool_call_input", output_index=2),
        piece("{}", "function_call_arguments", output_index=1),
    )
    assert said == [
        BEGUN,
        ToolCallDelta(call=1, arguments="", id="c2", name="p", custom=True),
        ToolCallDelta(call=1, arguments="raw", custom=True),
        ToolCallDelta(call=0, arguments="{}"),
    ]


def test_a_provider_that_counts_every_item_as_its_first() -> None:
    second = function_call("", call_id="call_2")
    said = heard(
        piece("a"),
        done(message(text("a"))),
        piece("b"),
        done(message(text("b"))),
        added(function_call("")),
        ARGUING,
        done(CALL),
        added(second),
        ARGUING,
    )
    assert [event.text for event in said[:2]] == ["a", "b"]
    assert [(event.call, event.arguments) for event in said[2:]] == [
        (0, ""),
        (0, '{"a":1}'),
        (1, ""),
        (1, '{"a":1}'),
    ]


def test_thoughts_and_their_seal() -> None:
    sealed = thoughts("one", "two", encrypted_content="SEAL")
    told = "reasoning_summary_text"
    said = heard(
        added(thoughts()),
        piece("one", told, summary_index=0),
        piece("two", told, summary_index=1),
        done(sealed),
        final=[thoughts("other", encrypted_content="ANOTHER")],
    )
    assert said == [
        ReasoningDelta(text="one"),
        ReasoningDelta(text="\n\ntwo"),
        ReasoningSealed(seal="SEAL", sealed_by="openai_responses", id="rs_1"),
    ]
    assert heard(final=[sealed]) == said


def test_thoughts_told_in_two_ways_are_heard_in_one() -> None:
    both = thoughts("s", content=[{"type": "reasoning_text", "text": "raw"}])
    assert heard(piece("raw", "reasoning_text"), done(both)) == [
        ReasoningDelta(text="raw")
    ]
    assert heard(final=[both]) == [ReasoningDelta(text="s")]


def test_a_refusal() -> None:
    refusal = {"type": "refusal", "refusal": "No."}
    assert heard(done(message(refusal))) == [RefusalDelta(text="No.")]
    assert heard({"type": "refusal.done", "refusal": "No."}) == [
        RefusalDelta(text="No.")
    ]


def test_what_has_no_word() -> None:
    search = {"type": "web_search_call", "id": "ws_1"}
    (told,) = heard(added(search), done(search))
    assert isinstance(told, Unknown)
    assert b"web_search_call" in told.raw
    (told,) = heard({"type": "output_text.annotation.added"})
    assert isinstance(told, Unknown)
    assert heard({"type": "in_progress"}) == []


def test_a_call_without_id_gets_one() -> None:
    nameless = {"type": "function_call", "name": "f", "arguments": "{}"}
    begun, argued = heard(added(nameless), done(nameless))
    assert begun.id == "call_r1_0"
    assert argued.arguments == "{}"


def test_a_call_without_name_is_garbage() -> None:
    with pytest.raises(ProviderGarbage):
        heard(added(function_call(name=None)))
