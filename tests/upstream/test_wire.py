"""One connection: what it sends, whose bytes come back, and when it is through."""

import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from twisted.internet.threads import deferToThread

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from support.scripted import (
    SILENCE,
    Flood,
    Gate,
    ScriptedProvider,
    Send,
    Wait,
    head,
    whole,
)
from support.sink import RecordingSink, outgoing, turns
from support.tls import authority

from lightweight.config.schema import Timeouts
from lightweight.errors import ProviderCut, ProviderGarbage, ProviderUnreachable
from lightweight.upstream import wire
from lightweight.upstream.http import HttpProvider
from lightweight.upstream.wire import (
    IDLE_SECONDS,
    LONGEST_IDLE_SECONDS,
    PIECE_BYTES,
    _patience,
)
from lightweight.upstream.wire_response import HEAD_BYTES

MakeProvider = Callable[..., HttpProvider]

OK = whole(200, None, b"{}")


async def ask(provider: HttpProvider, body: bytes = b"{}") -> bytes:
    reply = await provider.send(outgoing(body), "r1")
    sink = RecordingSink()
    reply.body.deliver(sink)
    assert await sink.end() is None
    return sink.data


async def test_what_nobody_asked_for_ends_the_connection(
    scripted_provider: ScriptedProvider,
    client_of: MakeProvider,
    reactor: Any,
    monkeypatch: Any,
) -> None:
    # Nothing here is closed for being idle.
    monkeypatch.setattr(wire, "IDLE_SECONDS", 3600)
    provider = client_of(scripted_provider)
    (answer,) = OK
    assert isinstance(answer, Send)
    scripted_provider.script(Send(answer.data + answer.data))
    assert await ask(provider) == b"{}"
    await scripted_provider.connection_lost()
    gate = Gate()
    scripted_provider.script(*OK, Wait(gate), *OK)
    assert await ask(provider) == b"{}"
    gate.open()
    await scripted_provider.connection_lost()
    await turns(reactor, 2)
    scripted_provider.script(*OK)
    assert await ask(provider) == b"{}"
    assert [seen.connection for seen in scripted_provider.requests] == [1, 2, 3]


@pytest.mark.parametrize(
    "steps",
    [
        (Send(b"HTTP/1.1 200 OK\r\n"), Flood(b"X-A: b\r\n" * 1000, 200)),
        (Flood(head(103, {"Link": "</x>"}) * 100, 1000),),
        (Flood(b"x" * 10_000, 1000),),
    ],
    ids=["headers", "informational", "no line"],
)
async def test_a_head_without_an_end_is_cut_off(
    either: ScriptedProvider, client_of: MakeProvider, steps: tuple[Any, ...]
) -> None:
    either.script(*steps, SILENCE)
    with pytest.raises((ProviderGarbage, ProviderUnreachable)):
        await ask(client_of(either))
    await either.connection_lost()


