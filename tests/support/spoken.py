"""One answer in the words of three providers, and what clients make of theirs.

The answer thinks, speaks, calls two tools at once and tells its usage: 10 tokens sent,
3 of them cached and 2 written to a cache; 10 given, 6 of them thoughts.
"""

import json
from typing import Any

from support import chat, messages, responses

from lightweight.dialects.seals import without_carried
from lightweight.records import DialectName

THOUGHT, SAID = "Where is it?", "Let me look."
CALLS = [
    ("call_a", "weather", '{"city": "Ulm", "days": [1, 2.50], "x": "\\u00fc\\n\\""}'),
    ("call_b", "weather", '{"city":"Bern"}'),
]
SEAL = "c2lnbmF0dXJl"


def streamed(dialect: DialectName) -> list[bytes]:
    """Give the events of a provider's stream."""
    return _STREAMS[dialect]()


def whole(dialect: DialectName) -> bytes:
    """Give a provider's whole answer."""
    return _WHOLES[dialect]()


# -- chat completions --------------------------------------------------------------

_CHATS_USAGE = {
    "prompt_tokens": 10,
    "completion_tokens": 10,
    "total_tokens": 20,
    "prompt_tokens_details": {"cached_tokens": 3, "cache_write_tokens": 2},
    "completion_tokens_details": {"reasoning_tokens": 6},
}


def _chat_stream() -> list[bytes]:
    deltas: list[dict[str, Any]] = [
        {"role": "assistant", "content": ""},
        {"reasoning_content": THOUGHT[:5]},
        {"reasoning_content": THOUGHT[5:]},
        {"content": SAID[:3]},
        {"content": SAID[3:]},
    ]
    for index, (id_, name, arguments) in enumerate(CALLS):
        begun = {"index": index, "id": id_, "type": "function"}
        function = {"name": name, "arguments": ""}
        deltas.append({"tool_calls": [{**begun, "function": function}]})
        for piece in (arguments[:9], arguments[9:]):
            call = {"index": index, "function": {"arguments": piece}}
            deltas.append({"tool_calls": [call]})
    return [
        *(
            chat.chunk({"index": 0, "delta": delta, "finish_reason": None})
            for delta in deltas
        ),
        chat.chunk(chat.ending("tool_calls")),
        chat.chunk(usage=_CHATS_USAGE),
        chat.DONE,
    ]


def _chat_whole() -> bytes:
    calls = [
        {
            "id": id_,
            "type": "function",
            "function": {"name": name, "arguments": arguments},
        }
        for id_, name, arguments in CALLS
    ]
    choice = chat.answer(
        "tool_calls",
        content=SAID,
        refusal=None,
        reasoning_content=THOUGHT,
        tool_calls=calls,
    )
    return chat.completion(choice, usage=_CHATS_USAGE)


# -- Responses ---------------------------------------------------------------------

_ITEMS: list[dict[str, Any]] = [
    responses.thoughts(THOUGHT, encrypted_content=SEAL),
    responses.message(responses.text(SAID)),
    *(
        responses.function_call(arguments, id=f"fc_{id_}", call_id=id_, name=name)
        for id_, name, arguments in CALLS
    ),
]


def _responses_stream() -> list[bytes]:
    told = [responses.created()]
    for index, item in enumerate(_ITEMS):
        kind = item["type"]
        bare = {**item, "status": "in_progress"}
        if kind == "reasoning":
            told.append(responses.added({**item, "summary": []}, index))
            told.append(_summary_delta(index))
        elif kind == "message":
            told.append(responses.added({**bare, "content": []}, index))
            told += [responses.delta(each, index) for each in (SAID[:3], SAID[3:])]
        else:
            said = item["arguments"]
            told.append(responses.added({**bare, "arguments": ""}, index))
            told += [
                responses.delta(each, index, "function_call_arguments")
                for each in (said[:9], said[9:])
            ]
        told.append(responses.done(item, index))
    return [*told, responses.completed(*_ITEMS)]


def _summary_delta(index: int) -> bytes:
    return responses.event(
        "response.reasoning_summary_text.delta",
        item_id="rs_1",
        output_index=index,
        summary_index=0,
        delta=THOUGHT,
    )


def _responses_whole() -> bytes:
    response = responses.response("completed", *_ITEMS, usage=responses.USAGE)
    return json.dumps(response).encode()


# -- Messages ----------------------------------------------------------------------

_CLAUDES_USAGE = {
    **messages.USAGE,
    "output_tokens": 10,
    "output_tokens_details": {"thinking_tokens": 6},
}


def _anthropic_stream() -> list[bytes]:
    calls = [
        messages.tool_use(index, id_, name, arguments[:9], arguments[9:])
        for index, (id_, name, arguments) in enumerate(CALLS, start=2)
    ]
    blocks = [
        messages.start(),
        messages.thinking(0, THOUGHT, SEAL),
        messages.text(1, SAID[:3], SAID[3:]),
        *calls,
        messages.end("tool_use", **_CLAUDES_USAGE),
    ]
    return [
        event + b"\n\n" for block in blocks for event in block.split(b"\n\n") if event
    ]


def _anthropic_whole() -> bytes:
    blocks: list[dict[str, Any]] = [
        {"type": "thinking", "thinking": THOUGHT, "signature": SEAL},
        {"type": "text", "text": SAID},
        *(
            {
                "type": "tool_use",
                "id": id_,
                "name": name,
                "input": json.loads(arguments),
            }
            for id_, name, arguments in CALLS
        ),
    ]
    return messages.whole(*blocks, stop_reason="tool_use", usage=_CLAUDES_USAGE)


