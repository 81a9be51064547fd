"""Requests of Ollama's API as a Prompt, for providers that speak something else.

Ollama's API, "Generate a chat completion" and "Generate a completion". Calls of tools
mostly come back without their ids, so results find their calls by id, else by name,
else in order.

Options that only tune the machine an Ollama server runs on, or how it samples, are left
out: ``LEFT_OUT``. Every other one without a word in a Prompt stays in ``rest``, as
``options.NAME``.
"""

from collections.abc import Iterator, Mapping
from typing import TypeVar

import msgspec
from msgspec import Raw, Struct

from lightweight.dialects.seals import without_carried
from lightweight.dialects.typed import given, typed
from lightweight.errors import BadRequest
from lightweight.prompts import (
    Image,
    JsonFormat,
    Part,
    Prompt,
    Reasoning,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolResult,
    Turn,
)
from lightweight.records import Call

LEFT_OUT = frozenset(
    {
        "f16_kv",
        "logits_all",
        "low_vram",
        "main_gpu",
        "min_p",
        "mirostat",
        "mirostat_eta",
        "mirostat_tau",
        "num_batch",
        "num_ctx",
        "num_gpu",
        "num_keep",
        "num_thread",
        "numa",
        "penalize_newline",
        "repeat_last_n",
        "repeat_penalty",
        "tfs_z",
        "typical_p",
        "use_mlock",
        "use_mmap",
        "vocab_only",
    }
)
_FIELDS_LEFT_OUT = frozenset({"truncate", "shift", "keep_alive"})
_ZEROS = frozenset({b"0", b"0.0", b"false", b'""', b"[]"})

_CHAT = frozenset({"model", "stream", "messages", "tools", "format", "think"})
_GENERATE = frozenset(
    {"model", "stream", "prompt", "system", "images", "format", "think"}
)
_TUNED = frozenset({"num_predict", "temperature", "top_p", "top_k", "stop"})

# How the base64 of the files begins that Ollama's clients send.
_MAGIC = (
    ("iVBORw0KGgo", "image/png"),
    ("/9j/", "image/jpeg"),
    ("R0lGOD", "image/gif"),
    ("UklGR", "image/webp"),
)

_T = TypeVar("_T")


class _Function(Struct, frozen=True):
    name: str
    arguments: dict[str, Raw] | str = ""


class _Called(Struct, frozen=True):
    function: _Function
    id: str | None = None


class _Message(Struct, frozen=True):
    role: str
    content: str | None = None
    thinking: str | None = None
    images: list[str] | None = None
    tool_calls: list[_Called] | None = None
    tool_name: str | None = None
    tool_call_id: str | None = None
    name: str | None = None


class _ToolBody(Struct, frozen=True):
    name: str
    description: str | None = None
    parameters: Raw = Raw()


class _Tool(Struct, frozen=True):
    function: _ToolBody
    type: str = "function"


_MESSAGES = msgspec.json.Decoder(list[_Message])
_TOOLS = msgspec.json.Decoder(list[_Tool])
_OPTIONS = msgspec.json.Decoder(dict[str, Raw])
_STRINGS = msgspec.json.Decoder(list[str])
_STOP = msgspec.json.Decoder(str | list[str])
_FORMAT = msgspec.json.Decoder(str | dict[str, Raw])
_THINK = msgspec.json.Decoder(bool | str)
_INT = msgspec.json.Decoder(int)
_FLOAT = msgspec.json.Decoder(float)
_STR = msgspec.json.Decoder(str)


def read_chat(call: Call) -> Prompt:
    """Give what a chat asks; raise BadRequest with ``param`` set."""
    messages = typed(_MESSAGES, call.fields["messages"], "messages")
    return _prompt(call, tuple(_turns(messages)), _CHAT)


def read_generate(call: Call) -> Prompt:
    """Give what a completion asks, as a chat of one turn; raise BadRequest."""
    fields = call.fields
    images = _optional(_STRINGS, fields, "images")
    system = _optional(_STR, fields, "system")
    asked: list[Part] = [Text(text=_optional(_STR, fields, "prompt") or "")]
    asked += [_image(data, f"images[{at}]") for at, data in enumerate(images or ())]
    turns = [Turn(role="user", parts=tuple(asked))]
    if system:
        turns.insert(0, Turn(role="system", parts=(Text(text=system),)))
    return _prompt(call, tuple(turns), _GENERATE)


def _prompt(call: Call, turns: tuple[Turn, ...], words: frozenset[str]) -> Prompt:
    fields = call.fields
    options = _optional(_OPTIONS, fields, "options") or {}
    told = {f"options.{name}": raw for name, raw in options.items()}
    longest = _optional(_INT, told, "options.num_predict")
    stop = _optional(_STOP, told, "options.stop")
    return Prompt(
        turns=turns,
        tools=tuple(_tools(fields)) if "tools" in words else (),
        # Negative: as long as the model likes.
        max_tokens=longest if longest is not None and longest > 0 else None,
        temperature=_optional(_FLOAT, told, "options.temperature"),
        top_p=_optional(_FLOAT, told, "options.top_p"),
        top_k=_optional(_INT, told, "options.top_k"),
        stop=(stop,) if isinstance(stop, str) else tuple(stop or ()),
        format=_format(fields),
        thinking=_thinking(fields),
        rest=dict(_rest(fields, options, words)),
    )


