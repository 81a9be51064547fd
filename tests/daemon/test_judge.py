"""The judgement of a configuration: everything a start would trip over, said before."""

from pathlib import Path

import pytest

from lightweight.catalog.load import load_catalog
from lightweight.config.schema import Config
from lightweight.daemon.judge import (
    UNFIT,
    judged,
    read_for_parent,
)

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


def test_a_missing_extra_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (
        'public_url = "https://ai.example.org"\n[oidc]\nissuer = "https://id"\n'
        'client_id = "c"\nclient_secret = "s"\n'
    )
    judge(tmp_path, text)
    monkeypatch.setattr("lightweight.daemon.judge.find_spec", lambda _name: None)
    with pytest.raises(UNFIT, match=r"pip install 'lightweight-gateway\[oidc\]'"):
        judge(tmp_path, text)


def read(tmp_path: Path, text: str) -> Config:
    from twisted.internet import reactor

    path = tmp_path / "lightweight.toml"
    path.write_text(text)
    return read_for_parent(path, {}, CATALOG, reactor).config


@pytest.mark.parametrize(
    "text", ["new = 1\n", NOWHERE, '[providers.x]\nkind = "new"\n', "[edge]\nx = 1\n"]
)
def test_what_is_not_the_parents_is_left_to_the_workers(
    tmp_path: Path, text: str
) -> None:
    with pytest.raises(UNFIT):
        judge(tmp_path, text)
    assert read(tmp_path, f"workers = 3\n{text}").workers == 3


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("workers = 0\n", "workers"),
        ("new = 1\nworkers = 0\n", r"new: unknown key\n.*workers"),
        ("lisen = []\n", "did you mean 'listen'"),
        ("listen = []\n", "at least one"),
        ('listen = ["ssl:8443:privateKey=/no/such.pem"]\n', "listen"),
        ("[drain]\nnew = 1\n", "drain.new"),
        ("new =\n", "not valid TOML"),
    ],
)
def test_what_is_the_parents_it_judges(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(UNFIT, match=told):
        read(tmp_path, text)
