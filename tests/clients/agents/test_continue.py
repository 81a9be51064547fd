"""Continue's command line, installed from npm and set up as its guide says."""

from functools import partial
from pathlib import Path

import pytest
from support.daemon import Gateway
from support.errand import COMMAND, check, errand
from support.guides import snippet as snippet_of
from support.npm import MARKS, from_npm, run
from support.scripted import ScriptedProvider

pytestmark = MARKS

cn = from_npm(snippet_of("continue", "install.sh"))


@pytest.mark.parametrize(
    ("model", "path"),
    [("test-model", "/v1/chat/completions"), ("gpt-5.5", "/v1/responses")],
)
async def test_it_writes_a_file(
    gateway: Gateway,
    provider: ScriptedProvider,
    cn: Path,
    home: Path,
    work: Path,
    dialect: str,
    model: str,
    path: str,
) -> None:
    snippet = partial(
        snippet_of, base_url=gateway.base_url, key=gateway.key, model=model
    )
    provider.choose(errand(dialect, "Bash", {"command": COMMAND}))
    (home / ".continue").mkdir()
    (home / ".continue/config.yaml").write_text(snippet("continue", "config.yaml"))

    output = await run(snippet("continue", "run.sh"), cn, home=home, cwd=work)

    check(provider, work, output)
    await gateway.stop()
    assert {line["path"] for line in gateway.access()} == {path}
