"""OpenAI's Python SDK by its guide, and by the environment alone."""

from pathlib import Path

import pytest
from support.chat_bytes import SPOKEN, completion
from support.daemon import spawn
from support.guides import Snippet
from support.guides import snippet as snippet_of
from support.pypi import printed, venv_after
from support.scripted import ScriptedProvider
from support.shell import paste

pytestmark = [pytest.mark.clients, pytest.mark.timeout(600)]

UNCHANGED = """
from openai import OpenAI
print(*(model.id for model in OpenAI().models.list()))
"""
"""A program that was written for OpenAI."""


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the SDK as its guide says."""
    install = snippet_of("openai-python", "install.sh")
    return venv_after(tmp_path_factory.mktemp("openai"), install) / "python"


async def test_the_guide_says_hello(
    provider: ScriptedProvider, snippet: Snippet, python: Path, tmp_path: Path
) -> None:
    provider.reply(body=completion({"content": "Hello there"}))
    hello = snippet("openai-python", "hello.py")
    assert await printed(python, hello, cwd=tmp_path) == "Hello there"
    assert provider.requests[0].json()["messages"] == [
        {"role": "user", "content": "Hello!"}
    ]


async def test_the_guide_streams(
    provider: ScriptedProvider, snippet: Snippet, python: Path, tmp_path: Path
) -> None:
    provider.stream(SPOKEN)
    stream = snippet("openai-python", "stream.py")
    assert await printed(python, stream, cwd=tmp_path) == "Hello"


async def test_a_stream_that_breaks_raises_what_the_guide_says(
    provider: ScriptedProvider, snippet: Snippet, python: Path, tmp_path: Path
) -> None:
    provider.stream(SPOKEN[:2], end="cut")
    (tmp_path / "stream.py").write_text(snippet("openai-python", "stream.py"))
    child = spawn([python, "stream.py"], cwd=tmp_path)
    assert await child.ended() == 1
    assert "openai.APIError" in child.text


async def test_the_guide_asks_for_a_response(
    provider: ScriptedProvider, snippet: Snippet, python: Path, tmp_path: Path
) -> None:
    provider.reply(body=completion({"content": "Gates open softly"}))
    program = snippet("openai-python", "responses.py")
    assert await printed(python, program, cwd=tmp_path) == "Gates open softly"


async def test_a_program_of_openais_needs_only_the_environment(
    snippet: Snippet, python: Path, tmp_path: Path
) -> None:
    (tmp_path / "program.py").write_text(UNCHANGED)
    (tmp_path / ".env").write_text(snippet("any-tool", ".env"))
    by_file = "set -a; . ./.env\n"
    for environment in (by_file, snippet("any-tool", "env.sh")):
        run = f"{environment}\n{python} program.py"
        child = paste(run, cwd=tmp_path)
        assert await child.ended() == 0, child.text
        assert child.text == "renamed test-model"
