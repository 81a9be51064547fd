"""Custom tools for providers that only know functions.

OpenAI's custom tools take free text. Elsewhere such a tool is a function with one
string ``input``; the call is turned back for the client that knows it as custom.
"""

import msgspec
from msgspec import Raw
from msgspec.structs import replace

from lightweight.prompts import Tool, ToolCall

_SCHEMA = Raw(
    b'{"type":"object","properties":{"input":{"type":"string",'
    b'"description":"The tool\'s whole input, as plain text."}},'
    b'"required":["input"],"additionalProperties":false}'
)
_MEMBERS = msgspec.json.Decoder(dict[str, Raw])
_TEXT = msgspec.json.Decoder(str)


def as_function(tool: Tool) -> Tool:
    """Give a custom tool as a function; what its grammar is goes to its description."""
    description = tool.description or ""
    if tool.format is not None:
        grammar = bytes(tool.format).decode()
        description = f"{description}\n\nThe input has this format: {grammar}".strip()
    return replace(
        tool,
        description=description or None,
        parameters=_SCHEMA,
        custom=False,
        format=None,
    )


def call_as_function(call: ToolCall) -> ToolCall:
    """Give an earlier call of a custom tool as one of its function."""
    arguments = msgspec.json.encode({"input": call.arguments}).decode()
    return replace(call, arguments=arguments, custom=False)


def input_of(arguments: str) -> str:
    """Give the free text out of a function's arguments.

    The arguments themselves where the model did not keep to the schema.
    """
    try:
        return _TEXT.decode(_MEMBERS.decode(arguments)["input"])
    except (msgspec.MsgspecError, KeyError):
        return arguments
