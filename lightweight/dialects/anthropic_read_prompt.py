"""A Messages request to a Prompt.

| Messages | Prompt |
|---|---|
| ``system``, messages of that role | system turns, in their places |
| ``user`` content | a tool turn for each row of results, user turns for the rest |
| ``thinking`` blocks | Reasoning; a wrapped seal is the other dialect's own again |
| ``tool_use.input`` | the object's own JSON text |
| ``tool_choice.disable_parallel_tool_use`` | ``parallel`` |
| ``thinking``, ``output_config.effort`` | ``thinking`` |
| ``output_config.format`` | ``format`` |
| ``metadata.user_id`` | ``user`` |

Every other top-level member is in ``rest``.
"""

import base64
from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Literal

import msgspec
from msgspec import Raw, structs

from lightweight.dialects.anthropic_asked import (
    Asked,
    Base64,
    Block,
    DocumentBlock,
    ImageBlock,
    Message,
    Plain,
    RedactedBlock,
    TextBlock,
    ThinkingBlock,
    Tool,
    ToolChoice,
    ToolResultBlock,
    ToolUseBlock,
    Url,
)
from lightweight.dialects.seals import unwrapped, without_carried
from lightweight.dialects.typed import typed
from lightweight.errors import BadRequest
from lightweight.prompts import (
    File,
    Image,
    JsonFormat,
    Part,
    Prompt,
    Reasoning,
    Role,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    Turn,
)
from lightweight.prompts import Tool as PromptTool
from lightweight.prompts import ToolChoice as PromptToolChoice
from lightweight.records import Call

_ASKED = msgspec.json.Decoder(Asked)
_WORDS = frozenset({"model", "stream", *Asked.__struct_fields__})
_MODES: Mapping[str, Literal["auto", "none", "required", "named"]] = {
    "auto": "auto",
    "any": "required",
    "tool": "named",
    "none": "none",
}


def read_prompt(call: Call) -> Prompt:
    """Give what ``call`` asks; raise BadRequest with the exact ``param``."""
    asked = typed(_ASKED, Raw(msgspec.json.encode(call.fields)), "")
    choice = asked.tool_choice
    parallel = None
    if choice is not None and choice.disable_parallel_tool_use is not None:
        parallel = not choice.disable_parallel_tool_use
    shape = asked.output_config.format if asked.output_config else None
    return Prompt(
        turns=(*_system(asked.system), *_turns(asked.messages)),
        tools=tuple(map(_tool, asked.tools or ())),
        tool_choice=_choice(choice),
        parallel=parallel,
        max_tokens=asked.max_tokens,
        temperature=asked.temperature,
        top_p=asked.top_p,
        top_k=asked.top_k,
        stop=tuple(asked.stop_sequences or ()),
        format=JsonFormat(schema=shape.schema) if shape else None,
        thinking=_thinking(asked),
        user=asked.metadata.user_id if asked.metadata else None,
        rest={name: raw for name, raw in call.fields.items() if name not in _WORDS},
    )


def _system(system: str | list[TextBlock] | None) -> Iterator[Turn]:
    if isinstance(system, str):
        yield Turn(role="system", parts=(Text(text=system),))
    elif system:
        yield Turn(role="system", parts=tuple(map(_text, system)))


def _turns(messages: list[Message]) -> Iterator[Turn]:
    for number, message in enumerate(messages):
        if isinstance(message.content, str):
            yield Turn(role=message.role, parts=(Text(text=message.content),))
            continue
        placed = [
            (_role(message.role, block, f"messages[{number}].content[{at}]"), block)
            for at, block in enumerate(message.content)
        ]
        for role, row in groupby(placed, key=lambda each: each[0]):
            parts = [part for _, block in row for part in _parts(block)]
            yield Turn(role=role, parts=tuple(parts))


_MAY_HAVE: Mapping[str, tuple[type[Block], ...]] = {
    "user": (TextBlock, ImageBlock, DocumentBlock, ToolResultBlock),
    "assistant": (TextBlock, ThinkingBlock, RedactedBlock, ToolUseBlock),
    "system": (TextBlock,),
}


