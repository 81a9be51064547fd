"""A Prompt as a request of Ollama's chat API, for clients that speak something else.

Ollama's API, "Generate a chat completion". What is lost, and why that is right:

* marks of cacheable prefixes, names of authors and of the end user, an image's detail,
  ``strict`` of a tool or schema, ``verbosity``: hints that nothing here reads;
* a budget of thinking: it is on or off here, or one of three levels;
* the seals of thoughts, which are another provider's; their text is sent;
* the mark of a failed tool result: the text says it;
* pictures in a tool's result are sent as the next user message;
* custom tools become functions (``custom_tools``).

``seed`` and the two penalties become options. Refused are pictures that are not sent
with their bytes, sound, files, a tool that must be called, and one call at a time.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeAlias

import msgspec
from msgspec import Raw

from lightweight.dialects.custom_tools import as_function, call_as_function
from lightweight.dialects.hints import refuse_rest
from lightweight.dialects.ollama_request import outgoing
from lightweight.dialects.seals import joined
from lightweight.dialects.typed import unsupported
from lightweight.prompts import (
    Image,
    Part,
    Prompt,
    Reasoning,
    Refusal,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolResult,
    Turn,
)
from lightweight.records import Call, Outgoing, Target

PATH = "/api/chat"

_Json: TypeAlias = dict[str, Any]
_OPTIONS = frozenset({"seed", "presence_penalty", "frequency_penalty"})
_NO_PARAMETERS = Raw(b'{"type":"object","properties":{}}')
_MEMBERS = msgspec.json.Decoder(dict[str, Raw])
_LEVELS: dict[str, bool | str] = {
    "none": False,
    "minimal": "low",
    "low": "low",
    "medium": "medium",
    "high": "high",
    "xhigh": "high",
    "max": "high",
}


def write_prompt(prompt: Prompt, call: Call, target: Target) -> Outgoing:
    """Give Ollama's request; raise BadRequest for what has no counterpart."""
    refuse_rest(prompt, _OPTIONS)
    names = {
        part.id: part.name
        for turn in prompt.turns
        for part in turn.parts
        if isinstance(part, ToolCall)
    }
    fields: _Json = {
        "model": target.model,
        "messages": list(_messages(prompt.turns, names)),
        "stream": call.stream,
        "tools": _tools(prompt) or None,
        "format": _format(prompt),
        "think": None if prompt.thinking is None else _think(prompt.thinking),
        "options": _options(prompt) or None,
    }
    return outgoing(PATH, msgspec.json.encode(_known(fields)), stream=call.stream)


def _format(prompt: Prompt) -> str | Raw | None:
    if prompt.format is None:
        return None
    return "json" if prompt.format.schema is None else prompt.format.schema


def _think(wanted: Thinking) -> bool | str | None:
    if wanted.effort is not None:
        return _LEVELS.get(wanted.effort, True)
    if wanted.enabled is not None:
        return wanted.enabled
    return None if wanted.budget is None else wanted.budget > 0


def _options(prompt: Prompt) -> _Json:
    return _known(
        {
            "num_predict": prompt.max_tokens,
            "temperature": prompt.temperature,
            "top_p": prompt.top_p,
            "top_k": prompt.top_k,
            "stop": list(prompt.stop) or None,
            **{name: raw for name, raw in prompt.rest.items() if name in _OPTIONS},
        }
    )


# -- messages ----------------------------------------------------------------------


def _messages(turns: Iterable[Turn], names: Mapping[str, str]) -> Iterator[_Json]:
    for turn in turns:
        if turn.role == "assistant":
            yield _assistant(turn)
        elif turn.role == "tool":
            yield from _results(turn, names)
        else:
            yield _message(turn.role, turn.parts)


def _message(role: str, parts: Iterable[Part]) -> _Json:
    texts, images = [], []
    for part in parts:
        match part:
            case Text():
                texts.append(part.text)
            case Image(data=str(data)):
                images.append(data)
            case Image():
                raise unsupported(
                    "messages",
                    "This model's provider fetches no pictures: send their bytes "
                    "(a data: URL) instead.",
                )
            case _:
                raise unsupported(
                    "messages", "This model's provider reads text and pictures alone."
                )
    message: _Json = {"role": role, "content": "\n".join(texts)}
    if images:
        message["images"] = images
    return message


def _assistant(turn: Turn) -> _Json:
    spoken = [part.text for part in turn.parts if isinstance(part, Text | Refusal)]
    thoughts = joined([part for part in turn.parts if isinstance(part, Reasoning)])
    calls = [_call(part) for part in turn.parts if isinstance(part, ToolCall)]
    message: _Json = {"role": "assistant", "content": "".join(spoken)}
    if thoughts:
        message["thinking"] = thoughts
    if calls:
        message["tool_calls"] = calls
    return message


def _call(said: ToolCall) -> _Json:
    said = call_as_function(said) if said.custom else said
    function = {"name": said.name, "arguments": _arguments(said.arguments)}
    return {"id": said.id, "function": function}


def _arguments(text: str) -> Mapping[str, Any]:
    """Give the object; what a model wrote that is none is kept as ``input``."""
    try:
        return _MEMBERS.decode(text or "{}")
    except msgspec.MsgspecError:
        return {"input": text}


def _results(turn: Turn, names: Mapping[str, str]) -> Iterator[_Json]:
    """Give the results, all of them before what they show."""
    shown: list[Part] = []
    for result in turn.parts:
        if not isinstance(result, ToolResult):
            continue
        texts = [part for part in result.parts if isinstance(part, Text)]
        shown += [part for part in result.parts if not isinstance(part, Text)]
        yield {
            **_message("tool", texts),
            "tool_name": names.get(result.call_id, ""),
            "tool_call_id": result.call_id,
        }
    if shown:
        yield _message("user", shown)


# -- tools -------------------------------------------------------------------------


def _tools(prompt: Prompt) -> list[_Json]:
    choice = prompt.tool_choice
    if choice is not None and choice.mode == "none":
        return []
    if choice is not None and choice.mode != "auto":
        raise unsupported("tool_choice", "This model's provider only knows auto, none.")
    if prompt.parallel is False and prompt.tools:
        raise unsupported(
            "parallel_tool_calls", "This model's provider cannot be told to call one."
        )
    return [_tool(tool) for tool in prompt.tools]


def _tool(tool: Tool) -> _Json:
    tool = as_function(tool) if tool.custom else tool
    function = {
        "name": tool.name,
        "description": tool.description,
        "parameters": tool.parameters or _NO_PARAMETERS,
    }
    return {"type": "function", "function": _known(function)}


def _known(members: _Json) -> _Json:
    return {name: value for name, value in members.items() if value is not None}
