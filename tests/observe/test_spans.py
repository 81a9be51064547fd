"""Spans as a real collector receives them."""

from typing import Any

import pytest
from support.collector import Collector, collector, values
from support.outcome import outcome
from support.ports import free_port
from support.visit import visit as made_visit

from lightweight.observe.access import Visit
from lightweight.observe.spans import Spans, operation_of
from lightweight.records import Attempted, Usage

NOON = 1_795_348_800.0
TRACE = "0af7651916cd43dd8448eb211c80319c"
ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"


def visit(**given: Any) -> Visit:
    told = {"request_id": "req_1", "peer": "192.0.2.7", "sent": 5, "at": NOON}
    told |= {"path": "/v1/chat/completions", "duration_s": 2.0, **given}
    return made_visit(**told)


def sent(monkeypatch: pytest.MonkeyPatch, *visits: Visit) -> list[Any]:
    with collector() as made:
        told = _told(monkeypatch, made, *visits)
        assert told == list(visits)
        return made.spans


def _told(
    monkeypatch: pytest.MonkeyPatch, made: Collector, *visits: Visit
) -> list[Visit]:
    monkeypatch.setenv(ENDPOINT, made.url)
    passed: list[Visit] = []
    spans = Spans(passed.append, {})
    for each in visits:
        spans(each)
    spans.close()
    return passed


def test_a_call_is_a_span_below_the_clients(monkeypatch: pytest.MonkeyPatch) -> None:
    attempts = (
        Attempted(provider="azure", model="a", status=500, fault="Late.", seconds=0.5),
        Attempted(provider="acme", model="there", status=200, fault=None, seconds=1.4),
    )
    told = outcome(
        "finished",
        stream=True,
        first_byte_s=0.75,
        upstream_model="there",
        usage=Usage(fresh=5, cached=3, answer=2, reasoning=4),
        provenance="reported",
        attempts=attempts,
    )
    parent = f"00-{TRACE}-b7ad6b7169203331-01"
    (span,) = sent(
        monkeypatch,
        visit(outcome=told, traceparent=parent, account_id="acc_1", key_id="key_1"),
    )

    assert span.name == "chat m"
    assert span.trace_id.hex() == TRACE
    assert span.parent_span_id.hex() == "b7ad6b7169203331"
    assert span.end_time_unix_nano == NOON * 10**9
    assert span.end_time_unix_nano - span.start_time_unix_nano == 2 * 10**9
    assert values(span.attributes) == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "acme",
        "gen_ai.request.model": "m",
        "gen_ai.request.stream": True,
        "gen_ai.response.model": "there",
        "gen_ai.response.time_to_first_chunk": 0.75,
        "gen_ai.usage.input_tokens": 8,
        "gen_ai.usage.output_tokens": 6,
        "gen_ai.usage.cache_read.input_tokens": 3,
        "gen_ai.usage.cache_creation.input_tokens": 0,
        "gen_ai.usage.reasoning.output_tokens": 4,
        "http.request.method": "POST",
        "http.response.status_code": 200,
        "url.path": "/v1/chat/completions",
        "client.address": "192.0.2.7",
        "lightweight.request_id": "req_1",
        "lightweight.account_id": "acc_1",
        "lightweight.key_id": "key_1",
        "lightweight.ending": "finished",
        "lightweight.usage.provenance": "reported",
    }
    assert [values(each.attributes) for each in span.events] == [
        {
            "gen_ai.provider.name": "azure",
            "gen_ai.request.model": "a",
            "http.response.status_code": 500,
            "lightweight.fault": "Late.",
            "lightweight.seconds": 0.5,
        },
        {
            "gen_ai.provider.name": "acme",
            "gen_ai.request.model": "there",
            "http.response.status_code": 200,
            "lightweight.seconds": 1.4,
        },
    ]
    assert span.status.code == 0


def test_errors_are_told_as_whose_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    cut, failed, refused = sent(
        monkeypatch,
        visit(outcome=outcome("cut", fault="It broke.")),
        visit(outcome=outcome("failed", status=502, fault="Away."), status=502),
        visit(outcome=outcome("refused", status=429, provider=None), status=429),
    )
    assert (cut.status.code, values(cut.attributes)["error.type"]) == (2, "cut")
    assert (failed.status.code, failed.status.message) == (2, "Away.")
    assert values(failed.attributes)["error.type"] == "502"
    # The client's own mistake is no error of the server's span.
    assert refused.status.code == 0
    assert values(refused.attributes)["error.type"] == "429"
    assert "gen_ai.provider.name" not in values(refused.attributes)


def test_only_calls_are_spans(monkeypatch: pytest.MonkeyPatch) -> None:
    assert sent(monkeypatch, visit(path="/healthz")) == []


def test_operations() -> None:
    assert operation_of(outcome("finished")) == "chat"
    embeddings = outcome("finished", dialect="openai_embeddings")
    assert operation_of(embeddings) == "embeddings"


def test_a_collector_that_is_away_holds_nobody_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("lightweight.observe.spans.CLOSE_SECONDS", 0.1)
    monkeypatch.setenv(ENDPOINT, f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "0.5")
    passed: list[Visit] = []
    spans = Spans(passed.append, {})
    spans(visit(outcome=outcome("finished")))
    spans.close()
    assert len(passed) == 1
