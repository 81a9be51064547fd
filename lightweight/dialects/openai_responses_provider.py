"""A Prompt as a request for a response, for clients of other dialects.

API reference, "Create a model response". Nothing is stored at the provider (``store``
is false), so models that think are asked for their thoughts in sealed form. What is
lost, and why that is right:

* thoughts that another dialect sealed, or nobody: this provider cannot read them;
* ``top_k``, and for models that think ``temperature`` and ``top_p``: tuning that they
  do not have and would refuse;
* ``verbosity`` for Codex models, which have one only;
* a budget of thinking becomes the nearest effort; thinking turned off without an effort
  becomes the model's own default;
* the name of a speaker and the mark of a failed tool result: the text says it;
* marks of cacheable prefixes: caching is automatic here;
* that an earlier answer was a refusal: a refusal without its item's id is not taken, so
  its words are sent as words.

``max_output_tokens`` is at least 16, the least that is accepted. Refused are stop
sequences and sound.
"""

from collections.abc import Iterable, Iterator
from typing import Any, TypeAlias

import msgspec
from msgspec import Raw, Struct

from lightweight.dialects.hints import refuse_rest
from lightweight.dialects.openai_responses_shapes import thinks
from lightweight.dialects.typed import typed, unsupported
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
from lightweight.records import Call, Headers, Outgoing, Target

PATH = "/responses"
SEALED = "reasoning.encrypted_content"
"""What to include so that thoughts come back sealed."""
LEAST_TOKENS = 16

_OPENAI = ("openai_chat", "openai_responses")
# Fields of chat completions that are Responses' too, with the same meaning.
_SHARED = frozenset(
    {
        "metadata",
        "prompt_cache_key",
        "prompt_cache_options",
        "prompt_cache_retention",
        "safety_identifier",
        "service_tier",
    }
)
_BUDGETS = ((2048, "low"), (8192, "medium"))
_NO_PARAMETERS = Raw(b'{"type":"object","properties":{}}')
_NOTHING_LIKE_IT = "This model is served by an API that has nothing like it."

_Json: TypeAlias = dict[str, Any]


class _Grammar(Struct, frozen=True):
    """A custom tool's format as chat completions nest it."""

    type: str = ""
    grammar: dict[str, Raw] = {}


_FORMAT = msgspec.json.Decoder(_Grammar)


def write_prompt(prompt: Prompt, call: Call, target: Target) -> Outgoing:
    """Give the request; raise BadRequest for what has no counterpart."""
    shared = _SHARED if call.dialect in _OPENAI else frozenset()
    refuse_rest(prompt, taken=shared)
    if prompt.stop:
        raise unsupported("stop", _NOTHING_LIKE_IT)
    fields: _Json = {"model": target.model, "input": list(_items(prompt.turns))}
    fields |= {name: raw for name, raw in prompt.rest.items() if name in shared}
    fields |= _tools(prompt) | _tuning(prompt, target.model) | {"store": False}
    if thinks(target.model):
        fields["include"] = [SEALED]
    if call.stream:
        fields["stream"] = True
    return Outgoing(
        path=PATH,
        headers=headers_of(call),
        body=msgspec.json.encode(fields),
        stream=call.stream,
    )


def headers_of(call: Call) -> Headers:
    """Give the headers that say what is sent and what is to come back."""
    accept = "text/event-stream" if call.stream else "application/json"
    return {"content-type": "application/json", "accept": accept}


def _tuning(prompt: Prompt, model: str) -> _Json:
    thinking = thinks(model)
    longest = prompt.max_tokens
    text = {
        "format": _format(prompt.format),
        "verbosity": None if "codex" in model.lower() else prompt.verbosity,
    }
    return _known(
        {
            "max_output_tokens": longest and max(longest, LEAST_TOKENS),
            "temperature": None if thinking else prompt.temperature,
            "top_p": None if thinking else prompt.top_p,
            "text": _known(text) or None,
            "reasoning": _reasoning(prompt.thinking),
            "user": prompt.user,
        }
    )


def _format(wanted: JsonFormat | None) -> _Json | None:
    if wanted is None:
        return None
    if wanted.schema is None:
        return {"type": "json_object"}
    return _known(
        {
            "type": "json_schema",
            "name": wanted.name or "answer",
            "description": wanted.description,
            "schema": wanted.schema,
            "strict": wanted.strict,
        }
    )


def _reasoning(thinking: Thinking | None) -> _Json | None:
    if thinking is None:
        return None
    effort = thinking.effort or _effort(thinking.budget)
    summary = None if thinking.shown is False or effort == "none" else "auto"
    off = thinking.enabled is False and effort is None
    return None if off else _known({"effort": effort, "summary": summary}) or None


