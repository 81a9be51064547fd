"""The conversation as turns: each mapping, traps of real clients, what is refused."""

import json
from typing import Any

import pytest
from msgspec import Raw

from lightweight.dialects.openai_responses_items import read_turns
from lightweight.dialects.seals import Carried, with_carried, wrapped
from lightweight.errors import BadRequest
from lightweight.prompts import (
    Audio,
    File,
    Image,
    Part,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    ToolResult,
    Turn,
)


def read(*items: Any, **fields: Any) -> tuple[Turn, ...]:
    members = {"input": list(items), **fields}
    raws = {name: Raw(json.dumps(value).encode()) for name, value in members.items()}
    return read_turns(raws, frozenset({"ApplyPatch"}))


def turn(role: Any, *parts: Part) -> Turn:
    return Turn(role=role, parts=parts)


def call(**more: Any) -> dict[str, Any]:
    made = {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"}
    return {**made, **more}


def test_a_string_is_what_the_user_says() -> None:
    assert read(input="Hi", instructions="Be brief.") == (
        turn("system", Text(text="Be brief.")),
        turn("user", Text(text="Hi")),
    )
    assert read(input="Hi", instructions=None) == (turn("user", Text(text="Hi")),)


def test_messages() -> None:
    assert read(
        {"type": "message", "role": "developer", "content": "A", "id": "msg_1"},
        {"role": "system", "content": [{"type": "input_text", "text": "B"}]},
        {"role": "user", "content": [{"type": "text", "text": "C"}]},
        {
            "role": "assistant",
            "content": [
                {"type": "output_text", "text": "D", "annotations": []},
                {"type": "refusal", "refusal": "E"},
            ],
        },
    ) == (
        turn("system", Text(text="A")),
        turn("system", Text(text="B")),
        turn("user", Text(text="C")),
        turn("assistant", Text(text="D"), Refusal(text="E")),
    )


def test_pictures_sound_and_files() -> None:
    content = [
        {"type": "input_image", "image_url": "data:image/png;base64,aGk="},
        {"type": "input_image", "image_url": "https://x/y", "detail": "low"},
        {"type": "image_url", "image_url": {"url": "https://x/z", "detail": "high"}},
        {"type": "input_audio", "input_audio": {"data": "aGk=", "format": "wav"}},
        {"type": "input_file", "file_url": "https://x/a.pdf"},
        {
            "type": "input_file",
            "filename": "a.txt",
            "file_data": "data:text/plain;base64,aGk=",
        },
        {"type": "input_file", "file_data": "aGk="},
    ]
    (said,) = read({"role": "user", "content": content})
    assert said.parts == (
        Image(data="aGk=", media_type="image/png"),
        Image(url="https://x/y", detail="low"),
        Image(url="https://x/z", detail="high"),
        Audio(data="aGk=", format="wav"),
        File(url="https://x/a.pdf"),
        File(data="aGk=", media_type="text/plain", name="a.txt"),
        File(data="aGk=", media_type="application/pdf"),
    )


def test_calls_in_a_row_are_one_turn() -> None:
    assert read(
        {"role": "user", "content": "Go"},
        {
            "type": "reasoning",
            "id": "rs_1",
            "summary": [{"type": "summary_text", "text": "Hm."}],
            "encrypted_content": "SEAL",
        },
        {"role": "assistant", "content": "I look."},
        call(),
        call(call_id="c2", name="g"),
        {"type": "function_call_output", "call_id": "c1", "output": "one"},
        {
            "type": "function_call_output",
            "call_id": "c2",
            "output": [{"type": "input_text", "text": "two"}],
        },
        {"role": "user", "content": "And?"},
    ) == (
        turn("user", Text(text="Go")),
        turn(
            "assistant",
            Reasoning(text="Hm.", seal="SEAL", sealed_by="openai_responses", id="rs_1"),
            Text(text="I look."),
            ToolCall(id="c1", name="f", arguments="{}"),
            ToolCall(id="c2", name="g", arguments="{}"),
        ),
        turn(
            "tool",
            ToolResult(call_id="c1", parts=(Text(text="one"),)),
            ToolResult(call_id="c2", parts=(Text(text="two"),)),
        ),
        turn("user", Text(text="And?")),
    )


def test_users_who_speak_twice_stay_two() -> None:
    assert len(read(*[{"role": "user", "content": "Hi"}] * 2)) == 2


def test_thoughts() -> None:
    foreign = Reasoning(text="Hm.", seal="s", sealed_by="anthropic", redacted=True)
    plain = {"type": "reasoning_text", "text": "raw"}
    said = read(
        {"type": "reasoning", "summary": [], "encrypted_content": wrapped(foreign)},
        {"type": "reasoning", "summary": [], "encrypted_content": "SEAL"},
        {"type": "reasoning", "id": "rs_2", "summary": [], "content": [plain]},
    )
    assert said == (
        turn(
            "assistant",
            foreign,
            Reasoning(seal="SEAL", sealed_by="openai_responses"),
            Reasoning(text="raw", id="rs_2"),
        ),
    )


def test_what_ids_bear_comes_before_the_call() -> None:
    thought = Reasoning(text="Hm.", seal="s", sealed_by="anthropic")
    shown = with_carried("c1", Carried(thoughts=(thought,), seal="g"))
    said = read(
        call(call_id=shown),
        {"type": "function_call_output", "call_id": shown, "output": ""},
    )
    assert said == (
        turn(
            "assistant", thought, ToolCall(id="c1", name="f", arguments="{}", seal="g")
        ),
        turn("tool", ToolResult(call_id="c1", parts=(Text(text=""),))),
    )


PATCH = "*** Begin Patch\n"


@pytest.mark.parametrize(
    "said",
    [
        {
            "type": "custom_tool_call",
            "call_id": "c",
            "name": "ApplyPatch",
            "input": PATCH,
        },
        # As Cursor brings it back: a function whose arguments are the bare text.
        call(call_id="c", name="ApplyPatch", arguments=PATCH, index=0),
        call(call_id="c", name="ApplyPatch", arguments=json.dumps({"input": PATCH})),
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {"id": "c", "function": {"name": "ApplyPatch", "arguments": PATCH}}
            ],
        },
    ],
)
def test_calls_of_custom_tools(said: Any) -> None:
    result = {"type": "custom_tool_call_output", "call_id": "c", "output": "ok"}
    called, answered = read(said, result)
    assert called.parts == (
        ToolCall(id="c", name="ApplyPatch", arguments=PATCH, custom=True),
    )
    assert answered.parts == (ToolResult(call_id="c", parts=(Text(text="ok"),)),)


