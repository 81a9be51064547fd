"""Top-level fields that may be lost when a call changes its dialect.

They tune, label or keep a call, but the answer means the same without them. Every other
field that has no word in a Prompt is refused: never dropped in silence.
"""

from lightweight.dialects.typed import unsupported
from lightweight.prompts import Prompt

HINTS = frozenset(
    {
        # chat completions and Responses
        "client_metadata",
        "include",
        "max_tool_calls",
        "metadata",
        "obfuscation",
        "prediction",
        "prompt_cache_key",
        "prompt_cache_options",
        "prompt_cache_retention",
        "safety_identifier",
        "seed",
        "service_tier",
        "store",
        "stream_options",
        "truncation",
        # Anthropic
        "cache_control",
        "context_management",
        "diagnostics",
        "inference_geo",
        "speed",
        # Ollama
        "keep_alive",
    }
)

# What asks for nothing, save of a field that asks by being there.
_BY_BEING_THERE = "web_search_options"
_NOTHING = frozenset({b"null", b"false", b"0", b"0.0", b'""', b"[]", b"{}"})


def refuse_rest(prompt: Prompt, taken: frozenset[str] = frozenset()) -> None:
    """Raise BadRequest for the first field that would be lost and is no hint.

    A field that is false, 0 or empty asks for nothing: some clients send all they know.
    ``taken`` are the fields of ``rest`` that the writer expresses itself.
    """
    for name, raw in prompt.rest.items():
        asks = bytes(raw) not in _NOTHING or name == _BY_BEING_THERE
        if asks and name not in HINTS and name not in taken:
            raise unsupported(
                name, "This model is served by an API that has nothing like it."
            )
