"""Cline's command line, installed from npm and set up as its guide says."""

from pathlib import Path

import pytest
from support.daemon import Gateway
from support.errand import COMMAND, check, errand
from support.guides import Snippet
from support.guides import snippet as snippet_of
from support.npm import MARKS, from_npm, run
from support.scripted import ScriptedProvider

pytestmark = MARKS

cline = from_npm(snippet_of("cline", "install.sh"))

# Else a process of it stays behind and serves the sessions to come.
ALONE = {"CLINE_SESSION_BACKEND_MODE": "local"}


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        ("openai-compatible", "/v1/chat/completions"),
        ("openai-native", "/v1/responses"),
    ],
)
async def test_it_writes_a_file(
    gateway: Gateway,
    provider: ScriptedProvider,
    snippet: Snippet,
    cline: Path,
    home: Path,
    work: Path,
    dialect: str,
    kind: str,
    path: str,
) -> None:
    provider.choose(errand(dialect, "run_commands", {"commands": [COMMAND]}))
    auth = snippet("cline", "auth.sh").replace("openai-compatible", kind)
    script = snippet("cline", "run.sh")

    await run(auth, cline, home=home, cwd=work, environ=ALONE)
    output = await run(script, cline, home=home, cwd=work, environ=ALONE)

    check(provider, work, output)
    await gateway.stop()
    assert {line["path"] for line in gateway.access()} == {path}
