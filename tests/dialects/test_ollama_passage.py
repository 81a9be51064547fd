"""An Ollama server's answer on its way to an Ollama client."""

import json

import pytest
from hypothesis import given
from support.chat import PLACES, Damage, cut, damages, singly, travel
from support.ollama import CHAT, COUNTS, GENERATE, call, generate_call, last, line
from support.ollama import target as to

from lightweight.errors import ProviderCut, ProviderFault, ProviderRefused
from lightweight.records import Usage

SPOKEN = line("Hé") + line("", message={"thinking": "hm"}) + line("!") + last()


def test_lines_pass_byte_for_byte_and_the_last_one_waits() -> None:
    way = CHAT.passage(call(), to())
    assert way.content_type == "application/x-ndjson"
    assert way.feed(SPOKEN) == SPOKEN.removesuffix(last())
    assert (way.complete, way.deltas, way.size) == (True, 3, 6)
    assert way.usage == Usage(fresh=7, answer=2)
    assert way.feed(b"what comes after") == b""
    assert way.finish() == last()


def test_the_clients_name_is_set_back() -> None:
    way = CHAT.passage(call(), to("up"))
    passed = way.feed(SPOKEN) + way.finish()
    assert passed == SPOKEN.replace(b'"model": "up"', b'"model": "m"')


def test_a_whole_answer_comes_at_the_end() -> None:
    way = CHAT.passage(call(stream=False), to("up"))
    body = line("Hi", done=True, done_reason="stop", **COUNTS)
    assert way.content_type == "application/json"
    assert way.feed(body) == b""
    assert json.loads(way.finish())["model"] == "m"
    assert way.usage == Usage(fresh=7, answer=2)
    assert way.broken(ProviderCut("cut")) == b""


def test_a_completion_passes_too() -> None:
    told = b'{"model":"m","response":"Hi","done":false}\n'
    end = b'{"model":"m","response":"","done":true,"done_reason":"stop"}'
    way = GENERATE.passage(generate_call(), to())
    assert (way.feed(told + end), way.deltas) == (told, 1)
    assert way.finish() == end


def test_what_lacks_its_last_line_is_cut() -> None:
    for data in (line("Hi"), b"", line("Hi") + last()[:20]):
        way = CHAT.passage(call(), to())
        _, fault = travel(way, [data])
        assert isinstance(fault, ProviderFault)
    assert way.broken(ProviderCut("Cut.")) == b'{"error":"Cut."}\n'


def test_an_error_line_is_a_fault_after_what_was_said() -> None:
    way = CHAT.passage(call(), to())
    data = line("Hi") + b'{"error":"out of memory"}\n'
    assert way.feed(data) == line("Hi")
    with pytest.raises(ProviderRefused):
        way.feed(b"")
    with pytest.raises(ProviderRefused):
        way.finish()


@given(PLACES)
def test_cuts_change_nothing(places: list[int]) -> None:
    assert travel(CHAT.passage(call(), to()), cut(SPOKEN, places)) == (SPOKEN, None)
    assert travel(CHAT.passage(call(), to()), singly(SPOKEN)) == (SPOKEN, None)


@given(damages(), PLACES)
def test_any_bytes_pass_or_are_the_providers_fault(
    damage: Damage, places: list[int]
) -> None:
    data = damage(SPOKEN)
    whole, fault = travel(CHAT.passage(call(), to()), [data])
    assert fault is None or isinstance(fault, ProviderFault)
    again, other = travel(CHAT.passage(call(), to()), cut(data, places))
    assert (again, type(other)) == (whole, type(fault))
