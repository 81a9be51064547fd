"""etc/lightweight.toml and the schema say the same."""

import re
import tomllib
import types
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Union, get_args, get_origin, get_type_hints

import pytest
from msgspec import NODEFAULT, Struct, structs

from lightweight.config.check import check
from lightweight.config.load import ConfigError, load
from lightweight.config.schema import (
    DEFAULT_TIERS,
    Config,
    Edge,
    PartialTimeouts,
    Timeouts,
)
from lightweight.config.secret import SOURCES, Secret

EXAMPLE = Path(__file__).parents[2] / "etc" / "lightweight.toml"
TEXT = EXAMPLE.read_text()
KEY = re.compile(r"#(\[\[?[^\]]+\]\]?|[a-z_]+ = .+)")
UNCOMMENTED = re.sub(rf"(?m)^{KEY.pattern}$", r"\1", TEXT)
DATA = tomllib.loads(UNCOMMENTED)


def schema_keys(schema: type[Struct], path: str = "") -> Iterator[tuple[str, Any]]:
    """Give each key that is no table, with its default, as ``providers.*.kind``."""
    hints = get_type_hints(schema)
    for field in structs.fields(schema):
        yield from below(hints[field.name], f"{path}{field.name}", field)


def below(hint: Any, path: str, field: structs.FieldInfo) -> Iterator[tuple[str, Any]]:
    kind, arms = get_origin(hint), get_args(hint)
    if kind in {Union, types.UnionType} and len(arms) == 2 and types.NoneType in arms:
        yield from below(arms[0], path, field)
    elif kind is Mapping:
        yield from below(arms[1], f"{path}.*", field)
    elif kind is tuple and isinstance(arms[0], type) and issubclass(arms[0], Struct):
        yield from below(arms[0], f"{path}[]", field)
    elif isinstance(hint, type) and issubclass(hint, Struct):
        yield from schema_keys(hint, f"{path}.")
    else:
        yield path, field.default


def file_keys(data: dict[str, Any], path: str = "") -> Iterator[str]:
    for key, value in data.items():
        name = "*" if path in {"providers.", "tiers."} else key
        here = f"{path}{name}"
        first = value[0] if isinstance(value, list) and value else None
        if isinstance(first, dict) and not first.keys() <= set(SOURCES):
            for item in value:
                yield from file_keys(item, f"{here}[].")
        elif isinstance(value, dict) and not value.keys() <= set(SOURCES):
            yield from file_keys(value, f"{here}.")
        elif value != {}:
            yield here


SCHEMA = dict(schema_keys(Config))


def test_the_walk_sees_what_there_is() -> None:
    assert {
        "listen",
        "drain.stop",
        "providers.*.timeouts.idle",
        "models[].targets[].dialect",
        "tiers.*.quota_usd",
    } <= SCHEMA.keys()
    assert len(SCHEMA) > 50


def test_every_key_of_the_schema_is_in_the_file_and_no_other() -> None:
    assert set(file_keys(DATA)) == set(SCHEMA)


def test_the_file_as_shipped_changes_nothing() -> None:
    loaded = load(EXAMPLE, {}, presets=["openai", "anthropic"])
    assert loaded.config == Config()
    assert loaded.warnings == ()


def test_every_line_is_valid_when_uncommented(tmp_path: Path) -> None:
    file = tmp_path / "all.toml"
    file.write_text(UNCOMMENTED)
    with pytest.raises(ConfigError) as caught:
        load(file, {}, presets=["openai", "anthropic"])
    # The machine that runs this does not have the example's secrets.
    paths = [problem.path for problem in caught.value.problems]
    assert sorted(paths) == [
        "keys.pepper",
        "metrics_token",
        "oidc.client_secret",
        "providers.anthropic.api_key",
        "providers.openai-batch.api_key",
        "providers.openai.api_key",
        "providers.openai.api_keys[0]",
        "providers.openai.api_keys[1]",
    ]


def test_every_comment_line_is_prose_or_a_key() -> None:
    for number, line in enumerate(TEXT.splitlines(), 1):
        if line.startswith("#") and line != "#":
            assert line.startswith("# ") or KEY.fullmatch(line), f"line {number}"
        assert len(line) <= 88, f"line {number}"


def test_the_stated_defaults_are_the_defaults() -> None:
    checked = check(DATA, Config, lambda _path, value: Secret(str(value)))
    assert checked.issues == []
    stated = checked.value
    for name, default in SCHEMA.items():
        if "*" not in name and "[]" not in name and default not in (None, NODEFAULT):
            value: Any = stated
            for step in name.split("."):
                value = getattr(value, step)
            assert value == default, name
    assert stated.edge == Edge()
    assert stated.timeouts == Timeouts()
    assert {name: stated.tiers[name] for name in DEFAULT_TIERS} == DEFAULT_TIERS


def test_a_key_without_default_says_so_or_that_it_is_required() -> None:
    lines = TEXT.splitlines()
    silent = []
    for key in {name.rpartition(".")[2] for name, d in SCHEMA.items() if d is None}:
        shown = [n for n, line in enumerate(lines) if line.startswith(f"#{key} = ")]
        assert shown
        if not any("default" in prose_above(lines, n).lower() for n in shown):
            silent.append(key)
    assert silent == []


def prose_above(lines: list[str], number: int) -> str:
    first = number
    while lines[first - 1].startswith("# "):
        first -= 1
    return " ".join(lines[first:number])


def test_partial_timeouts_have_the_keys_of_timeouts() -> None:
    assert PartialTimeouts.__struct_fields__ == Timeouts.__struct_fields__
