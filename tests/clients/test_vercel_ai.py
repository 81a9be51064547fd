"""Vercel's AI SDK by its guide: over chat, and over Responses with tools."""

from pathlib import Path

from support.chat_bytes import SPOKEN, completion, tool_call
from support.daemon import Gateway
from support.guides import Snippet
from support.guides import snippet as snippet_of
from support.npm import MARKS, from_npm, printed
from support.scripted import ScriptedProvider

pytestmark = MARKS

project = from_npm(snippet_of("vercel-ai-sdk", "install.sh"))


async def test_the_guide_says_hello(
    provider: ScriptedProvider, snippet: Snippet, project: Path, tmp_path: Path
) -> None:
    provider.reply(body=completion({"content": "Hello there"}))
    hello = snippet("vercel-ai-sdk", "hello.mjs")
    assert await printed(hello, project, home=tmp_path) == "Hello there"


async def test_the_guide_streams_and_counts_tokens(
    provider: ScriptedProvider, snippet: Snippet, project: Path, tmp_path: Path
) -> None:
    provider.stream(SPOKEN)
    stream = snippet("vercel-ai-sdk", "stream.mjs")
    assert await printed(stream, project, home=tmp_path) == "Hello\n5 tokens"


async def test_the_guide_calls_tools_over_responses(
    gateway: Gateway,
    provider: ScriptedProvider,
    snippet: Snippet,
    project: Path,
    tmp_path: Path,
) -> None:
    provider.reply(
        body=completion(tool_call("weather", {"city": "Oslo"}), "tool_calls")
    )
    provider.reply(body=completion({"content": "It is clear."}))

    tools = snippet("vercel-ai-sdk", "tools.mjs")
    assert await printed(tools, project, home=tmp_path) == "It is clear."

    assert provider.requests[1].json()["messages"][-1] == {
        "role": "tool",
        "tool_call_id": "call_1",
        "content": '{"city":"Oslo","sky":"clear"}',
    }
    await gateway.stop()
    assert {line["path"] for line in gateway.access()} == {"/v1/responses"}
