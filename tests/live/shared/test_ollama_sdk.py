"""Ollama's own Python SDK against a real daemon, before both kinds of provider.

The SDK blocks, so it runs in a thread while the provider answers in this process. A key
travels in its ``headers``.
"""

from collections.abc import Iterator
from typing import Any

from twisted.internet.threads import deferToThread

import ollama
import pytest
from support.chat_bytes import DONE, USAGE, completion, event
from support.daemon import Gateway
from support.ollama import COUNTS, last, line
from support.scripted import ScriptedProvider

HI: Any = [{"role": "user", "content": "Hi"}]
OFFERED = """
[providers.local]
kind = "ollama"
base_url = "{root}"
[[models]]
id = "llama:latest"
context = "8K"
capabilities = ["chat", "tools"]
targets = [{ provider = "local", model = "llama3.2:3b", dialect = "ollama" }]
"""


@pytest.fixture
def sdk(gateway: Gateway) -> Iterator[ollama.Client]:
    headers = {"Authorization": f"Bearer {gateway.key}"}
    with ollama.Client(gateway.root, headers=headers, timeout=30) as client:
        yield client


async def test_a_stream_over_openais_api(
    provider: ScriptedProvider, sdk: ollama.Client, gateway: Gateway
) -> None:
    provider.stream(
        [
            event({"role": "assistant", "content": ""}),
            event({"reasoning_content": "Hm."}),
            event({"content": "Hel"}),
            event({"content": "lo"}),
            event({}, "stop"),
            event({}, choices=[], usage=USAGE),
            DONE,
        ]
    )

    said = await deferToThread(
        lambda: list(
            sdk.chat("renamed:latest", HI, stream=True, options={"num_ctx": 4096})
        )
    )

    assert "".join(each.message.content or "" for each in said) == "Hello"
    assert "".join(each.message.thinking or "" for each in said) == "Hm."
    assert (said[-1].done, said[-1].done_reason) == (True, "stop")
    assert (said[-1].prompt_eval_count, said[-1].eval_count) == (3, 2)
    assert provider.requests[0].json()["model"] == "upstream"
    await gateway.child.line(r'"dialect":"ollama".*"ending":"finished"')


async def test_tools_over_openais_api(
    provider: ScriptedProvider, sdk: ollama.Client
) -> None:
    def weather(city: str) -> str:
        """Give the weather.

        Args:
          city: where
        """
        return f"Rain in {city}"

    asked = {"name": "weather", "arguments": '{"city": "Oslo"}'}
    call = {"id": "call_1", "type": "function", "function": asked}
    provider.reply(body=completion({"tool_calls": [call]}, "tool_calls"))
    provider.reply(body=completion({"content": "Take an umbrella."}))

    def converse() -> str | None:
        messages = list(HI)
        first = sdk.chat("test-model", messages, tools=[weather])
        messages.append(first.message)
        for each in first.message.tool_calls or ():
            said = weather(**each.function.arguments)
            messages.append({"role": "tool", "content": said, "tool_name": "weather"})
        return sdk.chat("test-model", messages, tools=[weather]).message.content

    assert await deferToThread(converse) == "Take an umbrella."
    sent = provider.requests[1].json()["messages"]
    assert sent[1]["tool_calls"][0]["function"] == {
        "name": "weather",
        "arguments": '{"city":"Oslo"}',
    }
    assert sent[2]["tool_call_id"] == sent[1]["tool_calls"][0]["id"]
    assert sent[2]["content"] == "Rain in Oslo"


async def test_a_completion_over_openais_api(
    provider: ScriptedProvider, sdk: ollama.Client
) -> None:
    provider.reply(body=completion({"content": "Hello"}))

    answer = await deferToThread(
        lambda: sdk.generate("renamed", "Hi", system="Be kind.", format="json")
    )

    assert (answer.response, answer.done_reason) == ("Hello", "stop")
    sent = provider.requests[0].json()
    assert [each["role"] for each in sent["messages"]] == ["system", "user"]
    assert sent["response_format"] == {"type": "json_object"}


async def test_an_ollama_server_behind(
    provider: ScriptedProvider, sdk: ollama.Client
) -> None:
    ndjson = {"Content-Type": "application/x-ndjson"}
    provider.stream([line("Hel"), line("lo"), last()], headers=ndjson)

    said = await deferToThread(lambda: list(sdk.chat("llama", HI, stream=True)))

    assert "".join(each.message.content or "" for each in said) == "Hello"
    assert {each.model for each in said} == {"llama"}
    assert said[-1].eval_duration == COUNTS["eval_duration"]
    seen = provider.requests[0]
    assert (seen.path, seen.json()["model"]) == ("/api/chat", "llama3.2:3b")


async def test_a_stream_that_breaks_is_an_error(
    provider: ScriptedProvider, sdk: ollama.Client
) -> None:
    provider.stream([event({"content": "Hel"})], end="cut")

    def listen() -> str:
        with pytest.raises(ollama.ResponseError) as caught:
            list(sdk.chat("renamed", HI, stream=True))
        return caught.value.error

    assert "broke off" in await deferToThread(listen)


async def test_embeddings(provider: ScriptedProvider, sdk: ollama.Client) -> None:
    body = b'{"data":[{"index":0,"embedding":[0.5]}],"usage":{"prompt_tokens":1}}'
    provider.reply(body=body)
    native = b'{"model":"x","embeddings":[[0.25]],"prompt_eval_count":1}'
    provider.reply(body=native)

    openai = await deferToThread(lambda: sdk.embed("renamed", "a"))
    own = await deferToThread(lambda: sdk.embed("llama", ["a"]))

    assert openai.embeddings == [[0.5]]
    assert own.embeddings == [[0.25]]
    assert [seen.path for seen in provider.requests] == ["/v1/embeddings", "/api/embed"]


async def test_what_a_client_looks_for(sdk: ollama.Client, gateway: Gateway) -> None:
    listed = await deferToThread(sdk.list)
    shown = await deferToThread(lambda: sdk.show("llama"))
    running = await deferToThread(sdk.ps)

    names = [each.model for each in listed.models]
    assert names == ["llama:latest", "renamed", "test-model"]
    assert shown.capabilities == ["completion", "tools"]
    assert list(running.models) == []


async def test_errors_are_read_by_the_sdk(sdk: ollama.Client, gateway: Gateway) -> None:
    def ask() -> ollama.ResponseError:
        with pytest.raises(ollama.ResponseError) as caught:
            sdk.chat("nothing", HI)
        return caught.value

    fault = await deferToThread(ask)
    assert fault.status_code == 404
    assert "does not exist" in fault.error
