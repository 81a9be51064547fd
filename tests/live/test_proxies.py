"""The proxies' samples of etc/, each run by the real proxy before a real daemon."""

import http.client
import json
import shutil
import signal
import ssl
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from twisted.internet.threads import deferToThread

import pytest
from support.daemon import Child, Gateway, spawn
from support.live import CHUNK
from support.ports import free_port
from support.scripted import Gate, ScriptedProvider
from support.tls import authority
from support.until import until

pytestmark = pytest.mark.debian

SAMPLES = Path(__file__).parents[2] / "etc" / "proxies"
END = b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n'
CLIENT = "127.0.0.2"
DONE = b"data: [DONE]\n\n"
BODY = {
    "model": "test-model",
    "stream": True,
    "messages": [{"role": "user", "content": "Hello!"}],
}


def replaced(sample: str, *changes: tuple[str, str]) -> str:
    """Give the sample with this machine's addresses and files, every one of them."""
    text = (SAMPLES / sample).read_text()
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    return text


def nginx(home: Path, backend: str, port: int) -> list[str]:
    sample = replaced(
        "nginx.conf",
        ("127.0.0.1:8080", backend),
        ("listen 443", f"listen 127.0.0.1:{port}"),
        ("/etc/ssl/lightweight", str(home)),
    )
    places = "".join(
        f"{name}_temp_path {home / name};\n"
        for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (home / "nginx.conf").write_text(
        f"daemon off;\nuser root;\npid {home / 'nginx.pid'};\nerror_log stderr;\n"
        f"events {{}}\nhttp {{\naccess_log off;\n{places}{sample}}}\n"
    )
    return ["nginx", "-p", str(home), "-c", str(home / "nginx.conf")]


def haproxy(home: Path, backend: str, port: int) -> list[str]:
    sample = replaced(
        "haproxy.cfg",
        ("127.0.0.1:8080", backend),
        ("bind :443", f"bind 127.0.0.1:{port}"),
        ("/etc/ssl/lightweight", str(home)),
    )
    (home / "haproxy.cfg").write_text(sample)
    return ["haproxy", "-db", "-f", str(home / "haproxy.cfg")]


def caddy(home: Path, backend: str, port: int) -> list[str]:
    certificate = f"tls {home / 'chain.pem'} {home / 'key.pem'}"
    sample = replaced(
        "Caddyfile",
        ("127.0.0.1:8080", backend),
        ("ai.example.org {", f"https://127.0.0.1:{port} {{\n\t{certificate}"),
    )
    (home / "Caddyfile").write_text(
        f"{{\n\tadmin off\n\tauto_https disable_redirects\n"
        f"\tstorage file_system {home}\n\tdefault_bind 127.0.0.1\n}}\n{sample}"
    )
    return ["caddy", "run", "--adapter", "caddyfile", "--config", f"{home}/Caddyfile"]


@pytest.fixture(params=[nginx, haproxy, caddy], ids=lambda each: each.__name__)
def sample(request: pytest.FixtureRequest) -> Callable[[Path, str, int], list[str]]:
    chosen: Callable[[Path, str, int], list[str]] = request.param
    return chosen


async def started(
    sample: Callable[[Path, str, int], list[str]], home: Path, gateway: Gateway
) -> tuple[Child, int]:
    """Run the proxy until it reaches the gateway; give it and its port."""
    server = authority().server("127.0.0.1")
    (home / "chain.pem").write_bytes(server.certificate_pem)
    (home / "key.pem").write_bytes(server.key_pem)
    (home / "both.pem").write_bytes(server.pem)
    port = free_port()
    program, *words = sample(home, gateway.root.removeprefix("http://"), port)
    found = shutil.which(program, path="/usr/sbin:/usr/bin:/usr/local/bin")
    assert found is not None, f"install {program}"
    proxy = spawn([found, *words], cwd=home)

    def answers() -> bool:
        assert proxy.status is None, proxy.text
        try:
            with closing(connected(port)) as client:
                return asked(client, "GET", "/healthz").status == 200
        except OSError:
            return False

    while not await deferToThread(answers):
        pass
    return proxy, port


def connected(port: int) -> http.client.HTTPSConnection:
    """Call from an address that is not the proxy's."""
    context = ssl.create_default_context(cadata=authority().pem.decode())
    return http.client.HTTPSConnection(
        "127.0.0.1", port, timeout=30, context=context, source_address=(CLIENT, 0)
    )


def asked(
    client: http.client.HTTPSConnection,
    method: str,
    path: str,
    key: str = "",
    body: object = None,
) -> http.client.HTTPResponse:
    data = None if body is None else json.dumps(body).encode()
    client.request(method, path, data, {"Authorization": f"Bearer {key}"})
    return client.getresponse()


async def test_a_stream_arrives_as_it_is_written_and_leaving_is_seen(
    sample: Callable[[Path, str, int], list[str]],
    gateway: Gateway,
    provider: ScriptedProvider,
    tmp_path: Path,
) -> None:
    home = tmp_path / "proxy"
    home.mkdir(mode=0o755)
    call = ("POST", "/v1/chat/completions", gateway.key, BODY)
    proxy, port = await started(sample, home, gateway)
    try:
        with closing(connected(port)) as client:
            gate = Gate()
            first = CHUNK % b"first"
            provider.stream([first, END + DONE], gate)
            with await deferToThread(asked, client, *call) as answer:
                assert answer.status == 200
                assert await deferToThread(answer.read1) == first
                gate.open()
                assert await deferToThread(answer.read) == END + DONE
            # A line comes after the bytes that it tells of.
            await until(lambda: call[1] in [told["path"] for told in gateway.access()])
            assert gateway.access()[-1]["peer"] == CLIENT

            provider.stream([first, END + DONE], Gate())
            with await deferToThread(asked, client, *call) as answer:
                await deferToThread(answer.read1)
                client.close()
        await until(lambda: gateway.access()[-1].get("ending") == "client_gone")
    finally:
        proxy.send(signal.SIGTERM)  # they take their own children along
        await proxy.ended()
