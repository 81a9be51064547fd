"""Requests that ask for all that a client of each dialect can ask for."""

from typing import Any

from support import responses

from lightweight.records import DialectName

ODD: dict[str, Any] = {"x_new": {"x_inner": 1}, "provider_name": "up"}
"""Members that no document knows."""

SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
PIXEL = "iVBORw0KGgo="
FUNCTION: dict[str, Any] = {"name": "weather", "description": "d", "parameters": SCHEMA}
ASKED: dict[DialectName, dict[str, Any]] = {
    "openai_chat": {
        "messages": [
            {"role": "developer", "content": "Be brief."},
            {
                "role": "user",
                "name": "ann",
                "content": [
                    {"type": "text", "text": "Hi", "cache_control": {"type": "x"}},
                    {
                        "type": "image_url",
                        "image_url": {
                            "url": f"data:image/png;base64,{PIXEL}",
                            "detail": "low",
                        },
                    },
                ],
            },
            {
                "role": "assistant",
                "content": None,
                "reasoning_content": "Hm.",
                "thinking": {"signature": "SIG"},
                "tool_calls": [
                    {
                        "id": "call_0",
                        "index": 0,
                        "type": "function",
                        "function": {"name": "weather", "arguments": "{}"},
                        "extra_content": {"google": {"thought_signature": "U0lH"}},
                    }
                ],
                **ODD,
            },
            {"role": "tool", "tool_call_id": "call_0", "name": "f", "content": "1"},
        ],
        "tools": [{"type": "function", "function": {**FUNCTION, "strict": True}}],
        "tool_choice": {"type": "function", "function": {"name": "weather"}},
        "parallel_tool_calls": False,
        "max_completion_tokens": 100,
        "temperature": 1,
        "top_p": 0.9,
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "n", "schema": SCHEMA, "strict": True},
        },
        "stream_options": {"include_usage": True, "include_obfuscation": False},
        "reasoning_effort": "low",
        "verbosity": "low",
        "user": "u1",
        "seed": 1,
        "metadata": {"a": "b"},
        "prompt_cache_key": "k",
        "service_tier": "auto",
        "store": False,
    },
    "openai_responses": {
        "instructions": "Be brief.",
        "input": [
            {
                "role": "user",
                "content": [
                    {"type": "input_text", "text": "Hi"},
                    {
                        "type": "input_image",
                        "image_url": f"data:image/png;base64,{PIXEL}",
                        "detail": "auto",
                    },
                ],
            },
            responses.thoughts("Hm.", encrypted_content="SEAL"),
            responses.message(responses.text("Let me see.")),
            responses.function_call('{"city":"Ulm"}', name="weather", index=0, **ODD),
            {"type": "function_call_output", "call_id": "call_1", "output": "1"},
            {"type": "x_new_item", **ODD},
        ],
        "tools": [{"type": "function", **FUNCTION, "strict": True}],
        "tool_choice": {"type": "function", "name": "weather"},
        "parallel_tool_calls": True,
        "max_output_tokens": 100,
        "temperature": 1,
        "text": {
            "format": {"type": "json_schema", "name": "n", "schema": SCHEMA},
            "verbosity": "low",
        },
        "reasoning": {"effort": "low", "summary": "auto"},
        "include": ["reasoning.encrypted_content"],
        "client_metadata": {"a": "b"},
        "prompt_cache_key": "k",
        "truncation": "auto",
        "store": False,
        "user": "u1",
    },
    "anthropic": {
        "max_tokens": 4000,
        "system": [
            {"type": "text", "text": "Brief.", "cache_control": {"type": "ephemeral"}}
        ],
        "messages": [
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "Hi"},
                    {
                        "type": "image",
                        "source": {
                            "type": "base64",
                            "media_type": "image/png",
                            "data": PIXEL,
                        },
                    },
                ],
            },
            {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": "Hm.", "signature": "SIG"},
                    {"type": "redacted_thinking", "data": "SECRET"},
                    {"type": "text", "text": "Let me see."},
                    {
                        "type": "tool_use",
                        "id": "toolu_1",
                        "name": "weather",
                        "input": {"city": "Ulm"},
                    },
                ],
            },
            {
                "role": "user",
                "content": [
                    {
                        "type": "tool_result",
                        "tool_use_id": "toolu_1",
                        "content": [{"type": "text", "text": "1"}],
                        "is_error": True,
                        "cache_control": {"type": "ephemeral"},
                    }
                ],
            },
        ],
        "tools": [
            {"name": "weather", "description": "d", "input_schema": SCHEMA},
        ],
        "tool_choice": {"type": "auto", "disable_parallel_tool_use": True},
        "thinking": {"type": "enabled", "budget_tokens": 2000},
        "output_config": {"effort": "low"},
        "context_management": {"edits": []},
        "metadata": {"user_id": "u1"},
        "top_k": 3,
    },
    "ollama": {
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Hi", "images": [PIXEL]},
            {
                "role": "assistant",
                "content": "Let me see.",
                "thinking": "Hm.",
                "tool_calls": [
                    {"function": {"name": "weather", "arguments": {"city": "Ulm"}}}
                ],
            },
            {"role": "tool", "tool_name": "weather", "content": "1"},
        ],
        "tools": [{"type": "function", "function": FUNCTION}],
        "format": SCHEMA,
        "options": {"temperature": 1, "num_predict": 100, "seed": 1, "num_ctx": 4096},
        "think": True,
        "keep_alive": "5m",
    },
    "ollama_generate": {
        "prompt": "Hi",
        "system": "Be brief.",
        "images": [PIXEL],
        "format": "json",
        "options": {"temperature": 1, "num_predict": 100},
        "think": True,
    },
}
