"""A request for a response: judged as it comes, written for a provider of Responses.

API reference, "Create a model response". One provider credential serves all accounts,
so nothing may be kept at the provider or fetched from there: ``store`` is forced false
and what refers to kept things is refused. Models that think are asked for their
thoughts in sealed form, or the next turn would be without them.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from msgspec import Raw, Struct

from lightweight.dialects.json_body import decode_object
from lightweight.dialects.openai_responses_provider import PATH, SEALED, headers_of
from lightweight.dialects.openai_responses_shapes import thinks
from lightweight.dialects.seals import stripped, unwrapped
from lightweight.dialects.top_level import (
    flag,
    forwarded,
    missing,
    model_of,
    wrong_type,
)
from lightweight.dialects.typed import given, typed, unsupported
from lightweight.records import Call, Outgoing, Request, Target

_KEPT = {
    "previous_response_id": "Send the whole conversation in 'input'.",
    "conversation": "Send the whole conversation in 'input'.",
    "background": "Wait for the answer, or stream it.",
}
_NOT_KEPT = "Lightweight keeps no responses, conversations or files at providers."
# Vercel's AI SDK and others refer to earlier items unless they are told not to store.
_SEND_ITSELF = (
    "Send the item or file itself; some clients do with 'store' set to false."
)
_FILE, _REFERENCE = "file_id", "item_reference"


class _Seen(Struct, frozen=True):
    """What tells whether a provider can make sense of an item."""

    type: str | None = None
    content: Raw = Raw()
    encrypted_content: str | None = None


_ITEMS = msgspec.json.Decoder(list[Raw])
_LONGEST = msgspec.json.Decoder(int)
_STRINGS = msgspec.json.Decoder(list[str])
_SEEN = msgspec.json.Decoder(_Seen)


def parse_request(request: Request) -> Call:
    """Judge a client's request; raise BadRequest with ``param`` set."""
    return judged(request, decode_object(request.body))


def judged(request: Request, fields: Mapping[str, Raw]) -> Call:
    """Judge a request whose top level is decoded already."""
    model = model_of(fields)
    stream = flag("stream", fields.get("stream"))
    for name, instead in _KEPT.items():
        if given(fields.get(name)) and bytes(fields[name]) != b"false":
            raise unsupported(name, f"{_NOT_KEPT} {instead}")
    _check_input(fields.get("input"))
    longest = fields.get("max_output_tokens")
    most = None
    if longest is not None and given(longest):
        most = typed(_LONGEST, longest, "max_output_tokens")
    return Call(
        id=request.id,
        dialect="openai_responses",
        model=model,
        stream=stream,
        fields=fields,
        forward=forwarded(request.headers),
        arrived=request.arrived,
        body_size=len(request.body),
        most_tokens=most,
    )


def write_request(call: Call, target: Target) -> Outgoing:
    """Give the provider's request for a call of this dialect."""
    fields = dict(call.fields)
    fields["model"] = Raw(msgspec.json.encode(target.model))
    fields["store"] = Raw(b"false")
    fields["input"] = _readable(fields["input"])
    if thinks(target.model):
        fields["include"] = _with_seals(fields)
    return Outgoing(
        path=PATH,
        headers={**call.forward, **headers_of(call)},
        body=stripped(msgspec.json.encode(fields)),
        stream=call.stream,
    )


def _check_input(raw: Raw | None) -> None:
    if raw is None or not given(raw):
        raise missing("input")
    data = bytes(raw)
    if data.startswith(b'"'):
        return
    if not data.startswith(b"["):
        raise wrong_type("input", "a string or an array", raw)
    for index, item in enumerate(_ITEMS.decode(raw)):
        if not bytes(item).startswith(b"{"):
            raise wrong_type(f"input[{index}]", "an object", item)
    # A letter of either word may be written as an escape.
    if any(word in data for word in (b"file_id", b"item_reference", b"\\u00")):
        kept = next(_kept(msgspec.json.decode(raw), "input"), None)
        if kept is not None:
            raise unsupported(kept, f"{_NOT_KEPT} {_SEND_ITSELF}")


def _kept(node: Any, at: str) -> Iterator[str]:
    """Give where ``node`` refers to what a provider would have to keep."""
    if isinstance(node, list):
        for index, each in enumerate(node):
            yield from _kept(each, f"{at}[{index}]")
    elif isinstance(node, dict):
        if node.get("type") == _REFERENCE:
            yield f"{at}.type"
        for key, value in node.items():
            if key == _FILE and value is not None:
                yield f"{at}.{key}"
            yield from _kept(value, f"{at}.{key}")


def _readable(raw: Raw) -> Raw:
    """Give the input without thoughts that this provider cannot read.

    Those are the ones of other dialects, and those that only a store would know by
    their id. Every other item stays the client's bytes.
    """
    data = bytes(raw)
    if not data.startswith(b"[") or b'"reasoning"' not in data:
        return raw
    items = _ITEMS.decode(raw)
    kept = [
        item
        for index, item in enumerate(items)
        if _is_readable(typed(_SEEN, item, f"input[{index}]"))
    ]
    return raw if len(kept) == len(items) else Raw(msgspec.json.encode(kept))


def _is_readable(item: _Seen) -> bool:
    if item.type != "reasoning":
        return True
    if item.encrypted_content:
        return unwrapped(item.encrypted_content) is None
    return given(item.content) and bytes(item.content) != b"[]"


def _with_seals(fields: Mapping[str, Raw]) -> Raw:
    """Give ``include`` with the thoughts' sealed form in it."""
    raw = fields.get("include")
    asked = typed(_STRINGS, raw, "include") if raw is not None and given(raw) else []
    if raw is not None and SEALED in asked:
        return raw
    return Raw(msgspec.json.encode([*asked, SEALED]))
