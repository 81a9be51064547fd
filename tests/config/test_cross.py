from typing import Any

import pytest

from lightweight.config.check import check
from lightweight.config.cross import cross_check
from lightweight.config.schema import Config
from lightweight.config.secret import Secret
from lightweight.config.words import dotted

PRESETS = ["openai", "anthropic", "azure"]


def told(data: dict[str, Any], presets: list[str] = PRESETS) -> list[str]:
    checked = check(data, Config, lambda _path, value: Secret(str(value)))
    found = cross_check(checked, presets)
    return [f"{dotted(issue.path)}: {issue.text}" for issue in found]


def providers(**tables: object) -> dict[str, Any]:
    return {"providers": tables}


def oidc(**keys: object) -> dict[str, Any]:
    given = {"issuer": "https://id", "client_id": "c", "client_secret": "s"}
    return {"public_url": "https://ai.example.org", "oidc": {**given, **keys}}


def targets(*names: str) -> list[dict[str, str]]:
    return [{"provider": n, "model": "m", "dialect": "gemini"} for n in names]


@pytest.mark.parametrize(
    "data",
    [
        {},
        providers(openai={}),
        providers(openai={"base_url": "http://proxy/v1"}),
        providers(other={"preset": "openai"}),
        providers(local={"kind": "openai", "base_url": "http://h/v1"}),
        providers(show={"kind": "demo"}),
        providers(azure={"base_url": "https://h.example.org/openai/v1"}),
        providers(azure={"kind": "openai"}),
        {"models": [{"id": "a", "targets": targets("openai")}]},
        oidc(),
        oidc(auto_domains=["a.org"], auto_tier="beta", auto_account="staff"),
        {
            "models": [{"id": "a", "targets": targets("mine")}, {"id": "b"}],
            **providers(mine={"preset": "openai"}),
        },
    ],
    ids=str,
)
def test_what_agrees(data: dict[str, Any]) -> None:
    assert told(data) == []


@pytest.mark.parametrize(
    ("data", "messages"),
    [
        ({"listen": []}, ["listen: must name at least one endpoint"]),
        (
            {"oidc": oidc()["oidc"]},
            ["oidc: needs public_url: people come back to an address of it"],
        ),
        (
            oidc(auto_domains=["a.org"]),
            ["oidc.auto_domains: needs auto_account or auto_tier, and these need it"],
        ),
        (
            oidc(auto_tier="bta"),
            [
                "oidc.auto_domains: needs auto_account or auto_tier, and these need it",
                "oidc.auto_tier: there is no such tier, did you mean 'beta'?",
            ],
        ),
        (
            providers(opnai={}),
            [
                (
                    "providers.opnai: needs kind and base_url: no preset has this "
                    "name, did you mean 'openai'?"
                )
            ],
        ),
        (
            providers(local={"kind": "openai"}),
            ["providers.local: needs base_url: no preset has this name"],
        ),
        (
            providers(local={"base_url": "http://h"}),
            ["providers.local: needs kind: no preset has this name"],
        ),
        (
            providers(mine={"preset": "antropic"}),
            [
                (
                    "providers.mine.preset: there is no such preset, did you mean "
                    "'anthropic'?"
                )
            ],
        ),
        (
            {"models": [{"id": "a", "targets": targets("openai", "opnai")}]},
            [
                (
                    "models[0].targets[1].provider: there is no such provider, add its "
                    "[providers] table, did you mean 'openai'?"
                )
            ],
        ),
        *(
            (
                data,
                [
                    (
                        f"providers.{name}: needs base_url: each Azure resource has an "
                        "address of its own"
                    )
                ],
            )
            for name, data in (
                ("azure", providers(azure={})),
                ("mine", providers(mine={"preset": "azure"})),
            )
        ),
        (
            {"models": [{"id": "a"}, {"id": "b"}, {"id": "a"}]},
            ["models[2].id: is already the id of models[0]"],
        ),
    ],
    ids=str,
)
def test_what_does_not_agree(data: dict[str, Any], messages: list[str]) -> None:
    assert told(data) == messages


@pytest.mark.parametrize(
    "data",
    [
        providers(mine={"prset": "openai"}),
        providers(mine={"preset": 5}),
        providers(azure={"base_url": 5}),
        providers(mine={"kind": "opnai", "base_url": "http://h"}),
        providers(mine={"kind": "openai", "bse_url": "http://h"}),
        providers(mine=5),
        {"models": [5, {"id": 5}, {"id": 6}, {"targets": [{"provider": 5}, 5]}]},
        {"models": 5, "listen": 5},
    ],
    ids=str,
)
def test_what_the_check_has_told_is_not_told_again(data: dict[str, Any]) -> None:
    assert told(data) == []


def test_a_wrong_provider_is_still_one_to_point_at() -> None:
    data = {
        "models": [{"id": "a", "targets": targets("mine")}],
        **providers(mine={"preset": 5}),
    }
    assert told(data) == []


def test_without_presets_only_what_is_known_is_judged() -> None:
    assert told(providers(whatever={"preset": "x"}), []) == []
    data = {"models": [{"id": "a", "targets": targets("nobody")}]}
    assert len(told(data, [])) == 1
