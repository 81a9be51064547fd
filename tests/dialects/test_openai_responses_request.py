import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.responses import DIALECT, call, request, target

from lightweight.dialects.seals import Carried, with_carried, wrapped
from lightweight.errors import BadRequest, ClientFault
from lightweight.prompts import Reasoning

SEALED = "reasoning.encrypted_content"


def refused(**fields: Any) -> BadRequest:
    with pytest.raises(BadRequest) as caught:
        call(**fields)
    return caught.value


def sent(model: str = "m", **fields: Any) -> Any:
    return json.loads(DIALECT.write_request(call(**fields), target(model)).body)


def test_a_request_becomes_a_call() -> None:
    made = DIALECT.parse_request(
        request(
            {"model": "m", "input": "hi", "stream": True, "new": [1]},
            openai_beta="responses=v1",
            cookie="secret",
        )
    )
    assert (made.dialect, made.model, made.stream) == ("openai_responses", "m", True)
    assert bytes(made.fields["new"]) == b"[1]"
    assert made.forward == {"openai-beta": "responses=v1"}
    assert not call().stream


def test_what_is_sent() -> None:
    fields = {"input": [{"role": "user", "content": "hi"}], "tools": None, "new": 1}
    made = DIALECT.write_request(call(**fields), target("there"))
    assert (made.path, made.stream) == ("/responses", False)
    assert made.headers["accept"] == "application/json"
    assert json.loads(made.body) == {**fields, "model": "there", "store": False}


def test_nested_bytes_stay_as_they_are() -> None:
    body = b'{"model":"m", "input" : [ {"role":"user","content":"\\u0068i"} ]}'
    made = DIALECT.write_request(DIALECT.parse_request(request(body)), target("m"))
    assert b'[ {"role":"user","content":"\\u0068i"} ]' in made.body


def test_nothing_is_stored_whatever_the_client_says() -> None:
    assert sent(store=True)["store"] is False


def test_models_that_think_are_asked_for_seals() -> None:
    assert sent("gpt-5.3-codex")["include"] == [SEALED]
    both = ["message.output_text.logprobs", SEALED]
    assert sent("gpt-5.3-codex", include=both[:1])["include"] == both
    assert sent("gpt-5.3-codex", include=both)["include"] == both
    assert sent("gpt-5.3-codex", include=None)["include"] == [SEALED]
    assert "include" not in sent("gpt-4o")
    assert sent("gpt-4o", include=[SEALED])["include"] == [SEALED]


def thought(**members: Any) -> dict[str, Any]:
    return {"type": "reasoning", "id": "rs_1", "summary": [], **members}


def test_thoughts_that_the_provider_cannot_read_are_left_out() -> None:
    own = thought(encrypted_content="SEAL")
    plain = thought(content=[{"type": "reasoning_text", "text": "Hm."}])
    foreign = wrapped(Reasoning(text="Hm.", seal="s", sealed_by="anthropic"))
    hi = {"role": "user", "content": "hi"}
    history = [own, thought(), thought(encrypted_content=foreign), plain, hi]
    assert sent(input=history)["input"] == [own, plain, hi]


def test_what_ids_bear_is_taken_off() -> None:
    shown = with_carried("call_1", Carried(seal="g", sealed_by="gemini"))
    output = {"type": "function_call_output", "call_id": shown, "output": "x"}
    assert sent(input=[output])["input"][0]["call_id"] == "call_1"


@pytest.mark.parametrize(
    ("fields", "param", "code"),
    [
        ({"model": None}, "model", None),
        ({"model": ""}, "model", None),
        ({"input": None}, "input", "missing_required_parameter"),
        ({"input": 7}, "input", "invalid_type"),
        ({"input": {"a": 1}}, "input", "invalid_type"),
        ({"input": [7]}, "input[0]", "invalid_type"),
        ({"stream": "yes"}, "stream", "invalid_type"),
    ],
)
def test_what_every_provider_refuses(
    fields: dict[str, Any], param: str, code: str | None
) -> None:
    fault = refused(**fields)
    assert fault.param == param
    assert code is None or fault.code == code


FILE = {"type": "input_file", "file_id": "file_1"}


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"previous_response_id": "resp_1"}, "previous_response_id"),
        ({"conversation": {"id": "conv_1"}}, "conversation"),
        ({"background": True}, "background"),
        (
            {"input": [{"role": "user", "content": [{"type": "x"}, FILE]}]},
            "input[0].content[1].file_id",
        ),
        ({"input": [{"type": "item_reference", "id": "msg_1"}]}, "input[0].type"),
    ],
)
def test_what_a_provider_would_have_to_keep(fields: dict[str, Any], param: str) -> None:
    fault = refused(**fields)
    assert (fault.param, fault.code) == (param, "unsupported_parameter")
    assert "keeps no" in fault.message


def test_a_file_id_cannot_hide_behind_an_escape() -> None:
    body = b'{"model":"m","input":[{"content":[{"file\\u005fid":"file_1"}]}]}'
    with pytest.raises(BadRequest) as caught:
        DIALECT.parse_request(request(body))
    assert caught.value.param == "input[0].content[0].file_id"


def test_words_about_files_are_words() -> None:
    call(input=[{"role": "user", "content": "file_id and item_reference"}])
    call(input="file_id")
    call(
        input=[{"role": "user", "content": [{"type": "input_image", "file_id": None}]}]
    )
    call(background=False, conversation=None, previous_response_id=None)


def test_an_include_of_another_form() -> None:
    with pytest.raises(BadRequest) as caught:
        sent("gpt-5.3-codex", include=7)
    assert caught.value.param == "include"


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from(["reasoning", "message", "file_id", "item_reference", "x"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["type", "content", "encrypted_content", "role", "a"]),
            inner,
        )
    ),
    max_leaves=12,
)


@given(
    st.dictionaries(
        st.sampled_from(["input", "include", "stream", "tools", "conversation"]), JSON
    )
)
def test_any_request_is_a_call_or_a_fault(fields: dict[str, Any]) -> None:
    with suppress(ClientFault):
        made = call(**fields)
        json.loads(DIALECT.write_request(made, target("gpt-5.3-codex")).body)


@given(st.binary())
def test_any_bytes_are_a_call_or_a_fault(body: bytes) -> None:
    with suppress(ClientFault):
        DIALECT.parse_request(request(body))
