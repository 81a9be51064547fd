"""A Prompt as a request to generate content.

Gemini API reference, ``GenerateContentRequest``. How turns are said stands in
``gemini_contents``, how to think in ``gemini_thinking``. Beyond that:

* ``tools``: ``functionDeclarations`` with ``parametersJsonSchema``, untouched but for
  ``$schema`` and a missing ``type`` at its top. The older ``parameters`` refuses a
  whole request for ``const`` and the like.
* ``tool_choice``: AUTO, NONE, ANY; a named tool is ANY with one allowed name.
* ``max_tokens``: ``maxOutputTokens``; without one the model's own limit holds.
* ``format``: ``responseMimeType`` JSON, a schema as ``responseJsonSchema``.
* ``n``, ``seed`` and the penalties in ``rest``: ``candidateCount`` and the same names.
* Custom tools become functions (``custom_tools``).

Dropped, since the answer is one the client could have got anyway: ``hints``,
``verbosity``, ``user``, ``parallel`` (several calls may come at once all the same), a
tool's strictness, a schema's name, description and strictness, a picture's ``detail``,
a turn's ``name``, marks of caching. Every other member in ``rest`` is refused.
"""

from collections.abc import Mapping
from typing import Any, TypeAlias
from urllib.parse import quote

import msgspec
from msgspec import Raw

from lightweight.dialects.custom_tools import as_function
from lightweight.dialects.gemini_contents import contents_of, system_of
from lightweight.dialects.gemini_models import Abilities, abilities_of
from lightweight.dialects.gemini_thinking import thinking_of
from lightweight.dialects.hints import refuse_rest
from lightweight.dialects.typed import typed
from lightweight.prompts import JsonFormat, Prompt, Tool, ToolChoice
from lightweight.records import Call, Outgoing, Target

_Json: TypeAlias = dict[str, Any]

_INT = msgspec.json.Decoder(int)
_MEMBERS = msgspec.json.Decoder(dict[str, Raw])
_FLOAT = msgspec.json.Decoder(float)
_TUNING: Mapping[str, tuple[str, msgspec.json.Decoder[Any]]] = {
    "n": ("candidateCount", _INT),
    "seed": ("seed", _INT),
    "presence_penalty": ("presencePenalty", _FLOAT),
    "frequency_penalty": ("frequencyPenalty", _FLOAT),
}
"""What of ``rest`` has a place here, by the client's name."""

_MODES = {"auto": "AUTO", "none": "NONE", "required": "ANY", "named": "ANY"}
_JSON = "application/json"


def write_prompt(prompt: Prompt, call: Call, target: Target) -> Outgoing:
    """Give the provider's request; raise BadRequest for what it cannot express."""
    refuse_rest(prompt, frozenset(_TUNING))
    can = abilities_of(target.model)
    asked = {
        "systemInstruction": system_of(prompt.turns),
        "contents": contents_of(prompt.turns, sealed_calls=can.sealed_calls),
        "tools": _tools(prompt.tools),
        "toolConfig": _tool_config(prompt),
        "generationConfig": _config(prompt, can) or None,
    }
    return Outgoing(
        path=_path(target.model, stream=call.stream),
        headers={
            "content-type": _JSON,
            "accept": "text/event-stream" if call.stream else _JSON,
        },
        body=msgspec.json.encode(_known(asked)),
        stream=call.stream,
    )


def _path(model: str, *, stream: bool) -> str:
    """Give a model's method; its id may name a collection (``tunedModels/…``)."""
    named = quote(model if "/" in model else f"models/{model}")
    return f"/{named}:" + (
        "streamGenerateContent?alt=sse" if stream else "generateContent"
    )


def _config(prompt: Prompt, can: Abilities) -> _Json:
    tuning = {
        name: typed(decoder, prompt.rest[field], field)
        for field, (name, decoder) in _TUNING.items()
        if field in prompt.rest
    }
    return _known(
        {
            "maxOutputTokens": prompt.max_tokens,
            "temperature": prompt.temperature,
            "topP": prompt.top_p,
            "topK": prompt.top_k,
            "stopSequences": list(prompt.stop) or None,
            "thinkingConfig": thinking_of(prompt.thinking, can),
            **_format(prompt.format),
            **tuning,
        }
    )


def _format(wanted: JsonFormat | None) -> _Json:
    if wanted is None:
        return {}
    return {"responseMimeType": _JSON, "responseJsonSchema": wanted.schema}


def _tools(tools: tuple[Tool, ...]) -> list[_Json] | None:
    if not tools:
        return None
    return [{"functionDeclarations": [_declaration(tool) for tool in tools]}]


def _declaration(tool: Tool) -> _Json:
    tool = as_function(tool) if tool.custom else tool
    return _known(
        {
            "name": tool.name,
            "description": tool.description,
            "parametersJsonSchema": _schema(tool.parameters),
        }
    )


def _schema(parameters: Raw | None) -> Raw | None:
    """Give a schema of an object that does not name its own standard, else untouched.

    Gemini judges one that does as something it may not know.
    """
    if parameters is None:
        return None
    try:
        members = _MEMBERS.decode(parameters)
    except msgspec.ValidationError:
        return parameters  # the provider says what is wrong with it
    if "$schema" not in members and "type" in members:
        return parameters
    members.pop("$schema", None)
    return Raw(msgspec.json.encode({"type": "object", **members}))


def _tool_config(prompt: Prompt) -> _Json | None:
    choice = prompt.tool_choice
    if choice is None or not prompt.tools:
        return None
    return {"functionCallingConfig": _calling(choice)}


def _calling(choice: ToolChoice) -> _Json:
    config: _Json = {"mode": _MODES[choice.mode]}
    if choice.name is not None:
        config["allowedFunctionNames"] = [choice.name]
    return config


def _known(members: Mapping[str, Any]) -> _Json:
    return {name: value for name, value in members.items() if value is not None}
