"""A chat request: judged as it comes from a client, written for a provider.

API reference, "Create chat completion". Only what every provider refuses is refused
here: members this gateway does not read, known or not, are the provider's to judge.
"""

from collections.abc import Mapping
from typing import get_args

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import replace

from lightweight.dialects.json_body import members_of, outline_of
from lightweight.dialects.openai_chat_plain import MAX_CHOICES, Role, plain_request
from lightweight.dialects.openai_chat_quirks import headers_for, suited
from lightweight.dialects.openai_responses_request import judged
from lightweight.dialects.seals import stripped
from lightweight.dialects.top_level import (
    flag,
    forwarded,
    missing,
    model_of,
    wrong_type,
)
from lightweight.dialects.typed import given
from lightweight.errors import BadRequest
from lightweight.records import Call, Headers, Outgoing, Request, Target

_ANSWER_LIMITS = ("max_completion_tokens", "max_tokens")
_ROLES = get_args(Role)
_TRUE = Raw(b"true")
_USAGE_ALONE = Raw(b'{"include_usage":true}')
_WHOLE: Headers = {"content-type": "application/json", "accept": "application/json"}
_STREAMED: Headers = {"content-type": "application/json", "accept": "text/event-stream"}


class _Message(Struct, frozen=True):
    role: str


_COUNT: msgspec.json.Decoder[int | None] = msgspec.json.Decoder(int | None)
_MESSAGES = msgspec.json.Decoder(list[_Message])
_ITEMS = msgspec.json.Decoder(list[Raw])
_MEMBERS = msgspec.json.Decoder(dict[str, Raw])


def parse_request(request: Request) -> Call:
    """Judge a client's chat request; raise BadRequest with ``param`` set.

    Cursor's agent sends a request for a response here, and wants chat's answer.
    """
    fields = members_of(request.body)
    plain = plain_request(request.body, fields)
    if plain is None:
        outline = outline_of(request.body, fields)
        wants_usage = _wants_usage(fields.get("stream_options"))
        if _is_for_response(fields):
            call = judged(request, fields)
            wants_usage = call.stream and wants_usage
            return replace(call, answer_in="openai_chat", wants_usage=wants_usage)
        model = model_of(fields)
        _check_messages(fields, outline)
        choices = _choices(fields.get("n"))
        stream = flag("stream", fields.get("stream"))
        most = _most_tokens(fields)
    else:
        model = plain.model
        choices = plain.n or 1
        stream = plain.stream or False
        options = plain.stream_options
        wants_usage = options is not None and options.include_usage is True
        most = plain.max_completion_tokens or plain.max_tokens
    return Call(
        id=request.id,
        dialect="openai_chat",
        model=model,
        stream=stream,
        wants_usage=stream and wants_usage,
        fields=fields,
        forward=forwarded(request.headers),
        arrived=request.arrived,
        body_size=len(request.body),
        most_tokens=most and most * choices,
    )


def write_request(call: Call, target: Target) -> Outgoing:
    """Give the provider's request for a chat call.

    Streamed calls always ask for usage: what a client did not ask for is cut out of
    its answer again. Raises BadRequest for what a quirk of the target refuses.
    """
    fields = call.fields
    headers = _WHOLE
    if target.model != call.model:
        fields = {**fields, "model": Raw(msgspec.json.encode(target.model))}
    if call.stream:
        asked = fields.get("stream_options")
        fields = {**fields, "stream_options": _with_usage(asked)}
        headers = _STREAMED
    if target.quirks:
        fields = suited(fields, target)
    if call.forward or target.quirks:
        headers = {**call.forward, **headers_for(target), **headers}
    return Outgoing(
        path="/chat/completions",
        headers=headers,
        body=stripped(msgspec.json.encode(fields)),
        stream=call.stream,
    )


def _with_usage(asked: Raw | None) -> Raw:
    if asked is None:
        return _USAGE_ALONE
    return Raw(msgspec.json.encode({**_options(asked), "include_usage": _TRUE}))


def _is_for_response(fields: Mapping[str, Raw]) -> bool:
    return given(fields.get("input")) and not given(fields.get("messages"))


def _check_messages(fields: Mapping[str, Raw], outline: Mapping[str, Raw]) -> None:
    raw = fields.get("messages")
    if raw is None:
        raise missing("messages")
    try:
        messages = _MESSAGES.decode(outline["messages"])
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
            role = _MESSAGES.decode(raw)[index].role
            raise BadRequest(
                f"Invalid value: '{role[:64]}'. Supported values are: "
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
    return next(filter(None, faults), wrong_type("messages", "an array", raw))


def _message_fault(index: int, item: Raw) -> BadRequest | None:
    if not bytes(item).startswith(b"{"):
        return wrong_type(f"messages[{index}]", "an object", item)
    role = _MEMBERS.decode(item).get("role")
    if role is None:
        return missing(f"messages[{index}].role")
    if not bytes(role).startswith(b'"'):
        return wrong_type(f"messages[{index}].role", "a string", role)
    return None


def _choices(raw: Raw | None) -> int:
    if raw is None:
        return 1
    try:
        n = _COUNT.decode(raw)
    except msgspec.ValidationError:
        raise wrong_type("n", "an integer", raw) from None
    if n is not None and not 1 <= n <= MAX_CHOICES:
        raise BadRequest(
            f"Invalid 'n': expected a value from 1 to {MAX_CHOICES}, but got {n}.",
            param="n",
            code="integer_below_min_value" if n < 1 else "integer_above_max_value",
        )
    return n or 1


def _most_tokens(fields: Mapping[str, Raw]) -> int | None:
    """Give what each answer may take; an odd value is the provider's to judge."""
    for name in _ANSWER_LIMITS:
        if name not in fields:
            continue
        try:
            most = _COUNT.decode(fields[name])
        except msgspec.ValidationError:
            continue
        if most is not None and most > 0:
            return most
    return None


def _wants_usage(raw: Raw | None) -> bool:
    if raw is None:
        return False
    return flag("stream_options.include_usage", _options(raw).get("include_usage"))


def _options(raw: Raw | None) -> dict[str, Raw]:
    if raw is None or bytes(raw) == b"null":
        return {}
    try:
        return _MEMBERS.decode(raw)
    except msgspec.ValidationError:
        raise wrong_type("stream_options", "an object", raw) from None
