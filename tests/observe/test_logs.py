"""Log lines: what an operator reads, in text and in JSON."""

import json
from datetime import UTC, datetime, timedelta

from twisted.logger import LogEvent, LogLevel
from twisted.python.failure import Failure

from hypothesis import example, given
from hypothesis import strategies as st
from msgspec.structs import replace

from lightweight.observe.access import Visit
from lightweight.observe.logs import AccessLog, LogFormat, LogObserver, stamp
from lightweight.records import Attempted, Outcome, Usage

NOON = 1795348800.0
SAID = "what a client sent"


class Lines(list[str]):
    def write(self, line: str) -> None:
        self.append(line)

    def keep(self, line: bytes) -> None:
        self.append(line.decode())


def event(text: str, level: str = "info", namespace: str = "lightweight") -> LogEvent:
    return {
        "log_time": NOON,
        "log_level": LogLevel.levelWithName(level),
        "log_namespace": namespace,
        "log_format": "{text}",
        "text": text,
    }


def observed(
    log_format: LogFormat, *events: LogEvent, journal: bool = False
) -> list[str]:
    lines = Lines()
    observer = LogObserver(lines, log_format, journal=journal)
    for each in events:
        observer(each)
    return lines


@given(st.floats(0, 4e9))
@example(1700000000.123)
@example(1699999999.9999999)
def test_a_stamp_is_that_of_the_standard_library(seconds: float) -> None:
    whole, micro = divmod(round(seconds * 1_000_000), 1_000_000)
    moment = datetime.fromtimestamp(whole, UTC) + timedelta(microseconds=micro)
    told = moment.isoformat(timespec="milliseconds")
    assert stamp(seconds) == told.removesuffix("+00:00") + "Z"


def test_text_names_time_and_level() -> None:
    assert observed("text", event("Ready.")) == [
        "2026-11-22T12:00:00.000Z info  Ready."
    ]


def test_json_is_one_object() -> None:
    (line,) = observed("json", event("Ready."))

    assert json.loads(line) == {
        "ts": "2026-11-22T12:00:00.000Z",
        "level": "info",
        "logger": "lightweight",
        "message": "Ready.",
    }


def test_a_failure_keeps_its_traceback() -> None:
    failed = event("Oops.", "error") | {"log_failure": Failure(ValueError("why"))}

    assert "ValueError: why" in observed("text", failed)[0]
    assert "ValueError: why" in json.loads(observed("json", failed)[0])["traceback"]


def test_a_failure_can_be_told_without_its_words() -> None:
    def fails(words: str) -> None:
        raise ValueError(words)

    try:
        fails(SAID)
    except ValueError:
        failed = event("Oops.", "error") | {"log_failure": Failure()}
    wordless = failed | {"wordless": True}

    assert SAID in observed("text", failed)[0]
    for line in observed("text", wordless) + observed("json", wordless):
        assert "ValueError: its words are left out" in line
        assert "in fails" in line
        assert SAID not in line


def test_twisted_chatter_is_dropped_and_its_warnings_kept() -> None:
    chatter = event("Starting factory", namespace="twisted.web.server.Site")
    warning = event("Careful.", "warn", namespace="twisted.web.server.Site")

    assert observed("text", chatter, warning) == [
        "2026-11-22T12:00:00.000Z warn  Careful."
    ]


def test_each_journal_line_has_its_priority() -> None:
    (line,) = observed("text", event("a\nb", "error"), journal=True)

    assert line == "<3>2026-11-22T12:00:00.000Z error a\n<3>b"


TRACE = "0af7651916cd43dd8448eb211c80319c"
VISIT = Visit(
    request_id="req_1",
    peer="127.0.0.1",
    method="GET",
    path="/v1/models",
    status=200,
    sent=10,
    at=NOON,
    duration_s=0.0125,
)

