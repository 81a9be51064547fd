"""The provider on the network: what it sends, when it gives up, how it stops."""

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import CancelledError, Deferred

import pytest
from support.scripted import (
    SILENCE,
    Abort,
    Close,
    Gate,
    ScriptedProvider,
    Send,
    Wait,
    head,
)
from support.sink import CHAT, RecordingSink, outgoing, turns

from lightweight import __version__
from lightweight.config.schema import Timeouts
from lightweight.errors import (
    ProviderFault,
    ProviderGarbage,
    ProviderTimeout,
    ProviderUnreachable,
)
from lightweight.upstream.http import HttpProvider, credential_headers

MakeProvider = Callable[..., HttpProvider]
CANARY = "sk-canary-12345"


async def body_of(provider: HttpProvider, **headers: str) -> bytes:
    reply = await provider.send(outgoing(CHAT, **headers), "req-1")
    sink = RecordingSink()
    reply.body.deliver(sink)
    assert await sink.end() is None
    return sink.data


async def failing(provider: HttpProvider) -> ProviderFault:
    with pytest.raises(ProviderFault) as raised:
        await provider.send(outgoing(), "req-1")
    told = raised.value.message
    assert told.startswith("Provider 'acme' ")
    assert told.endswith(".")
    for secret in (CANARY, "127.0.0.1", "http:", "https:", "/v1"):
        assert secret not in told
    assert raised.value.__suppress_context__ or raised.value.__context__ is None
    return raised.value


async def test_the_provider_sees_these_headers_and_no_others(
    scripted_provider: ScriptedProvider, client_of: MakeProvider
) -> None:
    scripted_provider.reply(body=b"{}")
    provider = client_of(scripted_provider, {"authorization": f"Bearer {CANARY}"})
    leaked = dict.fromkeys(
        (
            "authorization",
            "x_api_key",
            "api_key",
            "x_goog_api_key",
            "cookie",
            "proxy_authorization",
            "forwarded",
            "x_forwarded_for",
            "x_real_ip",
            "origin",
            "referer",
            "sec_fetch_mode",
            "connection",
            "te",
            "transfer_encoding",
            "host",
            "content_length",
            "user_agent",
            "accept_encoding",
            "x_stainless_os",
            "openai_organization",
            "x_lightweight_hop",
        ),
        "client-canary",
    )
    assert await body_of(provider, accept="*/*", openai_beta="b1", **leaked) == b"{}"
    seen = await scripted_provider.request_seen()
    assert seen.head.startswith(b"POST /v1/chat/completions HTTP/1.1\r\n")
    assert seen.body == CHAT
    assert sorted(seen.header_list) == [
        ("Accept", "*/*"),
        ("Accept-Encoding", "identity"),
        ("Authorization", f"Bearer {CANARY}"),
        ("Content-Length", str(len(CHAT))),
        ("Content-Type", "application/json"),
        ("Host", f"127.0.0.1:{scripted_provider.port}"),
        ("Openai-Beta", "b1"),
        ("User-Agent", f"lightweight/{__version__}"),
        ("X-Client-Request-Id", "req-1"),
        ("X-Lightweight-Hop", "instance-1"),
    ]


async def test_no_header_of_one_call_is_in_the_next(
    scripted_provider: ScriptedProvider, client_of: MakeProvider
) -> None:
    provider = client_of(scripted_provider)
    traced: list[dict[str, str]] = [
        {"traceparent": "00-a"},
        {},
        {"traceparent": "00-b"},
    ]
    for headers in (*traced, *traced):
        scripted_provider.reply(body=b"{}")
        await body_of(provider, **headers)
        seen = await scripted_provider.request_seen()
        assert seen.headers.get("traceparent") == headers.get("traceparent")


@pytest.mark.parametrize(
    ("kind", "shown"),
    [
        ("openai", {"authorization": "Bearer k"}),
        ("ollama", {"authorization": "Bearer k"}),
        ("azure", {"api-key": "k"}),
        ("anthropic", {"x-api-key": "k"}),
        ("gemini", {"x-goog-api-key": "k"}),
    ],
)
def test_each_kind_is_shown_its_key_in_its_way(
    kind: str, shown: dict[str, str]
) -> None:
    assert credential_headers(kind, "k") == shown
    assert credential_headers(kind, None) == {}


async def test_no_cookie_comes_back(
    scripted_provider: ScriptedProvider, client_of: MakeProvider
) -> None:
    cookie = {"Set-Cookie": "session=canary; Path=/", "Set-Cookie2": "a=b"}
    for _ in range(3):
        scripted_provider.reply(headers=cookie, body=b"{}")
    provider = client_of(scripted_provider)
    await body_of(provider)
    await provider.probe()
    await body_of(provider)
    assert len(scripted_provider.requests) == 3
    for seen in scripted_provider.requests:
        assert "cookie" not in seen.headers
    assert list(provider._client._cookiejar) == [], "none is kept either"
    assert scripted_provider.connections == 1, "the connection served all"


