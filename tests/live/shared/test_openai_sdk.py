"""OpenAI's own Python SDK against a real daemon: base URL and key are all it is told.

The SDK blocks, so it runs in a thread while the provider answers in this process.
"""

import json
from typing import Any

from twisted.internet.threads import deferToThread

import openai
import pytest
from support.chat_bytes import DONE, SPOKEN, completion, event
from support.daemon import Gateway
from support.scripted import ScriptedProvider

HELLO: Any = [{"role": "user", "content": "Hello!"}]
TOOLS: Any = [
    {
        "type": "function",
        "function": {
            "name": "weather",
            "parameters": {
                "type": "object",
                "properties": {"city": {"type": "string"}},
            },
        },
    }
]


@pytest.fixture(scope="module", params=["express", "routed"])
def lane(request: pytest.FixtureRequest) -> str:
    return str(request.param)


async def test_models_are_listed(sdk: openai.OpenAI) -> None:
    listed = await deferToThread(lambda: [model.id for model in sdk.models.list()])
    one = await deferToThread(lambda: sdk.models.retrieve("renamed"))

    assert listed == ["renamed", "test-model"]
    assert one.id == "renamed"


async def test_a_whole_answer(provider: ScriptedProvider, sdk: openai.OpenAI) -> None:
    provider.reply(body=completion({"content": "Hello there"}))

    answer = await deferToThread(
        lambda: sdk.chat.completions.create(model="renamed", messages=HELLO)
    )

    assert answer.choices[0].message.content == "Hello there"
    assert answer.model == "renamed"
    assert answer.usage is not None
    assert answer.usage.total_tokens == 5
    assert provider.requests[0].json() == {"model": "upstream", "messages": HELLO}


async def test_a_streamed_answer(
    provider: ScriptedProvider, sdk: openai.OpenAI, gateway: Gateway
) -> None:
    provider.stream(SPOKEN)

    chunks = await deferToThread(
        lambda: list(
            sdk.chat.completions.create(model="renamed", messages=HELLO, stream=True)
        )
    )

    said = "".join(c.choices[0].delta.content or "" for c in chunks)
    assert said == "Hello"
    assert {chunk.model for chunk in chunks} == {"renamed"}
    assert chunks[-1].choices[0].finish_reason == "stop"
    assert all(chunk.usage is None for chunk in chunks)
    sent = provider.requests[0].json()
    assert sent["stream_options"] == {"include_usage": True}
    await gateway.child.line(r'"ending":"finished".*"prompt_tokens":3')


async def test_a_streamed_answer_with_usage(
    provider: ScriptedProvider, sdk: openai.OpenAI
) -> None:
    provider.stream(SPOKEN)

    chunks = await deferToThread(
        lambda: list(
            sdk.chat.completions.create(
                model="renamed",
                messages=HELLO,
                stream=True,
                stream_options={"include_usage": True},
            )
        )
    )

    assert chunks[-1].choices == []
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.completion_tokens == 2


async def test_tools_whole(provider: ScriptedProvider, sdk: openai.OpenAI) -> None:
    call = {
        "id": "call_1",
        "type": "function",
        "function": {"name": "weather", "arguments": '{"city": "Oslo"}'},
    }
    provider.reply(body=completion({"tool_calls": [call]}, "tool_calls"))

    answer = await deferToThread(
        lambda: sdk.chat.completions.create(
            model="test-model", messages=HELLO, tools=TOOLS, tool_choice="required"
        )
    )

    calls: Any = answer.choices[0].message.tool_calls
    assert [json.loads(call.function.arguments) for call in calls] == [{"city": "Oslo"}]
    assert provider.requests[0].json()["tools"] == TOOLS


