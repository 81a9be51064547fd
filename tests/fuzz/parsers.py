"""Every parser of what others send or write: bytes in, a value out.

A parser names the faults it may answer with; whatever else it raises is a bug of ours.
"""

import tomllib
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import date
from ipaddress import ip_network
from pathlib import Path
from typing import NamedTuple

from msgspec.structs import replace
from support.chat import call, request

from lightweight.config import units, values
from lightweight.config.lines import lines_of
from lightweight.config.load import ConfigError, load
from lightweight.config.redis import parse_redis_url
from lightweight.daemon.messages import Misunderstood, Order, decode, decode_report
from lightweight.dialects import crossing, seals
from lightweight.dialects.data_url import split_data_url
from lightweight.dialects.form import read_form
from lightweight.dialects.json_body import decode_object
from lightweight.dialects.ndjson import Lines
from lightweight.dialects.sse import Framing
from lightweight.errors import ClientFault, Fault, InvalidKey, ProviderFault
from lightweight.policy.retry import retry_after
from lightweight.policy.statement import period_of
from lightweight.policy.trace import parent_of, trace_of
from lightweight.records import DialectName, Headers, Request, Target
from lightweight.runtime import DIALECTS
from lightweight.store.connect import read_url
from lightweight.store.keys import plausible
from lightweight.store.problems import StoreProblem
from lightweight.store.segments import records_in
from lightweight.upstream.wire_response import BadResponse, ResponseParser
from lightweight.web.auth import presented_key
from lightweight.web.dashboard.asked import form_of
from lightweight.web.forwarded import client_address, client_scheme_is_https
from lightweight.web.front_head import is_whole, may_become, read_head
from lightweight.web.sessions import Door, presented_secret

TALKING: tuple[DialectName, ...] = (
    "openai_chat",
    "openai_responses",
    "anthropic",
    "gemini",
    "ollama",
)
"""Dialects that whole conversations are carried into."""

ASKING: Mapping[DialectName, str] = {
    "openai_chat": "/v1/chat/completions",
    "openai_responses": "/v1/responses",
    "anthropic": "/v1/messages",
    "ollama": "/api/chat",
    "ollama_generate": "/api/generate",
}
"""Dialects of conversations, with the paths where clients ask."""

RELAYED: Mapping[DialectName, str] = {
    "ollama_embed": "/api/embed",
    "openai_completions": "/v1/completions",
    "openai_embeddings": "/v1/embeddings",
    "openai_moderations": "/v1/moderations",
    "openai_images": "/v1/images/generations",
    "openai_speech": "/v1/audio/speech",
    "openai_rerank": "/v1/rerank",
}

PATHS = frozenset({b"/v1/chat/completions"})
FORM = "multipart/form-data; boundary=b0undary"

ONE_PART = b'--b\r\nContent-Disposition: form-data; name="model"\r\n\r\nm\r\n--b--\r\n'


class Parser(NamedTuple):
    """What is tried, and how it may refuse."""

    parse: Callable[[bytes], object]
    faults: tuple[type[Exception], ...]


def target(dialect: DialectName) -> Target:
    return Target(provider="p", model="up", dialect=dialect)


def of_text(
    parse: Callable[[str], object], *faults: type[Exception], encoding: str = "latin-1"
) -> Parser:
    """Give a parser of a header or a setting."""
    return Parser(lambda data: parse(data.decode(encoding, "replace")), faults)


def of_value(parse: Callable[[object], object]) -> Parser:
    """Give a parser of a value in the configuration: any type may stand there."""

    def parse_all(data: bytes) -> object:
        text = data.decode("utf-8", "replace")
        for other in (None, True, len(data), float(len(data)), [text], {text: text}):
            with suppress(ValueError):
                parse(other)
        return parse(text)

    return Parser(parse_all, (ValueError,))


def asked(dialect: DialectName, path: str, body: bytes, **headers: str) -> Request:
    return replace(request(body, **headers), path=path)


def conversation(dialect: DialectName) -> Parser:
    """A client's request, and asking every kind of provider for it."""

    def parse(body: bytes) -> object:
        made = DIALECTS[dialect].parse_request(asked(dialect, ASKING[dialect], body))
        for name in TALKING:
            # What a provider has no word for is refused, in the client's names.
            with suppress(ClientFault):
                crossing.write_request(DIALECTS, made, target(name))
        return made

    return Parser(parse, (ClientFault,))


def relayed(dialect: DialectName) -> Parser:
    """A client's request of an endpoint that is only passed on."""

    def parse(body: bytes) -> object:
        made = DIALECTS[dialect].parse_request(asked(dialect, RELAYED[dialect], body))
        return DIALECTS[dialect].write_request(made, target("openai_chat"))

    return Parser(parse, (ClientFault,))


def answer(dialect: DialectName, *, stream: bool) -> Parser:
    """A provider's answer on its way to a client of each dialect."""
    asking = call(stream=stream)

    def parse(body: bytes) -> object:
        given = []
        for client in ASKING:
            way = crossing.passage(
                DIALECTS, replace(asking, dialect=client), target(dialect)
            )
            with suppress(ProviderFault):
                given.append(way.feed(body) + way.finish())
        return given

    return Parser(parse, (ProviderFault,))


