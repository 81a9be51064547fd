"""The conversation of a request for a response, as turns.

API reference, "Create a model response", ``input``. Neighbouring items of one side
become one turn: thoughts, words and calls of the model, or results of tools. Items of
tools that a provider runs itself are dropped: what came of them is in the words that
follow. Some clients mix chat messages (``tool_calls``, role ``tool``) into the items;
they are read as what they mean.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import TypeAlias

import msgspec
from msgspec import Raw, Struct

from lightweight.dialects.custom_tools import input_of
from lightweight.dialects.data_url import split_data_url
from lightweight.dialects.openai_responses_tools import flat_name
from lightweight.dialects.seals import unwrapped, without_carried
from lightweight.dialects.top_level import missing
from lightweight.dialects.typed import given, typed, unsupported
from lightweight.errors import BadRequest
from lightweight.prompts import (
    Audio,
    File,
    Image,
    Part,
    Reasoning,
    Refusal,
    Role,
    Text,
    ToolCall,
    ToolResult,
    Turn,
)

_Said: TypeAlias = tuple[Role, tuple[Part, ...]]


class _Kind(Struct, frozen=True):
    type: str | None = None


class _Url(Struct, frozen=True):
    url: str
    detail: str | None = None


class _Sound(Struct, frozen=True):
    data: str
    format: str


class _Part(Struct, frozen=True):
    type: str
    text: str | None = None
    refusal: str | None = None
    image_url: _Url | str | None = None
    detail: str | None = None
    input_audio: _Sound | None = None
    file_data: str | None = None
    file_url: str | None = None
    filename: str | None = None


class _Function(Struct, frozen=True):
    name: str
    arguments: str = ""
    input: str = ""


class _ChatCall(Struct, frozen=True):
    id: str
    function: _Function | None = None
    custom: _Function | None = None


class _Message(Struct, frozen=True):
    role: str
    content: Raw = Raw()
    tool_calls: list[_ChatCall] | None = None
    tool_call_id: str | None = None


class _Call(Struct, frozen=True):
    call_id: str
    name: str
    namespace: str | None = None
    arguments: str = ""
    input: str = ""


class _Result(Struct, frozen=True):
    call_id: str
    output: Raw = Raw()


class _Thought(Struct, frozen=True):
    id: str | None = None
    summary: list[_Part] | None = None
    content: list[_Part] | None = None
    encrypted_content: str | None = None


_INPUT = msgspec.json.Decoder(str | list[Raw])
_KIND = msgspec.json.Decoder(_Kind)
_KINDS = msgspec.json.Decoder(str | list[_Kind])
_MESSAGE = msgspec.json.Decoder(_Message)
_CALL = msgspec.json.Decoder(_Call)
_RESULT = msgspec.json.Decoder(_Result)
_THOUGHT = msgspec.json.Decoder(_Thought)
_CONTENT = msgspec.json.Decoder(str | list[_Part])
_STR = msgspec.json.Decoder(str)

_ROLES: dict[str, Role] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
}
_MERGED = ("assistant", "tool")
_READ = frozenset(
    {
        None,
        "message",
        "function_call",
        "custom_tool_call",
        "function_call_output",
        "custom_tool_call_output",
        "reasoning",
        "compaction",
    }
)
"""The types of items that mean something here."""


def read_turns(fields: Mapping[str, Raw], customs: frozenset[str]) -> tuple[Turn, ...]:
    """Give the turns; raise BadRequest for what cannot be read.

    ``customs`` are the names of the custom tools.
    """
    return tuple(_merged(_items(fields, customs)))


def items_left_out(fields: Mapping[str, Raw]) -> Iterator[str]:
    """Give the type of each item that is dropped."""
    told = typed(_KINDS, fields["input"], "input")
    for each in told if isinstance(told, list) else ():
        if each.type not in _READ:
            yield str(each.type)


def _merged(said: Iterable[_Said]) -> Iterator[Turn]:
    role: Role | None = None
    parts: tuple[Part, ...] = ()
    for who, what in said:
        if who == role and who in _MERGED:
            parts += what
            continue
        if role is not None and parts:
            yield Turn(role=role, parts=parts)
        role, parts = who, what
    if role is not None and parts:
        yield Turn(role=role, parts=parts)


def _items(fields: Mapping[str, Raw], customs: frozenset[str]) -> Iterator[_Said]:
    raw = fields.get("instructions")
    if raw is not None and given(raw) and (text := typed(_STR, raw, "instructions")):
        yield "system", (Text(text=text),)
    told = typed(_INPUT, fields["input"], "input")
    if isinstance(told, str):
        yield "user", (Text(text=told),)
        return
    for index, raw in enumerate(told):
        yield from _item(raw, f"input[{index}]", customs)


def _item(raw: Raw, at: str, customs: frozenset[str]) -> Iterator[_Said]:
    kind = typed(_KIND, raw, at).type
    match kind:
        case None | "message":
            yield from _message(typed(_MESSAGE, raw, at), at, customs)
        case "function_call" | "custom_tool_call":
            yield "assistant", _call(typed(_CALL, raw, at), kind, customs)
        case "function_call_output" | "custom_tool_call_output":
            result = typed(_RESULT, raw, at)
            yield "tool", (_result(result.call_id, result.output, f"{at}.output"),)
        case "reasoning":
            yield "assistant", (_thought(typed(_THOUGHT, raw, at)),)
        case "compaction":
            raise unsupported(
                f"{at}.type",
                "This model's provider cannot read the summary of another. Send the "
                "conversation itself.",
            )


def _message(told: _Message, at: str, customs: frozenset[str]) -> Iterator[_Said]:
    if told.role == "tool":
        if told.tool_call_id is None:
            raise missing(f"{at}.tool_call_id")
        yield "tool", (_result(told.tool_call_id, told.content, f"{at}.content"),)
        return
    role = _ROLES.get(told.role)
    if role is None:
        raise BadRequest(
            f"Invalid value: '{told.role[:64]}'. Supported values are: "
            f"{', '.join(map(repr, _ROLES))}.",
            param=f"{at}.role",
            code="invalid_value",
        )
    yield role, tuple(_content(told.content, f"{at}.content"))
    for number, each in enumerate(told.tool_calls or ()):
        body = each.function or each.custom
        if body is None:
            raise missing(f"{at}.tool_calls[{number}].function")
        kind = "function_call" if each.function else "custom_tool_call"
        said = _Call(each.id, body.name, None, body.arguments, body.input)
        yield "assistant", _call(said, kind, customs)


def _call(told: _Call, kind: str, customs: frozenset[str]) -> tuple[Part, ...]:
    """Give a call, after the thoughts that its id bears."""
    call_id, carried = without_carried(told.call_id)
    name = flat_name(told.namespace, told.name)
    custom = kind == "custom_tool_call"
    text = told.input if custom else told.arguments
    if not custom and name in customs:
        # A client that knows no custom tools brings its call back as a function's.
        custom, text = True, input_of(text)
    said = ToolCall(
        id=call_id, name=name, arguments=text, custom=custom, seal=carried.seal
    )
    return (*carried.thoughts, said)


def _result(call_id: str, raw: Raw, at: str) -> ToolResult:
    return ToolResult(
        call_id=without_carried(call_id)[0],
        parts=tuple(
            part for part in _content(raw, at) if isinstance(part, Text | Image | File)
        ),
    )


def _thought(told: _Thought) -> Reasoning:
    seal = told.encrypted_content
    foreign = unwrapped(seal) if seal else None
    if foreign is not None:
        return foreign
    texts = [part.text or "" for part in (told.summary or told.content or ())]
    return Reasoning(
        text="\n\n".join(texts),
        seal=seal,
        sealed_by="openai_responses" if seal else None,
        id=told.id,
    )


def _content(raw: Raw, at: str) -> Iterator[Part]:
    if not given(raw):
        return
    content = typed(_CONTENT, raw, at)
    if isinstance(content, str):
        yield Text(text=content)
        return
    for index, part in enumerate(content):
        yield _part(part, f"{at}[{index}]")


def _part(part: _Part, at: str) -> Part:
    match part:
        case _Part(type="input_text" | "output_text" | "text", text=str(text)):
            return Text(text=text)
        case _Part(type="refusal", refusal=str(text)):
            return Refusal(text=text)
        case _Part(type="input_image" | "image_url", image_url=str() | _Url() as image):
            return _image(image, part.detail)
        case _Part(type="input_audio", input_audio=_Sound() as sound):
            return Audio(data=sound.data, format=sound.format)
        case _Part(type="input_file", file_url=str(url)):
            return File(url=url, name=part.filename)
        case _Part(type="input_file", file_data=str(url)):
            media_type, data = split_data_url(url)
            media_type = media_type or "application/pdf"
            return File(data=data, media_type=media_type, name=part.filename)
    raise BadRequest(
        f"Invalid '{at}': a part of type '{part.type[:64]}' is not complete, or has no "
        "counterpart in the model's own API.",
        param=f"{at}.type",
    )


def _image(image: str | _Url, detail: str | None) -> Image:
    url, detail = (
        (image, detail) if isinstance(image, str) else (image.url, image.detail)
    )
    media_type, data = split_data_url(url)
    if media_type is None:
        return Image(url=url, detail=detail)
    return Image(data=data, media_type=media_type, detail=detail)
