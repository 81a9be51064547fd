"""Gemini's own API behind a real daemon: what is sent, what a chat client reads."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from support.chat import payloads
from support.daemon import Gateway
from support.gemini import called, event, response
from support.gemini_schema import request_errors
from support.http import fetch
from support.live import CANARY
from support.openai_schema import chunk_errors
from support.scripted import ScriptedProvider

CONFIG = """
[providers.google]
kind = "gemini"
base_url = "{url}"
api_key = {{ env = "GOOGLE_KEY" }}
[[models]]
id = "gem"
context = "1M"
shutdown_date = {day}
targets = [{{ provider = "google", model = "gemini-3-flash", dialect = "gemini" }}]
"""
TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}


async def test_a_chat_client_and_gemini(
    provider: ScriptedProvider, tmp_path: Path
) -> None:
    gateway = await Gateway.start(
        tmp_path,
        CONFIG.format(url=provider.base_url, day="2099-01-01"),
        environ={"GOOGLE_KEY": CANARY},
    )
    try:
        provider.stream(
            [
                event(response({"text": "Hm.", "thought": True})),
                event(response(called("f", "SIG", a=1), finish="STOP")),
            ]
        )
        answer = await fetch(
            f"{gateway.base_url}/chat/completions",
            method="POST",
            key=gateway.key,
            body={
                "model": "gem",
                "stream": True,
                "reasoning_effort": "low",
                "tools": [TOOL],
                "messages": [{"role": "user", "content": "Hi"}],
            },
        )
    finally:
        assert await gateway.stop() == 0
    (request,) = provider.requests
    assert request.path == "/v1/models/gemini-3-flash:streamGenerateContent?alt=sse"
    assert request.headers["x-goog-api-key"] == CANARY
    assert "authorization" not in request.headers
    assert request_errors(request.json()) == []

    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.body.endswith(b"data: [DONE]\n\n")
    chunks = payloads(answer.body)
    assert [error for chunk in chunks for error in chunk_errors(chunk)] == []
    assert chunks[-1]["choices"][0]["finish_reason"] == "tool_calls"
    assert CANARY not in answer.text
    assert CANARY not in gateway.child.text


async def test_the_log_warns_of_a_model_that_ends(
    provider: ScriptedProvider, tmp_path: Path
) -> None:
    day = (datetime.now(UTC) + timedelta(days=7)).date()
    config = CONFIG.format(url=provider.base_url, day=day)
    gateway = await Gateway.start(tmp_path, config, environ={"GOOGLE_KEY": CANARY})
    try:
        await gateway.child.line(r"Model 'gem' ends on", past=True)
    finally:
        assert await gateway.stop() == 0
    # The workers and the parent leave it to one process.
    assert gateway.child.text.count("Model 'gem' ends on") == 1
