import base64
from typing import Any

import pytest

from lightweight.dialects.anthropic_turns import (
    BEGIN,
    messages_of,
    system_of,
    waits_for_thoughts,
)
from lightweight.errors import BadRequest
from lightweight.prompts import (
    Audio,
    File,
    Image,
    Part,
    Reasoning,
    Refusal,
    Role,
    Text,
    ToolCall,
    ToolResult,
    Turn,
)

OWN = Reasoning(text="Hm", seal="sig", sealed_by="anthropic")
CALL = ToolCall(id="t", name="f", arguments='{"x":1}')
RESULT = ToolResult(call_id="t", parts=(Text(text="ok"),))
MARK = {"cache_control": {"type": "ephemeral"}}


def turn(role: Role, *parts: Part | str) -> Turn:
    said = (Text(text=part) if isinstance(part, str) else part for part in parts)
    return Turn(role=role, parts=tuple(said))


def text(said: str) -> dict[str, Any]:
    return {"type": "text", "text": said}


def shape(messages: list[Any]) -> list[tuple[str, list[str]]]:
    """Give each message's role and what its blocks are or say."""
    return [
        (
            message["role"],
            [str(block.get("text", block["type"])) for block in message["content"]],
        )
        for message in messages
    ]


CONVERSATIONS: dict[str, tuple[list[Turn], list[tuple[str, list[str]]]]] = {
    "roles alternate": (
        [turn("user", "a"), turn("user", "b"), turn("assistant", "c", "d")],
        [("user", ["a", "b"]), ("assistant", ["c", "d"])],
    ),
    "the system stands elsewhere": (
        [
            turn("system", "s"),
            turn("user", "a"),
            turn("system", "t"),
            turn("user", "b"),
        ],
        [("user", ["a", "b"])],
    ),
    "results are the user's and come first, all in one message": (
        [
            turn("user", "a"),
            turn("assistant", "b", CALL, CALL),
            turn("tool", RESULT),
            turn("user", "c"),
            turn("tool", RESULT),
        ],
        [
            ("user", ["a"]),
            ("assistant", ["b", "tool_use", "tool_use"]),
            ("user", ["tool_result", "tool_result", "c"]),
        ],
    ),
    "the user begins": (
        [turn("assistant", "hello"), turn("user", "a")],
        [("user", [BEGIN]), ("assistant", ["hello"]), ("user", ["a"])],
    ),
    "there is a message": ([turn("system", "s")], [("user", [BEGIN])]),
    "an empty user begins": (
        [turn("user", " "), turn("assistant", "a")],
        [("user", [BEGIN]), ("assistant", ["a"])],
    ),
    "empty texts are left out": (
        [turn("user", "", "a"), turn("assistant", "  "), turn("user", "b")],
        [("user", ["a", "b"])],
    ),
    "a refusal is text": (
        [turn("user", "a"), turn("assistant", Refusal(text="no"))],
        [("user", ["a"]), ("assistant", ["no"])],
    ),
    "only Claude's own thoughts go back": (
        [
            turn("user", "a"),
            turn(
                "assistant",
                OWN,
                Reasoning(text="x", seal="y", sealed_by="gemini"),
                Reasoning(text="plain"),
                Reasoning(seal="z", sealed_by="anthropic", redacted=True),
                "b",
            ),
        ],
        [("user", ["a"]), ("assistant", ["thinking", "redacted_thinking", "b"])],
    ),
}


@pytest.mark.parametrize("name", CONVERSATIONS)
def test_conversations(name: str) -> None:
    turns, told = CONVERSATIONS[name]
    assert shape(messages_of(turns)) == told


