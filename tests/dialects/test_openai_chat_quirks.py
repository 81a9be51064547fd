"""Each quirk that a request is suited to, and that nothing else happens to it."""

import json
from typing import Any

import pytest
from support.catalog import quirks_of_the_catalog
from support.chat import DIALECT, call, stream_call

from lightweight.dialects.gemini_contents import NO_SIGNATURE
from lightweight.dialects.openai_chat_mend import ODD_ANSWERS
from lightweight.dialects.seals import Carried, with_carried
from lightweight.errors import BadRequest
from lightweight.prompts import Prompt, Text, Turn
from lightweight.records import Call, Outgoing, Target


def quirky(*quirks: str, model: str = "up") -> Target:
    return Target(
        provider="p", model=model, dialect="openai_chat", quirks=frozenset(quirks)
    )


def outgoing(asked: Call, *quirks: str, model: str = "up") -> Outgoing:
    return DIALECT.write_request(asked, quirky(*quirks, model=model))


def sent(asked: Call, *quirks: str, model: str = "up") -> Any:
    return json.loads(outgoing(asked, *quirks, model=model).body)


def changed(quirk: str, **fields: Any) -> tuple[set[str], Any]:
    """Give the names of fields that the quirk adds, and the request's fields."""
    asked = call(**fields)
    before, after = sent(asked), sent(asked, quirk)
    return after.keys() - before.keys(), after


def refused(quirk: str, **fields: Any) -> BadRequest:
    with pytest.raises(BadRequest) as caught:
        outgoing(call(**fields), quirk)
    return caught.value


def test_without_quirks_nested_bytes_are_untouched() -> None:
    body = b'{"model":"m","messages":[{"role":"user", "content":"x" , "name":"n"}]}'
    asked = call(messages=json.loads(body)["messages"], tools=[{"x": 1.50}])
    assert outgoing(asked).body.count(b"1.5") == 1
    assert sent(asked, "odd_chunks", "returns_reasoning") == sent(asked)


@pytest.mark.parametrize(
    ("quirk", "old", "new"),
    [
        ("seed_is_random_seed", "seed", "random_seed"),
        ("max_tokens_only", "max_completion_tokens", "max_tokens"),
        ("reasoning_parameters", "max_tokens", "max_completion_tokens"),
    ],
)
def test_fields_with_another_name(quirk: str, old: str, new: str) -> None:
    added, after = changed(quirk, **{old: 5})
    assert (added, after[new]) == ({new}, 5)
    assert old not in after
    assert new not in changed(quirk, **{old: None})[1]


def test_a_tool_that_must_be_called() -> None:
    assert changed("required_is_any", tool_choice="required")[1]["tool_choice"] == "any"
    assert changed("required_is_any", tool_choice="auto")[1]["tool_choice"] == "auto"


SCHEMA = {
    "$schema": "http://json-schema.org/draft-07/schema#",
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "strict": {"type": "boolean"},
        "list": {"items": {"type": "object", "additionalProperties": True}},
    },
    "anyOf": [{"additionalProperties": False, "const": {"strict": 1}}],
    "$defs": {"a": {"$schema": "x"}},
}
TOOLS = [
    {
        "type": "function",
        "function": {"name": "f", "strict": True, "parameters": SCHEMA},
    },
    {"type": "custom", "custom": {"name": "c"}},
    {"type": "function", "function": {"name": "g"}},
]


def test_plain_schemas() -> None:
    tools = changed("plain_schemas", tools=TOOLS)[1]["tools"]
    assert tools[0]["function"] == {
        "name": "f",
        "parameters": {
            "type": "object",
            "properties": {
                "strict": {"type": "boolean"},
                "list": {"items": {"type": "object"}},
            },
            "anyOf": [{"const": {"strict": 1}}],
            "$defs": {"a": {}},
        },
    }
    assert tools[1:] == TOOLS[1:]


def test_no_strict() -> None:
    tools = changed("no_strict", tools=TOOLS)[1]["tools"]
    assert tools[0]["function"] == {"name": "f", "parameters": SCHEMA}


def test_usage_that_comes_unasked() -> None:
    assert sent(stream_call())["stream_options"] == {"include_usage": True}
    assert "stream_options" not in sent(stream_call(usage=True), "usage_unasked")


def test_labels_are_left_out() -> None:
    assert "user" not in changed("no_user", user="u")[1]
    messages = [
        {"role": "user", "name": "n", "content": "x"},
        {"role": "tool", "name": "f", "tool_call_id": "c", "content": "y"},
    ]
    first, second = changed("name_on_tool_only", messages=messages)[1]["messages"]
    assert first == {"role": "user", "content": "x"}
    assert second == messages[1]


