"""The Codex CLI, installed from npm and set up as its guide says."""

import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pytest
from support import responses
from support.chat_bytes import DONE, USAGE, event
from support.daemon import Gateway
from support.errand import COMMAND, FINAL, check, errand
from support.guides import Snippet
from support.guides import snippet as snippet_of
from support.npm import MARKS, from_npm, run
from support.scripted import ScriptedProvider

pytestmark = MARKS

codex = from_npm(snippet_of("codex", "install.sh"))

PATCH = (
    "*** Begin Patch\n*** Add File: hello.txt\n+Hello from a patch.\n*** End Patch\n"
)

FUNCTION = {"name": "apply_patch", "arguments": json.dumps({"input": PATCH})}
CALL = {"index": 0, "id": "call_1", "type": "function", "function": FUNCTION}
CHAT = (
    (
        event({"role": "assistant", "content": ""}),
        event({"reasoning_content": "A file is wanted."}),
        event({"tool_calls": [CALL]}),
        event({}, "tool_calls"),
        event({}, choices=[], usage=USAGE),
        DONE,
    ),
    (event({"content": FINAL}), event({}, "stop"), DONE),
)

ITEM = {
    "type": "custom_tool_call",
    "id": "ctc_1",
    "call_id": "call_1",
    "name": "apply_patch",
    "input": PATCH,
}
SAID = responses.message(responses.text(FINAL))
RESPONSES = (
    (
        responses.created(),
        responses.added({**ITEM, "input": ""}),
        responses.delta(PATCH, kind="custom_tool_call_input"),
        responses.done(ITEM),
        responses.completed(ITEM),
    ),
    (
        responses.created(),
        responses.added(responses.message()),
        responses.delta(FINAL),
        responses.done(SAID),
        responses.completed(SAID),
    ),
)


@pytest.fixture
def snippet(gateway: Gateway) -> Snippet:
    """Name a model for which the client has its full set of tools."""
    return partial(
        snippet_of, base_url=gateway.base_url, key=gateway.key, model="gpt-5.5"
    )


@pytest.fixture
def script(snippet: Snippet, home: Path) -> str:
    """Set the client up; give what starts it."""
    (home / ".codex").mkdir()
    (home / ".codex/config.toml").write_text(snippet("codex", "config.toml"))
    return snippet("codex", "env.sh") + snippet("codex", "run.sh")


async def test_it_writes_a_file(
    provider: ScriptedProvider,
    script: str,
    codex: Path,
    home: Path,
    work: Path,
    dialect: str,
) -> None:
    provider.choose(errand(dialect, "exec_command", {"cmd": COMMAND}))

    output = await run(script, codex, home=home, cwd=work)

    check(provider, work, output)


@pytest.mark.parametrize(
    ("dialect", "turns"), [("openai_chat", CHAT), ("openai_responses", RESPONSES)]
)
async def test_it_patches_a_file(
    provider: ScriptedProvider,
    script: str,
    codex: Path,
    home: Path,
    work: Path,
    turns: Sequence[Sequence[bytes]],
) -> None:
    for turn in turns:
        provider.stream(turn)

    output = await run(script, codex, home=home, cwd=work)

    assert (work / "hello.txt").read_text() == "Hello from a patch.\n"
    assert FINAL in output
    told = provider.requests[1].json()
    assert "Success" in json.dumps(told.get("messages", told.get("input"))[-1])
