"""Requests of Ollama's API: judged as they come from a client, written for a provider.

Ollama's API, "Generate a chat completion" and "Generate a completion". Only what every
provider refuses is refused here. ``stream`` is true where it is not said. A request
that asks for nothing loads the model: it is no call.
"""

from collections.abc import Mapping

import msgspec
from msgspec import Raw, Struct

from lightweight.dialects.json_body import decode_object
from lightweight.dialects.seals import stripped
from lightweight.dialects.top_level import flag, missing, model_of
from lightweight.dialects.typed import given, typed
from lightweight.errors import BadRequest
from lightweight.records import Call, DialectName, Outgoing, Request, Target

ROLES = ("system", "user", "assistant", "tool")

_SMALL = 4096


class _Message(Struct, frozen=True):
    role: str


class _Options(Struct, frozen=True):
    num_predict: int | None = None


_MESSAGES = msgspec.json.Decoder(list[_Message])
_OPTIONS = msgspec.json.Decoder(_Options)
_EMPTY = (b"", b"null", b'""', b"[]")


def parse_chat(request: Request) -> Call:
    """Judge a request for a chat; raise BadRequest with ``param`` set."""
    call = parsed(request, "ollama")
    raw = call.fields.get("messages")
    if raw is None or not given(raw):
        raise missing("messages")
    messages = typed(_MESSAGES, raw, "messages")
    if not messages:
        raise BadRequest("Invalid 'messages': it is empty.", param="messages")
    for index, message in enumerate(messages):
        if message.role not in ROLES:
            raise BadRequest(
                f"Invalid 'messages[{index}].role': send one of {', '.join(ROLES)}.",
                param=f"messages[{index}].role",
            )
    return call


def parse_generate(request: Request) -> Call:
    """Judge a request for a completion; raise BadRequest with ``param`` set."""
    return parsed(request, "ollama_generate")


def parsed(request: Request, dialect: DialectName, *, stream: bool = True) -> Call:
    """Judge what all requests have; ``stream`` is what holds where it is not said."""
    fields = decode_object(request.body)
    told = fields.get("stream")
    if told is not None and given(told):
        stream = flag("stream", told)
    return Call(
        id=request.id,
        dialect=dialect,
        model=model_of(fields),
        stream=stream,
        fields=fields,
        arrived=request.arrived,
        body_size=len(request.body),
        most_tokens=_most_tokens(fields),
    )


def loaded_model(request: Request) -> str | None:
    """Give the model that a request only loads; None where it asks for an answer.

    Ollama's API, "Load a model": no messages, no prompt. Raises BadRequest.
    """
    if len(request.body) > _SMALL:
        return None
    fields = decode_object(request.body)
    asked = ("messages", "prompt", "suffix", "images")
    if any(bytes(fields.get(name, b"")) not in _EMPTY for name in asked):
        return None
    return model_of(fields)


def write_request(call: Call, target: Target, path: str) -> Outgoing:
    """Give the provider's request, untouched save for ``model``."""
    fields = {**call.fields, "model": Raw(msgspec.json.encode(target.model))}
    return outgoing(path, stripped(msgspec.json.encode(fields)), stream=call.stream)


def outgoing(path: str, body: bytes, *, stream: bool) -> Outgoing:
    """Give a request to an Ollama server."""
    accept = "application/x-ndjson" if stream else "application/json"
    return Outgoing(
        path=path,
        headers={"content-type": "application/json", "accept": accept},
        body=body,
        stream=stream,
    )


def _most_tokens(fields: Mapping[str, Raw]) -> int | None:
    """Give what the answer may take; an odd value is the provider's to judge."""
    try:
        most = _OPTIONS.decode(fields.get("options", b"{}")).num_predict
    except msgspec.ValidationError:
        return None
    return most if most is not None and most > 0 else None
