"""Credentials in headers become an Identity, or one and the same fault."""

import pytest
from support.gateway import KEY, STORED_KEY, Keys, identity, model

from lightweight.errors import InvalidKey, ModelDenied
from lightweight.policy.admission import Tier
from lightweight.web.auth import identify, permits, presented_key, require_model

ALL = {"pro": Tier()}


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": "Bearer lw-abc"},
        {"authorization": "bearer lw-abc"},
        {"authorization": "BEARER  lw-abc "},
        {"x-api-key": "lw-abc"},
        {"x-api-key": "lw-abc", "authorization": "Bearer lw-abc"},
    ],
)
def test_a_credential_is_found(headers: dict[str, str]) -> None:
    assert presented_key(headers) == "lw-abc"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": ""},
        {"authorization": "Bearer"},
        {"authorization": "Bearer "},
        {"authorization": "Bearer ---"},
        {"authorization": "Bearerlw-a"},
        {"authorization": "Bearer\tlw-a"},
        {"authorization": "Bearer lw_a"},
        {"x-api-key": ""},
        {"x-api-key": "", "authorization": "Bearer lw-a"},
        {"x-api-key": "lw-a\n"},
        {"authorization": "Bearer lw-a lw-b"},
        {"authorization": "Bearer lw-a, Bearer lw-b"},
        {"authorization": "Bearer lw-a, Bearer lw-a"},
        {"authorization": "Basic lw-a"},
        {"authorization": "Bearer lw-é"},
        {"x-api-key": "lw-a, lw-b"},
        {"x-api-key": "lw-a", "authorization": "Bearer lw-b"},
        {"x-api-key": "lw-a", "authorization": "Basic lw-a"},
    ],
)
def test_everything_else_is_invalid(headers: dict[str, str]) -> None:
    with pytest.raises(InvalidKey):
        presented_key(headers)


async def test_memory_is_asked_before_the_store() -> None:
    keys = Keys()
    assert await identify({"x-api-key": KEY}, keys) is keys.held[KEY]
    assert await identify({"x-api-key": STORED_KEY}, keys) is keys.stored[STORED_KEY]
    with pytest.raises(InvalidKey):
        await identify({"x-api-key": "lw-unknown"}, keys)


def test_an_allow_list_knows_ids_and_aliases() -> None:
    named = model("one", aliases=("eins",))
    assert permits(identity(), named, ALL)
    assert permits(identity(models=frozenset({"one"})), named, ALL)
    assert permits(identity(models=frozenset({"eins"})), named, ALL)
    assert not permits(identity(models=frozenset()), named, ALL)
    require_model(identity(), named, ALL)
    with pytest.raises(ModelDenied) as denied:
        require_model(identity(models=frozenset({"two"})), named, ALL)
    assert denied.value.param == "model"


def test_a_tiers_list_and_a_keys_must_both_have_it() -> None:
    named = model("one", aliases=("eins",))
    some = {"pro": Tier(models=frozenset({"eins", "two"}))}
    assert permits(identity(), named, some)
    assert permits(identity(models=frozenset({"one"})), named, some)
    assert not permits(identity(models=frozenset({"two"})), named, some)
    assert not permits(identity(), model("three"), some)
    with pytest.raises(ModelDenied) as denied:
        require_model(identity(), model("three"), some)
    assert "its tier" in denied.value.message
