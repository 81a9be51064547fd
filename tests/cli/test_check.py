"""`lightweight check`: exit 0 or 1, every problem on a line of its own."""

from pathlib import Path

from click.testing import CliRunner, Result

from lightweight.cli.main import main


def check(path: Path, text: str) -> Result:
    path.write_text(text)
    path.chmod(0o600)
    return CliRunner().invoke(main, ["-c", str(path), "check"])


def test_a_good_configuration(tmp_path: Path) -> None:
    result = check(tmp_path / "a.toml", "workers = 2\n")

    assert (result.exit_code, result.output) == (0, f"{tmp_path / 'a.toml'}: ok\n")


def test_warnings_do_not_fail_it(tmp_path: Path) -> None:
    result = check(tmp_path / "a.toml", '[providers.openai]\napi_key = "sk-1"\n')

    assert result.exit_code == 0
    assert "warning: " in result.output
    assert "sk-1" not in result.output


def test_every_problem_is_a_line(tmp_path: Path) -> None:
    result = check(tmp_path / "a.toml", 'workers = 0\n[drain]\nstop = "soon"\n')

    assert result.exit_code == 1
    assert len(result.output.strip().splitlines()) == 2


def test_what_only_a_start_would_find_is_found(tmp_path: Path) -> None:
    text = 'listen = ["ssl:8443:privateKey=/no/such.pem"]\n'

    assert check(tmp_path / "a.toml", text).exit_code == 1


def test_no_file_is_a_good_configuration_too() -> None:
    result = CliRunner().invoke(main, ["check"], env={"LIGHTWEIGHT_CONFIG": ""})

    assert (result.exit_code, result.output) == (0, "no configuration file: ok\n")
