"""OpenCode, installed from npm and set up as its guide says."""

from pathlib import Path

import pytest
from support.daemon import Gateway
from support.errand import COMMAND, check, errand
from support.guides import Snippet
from support.guides import snippet as snippet_of
from support.npm import MARKS, from_npm, run
from support.scripted import ScriptedProvider

pytestmark = MARKS

# A script of it puts the program for this processor in place.
opencode = from_npm(snippet_of("opencode", "install.sh"), builds=True)


@pytest.mark.parametrize(
    ("package", "path"),
    [
        ("@ai-sdk/openai-compatible", "/v1/chat/completions"),
        ("@ai-sdk/openai", "/v1/responses"),
        ("@ai-sdk/anthropic", "/v1/messages"),
    ],
)
async def test_it_writes_a_file(
    gateway: Gateway,
    provider: ScriptedProvider,
    snippet: Snippet,
    opencode: Path,
    home: Path,
    work: Path,
    dialect: str,
    package: str,
    path: str,
) -> None:
    told = {"command": COMMAND, "description": "Write a file"}
    provider.choose(errand(dialect, "bash", told))
    settings = home / ".config/opencode/opencode.json"
    settings.parent.mkdir(parents=True)
    config = snippet("opencode", "opencode.json")
    settings.write_text(config.replace("@ai-sdk/openai-compatible", package))

    script = snippet("opencode", "run.sh")
    output = await run(script, opencode, home=home, cwd=work)

    check(provider, work, output)
    await gateway.stop()
    assert {line["path"] for line in gateway.access()} == {path}
