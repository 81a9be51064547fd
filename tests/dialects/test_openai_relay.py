"""Endpoints that are only passed on: what is asked of a body, where it goes."""

import json
from typing import Any

import pytest
from support.chat import call as chat_call
from support.chat import request, target
from support.form import TYPE, field, file, form

from lightweight.dialects.crossing import ENDPOINTS as ALSO
from lightweight.dialects.crossing import passage, spoken, write_request
from lightweight.dialects.openai_chat_passage import StreamPassage
from lightweight.dialects.openai_relay import ENDPOINTS, FILE_BYTES, RELAYS
from lightweight.dialects.openai_relay_passage import (
    EventsPassage,
    PipedPassage,
    WholePassage,
)
from lightweight.errors import BadRequest, ModelNotFound, ProviderCut
from lightweight.prompts import Prompt
from lightweight.records import Call, DialectName, Target
from lightweight.runtime import DIALECTS

SOUND = form(field("model", "m"), file("file", b"RIFF" * 1000))


def asked(name: DialectName, **fields: Any) -> Call:
    return RELAYS[name].parse_request(request({"model": "m", **fields}))


def sent(name: DialectName, body: bytes = SOUND) -> Call:
    return RELAYS[name].parse_request(request(body, content_type=TYPE))


def test_every_endpoint_is_served_by_targets_of_openais_api() -> None:
    assert set(ENDPOINTS) == set(RELAYS) <= set(DIALECTS)
    for name in RELAYS:
        assert {"openai_chat", "openai_responses"} <= ALSO[name]
        assert RELAYS[name].name == name


@pytest.mark.parametrize("name", [n for n, e in ENDPOINTS.items() if not e.form])
def test_a_body_goes_on_untouched_save_for_the_model(name: DialectName) -> None:
    body = b'{"input": ["a", 1.50], "model":"m", "odd":{"x": [ ]}}'
    made = RELAYS[name].parse_request(
        request(body, openai_beta="b", authorization="secret")
    )
    out = write_request(DIALECTS, made, target("up"))
    assert out.path == ENDPOINTS[name].path
    assert out.body == b'{"input":["a", 1.50],"model":"up","odd":{"x": [ ]}}'
    assert out.headers["content-type"] == "application/json"
    assert out.headers["openai-beta"] == "b"
    assert "authorization" not in out.headers
    assert out.stream is ENDPOINTS[name].sound


@pytest.mark.parametrize("name", [n for n, e in ENDPOINTS.items() if e.form])
def test_a_form_goes_on_untouched_save_for_the_model(name: DialectName) -> None:
    made = sent(name)
    assert made.body_size == 1 + FILE_BYTES
    out = write_request(DIALECTS, made, target("upstream"))
    assert out.path == ENDPOINTS[name].path
    assert out.body == SOUND.replace(b"\r\n\r\nm\r\n", b"\r\n\r\nupstream\r\n")
    assert out.headers["content-type"] == TYPE


@pytest.mark.parametrize("name", RELAYS)
def test_a_model_is_all_that_is_asked(name: DialectName) -> None:
    with pytest.raises(BadRequest) as caught:
        if ENDPOINTS[name].form:
            sent(name, form(field("n", "1")))
        else:
            RELAYS[name].parse_request(request({"input": "a"}))
    assert caught.value.param == "model"


def test_a_completion_is_asked_for_its_usage() -> None:
    made = asked("openai_completions", stream=True, max_tokens=5)
    assert (made.stream, made.wants_usage, made.most_tokens) == (True, False, 5)
    body = json.loads(write_request(DIALECTS, made, target("up")).body)
    assert body["stream_options"] == {"include_usage": True}
    options = {"include_usage": True, "x": 1}
    wants = asked("openai_completions", stream=True, stream_options=options)
    assert wants.wants_usage
    whole = write_request(DIALECTS, asked("openai_completions"), target("up"))
    assert "stream_options" not in json.loads(whole.body)
    images = asked("openai_images", stream=True)
    assert b"stream_options" not in write_request(DIALECTS, images, target()).body


