"""What is read of an Ollama server's lines."""

import json

import pytest
from support.ollama import AT, last, line

from lightweight.dialects.ollama_shapes import (
    decode_line,
    reason_of,
    seconds_of,
    time_of,
)
from lightweight.errors import ProviderGarbage, ProviderRefused
from lightweight.records import Usage


def test_a_line_knows_what_it_says() -> None:
    called = {"function": {"name": "f", "arguments": {"a": 1}}}
    message = {"thinking": "hm", "tool_calls": [called]}
    assert decode_line(line("Hé", message=message)).said == 3 + 2 + len('{"a": 1}')
    assert decode_line(b'{"response":"Hi","thinking":"x"}').said == 3
    assert decode_line(last()).said == 0


def test_usage() -> None:
    assert decode_line(last()).usage == Usage(fresh=7, answer=2)
    assert decode_line(line()).usage is None
    assert decode_line(b'{"eval_count":2}').usage == Usage(answer=2)


@pytest.mark.parametrize(
    ("said", "reason"),
    [("stop", "stop"), ("length", "length"), ("load", "stop"), (None, "stop")],
)
def test_reasons(said: str | None, reason: str) -> None:
    data = json.dumps({"done": True, "done_reason": said}).encode()
    assert reason_of(decode_line(data)) == reason


def test_an_unknown_reason_is_garbage() -> None:
    with pytest.raises(ProviderGarbage):
        reason_of(decode_line(last("melted")))


@pytest.mark.parametrize("data", [b"", b"[]", b"{", b'"a"', b'{"model":"\xff"}'])
def test_garbage(data: bytes) -> None:
    with pytest.raises(ProviderGarbage):
        decode_line(data)


def test_an_error_is_a_fault_without_the_servers_secrets() -> None:
    with pytest.raises(ProviderRefused) as caught:
        decode_line(b'{"error":"llama runner at http://10.0.0.1 died"}')
    assert "10.0.0.1" not in caught.value.message


def test_times() -> None:
    assert seconds_of(AT) == 1_700_000_000
    assert seconds_of("2023-11-14T14:13:20.385406455-08:00") == 1_700_000_000
    assert seconds_of("yesterday") == seconds_of(None) == 0
    assert time_of(1_700_000_000) == AT
    assert time_of(10**30) == time_of(-(10**30)) == "1970-01-01T00:00:00Z"
