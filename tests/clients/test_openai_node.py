"""OpenAI's Node SDK, installed from npm, against a real daemon."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from support.chat_bytes import DONE, completion, event
from support.daemon import Gateway, spawn
from support.scripted import ScriptedProvider

pytestmark = pytest.mark.clients

SCRIPT = Path(__file__).with_name("openai_sdk.mjs")
SPOKEN = [
    event({"role": "assistant", "content": ""}),
    event({"content": "Hel"}),
    event({"content": "lo"}),
    event({}, "stop"),
    DONE,
]


def tool_call(index: int, city: str) -> list[bytes]:
    start = {"index": index, "id": f"call_{index}", "type": "function"}
    named = {**start, "function": {"name": "weather", "arguments": ""}}
    rest = {"index": index, "function": {"arguments": json.dumps({"city": city})}}
    return [event({"tool_calls": [named]}), event({"tool_calls": [rest]})]


@pytest.fixture(scope="module")
def node_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the SDK into a project of its own."""
    directory = tmp_path_factory.mktemp("node")
    npm = shutil.which("npm")
    assert npm is not None, "install Node 20 or newer with npm"
    (directory / "package.json").write_text('{"private": true, "type": "module"}')
    subprocess.run([npm, "install", "--silent", "openai"], cwd=directory, check=True)
    shutil.copy(SCRIPT, directory)
    return directory


async def test_the_node_sdk_works_with_base_url_and_key_only(
    gateway: Gateway, provider: ScriptedProvider, node_project: Path
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
    node = shutil.which("node")
    assert node is not None

    child = spawn(
        [node, SCRIPT.name],
        cwd=node_project,
        environ={"OPENAI_BASE_URL": gateway.base_url, "OPENAI_API_KEY": gateway.key},
    )
    assert await child.ended() == 0, child.text

    told = json.loads(child.lines[-1])
    assert told == {
        "models": ["renamed", "test-model"],
        "whole": "Hello there",
        "streamed": "Hello",
        "tools": [["call_0", '{"city": "Oslo"}'], ["call_1", '{"city": "Bergen"}']],
        "missing": ["NotFoundError", "model_not_found", "model", True],
        "broken": [True, "upstream_error"],
    }
