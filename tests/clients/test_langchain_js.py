"""LangChain for JavaScript by its guide, over both of OpenAI's APIs."""

from functools import partial
from pathlib import Path

import pytest
from support.chat_bytes import SPOKEN, completion, tool_call
from support.daemon import Gateway
from support.guides import Snippet
from support.guides import snippet as snippet_of
from support.live import codex_gateway as gateway
from support.npm import MARKS, from_npm, printed
from support.scripted import ScriptedProvider

__all__ = ["gateway"]

pytestmark = MARKS

project = from_npm(snippet_of("langchain-js", "install.sh"))


@pytest.fixture(params=["test-model", "gpt-5.1-codex"])
def snippet(gateway: Gateway, request: pytest.FixtureRequest) -> Snippet:
    """Give files out of guides, for either model."""
    return partial(
        snippet_of, base_url=gateway.base_url, key=gateway.key, model=request.param
    )


async def test_the_guide_invokes(
    gateway: Gateway,
    provider: ScriptedProvider,
    snippet: Snippet,
    project: Path,
    tmp_path: Path,
) -> None:
    provider.reply(body=completion({"content": "Spooky action"}))
    hello = snippet("langchain-js", "hello.mjs")
    assert await printed(hello, project, home=tmp_path) == "Spooky action"
    await gateway.stop()
    expected = "/v1/responses" if "codex" in hello else "/v1/chat/completions"
    assert {line["path"] for line in gateway.access()} == {expected}


async def test_the_guide_streams(
    provider: ScriptedProvider, snippet: Snippet, project: Path, tmp_path: Path
) -> None:
    provider.stream(SPOKEN)
    stream = snippet("langchain-js", "stream.mjs")
    assert await printed(stream, project, home=tmp_path) == "Hello"


async def test_the_guides_agent_calls_tools(
    provider: ScriptedProvider, snippet: Snippet, project: Path, tmp_path: Path
) -> None:
    call = tool_call("weather", {"city": "Oslo"})
    provider.reply(body=completion(call, "tool_calls"))
    # It takes an answer for another one by its id.
    said = completion({"content": "It is clear."}, id="chatcmpl-2")
    provider.reply(body=said)

    agent = snippet("langchain-js", "agent.mjs")
    assert await printed(agent, project, home=tmp_path) == "It is clear."

    result = provider.requests[1].json()["messages"][-1]
    assert result["role"] == "tool"
    assert result["tool_call_id"] == "call_1"
    assert result["content"] == "The sky over Oslo is clear."
