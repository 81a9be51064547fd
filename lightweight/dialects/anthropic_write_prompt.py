"""A Prompt to a Messages request.

How each part of a prompt is said stands in ``anthropic_turns``. Beyond that:

* ``max_tokens`` is required: ``Abilities.answer`` where the client names none.
* ``temperature`` above 1 becomes 1. With thinking, and for models after 4.6, sampling
  is the model's own business: ``temperature``, ``top_p`` and ``top_k`` are dropped.
  Only one of the first two may be sent: ``temperature``.
* JSON without a schema is asked for in a system block; a schema for a model before 4.5
  is refused.
* Custom tools become functions (``custom_tools``).
* How to think is said in ``anthropic_thinking``.

Dropped, since the answer is one the client could have got anyway: ``hints``,
``verbosity``, a schema's name, description and strictness, an image's ``detail``, a
turn's ``name``. Every other member in ``rest`` is refused.
"""

from collections.abc import Iterator
from typing import Any, TypeAlias

import msgspec
from msgspec import Raw

from lightweight.dialects.anthropic_models import Abilities, abilities_of
from lightweight.dialects.anthropic_request import FAST, outgoing
from lightweight.dialects.anthropic_thinking import thinking_of, thinks
from lightweight.dialects.anthropic_turns import EPHEMERAL, messages_of, system_of
from lightweight.dialects.custom_tools import as_function
from lightweight.dialects.hints import refuse_rest
from lightweight.dialects.typed import unsupported
from lightweight.prompts import JsonFormat, Prompt, Tool
from lightweight.records import Call, Outgoing, Target

Json: TypeAlias = dict[str, Any]

JSON_ONLY = "Answer with one JSON value and nothing else: no prose, no code fence."
"""What stands in for JSON mode, which this API does not have."""

_NO_SCHEMA = Raw(b'{"type":"object","properties":{}}')
_SCHEMA = msgspec.json.Decoder(dict[str, Raw])
_CHOICES = {"auto": "auto", "none": "none", "required": "any", "named": "tool"}


def write_prompt(prompt: Prompt, call: Call, target: Target) -> Outgoing:
    """Give the provider's request; raise BadRequest for what it cannot express."""
    refuse_rest(prompt)
    can = abilities_of(target.model)
    asked: Json = {"model": target.model}
    system = [*system_of(prompt.turns), *_json_instruction(prompt.format)]
    if system:
        asked["system"] = system
    asked["messages"] = messages_of(prompt.turns)
    if prompt.tools:
        asked["tools"] = [_tool(tool, can) for tool in prompt.tools]
        asked |= _tool_choice(prompt)
    asked |= thinking_of(prompt, target.model)
    if can.sampling and not thinks(asked):
        asked |= _sampling(prompt)
    if prompt.stop:
        asked["stop_sequences"] = prompt.stop
    if prompt.format is not None and prompt.format.schema is not None:
        shape = _schema_format(prompt.format.schema, target, can)
        asked["output_config"] = {**asked.get("output_config", {}), "format": shape}
    if prompt.user:
        asked["metadata"] = {"user_id": prompt.user}
    if FAST in target.quirks:
        asked["speed"] = "fast"
    if call.stream:
        asked["stream"] = True
    return outgoing(call, target, msgspec.json.encode(asked))


def _json_instruction(shape: JsonFormat | None) -> Iterator[Json]:
    if shape is not None and shape.schema is None:
        yield {"type": "text", "text": JSON_ONLY}


def _schema_format(schema: Raw, target: Target, can: Abilities) -> Json:
    if not can.schemas:
        raise unsupported(
            "response_format", f"{target.model} cannot: choose a newer model."
        )
    return {"type": "json_schema", "schema": schema}


def _tool(tool: Tool, can: Abilities) -> Json:
    tool = as_function(tool) if tool.custom else tool
    written: Json = {"name": tool.name}
    if tool.description:
        written["description"] = tool.description
    written["input_schema"] = _schema(tool.parameters)
    if tool.strict and can.schemas:
        written["strict"] = True
    return {**written, **EPHEMERAL} if tool.cached else written


def _schema(parameters: Raw | None) -> Raw:
    """Give a schema of an object, as the API wants it, else untouched."""
    if parameters is None:
        return _NO_SCHEMA
    try:
        members = _SCHEMA.decode(parameters)
    except msgspec.ValidationError:
        return parameters  # the provider says what is wrong with it
    if "type" in members:
        return parameters
    return Raw(msgspec.json.encode({"type": "object", **members}))


def _tool_choice(prompt: Prompt) -> Json:
    choice = prompt.tool_choice
    if choice is None and prompt.parallel is not False:
        return {}
    written: Json = {"type": _CHOICES[choice.mode if choice else "auto"]}
    if choice is not None and choice.name is not None:
        written["name"] = choice.name
    if prompt.parallel is False and written["type"] != "none":
        written["disable_parallel_tool_use"] = True
    return {"tool_choice": written}


def _sampling(prompt: Prompt) -> Json:
    told: Json = {}
    if prompt.temperature is not None:
        told["temperature"] = min(prompt.temperature, 1)
    elif prompt.top_p is not None:
        told["top_p"] = prompt.top_p
    if prompt.top_k is not None:
        told["top_k"] = prompt.top_k
    return told
