"""Items open and close in order, whatever the order in which things are said."""

from collections.abc import Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from support.openai_schema import response_event_errors

from lightweight.dialects.openai_responses_script import Script
from lightweight.dialects.seals import unwrapped, without_carried
from lightweight.events import (
    Event,
    ReasoningDelta,
    ReasoningSealed,
    RefusalDelta,
    TextDelta,
    ToolCallDelta,
)
from lightweight.prompts import Reasoning

NAMES = {"mail__send": ("mail", "send")}


def played(events: Sequence[Event], *, whole: bool = True) -> tuple[list[Any], Any]:
    """Give the stream events of what is said, and the output."""
    script = Script("r", NAMES)
    told = [each for event in events for each in script.hear(event)]
    told += script.close(whole=whole)
    return told, script.render()


def kinds(events: Sequence[Event]) -> list[str]:
    return [
        f"{each['type'].removeprefix('response.')} {each['output_index']}"
        for each in played(events)[0]
    ]


CALL = ToolCallDelta(call=0, arguments="", id="c0", name="f")
CUSTOM = ToolCallDelta(call=1, arguments="", id="c1", name="p", custom=True)


def test_the_order_of_a_message() -> None:
    told, output = played([TextDelta(text="H"), TextDelta(text="i")])
    place = {"item_id": "msg_r_0", "output_index": 0, "content_index": 0}
    empty = {"type": "output_text", "text": "", "annotations": [], "logprobs": []}
    part = {**empty, "text": "Hi"}
    item = {
        "type": "message",
        "id": "msg_r_0",
        "status": "completed",
        "role": "assistant",
        "content": [part],
    }
    opened = {**item, "status": "in_progress", "content": []}
    assert told == [
        {"type": "response.output_item.added", "output_index": 0, "item": opened},
        {"type": "response.content_part.added", **place, "part": empty},
        *(
            {
                "type": "response.output_text.delta",
                **place,
                "delta": delta,
                "logprobs": [],
            }
            for delta in "Hi"
        ),
        {"type": "response.output_text.done", **place, "text": "Hi", "logprobs": []},
        {"type": "response.content_part.done", **place, "part": part},
        {"type": "response.output_item.done", "output_index": 0, "item": item},
    ]
    assert output == [item]


def test_thoughts_then_words_then_calls() -> None:
    thought = "reasoning_summary"
    assert kinds([ReasoningDelta(text="Hm."), TextDelta(text="Hi"), CALL]) == [
        "output_item.added 0",
        f"{thought}_part.added 0",
        f"{thought}_text.delta 0",
        f"{thought}_text.done 0",
        f"{thought}_part.done 0",
        "output_item.done 0",
        "output_item.added 1",
        "content_part.added 1",
        "output_text.delta 1",
        "output_text.done 1",
        "content_part.done 1",
        "output_item.done 1",
        "output_item.added 2",
        "function_call_arguments.delta 2",
        "function_call_arguments.done 2",
        "output_item.done 2",
    ]


def test_calls_whose_pieces_alternate() -> None:
    told, output = played(
        [
            CALL,
            CUSTOM,
            ToolCallDelta(call=0, arguments='{"a":'),
            ToolCallDelta(call=1, arguments="raw", custom=True),
            ToolCallDelta(call=0, arguments="1}"),
        ]
    )
    assert output == [
        {
            "type": "function_call",
            "id": "fc_r_0",
            "status": "completed",
            "call_id": "c0",
            "name": "f",
            "arguments": '{"a":1}',
        },
        {
            "type": "custom_tool_call",
            "id": "ctc_r_1",
            "status": "completed",
            "call_id": "c1",
            "name": "p",
            "input": "raw",
        },
    ]
    finals = [each for each in told if each["type"].endswith(("nts.done", "put.done"))]
    assert finals[0]["name"] == "f"
    assert finals[1]["input"] == "raw"


def test_a_call_without_arguments_can_be_decoded() -> None:
    assert played([CALL])[1][0]["arguments"] == "{}"
    assert played([CUSTOM])[1][0]["input"] == ""


def test_the_tool_of_a_namespace_has_its_own_name() -> None:
    _, output = played([ToolCallDelta(call=0, arguments="", id="c", name="mail__send")])
    assert (output[0]["namespace"], output[0]["name"]) == ("mail", "send")


def test_foreign_seals_travel_with_their_text() -> None:
    seal = ReasoningSealed(seal="s", sealed_by="anthropic", redacted=True, id="i")
    _, output = played([ReasoningDelta(text="Hm."), seal])
    assert unwrapped(output[0]["encrypted_content"]) == Reasoning(
        text="Hm.", seal="s", sealed_by="anthropic", redacted=True, id="i"
    )
    own = ReasoningSealed(seal="s", sealed_by="openai_responses")
    _, output = played([own, ReasoningDelta(text="Hm.")])
    assert output[0]["encrypted_content"] == "s"
    assert output[0]["summary"] == []
    assert "encrypted_content" not in output[1]


def test_the_seal_of_a_call_travels_in_its_id() -> None:
    first = ToolCallDelta(call=0, arguments="", id="c", name="f", seal="g")
    _, output = played([first])
    call_id, carried = without_carried(output[0]["call_id"])
    assert (call_id, carried.seal, carried.sealed_by) == ("c", "g", "gemini")


def test_only_the_last_item_is_cut_short_by_a_limit() -> None:
    _, output = played([TextDelta(text="a"), CALL, TextDelta(text="b")], whole=False)
    assert [item["status"] for item in output] == [
        "completed",
        "completed",
        "incomplete",
    ]
    assert played([], whole=False) == ([], [])


def test_there_is_one_choice() -> None:
    assert played([TextDelta(text="x", choice=1)]) == ([], [])


TEXT = st.sampled_from(["", "a", "b\n"])
SPEECH = st.one_of(
    st.builds(TextDelta, text=TEXT),
    st.builds(RefusalDelta, text=TEXT),
    st.builds(ReasoningDelta, text=TEXT),
    st.builds(ReasoningSealed, seal=TEXT, sealed_by=st.just("anthropic")),
    st.builds(
        ToolCallDelta,
        call=st.integers(0, 2),
        arguments=TEXT,
        id=st.none() | TEXT,
        name=st.none() | TEXT,
        custom=st.booleans(),
    ),
)


@given(st.lists(SPEECH), st.booleans())
def test_any_order_makes_a_valid_stream(events: list[Event], whole: bool) -> None:  # noqa: FBT001 -- hypothesis gives it
    told, output = played(events, whole=whole)
    opened: list[int] = []
    closed: dict[int, Any] = {}
    for number, each in enumerate(told):
        assert response_event_errors({**each, "sequence_number": number}) == []
        index = each["output_index"]
        if each["type"] == "response.output_item.added":
            assert index == len(opened)
            opened.append(index)
        assert index in opened
        assert index not in closed
        if each["type"] == "response.output_item.done":
            closed[index] = each["item"]
    assert [closed[index] for index in opened] == output
