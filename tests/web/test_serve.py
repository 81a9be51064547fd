"""A model call through the whole gateway: what the client gets, what is told of it."""

from typing import Any

import pytest
from conftest import LoggedFailures
from support.gateway import (
    DONE,
    KEY,
    LIMITED_KEY,
    STORED_KEY,
    Gateway,
    chunk,
    completion,
    usage_chunk,
)

from lightweight.config.schema import Config
from lightweight.dialects.dialect import Passage
from lightweight.dialects.openai_chat import OpenAIChat
from lightweight.errors import (
    Overloaded,
    ProviderBusy,
    ProviderCut,
    ProviderTimeout,
    ProviderUnreachable,
)
from lightweight.records import Call, Target, Usage

STREAM: dict[str, Any] = {"stream": True}
REPORTED = Usage(fresh=7, answer=2)


def renamed(events: bytes) -> bytes:
    """What the client sees where the provider says its own name for the model."""
    return events.replace(b"renamed-there", b"renamed")


def test_a_whole_answer_arrives_with_its_length() -> None:
    gateway = Gateway()
    client = gateway.connect()
    client.chat()
    body = gateway.one.reply(headers={"content-type": "application/json"})
    body.push(completion()[:40], completion()[40:])
    assert client.received == b"", "the status is still open"
    body.end()
    answer = client.answer()
    assert answer.status == 200
    assert answer.body == renamed(completion())
    assert answer.headers["content-length"] == str(len(answer.body))
    assert answer.headers["content-type"] == "application/json"
    assert "server" not in answer.headers
    assert "cache-control" not in answer.headers
    told = gateway.outcome
    assert told.ending == "finished"
    assert (told.usage, told.provenance) == (REPORTED, "reported")
    assert (told.provider, told.upstream_model) == ("one", "renamed-there")
    assert (told.account_id, told.key_id) == ("acc_acme", "key_acme")
    assert (told.status, told.fault, told.stream) == (200, None, False)
    assert told.request_id == gateway.visit.request_id


def test_a_stream_passes_event_by_event_and_byte_for_byte() -> None:
    gateway = Gateway()
    client = gateway.connect()
    client.chat(model="same", **STREAM)
    body = gateway.one.reply()
    said = [chunk("H\u00e4", logprobs=None), b": hello\r\n\r\n", chunk(None, "stop")]
    assert client.received == b""
    for n, event in enumerate(said):
        body.push(event)
        assert client.answer().body == b"".join(said[: n + 1])
        assert not client.answer().whole
    body.push(DONE)
    answer = client.answer()
    assert answer.whole
    assert answer.body == b"".join(said) + DONE
    assert answer.headers["content-type"] == "text/event-stream"
    assert answer.headers["cache-control"] == "no-cache"
    assert answer.headers["x-accel-buffering"] == "no"
    assert "content-length" not in answer.headers
    body.end()
    assert gateway.outcome.ending == "finished"
    assert gateway.outcome.stream


def test_usage_that_nobody_asked_for_is_cut_out_and_still_known() -> None:
    gateway = Gateway()
    client = gateway.connect()
    client.chat(**STREAM)
    asked = gateway.one.asked[0]
    assert b'"include_usage":true' in asked.body.replace(b" ", b"")
    body = gateway.one.reply()
    body.push(chunk(usage=None), chunk(None, "stop"), usage_chunk(), DONE)
    body.end()
    assert b"usage" not in client.answer().body
    assert gateway.outcome.usage == REPORTED
    assert len(gateway.visits) == 1


def test_usage_that_was_asked_for_passes() -> None:
    gateway = Gateway()
    client = gateway.connect()
    client.chat(stream_options={"include_usage": True}, **STREAM)
    events = chunk(usage=None) + chunk(None, "stop", usage=None) + usage_chunk()
    gateway.one.reply().push(events + DONE)
    assert client.answer().body == renamed(events) + DONE


