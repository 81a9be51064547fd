"""Ollama's SDK for JavaScript by its guide."""

from pathlib import Path

from support.chat_bytes import SPOKEN, completion
from support.guides import Snippet
from support.guides import snippet as snippet_of
from support.npm import MARKS, from_npm, printed
from support.scripted import ScriptedProvider

pytestmark = MARKS

project = from_npm(snippet_of("ollama-js", "install.sh"))


async def test_the_guide_says_hello(
    provider: ScriptedProvider, snippet: Snippet, project: Path, tmp_path: Path
) -> None:
    provider.reply(body=completion({"content": "Hello there"}))
    hello = snippet("ollama-js", "hello.mjs")
    assert await printed(hello, project, home=tmp_path) == "Hello there"


async def test_the_guide_streams(
    provider: ScriptedProvider, snippet: Snippet, project: Path, tmp_path: Path
) -> None:
    provider.stream(SPOKEN)
    stream = snippet("ollama-js", "stream.mjs")
    assert await printed(stream, project, home=tmp_path) == "Hello"


async def test_the_guide_lists_models(
    snippet: Snippet, project: Path, tmp_path: Path
) -> None:
    models = snippet("ollama-js", "models.mjs")
    output = await printed(models, project, home=tmp_path)
    assert output == "renamed\ntest-model"
