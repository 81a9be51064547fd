"""`lightweight`: the whole command on a real state directory, with no daemon."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from lightweight import __version__
from lightweight.cli.main import main


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "lightweight.toml"
    path.write_text(
        f'state = "{tmp_path / "state"}"\n'
        '[providers.openai]\napi_key = { credential = "openai" }\n'
    )
    return path


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


def test_accounts_and_keys_from_nothing(config: Path) -> None:
    """The provider's secret, which only the service can read, is not missed."""
    account = run("-c", config, "accounts", "create", "acme", "--tier", "pro", "--json")
    key = run("-c", config, "keys", "create", "--account", "acme", "--json")
    listed = run("-c", config, "keys", "list", "--json")

    assert json.loads(account.output)["name"] == "acme"
    made = json.loads(key.output)
    assert made["key"].startswith("lw-")
    assert [each["id"] for each in json.loads(listed.output)] == [made["id"]]
    assert made["key"] not in listed.output


def test_the_file_may_be_named_by_the_environment(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIGHTWEIGHT_CONFIG", str(config))

    assert run("accounts", "list", "--json").output.strip() == "[]"


def test_a_bad_configuration_is_told_and_ends_with_1(tmp_path: Path) -> None:
    path = tmp_path / "bad.toml"
    path.write_text('workers = 0\nlog_fromat = "json"\n')

    result = run("-c", path, "accounts", "list")

    assert result.exit_code == 1
    assert len(result.output.strip().splitlines()) == 2


def test_version() -> None:
    assert run("--version").output == f"lightweight {__version__}\n"


def test_help_needs_no_reactor() -> None:
    script = (
        "import sys\nfrom lightweight.cli.main import main\n"
        "try: main(['--help'])\nexcept SystemExit: pass\n"
        "print([m for m in sys.modules if m.split('.')[0] in ('twisted', 'klein')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )

    assert "twistd -n lightweight" in done.stdout
    assert done.stdout.strip().endswith("[]")