def test_headers_pass_by_permission_only() -> None:
    gateway = Gateway()
    client = gateway.connect()
    client.chat()
    body = gateway.one.reply(
        headers={
            "x-request-id": "req_theirs",
            "openai-processing-ms": "12",
            "openai-version": "2020-10-01",
            "set-cookie": "canary=1",
            "server": "canary",
            "x-ratelimit-limit-requests": "1",
            "openai-organization": "canary",
        }
    )
    body.push(completion())
    body.end()
    headers = client.answer().headers
    assert headers["x-upstream-request-id"] == "req_theirs"
    assert headers["openai-processing-ms"] == "12"
    assert headers["openai-version"] == "2020-10-01"
    assert headers["x-request-id"] == gateway.visit.request_id
    assert set(headers) == {
        "x-upstream-request-id",
        "openai-processing-ms",
        "openai-version",
        "x-request-id",
        "content-type",
        "content-length",
        "date",
        "access-control-allow-origin",
        "access-control-expose-headers",
    }
    assert gateway.one.request_ids == [gateway.visit.request_id]


def test_a_provider_cut_ends_the_stream_with_an_error_event() -> None:
    gateway = Gateway()
    client = gateway.connect()
    client.chat(**STREAM)
    body = gateway.one.reply()
    body.push(chunk())
    body.end(ProviderCut("The provider's answer broke off."))
    answer = client.answer()
    assert answer.whole
    assert answer.status == 200
    first, error, done, rest = answer.body.split(b"\n\n")
    assert (done, rest) == (b"data: [DONE]", b"")
    assert error.startswith(b'data: {"error":')
    assert b"upstream_error" in error
    assert b"finish_reason" in first
    told = gateway.outcome
    assert (told.ending, told.status) == ("cut", 200)
    assert told.fault == "The provider's answer broke off."
    assert (told.usage, told.provenance) == (Usage(fresh=22, answer=1), "counted")


def test_a_clean_close_without_a_finish_reason_is_a_cut() -> None:
    gateway = Gateway()
    client = gateway.connect()
    client.chat(**STREAM)
    body = gateway.one.reply()
    body.push(chunk())
    body.end()
    assert b'"error"' in client.answer().body
    assert gateway.outcome.ending == "cut"


def test_an_error_event_of_the_provider_becomes_ours() -> None:
    gateway = Gateway()
    client = gateway.connect()
    client.chat(**STREAM)
    body = gateway.one.reply()
    body.push(chunk() + b'data: {"error": {"message": "sk-secret1 died"}}\n\n')
    assert b"sk-secret1" not in client.received
    assert client.answer().body.endswith(DONE)
    assert gateway.outcome.ending == "cut"
    assert body.aborted


@pytest.mark.parametrize("stream", [True, False])
def test_a_fault_before_the_first_byte_is_a_502(*, stream: bool) -> None:
    gateway = Gateway()
    client = gateway.connect()
    client.chat(stream=stream)
    body = gateway.one.reply()
    body.end(ProviderCut("The provider's answer broke off."))
    answer = client.answer()
    assert answer.status == 502
    assert answer.json()["error"] == {
        "message": "The provider's answer broke off.",
        "type": "server_error",
        "param": None,
        "code": "upstream_error",
    }
    assert (gateway.outcome.ending, gateway.outcome.status) == ("failed", 502)


def test_garbage_before_the_first_byte_is_a_502_and_stops_the_provider() -> None:
    gateway = Gateway()
    client = gateway.connect()
    client.chat(**STREAM)
    body = gateway.one.reply()
    body.push(b"data: <html>\n\n")
    assert client.answer().status == 502
    assert client.answer().json()["error"]["code"] == "upstream_invalid_response"
    assert body.aborted


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        (ProviderUnreachable("No connection."), 502, "upstream_error"),
        (ProviderTimeout("Too late."), 502, "upstream_timeout"),
        (ProviderBusy("Wait.", retry_after=7), 429, "rate_limit_exceeded"),
    ],
)
def test_a_provider_that_never_answers_fails_the_call(
    fault: ProviderUnreachable, status: int, code: str
) -> None:
    gateway = Gateway()
    client = gateway.connect()
    client.chat(**STREAM)
    gateway.one.fail(fault)
    answer = client.answer()
    assert answer.status == status
    assert answer.json()["error"]["code"] == code
    assert gateway.outcome.ending == "failed"
    if status == 429:
        assert answer.headers["retry-after"] == "7"