async def test_parallel_tools_streamed(
    provider: ScriptedProvider, sdk: openai.OpenAI
) -> None:
    def piece(index: int, arguments: str, **start: Any) -> bytes:
        function = {"arguments": arguments, **start.pop("function", {})}
        return event({"tool_calls": [{"index": index, "function": function, **start}]})

    def start(index: int, name: str) -> bytes:
        made = {"id": f"call_{index}", "type": "function", "function": {"name": name}}
        return piece(index, "", **made)

    provider.stream(
        [
            event({"role": "assistant", "content": None}),
            start(0, "weather"),
            piece(0, '{"city": '),
            piece(0, '"Oslo"}'),
            start(1, "weather"),
            piece(1, '{"city": "Bergen"}'),
            event({}, "tool_calls"),
            DONE,
        ]
    )

    def collect() -> Any:
        with sdk.chat.completions.stream(
            model="test-model", messages=HELLO, tools=TOOLS
        ) as stream:
            return stream.get_final_completion()

    final = await deferToThread(collect)

    calls = final.choices[0].message.tool_calls
    assert [call.id for call in calls] == ["call_0", "call_1"]
    assert [json.loads(call.function.arguments)["city"] for call in calls] == [
        "Oslo",
        "Bergen",
    ]


@pytest.mark.parametrize(
    ("model", "error"),
    [("no-such-model", openai.NotFoundError), ("", openai.BadRequestError)],
)
async def test_errors_are_the_sdks_own(
    sdk: openai.OpenAI, model: str, error: type[openai.APIStatusError]
) -> None:
    with pytest.raises(error) as caught:
        await deferToThread(
            lambda: sdk.chat.completions.create(model=model, messages=HELLO)
        )

    assert caught.value.param == "model"
    assert caught.value.request_id


async def test_a_wrong_key_is_an_authentication_error(gateway: Gateway) -> None:
    with (
        openai.OpenAI(base_url=gateway.base_url, api_key="lw-wrong") as client,
        pytest.raises(openai.AuthenticationError) as caught,
    ):
        await deferToThread(client.models.list)

    assert caught.value.code == "invalid_api_key"


async def test_the_sdk_retries_what_a_retry_may_mend(
    provider: ScriptedProvider, gateway: Gateway
) -> None:
    provider.reply(status=429, headers={"Retry-After": "1"}, body=b"{}")
    provider.reply(body=completion({"content": "At last"}))

    with openai.OpenAI(base_url=gateway.base_url, api_key=gateway.key) as client:
        answer = await deferToThread(
            lambda: client.chat.completions.create(model="test-model", messages=HELLO)
        )

    assert answer.choices[0].message.content == "At last"
    assert len(provider.requests) == 2


async def test_the_sdk_does_not_retry_what_a_retry_cannot_mend(
    provider: ScriptedProvider, gateway: Gateway
) -> None:
    refusal = {"message": "Too hot.", "type": "invalid_request_error", "code": None}
    body = {"error": {**refusal, "param": "temperature"}}
    provider.reply(status=400, body=json.dumps(body).encode())

    with (
        openai.OpenAI(base_url=gateway.base_url, api_key=gateway.key) as client,
        pytest.raises(openai.BadRequestError) as caught,
    ):
        await deferToThread(
            lambda: client.chat.completions.create(
                model="test-model", messages=HELLO, temperature=3
            )
        )

    assert caught.value.param == "temperature"
    assert len(provider.requests) == 1


async def test_a_provider_that_breaks_off_raises_in_the_sdk(
    provider: ScriptedProvider, sdk: openai.OpenAI, gateway: Gateway
) -> None:
    provider.stream(SPOKEN[:3], end="cut")

    def read() -> list[Any]:
        got = []
        for chunk in sdk.chat.completions.create(
            model="test-model", messages=HELLO, stream=True
        ):
            got.append(chunk)  # noqa: PERF402 -- kept although the stream then raises
        return got

    with pytest.raises(openai.APIError) as caught:
        await deferToThread(read)

    assert caught.value.code == "upstream_error"
    await gateway.child.line(r'"ending":"cut"')
