"""A chat request as a Prompt: what a chat client asks, for providers that do not chat.

API reference, "Create chat completion". ``functions`` and ``function_call``, deprecated
since 2023, stay in ``rest``; messages of theirs are refused.
"""

from collections.abc import Iterator, Mapping
from typing import TypeVar

import msgspec
from msgspec import Raw, Struct, field

from lightweight.dialects.data_url import split_data_url
from lightweight.dialects.seals import without_carried
from lightweight.dialects.typed import given, typed, unsupported
from lightweight.errors import BadRequest
from lightweight.prompts import (
    Audio,
    File,
    Image,
    JsonFormat,
    Part,
    Prompt,
    Reasoning,
    Refusal,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
    Turn,
)
from lightweight.records import Call

_TRANSLATE = "Translating this conversation to the model's own API needs something else"

_T = TypeVar("_T")


class _Url(Struct, frozen=True):
    url: str
    detail: str | None = None


class _Sound(Struct, frozen=True):
    data: str
    format: str


class _Document(Struct, frozen=True):
    file_data: str | None = None
    file_id: str | None = None
    filename: str | None = None


class _Part(Struct, frozen=True):
    type: str
    text: str | None = None
    refusal: str | None = None
    image_url: _Url | str | None = None
    input_audio: _Sound | None = None
    file: _Document | None = None
    cache_control: Raw = Raw()


class _Function(Struct, frozen=True):
    name: str
    arguments: str = ""
    input: str = ""


class _Google(Struct, frozen=True):
    thought_signature: str | None = None


class _Extra(Struct, frozen=True):
    google: _Google | None = None


class _Call(Struct, frozen=True):
    id: str
    type: str | None = None
    function: _Function | None = None
    custom: _Function | None = None
    extra_content: _Extra | None = None


class _Message(Struct, frozen=True):
    role: str
    content: Raw = Raw()
    name: str | None = None
    refusal: str | None = None
    reasoning_content: str | None = None
    tool_calls: list[_Call] | None = None
    function_call: Raw = Raw()
    tool_call_id: str | None = None


class _ToolBody(Struct, frozen=True):
    name: str | None = None
    description: str | None = None
    parameters: Raw = Raw()
    strict: bool | None = None
    format: Raw = Raw()


class _Tool(_ToolBody, frozen=True):
    """As documented, or flat as Responses clients write it."""

    type: str = "function"
    function: _ToolBody | None = None
    custom: _ToolBody | None = None
    cache_control: Raw = Raw()


class _Named(Struct, frozen=True):
    name: str | None = None


class _Choice(Struct, frozen=True):
    type: str
    name: str | None = None
    function: _Named | None = None
    custom: _Named | None = None


class _Schema(Struct, frozen=True):
    name: str | None = None
    schema_: Raw = field(default=Raw(), name="schema")
    strict: bool | None = None
    description: str | None = None


class _Format(Struct, frozen=True):
    type: str
    json_schema: _Schema | None = None


_MESSAGES = msgspec.json.Decoder(list[_Message])
_CONTENT = msgspec.json.Decoder(str | list[_Part])
_TOOLS = msgspec.json.Decoder(list[_Tool])
_TOOL_CHOICE = msgspec.json.Decoder(str | _Choice)
_FORMAT = msgspec.json.Decoder(_Format)
_STOP = msgspec.json.Decoder(str | list[str])
_INT = msgspec.json.Decoder(int)
_FLOAT = msgspec.json.Decoder(float)
_STR = msgspec.json.Decoder(str)
_BOOL = msgspec.json.Decoder(bool)

_WORDS = frozenset(
    {
        "model",
        "messages",
        "stream",
        "stream_options",
        "tools",
        "tool_choice",
        "parallel_tool_calls",
        "max_tokens",
        "max_completion_tokens",
        "temperature",
        "top_p",
        "top_k",
        "stop",
        "response_format",
        "reasoning_effort",
        "user",
        "verbosity",
    }
)
_ONE_CHOICE = {b"1", b"null"}


