"""LangChain for Python by its guide, over both of OpenAI's APIs."""

from functools import partial
from pathlib import Path

import pytest
from support.chat_bytes import SPOKEN, completion, tool_call
from support.daemon import Gateway
from support.guides import Snippet
from support.guides import snippet as snippet_of
from support.live import codex_gateway as gateway
from support.pypi import printed, venv_after
from support.scripted import ScriptedProvider

__all__ = ["gateway"]

pytestmark = [
    pytest.mark.clients,
    pytest.mark.timeout(600),
    pytest.mark.async_limit(180),
]


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install it as its guide says."""
    install = snippet_of("langchain", "install.sh")
    return venv_after(tmp_path_factory.mktemp("langchain"), install) / "python"


@pytest.fixture(params=["test-model", "gpt-5.1-codex"])
def snippet(gateway: Gateway, request: pytest.FixtureRequest) -> Snippet:
    """Give files out of guides, for either model."""
    return partial(
        snippet_of, base_url=gateway.base_url, key=gateway.key, model=request.param
    )


async def paths(gateway: Gateway) -> set[str]:
    """Give the paths that were asked, by the access log."""
    await gateway.stop()
    return {line["path"] for line in gateway.access()}


async def test_the_guide_invokes(
    provider: ScriptedProvider,
    snippet: Snippet,
    gateway: Gateway,
    python: Path,
    tmp_path: Path,
) -> None:
    provider.reply(body=completion({"content": "Spooky action"}))
    hello = snippet("langchain", "hello.py")
    assert "Spooky action" in await printed(python, hello, cwd=tmp_path)
    expected = "/v1/responses" if "codex" in hello else "/v1/chat/completions"
    assert await paths(gateway) == {expected}


async def test_the_guide_streams(
    provider: ScriptedProvider, snippet: Snippet, python: Path, tmp_path: Path
) -> None:
    provider.stream(SPOKEN)
    stream = snippet("langchain", "stream.py")
    assert await printed(python, stream, cwd=tmp_path) == "Hello"
    assert provider.requests[0].json()["stream_options"] == {"include_usage": True}


async def test_the_guide_calls_tools(
    provider: ScriptedProvider, snippet: Snippet, python: Path, tmp_path: Path
) -> None:
    call = tool_call("weather", {"city": "Oslo"})
    for each in call["tool_calls"]:
        del each["index"]
    provider.reply(body=completion(call, "tool_calls"))
    provider.reply(body=completion({"content": "Sunny."}))
    tools = snippet("langchain", "tools.py")
    assert await printed(python, tools, cwd=tmp_path) == "Sunny."
    result = provider.requests[1].json()["messages"][-1]
    assert result == {
        "role": "tool",
        "tool_call_id": "call_1",
        "content": "It is sunny in Oslo.",
    }
