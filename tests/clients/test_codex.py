"""The Codex CLI, installed from npm, against a real daemon.

Its whole loop: it is told to patch a file, does so, tells of it, and hears the end.
"""

import json
import shutil
import subprocess
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
import pytest_twisted
from support import responses
from support.chat_bytes import DONE, USAGE, event
from support.daemon import Gateway, spawn
from support.live import CANARY, config_for
from support.scripted import ScriptedProvider

pytestmark = pytest.mark.clients

# A model for which the client has its full set of tools, served in both ways.
MODEL = "gpt-5.5"
TARGET = """
[[models]]
id = "gpt-5.5"
targets = [{{ provider = "scripted", model = "upstream", dialect = "{dialect}" }}]
"""
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
    (event({"content": "The file is there."}), event({}, "stop"), DONE),
)

ITEM = {
    "type": "custom_tool_call",
    "id": "ctc_1",
    "call_id": "call_1",
    "name": "apply_patch",
    "input": PATCH,
}
SAID = responses.message(responses.text("The file is there."))
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
        responses.delta("The file is there."),
        responses.done(SAID),
        responses.completed(SAID),
    ),
)


@pytest.fixture(params=["openai_chat", "openai_responses"])
def dialect(request: pytest.FixtureRequest) -> str:
    """Give the one dialect that the provider speaks."""
    return str(request.param)


@pytest_twisted.async_yield_fixture  # type: ignore[untyped-decorator]  # has no types
async def gateway(
    provider: ScriptedProvider, tmp_path: Path, dialect: str
) -> AsyncIterator[Gateway]:
    """Serve the client's model in ``dialect``."""
    config = config_for(provider, TARGET.format(dialect=dialect))
    started = await Gateway.start(tmp_path, config, environ={"SCRIPTED_KEY": CANARY})
    yield started
    await started.stop()


@pytest.fixture(scope="module")
def codex(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the client into a project of its own."""
    directory = tmp_path_factory.mktemp("codex")
    npm = shutil.which("npm")
    assert npm is not None, "install Node 20 or newer with npm"
    (directory / "package.json").write_text('{"private": true}')
    subprocess.run(
        [npm, "install", "--silent", "@openai/codex"], cwd=directory, check=True
    )
    return directory / "node_modules/.bin/codex"


def options(gateway: Gateway) -> Sequence[str]:
    settings = {
        "model": MODEL,
        "model_provider": "gateway",
        "model_providers.gateway.name": "Lightweight",
        "model_providers.gateway.base_url": gateway.base_url,
        "model_providers.gateway.env_key": "GATEWAY_KEY",
        "model_providers.gateway.wire_api": "responses",
        "model_providers.gateway.request_max_retries": 0,
        "model_providers.gateway.stream_max_retries": 0,
        "analytics.enabled": False,
        "check_for_update_on_startup": False,
    }
    pairs = (("-c", f"{name}={json.dumps(told)}") for name, told in settings.items())
    return [word for pair in pairs for word in pair]


async def test_codex_patches_a_file(
    gateway: Gateway,
    provider: ScriptedProvider,
    codex: Path,
    tmp_path: Path,
    dialect: str,
) -> None:
    for turn in CHAT if dialect == "openai_chat" else RESPONSES:
        provider.stream(turn)
    home, work = tmp_path / "home", tmp_path / "work"
    home.mkdir()
    work.mkdir()
    child = spawn(
        [
            # It reads its input to the end before it begins.
            *("/bin/sh", "-c", 'exec "$@" </dev/null', "sh"),
            *(codex, "exec", "--skip-git-repo-check"),
            "--dangerously-bypass-approvals-and-sandbox",
            *options(gateway),
            "Write hello.txt.",
        ],
        cwd=work,
        environ={
            "CODEX_HOME": str(home),
            "GATEWAY_KEY": gateway.key,
            # Nothing of it may reach the internet.
            "HTTPS_PROXY": "http://127.0.0.1:9",
            "NO_PROXY": "127.0.0.1",
        },
    )

    assert await child.ended() == 0, child.text

    assert (work / "hello.txt").read_text() == "Hello from a patch.\n"
    assert "The file is there." in child.text
    told = provider.requests[1].json()
    result = told["messages" if dialect == "openai_chat" else "input"][-1]
    assert "Success" in json.dumps(result)