def test_the_tool_of_a_namespace() -> None:
    (said,) = read(call(namespace="mail", name="send"))
    assert said.parts == (ToolCall(id="c1", name="mail__send", arguments="{}"),)


def test_chat_messages_among_the_items() -> None:
    calls = [
        {
            "id": "c1",
            "index": 0,
            "type": "function",
            "function": {"name": "f", "arguments": "{}"},
        },
        {"id": "c2", "type": "custom", "custom": {"name": "p", "input": "raw"}},
    ]
    assert read(
        {"role": "assistant", "content": None, "tool_calls": calls},
        {"role": "tool", "tool_call_id": "c1", "content": "one"},
    ) == (
        turn(
            "assistant",
            ToolCall(id="c1", name="f", arguments="{}"),
            ToolCall(id="c2", name="p", arguments="raw", custom=True),
        ),
        turn("tool", ToolResult(call_id="c1", parts=(Text(text="one"),))),
    )


def test_items_of_hosted_tools_are_dropped() -> None:
    assert read(
        {"type": "web_search_call", "id": "ws_1", "action": {}},
        {"type": "tool_search_call", "arguments": {"a": 1}, "call_id": None},
        {"role": "user", "content": "Hi"},
    ) == (turn("user", Text(text="Hi")),)


@pytest.mark.parametrize(
    ("item", "param"),
    [
        ({"role": "robot", "content": "x"}, "input[0].role"),
        ({"content": "x"}, "input[0]"),
        ({"role": "user", "content": 7}, "input[0].content"),
        ({"role": "user", "content": [{"type": "new"}]}, "input[0].content[0].type"),
        ({"role": "user", "content": [{"text": "x"}]}, "input[0].content[0]"),
        ({"role": "tool", "content": "x"}, "input[0].tool_call_id"),
        (
            {"role": "assistant", "tool_calls": [{"id": "c"}]},
            "input[0].tool_calls[0].function",
        ),
        ({"type": 7}, "input[0].type"),
        ({"type": "function_call", "name": "f"}, "input[0]"),
        (call(arguments={}), "input[0].arguments"),
        ({"type": "compaction", "encrypted_content": "x"}, "input[0].type"),
    ],
)
def test_the_blame_is_exact(item: Any, param: str) -> None:
    with pytest.raises(BadRequest) as caught:
        read(item)
    assert caught.value.param == param
