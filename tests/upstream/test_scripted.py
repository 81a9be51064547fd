import socket

from twisted.internet.threads import deferToThread

from support.scripted import (
    Flood,
    Gate,
    ScriptedProvider,
    StopReading,
    scripted_provider,
)

__all__ = ["scripted_provider"]

ASK = b"POST /v1/x HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n{}"


def _connect(provider: ScriptedProvider) -> socket.socket:
    return socket.create_connection(("127.0.0.1", provider.port), timeout=10)


async def test_says_exactly_what_the_script_says(
    scripted_provider: ScriptedProvider,
) -> None:
    scripted_provider.reply(body=b"[1]")
    gate = Gate()
    scripted_provider.stream([b"a", b"b"], gate)

    def client() -> bytes:
        with _connect(scripted_provider) as wire:
            wire.sendall(ASK + ASK)
            answer = b""
            while not answer.endswith(b"1\r\na\r\n"):
                answer += wire.recv(1000)
            return answer

    answer = await deferToThread(client)
    assert answer == (
        b"HTTP/1.1 200 Scripted\r\nContent-Type: application/json\r\n"
        b"Content-Length: 3\r\n\r\n[1]"
        b"HTTP/1.1 200 Scripted\r\nContent-Type: text/event-stream\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n"
    )
    seen = await scripted_provider.request_seen()
    assert (seen.head + seen.body, seen.connection) == (ASK, 1)
    assert (await scripted_provider.connection_lost()).connection == 1


async def test_a_leaving_peer_is_noticed_without_reading(
    scripted_provider: ScriptedProvider,
) -> None:
    scripted_provider.script(StopReading(), Flood(b"x" * 65536, 1000))
    wire = await deferToThread(_connect, scripted_provider)
    wire.sendall(ASK)
    await scripted_provider.request_seen()
    await scripted_provider.stalled()
    wire.close()
    assert (await scripted_provider.connection_lost()).connection == 1


async def test_a_provider_that_reads_nothing_notices_too(
    scripted_provider: ScriptedProvider,
) -> None:
    scripted_provider.reads_nothing = True
    wire = await deferToThread(_connect, scripted_provider)
    wire.sendall(ASK)
    await scripted_provider.connection_made()
    wire.close()
    assert (await scripted_provider.connection_lost()).reason is None
    assert scripted_provider.requests == []
