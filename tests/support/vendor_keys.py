"""Which names of fields each dialect knows, from the vendors' own documents.

Ollama has no such document: its names are those of its API's pages. A few names beside
the documents are written down here, each with its reason.
"""

from collections.abc import Iterator
from functools import cache
from typing import Any, Literal, TypeAlias

from support import anthropic_schema, gemini_schema, openai_schema

from lightweight.records import DialectName

Side: TypeAlias = Literal["answers", "requests"]

_ROOTS: dict[tuple[DialectName, Side], tuple[str, ...]] = {
    ("openai_chat", "answers"): (
        "CreateChatCompletionStreamResponse",
        "CreateChatCompletionResponse",
        "ErrorResponse",
    ),
    ("openai_chat", "requests"): ("CreateChatCompletionRequest",),
    ("openai_responses", "answers"): (
        "Response",
        "ResponseStreamEvent",
        "ErrorResponse",
    ),
    ("openai_responses", "requests"): ("CreateResponse",),
    ("anthropic", "answers"): ("Message", "MessageStreamEvent", "ErrorResponse"),
    ("anthropic", "requests"): ("CreateMessageParams",),
    ("gemini", "requests"): ("GenerateContentRequest",),
}

_DOCUMENTS: dict[DialectName, Any] = {
    "openai_chat": openai_schema,
    "openai_responses": openai_schema,
    "anthropic": anthropic_schema,
    "gemini": gemini_schema,
}

_BESIDE: dict[tuple[DialectName, Side], frozenset[str]] = {
    # DeepSeek's word for thoughts, which chat clients read; a count that is new.
    ("openai_chat", "answers"): frozenset({"reasoning_content", "cache_write_tokens"}),
    # The place in which Google's own compatible endpoint wants its signature back.
    ("openai_chat", "requests"): frozenset(
        {"extra_content", "google", "thought_signature"}
    ),
    # The document has ``store`` in its examples of a response alone.
    ("openai_responses", "answers"): frozenset({"cache_write_tokens", "store"}),
}

_OLLAMA_ANSWERS = """
model created_at message role content thinking tool_calls id function index name
arguments response done done_reason total_duration load_duration prompt_eval_count
prompt_eval_duration eval_count eval_duration error
"""
_OLLAMA_REQUESTS = """
model messages role content thinking images tool_calls id function name arguments
tool_name tool_call_id tools type description parameters format options temperature
top_p top_k num_predict stop seed think stream
"""
_LISTED: dict[tuple[DialectName, Side], str] = {
    ("ollama", "answers"): _OLLAMA_ANSWERS,
    ("ollama", "requests"): _OLLAMA_REQUESTS,
    ("ollama_generate", "answers"): _OLLAMA_ANSWERS,
}

_OPENAIS = frozenset({"parameters", "schema", "metadata"})
_OLLAMAS = frozenset({"parameters", "format", "arguments"})
_USERS: dict[DialectName, frozenset[str]] = {
    "openai_chat": _OPENAIS,
    "openai_responses": _OPENAIS,
    "anthropic": frozenset({"input", "input_schema", "schema"}),
    "gemini": frozenset(
        {"args", "response", "parametersJsonSchema", "responseJsonSchema"}
    ),
    "ollama": _OLLAMAS,
    "ollama_generate": _OLLAMAS,
}
"""Where a dialect has objects of the user's own: a tool's data, a schema, labels."""


def foreign_keys(dialect: DialectName, side: Side, body: object) -> set[str]:
    """Give the names in a body that its dialect does not know."""
    return set(_keys(body, _USERS[dialect])) - _known(dialect, side)


def _keys(node: object, users: frozenset[str]) -> Iterator[str]:
    if isinstance(node, list):
        for each in node:
            yield from _keys(each, users)
    elif isinstance(node, dict):
        for key, value in node.items():
            yield key
            if key not in users or not isinstance(value, dict):
                yield from _keys(value, users)


@cache
def _known(dialect: DialectName, side: Side) -> frozenset[str]:
    listed = _LISTED.get((dialect, side))
    if listed is not None:
        return frozenset(listed.split())
    schemas = _DOCUMENTS[dialect].schemas()
    names: set[str] = set()
    waiting = list(_ROOTS[dialect, side])
    seen = set(waiting)
    while waiting:
        # Google's document refers to schemas that it leaves out.
        for kind, name in _mentioned(schemas.get(waiting.pop(), {})):
            if kind == "name":
                names.add(name)
            elif name not in seen:
                seen.add(name)
                waiting.append(name)
    return frozenset(names) | _BESIDE.get((dialect, side), frozenset())


def _mentioned(node: Any) -> Iterator[tuple[str, str]]:
    """Give the names of a schema's members, and of the schemas it refers to."""
    if isinstance(node, list):
        for each in node:
            yield from _mentioned(each)
    elif isinstance(node, dict):
        for key, value in node.items():
            if key == "$ref":
                yield "schema", value.rsplit("/", 1)[1]
            elif key == "properties" and isinstance(value, dict):
                for name, member in value.items():
                    yield "name", name
                    yield from _mentioned(member)
            elif key not in {"example", "examples", "default", "x-oaiMeta"}:
                yield from _mentioned(value)
