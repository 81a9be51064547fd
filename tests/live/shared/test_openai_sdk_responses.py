"""OpenAI's own Python SDK asks a real daemon for responses.

Its accumulator raises for an event that is out of order; so what it returns was right.
"""

import json
from typing import Any

from twisted.internet.threads import deferToThread

import openai
import pytest
from support import responses
from support.chat_bytes import DONE, USAGE, event
from support.daemon import Gateway
from support.scripted import ScriptedProvider

OFFERED = """
[[models]]
id = "codex"
context = "128K"
targets = [
    { provider = "scripted", model = "gpt-5.3-codex", dialect = "openai_responses" },
]
"""
TOOLS: Any = [
    {
        "type": "function",
        "name": "weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
        "strict": False,
    },
    {"type": "custom", "name": "apply_patch"},
]


def final(sdk: openai.OpenAI, **asked: Any) -> Any:
    """Stream a response to its end; give what the SDK made of it."""
    with sdk.responses.stream(**asked) as stream:
        return stream.get_final_response()


HELLO = responses.message(responses.text("Hello"))
SPOKEN = [
    responses.created(),
    responses.added(responses.message()),
    responses.event(
        "response.content_part.added",
        item_id="msg_1",
        output_index=0,
        content_index=0,
        part=responses.text(""),
    ),
    responses.delta("Hel"),
    responses.delta("lo"),
    responses.done(HELLO),
    responses.completed(HELLO),
]


async def test_a_provider_of_responses(
    provider: ScriptedProvider, sdk: openai.OpenAI, gateway: Gateway
) -> None:
    provider.stream(SPOKEN)

    answer = await deferToThread(lambda: final(sdk, model="codex", input="Hello!"))

    assert (answer.output_text, answer.model) == ("Hello", "codex")
    sent = provider.requests[0]
    assert sent.path.endswith("/responses")
    assert (sent.json()["store"], sent.json()["model"]) == (False, "gpt-5.3-codex")
    await gateway.child.line(r'"ending":"finished".*"prompt_tokens":10')


async def test_a_loop_of_tools_over_a_provider_that_chats(
    provider: ScriptedProvider, sdk: openai.OpenAI
) -> None:
    def start(index: int, name: str, arguments: str) -> bytes:
        function = {"name": name, "arguments": arguments}
        call = {"index": index, "id": f"c{index}", "type": "function"}
        return event({"tool_calls": [{**call, "function": function}]})

    provider.stream(
        [
            event({"role": "assistant", "content": ""}),
            event({"reasoning_content": "Hm."}),
            event({"content": "I look."}),
            start(0, "weather", '{"city": '),
            event({"tool_calls": [{"index": 0, "function": {"arguments": '"Oslo"}'}}]}),
            start(1, "apply_patch", '{"input": "*** x"}'),
            event({}, "tool_calls"),
            event({}, choices=[], usage=USAGE),
            DONE,
        ]
    )
    asked: dict[str, Any] = {"model": "test-model", "tools": TOOLS}
    question = {"role": "user", "content": "What is the weather?"}

    answer = await deferToThread(lambda: final(sdk, input=[question], **asked))

    thoughts, words, weather, patch = answer.output
    assert thoughts.summary[0].text == "Hm."
    assert words.content[0].text == "I look."
    assert json.loads(weather.arguments) == {"city": "Oslo"}
    assert (patch.type, patch.input) == ("custom_tool_call", "*** x")
    assert answer.usage.total_tokens == 5

    provider.stream([event({"content": "Rain."}), event({}, "stop"), DONE])
    results = [
        {"type": "function_call_output", "call_id": "c0", "output": "rain"},
        {"type": "custom_tool_call_output", "call_id": "c1", "output": "ok"},
    ]
    said = [item.to_dict() for item in answer.output]
    history: Any = [question, *said, *results]

    answer = await deferToThread(lambda: final(sdk, input=history, **asked))

    assert answer.output_text == "Rain."
    messages = provider.requests[1].json()["messages"]
    assert [each["role"] for each in messages] == ["user", "assistant", "tool", "tool"]
    calls = [each["function"] for each in messages[1]["tool_calls"]]
    assert messages[1]["content"] == "I look."
    assert [json.loads(each["arguments"]) for each in calls] == [
        {"city": "Oslo"},
        {"input": "*** x"},
    ]


async def test_chat_over_a_provider_of_responses(
    provider: ScriptedProvider, sdk: openai.OpenAI
) -> None:
    called = responses.function_call('{"city":"Oslo"}', name="weather")
    provider.stream(
        [
            responses.created(),
            responses.added({**called, "arguments": ""}),
            responses.delta('{"city":"Oslo"}', kind="function_call_arguments"),
            responses.done(called),
            responses.completed(called),
        ]
    )
    tool: Any = {"type": "function", "function": {"name": "weather", "parameters": {}}}
    hello: Any = [{"role": "user", "content": "Hello!"}]

    def collect() -> Any:
        with sdk.chat.completions.stream(
            model="codex", messages=hello, tools=[tool], temperature=0
        ) as stream:
            return stream.get_final_completion()

    answer = await deferToThread(collect)

    (made,) = answer.choices[0].message.tool_calls
    assert (made.id, made.function.name) == ("call_1", "weather")
    assert answer.choices[0].finish_reason == "tool_calls"
    assert provider.requests[0].json()["include"] == ["reasoning.encrypted_content"]


@pytest.mark.parametrize("model", ["codex", "test-model"])
async def test_a_stream_that_breaks_off_raises_in_the_sdk(
    provider: ScriptedProvider, sdk: openai.OpenAI, gateway: Gateway, model: str
) -> None:
    spoken = [event({"content": "Hel"}), event({"content": "lo"})]
    provider.stream(SPOKEN[:4] if model == "codex" else spoken, end="cut")

    with pytest.raises(openai.APIError) as caught:
        await deferToThread(lambda: final(sdk, model=model, input="Hello!"))

    assert caught.value.code == "upstream_error"
    await gateway.child.line(r'"ending":"cut"')


async def test_what_is_not_kept_is_the_sdks_own_error(sdk: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError):
        await deferToThread(lambda: sdk.responses.retrieve("resp_1"))
    with pytest.raises(openai.BadRequestError) as caught:
        await deferToThread(
            lambda: sdk.responses.create(
                model="codex", input="Hello!", previous_response_id="resp_1"
            )
        )
    assert caught.value.param == "previous_response_id"
