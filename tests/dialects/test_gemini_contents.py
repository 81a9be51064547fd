"""Turns as Gemini's contents: each part, each rule of the history."""

import json
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from lightweight.dialects.gemini_contents import (
    BEGIN,
    NO_SIGNATURE,
    as_object,
    contents_of,
    system_of,
)
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


def turn(role: Any, *parts: Part) -> Turn:
    return Turn(role=role, parts=parts)


def said(text: str) -> Text:
    return Text(text=text)


def contents(*turns: Turn, sealed_calls: bool = False) -> Any:
    made = contents_of(turns, sealed_calls=sealed_calls)
    return json.loads(msgspec.json.encode(made))


HI = turn("user", said("Hi"))
F = ToolCall(id="c1", name="f", arguments='{"a":1}')
G = ToolCall(id="c2", name="g", arguments="")


def result(call_id: str, *parts: Text | Image | File, error: bool = False) -> Turn:
    return turn("tool", ToolResult(call_id=call_id, parts=parts, error=error))


def test_system_turns_stand_apart() -> None:
    turns = (turn("system", said("a")), HI, turn("system", said(""), said("b")))
    assert system_of(turns) == {"parts": [{"text": "a"}, {"text": "b"}]}
    assert system_of((HI,)) is None
    assert contents(*turns) == [{"role": "user", "parts": [{"text": "Hi"}]}]


def test_neighbours_are_merged_and_empty_words_left_out() -> None:
    made = contents(
        HI, turn("user", said(""), said("you")), turn("assistant", said("a"))
    )
    assert made == [
        {"role": "user", "parts": [{"text": "Hi"}, {"text": "you"}]},
        {"role": "model", "parts": [{"text": "a"}]},
    ]


def test_the_user_begins() -> None:
    begin = {"role": "user", "parts": [{"text": BEGIN}]}
    assert contents() == [begin]
    assert contents(turn("assistant", said("a")))[0] == begin


def test_results_follow_their_calls_with_the_function_s_name() -> None:
    made = contents(
        HI,
        turn("assistant", F, G),
        result("c1", said("one"), said("two")),
        result("c2", said("no"), error=True),
        turn("user", said("go on")),
    )
    assert [content["role"] for content in made] == ["user", "model", "user", "user"]
    assert made[1]["parts"] == [
        {"functionCall": {"id": "c1", "name": "f", "args": {"a": 1}}},
        {"functionCall": {"id": "c2", "name": "g", "args": {}}},
    ]
    assert made[2]["parts"] == [
        {
            "functionResponse": {
                "id": "c1",
                "name": "f",
                "response": {"output": "one\ntwo"},
            }
        },
        {
            "functionResponse": {
                "id": "c2",
                "name": "g",
                "response": {"error": "no"},
            }
        },
    ]
    assert made[3]["parts"] == [{"text": "go on"}]


def test_pictures_of_results_come_after_all_of_them() -> None:
    picture = Image(data="AAAA", media_type="image/png")
    turns = (HI, turn("assistant", F, G), result("c1", said("see"), picture))
    for more in ((), (result("c2", said("b")),)):
        made = contents(*turns, *more)
        assert len(made[2]["parts"]) == 1 + len(more)
        assert made[3] == {
            "role": "user",
            "parts": [{"inlineData": {"mimeType": "image/png", "data": "AAAA"}}],
        }
    made = contents(*turns, turn("system", said("s")), turn("user", said("x")))
    assert [list(part) for part in made[3]["parts"]] == [["inlineData"], ["text"]]


def test_a_result_without_its_call_is_refused() -> None:
    with pytest.raises(BadRequest) as caught:
        contents_of((HI, result("gone")), sealed_calls=False)
    assert caught.value.param == "messages"
    assert "'gone'" in caught.value.message


def test_signatures_go_back_and_the_first_call_has_one() -> None:
    sealed = replace(F, seal="SIG")
    turns = (HI, turn("assistant", sealed, G), result("c1"), turn("assistant", G))
    made = contents(*turns, sealed_calls=True)
    assert [part.get("thoughtSignature") for part in made[1]["parts"]] == ["SIG", None]
    assert made[3]["parts"][0]["thoughtSignature"] == NO_SIGNATURE
    assert "thoughtSignature" not in contents(*turns)[3]["parts"][0]


def test_of_thoughts_only_our_own_seals_go_back() -> None:
    own = Reasoning(text="long", seal="S", sealed_by="gemini")
    others = Reasoning(text="t", seal="A", sealed_by="anthropic")
    made = contents(HI, turn("assistant", own, others, Reasoning(text="x"), said("a")))
    assert made[1]["parts"] == [{"text": "", "thoughtSignature": "S"}, {"text": "a"}]


def test_what_a_user_shows() -> None:
    made = contents(
        turn(
            "user",
            Image(url="https://x.example/a.png"),
            File(data="BBBB", media_type="application/pdf", name="a.pdf"),
            File(url="https://x.example/b", media_type="text/plain"),
            Audio(data="CCCC", format="wav"),
        )
    )
    assert made[0]["parts"] == [
        {"fileData": {"fileUri": "https://x.example/a.png"}},
        {"inlineData": {"mimeType": "application/pdf", "data": "BBBB"}},
        {"fileData": {"mimeType": "text/plain", "fileUri": "https://x.example/b"}},
        {"inlineData": {"mimeType": "audio/wav", "data": "CCCC"}},
    ]


def test_a_refusal_is_what_the_model_said() -> None:
    made = contents(HI, turn("assistant", Refusal(text="No.")))
    assert made[1]["parts"] == [{"text": "No."}]


def test_a_custom_tool_s_call_is_a_function_s() -> None:
    custom = ToolCall(id="c", name="patch", arguments="*** Begin", custom=True)
    made = contents(HI, turn("assistant", custom))
    assert made[1]["parts"][0]["functionCall"]["args"] == {"input": "*** Begin"}


DEEP = '{"a":' + "[" * 5000 + "]" * 5000 + "}"


@pytest.mark.parametrize(
    ("text", "args"),
    [
        ("", {}),
        (" ", {}),
        ('{"a": [1]}', {"a": [1]}),
        ("[1]", {"arguments": "[1]"}),
        ("{", {"arguments": "{"}),
        ('{"a":"\ud800"}', {"a": "?"}),
        (DEEP, {"arguments": DEEP}),
    ],
)
def test_arguments_are_an_object(text: str, args: Any) -> None:
    assert json.loads(msgspec.json.encode(as_object(text))) == args