def read_prompt(call: Call) -> Prompt:
    """Give what a chat request asks; raise BadRequest with ``param`` set."""
    fields = call.fields
    messages = typed(_MESSAGES, fields["messages"], "messages")
    effort = _optional(_STR, fields, "reasoning_effort")
    longest = _optional(_INT, fields, "max_completion_tokens")
    if longest is None:
        longest = _optional(_INT, fields, "max_tokens")
    return Prompt(
        turns=tuple(_turns(messages)),
        tools=tuple(_tools(fields)),
        tool_choice=_tool_choice(fields),
        parallel=_optional(_BOOL, fields, "parallel_tool_calls"),
        max_tokens=longest,
        temperature=_optional(_FLOAT, fields, "temperature"),
        top_p=_optional(_FLOAT, fields, "top_p"),
        top_k=_optional(_INT, fields, "top_k"),
        stop=_stop(fields),
        format=_format(fields),
        thinking=None if effort is None else Thinking(effort=effort),
        user=_optional(_STR, fields, "user"),
        verbosity=_optional(_STR, fields, "verbosity"),
        rest=dict(_rest(fields)),
    )


def _rest(fields: Mapping[str, Raw]) -> Iterator[tuple[str, Raw]]:
    for name, raw in fields.items():
        if name in _WORDS or not given(raw):
            continue
        if name == "n" and bytes(raw) in _ONE_CHOICE:
            continue
        yield name, raw


def _optional(
    decoder: msgspec.json.Decoder[_T], fields: Mapping[str, Raw], name: str
) -> _T | None:
    raw = fields.get(name)
    return typed(decoder, raw, name) if raw is not None and given(raw) else None


# -- messages ----------------------------------------------------------------------


def _turns(messages: list[_Message]) -> Iterator[Turn]:
    for index, message in enumerate(messages):
        at = f"messages[{index}]"
        if message.role == "function" or given(message.function_call):
            raise unsupported(
                f"{at}.function_call",
                f"{_TRANSLATE}: send tools and tool_calls.",
            )
        content = tuple(_content(message.content, f"{at}.content"))
        if message.role == "assistant":
            yield Turn(
                role="assistant",
                parts=(*_thoughts(message), *content, *_said(message, at)),
                name=message.name,
            )
        elif message.role == "tool":
            yield Turn(role="tool", parts=(_result(message, content, at),))
        elif message.role == "user":
            yield Turn(role="user", parts=content, name=message.name)
        else:
            yield Turn(role="system", parts=content, name=message.name)


def _thoughts(message: _Message) -> Iterator[Reasoning]:
    carried = [
        thought
        for told in message.tool_calls or ()
        for thought in without_carried(told.id)[1].thoughts
    ]
    if carried:
        yield from carried
    elif message.reasoning_content:
        yield Reasoning(text=message.reasoning_content)


def _said(message: _Message, at: str) -> Iterator[Refusal | ToolCall]:
    if message.refusal:
        yield Refusal(text=message.refusal)
    for number, told in enumerate(message.tool_calls or ()):
        body = told.function or told.custom
        if body is None:
            raise BadRequest(
                f"Invalid '{at}.tool_calls[{number}]': it has no function.",
                param=f"{at}.tool_calls[{number}].function",
            )
        call_id, carried = without_carried(told.id)
        google = told.extra_content.google if told.extra_content else None
        yield ToolCall(
            id=call_id,
            name=body.name,
            arguments=body.input if told.function is None else body.arguments,
            custom=told.function is None,
            seal=carried.seal or (google.thought_signature if google else None),
        )


