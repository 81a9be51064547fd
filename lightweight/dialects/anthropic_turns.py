"""The turns of a Prompt as Anthropic's messages.

API reference, "Create a message". System turns become ``system`` blocks, in order.
Roles alternate: neighbours of one role are merged, and results of tools come first in
their message. A conversation begins with the user: where it does not, ``BEGIN`` does.
Empty texts are left out, since the API refuses them. Thoughts go back to Claude with
their own signature; those of other providers are left out.
"""

import base64
import binascii
from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

from lightweight.dialects.anthropic_calls import as_object, sound_id
from lightweight.dialects.custom_tools import call_as_function
from lightweight.dialects.typed import unsupported
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

Json: TypeAlias = dict[str, Any]

BEGIN = "Begin."
"""What the user says first where the client's conversation has nothing."""

EPHEMERAL: Json = {"cache_control": {"type": "ephemeral"}}
"""Marks the end of a cacheable prefix."""

_PDF = "application/pdf"


def system_of(turns: Sequence[Turn]) -> list[Json]:
    """Give the ``system`` blocks; raise BadRequest for what is no text."""
    parts = [part for turn in turns if turn.role == "system" for part in turn.parts]
    return [block for part in parts for block in _blocks(part)]


def messages_of(turns: Sequence[Turn]) -> list[Json]:
    """Give the messages; raise BadRequest for a part that Claude has no block for."""
    messages: list[Json] = []
    for turn in turns:
        if turn.role == "system":
            continue
        role = "assistant" if turn.role == "assistant" else "user"
        blocks = [block for part in turn.parts for block in _blocks(part)]
        if not messages and (role == "assistant" or not blocks):
            messages.append(_message("user", []))
        if messages and messages[-1]["role"] == role:
            messages[-1]["content"] += blocks
        elif blocks:
            messages.append(_message(role, blocks))
    return [_ordered(message) for message in messages or [_message("user", [])]]


def waits_for_thoughts(turns: Sequence[Turn]) -> bool:
    """Whether the last answer called tools without thoughts of Claude before it.

    Extended thinking refuses such a history; the thoughts were lost on the way.
    """
    last: list[Part] = []
    before: Role = "user"
    for turn in turns:
        if turn.role == "assistant":
            last += turn.parts
        elif turn.role == "user" and before != "tool":
            # Words beside results belong to the same open answer.
            last = []
        before = before if turn.role == "system" else turn.role
    called = any(isinstance(part, ToolCall) for part in last)
    return called and not _is_ours(last[0])


def _message(role: str, content: list[Json]) -> Json:
    return {"role": role, "content": content}


def _ordered(message: Json) -> Json:
    blocks = message["content"] or [{"type": "text", "text": BEGIN}]
    if message["role"] == "user":
        blocks = sorted(blocks, key=lambda block: block["type"] != "tool_result")
    return {**message, "content": blocks}


def _is_ours(part: Part) -> bool:
    return isinstance(part, Reasoning) and part.sealed_by == "anthropic"


def _blocks(part: Part) -> Iterator[Json]:
    """Give the block of a part; none for what has nothing to say to Claude."""
    match part:
        case Text() | Refusal():
            if part.text.strip():
                yield _marked({"type": "text", "text": part.text}, part)
        case Reasoning():
            if _is_ours(part):
                yield _thought(part)
        case Image():
            yield _marked({"type": "image", "source": _image_source(part)}, part)
        case File():
            yield _marked(_document(part), part)
        case ToolCall():
            yield _marked(_tool_use(part), part)
        case ToolResult():
            yield _marked(_result(part), part)
        case Audio():
            raise unsupported(
                "messages", "Claude cannot listen: the request has audio in it."
            )


def _marked(block: Json, part: Part) -> Json:
    return {**block, **EPHEMERAL} if getattr(part, "cached", False) else block


def _tool_use(part: ToolCall) -> Json:
    part = call_as_function(part) if part.custom else part
    return {
        "type": "tool_use",
        "id": sound_id(part.id),
        "name": part.name,
        "input": as_object(part.arguments),
    }


def _thought(part: Reasoning) -> Json:
    if part.redacted:
        return {"type": "redacted_thinking", "data": part.seal}
    return {"type": "thinking", "thinking": part.text, "signature": part.seal}


def _image_source(image: Image) -> Json:
    if image.url is not None:
        return {"type": "url", "url": image.url}
    return {"type": "base64", "media_type": image.media_type, "data": image.data}


def _document(file: File) -> Json:
    block: Json = {"type": "document", "source": _document_source(file)}
    return {**block, "title": file.name} if file.name else block


def _document_source(file: File) -> Json:
    if file.url is not None:
        return {"type": "url", "url": file.url}
    if file.media_type == _PDF:
        return {"type": "base64", "media_type": _PDF, "data": file.data}
    if (file.media_type or "").startswith("text/"):
        text = _decoded(file.data or "")
        return {"type": "text", "media_type": "text/plain", "data": text}
    raise unsupported(
        "messages",
        f"Claude reads files of type {_PDF} and text/*, not {file.media_type!r}.",
    )


def _decoded(data: str) -> str:
    try:
        return base64.b64decode(data, validate=True).decode()
    except (binascii.Error, ValueError):
        raise unsupported(
            "messages", "A text file in the request is not UTF-8."
        ) from None


def _result(part: ToolResult) -> Json:
    block: Json = {"type": "tool_result", "tool_use_id": sound_id(part.call_id)}
    content = [inner for each in part.parts for inner in _blocks(each)]
    if content:
        block["content"] = content
    if part.error:
        block["is_error"] = True
    return block
