"""GET /openapi.json: the admin API for programs, made of its table and its types.

What models are called with is in ``web/openapi_v1``.
"""

from typing import Any

import msgspec

from lightweight import __version__
from lightweight.records import Answer
from lightweight.web.admin.app import ROUTES
from lightweight.web.admin.table import Route
from lightweight.web.answers import json_answer
from lightweight.web.openapi_parts import (
    ERROR,
    SCHEMA_PLACE,
    failure,
    json_content,
    path_part,
)

PREFIX = "/admin/v1"

_INFO = """\
Accounts, keys, people, usage and the rest of what this gateway keeps. Send an admin \
token (`lightweight admin-token create`) as `Authorization: Bearer TOKEN`; the \
dashboard uses its session cookie and `x-csrf-token`. Whoever is no operator sees the \
own account only: everything else answers 404. Models are called through OpenAI's, \
Anthropic's and Ollama's APIs below /v1 and /api, which /openapi-v1.json describes."""


def described_api(base_url: str) -> Answer:
    """Give the document; ``base_url`` is the URL that people reach this server by."""
    return json_answer(document(base_url))


def document(base_url: str) -> dict[str, Any]:
    """Give the document as plain JSON."""
    bodies = [route.asked for route in ROUTES if route.asked is not None]
    types = [*bodies, *(route.given for route in ROUTES)]
    schemas, components = msgspec.json.schema_components(
        types, ref_template=SCHEMA_PLACE
    )
    asked = dict(zip([id(body) for body in bodies], schemas, strict=False))
    given = schemas[len(bodies) :]
    paths: dict[str, dict[str, Any]] = {}
    for route, answer in zip(ROUTES, given, strict=True):
        operations = paths.setdefault(f"{PREFIX}{route.path}", {})
        body = None if route.asked is None else asked[id(route.asked)]
        operations[route.method.lower()] = _operation(route, body, answer)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Lightweight",
            "version": __version__,
            "description": _INFO,
        },
        "servers": [{"url": base_url}],
        "security": [{"token": []}, {"session": [], "csrf": []}],
        "paths": paths,
        "components": {
            "schemas": {**components, "Error": ERROR},
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "session": {"type": "apiKey", "in": "cookie", "name": "__Host-lw"},
                "csrf": {"type": "apiKey", "in": "header", "name": "x-csrf-token"},
            },
        },
    }


def _operation(
    route: Route, body: dict[str, Any] | None, answer: dict[str, Any]
) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": route.name,
        "summary": route.summary,
        "description": f"Takes the role {route.least}.",
        "parameters": _parameters(route),
        "responses": {
            str(route.status): {
                "description": "Done.",
                "content": json_content(answer),
            },
            "default": failure("It was not done; the message says why."),
        },
    }
    if body is not None:
        operation["requestBody"] = {
            "required": True,
            "content": json_content(body),
        }
    return operation


def _parameters(route: Route) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    if "{id}" in route.path:
        found.append(path_part("id"))
    if route.query is not None:
        components = msgspec.json.schema_components([route.query])[1]
        properties = components[route.query.__name__]["properties"]
        found += [
            {"name": name, "in": "query", "required": False, "schema": schema}
            for name, schema in properties.items()
        ]
    return found
