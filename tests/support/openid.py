"""A real provider of OpenID Connect in a process of its own, and who signs in by it."""

import http.client
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode, urlsplit

from support.ports import free_port
from support.until import PATIENCE

from lightweight.config.schema import Oidc
from lightweight.config.secret import Secret

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


class Mock:
    """The provider, and its people."""

    def __init__(self, child: "subprocess.Popen[bytes]", port: int) -> None:
        self.issuer = f"http://127.0.0.1:{port}"
        self._child = child

    def config(self, **more: Any) -> Oidc:
        """Give what a gateway is configured with."""
        given = {"issuer": self.issuer, "client_id": "gateway", "name": "Acme ID"}
        return Oidc(client_secret=Secret("s3cret"), **{**given, **more})

    def knows(self, subject: str, **claims: object) -> None:
        """Set what it says of somebody."""
        body = json.dumps(claims).encode()
        headers = {"Content-Type": "application/json"}
        answer = self._ask("PUT", f"/users/{subject}", body, headers)
        assert answer.status == 204, answer.read()

    def let_in(self, page: str, subject: str) -> str:
        """Sign somebody in at the page a browser was sent to; give where it goes."""
        parts = urlsplit(page)
        body = urlencode({"sub": subject}).encode()
        answer = self._ask("POST", f"{parts.path}?{parts.query}", body, FORM)
        assert answer.status == 302, answer.read()
        return answer.headers["Location"]

    def stop(self) -> None:
        """Be away from now on."""
        self._child.terminate()
        self._child.wait(PATIENCE)

    def _ask(
        self, method: str, path: str, body: bytes, headers: dict[str, str]
    ) -> http.client.HTTPResponse:
        where = http.client.HTTPConnection(urlsplit(self.issuer).netloc, timeout=30)
        where.request(method, path, body, headers)
        answer = where.getresponse()
        answer.read()
        where.close()
        return answer

    def answers(self) -> bool:
        """Tell whether it serves."""
        where = http.client.HTTPConnection(urlsplit(self.issuer).netloc, timeout=30)
        try:
            where.request("GET", "/jwks")
            return where.getresponse().status == 200
        except OSError:
            return False
        finally:
            where.close()


@contextmanager
def openid_mock(token_age: int = 3600) -> Iterator[Mock]:
    """Run a provider whose tokens end ``token_age`` seconds after they are made."""
    port = free_port()
    child = subprocess.Popen(
        [
            *(sys.executable, "-m", "oidc_provider_mock", "--require-nonce", "true"),
            *("--port", str(port), "--token-max-age", str(token_age)),
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    mock = Mock(child, port)
    try:
        end = time.monotonic() + PATIENCE
        while not mock.answers():
            assert child.poll() is None and time.monotonic() < end
            time.sleep(0.05)
        yield mock
    finally:
        mock.stop()
