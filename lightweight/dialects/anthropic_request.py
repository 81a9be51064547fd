"""A Messages request: judged as it comes from a client, written for a provider.

API reference, "Create a message" and "Count tokens in a message". Only what every
provider refuses is refused here: members this gateway does not read, known or not, are
the provider's to judge.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Raw, Struct

from lightweight.dialects.anthropic_history import without_foreign_thoughts
from lightweight.dialects.json_body import decode_object
from lightweight.dialects.seals import stripped
from lightweight.dialects.typed import required, typed
from lightweight.errors import BadRequest
from lightweight.records import Call, Headers, Outgoing, Request, Target

VERSION = "2023-06-01"
"""The API's version that our own requests are written for."""

FAST = "fast_speed"
"""The quirk of a target whose model is another one's fast mode."""

_FAST_BETA = "fast-mode-2026-02-01"
_COUNT = "/count_tokens"
# Everything else a client sends stays here.
_FORWARDED = ("anthropic-version", "anthropic-beta")
_BETA = "beta=true"


class _Message(Struct, frozen=True):
    role: Literal["user", "assistant", "system"]


_NAME = msgspec.json.Decoder(Annotated[str, Meta(min_length=1)])
_MESSAGES = msgspec.json.Decoder(Annotated[list[_Message], Meta(min_length=1)])
_LIMIT = msgspec.json.Decoder(Annotated[int, Meta(ge=0, le=2**53)])
_FLAG = msgspec.json.Decoder(bool | None)
_NULL = Raw(b"null")


def parse_request(request: Request) -> Call:
    """Judge a client's request; raise BadRequest with ``param`` set."""
    fields = decode_object(request.body)
    counts = request.path.endswith(_COUNT)
    model = typed(_NAME, required(fields, "model"), "model")
    typed(_MESSAGES, required(fields, "messages"), "messages")
    most = None
    if not counts:
        most = typed(_LIMIT, required(fields, "max_tokens"), "max_tokens")
    stream = bool(typed(_FLAG, fields.get("stream", _NULL), "stream"))
    if counts and stream:
        raise BadRequest("A count of tokens is no stream.", param="stream")
    return Call(
        id=request.id,
        dialect="anthropic",
        model=model,
        stream=stream,
        wants_usage=True,
        counts=counts,
        most_tokens=most,
        fields=fields,
        forward={
            name: request.headers[name]
            for name in _FORWARDED
            if name in request.headers
        },
        query=_BETA if _BETA in request.query.split("&") else "",
        arrived=request.arrived,
        body_size=len(request.body),
    )


def write_request(call: Call, target: Target) -> Outgoing:
    """Give the provider's request; raise BadRequest for another dialect's call."""
    if call.dialect != "anthropic":
        raise BadRequest(
            f"This request cannot be expressed as a Claude message, which is all that "
            f"model '{call.model}' speaks."
        )
    fields = without_foreign_thoughts(call.fields)
    fields["model"] = Raw(msgspec.json.encode(target.model))
    if FAST in target.quirks and not call.counts:
        fields["speed"] = Raw(b'"fast"')
    return outgoing(call, target, stripped(msgspec.json.encode(fields)))


def outgoing(call: Call, target: Target, body: bytes) -> Outgoing:
    """Give ``body`` with the path and headers it needs."""
    headers = {"anthropic-version": VERSION, **_forwarded(call)}
    if FAST in target.quirks:
        betas = (headers.get("anthropic-beta"), _FAST_BETA)
        headers["anthropic-beta"] = ",".join(filter(None, betas))
    headers["content-type"] = "application/json"
    headers["accept"] = "text/event-stream" if call.stream else "application/json"
    path = f"/messages{_COUNT}" if call.counts else "/messages"
    return Outgoing(
        path=f"{path}?{call.query}" if call.query else path,
        headers=headers,
        body=body,
        stream=call.stream,
    )


def _forwarded(call: Call) -> Headers:
    return call.forward if call.dialect == "anthropic" else {}