PDF = File(data="JVBE", media_type="application/pdf", name="a.pdf", cached=True)
NOTE = File(data=base64.b64encode(b"Hi").decode(), media_type="text/markdown")
BLOCKS: list[tuple[Part, dict[str, Any]]] = [
    (Text(text="a", cached=True), {**text("a"), **MARK}),
    (OWN, {"type": "thinking", "thinking": "Hm", "signature": "sig"}),
    (
        Reasoning(seal="z", sealed_by="anthropic", redacted=True),
        {"type": "redacted_thinking", "data": "z"},
    ),
    (
        Image(url="https://x", detail="low", cached=True),
        {"type": "image", "source": {"type": "url", "url": "https://x"}, **MARK},
    ),
    (
        Image(data="iVBO", media_type="image/png"),
        {
            "type": "image",
            "source": {"type": "base64", "media_type": "image/png", "data": "iVBO"},
        },
    ),
    (
        PDF,
        {
            "type": "document",
            "source": {
                "type": "base64",
                "media_type": "application/pdf",
                "data": "JVBE",
            },
            "title": "a.pdf",
            **MARK,
        },
    ),
    (
        NOTE,
        {
            "type": "document",
            "source": {"type": "text", "media_type": "text/plain", "data": "Hi"},
        },
    ),
    (File(url="u"), {"type": "document", "source": {"type": "url", "url": "u"}}),
    (
        ToolResult(call_id="t", parts=(), error=True, cached=True),
        {"type": "tool_result", "tool_use_id": "t", "is_error": True, **MARK},
    ),
    (
        RESULT,
        {"type": "tool_result", "tool_use_id": "t", "content": [text("ok")]},
    ),
]


@pytest.mark.parametrize(("part", "block"), BLOCKS)
def test_blocks(part: Part, block: dict[str, Any]) -> None:
    messages = messages_of([turn("user", "-"), turn("assistant", part)])
    assert messages[1]["content"] == [block]


@pytest.mark.parametrize(
    ("call", "input_"),
    [
        (CALL, b'{"x":1}'),
        (ToolCall(id="t", name="f", arguments=""), b"{}"),
        (ToolCall(id="t", name="f", arguments="[1"), b'{"input":"[1"}'),
        (ToolCall(id="t", name="f", arguments="{}", custom=True), b'{"input":"{}"}'),
    ],
)
def test_what_a_call_says(call: ToolCall, input_: bytes) -> None:
    (block,) = messages_of([turn("user", "-"), turn("assistant", call)])[1]["content"]
    assert bytes(block["input"]) == input_


def test_ids_that_claude_refuses_are_changed_alike_on_both_sides() -> None:
    odd = "functions.f:0"
    messages = messages_of(
        [
            turn("user", "a"),
            turn("assistant", ToolCall(id=odd, name="f", arguments="")),
            turn("tool", ToolResult(call_id=odd, parts=())),
        ]
    )
    assert messages[1]["content"][0]["id"] == "functions_f_0"
    assert messages[2]["content"][0]["tool_use_id"] == "functions_f_0"


def test_system_blocks_in_order() -> None:
    marked = Text(text="b", cached=True)
    turns = [turn("system", "a", ""), turn("user", "x"), turn("system", marked)]
    assert system_of(turns) == [text("a"), {**text("b"), **MARK}]


@pytest.mark.parametrize(
    "part",
    [
        Audio(data="x", format="wav"),
        File(data="x", media_type="application/zip"),
        File(data="/w==", media_type="text/plain"),
        File(data="!", media_type="text/plain"),
    ],
)
def test_what_claude_has_no_block_for(part: Part) -> None:
    with pytest.raises(BadRequest) as caught:
        messages_of([turn("user", part)])
    assert caught.value.code == "unsupported_parameter"
    assert caught.value.param == "messages"


LOST: list[tuple[list[Turn], bool]] = [
    ([turn("user", "a")], False),
    ([turn("user", "a"), turn("assistant", "b")], False),
    ([turn("assistant", CALL), turn("tool", RESULT)], True),
    ([turn("assistant", OWN, CALL), turn("tool", RESULT)], False),
    ([turn("assistant", "b", CALL), turn("tool", RESULT)], True),
    (
        [
            turn("assistant", OWN, CALL),
            turn("tool", RESULT),
            turn("assistant", CALL),
            turn("tool", RESULT),
        ],
        False,
    ),
    ([turn("assistant", CALL), turn("tool", RESULT), turn("user", "a")], True),
    (
        [
            turn("assistant", CALL),
            turn("tool", RESULT),
            turn("assistant", "b"),
            turn("user", "a"),
        ],
        False,
    ),
]


@pytest.mark.parametrize(("turns", "lost"), LOST)
def test_whether_the_thoughts_of_an_open_answer_are_lost(
    turns: list[Turn], *, lost: bool
) -> None:
    assert waits_for_thoughts(turns) is lost
