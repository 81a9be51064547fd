"""GET /openapi-v1.json: what keys are for, made of the routes that answer them.

A document of its own: its credential, its audience and its errors are others than the
admin API's. Bodies are OpenAI's, Anthropic's and Ollama's: what a provider understands
passes, so only what this server itself reads is said of them.
"""

import re
from collections.abc import Iterator
from typing import Any

from klein import Klein

import msgspec
from msgspec import Struct

from lightweight import __version__
from lightweight.dialects.openai_relay import ENDPOINTS, Endpoint
from lightweight.records import Answer
from lightweight.web.admin.shapes import Usage
from lightweight.web.answers import json_answer
from lightweight.web.openapi_parts import (
    ERROR,
    SCHEMA_PLACE,
    failure,
    json_content,
    path_part,
)

PUBLIC = ("/v1/", "/api/")

_INFO = """\
Models through OpenAI's, Anthropic's and Ollama's APIs. Send a key as `Authorization: \
Bearer lw-...` or as `x-api-key`. Bodies are those of the API that a path belongs to; \
fields that this server does not know are passed on. /docs tells more, and \
/openapi.json describes the admin API."""

_PART = re.compile(r"<(?:path:)?(\w+)>")
_ASKED = {
    "type": "object",
    "required": ["model"],
    "properties": {
        "model": {"type": "string", "description": "An id or alias of GET /v1/models."},
        "stream": {"type": "boolean", "default": False},
    },
    "additionalProperties": True,
}
_FORM = {
    "type": "object",
    "required": ["model"],
    "properties": {"model": {"type": "string"}},
    "additionalProperties": True,
}
_FORM_CONTENT = {"multipart/form-data": {"schema": _FORM}}
_ANYTHING = {"type": "object", "additionalProperties": True}


class Operation(Struct, frozen=True, kw_only=True):
    """One route, as far as it tells of itself."""

    path: str
    method: str
    name: str
    summary: str
    endpoint: Endpoint | None
    """What is peculiar about one that is only passed on."""


def described_v1(routes: Klein, base_url: str) -> Answer:
    """Give the document; ``base_url`` is the URL that people reach this server by."""
    return json_answer(document(routes, base_url))


def operations(routes: Klein) -> Iterator[Operation]:
    """Give every operation that keys are for, in the order of the routes."""
    for rule in routes.url_map.iter_rules():
        # A name that begins so is of a path that only says no.
        if not rule.rule.startswith(PUBLIC) or "<path:_" in rule.rule:
            continue
        endpoint = ENDPOINTS.get((rule.defaults or {}).get("dialect", ""))
        name = rule.endpoint
        if endpoint is not None:
            name = endpoint.path.strip("/").replace("/", "_")
        doc = routes.endpoints[rule.endpoint].__doc__ or ""
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            yield Operation(
                path=_PART.sub(r"{\1}", rule.rule),
                method=method.lower(),
                name=name,
                summary=doc.partition("\n")[0],
                endpoint=endpoint,
            )


def document(routes: Klein, base_url: str) -> dict[str, Any]:
    """Give the document as plain JSON."""
    (usage,), components = msgspec.json.schema_components(
        [Usage], ref_template=SCHEMA_PLACE
    )
    paths: dict[str, dict[str, Any]] = {}
    for each in operations(routes):
        answer = usage if each.name == "usage" else _ANYTHING
        paths.setdefault(each.path, {})[each.method] = _operation(each, answer)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Lightweight: models",
            "version": __version__,
            "description": _INFO,
        },
        "servers": [{"url": base_url}],
        "security": [{"bearer": []}, {"key": []}],
        "paths": paths,
        "components": {
            "schemas": {**components, "Error": ERROR},
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "key": {"type": "apiKey", "in": "header", "name": "x-api-key"},
            },
        },
    }


def _operation(each: Operation, answer: dict[str, Any]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": each.name,
        "summary": each.summary,
        "responses": {
            "200": {"description": "The answer.", "content": _content(each, answer)},
            "default": failure("It was refused or failed; the message says why."),
        },
    }
    names = re.findall(r"{(\w+)}", each.path)
    if names:
        operation["parameters"] = [path_part(name) for name in names]
    if each.method == "post":
        form = each.endpoint is not None and each.endpoint.form
        asked = _FORM_CONTENT if form else json_content(_ASKED)
        operation["requestBody"] = {"required": True, "content": asked}
    return operation


def _content(each: Operation, answer: dict[str, Any]) -> dict[str, Any]:
    text = {"schema": {"type": "string"}}
    if each.method != "post":
        return json_content(answer)
    if each.endpoint is not None and each.endpoint.sound:
        return {"audio/*": {}}
    if each.path.startswith("/api/"):
        return {**json_content(answer), "application/x-ndjson": text}
    return {**json_content(answer), "text/event-stream": text}