_STREAMS = {
    "openai_chat": _chat_stream,
    "openai_responses": _responses_stream,
    "anthropic": _anthropic_stream,
}
_WHOLES = {
    "openai_chat": _chat_whole,
    "openai_responses": _responses_whole,
    "anthropic": _anthropic_whole,
}


# -- what a client hears -----------------------------------------------------------


def heard(dialect: DialectName, data: bytes, *, stream: bool) -> dict[str, Any]:
    """Give what a client makes of an answer, as plainly as its SDK would.

    Text, thoughts, calls (id, name, arguments as JSON), why it ended, and the tokens
    sent, cached, given and in all.
    """
    if dialect == "openai_chat":
        told = _heard_chat(chat.payloads(data) if stream else [json.loads(data)])
    elif dialect == "openai_responses":
        last = responses.told(data)[-1]["response"] if stream else json.loads(data)
        told = _heard_response(last)
    else:
        told = _heard_message(_message(data) if stream else json.loads(data))
    # Ids bear the thoughts that a dialect has no other place for.
    calls = [(without_carried(id_)[0], name, said) for id_, name, said in told["calls"]]
    return {**told, "calls": calls}


def joined_chat(data: bytes) -> Any:
    """Give the message that a stream of chat makes, as a client keeps it."""
    told = _heard_chat(chat.payloads(data))
    calls = [
        {
            "id": id_,
            "type": "function",
            "function": {"name": name, "arguments": said},
        }
        for id_, name, said in told["calls"]
    ]
    return {"role": "assistant", "content": told["text"], "tool_calls": calls}


def joined_content(data: bytes) -> Any:
    """Give the blocks that a stream of Anthropic's makes."""
    blocks = _message(data)["content"]
    for block in blocks:
        if "json" in block:
            block["input"] = json.loads(block.pop("json"))
    return blocks


def _sense(text: str, thought: str, calls: Any, reason: str, usage: Any) -> Any:
    return {
        "text": text,
        "thought": thought,
        "calls": [tuple(call) for call in calls],
        "reason": reason,
        "usage": usage,
    }


def _heard_chat(pieces: list[Any]) -> Any:
    text = thought = reason = ""
    usage: Any = None
    calls: dict[int, list[str]] = {}
    for piece in pieces:
        usage = piece.get("usage") or usage
        for choice in piece["choices"]:
            said = choice.get("delta", choice.get("message"))
            text += said.get("content") or ""
            thought += said.get("reasoning_content") or ""
            reason = choice["finish_reason"] or reason
            for place, call in enumerate(said.get("tool_calls") or ()):
                kept = calls.setdefault(call.get("index", place), ["", "", ""])
                kept[0] += call.get("id", "")
                kept[1] += call["function"].get("name", "")
                kept[2] += call["function"]["arguments"]
    assert sorted(calls) == list(range(len(calls)))
    tokens = (
        usage["prompt_tokens"],
        usage["prompt_tokens_details"]["cached_tokens"],
        usage["completion_tokens"],
        usage["total_tokens"],
    )
    return _sense(text, thought, calls.values(), reason, tokens)


def _heard_response(response: Any) -> Any:
    output = response["output"]
    parts = [
        part for item in output if item["type"] == "message" for part in item["content"]
    ]
    summaries = [
        part
        for item in output
        if item["type"] == "reasoning"
        for part in item["summary"]
    ]
    calls = [
        (item["call_id"], item["name"], item["arguments"])
        for item in output
        if item["type"] == "function_call"
    ]
    usage = response["usage"]
    tokens = (
        usage["input_tokens"],
        usage["input_tokens_details"]["cached_tokens"],
        usage["output_tokens"],
        usage["total_tokens"],
    )
    assert response["status"] == "completed"
    return _sense(
        "".join(part["text"] for part in parts),
        "".join(part["text"] for part in summaries),
        calls,
        "tool_calls" if calls else "stop",
        tokens,
    )


def _message(data: bytes) -> Any:
    made: Any = {}
    for event in messages.events(data):
        match event["type"]:
            case "message_start":
                made = event["message"]
            case "content_block_start":
                assert event["index"] == len(made["content"])
                made["content"].append(event["content_block"])
            case "content_block_delta":
                _grow(made["content"][event["index"]], event["delta"])
            case "message_delta":
                made |= event["delta"]
                made["usage"] |= event["usage"]
    return made


def _grow(block: Any, delta: Any) -> None:
    match delta["type"]:
        case "input_json_delta":
            block["json"] = block.get("json", "") + delta["partial_json"]
        case kind:
            member = kind.removesuffix("_delta")
            block[member] = block.get(member, "") + delta[member]


def _heard_message(message: Any) -> Any:
    content = message["content"]
    calls = [
        (each["id"], each["name"], each.get("json") or json.dumps(each["input"]))
        for each in content
        if each["type"] == "tool_use"
    ]
    usage = message["usage"]
    sent = sum(
        usage[name]
        for name in (
            "input_tokens",
            "cache_creation_input_tokens",
            "cache_read_input_tokens",
        )
    )
    given = usage["output_tokens"]
    cached = usage["cache_read_input_tokens"]
    return _sense(
        "".join(each["text"] for each in content if each["type"] == "text"),
        "".join(each["thinking"] for each in content if each["type"] == "thinking"),
        calls,
        {"tool_use": "tool_calls", "end_turn": "stop"}[message["stop_reason"]],
        (sent, cached, given, sent + given),
    )
