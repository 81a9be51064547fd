"""What a Messages request may hold, as types: a value that does not fit is a 400.

API reference, "Create a message". Members that only annotate (citations, a tool's
caller) are passed over. Blocks and tools that only Anthropic's servers understand are
none of these types, and so are refused by name.
"""

from typing import Annotated, Literal, TypeAlias

from msgspec import Meta, Raw, Struct


class CacheControl(Struct, frozen=True):
    """The end of a cacheable prefix."""

    type: str


class TextBlock(Struct, frozen=True, tag="text"):
    """Words."""

    text: str
    cache_control: CacheControl | None = None


class Base64(Struct, frozen=True, tag="base64"):
    """An image or a document, encoded."""

    data: str
    media_type: str


class Url(Struct, frozen=True, tag="url"):
    """An image or a document elsewhere."""

    url: str


class Plain(Struct, frozen=True, tag="text"):
    """A document of plain text."""

    data: str


class ImageBlock(Struct, frozen=True, tag="image"):
    """A picture."""

    source: Base64 | Url
    cache_control: CacheControl | None = None


class DocumentBlock(Struct, frozen=True, tag="document"):
    """A document."""

    source: Base64 | Url | Plain
    title: str | None = None
    cache_control: CacheControl | None = None


class ThinkingBlock(Struct, frozen=True, tag="thinking"):
    """Thoughts of an earlier turn."""

    thinking: str
    signature: str = ""


class RedactedBlock(Struct, frozen=True, tag="redacted_thinking"):
    """Thoughts that only their provider can read."""

    data: str


class ToolUseBlock(Struct, frozen=True, tag="tool_use"):
    """A call of a tool; its input stays as it is."""

    id: str
    name: str
    input: Raw
    cache_control: CacheControl | None = None


class ToolResultBlock(Struct, frozen=True, tag="tool_result"):
    """What a tool gave."""

    tool_use_id: str
    content: str | list[TextBlock | ImageBlock | DocumentBlock] | None = None
    is_error: bool | None = None
    cache_control: CacheControl | None = None


Block: TypeAlias = (
    TextBlock
    | ImageBlock
    | DocumentBlock
    | ThinkingBlock
    | RedactedBlock
    | ToolUseBlock
    | ToolResultBlock
)


class Message(Struct, frozen=True):
    """One message."""

    role: Literal["user", "assistant", "system"]
    content: str | list[Block]


class Tool(Struct, frozen=True):
    """A tool of the client's own; Anthropic's have another ``type``."""

    name: str
    input_schema: Raw
    type: Literal["custom"] | None = None
    description: str | None = None
    strict: bool | None = None
    cache_control: CacheControl | None = None


class ToolChoice(Struct, frozen=True):
    """Whether the model must call a tool, and which."""

    type: Literal["auto", "any", "tool", "none"]
    name: str | None = None
    disable_parallel_tool_use: bool | None = None


class ThinkingConfig(Struct, frozen=True):
    """Whether and how much to think."""

    type: Literal["enabled", "adaptive", "disabled"]
    budget_tokens: int | None = None
    display: str | None = None


class Format(Struct, frozen=True):
    """The shape of the answer."""

    type: Literal["json_schema"]
    schema: Raw


class OutputConfig(Struct, frozen=True):
    """How much effort to make, and the answer's shape."""

    effort: str | None = None
    format: Format | None = None


class Metadata(Struct, frozen=True):
    """Who the client's user is."""

    user_id: str | None = None


_Unit: TypeAlias = Annotated[float, Meta(ge=0, le=1)]
_Count: TypeAlias = Annotated[int, Meta(ge=0, le=2**53)]


class Asked(Struct, frozen=True):
    """The members of a request that a Prompt has words for."""

    messages: list[Message]
    system: str | list[TextBlock] | None = None
    tools: list[Tool] | None = None
    tool_choice: ToolChoice | None = None
    thinking: ThinkingConfig | None = None
    output_config: OutputConfig | None = None
    metadata: Metadata | None = None
    max_tokens: _Count | None = None
    temperature: _Unit | None = None
    top_p: _Unit | None = None
    top_k: _Count | None = None
    stop_sequences: list[str] | None = None
