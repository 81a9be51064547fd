from pathlib import Path

import pytest

from lightweight.config.schema import (
    Config,
    ModelConfig,
    PartialTimeouts,
    ProviderConfig,
    Timeouts,
    state_directory,
)

ONE = ProviderConfig(timeouts=PartialTimeouts(connect=1.0, total=9.0))


def test_a_provider_inherits_the_clocks_it_does_not_set() -> None:
    config = Config(
        timeouts=Timeouts(connect=2.0, idle=3.0),
        providers={"one": ONE, "two": ProviderConfig()},
    )
    assert config.timeouts_of("one") == Timeouts(connect=1.0, idle=3.0, total=9.0)
    assert config.timeouts_of("two") == config.timeouts
    assert config.timeouts_of("from the environment") == config.timeouts


def test_an_answer_is_read_on_only_where_that_is_wanted() -> None:
    config = Config(
        providers={
            "one": ProviderConfig(on_disconnect="drain", drain_limit=7.0),
            "two": ProviderConfig(drain_limit=7.0),
        }
    )
    assert config.drain_limit_of("one") == 7.0
    assert config.drain_limit_of("two") == 0
    assert config.drain_limit_of("from the environment") == 0


def test_defaults_do_not_share_what_could_change() -> None:
    assert Config().tiers is not Config().tiers
    assert Config().providers is not Config().providers


def test_a_context_is_also_a_number() -> None:
    assert ModelConfig(id="x", context="1M+").context_window == 1_000_000
    assert ModelConfig(id="x").context_window is None


@pytest.mark.parametrize(
    ("environ", "directory"),
    [
        ({"XDG_STATE_HOME": "/s", "HOME": "/h"}, "/s/lightweight"),
        ({"HOME": "/h"}, "/h/.local/state/lightweight"),
        # The XDG specification: a relative path is to be ignored.
        ({"XDG_STATE_HOME": "s", "HOME": "/h"}, "/h/.local/state/lightweight"),
        ({"XDG_STATE_HOME": "", "HOME": "/h"}, "/h/.local/state/lightweight"),
    ],
)
def test_where_state_lives(environ: dict[str, str], directory: str) -> None:
    assert state_directory(environ) == Path(directory)


def test_without_a_home_it_says_what_to_set() -> None:
    with pytest.raises(ValueError, match="set `state` in the configuration"):
        state_directory({})
