"""Faults in the words of whoever asks."""

import json

import pytest
from support.gateway import Gateway

from lightweight.errors import NotFound
from lightweight.web.shapes import error_answer


@pytest.mark.parametrize(
    ("path", "ollama"),
    [
        ("/api", True),
        ("/api/chat", True),
        ("/apis", False),
        ("/v1/chat/completions", False),
        ("/", False),
    ],
)
def test_the_path_says_who_asks(path: str, ollama: bool) -> None:  # noqa: FBT001 -- a column of the table
    answer = error_answer(NotFound("No."), path)
    assert answer.status == 404
    assert isinstance(json.loads(answer.body)["error"], str) is ollama


@pytest.mark.parametrize(
    ("method", "path", "key", "status"),
    [
        ("POST", "/api/chat", None, 401),
        ("POST", "/api/pull", "lw-known", 404),
        ("GET", "/api/chat", "lw-known", 405),
        ("GET", "/api/tags", None, 401),
    ],
)
def test_every_error_below_api_is_one_text(
    method: str, path: str, key: str | None, status: int
) -> None:
    client = Gateway().connect()
    client.ask(method, path, b"{}" if method == "POST" else None, key=key)
    answer = client.answer()
    assert answer.status == status
    assert isinstance(answer.json()["error"], str)
