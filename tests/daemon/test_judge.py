"""The judgement of a configuration: everything a start would trip over, said before."""

from pathlib import Path

import pytest

from lightweight.catalog.load import load_catalog
from lightweight.daemon.judge import UNFIT, config_path, judged

CATALOG = load_catalog()


NOWHERE = """\
[[models]]
id = "m"
context = "8K"
targets = [{ provider = "no", model = "m", dialect = "openai_chat" }]
"""


def judge(tmp_path: Path, text: str) -> None:
    from twisted.internet import reactor

    path = tmp_path / "lightweight.toml"
    path.write_text(text)
    judged(path, {}, CATALOG, reactor)


def test_a_good_configuration_opens_nothing(tmp_path: Path) -> None:
    judge(tmp_path, 'listen = ["tcp:8080:interface=127.0.0.1"]\n')
    judge(tmp_path, 'database.url = "postgresql://u@nowhere/name"\n')


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("workers = 0\n", "lightweight.toml:1: workers"),
        ('listen = ["ssl:8443:privateKey=/no/such.pem"]\n', "listen"),
        (NOWHERE, "provider"),
        ('database.url = "postgresql://u@h/x?sslmod=y"\n', 'option "sslmod"'),
        ('database.url = "sqlite:///:memory:"\n', "cannot be the database"),
    ],
)
def test_what_a_start_would_trip_over_is_told(
    tmp_path: Path, text: str, told: str
) -> None:
    with pytest.raises(UNFIT, match=told):
        judge(tmp_path, text)


def test_the_file_is_named_by_option_or_variable() -> None:
    environ = {"LIGHTWEIGHT_CONFIG": "/etc/b.toml"}

    assert config_path("/etc/a.toml", environ) == Path("/etc/a.toml")
    assert config_path(None, environ) == Path("/etc/b.toml")
    assert config_path(None, {}) is None
    assert config_path("c.toml", {}) == Path.cwd() / "c.toml"