def test_the_next_target_answers_where_the_first_cannot_be_reached() -> None:
    gateway = Gateway()
    client = gateway.connect()
    client.chat(model="org/path.1")
    gateway.one.fail(ProviderUnreachable("No connection."))
    body = gateway.two.reply()
    body.push(completion())
    body.end()
    assert client.answer().status == 200
    assert gateway.outcome.provider == "two"


def test_the_outcome_names_who_failed_last() -> None:
    gateway = Gateway()
    client = gateway.connect()
    client.chat(model="org/path.1")
    gateway.one.fail(ProviderUnreachable("No connection."))
    gateway.two.fail(ProviderTimeout("Too late."))
    assert client.answer().json()["error"]["code"] == "upstream_timeout"
    told = gateway.outcome
    assert (told.provider, told.upstream_model) == ("two", "renamed-there")


# -- refusals ----------------------------------------------------------------------


def test_an_unknown_model_is_refused() -> None:
    gateway = Gateway()
    client = gateway.connect()
    client.chat(model="nothing-like-it")
    answer = client.answer()
    assert answer.status == 404
    error = answer.json()["error"]
    assert (error["code"], error["param"]) == ("model_not_found", "model")
    told = gateway.outcome
    assert (told.ending, told.provider) == ("refused", None)
    assert told.model == "nothing-like-it"


def test_a_model_outside_the_keys_list_is_refused() -> None:
    gateway = Gateway()
    client = gateway.connect()
    client.chat(key=LIMITED_KEY)
    answer = client.answer()
    assert answer.status == 403
    assert answer.json()["error"]["code"] == "model_access_denied"
    assert gateway.outcome.ending == "refused"
    assert gateway.one.asked == []


def test_a_body_that_is_no_call_has_a_visit_but_no_outcome() -> None:
    gateway = Gateway()
    client = gateway.connect()
    client.ask("POST", "/v1/chat/completions", b'{"model": 1}')
    answer = client.answer()
    assert answer.status == 400
    assert answer.json()["error"]["param"] == "model"
    assert gateway.visit.outcome is None
    assert gateway.visit.account_id == "acc_acme"


def test_a_request_that_passed_a_gateway_before_is_a_loop() -> None:
    gateway = Gateway()
    client = gateway.connect()
    client.ask("POST", "/v1/chat/completions", b"{}", {"X-Lightweight-Hop": "anything"})
    answer = client.answer()
    assert answer.status == 400
    assert answer.json()["error"]["code"] == "loop_detected"
    assert gateway.one.asked == []


def test_a_key_that_only_the_store_knows_is_served() -> None:
    gateway = Gateway()
    client = gateway.connect()
    client.chat(key=STORED_KEY)
    gateway.one.reply().push(completion())
    assert gateway.one.asked
    client.leave()
    assert gateway.visit.account_id == "acc_stored"


def test_no_credential_of_the_client_reaches_the_provider() -> None:
    gateway = Gateway()
    client = gateway.connect()
    client.chat()
    sent = gateway.one.asked[0]
    assert KEY.encode() not in sent.body
    assert KEY not in str(sent.headers)


# -- the client leaves -------------------------------------------------------------


def test_a_client_that_leaves_before_the_provider_answered_stops_it() -> None:
    gateway = Gateway()
    client = gateway.connect()
    client.chat(**STREAM)
    client.leave()
    assert gateway.one.cancelled == 1
    told = gateway.outcome
    assert (told.ending, told.status) == ("client_gone", 499)
    assert gateway.visit.status == 499
    assert gateway.live.count == 0


@pytest.mark.parametrize("stream", [True, False])
def test_a_client_that_leaves_before_the_first_byte_stops_the_body(
    *,
    stream: bool,
) -> None:
    gateway = Gateway()
    client = gateway.connect()
    client.chat(stream=stream)
    body = gateway.one.reply()
    client.leave()
    assert body.aborted
    assert (gateway.outcome.ending, gateway.visit.status) == ("client_gone", 499)


