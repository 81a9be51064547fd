"""Ollama's error object."""

import json

from lightweight.dialects.ollama_faults import broken_stream, render_error
from lightweight.errors import ProviderBusy, ProviderCut


def test_an_error_is_one_text_with_openais_status_and_headers() -> None:
    answer = render_error(ProviderBusy("Wait.", retry_after=3))
    assert answer.status == 429
    assert json.loads(answer.body) == {"error": "Wait."}
    assert answer.headers["retry-after"] == "3"
    assert answer.headers["x-should-retry"] == "true"
    assert answer.headers["content-type"] == "application/json"


def test_a_broken_stream_ends_with_a_line() -> None:
    assert broken_stream(ProviderCut("Cut.")) == b'{"error":"Cut."}\n'
