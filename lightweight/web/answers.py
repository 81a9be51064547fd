"""Whole answers: how they are made from JSON and how they leave."""

from collections.abc import Mapping

import msgspec

from lightweight.records import Answer, Headers
from lightweight.web.exchange import Exchange

_JSON: Headers = {"content-type": "application/json"}


def json_answer(body: object, *, status: int = 200) -> Answer:
    """Give ``body`` as JSON."""
    return Answer(status=status, headers=_JSON, body=msgspec.json.encode(body))


def redirect(location: str) -> Answer:
    """Send a browser elsewhere for this once (RFC 9110 section 15.4.3)."""
    return Answer(status=302, headers={**_JSON, "location": location}, body=b"")


def with_headers(answer: Answer, more: Mapping[str, str]) -> Answer:
    """Give the same answer with ``more`` header fields."""
    return Answer(
        status=answer.status,
        headers={**answer.headers, **more},
        body=answer.body,
    )


def send(exchange: Exchange, answer: Answer) -> None:
    """Send an answer whole; a no-op when the client left."""
    exchange.start(answer.status, answer.headers, length=len(answer.body))
    exchange.write(answer.body)
    exchange.finish()
