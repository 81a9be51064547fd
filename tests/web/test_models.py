"""The list of models and one of them."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from support.gateway import LIMITED_KEY, Gateway, identity, model, offering
from support.openai_schema import model_list_errors

from lightweight.errors import ModelNotFound
from lightweight.policy.admission import Tier
from lightweight.records import Model
from lightweight.runtime import Runtime
from lightweight.web.models import list_models, one_model

ANTHROPIC = {"anthropic-version": "2023-06-01"}


def offers(*models: Model) -> Runtime:
    return replace(Gateway().runtime, offering=offering(*models))


def get(path: str, **more: Any) -> Any:
    client = Gateway().connect()
    client.ask("GET", path, **more)
    return client.answer().json()


def test_openais_shape_with_three_fields_more() -> None:
    told = get("/v1/models")
    assert told["object"] == "list"
    assert [m["id"] for m in told["data"]] == ["org/path.1", "renamed", "same"]
    assert told["data"][1] == {
        "id": "renamed",
        "object": "model",
        "created": 1_700_000_000,
        "owned_by": "acme",
        "context_window": 128_000,
        "status": "GA",
    }


def test_a_shutdown_date_is_shown_where_there_is_one() -> None:
    dying = model("dying", shutdown_date=date(2027, 4, 1))
    answer = one_model(offers(dying), identity(), "dying", anthropic=False)
    assert b'"shutdown_date":"2027-04-01"' in answer.body


@pytest.mark.parametrize(
    "path", ["org/path.1", "org%2Fpath.1", "org%2fpath%2E1", "openai/org/path.1"]
)
def test_slashes_and_dots_in_ids(path: str) -> None:
    assert get(f"/v1/models/{path}")["id"] == "org/path.1"


def test_an_alias_shows_its_model() -> None:
    assert get("/v1/models/other-name")["id"] == "renamed"


def test_anthropics_shape() -> None:
    told = get("/v1/models?limit=1000", headers=ANTHROPIC)
    assert (told["has_more"], told["first_id"], told["last_id"]) == (
        False,
        "org/path.1",
        "same",
    )
    shown = {
        "type": "model",
        "id": "same",
        "display_name": "same",
        "created_at": "2023-11-14T22:13:20Z",
    }
    assert told["data"][2] == shown
    assert get("/v1/models/same", headers=ANTHROPIC) == shown


def test_anthropics_shape_of_nothing() -> None:
    answer = list_models(offers(), identity(), anthropic=True)
    assert answer.body == b'{"data":[],"has_more":false,"first_id":null,"last_id":null}'


def test_a_limited_key_sees_only_its_models() -> None:
    assert [m["id"] for m in get("/v1/models", key=LIMITED_KEY)["data"]] == ["same"]
    error = get("/v1/models/renamed", key=LIMITED_KEY)["error"]
    assert (error["code"], error["param"]) == ("model_access_denied", "model")


def test_a_tier_shows_only_its_models() -> None:
    gateway = Gateway()
    gateway.tiers["pro"] = Tier(models=frozenset({"same", "other-name"}))
    client = gateway.connect()
    client.ask("GET", "/v1/models")
    assert [m["id"] for m in client.answer().json()["data"]] == ["renamed", "same"]
    client = gateway.connect()
    client.ask("GET", "/v1/models/org/path.1")
    assert client.answer().status == 403
    client = gateway.connect()
    client.chat(model="org/path.1")
    assert client.answer().json()["error"]["code"] == "model_access_denied"
    assert "tier" in client.answer().json()["error"]["message"]


def test_an_absent_model_is_a_fault() -> None:
    with pytest.raises(ModelNotFound):
        one_model(offers(), identity(), "x", anthropic=False)


def test_the_list_is_openais_own_shape() -> None:
    assert model_list_errors(get("/v1/models")) == []