def refusal(dialect: DialectName) -> Parser:
    """A provider's answer that is no success: always a fault that can be told."""

    def parse(body: bytes) -> object:
        for status in (400, 401, 404, 418, 429, 500, 529):
            fault = DIALECTS[dialect].read_error(status, {"retry-after": "x"}, body)
            assert isinstance(fault, Fault)
            for client in ASKING:
                assert DIALECTS[client].render_error(fault).status >= 400
        return None

    return Parser(parse, ())


def _head(data: bytes) -> object:
    if not is_whole(data):
        return may_become(data, PATHS)
    return read_head(data, PATHS, max_body=1 << 20, arrived=0.0)


class _Nobody:
    def head(self, status: int, reason: str, fields: object) -> None:
        assert 200 <= status <= 999

    def body(self, data: bytes) -> None:
        assert data


def _wire(data: bytes) -> object:
    parser = ResponseParser()
    parser.expect(_Nobody())
    return parser.feed(data)


def _config(data: bytes) -> object:
    text = data.decode("utf-8", "replace")
    return load(Path("/x.toml"), {}, texts={Path("/x.toml"): text})


def _lines(data: bytes) -> object:
    text = data.decode("utf-8", "replace")
    # Only what this accepted is asked for its lines, and then they must be found.
    tomllib.loads(text)
    try:
        return lines_of(text)
    except ValueError as error:
        raise AssertionError(text) from error


def _segments(data: bytes) -> object:
    for live in (True, False):
        ends = [end for _, end in records_in(data, live=live)]
        assert ends == sorted(set(ends))
    return ends


def _address(text: str) -> object:
    networks = [ip_network("0.0.0.0/0"), ip_network("::/0")]
    assert isinstance(client_scheme_is_https("127.0.0.1", text, networks), bool)
    return client_address("127.0.0.1", text, networks)


def _trace(text: str) -> object:
    parent = parent_of(text)
    assert parent is None or parent_of(parent) == parent
    return trace_of({"traceparent": text, "tracestate": text})


def _key(text: str) -> object:
    named: list[Headers] = [
        {"authorization": text},
        {"authorization": f"Bearer {text}"},
        {"x-api-key": text},
    ]
    for headers in named:
        with suppress(InvalidKey):
            assert presented_key(headers)
    return plausible(text)


def _sealed(text: str) -> object:
    call_id, _ = seals.without_carried(text)
    assert text.startswith(call_id)
    return seals.unwrapped(text)


def _web_form(data: bytes) -> object:
    kind = "application/x-www-form-urlencoded"
    return form_of(request(data, content_type=kind))


def _period(text: str) -> object:
    start, _, end = text.partition("/")
    first, after = period_of(start, end or None, today=date(2026, 11, 23))
    assert first < after
    return first


DOOR = Door(host="localhost", secure=False, address="127.0.0.1")

PARSERS: Mapping[str, Parser] = {
    "head": Parser(_head, ()),
    "response": Parser(_wire, (BadResponse,)),
    "sse": Parser(lambda data: [*Framing().feed(data)], (ProviderFault,)),
    "ndjson": Parser(lambda data: [*Lines().feed(data)], (ProviderFault,)),
    "json_body": Parser(decode_object, (ClientFault,)),
    "multipart": Parser(lambda data: read_form(FORM, data), (ClientFault,)),
    "multipart_type": of_text(lambda text: read_form(text, ONE_PART), ClientFault),
    "web_form": Parser(_web_form, (ClientFault,)),
    **{f"ask_{name}": conversation(name) for name in ASKING},
    **{f"ask_{name}": relayed(name) for name in RELAYED},
    **{f"stream_{name}": answer(name, stream=True) for name in TALKING},
    **{f"whole_{name}": answer(name, stream=False) for name in TALKING},
    **{f"error_{name}": refusal(name) for name in TALKING},
    "seals": of_text(_sealed),
    "data_url": of_text(split_data_url),
    "config": Parser(_config, (ConfigError,)),
    "config_lines": Parser(_lines, (tomllib.TOMLDecodeError,)),
    "duration": of_value(units.parse_duration),
    "size": of_value(units.parse_size),
    "tokens": of_value(units.parse_tokens),
    "endpoint": of_value(values.endpoint),
    "web_url": of_value(values.web_url),
    "network": of_value(values.network),
    "origin": of_value(values.origin),
    "day": of_value(values.day),
    "dollars": of_value(values.micro_usd),
    "redis_url": of_text(parse_redis_url, ValueError),
    "database_url": of_text(read_url, StoreProblem),
    "key": of_text(_key),
    "cookie": of_text(lambda text: presented_secret({"cookie": text}, DOOR)),
    "forwarded": of_text(_address),
    "traceparent": of_text(_trace),
    "retry_after": of_text(lambda text: retry_after(text, 1.8e9)),
    "period": of_text(_period, ClientFault),
    "segment": Parser(_segments, ()),
    "report": Parser(decode_report, (Misunderstood,)),
    "order": Parser(lambda data: decode(data, Order), (Misunderstood,)),
}
