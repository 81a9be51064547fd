import pytest
from support.chat import (
    DONE,
    answer,
    call,
    chunk,
    completion,
    ending,
    request,
    stream_call,
    target,
)

from lightweight.dialects.dialect import Dialect
from lightweight.dialects.openai_chat import OpenAIChat
from lightweight.errors import BadRequest, ProviderBusy


@pytest.fixture
def dialect() -> Dialect:
    return OpenAIChat()


def test_it_is_named(dialect: Dialect) -> None:
    assert dialect.name == "openai_chat"


def test_a_call_goes_out_and_comes_back(dialect: Dialect) -> None:
    made = dialect.parse_request(
        request({"model": "m", "messages": [{"role": "user"}]})
    )
    assert dialect.write_request(made, target("up")).path == "/chat/completions"
    with pytest.raises(BadRequest):
        dialect.parse_request(request(b""))


def test_streamed_and_whole_answers(dialect: Dialect) -> None:
    for made, data, said in (
        (stream_call(), chunk(ending()) + DONE, DONE),
        (call(), completion(answer()), b'"finish_reason":"stop"'),
    ):
        reader, writer = dialect.reader(made), dialect.writer(made)
        events = [*reader.feed(data), *reader.finish()]
        written = b"".join([*map(writer.write, events), writer.finish()])
        assert said in written
        passage = dialect.passage(made, target())
        assert passage.feed(data) + passage.finish() == data


def test_errors_both_ways(dialect: Dialect) -> None:
    fault = dialect.read_error(429, {"retry-after": "3"}, b"")
    assert isinstance(fault, ProviderBusy)
    assert dialect.render_error(fault).headers["retry-after"] == "3"
