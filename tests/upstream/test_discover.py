"""Servers on loopback: only real model lists count, and nothing ever goes wrong."""

from typing import Any

from twisted.internet.defer import CancelledError, Deferred

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from support.scripted import SILENCE, Abort, ScriptedProvider, Send, head, whole

from lightweight.upstream.discover import USUAL_PORTS, _models, discover
from lightweight.upstream.found import Found

LIST = b'{"object":"list","data":[{"id":"gemma3:270m","object":"model"},{"id":"b"}]}'


async def found(
    reactor: Any, scripted: ScriptedProvider, skip: tuple[int, ...] = ()
) -> list[Found]:
    ports = [("ollama", scripted.port)]
    return list(await discover(reactor, skip_ports=skip, ports=ports))


def test_the_usual_ports() -> None:
    assert USUAL_PORTS == (("ollama", 11434), ("llamacpp", 8080), ("vllm", 8000))


async def test_a_server_with_models_is_found(
    scripted_provider: ScriptedProvider, reactor: Any
) -> None:
    scripted_provider.reply(body=LIST)
    assert await found(reactor, scripted_provider) == [
        Found(
            name="ollama",
            base_url=f"http://127.0.0.1:{scripted_provider.port}/v1",
            models=("gemma3:270m", "b"),
        )
    ]
    seen = await scripted_provider.request_seen()
    assert (seen.method, seen.path) == ("GET", "/v1/models")
    assert "x-lightweight-hop" in seen.headers
    assert "authorization" not in seen.headers
    await scripted_provider.connection_lost()


async def test_our_own_ports_are_not_asked(
    scripted_provider: ScriptedProvider, reactor: Any
) -> None:
    assert await found(reactor, scripted_provider, (scripted_provider.port,)) == []
    assert scripted_provider.connections == 0


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b"{}",
        b'{"object":"list"}',
        b'{"object":"list","data":null}',
        b'{"object":"list","data":[]}',
        b'{"object":"list","data":[{"name":"x"}]}',
        b'{"object":"list","data":[{"id":7}]}',
        b'{"object":"list","data":[{"id":""},{"id":"a\\nb"}]}',
        b'{"object":"error","data":[{"id":"x"}]}',
        b'{"object":"list","data":[{"id":"\xff"}]}',
        b"[" * 200_000,
        LIST[:-1],
    ],
)
async def test_what_is_no_list_of_models_is_not_found(
    scripted_provider: ScriptedProvider, reactor: Any, body: bytes
) -> None:
    scripted_provider.reply(body=body)
    assert await found(reactor, scripted_provider) == []
    await scripted_provider.connection_lost()


@pytest.mark.parametrize("status", [201, 301, 401, 404, 500])
async def test_only_a_200_counts(
    scripted_provider: ScriptedProvider, reactor: Any, status: int
) -> None:
    scripted_provider.reply(status, {"Location": "/v1/other"}, LIST)
    assert await found(reactor, scripted_provider) == []
    assert len(scripted_provider.requests) == 1
    await scripted_provider.connection_lost()


@pytest.mark.parametrize(
    "steps",
    [
        [SILENCE],
        [Abort()],
        [Send(b"SSH-2.0\r\n")],
        [Send(head(200, {"Content-Length": "500"}) + LIST), SILENCE],
    ],
)
async def test_a_server_that_misbehaves_is_not_found(
    scripted_provider: ScriptedProvider, reactor: Any, steps: list[Any]
) -> None:
    scripted_provider.script(*steps)
    assert await found(reactor, scripted_provider) == []
    await scripted_provider.connection_lost()


async def test_an_endless_list_is_cut_off(
    scripted_provider: ScriptedProvider, reactor: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr("lightweight.upstream.discover.LIST_BYTES", len(LIST) - 1)
    scripted_provider.reply(body=LIST)
    assert await found(reactor, scripted_provider) == []
    await scripted_provider.connection_lost()


async def test_nobody_there(scripted_provider: ScriptedProvider, reactor: Any) -> None:
    await scripted_provider.refuse()
    assert await found(reactor, scripted_provider) == []


async def test_all_are_asked_at_once_and_told_in_order(
    scripted_provider: ScriptedProvider, reactor: Any
) -> None:
    silent = await ScriptedProvider().start()
    try:
        silent.always(SILENCE)
        scripted_provider.always(*whole(200, None, LIST))
        ports = [
            ("one", scripted_provider.port),
            ("two", silent.port),
            ("three", scripted_provider.port),
        ]
        names = [f.name for f in await discover(reactor, skip_ports=(), ports=ports)]
        assert names == ["one", "three"]
    finally:
        await silent.stop()


async def test_cancelling_stops_the_probes(
    scripted_provider: ScriptedProvider, reactor: Any
) -> None:
    scripted_provider.script(SILENCE)
    probing = Deferred.fromCoroutine(found(reactor, scripted_provider))
    await scripted_provider.request_seen()
    probing.cancel()
    with pytest.raises(CancelledError):
        await probing
    await scripted_provider.connection_lost()


LISTINGS = [
    b'{"object":"list","data":[{"id":"a","object":"model"},{"id":"b"}]}',
    b'{"object":"list","data":null}',
    b'{"object":"list","data":[{"id":"\\u0000"},{"id":""},{"id":"a b"}]}',
    b'{"object":"list","data":[{"id":7}]}',
    b'{"object":"list","data":[{"id":"\\ud800"}]}',
    b'{"object":"error","data":[{"id":"a"}]}',
    b"<!doctype html><title>Ollama is running</title>",
    b'{"object":"list","other":' + b"[" * 100_000,
]
WEDGES = [b"", b'"', b"[", b"}", b"\\", b"\0", b"\xff", b"null", b"1e999", b",", b"{}"]


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    said = draw(st.sampled_from(LISTINGS))
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, min(len(said), 80)))
        rest = said[at + draw(st.integers(0, 2)) :]
        said = said[:at] + draw(st.sampled_from(WEDGES)) + rest
    return said


@given(mutated())
@example(LISTINGS[2])
@example(LISTINGS[4])
@example(LISTINGS[-1])
def test_whatever_a_server_says_its_models_have_names(said: bytes) -> None:
    models = _models(said)
    assert all(model.isprintable() and 0 < len(model) <= 256 for model in models)
    assert _models(LISTINGS[0]) == ("a", "b")
