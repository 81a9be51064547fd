"""OpenCode, installed from npm and set up as its guide says."""

from pathlib import Path

import pytest
from support.errand import COMMAND, check, errand
from support.guides import Snippet
from support.guides import snippet as snippet_of
from support.npm import from_npm, run
from support.scripted import ScriptedProvider

pytestmark = pytest.mark.clients

# A script of it puts the program for this processor in place.
opencode = from_npm(snippet_of("opencode", "install.sh"), builds=True)


@pytest.mark.async_limit(120)
async def test_it_writes_a_file(
    provider: ScriptedProvider,
    snippet: Snippet,
    opencode: Path,
    home: Path,
    work: Path,
    dialect: str,
) -> None:
    told = {"command": COMMAND, "description": "Write a file"}
    provider.choose(errand(dialect, "bash", told))
    settings = home / ".config/opencode/opencode.json"
    settings.parent.mkdir(parents=True)
    settings.write_text(snippet("opencode", "opencode.json"))

    script = snippet("opencode", "run.sh")
    output = await run(script, opencode, home=home, cwd=work)

    check(provider, work, output)
