"""Custom tools for providers that only know functions.

OpenAI's custom tools take free text. Elsewhere such a tool is a function with one
string ``input``; the call is turned back for the client that knows it as custom.
"""

from collections.abc import Iterator

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import replace

from lightweight.events import Event, Finished, ToolCallDelta
from lightweight.prompts import Tool, ToolCall
from lightweight.records import Call


class _Named(Struct, frozen=True):
    name: str | None = None


class _Tool(_Named, frozen=True):
    type: str | None = None
    custom: _Named | None = None


_SCHEMA = Raw(
    b'{"type":"object","properties":{"input":{"type":"string",'
    b'"description":"The tool\'s whole input, as plain text."}},'
    b'"required":["input"],"additionalProperties":false}'
)
_MEMBERS = msgspec.json.Decoder(dict[str, Raw])
_TEXT = msgspec.json.Decoder(str)
_TOOLS = msgspec.json.Decoder(list[_Tool])


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


def custom_names(call: Call) -> frozenset[str]:
    """Give the names of the custom tools that a client's request declares.

    Flat as in Responses or nested as in chat completions; never raises.
    """
    raw = call.fields.get("tools", Raw())
    if b"custom" not in bytes(raw):
        return frozenset()
    try:
        tools = _TOOLS.decode(raw)
    except msgspec.MsgspecError:
        return frozenset()
    named = (tool.custom or tool for tool in tools if tool.type == "custom")
    return frozenset(tool.name for tool in named if tool.name)


class Restored:
    """Turns an answer's calls of functions back into calls of custom tools.

    The text of such a call comes in one piece, with what ends its choice: before that
    its JSON is not whole.
    """

    def __init__(self, names: frozenset[str], *, bare: bool = False) -> None:
        """``names`` are the client's custom tools.

        ``bare``: it knows their calls as functions whose arguments are the bare text.
        """
        self._names = names
        self._custom = not bare
        self._held: dict[tuple[int, int], list[str]] = {}

    def hear(self, event: Event) -> Iterator[Event]:
        """Give what the client is to hear of an event."""
        if isinstance(event, ToolCallDelta):
            yield from self._hear_call(event)
            return
        if isinstance(event, Finished):
            for key in [key for key in self._held if key[0] == event.choice]:
                yield self._whole(key)
        yield event

    def _hear_call(self, event: ToolCallDelta) -> Iterator[Event]:
        key = (event.choice, event.call)
        if event.custom:
            yield replace(event, custom=self._custom)
        elif key in self._held:
            self._held[key].append(event.arguments)
        elif event.name in self._names:
            self._held[key] = [event.arguments]
            yield replace(event, arguments="", custom=self._custom)
        else:
            yield event

    def _whole(self, key: tuple[int, int]) -> ToolCallDelta:
        choice, call = key
        text = input_of("".join(self._held.pop(key)))
        return ToolCallDelta(
            choice=choice, call=call, arguments=text, custom=self._custom
        )
