"""What the documents of the admin API and of what keys are for have in common.

Parts of OpenAPI 3.1.0, as plain JSON.
"""

from typing import Any

SCHEMA_PLACE = "#/components/schemas/{name}"
"""Where a document keeps its schemas, for msgspec to refer to."""

ERROR: dict[str, Any] = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["message", "type", "param", "code"],
            "properties": {
                "message": {"type": "string"},
                "type": {"type": "string"},
                "param": {"type": ["string", "null"]},
                "code": {"type": ["string", "null"]},
            },
        }
    },
}
"""The schema that a document has by the name of Error."""


def json_content(schema: dict[str, Any]) -> dict[str, Any]:
    """Give a body that is JSON of one schema (section 4.8.14, Media Type Object)."""
    return {"application/json": {"schema": schema}}


def failure(description: str) -> dict[str, Any]:
    """Give the response that is an Error (section 4.8.17)."""
    refers = {"$ref": SCHEMA_PLACE.format(name="Error")}
    return {"description": description, "content": json_content(refers)}


def path_part(name: str) -> dict[str, Any]:
    """Give a part of the path as a parameter (section 4.8.12)."""
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
