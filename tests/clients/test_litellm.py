"""LiteLLM by its guide: the SDK, and the proxy between a client and this server."""

from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from pathlib import Path

import pytest
import pytest_twisted
from support.chat_bytes import SPOKEN, completion
from support.daemon import Gateway
from support.guides import Snippet
from support.guides import snippet as snippet_of
from support.http import fetch
from support.live import codex_gateway as gateway
from support.ports import free_port
from support.pypi import PATIENCE, printed, venv_after
from support.scripted import ScriptedProvider
from support.shell import end, paste

__all__ = ["gateway"]

pytestmark = [
    pytest.mark.clients,
    pytest.mark.timeout(600),
    pytest.mark.async_limit(180),
]

OFFLINE = {"LITELLM_LOCAL_MODEL_COST_MAP": "True"}
"""It would ask the internet for prices."""


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install SDK and proxy as the guide says."""
    return venv_after(
        tmp_path_factory.mktemp("litellm"),
        snippet_of("litellm", "install.sh"),
        snippet_of("litellm", "install-proxy.sh"),
    )


@pytest.mark.parametrize(
    ("model", "path"),
    [("test-model", "/v1/chat/completions"), ("gpt-5.1-codex", "/v1/responses")],
)
async def test_the_guide_says_hello(
    provider: ScriptedProvider,
    gateway: Gateway,
    programs: Path,
    tmp_path: Path,
    model: str,
    path: str,
) -> None:
    provider.reply(body=completion({"content": "Hello there"}))
    snippet = partial(snippet_of, base_url=gateway.base_url, key=gateway.key)
    hello = snippet("litellm", "hello.py", model=model)
    python = programs / "python"
    said = await printed(python, hello, cwd=tmp_path, environ=OFFLINE)
    assert said.splitlines()[-1] == "Hello there"
    await gateway.stop()
    assert [line["path"] for line in gateway.access()] == [path]


Start = Callable[[str], Awaitable[str]]


@pytest_twisted.async_yield_fixture  # type: ignore[untyped-decorator]  # has no types
async def start(programs: Path, tmp_path: Path) -> AsyncIterator[Start]:
    """Run a script that starts the proxy; give its address."""
    started = []

    async def start(script: str) -> str:
        port = str(free_port())
        child = paste(
            script,
            cwd=tmp_path,
            programs=programs,
            environ={**OFFLINE, "HOST": "127.0.0.1", "PORT": port},
        )
        started.append(child)
        await child.line("Uvicorn running on", patience=PATIENCE)
        return f"http://127.0.0.1:{port}/v1/chat/completions"

    yield start
    for child in started:
        await end(child)


@pytest.mark.parametrize("file", ["run.sh", "run-config.sh"])
async def test_the_guides_proxy_answers(
    provider: ScriptedProvider,
    snippet: Snippet,
    start: Start,
    tmp_path: Path,
    file: str,
) -> None:
    (tmp_path / "config.yaml").write_text(snippet("litellm", "config.yaml"))
    scripts = {
        "run.sh": snippet("litellm", "run.sh"),
        "run-config.sh": snippet("litellm", "run-config.sh"),
    }
    url = await start(scripts[file])
    chosen = "sk-choose-one-yourself"
    body = {
        "model": "test-model",
        "messages": [{"role": "user", "content": "Hello!"}],
    }

    refused = await fetch(url, method="POST", key="sk-other", body=body)
    assert refused.status in {400, 401}
    assert provider.requests == []

    provider.reply(body=completion({"content": "Hello there"}))
    whole = await fetch(url, method="POST", key=chosen, body=body)
    assert whole.json()["choices"][0]["message"]["content"] == "Hello there"

    provider.stream(SPOKEN)
    streamed = await fetch(url, method="POST", key=chosen, body=body | {"stream": True})
    assert '"content":"Hel"' in streamed.text
    assert streamed.text.rstrip().endswith("data: [DONE]")
