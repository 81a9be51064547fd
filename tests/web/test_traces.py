"""A client's trace reaches the provider, whatever is translated, and the access log."""

import json

import pytest
from support.gateway import Gateway

TRACE = "0af7651916cd43dd8448eb211c80319c"
FIELDS = {
    "traceparent": f"00-{TRACE}-b7ad6b7169203331-01",
    "tracestate": "rojo=00f067aa0ba902b7",
}
ASKED = {
    "model": "renamed",
    "max_tokens": 10,
    "messages": [{"role": "user", "content": "Hi"}],
}


def asked(path: str, headers: dict[str, str]) -> Gateway:
    gateway = Gateway()
    client = gateway.connect()
    client.ask("POST", path, json.dumps(ASKED).encode(), headers)
    gateway.one.reply(400).end()
    gateway.turn()
    return gateway


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages"])
def test_it_is_passed_on_and_logged(path: str) -> None:
    gateway = asked(path, FIELDS)
    (outgoing,) = gateway.one.asked
    assert FIELDS.items() <= outgoing.headers.items()
    assert gateway.visit.trace_id == TRACE


def test_what_is_no_trace_goes_nowhere() -> None:
    gateway = asked("/v1/chat/completions", {**FIELDS, "traceparent": "t"})
    (outgoing,) = gateway.one.asked
    assert not FIELDS.keys() & outgoing.headers.keys()
    assert gateway.visit.trace_id is None


def test_no_trace_is_begun_here() -> None:
    gateway = asked("/v1/chat/completions", {})
    (outgoing,) = gateway.one.asked
    assert not FIELDS.keys() & outgoing.headers.keys()
    assert gateway.visit.trace_id is None
