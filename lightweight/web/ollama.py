"""What Ollama's clients ask beside chats, completions and embeddings.

Ollama's API, "List local models", "Show model information", "List running models",
"Version". Models are not on this machine, so what describes their files (size, digest,
quantisation) is empty or made of the name alone.
"""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime

from lightweight.dialects.json_body import decode_object
from lightweight.dialects.ollama_request import loaded_model
from lightweight.dialects.top_level import model_of
from lightweight.records import Answer, Identity, Model, Request
from lightweight.runtime import Runtime
from lightweight.web.answers import json_answer
from lightweight.web.auth import permits, require_model

VERSION = "0.13.0"
"""Of the API that is spoken here: some clients refuse to talk to an older one."""

RUNNING = Answer(
    status=200,
    headers={"content-type": "text/plain; charset=utf-8"},
    body=b"Ollama is running",
)
"""What clients look for at the root."""

_CAPABILITIES = {
    "chat": "completion",
    "tools": "tools",
    "vision": "vision",
    "reasoning": "thinking",
}
_UNKNOWN: dict[str, object] = {
    "parent_model": "",
    "format": "",
    "family": "",
    "families": [],
    "parameter_size": "",
    "quantization_level": "",
}


def is_client(user_agent: str) -> bool:
    """Tell Ollama's own clients from browsers by what they call themselves."""
    return "ollama" in user_agent.lower()


def tags(runtime: Runtime, identity: Identity) -> Answer:
    """List the models that account and key may use."""
    offered = runtime.offering.listed()
    models = [model for model in offered if permits(identity, model, runtime.tiers)]
    return json_answer({"models": [_tag(model) for model in models]})


def show(request: Request, runtime: Runtime, identity: Identity) -> Answer:
    """Describe one model.

    Raises BadRequest, ModelNotFound, and ModelDenied where account or key may not use
    it. Older clients say ``name`` for ``model``.
    """
    fields = decode_object(request.body)
    if "model" not in fields and "name" in fields:
        fields["model"] = fields["name"]
    model = _permitted(model_of(fields), runtime, identity)
    return json_answer(
        {
            "modelfile": "",
            "parameters": "",
            "template": "",
            "details": _UNKNOWN,
            "model_info": {
                "general.architecture": "unknown",
                "general.basename": model.id,
                "unknown.context_length": model.context_window,
            },
            "capabilities": _capabilities(model),
            "modified_at": _modified(model),
        }
    )


def running() -> Answer:
    """List the models in this machine's memory: there are none."""
    return json_answer({"models": []})


def version() -> Answer:
    """Say whose API this is like."""
    return json_answer({"version": VERSION})


def loaded(
    request: Request,
    runtime: Runtime,
    identity: Identity,
    nothing: Mapping[str, object],
) -> Answer | None:
    """Answer a request that only loads a model; None where it asks for more.

    ``nothing`` is how the endpoint says nothing. Raises Fault like a call would.
    """
    name = loaded_model(request)
    if name is None:
        return None
    model = _permitted(name, runtime, identity)
    told = {"model": name, "created_at": _modified(model), **nothing}
    return json_answer({**told, "done": True, "done_reason": "load"})


def _permitted(name: str, runtime: Runtime, identity: Identity) -> Model:
    model = runtime.offering.find(name)
    require_model(identity, model, runtime.tiers)
    return model


def _tag(model: Model) -> dict[str, object]:
    return {
        "name": model.id,
        "model": model.id,
        "modified_at": _modified(model),
        "size": 0,
        "digest": hashlib.sha256(model.id.encode()).hexdigest(),
        "details": _UNKNOWN,
    }


def _modified(model: Model) -> str:
    return datetime.fromtimestamp(model.created, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _capabilities(model: Model) -> list[str]:
    told = {_CAPABILITIES[name] for name in model.capabilities if name in _CAPABILITIES}
    return sorted({"completion", *told})