CALL = Visit(
    request_id="req_2",
    peer="127.0.0.1",
    method="POST",
    path="/v1/chat/completions",
    status=200,
    sent=2048,
    at=NOON,
    duration_s=1.5,
    account_id="acct_1",
    key_id="key_1",
    outcome=Outcome(
        request_id="req_2",
        account_id="acct_1",
        key_id="key_1",
        model="m\n1",
        provider="openai",
        upstream_model="m-1",
        dialect="openai_chat",
        stream=True,
        status=200,
        ending="cut",
        fault="provider openai closed the connection",
        usage=Usage(fresh=5, answer=7),
        provenance="reported",
        first_byte_s=0.25,
        duration_s=1.5,
        attempts=(
            Attempted(
                provider="azure", model="m-2", status=None, fault="late", seconds=1.0
            ),
            Attempted(
                provider="openai", model="m-1", status=200, fault=None, seconds=0.5
            ),
        ),
    ),
)


def visited(log_format: LogFormat, visit: Visit) -> str:
    lines = Lines()
    AccessLog(lines, log_format, journal=False).keep(visit)
    return lines[0]


def test_a_visit_is_one_line_of_text() -> None:
    assert visited("text", VISIT) == (
        "2026-11-22T12:00:00.000Z info  127.0.0.1 GET /v1/models 200 10B 12.5ms req_1"
    )


def test_a_call_tells_where_it_went_and_how_it_ended() -> None:
    line = visited("text", CALL)

    assert "key_1 m\\x0a1@azure>openai cut 5+7tok (provider openai closed" in line
    assert "\n" not in line


def test_what_a_provider_was_not_told_is_told_here() -> None:
    assert CALL.outcome is not None
    assert "without" not in visited("text", CALL)
    told = replace(CALL.outcome.attempts[1], left_out=("x_item", "web_search"))
    outcome = replace(CALL.outcome, attempts=(CALL.outcome.attempts[0], told))
    call = replace(CALL, outcome=outcome)
    assert visited("text", call).endswith(" without x_item, web_search")
    first, second = json.loads(visited("json", call))["attempts"]
    assert "left_out" not in first
    assert second["left_out"] == ["x_item", "web_search"]


def test_a_visit_is_one_json_object() -> None:
    entry = json.loads(visited("json", VISIT))

    assert entry["status"] == 200
    assert entry["duration_ms"] == 12.5
    assert "model" not in entry
    assert "trace_id" not in entry
    assert "account" not in entry


def test_the_trace_is_named_in_json() -> None:
    visit = replace(VISIT, traceparent=f"00-{TRACE}-b7ad6b7169203331-01")
    entry = json.loads(visited("json", visit))
    assert entry["trace_id"] == TRACE


def test_a_call_in_json_has_tokens_and_their_provenance() -> None:
    entry = json.loads(visited("json", CALL))

    assert entry["model"] == "m\n1"
    assert (entry["prompt_tokens"], entry["completion_tokens"]) == (5, 7)
    assert entry["provenance"] == "reported"
    assert entry["first_byte_ms"] == 250.0
    assert entry["attempts"] == [
        {
            "provider": "azure",
            "upstream_model": "m-2",
            "duration_ms": 1000.0,
            "fault": "late",
        },
        {
            "provider": "openai",
            "upstream_model": "m-1",
            "duration_ms": 500.0,
            "status": 200,
        },
    ]
    assert entry["fault"] == "provider openai closed the connection"


def test_a_workers_generation_is_named_in_json() -> None:
    lines = Lines()
    log = AccessLog(lines, "json", journal=False, generation=3)
    log.keep(VISIT)

    assert json.loads(lines[0])["generation"] == 3


@given(st.floats(0, 1e6))
@example(0.0000005)
@example(0.0010005)
@example(1.0000015)
def test_a_duration_has_three_decimals_of_a_millisecond(seconds: float) -> None:
    lines = Lines()
    log = AccessLog(lines, "json", journal=False)
    log.keep(replace(VISIT, duration_s=seconds))

    assert json.loads(lines[0])["duration_ms"] == round(seconds * 1000, 3)