def _result(message: _Message, content: tuple[Part, ...], at: str) -> ToolResult:
    if message.tool_call_id is None:
        raise BadRequest(
            f"Missing required parameter: '{at}.tool_call_id'.",
            param=f"{at}.tool_call_id",
            code="missing_required_parameter",
        )
    call_id, _ = without_carried(message.tool_call_id)
    return ToolResult(
        call_id=call_id,
        parts=tuple(each for each in content if isinstance(each, Text | Image | File)),
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
    cached = given(part.cache_control)
    match part:
        case _Part(type="text", text=str(text)):
            return Text(text=text, cached=cached)
        case _Part(type="refusal", refusal=str(text)):
            return Refusal(text=text)
        case _Part(type="image_url", image_url=str(url)):
            return _image(url, None, cached=cached)
        case _Part(type="image_url", image_url=_Url(url=url, detail=detail)):
            return _image(url, detail, cached=cached)
        case _Part(type="input_audio", input_audio=_Sound(data=data, format=kind)):
            return Audio(data=data, format=kind)
        case _Part(type="file", file=_Document(file_data=str(data)) as document):
            media_type, content = split_data_url(data)
            return File(
                data=content,
                media_type=media_type or "application/pdf",
                name=document.filename,
                cached=cached,
            )
        case _Part(type="file", file=_Document(file_id=str())):
            raise unsupported(
                f"{at}.file.file_id",
                "Files kept at a provider cannot be used: send file_data.",
            )
    raise BadRequest(
        f"Invalid '{at}': a part of type '{part.type[:64]}' is not complete, or has no "
        "counterpart in the model's own API.",
        param=f"{at}.type",
    )


def _image(url: str, detail: str | None, *, cached: bool) -> Image:
    media_type, data = split_data_url(url)
    if media_type is None:
        return Image(url=url, detail=detail, cached=cached)
    return Image(data=data, media_type=media_type, detail=detail, cached=cached)


# -- tools and the rest ------------------------------------------------------------


def _tools(fields: Mapping[str, Raw]) -> Iterator[Tool]:
    raw = fields.get("tools")
    if raw is None or not given(raw):
        return
    tools: list[_Tool] = typed(_TOOLS, raw, "tools")
    for index, told in enumerate(tools):
        at = f"tools[{index}]"
        body = told.function or told.custom or told
        if told.type not in {"function", "custom"}:
            raise unsupported(f"{at}.type", "Only functions and custom tools are.")
        if not body.name:
            raise BadRequest(
                f"Missing required parameter: '{at}.{told.type}.name'.",
                param=f"{at}.{told.type}.name",
                code="missing_required_parameter",
            )
        yield Tool(
            name=body.name,
            description=body.description,
            parameters=body.parameters if given(body.parameters) else None,
            strict=body.strict,
            custom=told.type == "custom",
            format=body.format if given(body.format) else None,
            cached=given(told.cache_control),
        )


def _tool_choice(fields: Mapping[str, Raw]) -> ToolChoice | None:
    raw = fields.get("tool_choice")
    if raw is None or not given(raw):
        return None
    told = typed(_TOOL_CHOICE, raw, "tool_choice")
    match told:
        case "auto" | "none" | "required":
            return ToolChoice(mode=told)
        case _Choice(type="function" | "custom"):
            named = told.function or told.custom
            name = named.name if named else told.name
            if name:
                return ToolChoice(mode="named", name=name)
    raise unsupported(
        "tool_choice", "Send auto, none, required or the name of one function."
    )


def _stop(fields: Mapping[str, Raw]) -> tuple[str, ...]:
    stop = _optional(_STOP, fields, "stop")
    return (stop,) if isinstance(stop, str) else tuple(stop or ())


def _format(fields: Mapping[str, Raw]) -> JsonFormat | None:
    told = _optional(_FORMAT, fields, "response_format")
    match told:
        case None | _Format(type="text"):
            return None
        case _Format(type="json_object"):
            return JsonFormat()
        case _Format(type="json_schema", json_schema=_Schema() as wanted):
            return JsonFormat(
                name=wanted.name,
                schema=wanted.schema_ if given(wanted.schema_) else None,
                strict=wanted.strict,
                description=wanted.description,
            )
    raise BadRequest(
        "Invalid 'response_format.type': send text, json_object or json_schema.",
        param="response_format.type",
    )