def _effort(budget: int | None) -> str | None:
    """Give the effort nearest to a budget in tokens."""
    if budget is None:
        return None
    return next((effort for most, effort in _BUDGETS if budget <= most), "high")


# -- the conversation --------------------------------------------------------------


def _items(turns: Iterable[Turn]) -> Iterator[_Json]:
    customs: set[str] = set()
    for turn in turns:
        if turn.role == "assistant":
            yield from _assistant(turn, customs)
        elif turn.role == "tool":
            for part in turn.parts:
                if isinstance(part, ToolResult):
                    yield _result(part, custom=part.call_id in customs)
        elif content := [_content(part) for part in turn.parts]:
            yield {"type": "message", "role": turn.role, "content": content}


def _assistant(turn: Turn, customs: set[str]) -> Iterator[_Json]:
    """Give a turn's items in order; words that stand together are one message."""
    words = ""
    for part in turn.parts:
        match part:
            case Text(text=text) | Refusal(text=text):
                words += text
            case ToolCall() | Reasoning():
                yield from _message(words)
                words = ""
                if isinstance(part, Reasoning):
                    yield from _thought(part)
                else:
                    yield _call(part)
                    if part.custom:
                        customs.add(part.id)
    yield from _message(words)


def _message(words: str) -> Iterator[_Json]:
    if words:
        yield {"type": "message", "role": "assistant", "content": words}


def _thought(thought: Reasoning) -> Iterator[_Json]:
    if thought.seal is None or thought.sealed_by != "openai_responses":
        return
    summary = [{"type": "summary_text", "text": thought.text}] if thought.text else []
    item = {"type": "reasoning", "id": thought.id, "summary": summary}
    yield _known(item) | {"encrypted_content": thought.seal}


def _call(said: ToolCall) -> _Json:
    called = {"call_id": said.id, "name": said.name}
    if said.custom:
        return {"type": "custom_tool_call", **called, "input": said.arguments}
    return {"type": "function_call", **called, "arguments": said.arguments or "{}"}


def _result(result: ToolResult, *, custom: bool) -> _Json:
    parts = result.parts
    if all(isinstance(part, Text) for part in parts) and len(parts) <= 1:
        output: Any = "".join(part.text for part in parts if isinstance(part, Text))
    else:
        output = [_content(part) for part in parts]
    kind = "custom_tool_call_output" if custom else "function_call_output"
    return {"type": kind, "call_id": result.call_id, "output": output}


def _content(part: Part) -> _Json:
    match part:
        case Text():
            return {"type": "input_text", "text": part.text}
        case Image():
            url = part.url or f"data:{part.media_type};base64,{part.data}"
            detail = part.detail or "auto"
            return {"type": "input_image", "image_url": url, "detail": detail}
        case File(url=str(url)):
            return {"type": "input_file", "file_url": url}
        case File():
            return {
                "type": "input_file",
                "filename": part.name or "file",
                "file_data": f"data:{part.media_type};base64,{part.data}",
            }
        case Audio():
            raise unsupported("messages", f"Sound in a message: {_NOTHING_LIKE_IT}")
    raise AssertionError(part)  # a turn's role has no such parts


# -- tools -------------------------------------------------------------------------


def _tools(prompt: Prompt) -> _Json:
    if not prompt.tools:
        return {}
    fields: _Json = {"tools": [_tool(tool) for tool in prompt.tools]}
    if prompt.tool_choice is not None:
        fields["tool_choice"] = _choice(prompt.tool_choice, prompt.tools)
    if prompt.parallel is not None:
        fields["parallel_tool_calls"] = prompt.parallel
    return fields


def _tool(tool: Tool) -> _Json:
    named = _known({"name": tool.name, "description": tool.description})
    if tool.custom:
        grammar = {} if tool.format is None else {"format": _flat(tool.format)}
        return {"type": "custom", **named, **grammar}
    return {
        "type": "function",
        **named,
        "parameters": tool.parameters or _NO_PARAMETERS,
        # What is left out counts as true here and as false in other dialects.
        "strict": bool(tool.strict),
    }


def _flat(written: Raw) -> Any:
    """Give a custom tool's format as Responses write it, however the client did."""
    told = typed(_FORMAT, written, "tools")
    if not told.grammar:
        return written
    return {"type": told.type, **told.grammar}


def _choice(choice: ToolChoice, tools: Iterable[Tool]) -> str | _Json:
    if choice.mode != "named":
        return choice.mode
    custom = any(tool.custom for tool in tools if tool.name == choice.name)
    return {"type": "custom" if custom else "function", "name": choice.name}


def _known(members: _Json) -> _Json:
    return {name: value for name, value in members.items() if value is not None}