@pytest.mark.parametrize("options", [1, {"include_usage": "x"}])
def test_odd_options_are_refused(options: object) -> None:
    with pytest.raises(BadRequest):
        asked("openai_completions", stream=True, stream_options=options)


def test_what_an_answer_may_take() -> None:
    assert asked("openai_embeddings").most_tokens == 0
    assert asked("openai_completions").most_tokens is None
    assert asked("openai_completions", max_tokens="x").most_tokens is None
    assert asked("openai_completions", max_tokens=0).most_tokens is None


def test_which_way_an_answer_comes() -> None:
    def way(made: Call) -> object:
        return type(passage(DIALECTS, made, target()))

    assert way(asked("openai_embeddings")) is WholePassage
    assert way(asked("openai_completions")) is WholePassage
    assert way(asked("openai_completions", stream=True)) is StreamPassage
    assert way(asked("openai_images", stream=True)) is EventsPassage
    assert way(asked("openai_speech")) is PipedPassage
    assert way(asked("openai_speech", stream_format="sse")) is EventsPassage
    assert way(sent("openai_transcriptions")) is WholePassage
    told = form(field("model", "m"), field("stream", "true"))
    assert way(sent("openai_transcriptions", told)) is EventsPassage
    assert passage(DIALECTS, sent("openai_transcriptions"), target()).content_type == ""


def test_a_streamed_completion_keeps_chats_promises() -> None:
    made = asked("openai_completions", stream=True)
    chunk = b'data: {"model":"up","choices":[{"text":"Hi","index":0,"finish_reason":'
    way = passage(DIALECTS, made, target("up"))
    first = way.feed(chunk + b"null}]}\n\n")
    assert first == chunk.replace(b"up", b"m") + b"null}]}\n\n"
    assert (way.deltas, way.size) == (1, 4)
    with pytest.raises(ProviderCut):
        way.finish()
    usage = b'data: {"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2}}'
    way = passage(DIALECTS, made, target("m"))
    assert way.feed(usage + b"\n\n") == b""
    assert way.usage is not None
    way.feed(chunk + b'"stop"}]}\n\ndata: [DONE]\n\n')
    assert way.finish() == b"data: [DONE]\n\n"


def test_ollamas_server_has_some_of_them_below_v1() -> None:
    there = Target(provider="p", model="up", dialect="ollama")
    made = asked("openai_embeddings", input="a")
    assert write_request(DIALECTS, made, there).path == "/v1/embeddings"


@pytest.mark.parametrize("dialect", ["anthropic", "gemini"])
def test_other_providers_cannot_be_asked(dialect: Any) -> None:
    there = Target(provider="p", model="up", dialect=dialect)
    with pytest.raises(ModelNotFound) as caught:
        # Those dialects are not needed to know that.
        write_request({**DIALECTS, dialect: DIALECTS["ollama"]}, asked(EMBED), there)
    assert "/v1/embeddings" in caught.value.message


EMBED: DialectName = "openai_embeddings"


def test_a_target_of_one_endpoint_serves_nothing_else() -> None:
    there = Target(provider="p", model="up", dialect=EMBED)
    assert spoken(DIALECTS, asked(EMBED), there) is RELAYS[EMBED]
    with pytest.raises(ModelNotFound) as caught:
        write_request(DIALECTS, chat_call(), there)
    assert "/v1/embeddings only" in caught.value.message
    with pytest.raises(ModelNotFound):
        RELAYS[EMBED].write_prompt(Prompt(turns=()), chat_call(), there)


def test_what_is_never_called_says_so() -> None:
    writer = RELAYS[EMBED].writer(asked(EMBED))
    with pytest.raises(AssertionError):
        writer.finish()
    with pytest.raises(AssertionError):
        RELAYS[EMBED].reader(asked(EMBED))
    assert b'"error"' in writer.broken(ProviderCut("cut"))


def test_errors() -> None:
    relay = RELAYS[EMBED]
    missing = relay.read_error(404, {}, b"")
    assert (missing.status, missing.code) == (404, "model_not_found")
    assert "/v1/embeddings" in missing.message
    assert relay.read_error(500, {}, b"").status == 502
    assert json.loads(relay.render_error(missing).body)["error"]["param"] == "model"
