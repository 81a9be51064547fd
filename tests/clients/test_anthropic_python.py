"""Anthropic's Python SDK by its guide, before a provider that only chats."""

from pathlib import Path

import pytest
from support.chat_bytes import SPOKEN, completion
from support.guides import Snippet
from support.guides import snippet as snippet_of
from support.pypi import printed, venv_after
from support.scripted import ScriptedProvider
from support.shell import paste

pytestmark = [pytest.mark.clients, pytest.mark.timeout(600)]

UNCHANGED = """
from anthropic import Anthropic
print(*(model.id for model in Anthropic().models.list()))
"""
"""A program that was written for Anthropic."""


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the SDK as its guide says."""
    install = snippet_of("anthropic-sdk", "install.sh")
    return venv_after(tmp_path_factory.mktemp("anthropic"), install) / "python"


async def test_the_guide_says_hello(
    provider: ScriptedProvider, snippet: Snippet, python: Path, tmp_path: Path
) -> None:
    provider.reply(body=completion({"content": "Hello there"}))
    hello = snippet("anthropic-sdk", "hello.py")
    assert await printed(python, hello, cwd=tmp_path) == "Hello there"


async def test_the_guide_streams(
    provider: ScriptedProvider, snippet: Snippet, python: Path, tmp_path: Path
) -> None:
    provider.stream(SPOKEN)
    stream = snippet("anthropic-sdk", "stream.py")
    assert await printed(python, stream, cwd=tmp_path) == "Hello"


async def test_a_program_of_anthropics_needs_only_the_environment(
    snippet: Snippet, python: Path, tmp_path: Path
) -> None:
    (tmp_path / "program.py").write_text(UNCHANGED)
    run = f"{snippet('anthropic-sdk', 'env.sh')}\n{python} program.py"
    child = paste(run, cwd=tmp_path)
    assert await child.ended() == 0, child.text
    assert child.text == "renamed test-model"