def test_a_client_that_leaves_mid_stream_stops_the_body() -> None:
    gateway = Gateway()
    client = gateway.connect()
    client.chat(**STREAM)
    body = gateway.one.reply()
    body.push(chunk())
    client.leave()
    assert body.aborted
    told = gateway.outcome
    assert (told.ending, told.status) == ("client_gone", 200)
    assert (told.usage, told.provenance) == (Usage(fresh=22, answer=1), "counted")
    assert gateway.visit.status == 200
    assert gateway.visit.sent == len(renamed(chunk()))


# -- ours --------------------------------------------------------------------------


class Broken(OpenAIChat):
    """A dialect with a bug in the place a test names."""

    def __init__(self, place: str) -> None:
        self._place = place

    def parse_request(self, request: object) -> Call:
        if self._place == "parse":
            raise ZeroDivisionError("secret detail")
        return super().parse_request(request)  # type: ignore[arg-type]  # as it came

    def passage(self, call: Call, target: Target) -> Passage:
        if self._place == "passage":
            raise ZeroDivisionError("secret detail")
        passage = super().passage(call, target)
        feed = passage.feed

        def fails_on_second(data: bytes) -> bytes:
            if b"second" in data:
                raise ZeroDivisionError("secret detail")
            return feed(data)

        passage.feed = fails_on_second  # type: ignore[method-assign]  # the bug
        return passage


@pytest.mark.parametrize("place", ["parse", "passage"])
def test_a_bug_of_ours_is_a_500_without_a_word_of_it(
    place: str, logged_failures: LoggedFailures
) -> None:
    gateway = Gateway()
    gateway.runtime = gateway.made(Config(), Broken(place))
    client = gateway.connect()
    client.chat(**STREAM)
    body = gateway.one.reply()
    answer = client.answer()
    assert answer.status == 500
    assert b"secret detail" not in client.received
    assert answer.json()["error"]["type"] == "server_error"
    assert answer.json()["error"]["code"] is None
    assert len(logged_failures.flush(ZeroDivisionError)) == 1
    if place == "passage":
        assert body.aborted
        assert (gateway.outcome.ending, gateway.outcome.status) == ("failed", 500)
    assert len(gateway.visits) == 1


def test_a_bug_mid_stream_is_an_error_event(logged_failures: LoggedFailures) -> None:
    gateway = Gateway()
    gateway.runtime = gateway.made(Config(), Broken("feed"))
    client = gateway.connect()
    client.chat(**STREAM)
    body = gateway.one.reply()
    body.push(chunk(), chunk("second"))
    answer = client.answer()
    assert answer.whole
    assert answer.body.endswith(DONE)
    assert b"server_error" in answer.body
    assert b"secret detail" not in client.received
    assert body.aborted
    assert gateway.outcome.ending == "cut"
    assert len(logged_failures.flush(ZeroDivisionError)) == 1


# -- draining and reloading --------------------------------------------------------


def test_the_drain_deadline_tells_each_client() -> None:
    gateway = Gateway()
    streaming, waiting, whole = (gateway.connect() for _ in range(3))
    streaming.chat(**STREAM)
    first = gateway.one.reply()
    first.push(chunk())
    whole.chat()
    second = gateway.one.reply()
    waiting.chat(**STREAM)
    assert gateway.live.count == 3
    gateway.live.end_all(Overloaded("The server is stopping."))
    assert gateway.live.count == 0
    assert streaming.answer().whole
    assert b"The server is stopping." in streaming.answer().body
    assert first.aborted
    assert second.aborted
    assert gateway.one.cancelled == 1
    for client in (waiting, whole):
        answer = client.answer()
        assert answer.status == 503
        assert answer.json()["error"]["code"] == "overloaded"
        assert answer.headers["retry-after"] == "1"
    endings = [v.outcome.ending for v in gateway.visits if v.outcome]
    assert sorted(endings) == ["cut", "failed", "failed"]


def test_a_call_keeps_the_runtime_it_started_with() -> None:
    gateway = Gateway()
    client = gateway.connect()
    client.chat(**STREAM)
    gateway.runtime = gateway.made(Config(), Broken("passage"))
    gateway.one.reply().push(chunk(None, "stop") + DONE)
    assert client.answer().status == 200
    assert gateway.outcome.ending == "finished"
