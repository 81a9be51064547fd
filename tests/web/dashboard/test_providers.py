"""The providers: health, a test, a reload, the TOML to add one."""

import tomllib
from dataclasses import replace

import pytest
from support.offices import Desk
from support.visits import said, visitor

from lightweight.catalog.load import load_catalog
from lightweight.config.schema import Timeouts
from lightweight.config.secret import Secret
from lightweight.plan import ProviderPlan
from lightweight.web.dashboard.providers import toml_of


def planned(desk: Desk) -> None:
    plans = {
        name: ProviderPlan(
            name=name,
            preset=None,
            kind="openai",
            base_url=f"https://user:pass@{name}.example/v1?key=s3cr3t",
            credential=Secret("sk-secret"),
            timeouts=Timeouts(),
            quirks=frozenset(),
        )
        for name in ("one", "two")
    }
    desk.gateway.runtime = replace(desk.gateway.runtime, plans=plans)


async def test_how_they_fare_without_their_secrets(desk: Desk) -> None:
    planned(desk)
    breaker = desk.gateway.standings["two"].breaker
    for _ in range(20):
        breaker.failed(breaker.enter(0.0), 0.0)
    answer = await (await visitor(desk)).get("/providers")
    text = said(answer)
    assert "one openai well one.example 1 3" in text
    assert "left alone after failures" in text
    for secret in (b"sk-secret", b"pass", b"s3cr3t"):
        assert secret not in answer.body


async def test_one_that_is_not_there_is_not_tested(desk: Desk) -> None:
    planned(desk)
    boss = await visitor(desk)
    answer = await boss.post("/providers/nobody/test")
    assert answer.status == 404


async def test_a_reload_is_asked_for(desk: Desk) -> None:
    boss = await visitor(desk)
    answer = await boss.post("/reload")
    assert "Asked for a reload" in said(answer)
    assert len(desk.gateway.reloads) == 1
    owner = await visitor(desk, "owner", await desk.account("acme"), name="owner")
    assert (await owner.post("/reload")).status == 403
    assert (await owner.post("/providers/one/test")).status == 403
    assert len(desk.gateway.reloads) == 1


@pytest.mark.parametrize(
    "preset", load_catalog().presets.values(), ids=lambda p: p.name
)
def test_the_toml_to_add_one_is_toml(preset: object) -> None:
    written = toml_of(preset)  # type: ignore[arg-type]  # a preset
    assert "providers" in tomllib.loads(written)


async def test_the_toml_of_the_one_that_was_chosen(desk: Desk) -> None:
    boss = await visitor(desk)
    text = await boss.text("/providers?preset=mistral")
    assert "[providers.mistral] api_key = { file" in text
    assert "<script>" not in await boss.text("/providers?preset=<script>")
