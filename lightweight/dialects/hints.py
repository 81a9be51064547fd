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
        "metadata",
        "obfuscation",
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
        "context_management",
        "inference_geo",
        # Ollama
        "keep_alive",
    }
)


def refuse_rest(prompt: Prompt, taken: frozenset[str] = frozenset()) -> None:
    """Raise BadRequest for the first field that would be lost and is no hint.

    ``taken`` are the fields of ``rest`` that the writer expresses itself.
    """
    for name in prompt.rest:
        if name not in HINTS and name not in taken:
            raise unsupported(
                name, "This model is served by an API that has nothing like it."
            )
