"""A Prompt as a chat request, for providers that chat with clients that do not.

API reference, "Create chat completion". What is lost, and why that is right:

* thoughts of earlier turns: only a provider that ``returns_reasoning`` reads them;
* ``top_k``, a budget of thinking: tuning without a counterpart;
* how hard to think, unless the model's name is that of one that can be told: agents say
  it to every model, and those that do not think refuse it;
* the mark of a failed tool result: the text says it;
* the end user's name: an id from another vendor's client;
* pictures and files in a tool's result are sent as the next user message, since a tool
  message holds text alone;
* custom tools become functions (``custom_tools``);
* what a quirk of the target leaves out (``openai_chat_quirks``).
"""

from collections.abc import Iterable, Iterator
from typing import Any, TypeAlias

import msgspec
from msgspec import Raw

from lightweight.dialects.custom_tools import as_function, call_as_function
from lightweight.dialects.hints import refuse_rest
from lightweight.dialects.openai_chat_quirks import headers_for, suited
from lightweight.dialects.openai_responses_shapes import thinks
from lightweight.dialects.seals import joined
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
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
    Turn,
)
from lightweight.records import Call, Outgoing, Target

RETURNS_REASONING = "returns_reasoning"
"""The quirk of providers that want ``reasoning_content`` back."""

_Json: TypeAlias = dict[str, Any]
_NO_PARAMETERS = Raw(b'{"type":"object","properties":{}}')


def write_prompt(prompt: Prompt, call: Call, target: Target) -> Outgoing:
    """Give the chat request.

    Raises BadRequest for what has no counterpart, or is refused by a quirk.
    """
    refuse_rest(prompt)
    fields: _Json = {
        "model": target.model,
        "messages": list(_messages(prompt.turns, target)),
    }
    fields |= _tools(prompt) | _tuning(prompt, target)
    if call.stream:
        fields["stream"] = True
        fields["stream_options"] = {"include_usage": True}
    accept = "text/event-stream" if call.stream else "application/json"
    members = {name: Raw(msgspec.json.encode(each)) for name, each in fields.items()}
    return Outgoing(
        path="/chat/completions",
        headers={
            **headers_for(target),
            "content-type": "application/json",
            "accept": accept,
        },
        body=msgspec.json.encode(suited(members, target)),
        stream=call.stream,
    )


def _tuning(prompt: Prompt, target: Target) -> _Json:
    effort = None
    if prompt.thinking is not None and thinks(target.model):
        effort = prompt.thinking.effort
    given = {
        "max_completion_tokens": prompt.max_tokens,
        "temperature": prompt.temperature,
        "top_p": prompt.top_p,
        "stop": list(prompt.stop) or None,
        "response_format": _format(prompt.format),
        "reasoning_effort": effort,
        "verbosity": prompt.verbosity,
    }
    return {name: value for name, value in given.items() if value is not None}


def _format(wanted: JsonFormat | None) -> _Json | None:
    if wanted is None:
        return None
    if wanted.schema is None:
        return {"type": "json_object"}
    schema = {
        "name": wanted.name or "answer",
        "description": wanted.description,
        "schema": wanted.schema,
        "strict": wanted.strict,
    }
    return {"type": "json_schema", "json_schema": _known(schema)}


# -- messages ----------------------------------------------------------------------


def _messages(turns: Iterable[Turn], target: Target) -> Iterator[_Json]:
    shown: list[Part] = []
    for turn in turns:
        if turn.role == "tool":
            yield from _results(turn, shown)
            continue
        if shown:
            yield _shown(shown)
            shown = []
        if turn.role == "assistant":
            # Thoughts that led to nothing would be a message without content.
            if not all(isinstance(part, Reasoning) for part in turn.parts):
                yield _assistant(turn, returns=RETURNS_REASONING in target.quirks)
        else:
            message: _Json = {"role": turn.role, "content": _content(turn.parts)}
            if turn.name:
                message["name"] = turn.name
            yield message
    if shown:
        yield _shown(shown)


def _assistant(turn: Turn, *, returns: bool) -> _Json:
    spoken = [part for part in turn.parts if isinstance(part, Text)]
    calls = [_call(part) for part in turn.parts if isinstance(part, ToolCall)]
    refusals = [part.text for part in turn.parts if isinstance(part, Refusal)]
    thoughts = joined([part for part in turn.parts if isinstance(part, Reasoning)])
    silent = not spoken and (calls or refusals)
    message: _Json = {
        "role": "assistant",
        "content": None if silent else "".join(part.text for part in spoken),
    }
    if refusals:
        message["refusal"] = "".join(refusals)
    if returns and thoughts:
        message["reasoning_content"] = thoughts
    if calls:
        message["tool_calls"] = calls
    return message


def _call(said: ToolCall) -> _Json:
    said = call_as_function(said) if said.custom else said
    call: _Json = {
        "id": said.id,
        "type": "function",
        "function": {"name": said.name, "arguments": said.arguments or "{}"},
    }
    if said.seal is not None:
        # Google's own OpenAI-compatible endpoint wants it back here.
        call["extra_content"] = {"google": {"thought_signature": said.seal}}
    return call


def _results(turn: Turn, shown: list[Part]) -> Iterator[_Json]:
    """Give the results; what they show is added to ``shown``.

    It comes after the results of all turns of tools: chat wants them together.
    """
    for result in turn.parts:
        if not isinstance(result, ToolResult):
            continue
        texts = [part.text for part in result.parts if isinstance(part, Text)]
        shown += [part for part in result.parts if not isinstance(part, Text)]
        yield {
            "role": "tool",
            "tool_call_id": result.call_id,
            "content": "\n".join(texts) or "(no text)",
        }


def _shown(parts: list[Part]) -> _Json:
    return {"role": "user", "content": _content(parts)}


def _content(parts: Iterable[Part]) -> str | list[_Json]:
    written = [_part(part) for part in parts]
    if len(written) == 1 and written[0]["type"] == "text":
        return str(written[0]["text"])
    return written


def _part(part: Part) -> _Json:
    match part:
        case Text():
            return {"type": "text", "text": part.text}
        case Image():
            url = part.url or f"data:{part.media_type};base64,{part.data}"
            return {
                "type": "image_url",
                "image_url": _known({"url": url, "detail": part.detail}),
            }
        case Audio():
            sound = {"data": part.data, "format": part.format}
            return {"type": "input_audio", "input_audio": sound}
        case File():
            data = part.url or f"data:{part.media_type};base64,{part.data}"
            named = {"file_data": data, "filename": part.name or "file"}
            return {"type": "file", "file": named}
    raise AssertionError(part)  # a turn's role has no such parts


# -- tools -------------------------------------------------------------------------


def _tools(prompt: Prompt) -> _Json:
    if not prompt.tools:
        return {}
    fields: _Json = {"tools": [_tool(tool) for tool in prompt.tools]}
    if prompt.tool_choice is not None:
        fields["tool_choice"] = _choice(prompt.tool_choice)
    if prompt.parallel is not None:
        fields["parallel_tool_calls"] = prompt.parallel
    return fields


def _tool(tool: Tool) -> _Json:
    tool = as_function(tool) if tool.custom else tool
    function = {
        "name": tool.name,
        "description": tool.description,
        "parameters": tool.parameters or _NO_PARAMETERS,
        "strict": tool.strict,
    }
    return {"type": "function", "function": _known(function)}


def _choice(choice: ToolChoice) -> str | _Json:
    if choice.mode == "named":
        return {"type": "function", "function": {"name": choice.name}}
    return choice.mode


def _known(members: _Json) -> _Json:
    return {name: value for name, value in members.items() if value is not None}