@pytest.mark.parametrize("status", [301, 302, 303, 304, 307, 308])
async def test_a_redirect_is_not_followed(
    scripted_provider: ScriptedProvider, client_of: MakeProvider, status: int
) -> None:
    where = {"Location": scripted_provider.base_url + "/elsewhere"}
    scripted_provider.script(
        Send(head(status, {**where, "Content-Length": "5"}) + b"moved")
    )
    fault = await failing(client_of(scripted_provider))
    assert isinstance(fault, ProviderGarbage)
    assert "redirect; check its base_url" in fault.message
    assert len(scripted_provider.requests) == 1


async def test_the_head_comes_before_the_body_and_in_lower_case(
    scripted_provider: ScriptedProvider, client_of: MakeProvider
) -> None:
    gate = Gate()
    named = {"Content-Type": "text/event-stream", "X-Request-ID": "up-1"}
    lines = head(200, {**named, "Content-Length": "2"})[:-2]
    scripted_provider.script(Send(lines + b"X-Two: a\r\nx-two: b\r\n\r\n"), Wait(gate))
    reply = await client_of(scripted_provider).send(outgoing(), "req-1")
    assert reply.status == 200
    assert reply.headers == {
        "content-type": "text/event-stream",
        "x-request-id": "up-1",
        "content-length": "2",
        "x-two": "a, b",
    }
    reply.body.abort()
    await scripted_provider.connection_lost()


async def test_an_error_answer_is_a_reply(
    scripted_provider: ScriptedProvider, client_of: MakeProvider
) -> None:
    scripted_provider.reply(429, {"Retry-After": "7"}, b"{}")
    reply = await client_of(scripted_provider).send(outgoing(), "req-1")
    sink = RecordingSink()
    reply.body.deliver(sink)
    assert await sink.end() is None
    assert (reply.status, reply.headers["retry-after"]) == (429, "7")


