"""The locks pin what pyproject.toml asks for, each file with its hash."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
GROUPS: dict[str, list[Any]] = PROJECT["dependency-groups"]
ENTRY = re.compile(r"^([a-z0-9-]+)==([^ ;\\]+)", re.MULTILINE)
DIRECT = re.compile(
    r"^([a-z0-9-]+)==(?:(?!^\S).)*?# +(?:via )?lightweight-gateway[ :]",
    re.MULTILINE | re.DOTALL,
)


def lock(name: str) -> str:
    return (ROOT / "release" / "locks" / f"{name}.txt").read_text()


def pinned(name: str) -> dict[str, str]:
    return dict(ENTRY.findall(lock(name)))


def wanted(name: str) -> list[Requirement]:
    project = PROJECT["project"]
    extras = project["optional-dependencies"].values()
    texts = [*project["dependencies"], *(each for extra in extras for each in extra)]
    if name == "development":
        texts += [each for group in GROUPS.values() for each in group]
    return [Requirement(text) for text in texts if isinstance(text, str)]


@pytest.mark.parametrize("name", ["gateway", "development"])
def test_what_is_asked_for_is_pinned_and_nothing_else(name: str) -> None:
    versions = pinned(name)
    for requirement in wanted(name):
        version = versions.get(canonicalize_name(requirement.name))
        assert version is not None, f"{requirement}: run release/lock"
        assert requirement.specifier.contains(version), f"{requirement}: run it"
    names = {canonicalize_name(each.name) for each in wanted(name)}
    assert set(DIRECT.findall(lock(name))) == names, "run release/lock"


@pytest.mark.parametrize("name", ["gateway", "development"])
def test_each_file_has_its_hash_and_comes_from_anywhere(name: str) -> None:
    text = lock(name)
    entries = re.split(r"^(?=[a-z0-9-]+==)", text, flags=re.MULTILINE)[1:]
    # More where another Python gets another version.
    assert len(entries) >= len(pinned(name)) > 30
    assert all(re.search(r"--hash=sha256:[0-9a-f]{64}\b", each) for each in entries)
    # Which index is asked is for who installs.
    assert "://" not in text
    assert not re.search(r"^-", text, re.MULTILINE)


def test_tests_run_with_what_is_released() -> None:
    assert pinned("gateway").items() <= pinned("development").items()


def test_the_manual_says_why_each_dependency_is_there() -> None:
    source = (ROOT / "pyproject.toml").read_text()
    block = source.split("\ndependencies = [", 1)[1].split("\n]", 1)[0]
    reasons = re.findall(r'"([a-z0-9-]+)[^"]*",\s*# (.+)', block)
    assert len(reasons) == len(PROJECT["project"]["dependencies"])
    manual = (ROOT / "docs" / "security.md").read_text()
    rows = re.findall(r"^\| `([a-z0-9-]+)` \| (.+) \|$", manual, re.MULTILINE)
    assert rows == reasons
