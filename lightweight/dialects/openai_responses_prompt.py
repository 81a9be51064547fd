"""A request for a response as a Prompt, for providers that do not speak Responses.

API reference, "Create a model response". The conversation is read by
``openai_responses_items``, the tools by ``openai_responses_tools``.
"""

import re
from collections.abc import Mapping
from typing import TypeVar

import msgspec
from msgspec import Raw, Struct, field

from lightweight.dialects.openai_responses_items import items_left_out, read_turns
from lightweight.dialects.openai_responses_tools import (
    read_choice,
    read_tools,
    tools_left_out,
)
from lightweight.dialects.typed import given, typed
from lightweight.errors import BadRequest
from lightweight.prompts import (
    JsonFormat,
    Prompt,
    Thinking,
)
from lightweight.records import Call

_T = TypeVar("_T")


class _Format(Struct, frozen=True):
    type: str
    name: str | None = None
    schema_: Raw = field(default=Raw(), name="schema")
    strict: bool | None = None
    description: str | None = None


class _Words(Struct, frozen=True):
    format: _Format | None = None
    verbosity: str | None = None


class _Reasoning(Struct, frozen=True):
    effort: str | None = None
    summary: str | None = None


_WORDS_OF = msgspec.json.Decoder(_Words)
_REASONING = msgspec.json.Decoder(_Reasoning)
_STR = msgspec.json.Decoder(str)
_INT = msgspec.json.Decoder(int)
_FLOAT = msgspec.json.Decoder(float)
_BOOL = msgspec.json.Decoder(bool)

_ODD = re.compile(r"[^a-zA-Z0-9_.:-]")
_MOST_TYPES, _LONGEST_TYPE = 8, 64
_WORDS = frozenset(
    {
        "model",
        "input",
        "instructions",
        "stream",
        "stream_options",
        "tools",
        "tool_choice",
        "parallel_tool_calls",
        "max_output_tokens",
        "temperature",
        "top_p",
        "text",
        "reasoning",
        "user",
    }
)


def read_prompt(call: Call) -> Prompt:
    """Give what a request asks; raise BadRequest with ``param`` set."""
    fields = call.fields
    choice, tools = read_choice(fields, read_tools(fields))
    customs = frozenset(tool.name for tool in tools if tool.custom)
    words = _optional(_WORDS_OF, fields, "text") or _Words()
    return Prompt(
        turns=read_turns(fields, customs),
        tools=tools,
        tool_choice=choice,
        parallel=_optional(_BOOL, fields, "parallel_tool_calls"),
        max_tokens=_optional(_INT, fields, "max_output_tokens"),
        temperature=_optional(_FLOAT, fields, "temperature"),
        top_p=_optional(_FLOAT, fields, "top_p"),
        format=_format(words.format),
        thinking=_thinking(_optional(_REASONING, fields, "reasoning")),
        user=_optional(_STR, fields, "user"),
        verbosity=words.verbosity,
        rest={
            name: raw
            for name, raw in fields.items()
            if name not in _WORDS and given(raw)
        },
        left_out=_each_once(*items_left_out(fields), *tools_left_out(fields)),
    )


def _each_once(*types: str) -> tuple[str, ...]:
    """Give the first of these types, such as a line of the log may hold them."""
    sound = (_ODD.sub("?", name[:_LONGEST_TYPE]) for name in types)
    return tuple(dict.fromkeys(sound))[:_MOST_TYPES]


def _optional(
    decoder: msgspec.json.Decoder[_T], fields: Mapping[str, Raw], name: str
) -> _T | None:
    raw = fields.get(name)
    return typed(decoder, raw, name) if raw is not None and given(raw) else None


def _thinking(told: _Reasoning | None) -> Thinking | None:
    if told is None or (told.effort is None and told.summary is None):
        return None
    return Thinking(effort=told.effort, shown=told.summary is not None)


def _format(told: _Format | None) -> JsonFormat | None:
    match told:
        case None | _Format(type="text"):
            return None
        case _Format(type="json_object"):
            return JsonFormat()
        case _Format(type="json_schema"):
            return JsonFormat(
                name=told.name,
                schema=told.schema_ if given(told.schema_) else None,
                strict=told.strict,
                description=told.description,
            )
    raise BadRequest(
        "Invalid 'text.format.type': send text, json_object or json_schema.",
        param="text.format.type",
    )
