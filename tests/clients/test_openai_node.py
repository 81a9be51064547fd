"""OpenAI's Node SDK by its guide, and what a program does with it besides."""

import json
from pathlib import Path

from support.chat_bytes import DONE, SPOKEN, completion, event
from support.daemon import Gateway
from support.guides import Snippet
from support.guides import snippet as snippet_of
from support.npm import MARKS, from_npm, printed, run
from support.scripted import ScriptedProvider

pytestmark = MARKS

SCRIPT = Path(__file__).with_name("openai_sdk.mjs")

project = from_npm(snippet_of("openai-node", "install.sh"))


async def test_the_guide_says_hello(
    provider: ScriptedProvider, snippet: Snippet, project: Path, tmp_path: Path
) -> None:
    provider.reply(body=completion({"content": "Hello there"}))
    hello = snippet("openai-node", "hello.mjs")
    assert await printed(hello, project, home=tmp_path) == "Hello there"


async def test_the_guide_streams(
    provider: ScriptedProvider, snippet: Snippet, project: Path, tmp_path: Path
) -> None:
    provider.stream(SPOKEN)
    stream = snippet("openai-node", "stream.mjs")
    assert await printed(stream, project, home=tmp_path) == "Hello"


async def test_the_guide_asks_for_a_response(
    provider: ScriptedProvider, snippet: Snippet, project: Path, tmp_path: Path
) -> None:
    provider.reply(body=completion({"content": "A gate, a word."}))
    response = snippet("openai-node", "responses.mjs")
    assert await printed(response, project, home=tmp_path) == "A gate, a word."


def tool_call(index: int, city: str) -> list[bytes]:
    start = {"index": index, "id": f"call_{index}", "type": "function"}
    named = {**start, "function": {"name": "weather", "arguments": ""}}
    rest = {"index": index, "function": {"arguments": json.dumps({"city": city})}}
    return [event({"tool_calls": [named]}), event({"tool_calls": [rest]})]


async def test_it_works_with_base_url_and_key_in_the_environment(
    gateway: Gateway, provider: ScriptedProvider, project: Path, tmp_path: Path
) -> None:
    provider.reply(body=completion({"content": "Hello there"}))
    provider.stream(SPOKEN)
    provider.stream(
        [
            event({"role": "assistant", "content": None}),
            *tool_call(0, "Oslo"),
            *tool_call(1, "Bergen"),
            event({}, "tool_calls"),
            DONE,
        ]
    )
    provider.stream(SPOKEN[:2], end="abort")
    (project / SCRIPT.name).write_text(SCRIPT.read_text())

    output = await run(
        f"node {SCRIPT.name}",
        project,
        cwd=project,
        home=tmp_path,
        environ={"OPENAI_BASE_URL": gateway.base_url, "OPENAI_API_KEY": gateway.key},
    )

    assert json.loads(output.splitlines()[-1]) == {
        "models": ["renamed", "test-model"],
        "whole": "Hello there",
        "streamed": "Hello",
        "tools": [["call_0", '{"city": "Oslo"}'], ["call_1", '{"city": "Bergen"}']],
        "missing": ["NotFoundError", "model_not_found", "model", True],
        "broken": [True, "upstream_error"],
    }
