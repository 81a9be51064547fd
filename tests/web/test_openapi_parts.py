"""What is common to both documents."""

import pytest
from jsonschema import Draft202012Validator

from lightweight.web.openapi_parts import ERROR, failure, json_content, path_part


def test_a_body_of_json() -> None:
    assert json_content({"type": "null"}) == {
        "application/json": {"schema": {"type": "null"}}
    }


def test_a_failure_refers_to_the_schema_of_errors() -> None:
    refers = {"schema": {"$ref": "#/components/schemas/Error"}}
    assert failure("It failed.") == {
        "description": "It failed.",
        "content": {"application/json": refers},
    }


def test_a_part_of_the_path_is_always_there() -> None:
    part = path_part("id")
    assert (part["name"], part["in"], part["required"]) == ("id", "path", True)


@pytest.mark.parametrize("gone", ["message", "type", "param", "code"])
def test_an_error_has_all_its_members(gone: str) -> None:
    error = {"message": "No.", "type": "x", "param": None, "code": None}
    judge = Draft202012Validator(ERROR)
    assert judge.is_valid({"error": error})
    assert not judge.is_valid({"error": {k: error[k] for k in error if k != gone}})
