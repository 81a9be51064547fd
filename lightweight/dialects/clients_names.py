"""What a client calls a field that a request for another dialect cannot express.

Whoever writes a request for a provider names what it cannot express as chat completions
do; here that name becomes the one in the client's own API reference. What has no other
name there keeps its own.
"""

import re
from collections.abc import Mapping

from lightweight.errors import BadRequest
from lightweight.records import DialectName

_OLLAMA = {
    "max_completion_tokens": "options.num_predict",
    "max_tokens": "options.num_predict",
    "reasoning_effort": "think",
    "response_format": "format",
    **{
        name: f"options.{name}"
        for name in ("frequency_penalty", "presence_penalty", "seed", "stop")
    },
}
_NAMES: Mapping[DialectName, Mapping[str, str]] = {
    "openai_responses": {
        "max_completion_tokens": "max_output_tokens",
        "max_tokens": "max_output_tokens",
        "messages": "input",
        "reasoning_effort": "reasoning.effort",
        "response_format": "text.format",
    },
    "anthropic": {
        "max_completion_tokens": "max_tokens",
        "parallel_tool_calls": "tool_choice.disable_parallel_tool_use",
        "reasoning_effort": "output_config.effort",
        "response_format": "output_config.format",
        "stop": "stop_sequences",
    },
    "ollama": _OLLAMA,
    "ollama_generate": {**_OLLAMA, "messages": "prompt"},
}
_HEAD = re.compile(r"\w+")


def as_client_names(fault: BadRequest, client: DialectName) -> BadRequest:
    """Give a fault whose ``param`` and words name the field as its client does."""
    head = _HEAD.match(fault.param or "")
    name = _NAMES.get(client, {}).get(head[0]) if head else None
    if head is None or name is None:
        return fault
    param = name + (fault.param or "")[head.end() :]
    message = fault.message.replace(f"'{fault.param}'", f"'{param}'")
    return BadRequest(message, param=param, code=fault.code)
