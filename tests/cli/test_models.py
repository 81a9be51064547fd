"""`lightweight models`: what is on offer and from whom."""

from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from msgspec.structs import replace
from support.opened import OpenedState

from lightweight.cli.models import models
from lightweight.config.schema import (
    Config,
    ModelConfig,
    ProviderConfig,
    TargetConfig,
)

COMMANDS = click.Group(commands=[models])


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[OpenedState]:
    state = OpenedState(tmp_path)
    there = TargetConfig(provider="mine", model="there", dialect="openai_chat")
    config = Config(
        providers={
            "cohere": ProviderConfig(),
            "mine": ProviderConfig(
                kind="openai", base_url="http://127.0.0.1:9", quirks=("no_user",)
            ),
        },
        models=(ModelConfig(id="own", context="8K", aliases=("o",), targets=(there,)),),
    )
    state.config = replace(state.config, config=config)
    yield state
    state.close()


def test_the_models_on_offer(opened: OpenedState) -> None:
    told = opened.said(COMMANDS, "models", "list").splitlines()
    assert [" ".join(line.split()) for line in told] == [
        "MODEL CONTEXT STATUS ENDS PROVIDERS",
        "Command-R 128K GA - cohere",
        "Command-R-Plus 128K GA - cohere",
        "own 8K GA - mine",
    ]


def test_all_that_are_known(opened: OpenedState) -> None:
    told = opened.said(COMMANDS, "models", "list", "--all")
    assert "The model 'raptor-mini' is known, but no public provider" in told
    body = opened.json(COMMANDS, "models", "list", "--all")
    assert len(body["models"]) + len(body["not_offered"]) == 42


def test_one_model_by_an_alias(opened: OpenedState) -> None:
    told = opened.said(COMMANDS, "models", "show", "o")
    assert "Model         own\n" in told
    assert told.splitlines()[-1].split() == ["mine", "there", "openai_chat", "no_user"]
    body = opened.json(COMMANDS, "models", "show", "command-r")
    assert body["id"] == "Command-R"
    assert body["targets"] == [
        {
            "provider": "cohere",
            "model": "command-r-08-2024",
            "dialect": "openai_chat",
            "quirks": ["no_user", "penalties_0_to_1"],
        }
    ]


def test_a_model_that_is_not_there(opened: OpenedState) -> None:
    assert "[providers.openai]" in opened.refused(COMMANDS, "models", "show", "gpt-4o")
    assert "does not exist" in opened.refused(COMMANDS, "models", "show", "nothing")


def test_a_quirk_that_is_none(opened: OpenedState) -> None:
    given = {"cohere": ProviderConfig(quirks=("odd",))}
    config = replace(opened.config.config, providers=given, models=())
    opened.config = replace(opened.config, config=config)
    assert "no quirk 'odd'" in opened.refused(COMMANDS, "models", "list")
