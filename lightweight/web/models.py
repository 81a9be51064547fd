"""GET /v1/models and /v1/models/{id}: what a key may use.

OpenAI's shape with three fields more; Anthropic's where the client sends
``anthropic-version``.
"""

from datetime import UTC, datetime

from lightweight.records import Answer, Identity, Model
from lightweight.runtime import Runtime
from lightweight.web.answers import json_answer
from lightweight.web.auth import permits, require_model


def _openai(model: Model) -> dict[str, object]:
    shown: dict[str, object] = {
        "id": model.id,
        "object": "model",
        "created": model.created,
        "owned_by": model.owned_by,
        "context_window": model.context_window or None,
        "status": model.status,
    }
    if model.shutdown_date is not None:
        shown["shutdown_date"] = model.shutdown_date.isoformat()
    return shown


def _anthropic(model: Model) -> dict[str, object]:
    created = datetime.fromtimestamp(model.created, UTC)
    return {
        "type": "model",
        "id": model.id,
        "display_name": model.id,
        "created_at": created.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


def list_models(runtime: Runtime, identity: Identity, *, anthropic: bool) -> Answer:
    """Give every model on offer that account and key may use."""
    offered = runtime.offering.listed()
    models = [model for model in offered if permits(identity, model, runtime.tiers)]
    if not anthropic:
        return json_answer({"object": "list", "data": [_openai(m) for m in models]})
    return json_answer(
        {
            "data": [_anthropic(model) for model in models],
            "has_more": False,
            "first_id": models[0].id if models else None,
            "last_id": models[-1].id if models else None,
        }
    )


def one_model(
    runtime: Runtime, identity: Identity, name: str, *, anthropic: bool
) -> Answer:
    """Give one model, by its id or an alias.

    Raises ModelNotFound, and ModelDenied where account or key may not use it.
    """
    model = runtime.offering.find(name)
    require_model(identity, model, runtime.tiers)
    return json_answer(_anthropic(model) if anthropic else _openai(model))
