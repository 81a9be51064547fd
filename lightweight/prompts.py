"""What a client asks of a model, in no vendor's words.

Every dialect reads its requests to a ``Prompt`` and writes its requests from one: that
is how two dialects meet (hub and spoke). Where both sides speak the same dialect
nothing of this is used: the client's bytes go on. JSON that only passes through (the
schema of a tool) stays ``Raw``.
"""

from collections.abc import Mapping
from typing import Literal, TypeAlias

from msgspec import Raw, Struct

from lightweight.records import DialectName

Role: TypeAlias = Literal["system", "user", "assistant", "tool"]


class Text(Struct, frozen=True, kw_only=True):
    """Words."""

    text: str
    cached: bool = False
    """The client marked the end of a cacheable prefix here (``cache_control``)."""


class Image(Struct, frozen=True, kw_only=True):
    """A picture: a URL, or base64 ``data`` with its media type. One of the two."""

    url: str | None = None
    data: str | None = None
    media_type: str | None = None
    detail: str | None = None
    cached: bool = False


class Audio(Struct, frozen=True, kw_only=True):
    """Sound, as base64."""

    data: str
    format: str


class File(Struct, frozen=True, kw_only=True):
    """A document: a URL, or base64 ``data`` with its media type. One of the two."""

    url: str | None = None
    data: str | None = None
    media_type: str | None = None
    name: str | None = None
    cached: bool = False


class Refusal(Struct, frozen=True, kw_only=True):
    """What the model said instead of an answer."""

    text: str


class Reasoning(Struct, frozen=True, kw_only=True):
    """A model's thoughts of an earlier turn, as its provider wants them back."""

    text: str = ""
    """What can be read of them; nothing of ``redacted`` ones."""
    seal: str | None = None
    """What only its provider can read and wants back unchanged: Anthropic's signature,
    OpenAI's encrypted content, Gemini's thought signature."""
    sealed_by: DialectName | None = None
    """The dialect whose seal it is: no other provider can make sense of it."""
    redacted: bool = False
    """The seal is the whole of it (Anthropic's redacted thinking)."""
    id: str | None = None
    """The item's id, where the dialect has one (Responses)."""


class ToolCall(Struct, frozen=True, kw_only=True):
    """A call of a tool by the model."""

    id: str
    name: str
    arguments: str
    """A JSON text; of a ``custom`` tool free text. As the model said it."""
    custom: bool = False
    seal: str | None = None
    """Gemini's thought signature, which belongs to the call."""
    cached: bool = False


class ToolResult(Struct, frozen=True, kw_only=True):
    """What a tool gave."""

    call_id: str
    parts: tuple["Text | Image | File", ...]
    error: bool = False
    """The tool says that it failed, where the dialect can say so."""
    cached: bool = False


Part: TypeAlias = (
    Text | Image | Audio | File | Refusal | Reasoning | ToolCall | ToolResult
)


class Turn(Struct, frozen=True, kw_only=True):
    """One message. Neighbours may have the same role: a writer merges where it must.

    ``system`` (developer too) may stand anywhere; ``assistant`` has Text, Refusal,
    Reasoning and ToolCall parts in their order; ``tool`` has ToolResults alone.
    """

    role: Role
    parts: tuple[Part, ...]
    name: str | None = None


class Tool(Struct, frozen=True, kw_only=True):
    """Something the model may call."""

    name: str
    description: str | None = None
    parameters: Raw | None = None
    """The JSON schema of its arguments; None: it takes none, or is ``custom``."""
    strict: bool | None = None
    custom: bool = False
    format: Raw | None = None
    """The grammar of a custom tool's input, as OpenAI writes it."""
    cached: bool = False


class ToolChoice(Struct, frozen=True, kw_only=True):
    """Whether the model must call a tool, and which."""

    mode: Literal["auto", "none", "required", "named"]
    name: str | None = None
    """With ``named``."""


class JsonFormat(Struct, frozen=True, kw_only=True):
    """The answer is to be JSON; with a schema, of that shape."""

    name: str | None = None
    schema: Raw | None = None
    strict: bool | None = None
    description: str | None = None


class Thinking(Struct, frozen=True, kw_only=True):
    """How much the model is to think, in whichever way the client said it."""

    effort: str | None = None
    """``none``, ``minimal``, ``low``, ``medium``, ``high``, ``xhigh``, ``max``."""
    budget: int | None = None
    """Tokens, as Anthropic and Gemini 2.5 count them."""
    enabled: bool | None = None
    """False: the client turned it off; True: on, the provider decides how much."""
    shown: bool | None = None
    """Whether the client wants to read the thoughts, or a summary of them."""


class Prompt(Struct, frozen=True, kw_only=True):
    """A whole request. None everywhere: the client did not say."""

    turns: tuple[Turn, ...]
    tools: tuple[Tool, ...] = ()
    tool_choice: ToolChoice | None = None
    parallel: bool | None = None
    """Whether several tools may be called at once."""
    max_tokens: int | None = None
    """Of the answer, thoughts included."""
    temperature: float | None = None
    """0 to 2, as OpenAI counts."""
    top_p: float | None = None
    top_k: int | None = None
    stop: tuple[str, ...] = ()
    format: JsonFormat | None = None
    thinking: Thinking | None = None
    user: str | None = None
    """The client's name for its own user."""
    verbosity: str | None = None
    rest: Mapping[str, Raw] = {}
    """Top-level fields that have no word here, by the client's name: each writer says
    which of them it drops (documented) and refuses the others
    (``unsupported_parameter``)."""
    left_out: tuple[str, ...] = ()
    """Types of what the client said that is passed over here, each told in the log."""
