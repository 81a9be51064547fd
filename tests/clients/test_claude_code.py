"""Claude Code, installed from npm, against a real daemon before a chat provider."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from support.chat_bytes import DONE, USAGE, event
from support.daemon import Gateway, spawn
from support.scripted import ScriptedProvider

pytestmark = pytest.mark.clients


@pytest.fixture(scope="module")
def claude(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install it into a directory of its own; give the program."""
    directory = tmp_path_factory.mktemp("claude")
    npm = shutil.which("npm")
    assert npm is not None, "install Node 20 or newer with npm"
    (directory / "package.json").write_text('{"private": true}')
    subprocess.run(
        [npm, "install", "--silent", "@anthropic-ai/claude-code"],
        cwd=directory,
        check=True,
    )
    return directory / "node_modules" / ".bin" / "claude"


def run(index: int, command: str) -> list[bytes]:
    """Make the events of one call of its Bash tool."""
    begun = {"name": "Bash", "arguments": ""}
    first = {"index": index, "id": f"functions.Bash:{index}", "function": begun}
    arguments = json.dumps({"command": command, "description": "Say a word"})
    rest = {"index": index, "function": {"arguments": arguments}}
    return [
        event({"tool_calls": [{**first, "type": "function"}]}),
        event({"tool_calls": [rest]}),
    ]


async def test_it_runs_tools_that_a_chat_model_asks_for(
    gateway: Gateway, provider: ScriptedProvider, claude: Path, tmp_path: Path
) -> None:
    provider.stream(
        [
            event({"role": "assistant", "content": ""}),
            event({"reasoning_content": "Hm."}),
            event({"content": "Let me see."}),
            *run(0, "echo first-word"),
            *run(1, "echo second-word"),
            event({}, "tool_calls"),
            event({}, choices=[], usage=USAGE),
            DONE,
        ]
    )
    provider.stream(
        [
            event({"role": "assistant", "content": "Both were said."}),
            event({}, "stop"),
            event({}, choices=[], usage=USAGE),
            DONE,
        ]
    )

    words = ["-p", "Run both", "--model", "test-model", "--allowedTools", "Bash"]
    child = spawn(
        [claude, *words],
        cwd=tmp_path,
        environ={
            "ANTHROPIC_BASE_URL": gateway.root,
            "ANTHROPIC_API_KEY": gateway.key,
            "ANTHROPIC_DEFAULT_HAIKU_MODEL": "test-model",
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        },
    )
    child.transport.closeStdin()  # type: ignore[union-attr]  # set once it runs

    assert await child.ended() == 0, child.text
    assert "Both were said." in child.text
    results = [
        message["content"]
        for message in provider.requests[1].json()["messages"]
        if message["role"] == "tool"
    ]
    assert results == ["first-word", "second-word"]
