import json
from typing import Any

import pytest
from support.rich_requests import ASKED

from lightweight.dialects.clients_names import as_client_names
from lightweight.dialects.crossing import write_request
from lightweight.dialects.typed import unsupported
from lightweight.errors import BadRequest
from lightweight.records import Call, DialectName, Request, Target
from lightweight.runtime import DIALECTS


@pytest.mark.parametrize(
    ("client", "told", "named"),
    [
        ("openai_chat", "messages", "messages"),
        ("openai_responses", "messages", "input"),
        ("openai_responses", "messages[2].content", "input[2].content"),
        ("anthropic", "messages", "messages"),
        ("anthropic", "stop", "stop_sequences"),
        ("ollama", "stop", "options.stop"),
        ("ollama", "options.seed", "options.seed"),
        ("ollama_generate", "messages", "prompt"),
        ("openai_responses", "logit_bias", "logit_bias"),
    ],
)
def test_a_fault_names_the_field_as_the_client_does(
    client: DialectName, told: str, named: str
) -> None:
    fault = as_client_names(unsupported(told, "It cannot."), client)
    assert (fault.param, fault.code) == (named, "unsupported_parameter")
    assert fault.message == f"Unsupported parameter: '{named}'. It cannot."


def test_a_fault_of_no_field_stays() -> None:
    fault = BadRequest("No.")
    assert as_client_names(fault, "anthropic") is fault


def call_of(client: DialectName, fields: dict[str, Any]) -> Call:
    body = {"model": "m", "stream": False, **ASKED[client], **fields}
    body.pop("stream_options", None)
    return DIALECTS[client].parse_request(
        Request(
            id="r1",
            method="POST",
            path="/",
            headers={},
            body=json.dumps(body).encode(),
            arrived=0.0,
        )
    )


SOUND = {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}}
HEARD = [{"role": "user", "content": [SOUND]}]
NOBODYS = {"type": "function_call_output", "call_id": "gone", "output": "1"}


@pytest.mark.parametrize(
    ("client", "fields", "target", "param"),
    [
        ("openai_responses", {"input": HEARD}, ("anthropic", "claude-x"), "input"),
        ("openai_responses", {"input": HEARD}, ("ollama", "x"), "input"),
        ("openai_responses", {"input": [NOBODYS]}, ("gemini", "gemini-3-x"), "input"),
        ("openai_chat", {"messages": HEARD}, ("openai_responses", "x"), "messages"),
        ("anthropic", {"stop_sequences": ["x"]}, ("openai_responses", "x"), "stop_se"),
        ("ollama", {"options": {"stop": ["x"]}}, ("openai_responses", "x"), "options."),
        ("openai_responses", {}, ("anthropic", "claude-2"), "text.format"),
        ("anthropic", {}, ("ollama", "x"), "tool_choice.disable_parallel_tool_use"),
    ],
)
def test_whoever_cannot_be_asked_is_told_of_in_the_clients_words(
    client: DialectName,
    fields: dict[str, Any],
    target: tuple[DialectName, str],
    param: str,
) -> None:
    call = call_of(client, fields)
    dialect, model = target
    if dialect == "ollama" and client != "anthropic":
        without = ("tool_choice", "parallel_tool_calls")
        call = call_of(client, {**fields, **dict.fromkeys(without)})
    with pytest.raises(BadRequest) as caught:
        write_request(
            DIALECTS, call, Target(provider="p", model=model, dialect=dialect)
        )
    assert (caught.value.param or "").startswith(param)
    assert f"'{caught.value.param}'" in caught.value.message


def test_a_quirk_refuses_in_the_clients_words() -> None:
    target = Target(
        provider="p",
        model="x",
        dialect="openai_chat",
        quirks=frozenset({"no_stop_or_penalties"}),
    )
    call = call_of("anthropic", {"stop_sequences": ["x"]})
    with pytest.raises(BadRequest) as caught:
        write_request(DIALECTS, call, target)
    assert caught.value.param == "stop_sequences"
