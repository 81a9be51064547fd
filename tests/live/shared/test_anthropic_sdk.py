"""Anthropic's own Python SDK against a real daemon, before Claude and before chat.

``claude`` is served in Anthropic's dialect, ``test-model`` by chat completions. The SDK
blocks, so it runs in a thread while the provider answers in this process.
"""

import json
from collections.abc import Iterator
from typing import Any

from twisted.internet.threads import deferToThread

import anthropic
import pytest
from support.chat_bytes import DONE, USAGE, completion
from support.chat_bytes import event as chat_event
from support.daemon import Gateway
from support.live import CANARY
from support.messages import PING, end, event, start, text, thinking, tool_use, whole
from support.scripted import ScriptedProvider

HELLO: Any = [{"role": "user", "content": "Hello!"}]
TOOLS: Any = [
    {
        "name": "weather",
        "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}},
    }
]


OFFERED = """
[providers.claude]
kind = "anthropic"
base_url = "{url}"
api_key = { env = "SCRIPTED_KEY" }
[[models]]
id = "claude"
context = "200K"
targets = [{ provider = "claude", model = "claude-opus-4-6", dialect = "anthropic" }]
"""
"""One scripted provider stands behind both dialects."""


@pytest.fixture
def sdk(gateway: Gateway) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(
        base_url=gateway.root, api_key=gateway.key, max_retries=0, timeout=30
    ) as client:
        yield client


def collected(sdk: anthropic.Anthropic, model: str, **more: Any) -> Any:
    with sdk.messages.stream(
        model=model, max_tokens=99, messages=HELLO, **more
    ) as stream:
        return stream.get_final_message()


async def test_a_whole_message_of_claude(
    provider: ScriptedProvider, sdk: anthropic.Anthropic
) -> None:
    provider.reply(body=whole({"type": "text", "text": "Hello there"}))

    answer = await deferToThread(
        lambda: sdk.messages.create(model="claude", max_tokens=99, messages=HELLO)
    )

    assert answer.content[0].text == "Hello there"  # type: ignore[union-attr]  # text it is
    assert answer.model == "claude"
    assert answer.usage.cache_read_input_tokens == 3
    assert answer._request_id
    seen = provider.requests[0]
    assert seen.path.endswith("/messages")
    assert seen.headers["x-api-key"] == CANARY
    assert seen.headers["anthropic-version"] == "2026-10-21"
    assert "authorization" not in seen.headers
    assert not [name for name in seen.headers if name.startswith("x-stainless")]
    assert seen.json() == {
        "model": "claude-opus-4-6",
        "max_tokens": 99,
        "messages": HELLO,
    }


async def test_a_streamed_message_of_claude(
    provider: ScriptedProvider, sdk: anthropic.Anthropic, gateway: Gateway
) -> None:
    provider.stream(
        [
            start(),
            PING,
            thinking(0, "Hm", "sig"),
            text(1, "Hel", "lo"),
            tool_use(2, "t", "weather", '{"city":', '"Oslo"}'),
            end("tool_use"),
        ]
    )

    final = await deferToThread(lambda: collected(sdk, "claude", tools=TOOLS))

    thought, said, called = final.content
    assert (thought.thinking, thought.signature) == ("Hm", "sig")
    assert said.text == "Hello"
    assert (called.id, called.name, called.input) == ("t", "weather", {"city": "Oslo"})
    assert (final.model, final.stop_reason) == ("claude", "tool_use")
    assert final.usage.output_tokens == 9
    await gateway.child.line(r'"ending":"finished".*"prompt_tokens":10')


async def test_betas_reach_claude(
    provider: ScriptedProvider, sdk: anthropic.Anthropic
) -> None:
    provider.reply(body=whole({"type": "text", "text": "Hi"}))

    await deferToThread(
        lambda: sdk.with_options(
            default_headers={"anthropic-beta": "context-1m-2025-08-07"}
        ).messages.create(model="claude", max_tokens=99, messages=HELLO)
    )

    assert provider.requests[0].headers["anthropic-beta"] == "context-1m-2025-08-07"


async def test_a_whole_message_of_a_chat_provider(
    provider: ScriptedProvider, sdk: anthropic.Anthropic
) -> None:
    call = {
        "id": "call_1",
        "type": "function",
        "function": {"name": "weather", "arguments": '{"city": "Oslo"}'},
    }
    provider.reply(body=completion({"tool_calls": [call]}, "tool_calls"))

    answer: Any = await deferToThread(
        lambda: sdk.messages.create(
            model="test-model",
            max_tokens=99,
            messages=HELLO,
            tools=TOOLS,
            tool_choice={"type": "any"},
        )
    )

    (called,) = answer.content
    assert (called.type, called.id, called.input) == (
        "tool_use",
        "call_1",
        {"city": "Oslo"},
    )
    assert (answer.stop_reason, answer.usage.input_tokens) == ("tool_use", 3)
    sent = provider.requests[0].json()
    assert sent["tool_choice"] == "required"
    assert sent["tools"][0]["function"]["name"] == "weather"