def _rest(
    fields: Mapping[str, Raw], options: Mapping[str, Raw], words: frozenset[str]
) -> Iterator[tuple[str, Raw]]:
    """Give what has no word; what is 0, false or empty asks for nothing."""
    known = words | _FIELDS_LEFT_OUT | {"options"}
    for name, raw in fields.items():
        if name not in known and given(raw) and bytes(raw) not in _ZEROS:
            yield name, raw
    for name, raw in options.items():
        if name == "seed":
            yield name, raw
        elif name not in _TUNED | LEFT_OUT and given(raw) and bytes(raw) not in _ZEROS:
            yield f"options.{name}", raw


def _optional(
    decoder: msgspec.json.Decoder[_T], fields: Mapping[str, Raw], name: str
) -> _T | None:
    raw = fields.get(name)
    return typed(decoder, raw, name) if raw is not None and given(raw) else None


# -- messages ----------------------------------------------------------------------


def _turns(messages: list[_Message]) -> Iterator[Turn]:
    open_calls: list[ToolCall] = []
    made = 0
    for index, message in enumerate(messages):
        at = f"messages[{index}]"
        content = tuple(_content(message, at))
        match message.role:
            case "assistant":
                calls = tuple(_calls(message, made))
                made += len(calls)
                open_calls += calls
                thoughts = tuple(_thoughts(message))
                yield Turn(role="assistant", parts=(*thoughts, *content, *calls))
            case "tool":
                answered = _answered(message, open_calls, at)
                open_calls.remove(answered)
                parts = tuple(p for p in content if isinstance(p, Text | Image))
                result = ToolResult(call_id=answered.id, parts=parts)
                yield Turn(role="tool", parts=(result,))
            case "user":
                yield Turn(role="user", parts=content)
            case _:
                yield Turn(role="system", parts=content)


def _content(message: _Message, at: str) -> Iterator[Part]:
    if message.content or (message.role == "user" and not message.images):
        yield Text(text=message.content or "")
    for number, data in enumerate(message.images or ()):
        yield _image(data, f"{at}.images[{number}]")


def _image(data: str, at: str) -> Image:
    for start, media_type in _MAGIC:
        if data.startswith(start):
            return Image(data=data, media_type=media_type)
    raise BadRequest(
        f"Invalid '{at}': send the base64 of a PNG, JPEG, GIF or WebP file.", param=at
    )


def _thoughts(message: _Message) -> Iterator[Reasoning]:
    carried = [
        thought
        for told in message.tool_calls or ()
        for thought in without_carried(told.id or "")[1].thoughts
    ]
    if carried:
        yield from carried
    elif message.thinking:
        yield Reasoning(text=message.thinking)


def _calls(message: _Message, made: int) -> Iterator[ToolCall]:
    """Give a message's calls; those without an id are numbered from ``made`` on."""
    for number, told in enumerate(message.tool_calls or (), start=made):
        call_id, carried = without_carried(told.id or f"call_{number}")
        arguments = told.function.arguments
        if not isinstance(arguments, str):
            arguments = msgspec.json.encode(arguments).decode()
        yield ToolCall(
            id=call_id,
            name=told.function.name,
            arguments=arguments or "{}",
            seal=carried.seal,
        )


def _answered(message: _Message, open_calls: list[ToolCall], at: str) -> ToolCall:
    """Find the call that a tool's message answers."""
    if message.tool_call_id:
        told, _ = without_carried(message.tool_call_id)
        fitting = [call for call in open_calls if call.id == told]
    elif name := message.tool_name or message.name:
        fitting = [call for call in open_calls if call.name == name]
    else:
        fitting = open_calls
    if not fitting:
        raise BadRequest(
            f"Invalid '{at}': no tool call before it waits for this result.",
            param=at,
        )
    return fitting[0]


# -- tools and the rest ------------------------------------------------------------


def _tools(fields: Mapping[str, Raw]) -> Iterator[Tool]:
    for told in _optional(_TOOLS, fields, "tools") or ():
        body = told.function
        yield Tool(
            name=body.name,
            description=body.description,
            parameters=body.parameters if given(body.parameters) else None,
        )


def _format(fields: Mapping[str, Raw]) -> JsonFormat | None:
    told = _optional(_FORMAT, fields, "format")
    if told in (None, ""):
        return None
    if told == "json":
        return JsonFormat()
    if isinstance(told, str):
        raise BadRequest(
            "Invalid 'format': send \"json\" or a JSON schema.", param="format"
        )
    return JsonFormat(schema=fields["format"])


def _thinking(fields: Mapping[str, Raw]) -> Thinking | None:
    told = _optional(_THINK, fields, "think")
    if told is None or told == "":
        return None
    if isinstance(told, bool):
        return Thinking(enabled=told, shown=told)
    return Thinking(effort=told, shown=True)
