"""The turns of a Prompt as Gemini's contents.

Gemini API reference, ``Content`` and ``Part``; docs, "Function calling" and "Thought
signatures". System turns become ``systemInstruction``. The user's and the model's turns
alternate, so neighbours are merged, save that results of tools stand alone, directly
after the calls. A conversation begins with the user: where it does not, ``BEGIN`` does.

A call's signature goes back with it. Where a client lost it, ``NO_SIGNATURE`` stands in
its place for models that refuse the call without one. The thoughts themselves are not
sent, their seals are: the model wrote both, and reads the seals alone.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import msgspec
from msgspec import Raw

from lightweight.dialects.custom_tools import call_as_function
from lightweight.dialects.typed import unsupported
from lightweight.errors import BadRequest
from lightweight.prompts import (
    Audio,
    File,
    Image,
    Part,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    ToolResult,
    Turn,
)

_Json: TypeAlias = dict[str, Any]

BEGIN = "Begin."
"""What the user says first where the client's conversation has nothing."""

NO_SIGNATURE = "skip_thought_signature_validator"
"""Google's word for a call whose signature is gone (docs, "Thought signatures")."""

_OBJECT = msgspec.json.Decoder(dict[str, Raw])


def system_of(turns: Sequence[Turn]) -> _Json | None:
    """Give ``systemInstruction``; None without a word in it."""
    parts = [
        {"text": part.text}
        for turn in turns
        if turn.role == "system"
        for part in turn.parts
        if isinstance(part, Text) and part.text
    ]
    return {"parts": parts} if parts else None


def contents_of(turns: Sequence[Turn], *, sealed_calls: bool) -> list[_Json]:
    """Give the contents; raise BadRequest for what Gemini cannot be told.

    ``sealed_calls``: the model refuses calls of tools without a signature.
    """
    names = {
        part.id: part.name
        for turn in turns
        for part in turn.parts
        if isinstance(part, ToolCall)
    }
    merged: list[tuple[str, list[_Json]]] = []
    for kind, parts in _pieces(turns, names):
        if not parts:
            continue
        if merged and merged[-1][0] == kind:
            merged[-1][1].extend(parts)
        else:
            merged.append((kind, parts))
    if not merged or merged[0][0] != "user":
        merged.insert(0, ("user", [{"text": BEGIN}]))
    if sealed_calls:
        for kind, parts in merged:
            if kind == "model":
                _seal_first_call(parts)
    return [
        {"role": "model" if kind == "model" else "user", "parts": parts}
        for kind, parts in merged
    ]


def as_object(text: str) -> Raw | _Json:
    """Give a call's arguments as the object they must be here.

    What is no JSON object is told as it is, under ``arguments``.
    """
    if not text.strip():
        return {}
    encoded = text.encode(errors="replace")
    try:
        _OBJECT.decode(encoded)
    except (msgspec.DecodeError, RecursionError):
        return {"arguments": encoded.decode()}
    return Raw(encoded)


def _pieces(
    turns: Sequence[Turn], names: Mapping[str, str]
) -> Iterator[tuple[str, list[_Json]]]:
    shown: list[_Json] = []
    for turn in turns:
        if turn.role == "system":
            continue
        if turn.role == "tool":
            results = [part for part in turn.parts if isinstance(part, ToolResult)]
            yield "results", [_result(result, names) for result in results]
            shown += [
                _part(part)
                for result in results
                for part in result.parts
                if not isinstance(part, Text)
            ]
            continue
        # All results stand together: what they show comes after the last of them.
        yield "user", shown
        shown = []
        if turn.role == "assistant":
            yield "model", [said for part in turn.parts for said in _said(part)]
        else:
            spoken = (part for part in turn.parts if not _is_empty(part))
            yield "user", [_part(part) for part in spoken]
    yield "user", shown


def _is_empty(part: Part) -> bool:
    return isinstance(part, Text) and not part.text


def _said(part: Part) -> Iterator[_Json]:
    """Give what the model said, as it wrote it itself."""
    match part:
        case Reasoning():
            if part.seal is not None and part.sealed_by == "gemini":
                yield {"text": "", "thoughtSignature": part.seal}
        case ToolCall():
            yield _call(part)
        case Text() | Refusal():
            if part.text:
                yield {"text": part.text}


def _call(said: ToolCall) -> _Json:
    said = call_as_function(said) if said.custom else said
    call: _Json = {
        "functionCall": {
            "id": said.id,
            "name": said.name,
            "args": as_object(said.arguments),
        }
    }
    if said.seal is not None:
        call["thoughtSignature"] = said.seal
    return call


def _seal_first_call(parts: list[_Json]) -> None:
    """Of calls made at once the first one alone has a signature."""
    first = next((part for part in parts if "functionCall" in part), None)
    if first is not None:
        first.setdefault("thoughtSignature", NO_SIGNATURE)


def _result(result: ToolResult, names: Mapping[str, str]) -> _Json:
    if result.call_id not in names:
        raise BadRequest(
            f"Invalid 'messages': the result for the tool call "
            f"'{result.call_id[:64]}' has no such call before it.",
            param="messages",
        )
    texts = [part.text for part in result.parts if isinstance(part, Text)]
    key = "error" if result.error else "output"
    return {
        "functionResponse": {
            "id": result.call_id,
            "name": names[result.call_id],
            "response": {key: "\n".join(texts)},
        }
    }


def _part(part: Part) -> _Json:
    match part:
        case Text():
            return {"text": part.text}
        case Image(url=str(url)) | File(url=str(url)):
            return {"fileData": _known({"mimeType": part.media_type, "fileUri": url})}
        case Image() | File():
            return _inline(part.media_type, part.data)
        case Audio():
            return _inline(f"audio/{part.format}", part.data)
    raise unsupported(
        "messages", "A user's message holds text, pictures, sound and files."
    )


def _inline(media_type: str | None, data: str | None) -> _Json:
    return {"inlineData": _known({"mimeType": media_type, "data": data})}


def _known(members: _Json) -> _Json:
    return {name: value for name, value in members.items() if value is not None}
