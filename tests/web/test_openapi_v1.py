"""The document of what keys are for: every route, and what it says is so."""

from typing import Any

import pytest
from jsonschema import Draft202012Validator
from support.gateway import Gateway

from lightweight.dialects.openai_relay import ENDPOINTS
from lightweight.web.app import EXPRESS, App
from lightweight.web.openapi_v1 import PUBLIC, document, operations

BASE = "http://gateway.example"


def served() -> dict[str, Any]:
    client = Gateway().connect()
    client.ask("GET", "/openapi-v1.json", key=None)
    answer = client.answer()
    assert answer.status == 200
    found: dict[str, Any] = answer.json()
    return found


def test_it_is_served_to_everybody() -> None:
    assert served() == document(App._app, BASE)


def test_every_path_of_the_public_apis_is_in_it() -> None:
    rules = [rule.rule for rule in App._app.url_map.iter_rules()]
    public = {rule for rule in rules if rule.startswith(PUBLIC) and "<" not in rule}
    paths = document(App._app, BASE)["paths"]
    assert public == {path for path in paths if "{" not in path}
    assert set(EXPRESS) < set(paths)
    assert "/v1/models/{name}" in paths
    assert not [path for path in paths if "<" in path or "_rest" in path]


def test_operations_have_names_of_their_own_and_say_what_they_do() -> None:
    every = list(operations(App._app))
    assert len({each.name for each in every}) == len(every)
    assert all(each.summary.endswith(".") for each in every)


def test_what_takes_forms_and_gives_sound_says_so() -> None:
    paths = document(App._app, BASE)["paths"]
    for endpoint in ENDPOINTS.values():
        operation = paths[f"/v1{endpoint.path}"]["post"]
        form = "multipart/form-data" in operation["requestBody"]["content"]
        assert form == endpoint.form
        sound = "audio/*" in operation["responses"]["200"]["content"]
        assert sound == endpoint.sound


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/v1/usage"), ("POST", "/v1/chat/completions"), ("GET", "/v1/models/x")],
)
def test_an_error_is_of_the_shape_it_says(method: str, path: str) -> None:
    client = Gateway().connect()
    client.ask(method, path, b"{}" if method == "POST" else None, key=None)
    schema = served()["components"]["schemas"]["Error"]
    Draft202012Validator(schema).validate(client.answer().json())


def test_usage_is_of_the_shape_it_says() -> None:
    client = Gateway().connect()
    client.ask("GET", "/v1/usage")
    described = served()
    content = described["paths"]["/v1/usage"]["get"]["responses"]["200"]["content"]
    schema = {
        **content["application/json"]["schema"],
        "components": described["components"],
    }
    Draft202012Validator(schema).validate(client.answer().json())
