"""A small HTTP client for tests: real sockets, one call, the whole answer.

It is not the product's client: what it says about the product is independent of it.
"""

import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from twisted.internet.threads import deferToThread

PATIENCE = 30.0


@dataclass(frozen=True)
class Fetched:
    """A whole answer; header names are lower-case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    def json(self) -> Any:
        return json.loads(self.body)


def fetch_blocking(
    url: str,
    *,
    method: str = "GET",
    key: str | None = None,
    body: object = None,
    headers: Mapping[str, str] | None = None,
) -> Fetched:
    """Make one call and read all of its answer; ``body`` is sent as JSON."""
    parts = urlsplit(url)
    sent = dict(headers or {})
    if key is not None:
        sent["Authorization"] = f"Bearer {key}"
    data = body if isinstance(body, bytes) else None
    if body is not None and data is None:
        data = json.dumps(body).encode()
        sent["Content-Type"] = "application/json"
    connection = http.client.HTTPConnection(parts.netloc, timeout=PATIENCE)
    try:
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        connection.request(method, target or "/", body=data, headers=sent)
        answer = connection.getresponse()
        found = {name.lower(): value for name, value in answer.getheaders()}
        return Fetched(answer.status, found, answer.read())
    finally:
        connection.close()


async def fetch(url: str, **call: Any) -> Fetched:
    """Do ``fetch_blocking`` in a thread: a server in this process can answer."""
    fetched: Fetched = await deferToThread(fetch_blocking, url, **call)
    return fetched