def _role(role: Role, block: Block, place: str) -> Role:
    """Give the role of the turn a block belongs to."""
    if not isinstance(block, _MAY_HAVE[role]):
        kind = block.__struct_config__.tag
        raise BadRequest(
            f"Invalid '{place}.type': a message of role '{role}' has no {kind}.",
            param=f"{place}.type",
        )
    return "tool" if isinstance(block, ToolResultBlock) else role


def _parts(block: Block) -> Iterator[Part]:
    match block:
        case TextBlock():
            yield _text(block)
        case ImageBlock():
            yield _image(block)
        case DocumentBlock():
            yield _file(block)
        case ThinkingBlock():
            yield _thought(block)
        case RedactedBlock():
            yield unwrapped(block.data) or Reasoning(
                seal=block.data, sealed_by="anthropic", redacted=True
            )
        case ToolUseBlock():
            call_id, carried = without_carried(block.id)
            yield from carried.thoughts
            yield ToolCall(
                id=call_id,
                name=block.name,
                arguments=bytes(block.input).decode(),
                seal=carried.seal,
                cached=block.cache_control is not None,
            )
        case ToolResultBlock():
            yield _result(block)


def _text(block: TextBlock) -> Text:
    return Text(text=block.text, cached=block.cache_control is not None)


def _image(block: ImageBlock) -> Image:
    cached = block.cache_control is not None
    if isinstance(block.source, Url):
        return Image(url=block.source.url, cached=cached)
    source = block.source
    return Image(data=source.data, media_type=source.media_type, cached=cached)


def _file(block: DocumentBlock) -> File:
    cached = block.cache_control is not None
    match block.source:
        case Url(url):
            return File(url=url, name=block.title, cached=cached)
        case Base64(data, media_type):
            pass
        case Plain(text):
            data = base64.b64encode(text.encode()).decode()
            media_type = "text/plain"
    return File(data=data, media_type=media_type, name=block.title, cached=cached)


def _thought(block: ThinkingBlock) -> Reasoning:
    foreign = unwrapped(block.signature)
    if foreign is not None:
        return structs.replace(foreign, text=block.thinking)
    if not block.signature:
        return Reasoning(text=block.thinking)
    return Reasoning(text=block.thinking, seal=block.signature, sealed_by="anthropic")


def _result(block: ToolResultBlock) -> ToolResult:
    call_id, _ = without_carried(block.tool_use_id)
    parts: list[Text | Image | File] = []
    if isinstance(block.content, str):
        parts.append(Text(text=block.content))
    for inner in block.content if isinstance(block.content, list) else ():
        match inner:
            case TextBlock():
                parts.append(_text(inner))
            case ImageBlock():
                parts.append(_image(inner))
            case DocumentBlock():
                parts.append(_file(inner))
    return ToolResult(
        call_id=call_id,
        parts=tuple(parts),
        error=bool(block.is_error),
        cached=block.cache_control is not None,
    )


def _tool(tool: Tool) -> PromptTool:
    return PromptTool(
        name=tool.name,
        description=tool.description,
        parameters=tool.input_schema,
        strict=tool.strict,
        cached=tool.cache_control is not None,
    )


def _choice(choice: ToolChoice | None) -> PromptToolChoice | None:
    if choice is None:
        return None
    mode = _MODES[choice.type]
    if mode == "named" and not choice.name:
        raise BadRequest(
            "Missing required parameter: 'tool_choice.name'.", param="tool_choice.name"
        )
    return PromptToolChoice(mode=mode, name=choice.name if mode == "named" else None)


def _thinking(asked: Asked) -> Thinking | None:
    effort = asked.output_config.effort if asked.output_config else None
    told = asked.thinking
    if told is None:
        return None if effort is None else Thinking(effort=effort)
    if told.type == "disabled":
        return Thinking(enabled=False)
    return Thinking(
        effort=effort,
        budget=told.budget_tokens if told.type == "enabled" else None,
        enabled=True,
        shown=None if told.display is None else told.display != "omitted",
    )
