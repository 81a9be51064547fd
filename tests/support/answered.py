"""Answers as a client reads them off the wire."""

import json
from dataclasses import dataclass
from typing import Any


@dataclass
class Answered:
    """What a client read of one answer so far; header names are lower-case."""

    status: int
    headers: dict[str, str]
    body: bytes
    whole: bool
    rest: bytes

    def json(self) -> Any:
        return json.loads(self.body)


def _dechunked(data: bytes) -> tuple[bytes, bool, bytes]:
    body = b""
    while True:
        size, found, data = data.partition(b"\r\n")
        if not found:
            return body, False, b""
        length = int(size, 16)
        if length == 0:
            return body, data.startswith(b"\r\n"), data[2:]
        body += data[:length]
        data = data[length + 2 :]


def read_answer(data: bytes, *, head_only: bool = False) -> Answered:
    """Read one answer off the wire, as far as it came."""
    head, found, rest = data.partition(b"\r\n\r\n")
    assert found, f"no whole head in {data!r}"
    first, *lines = head.decode().split("\r\n")
    status = int(first.split(" ")[1])
    headers: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(": ")
        assert name.lower() not in headers, f"{name} is there twice"
        headers[name.lower()] = value
    if head_only or status in (204, 304):
        return Answered(status, headers, b"", whole=True, rest=rest)
    if headers.get("transfer-encoding") == "chunked":
        body, whole, rest = _dechunked(rest)
        return Answered(status, headers, body, whole, rest)
    if "content-length" not in headers:
        return Answered(status, headers, rest, whole=False, rest=b"")
    length = int(headers["content-length"])
    whole = len(rest) >= length
    return Answered(status, headers, rest[:length], whole, rest[length:])