@pytest.mark.parametrize("value", [-0.1, 1.5])
@pytest.mark.parametrize("name", ["presence_penalty", "frequency_penalty"])
def test_penalties_from_0_to_1(name: str, value: float) -> None:
    fault = refused("penalties_0_to_1", **{name: value})
    assert (fault.param, fault.code) == (name, "unsupported_value")
    assert changed("penalties_0_to_1", **{name: 0.5})[1][name] == 0.5


@pytest.mark.parametrize(
    ("quirk", "name", "value", "nothing"),
    [
        ("no_logit_bias", "logit_bias", {"1": 2}, {}),
        ("no_stop_or_penalties", "stop", "x", []),
        ("no_stop_or_penalties", "presence_penalty", 1, 0),
        ("no_stop_or_penalties", "frequency_penalty", -1, 0.0),
        ("no_stop_or_penalties", "reasoning_effort", "low", None),
    ],
)
def test_what_is_refused(quirk: str, name: str, value: Any, nothing: Any) -> None:
    fault = refused(quirk, **{name: value})
    assert (fault.param, fault.code) == (name, "unsupported_parameter")
    assert name not in changed(quirk, **{name: nothing})[1]


def test_unknown_fields_need_a_header() -> None:
    made = outgoing(call(), "unknown_needs_header")
    assert made.headers["extra-parameters"] == "pass-through"
    assert "extra-parameters" not in outgoing(call()).headers


def tool_calls(*ids: str, **more: Any) -> Call:
    made = [
        {"id": each, "type": "function", "function": {"name": "f", "arguments": "{}"}}
        | more
        for each in ids
    ]
    return call(
        messages=[
            {"role": "user", "content": "x"},
            {"role": "assistant", "content": None, "tool_calls": made},
        ]
    )


def signatures(asked: Call, model: str) -> list[Any]:
    made = sent(asked, "thought_signatures", model=model)["messages"][1]["tool_calls"]
    assert all("_lw1_" not in each["id"] for each in made)
    return [
        each.get("extra_content", {}).get("google", {}).get("thought_signature")
        for each in made
    ]


def test_signatures_come_back_from_ids() -> None:
    borne = with_carried("c", Carried(seal="SIG", sealed_by="gemini"))
    assert signatures(tool_calls(borne, "d"), "gemini-3-flash") == ["SIG", None]
    lost = tool_calls("c", "d")
    assert signatures(lost, "gemini-3-flash") == [NO_SIGNATURE, None]
    assert signatures(lost, "gemini-2.5-pro") == [None, None]
    kept = {"google": {"thought_signature": "OWN"}}
    assert signatures(tool_calls("c", extra_content=kept), "gemini-3-flash") == ["OWN"]


def test_a_translated_request_is_suited_too() -> None:
    hi = Turn(role="user", parts=(Text(text="x"),), name="n")
    made = DIALECT.write_prompt(
        Prompt(turns=(hi,), max_tokens=5),
        stream_call(),
        quirky("max_tokens_only", "usage_unasked", "name_on_tool_only"),
    )
    assert json.loads(made.body) == {
        "model": "up",
        "messages": [{"role": "user", "content": "x"}],
        "max_tokens": 5,
        "stream": True,
    }
    with pytest.raises(BadRequest):
        DIALECT.write_prompt(
            Prompt(turns=(hi,), stop=("a",)), call(), quirky("no_stop_or_penalties")
        )


@pytest.mark.parametrize("quirk", sorted(quirks_of_the_catalog()))
@pytest.mark.parametrize(
    "odd",
    [
        {"tools": 5},
        {"tools": [5, {"function": 5}, {"function": {"parameters": 5}}]},
        {"messages": [{"role": "user", "name": 5, "tool_calls": 5}]},
        {"messages": [{"role": "assistant", "tool_calls": [5, {"id": 5}]}]},
        {"presence_penalty": "x", "tool_choice": 5, "seed": "x"},
    ],
)
def test_odd_forms_are_the_provider_s_to_judge(quirk: str, odd: Any) -> None:
    try:
        made = sent(call(**odd), quirk)
    except BadRequest as fault:
        assert fault.param in odd
    else:
        assert made["messages"]


def test_each_quirk_does_something_somewhere() -> None:
    elsewhere = {"fast_speed", "returns_reasoning"}
    rich = {
        "seed": 1,
        "max_completion_tokens": 5,
        "max_tokens": 5,
        "tool_choice": "required",
        "tools": TOOLS,
        "user": "u",
        "logit_bias": {"1": 1},
        "presence_penalty": 2,
        "stop": "x",
        "stream": True,
    }
    asked = call(**rich)
    signed = tool_calls("c")
    named = call(messages=[{"role": "user", "name": "n", "content": "x"}])
    for quirk in quirks_of_the_catalog() - ODD_ANSWERS - elsewhere:
        try:
            made = [outgoing(each, quirk) for each in (asked, signed, named)]
        except BadRequest:
            continue
        assert made != [outgoing(each) for each in (asked, signed, named)], quirk
