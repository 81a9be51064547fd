from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from lightweight.config.check import BAD, Checked, check
from lightweight.config.schema import Config, Tier
from lightweight.config.secret import Secret
from lightweight.config.words import KeyPath, dotted, mismatch


def reveal(path: KeyPath, value: object) -> Secret:
    if isinstance(value, str):
        return Secret(value)
    raise mismatch("a secret", value)


def judge(data: object) -> Checked[Config]:
    return check(data, Config, reveal)


def told(data: object) -> list[str]:
    return [f"{dotted(issue.path)}: {issue.text}" for issue in judge(data).issues]


def test_nothing_gives_the_defaults() -> None:
    assert judge({}).value == Config()
    assert told({}) == []


def test_values_become_what_the_schema_holds() -> None:
    data = {
        "listen": ["tcp:0"],
        "discover": False,
        "keys": {"pepper": "hush"},
        "drain": {"stop": "1m"},
        "edge": {"max_body": "1KiB"},
        "tiers": {"gold": {"quota_usd": 5}},
        "models": [{"id": "m", "shutdown_date": date(2026, 1, 1), "aliases": ["n"]}],
    }
    config = judge(data).value
    assert told(data) == []
    assert config.listen == ("tcp:0",)
    assert config.discover is False
    assert config.keys.pepper == Secret("hush")
    assert config.drain.stop == 60.0
    assert config.edge.max_body == 1024
    assert config.tiers == {"gold": Tier(quota_usd=5_000_000)}
    assert config.models[0].aliases == ("n",)


DIALECTS = (
    "must be 'openai_chat', 'openai_responses', 'anthropic', 'gemini', 'ollama', "
    "'ollama_generate', 'ollama_embed', 'openai_completions', 'openai_embeddings', "
    "'openai_moderations', 'openai_images', 'openai_image_edits', 'openai_speech', "
    "'openai_transcriptions', 'openai_translations' or 'openai_rerank'"
)
TARGET = {"provider": "p", "model": "m", "dialect": "openai_chat"}


@pytest.mark.parametrize(
    ("data", "messages"),
    [
        ([], [": must be a table, not an array"]),
        ({"wokers": 2}, ["wokers: unknown key, did you mean 'workers'?"]),
        ({"zzz": 2}, ["zzz: unknown key"]),
        ({"discover": 1}, ["discover: must be true or false, not an integer"]),
        ({"listen": "tcp:0"}, ["listen: must be an array, not a string"]),
        (
            {"listen": ["tcp:0", 8080]},
            [
                (
                    "listen[1]: must be an endpoint string such as "
                    '"tcp:8080:interface=127.0.0.1", not an integer'
                )
            ],
        ),
        (
            {"log_format": "jsn"},
            ["log_format: must be 'auto', 'json' or 'text', did you mean 'json'?"],
        ),
        (
            {"log_format": 1},
            ["log_format: must be 'auto', 'json' or 'text', not an integer"],
        ),
        (
            {"drain": {"stop": 60}},
            ['drain.stop: must have a unit: write "5s" for five seconds'],
        ),
        ({"edge": 1}, ["edge: must be a table, not an integer"]),
        ({"providers": []}, ["providers: must be a table, not an array"]),
        ({"providers": {"x": 1}}, ["providers.x: must be a table, not an integer"]),
        (
            {"providers": {"a b": {}}},
            [
                (
                    'providers."a b": must be a name of at most 64 letters, digits, '
                    "dots, dashes and underscores"
                )
            ],
        ),
        (
            {"providers": {"openai": {"timout": "5s"}}},
            ["providers.openai.timout: unknown key, did you mean 'timeouts'?"],
        ),
        (
            {"providers": {"openai": {"timeouts": {"conect": "5s"}}}},
            ["providers.openai.timeouts.conect: unknown key, did you mean 'connect'?"],
        ),
        (
            {"providers": {"openai": {"api_key": {"evn": "A", "b": 1}}}},
            [
                "providers.openai.api_key.evn: unknown key, did you mean 'env'?",
                "providers.openai.api_key.b: unknown key",
            ],
        ),
        (
            {"keys": {"pepper": 5}},
            ["keys.pepper: must be a secret, not an integer"],
        ),
        (
            {"redis": {"url": "hush", "machines": 0}},
            [
                (
                    'redis.url: must be a URL such as "redis://127.0.0.1:6379/0" '
                    "(schemes: redis, rediss, unix, redis+sentinel, rediss+sentinel)"
                ),
                "redis.machines: must be at least 1 and at most 10^15",
            ],
        ),
        (
            {"redis": {"url": 5}},
            ["redis.url: must be a secret, not an integer"],
        ),
        ({"models": [{}]}, ["models[0].id: missing"]),
        # The key that is missing is the key that was mistyped: said once.
        (
            {"models": [{"idd": "x"}]},
            ["models[0].idd: unknown key, did you mean 'id'?"],
        ),
        (
            {"models": [{"id": "a"}, {"id": "b", "targets": [{**TARGET, "model": 1}]}]},
            ["models[1].targets[0].model: must be a model id, not an integer"],
        ),
        (
            {
                "models": [
                    {"id": "a", "targets": [{**TARGET, "dialect": "openai-chat"}]}
                ]
            },
            [f"models[0].targets[0].dialect: {DIALECTS}, did you mean 'openai_chat'?"],
        ),
        (
            {"tiers": {"beta": {"rpm": 0, "tpm": "x"}}},
            [
                "tiers.beta.rpm: must be at least 1; leave it out for no limit",
                "tiers.beta.tpm: must be a whole number, not a string",
            ],
        ),
    ],
    ids=str,
)
def test_what_is_wrong(data: object, messages: list[str]) -> None:
    assert told(data) == messages


def test_six_mistakes_give_six_issues() -> None:
    data = {
        "wokers": 1,
        "express": "yes",
        "drain": {"reload": "10x"},
        "providers": {"openai": {"kind": "opnai"}},
        "edge": {"max_body": 5},
        "models": [{"context": "1M"}],
    }
    assert len(told(data)) == 6


def test_the_right_rest_is_kept_for_further_judgement() -> None:
    checked = judge(
        {
            "workers": 0,
            "discover": False,
            "models": [5, {"targets": [{"provider": "p", "dialect": "gemini"}]}],
        }
    )
    config = checked.value
    assert config.workers == 1
    assert config.discover is False
    models: Any = config.models
    assert models[0] is BAD
    assert models[1].id is BAD
    assert models[1].targets[0].provider == "p"
    assert models[1].targets[0].model is BAD
    assert ("models", 1, "targets", 0, "model") in checked.blamed


# -- any data at all --------------------------------------------------------------

SCALARS = (
    st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.dates()
    | st.datetimes()
    | st.times()
    | st.sampled_from(["5s", "1MiB", "tcp:0", "openai", "10x", "https://h/v1", "GA"])
)
KEYS = st.text(max_size=6) | st.sampled_from(
    [
        *structs.asdict(Config()),
        *("openai", "beta", "id", "targets", "provider", "model", "dialect"),
        *("api_key", "timeouts", "connect", "env", "file", "url", "rpm", "kind"),
    ]
)
DATA = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5)
    ),
    max_leaves=25,
)


@given(st.dictionaries(KEYS, DATA, max_size=8))
def test_any_toml_data_is_judged(data: dict[str, Any]) -> None:
    checked = judge(data)
    assert isinstance(checked.value, Config)
    for issue in checked.issues:
        assert issue.path in checked.blamed
        assert "\n" not in dotted(issue.path) + issue.text
    if not checked.issues:
        assert set(data) <= set(structs.asdict(Config()))
