"""A chat request: judged as it comes from a client, written for a provider.

API reference, "Create chat completion". Only what every provider refuses is refused
here: members this gateway does not read, known or not, are the provider's to judge.
"""

from collections.abc import Mapping

import msgspec
from msgspec import Raw, Struct

from lightweight.dialects.json_body import decode_object
from lightweight.dialects.openai_chat_quirks import headers_for, suited
from lightweight.dialects.seals import stripped
from lightweight.errors import BadRequest
from lightweight.records import Call, Headers, Outgoing, Request, Target

_MAX_CHOICES = 128
_ANSWER_LIMITS = ("max_completion_tokens", "max_tokens")
_ROLES = ("system", "developer", "user", "assistant", "tool", "function")
# Everything else a client sends stays here; an idempotency key too, since one
# credential serves all accounts and two clients may choose the same.
_FORWARDED = ("openai-beta",)
_KINDS = {
    ord('"'): "a string",
    ord("{"): "an object",
    ord("["): "an array",
    ord("n"): "null",
    ord("t"): "a boolean",
    ord("f"): "a boolean",
}


class _Message(Struct, frozen=True):
    role: str


_NULL = Raw(b"null")
_MESSAGES = msgspec.json.Decoder(list[_Message])
_ITEMS = msgspec.json.Decoder(list[Raw])
_MEMBERS = msgspec.json.Decoder(dict[str, Raw])


def parse_request(request: Request) -> Call:
    """Judge a client's chat request; raise BadRequest with ``param`` set."""
    fields = decode_object(request.body)
    model = _model(fields)
    _check_messages(fields)
    choices = _choices(fields.get("n"))
    stream = _flag("stream", fields.get("stream"))
    options = _options(fields.get("stream_options"))
    wants_usage = _flag("stream_options.include_usage", options.get("include_usage"))
    return Call(
        id=request.id,
        dialect="openai_chat",
        model=model,
        stream=stream,
        wants_usage=stream and wants_usage,
        fields=fields,
        forward=_forward(request.headers),
        arrived=request.arrived,
        body_size=len(request.body),
        most_tokens=_most_tokens(fields, choices),
    )


def write_request(call: Call, target: Target) -> Outgoing:
    """Give the provider's request for a chat call.

    Streamed calls always ask for usage: what a client did not ask for is cut out of
    its answer again. Raises BadRequest for what a quirk of the target refuses.
    """
    fields = dict(call.fields)
    fields["model"] = Raw(msgspec.json.encode(target.model))
    if call.stream:
        options = _options(fields.get("stream_options"))
        options["include_usage"] = Raw(b"true")
        fields["stream_options"] = Raw(msgspec.json.encode(options))
    accept = "text/event-stream" if call.stream else "application/json"
    return Outgoing(
        path="/chat/completions",
        headers={
            **call.forward,
            **headers_for(target),
            "content-type": "application/json",
            "accept": accept,
        },
        body=stripped(msgspec.json.encode(suited(fields, target))),
        stream=call.stream,
    )


def _forward(headers: Headers) -> Headers:
    return {name: headers[name] for name in _FORWARDED if name in headers}


def _model(fields: Mapping[str, Raw]) -> str:
    raw = fields.get("model")
    if raw is None:
        raise _missing("model")
    try:
        model = msgspec.json.decode(raw, type=str)
    except msgspec.ValidationError:
        raise _wrong_type("model", "a string", raw) from None
    if not model:
        raise BadRequest("Invalid 'model': it is empty.", param="model")
    return model


def _check_messages(fields: Mapping[str, Raw]) -> None:
    raw = fields.get("messages")
    if raw is None:
        raise _missing("messages")
    try:
        messages = _MESSAGES.decode(raw)
    except msgspec.ValidationError:
        raise _messages_fault(raw) from None
    if not messages:
        raise BadRequest(
            "Invalid 'messages': the array is empty. Send at least one message.",
            param="messages",
            code="empty_array",
        )
    for index, message in enumerate(messages):
        if message.role not in _ROLES:
            raise BadRequest(
                f"Invalid value: '{message.role[:64]}'. Supported values are: "
                f"{', '.join(map(repr, _ROLES))}.",
                param=f"messages[{index}].role",
                code="invalid_value",
            )


def _messages_fault(raw: Raw) -> BadRequest:
    """Say which of the messages has a wrong type, now that one is known to."""
    try:
        items = _ITEMS.decode(raw)
    except msgspec.ValidationError:
        items = []
    faults = (_message_fault(index, item) for index, item in enumerate(items))
    return next(filter(None, faults), _wrong_type("messages", "an array", raw))


def _message_fault(index: int, item: Raw) -> BadRequest | None:
    if not bytes(item).startswith(b"{"):
        return _wrong_type(f"messages[{index}]", "an object", item)
    role = _MEMBERS.decode(item).get("role")
    if role is None:
        return _missing(f"messages[{index}].role")
    if not bytes(role).startswith(b'"'):
        return _wrong_type(f"messages[{index}].role", "a string", role)
    return None


def _choices(raw: Raw | None) -> int:
    try:
        n = msgspec.json.decode(raw or _NULL, type=int | None)
    except msgspec.ValidationError:
        raise _wrong_type("n", "an integer", raw or _NULL) from None
    if n is not None and not 1 <= n <= _MAX_CHOICES:
        raise BadRequest(
            f"Invalid 'n': expected a value from 1 to {_MAX_CHOICES}, but got {n}.",
            param="n",
            code="integer_below_min_value" if n < 1 else "integer_above_max_value",
        )
    return n or 1


def _most_tokens(fields: Mapping[str, Raw], choices: int) -> int | None:
    """Give what all answers may take; an odd value is the provider's to judge."""
    for name in _ANSWER_LIMITS:
        try:
            most = msgspec.json.decode(fields.get(name, _NULL), type=int | None)
        except msgspec.ValidationError:
            continue
        if most is not None and most > 0:
            return most * choices
    return None


def _flag(name: str, raw: Raw | None) -> bool:
    try:
        return bool(msgspec.json.decode(raw or _NULL, type=bool | None))
    except msgspec.ValidationError:
        raise _wrong_type(name, "a boolean", raw or _NULL) from None


def _options(raw: Raw | None) -> dict[str, Raw]:
    if raw is None or bytes(raw) == b"null":
        return {}
    try:
        return _MEMBERS.decode(raw)
    except msgspec.ValidationError:
        raise _wrong_type("stream_options", "an object", raw) from None


def _missing(param: str) -> BadRequest:
    return BadRequest(
        f"Missing required parameter: '{param}'.",
        param=param,
        code="missing_required_parameter",
    )


def _wrong_type(param: str, expected: str, raw: Raw) -> BadRequest:
    got = _KINDS.get(bytes(raw)[0], "a number")
    return BadRequest(
        f"Invalid type for '{param}': expected {expected}, but got {got} instead.",
        param=param,
        code="invalid_type",
    )