async def test_a_streamed_message_of_a_chat_provider(
    provider: ScriptedProvider, sdk: anthropic.Anthropic
) -> None:
    def piece(index: int, arguments: str, **begun: Any) -> bytes:
        function = {"arguments": arguments, **begun.pop("function", {})}
        told = {"index": index, "function": function, **begun}
        return chat_event({"tool_calls": [told]})

    def begun(index: int) -> bytes:
        name = {"name": "weather"}
        return piece(index, "", id=f"call_{index}", type="function", function=name)

    provider.stream(
        [
            chat_event({"role": "assistant", "content": ""}),
            chat_event({"reasoning_content": "Hm"}),
            chat_event({"content": "Let me see."}),
            begun(0),
            piece(0, '{"city": '),
            begun(1),
            piece(1, '{"city": "Bergen"}'),
            piece(0, '"Oslo"}'),
            chat_event({}, "tool_calls"),
            chat_event({}, choices=[], usage=USAGE),
            DONE,
        ]
    )

    final = await deferToThread(lambda: collected(sdk, "test-model", tools=TOOLS))

    kinds = [block.type for block in final.content]
    assert kinds == ["thinking", "text", "tool_use", "tool_use"]
    assert [block.input["city"] for block in final.content[2:]] == ["Oslo", "Bergen"]
    assert final.stop_reason == "tool_use"
    assert (final.usage.input_tokens, final.usage.output_tokens) == (3, 2)


async def test_what_the_sdk_read_can_be_sent_back(
    provider: ScriptedProvider, sdk: anthropic.Anthropic
) -> None:
    provider.reply(body=completion({"content": "Hi", "reasoning_content": "Hm"}))
    provider.reply(body=completion({"content": "Bye"}))

    def talk() -> Any:
        first = sdk.messages.create(model="test-model", max_tokens=99, messages=HELLO)
        history: Any = [
            *HELLO,
            {"role": "assistant", "content": first.content},
            {"role": "user", "content": "Bye!"},
        ]
        return sdk.messages.create(model="test-model", max_tokens=99, messages=history)

    assert (await deferToThread(talk)).content[0].text == "Bye"
    assert provider.requests[1].json()["messages"] == [
        *HELLO,
        {"role": "assistant", "content": "Hi"},
        {"role": "user", "content": "Bye!"},
    ]


async def test_tokens_are_counted(
    provider: ScriptedProvider, sdk: anthropic.Anthropic
) -> None:
    provider.reply(body=b'{"input_tokens": 17}')

    counted = await deferToThread(
        lambda: sdk.messages.count_tokens(model="claude", messages=HELLO)
    )
    guessed = await deferToThread(
        lambda: sdk.messages.with_raw_response.count_tokens(
            model="test-model", messages=HELLO
        )
    )

    assert counted.input_tokens == 17
    assert provider.requests[0].path.endswith("/messages/count_tokens")
    assert guessed.headers["x-lightweight-tokens"] == "estimated"
    assert guessed.parse().input_tokens > 0
    assert len(provider.requests) == 1


async def test_models_are_listed(sdk: anthropic.Anthropic) -> None:
    listed = await deferToThread(lambda: [model.id for model in sdk.models.list()])

    assert listed == ["claude", "renamed", "test-model"]


async def test_errors_are_the_sdks_own(
    sdk: anthropic.Anthropic, gateway: Gateway
) -> None:
    def ask(client: anthropic.Anthropic, **change: Any) -> Any:
        asked: Any = {"model": "claude", "max_tokens": 99, "messages": HELLO, **change}
        return client.messages.create(**asked)

    with pytest.raises(anthropic.NotFoundError) as unknown:
        await deferToThread(lambda: ask(sdk, model="no-such-model"))
    with pytest.raises(anthropic.BadRequestError) as bad:
        await deferToThread(
            lambda: ask(sdk, messages=[{"role": "bard", "content": "x"}])
        )
    with (
        anthropic.Anthropic(base_url=gateway.root, api_key="lw-wrong") as stranger,
        pytest.raises(anthropic.AuthenticationError) as wrong,
    ):
        await deferToThread(lambda: ask(stranger))

    for caught, kind in (
        (unknown, "not_found_error"),
        (bad, "invalid_request_error"),
        (wrong, "authentication_error"),
    ):
        body: Any = caught.value.body
        assert body["error"]["type"] == kind
        assert body["request_id"] == caught.value.request_id
    assert "messages[0].role" in bad.value.message


async def test_a_limit_is_retried_when_it_says(
    provider: ScriptedProvider, gateway: Gateway
) -> None:
    provider.reply(status=429, headers={"Retry-After": "1"}, body=b"{}")
    provider.reply(body=whole({"type": "text", "text": "At last"}))

    with anthropic.Anthropic(base_url=gateway.root, api_key=gateway.key) as client:
        answer: Any = await deferToThread(
            lambda: client.messages.create(
                model="claude", max_tokens=99, messages=HELLO
            )
        )

    assert answer.content[0].text == "At last"
    assert len(provider.requests) == 2


@pytest.mark.parametrize(
    "rest",
    [[], [event("error", error={"type": "overloaded_error", "message": "x"})]],
    ids=["cut", "error"],
)
async def test_a_provider_that_breaks_off_raises_in_the_sdk(
    provider: ScriptedProvider,
    sdk: anthropic.Anthropic,
    gateway: Gateway,
    rest: list[bytes],
) -> None:
    provider.stream([start(), text(0, "Hel"), *rest], end="clean" if rest else "cut")

    with pytest.raises(anthropic.APIStatusError) as caught:
        await deferToThread(lambda: collected(sdk, "claude"))

    body: Any = caught.value.body
    assert body["error"]["type"] == "api_error"
    assert CANARY not in json.dumps(body)
    await gateway.child.line(r'"ending":"cut"')