async def test_a_large_head_and_interim_answers_are_fine(
    scripted_provider: ScriptedProvider, client_of: MakeProvider
) -> None:
    large = {f"X-{n}": "y" * 1000 for n in range(HEAD_BYTES // 2000)}
    (answer,) = whole(200, large, b"{}")
    assert isinstance(answer, Send)
    scripted_provider.script(Send(head(103, {}) + head(100, {})), answer)
    assert await ask(client_of(scripted_provider)) == b"{}"


@pytest.mark.parametrize("status", [204, 304])
async def test_an_answer_without_a_body_leaves_the_connection_to_the_next(
    scripted_provider: ScriptedProvider, client_of: MakeProvider, status: int
) -> None:
    provider = client_of(scripted_provider)
    if status == 304:
        scripted_provider.script(Send(head(status, {"Content-Length": "7"})))
        with pytest.raises(ProviderGarbage, match="redirect"):
            await ask(provider)
    else:
        scripted_provider.script(Send(head(status)))
        assert await ask(provider) == b""
    scripted_provider.script(*OK)
    assert await ask(provider) == b"{}"
    assert scripted_provider.connections == 1


@pytest.mark.parametrize("said", ["close", "Close", "TE, close"])
async def test_who_says_close_is_taken_at_his_word(
    either: ScriptedProvider, client_of: MakeProvider, said: str
) -> None:
    either.reply(headers={"Connection": said}, body=b"{}")
    assert await ask(client_of(either)) == b"{}"
    await either.connection_lost()


async def test_trailers_are_read_and_dropped(
    either: ScriptedProvider, client_of: MakeProvider
) -> None:
    provider = client_of(either)
    chunked = head(200, {"Transfer-Encoding": "chunked"})
    either.script(Send(chunked + b"2\r\nok\r\n0\r\nX-A: b\r\n\r\n"))
    either.script(*OK)
    assert await ask(provider) == b"ok"
    assert await ask(provider) == b"{}"
    assert either.connections == 1


@pytest.mark.parametrize("says_goodbye", [True, False])
async def test_over_tls_only_a_goodbye_ends_a_body_without_a_length(
    reactor: Any, tmp_path: Path, *, says_goodbye: bool
) -> None:
    """What an attacker could have cut off must not pass for whole."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    pem = tmp_path / "server.pem"
    pem.write_bytes(authority().server().pem)
    server.load_cert_chain(pem)

    def answer(listener: socket.socket) -> None:
        peer, _ = listener.accept()
        with server.wrap_socket(peer, server_side=True) as secured:
            secured.recv(65536)
            secured.sendall(head(200) + b"half")
            if says_goodbye:
                secured.unwrap()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        answering = deferToThread(answer, listener)
        provider = HttpProvider(
            reactor,
            name="acme",
            base_url=f"https://127.0.0.1:{listener.getsockname()[1]}",
            credential={},
            timeouts=Timeouts(),
            instance="instance-1",
            wall=lambda: 0.0,
            authorities=authority().pem.decode(),
        )
        reply = await provider.send(outgoing(), "r1")
        sink = RecordingSink()
        reply.body.deliver(sink)
        fault = await sink.end()
        with suppress(ConnectionError):
            await answering
        await provider.close()
    assert sink.data == b"half"
    assert type(fault) is (type(None) if says_goodbye else ProviderCut)


# -- large requests --------------------------------------------------------------------


@pytest.mark.parametrize("size", [PIECE_BYTES, PIECE_BYTES + 1, 5_000_000])
async def test_a_large_body_arrives_whole(
    either: ScriptedProvider, client_of: MakeProvider, size: int
) -> None:
    provider = client_of(either)
    body = bytes(range(256)) * (size // 256 + 1)
    for _ in range(2):
        either.script(*OK)
        assert await ask(provider, body[:size]) == b"{}"
    assert [seen.body == body[:size] for seen in either.requests] == [True, True]
    assert either.connections == 1


async def test_no_more_than_a_piece_waits_for_a_provider_that_does_not_read(
    scripted_provider: ScriptedProvider, client_of: MakeProvider, reactor: Any
) -> None:
    scripted_provider.early = True
    scripted_provider.script(Send(head(413, {"Content-Length": "9"})), SILENCE)
    body = b" " * 20_000_000
    reply = await client_of(scripted_provider).send(outgoing(body), "r1")
    await turns(reactor, 20)
    transport = reply.body._line.transport  # type: ignore[attr-defined]  # it is there
    waiting = len(transport.dataBuffer) + transport._tempDataLen
    assert waiting <= PIECE_BYTES
    reply.body.abort()
    await scripted_provider.connection_lost()


async def test_who_answers_before_all_was_sent_is_not_asked_again_there(
    either: ScriptedProvider, client_of: MakeProvider
) -> None:
    either.early = True
    either.script(*whole(200, None, b"early"))
    assert await ask(client_of(either), b" " * 20_000_000) == b"early"
    await either.connection_lost()


# -- Keep-Alive ------------------------------------------------------------------------


@given(
    st.lists(
        st.sampled_from(["timeout", "=", " ", '"', ",", ";", "max", "0", "77", "x"])
    ).map("".join)
)
@example("timeout=600")
@example("timeout=99999999999")
@example('max=1;timeout = "20"')
@example("xtimeout=3")
def test_whatever_a_provider_says_of_keep_alive(said: str) -> None:
    seconds = _patience(said)
    assert -1 <= seconds <= LONGEST_IDLE_SECONDS
    if "timeout" not in said or not set(said) & set("0123456789"):
        assert seconds == IDLE_SECONDS
