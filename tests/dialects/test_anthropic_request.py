import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from support.chat import Damage, call, damages
from support.messages import DIALECT, HELLO, request, target
from support.messages import call as anthropic_call

from lightweight.dialects.anthropic_request import VERSION, parse_request, write_request
from lightweight.dialects.seals import Carried, with_carried
from lightweight.errors import BadRequest

GOOD = {"model": "m", "max_tokens": 5, "messages": HELLO}


def test_a_call_keeps_everything() -> None:
    body = {**GOOD, "stream": True, "unknown": {"x": 1}}
    made = parse_request(
        request(body, anthropic_version="2026-10-21", anthropic_beta="b", x_api_key="k")
    )
    assert (made.dialect, made.model, made.stream, made.id) == (
        "anthropic",
        "m",
        True,
        "req_1",
    )
    assert (made.counts, made.wants_usage) == (False, True)
    assert made.forward == {"anthropic-version": "2026-10-21", "anthropic-beta": "b"}
    assert bytes(made.fields["unknown"]) == b'{"x": 1}'
    assert made.body_size == len(json.dumps(body))


REFUSED: list[tuple[dict[str, Any], str | None]] = [
    ({"model": None}, "model"),
    ({"model": ""}, "model"),
    ({"max_tokens": "5"}, "max_tokens"),
    ({"max_tokens": -1}, "max_tokens"),
    ({"max_tokens": None}, "max_tokens"),
    ({"messages": []}, "messages"),
    ({"messages": {}}, "messages"),
    ({"messages": ["hi"]}, "messages[0]"),
    ({"messages": [*HELLO, {"content": "x"}]}, "messages[1]"),
    ({"messages": [{"role": "tool", "content": "x"}]}, "messages[0].role"),
    ({"stream": "yes"}, "stream"),
]


@pytest.mark.parametrize(("change", "param"), REFUSED)
def test_what_every_provider_refuses(change: dict[str, Any], param: str | None) -> None:
    with pytest.raises(BadRequest) as caught:
        parse_request(request({**GOOD, **change}))
    assert caught.value.param == param
    assert f"'{param}'" in caught.value.message


@pytest.mark.parametrize("name", GOOD)
def test_what_must_be_there(name: str) -> None:
    with pytest.raises(BadRequest) as caught:
        parse_request(request({k: v for k, v in GOOD.items() if k != name}))
    assert caught.value.param == name


def test_a_count_needs_no_limit_and_is_no_stream() -> None:
    asked = {"model": "m", "messages": HELLO}
    made = parse_request(request(asked, "/v1/messages/count_tokens"))
    assert made.counts
    with pytest.raises(BadRequest) as caught:
        parse_request(request({**asked, "stream": True}, "/v1/messages/count_tokens"))
    assert caught.value.param == "stream"
    out = write_request(made, target("up", "fast_speed"))
    assert out.path == "/messages/count_tokens"
    assert json.loads(out.body) == {**asked, "model": "up"}


def test_only_the_model_changes_on_the_way() -> None:
    body = (
        b'{"model":"m","max_tokens":5,"messages":[{"role":"user","content":"\\u0041"}]}'
    )
    out = write_request(parse_request(request(body)), target("up"))
    assert out.path == "/messages"
    assert out.body == body.replace(b'"m"', b'"up"')
    assert out.headers == {
        "anthropic-version": VERSION,
        "content-type": "application/json",
        "accept": "application/json",
    }


@pytest.mark.parametrize(
    ("query", "path"),
    [
        ("", "/messages"),
        ("beta=true", "/messages?beta=true"),
        ("key=secret&beta=true", "/messages?beta=true"),
        ("beta=false", "/messages"),
        ("xbeta=true", "/messages"),
    ],
)
def test_the_path_of_a_beta_goes_on_and_nothing_else_of_the_query(
    query: str, path: str
) -> None:
    asked = replace(request(GOOD), query=query)
    assert write_request(parse_request(asked), target()).path == path


def test_the_clients_version_and_betas_go_on() -> None:
    asked = request(
        {**GOOD, "stream": True}, anthropic_version="2026-10-21", anthropic_beta="b"
    )
    out = write_request(parse_request(asked), target())
    assert out.headers["anthropic-version"] == "2026-10-21"
    assert out.headers["anthropic-beta"] == "b"
    assert out.headers["accept"] == "text/event-stream"
    assert out.stream


@pytest.mark.parametrize(
    ("own", "sent"),
    [({}, "fast-mode-2026-02-01"), ({"anthropic_beta": "b"}, "b,fast-mode-2026-02-01")],
)
def test_a_fast_target_is_asked_to_be_fast(own: dict[str, str], sent: str) -> None:
    out = write_request(parse_request(request(GOOD, **own)), target("up", "fast_speed"))
    assert out.headers["anthropic-beta"] == sent
    assert json.loads(out.body)["speed"] == "fast"


def test_what_ids_carried_is_taken_out() -> None:
    shown = with_carried("t1", Carried(seal="gem", sealed_by="gemini"))
    tool_use = {"type": "tool_use", "id": shown, "name": "f", "input": {}}
    made = anthropic_call(messages=[{"role": "assistant", "content": [tool_use]}])
    sent = json.loads(write_request(made, target()).body)
    assert sent["messages"][0]["content"][0]["id"] == "t1"


def test_another_dialects_call_is_not_written() -> None:
    with pytest.raises(BadRequest):
        write_request(call(), target())


@given(damages() | st.binary().map(lambda data: lambda _: data))
def test_any_bytes_are_a_call_or_the_clients_fault(spoil: Damage) -> None:
    try:
        made = DIALECT.parse_request(request(spoil(json.dumps(GOOD).encode())))
    except BadRequest:
        return
    assert json.loads(write_request(made, target("up")).body)["model"] == "up"
