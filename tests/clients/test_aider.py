"""Aider by its guide: its edits are committed, its tests talk to the model."""

import subprocess
from pathlib import Path

import pytest
from support.chat_bytes import DONE, USAGE, completion, event
from support.guides import Snippet
from support.guides import snippet as snippet_of
from support.pypi import PATIENCE, venv_after
from support.scripted import ScriptedProvider
from support.shell import end, paste

pytestmark = [
    pytest.mark.clients,
    pytest.mark.timeout(600),
    pytest.mark.async_limit(180),
]

OPTIONS = {
    "AIDER_MESSAGE": "Write greet.py. It prints Hello.",
    "AIDER_YES_ALWAYS": "true",
    # It would ask the internet for prices, news and a newer version.
    "AIDER_SHOW_MODEL_WARNINGS": "false",
    "AIDER_CHECK_UPDATE": "false",
    "AIDER_ANALYTICS": "false",
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "HTTPS_PROXY": "http://127.0.0.1:9",
    "NO_PROXY": "127.0.0.1",
}


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install it as its guide says."""
    install = snippet_of("aider", "install.sh")
    return venv_after(tmp_path_factory.mktemp("aider"), install)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Make a git repository with one commit."""
    directory = tmp_path / "repository"
    directory.mkdir()
    (directory / "README").write_text("A greeting.\n")
    for words in (
        ["init", "--quiet"],
        ["config", "user.name", "A. Tester"],
        ["config", "user.email", "tester@example.org"],
        ["add", "README"],
        ["commit", "--quiet", "--message", "Begin"],
    ):
        subprocess.run(["git", *words], cwd=directory, check=True)
    return directory


def said(text: str) -> list[bytes]:
    """Make a stream of a few pieces."""
    pieces = [event({"content": piece}) for piece in text.splitlines(keepends=True)]
    last = [event({}, "stop"), event({}, choices=[], usage=USAGE), DONE]
    return [event({"role": "assistant", "content": ""}), *pieces, *last]


def listing(text: str) -> list[bytes]:
    """Make an answer that gives greet.py whole, in the form that Aider asks for."""
    return said(f"Here it is.\n\ngreet.py\n```python\n{text}```\n")


def log(repository: Path) -> list[str]:
    done = subprocess.run(
        ["git", "log", "--format=%s", "--", "greet.py"],
        cwd=repository,
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.splitlines()


async def test_what_the_tests_print_goes_to_the_model_and_its_edits_are_committed(
    provider: ScriptedProvider, snippet: Snippet, programs: Path, repository: Path
) -> None:
    provider.stream(listing("raise SystemExit('I cannot greet')\n"))
    provider.reply(body=completion({"content": "feat: try to greet"}))
    provider.stream(listing("print('Hello')\n"))
    provider.reply(body=completion({"content": "fix: greet"}))
    tests = {"AIDER_AUTO_TEST": "true", "AIDER_TEST_CMD": "python3 greet.py"}
    child = paste(
        snippet("aider", "run.sh"),
        cwd=repository,
        programs=programs,
        environ=OPTIONS | tests,
    )
    try:
        assert await child.ended(PATIENCE) == 0, child.text
    finally:
        await end(child)

    assert (repository / "greet.py").read_text() == "print('Hello')\n"
    assert log(repository) == ["fix: greet", "feat: try to greet"]
    told = provider.requests[2].json()["messages"][-1]
    assert told["role"] == "user"
    assert "I cannot greet" in told["content"]


async def test_a_file_holds_its_settings(
    provider: ScriptedProvider, snippet: Snippet, programs: Path, repository: Path
) -> None:
    provider.stream(listing("print('Hello')\n"))
    provider.reply(body=completion({"content": "feat: greet"}))
    settings = snippet("aider", ".aider.conf.yml")
    (repository / ".aider.conf.yml").write_text(settings)
    child = paste("aider", cwd=repository, programs=programs, environ=OPTIONS)
    try:
        assert await child.ended(PATIENCE) == 0, child.text
    finally:
        await end(child)

    assert (repository / "greet.py").read_text() == "print('Hello')\n"
    assert log(repository) == ["feat: greet"]