async def test_the_body_of_an_error_answer_has_little_time(
    scripted_provider: ScriptedProvider,
    client_of: MakeProvider,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("lightweight.upstream.http.ERROR_BODY_SECONDS", 0.05)
    scripted_provider.script(
        Send(head(500, {"Content-Length": "9"}) + b"half"), SILENCE
    )
    reply = await client_of(scripted_provider).send(outgoing(), "req-1")
    sink = RecordingSink()
    reply.body.deliver(sink)
    assert isinstance(await sink.end(), ProviderTimeout)
    await scripted_provider.connection_lost()


# -- cancelling ------------------------------------------------------------------------


async def test_cancelling_before_the_head_resets_the_connection(
    either: ScriptedProvider, client_of: MakeProvider, reactor: Any
) -> None:
    either.script(SILENCE)
    asking = Deferred.fromCoroutine(client_of(either).send(outgoing(), "req-1"))
    await either.request_seen()
    asking.cancel()
    with pytest.raises(CancelledError):
        await asking
    await either.connection_lost()


async def test_cancelling_reaches_a_provider_that_never_reads(
    scripted_provider: ScriptedProvider, client_of: MakeProvider, reactor: Any
) -> None:
    scripted_provider.reads_nothing = True
    large = outgoing(b" " * 20_000_000)
    asking = Deferred.fromCoroutine(client_of(scripted_provider).send(large, "req-1"))
    await scripted_provider.connection_made()
    await turns(reactor, 20)
    asking.cancel()
    with pytest.raises(CancelledError):
        await asking
    await scripted_provider.connection_lost()
    assert scripted_provider.requests == []


async def test_cancelling_in_a_tls_handshake_resets_the_connection(
    scripted_provider: ScriptedProvider, reactor: Any
) -> None:
    provider = over_tls(scripted_provider, reactor)
    asking = Deferred.fromCoroutine(provider.send(outgoing(), "req-1"))
    await scripted_provider.connection_made()
    asking.cancel()
    with pytest.raises(CancelledError):
        await asking
    await scripted_provider.connection_lost()


# -- clocks ----------------------------------------------------------------------------


def over_tls(scripted: ScriptedProvider, reactor: Any, **clocks: float) -> HttpProvider:
    """Make a client that speaks TLS to a provider that does not."""
    return HttpProvider(
        reactor,
        name="acme",
        base_url=scripted.base_url.replace("http:", "https:"),
        credential={"authorization": f"Bearer {CANARY}"},
        timeouts=Timeouts(**clocks),
        instance="instance-1",
        wall=lambda: 0.0,
    )


async def test_the_connect_clock_covers_the_handshake(
    scripted_provider: ScriptedProvider, reactor: Any
) -> None:
    fault = await failing(over_tls(scripted_provider, reactor, connect=0.05))
    assert isinstance(fault, ProviderTimeout)
    assert "did not take a connection in time" in fault.message
    await scripted_provider.connection_lost()


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 200 OK\r\nContent-Ty"])
async def test_the_first_byte_clock(
    either: ScriptedProvider, client_of: MakeProvider, said: bytes
) -> None:
    either.script(Send(said), SILENCE)
    fault = await failing(client_of(either, first_byte=0.05))
    assert isinstance(fault, ProviderTimeout)
    assert "did not begin to answer" in fault.message
    await either.connection_lost()


async def test_the_total_clock_runs_before_the_head_too(
    either: ScriptedProvider, client_of: MakeProvider
) -> None:
    either.script(SILENCE)
    fault = await failing(client_of(either, total=0.5))
    assert isinstance(fault, ProviderTimeout)
    assert "total time" in fault.message
    await either.connection_lost()


async def test_the_idle_clock(
    either: ScriptedProvider, client_of: MakeProvider
) -> None:
    either.stream([b"data: 1\n\n"], end="silence")
    reply = await client_of(either, idle=0.05).send(outgoing(), "req-1")
    sink = RecordingSink()
    reply.body.deliver(sink)
    fault = await sink.end()
    assert isinstance(fault, ProviderTimeout)
    assert fault.message == "Provider 'acme' fell silent in the middle of an answer."
    assert sink.data == b"data: 1\n\n"
    await either.connection_lost()


async def test_the_total_clock_ends_a_lively_stream(
    scripted_provider: ScriptedProvider, client_of: MakeProvider
) -> None:
    gate = Gate()
    scripted_provider.stream([b"x"] * 100_000, gate)
    reply = await client_of(scripted_provider, total=0.2).send(outgoing(), "req-1")
    sink = RecordingSink(on_piece=gate.let)
    reply.body.deliver(sink)
    fault = await sink.end()
    assert isinstance(fault, ProviderTimeout)
    assert fault.message == "Provider 'acme' did not finish its answer in time."
    await scripted_provider.connection_lost()


# -- failures --------------------------------------------------------------------------


async def test_a_refused_connection(
    scripted_provider: ScriptedProvider, client_of: MakeProvider
) -> None:
    await scripted_provider.refuse()
    fault = await failing(client_of(scripted_provider))
    assert isinstance(fault, ProviderUnreachable)
    assert "refuses connections" in fault.message


@pytest.mark.parametrize(
    ("steps", "kind"),
    [
        ([Close()], ProviderUnreachable),
        ([Abort()], ProviderUnreachable),
        ([Send(b"HTTP/1.1 200 OK\r\n"), Close()], ProviderUnreachable),
        ([Send(b"HTTP/1.1 200 OK\r\n"), Abort()], ProviderUnreachable),
        ([Send(b"SSH-2.0-OpenSSH_9.2\r\n")], ProviderGarbage),
        ([Send(b"HTTP/1.1 fine OK\r\n\r\n")], ProviderGarbage),
        ([Send(b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n")], ProviderGarbage),
        ([Send(head(200, {"Content-Length": "ten"}))], ProviderGarbage),
        ([Send(head(200, {"Transfer-Encoding": "gzip"}))], ProviderGarbage),
        ([Send(head(200, {"Content-Encoding": "gzip"}))], ProviderGarbage),
    ],
)
async def test_what_is_no_answer(
    either: ScriptedProvider,
    client_of: MakeProvider,
    steps: list[Any],
    kind: type[ProviderFault],
) -> None:
    either.script(*steps)
    provider = client_of(either, {"authorization": f"Bearer {CANARY}"})
    assert type(await failing(provider)) is kind
    await either.connection_lost()


async def test_a_certificate_nobody_trusts(
    either: ScriptedProvider, reactor: Any
) -> None:
    """Neither a TLS server of an unknown authority nor one that speaks no TLS."""
    if either.base_url.startswith("http:"):
        either.always(Send(b"HTTP/1.1 400 Bad Request\r\n\r\n"))
    provider = HttpProvider(
        reactor,
        name="acme",
        base_url=either.base_url.replace("http:", "https:"),
        credential={"authorization": f"Bearer {CANARY}"},
        timeouts=Timeouts(connect=0.5),
        instance="instance-1",
        wall=lambda: 0.0,
    )
    fault = await failing(provider)
    if either.base_url.startswith("https:"):
        assert isinstance(fault, ProviderUnreachable)
        assert "certificate" in fault.message
    assert either.requests == []
    await either.connection_lost()


async def test_a_refusal_before_the_body_was_read_is_heard(
    scripted_provider: ScriptedProvider, client_of: MakeProvider
) -> None:
    scripted_provider.early = True
    scripted_provider.reply(413, {"Content-Type": "application/json"}, b"{}")
    large = outgoing(b" " * 20_000_000)
    reply = await client_of(scripted_provider).send(large, "req-1")
    assert reply.status == 413
    reply.body.abort()
    await scripted_provider.connection_lost()
