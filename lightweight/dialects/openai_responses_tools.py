"""The tools of a request for a response, as a Prompt knows them.

API reference, "Create a model response", ``tools`` and ``tool_choice``. Functions and
custom tools may be flat, as documented, or nested as in chat completions: some clients
mix both. The tools of a namespace become tools of the whole, under a longer name.

Tools that a provider runs itself cannot be translated. Those which coding agents offer
unasked (web search, tool search, pictures) are left out: the model does without. Any
other is refused, since the answer would not mean the same.
"""

import hashlib
from collections.abc import Iterator, Mapping

import msgspec
from msgspec import Raw, Struct

from lightweight.dialects.top_level import missing
from lightweight.dialects.typed import given, typed, unsupported
from lightweight.prompts import Tool, ToolChoice

_LONGEST_NAME = 64
_OFFERED = ("web_search", "tool_search", "image_generation")
_TRANSLATE = (
    "It cannot be translated for this model. Leave it out, or ask a model whose "
    "provider speaks Responses."
)


class _Body(Struct, frozen=True):
    name: str | None = None
    description: str | None = None
    parameters: Raw = Raw()
    strict: bool | None = None
    format: Raw = Raw()


class _Tool(_Body, frozen=True):
    type: str = "function"
    function: _Body | None = None
    custom: _Body | None = None
    tools: list["_Tool"] | None = None


class _Kind(Struct, frozen=True):
    type: str = "function"


class _Named(Struct, frozen=True):
    name: str | None = None


class _Choice(Struct, frozen=True):
    type: str
    name: str | None = None
    function: _Named | None = None
    custom: _Named | None = None
    mode: str | None = None
    tools: list["_Choice"] | None = None


_RAWS = msgspec.json.Decoder(list[Raw])
_KIND = msgspec.json.Decoder(_Kind)
_KINDS = msgspec.json.Decoder(list[_Kind])
_TOOL = msgspec.json.Decoder(_Tool)
_CHOICE = msgspec.json.Decoder(str | _Choice)
_MEMBERS = msgspec.json.Decoder(list[dict[str, Raw]])
_UNSAID = {"parameters": Raw(b"null"), "strict": Raw(b"null")}
"""What a function may be asked for without, and is always repeated with."""


def flat_name(namespace: str | None, name: str) -> str:
    """Give the name under which a namespace's tool is told to a provider."""
    if not namespace:
        return name
    whole = f"{namespace}__{name}"
    if len(whole) <= _LONGEST_NAME:
        return whole
    # Providers refuse longer ones; a digest keeps two of them apart.
    digest = hashlib.sha256(whole.encode()).hexdigest()[:8]
    return f"{whole[: _LONGEST_NAME - 9]}_{digest}"


def read_tools(fields: Mapping[str, Raw]) -> tuple[Tool, ...]:
    """Give the tools; raise BadRequest for one that cannot be translated."""
    return tuple(
        _tool(told, namespace, at) for told, namespace, at in _each_tool(fields)
    )


def tools_left_out(fields: Mapping[str, Raw]) -> Iterator[str]:
    """Give the type of each tool that is offered in vain."""
    raw = fields.get("tools")
    if raw is None or not given(raw):
        return
    for each in typed(_KINDS, raw, "tools"):
        if each.type.startswith(_OFFERED):
            yield each.type


def namespaces(fields: Mapping[str, Raw]) -> dict[str, tuple[str, str]]:
    """Give the namespace and the name behind each longer name."""
    return {
        flat_name(namespace, name): (namespace, name)
        for told, namespace, _ in _each_tool(fields)
        if namespace and (name := _body(told).name)
    }


def repeated_tools(raw: Raw) -> Raw:
    """Give a request's tools as its response repeats them; never raises."""
    try:
        tools = _MEMBERS.decode(raw)
    except msgspec.MsgspecError:
        return raw
    flat = [
        {**_UNSAID, **tool} if bytes(tool.get("type", b"")) == b'"function"' else tool
        for tool in tools
    ]
    return Raw(msgspec.json.encode(flat))


def read_choice(
    fields: Mapping[str, Raw], tools: tuple[Tool, ...]
) -> tuple[ToolChoice | None, tuple[Tool, ...]]:
    """Give the choice, and those of the tools that it allows."""
    raw = fields.get("tool_choice")
    if raw is None or not given(raw):
        return None, tools
    told = typed(_CHOICE, raw, "tool_choice")
    match told:
        case "auto" | "none" | "required":
            return ToolChoice(mode=told), tools
        case _Choice(type="function" | "custom") if name := _chosen(told):
            return ToolChoice(mode="named", name=name), tools
        case _Choice(type="allowed_tools", mode="auto" | "required" as mode):
            names = {_chosen(each) for each in told.tools or ()}
            allowed = tuple(tool for tool in tools if tool.name in names)
            return ToolChoice(mode=mode), allowed
    raise unsupported(
        "tool_choice", "Send auto, none, required or the name of a function."
    )


def _each_tool(fields: Mapping[str, Raw]) -> Iterator[tuple[_Tool, str | None, str]]:
    """Give each tool that can be translated, its namespace and its place."""
    raw = fields.get("tools")
    if raw is None or not given(raw):
        return
    tools: list[Raw] = typed(_RAWS, raw, "tools")
    for index, each in enumerate(tools):
        at = f"tools[{index}]"
        kind = typed(_KIND, each, at).type
        if kind.startswith(_OFFERED):
            continue
        if kind not in {"function", "custom", "namespace"}:
            raise unsupported(f"{at}.type", _TRANSLATE)
        told = typed(_TOOL, each, at)
        if kind != "namespace":
            yield told, None, at
            continue
        for number, inner in enumerate(told.tools or ()):
            yield inner, told.name, f"{at}.tools[{number}]"


def _tool(told: _Tool, namespace: str | None, at: str) -> Tool:
    body = _body(told)
    if not body.name:
        raise missing(f"{at}.name")
    return Tool(
        name=flat_name(namespace, body.name),
        description=body.description,
        parameters=body.parameters if given(body.parameters) else None,
        strict=body.strict,
        custom=told.type == "custom",
        format=body.format if given(body.format) else None,
    )


def _body(told: _Tool) -> _Body:
    return told.function or told.custom or told


def _chosen(told: _Choice) -> str | None:
    named = told.function or told.custom
    return named.name if named else told.name
