"""Model servers that run on this machine at their usual ports."""

from collections.abc import Collection, Sequence
from typing import Any

from twisted.internet.defer import CancelledError, Deferred, FirstError, gatherResults
from twisted.web.http_headers import Headers

import msgspec

from lightweight.upstream.agent import ProviderAgent
from lightweight.upstream.body import read_start
from lightweight.upstream.failures import FAILURES
from lightweight.upstream.found import Found
from lightweight.upstream.http import HOP_HEADER
from lightweight.upstream.response import Response

USUAL_PORTS = (("ollama", 11434), ("llamacpp", 8080), ("vllm", 8000))
"""Names of presets, and where each server listens unless it is told otherwise."""

DEADLINE_SECONDS = 0.5
LIST_BYTES = 1_048_576

_OK = 200
_LONGEST_ID = 256


class _Model(msgspec.Struct):
    id: str


class _Listing(msgspec.Struct):
    """GET /models (OpenAI API reference, "List models")."""

    object: str
    data: tuple[_Model, ...] | None = None


async def discover(
    reactor: Any,
    *,
    skip_ports: Collection[int],
    ports: Sequence[tuple[str, int]] = USUAL_PORTS,
) -> Sequence[Found]:
    """Give the servers that answer within half a second, in the order of ``ports``.

    ``skip_ports`` are our own. Never raises; cancelling stops the probes.
    """
    probes = [
        Deferred.fromCoroutine(_probe(reactor, name, port))
        for name, port in ports
        if port not in skip_ports
    ]
    try:
        found = await gatherResults(probes, consumeErrors=True)
    except FirstError:
        # A probe fails only by being cancelled.
        raise CancelledError from None
    return [each for each in found if each is not None]


async def _probe(reactor: Any, name: str, port: int) -> Found | None:
    base_url = f"http://127.0.0.1:{port}/v1"
    asking = Deferred.fromCoroutine(_ask(reactor, f"{base_url}/models".encode()))
    asking.addTimeout(DEADLINE_SECONDS, reactor, _nothing)
    try:
        models = _models(await asking)
    except FAILURES:
        return None
    return Found(name=name, base_url=base_url, models=models) if models else None


def _nothing(_result: object, _seconds: float) -> bytes:
    return b""


async def _ask(reactor: Any, url: bytes) -> bytes:
    agent = ProviderAgent(reactor, connect_timeout=DEADLINE_SECONDS, persistent=False)
    # A gateway of ours refuses requests that carry this.
    headers = Headers({"accept": ["application/json"], HOP_HEADER: ["discovery"]})
    response = await agent.request(b"GET", url, headers)
    assert isinstance(response, Response)
    if response.code != _OK:
        response.source.abort()
        return b""
    return await read_start(response.source, LIST_BYTES)


def _models(body: bytes) -> tuple[str, ...]:
    try:
        listing = msgspec.json.decode(body, type=_Listing)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ()
    if listing.object != "list":
        return ()
    return tuple(
        model.id
        for model in listing.data or ()
        if model.id.isprintable() and 0 < len(model.id) <= _LONGEST_ID
    )
