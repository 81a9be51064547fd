"""Claude Code, installed from npm and set up as its guide says."""

import json
from collections.abc import Iterable
from pathlib import Path

import pytest
from support.chat_bytes import DONE, SPOKEN, USAGE, event
from support.errand import COMMAND, check, errand
from support.guides import Snippet
from support.guides import snippet as snippet_of
from support.npm import MARKS, from_npm, run
from support.scripted import ScriptedProvider

pytestmark = MARKS

# A script of it puts the program for this processor in place.
claude = from_npm(snippet_of("claude-code", "install.sh"), builds=True)


async def test_it_writes_a_file(
    provider: ScriptedProvider,
    snippet: Snippet,
    claude: Path,
    home: Path,
    work: Path,
    dialect: str,
) -> None:
    told = {"command": COMMAND, "description": "Write a file"}
    provider.choose(errand(dialect, "Bash", told))

    script = snippet("claude-code", "env.sh") + snippet("claude-code", "run.sh")
    output = await run(script, claude, home=home, cwd=work)

    check(provider, work, output)


def bash(index: int, command: str) -> Iterable[bytes]:
    """Make the events of one call of its Bash tool."""
    begun = {"name": "Bash", "arguments": ""}
    first = {"index": index, "id": f"functions.Bash:{index}", "function": begun}
    arguments = json.dumps({"command": command, "description": "Say a word"})
    rest = {"index": index, "function": {"arguments": arguments}}
    yield event({"tool_calls": [{**first, "type": "function"}]})
    yield event({"tool_calls": [rest]})


@pytest.mark.parametrize("dialect", ["openai_chat"])
async def test_it_runs_two_tools_that_a_chat_model_asks_for_at_once(
    provider: ScriptedProvider,
    snippet: Snippet,
    claude: Path,
    home: Path,
    work: Path,
) -> None:
    provider.stream(
        [
            event({"role": "assistant", "content": ""}),
            event({"reasoning_content": "Hm."}),
            event({"content": "Let me see."}),
            *bash(0, "echo first-word"),
            *bash(1, "echo second-word"),
            event({}, "tool_calls"),
            event({}, choices=[], usage=USAGE),
            DONE,
        ]
    )
    provider.stream(SPOKEN)
    (home / ".claude").mkdir()
    settings = snippet("claude-code", "settings.json")
    (home / ".claude/settings.json").write_text(settings)

    script = snippet("claude-code", "run.sh")
    output = await run(script, claude, home=home, cwd=work)

    assert "Hello" in output
    told = provider.requests[1].json()["messages"]
    (asking,) = (message for message in told if message.get("tool_calls"))
    commands = {
        call["id"]: json.loads(call["function"]["arguments"])["command"]
        for call in asking["tool_calls"]
    }
    # Both run at once: the results come in the order in which they were done.
    assert {
        commands[message["tool_call_id"]]: message["content"]
        for message in told
        if message["role"] == "tool"
    } == {"echo first-word": "first-word", "echo second-word": "second-word"}
