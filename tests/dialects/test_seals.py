import base64

from hypothesis import given
from hypothesis import strategies as st

from lightweight.dialects.seals import (
    LONGEST,
    WORD,
    Bearer,
    Carried,
    joined,
    stripped,
    unwrapped,
    with_carried,
    without_carried,
    wrapped,
)
from lightweight.events import ReasoningDelta, ReasoningSealed, ToolCallDelta
from lightweight.prompts import Reasoning

THOUGHT = Reasoning(text="Hm…", seal="sig+/=", sealed_by="anthropic", id="rs_1")


def test_an_id_brings_its_thoughts_back() -> None:
    carried = Carried(thoughts=(THOUGHT,), seal="g", sealed_by="gemini")
    shown = with_carried("toolu_1", carried)
    assert shown.startswith("toolu_1_lw1_")
    assert shown.replace("_", "").replace("-", "").isalnum()
    assert without_carried(shown) == ("toolu_1", carried)


def test_nothing_to_carry_leaves_the_id_alone() -> None:
    assert with_carried("c", Carried()) == "c"
    assert without_carried("c") == ("c", Carried())


def test_too_much_is_left_out() -> None:
    huge = Carried(thoughts=(Reasoning(text="x" * LONGEST, seal="s"),))
    assert with_carried("c", huge) == "c"


@given(st.text())
def test_any_id_may_come_back(text: str) -> None:
    without_carried(text)
    without_carried(f"c_lw1_{text}")
    unwrapped(f"_lw1_{text}")


def test_a_wrapped_thought_stands_in_a_seals_place() -> None:
    assert unwrapped(wrapped(THOUGHT)) == THOUGHT
    assert unwrapped("a provider's own") is None


def test_a_body_is_stripped_of_what_was_added() -> None:
    shown = with_carried("call_1", Carried(thoughts=(THOUGHT,))).encode()
    assert stripped(b'{"id":"' + shown + b'"}') == b'{"id":"call_1"}'
    body = b'{"id":"call_1"}'
    assert stripped(body) is body


PIECES = st.sampled_from(
    [b"1", b"_", b"_lw1_", b"_lw1_a", b"lw1_", b'"', b"1" * 9, b"x" * 2000]
)


@given(st.lists(PIECES).map(b"".join))
def test_every_word_of_ours_is_found(body: bytes) -> None:
    assert stripped(body) == WORD.sub(b"", body)


def test_a_word_that_nests_endlessly_is_none_of_ours() -> None:
    deep = b'{"x":' + b"[" * 5000 + b"]" * 5000 + b"}"
    word = "_lw1_" + base64.urlsafe_b64encode(deep).decode().rstrip("=")
    assert without_carried("a" + word) == ("a", Carried())
    assert unwrapped(word) is None


def test_a_call_bears_the_sealed_thoughts_before_it() -> None:
    bearer = Bearer()
    bearer.hear(ReasoningDelta(text="H"))
    bearer.hear(ReasoningDelta(text="m"))
    bearer.hear(ReasoningSealed(seal="s", sealed_by="anthropic"))
    bearer.hear(ReasoningDelta(text="not sealed"))
    first = ToolCallDelta(call=0, arguments="", id="a", name="f")
    call_id, carried = without_carried(bearer.shown_id(first) or "")
    assert call_id == "a"
    assert carried.thoughts == (Reasoning(text="Hm", seal="s", sealed_by="anthropic"),)
    second = ToolCallDelta(call=1, arguments="", id="b", name="f", seal="g")
    call_id, carried = without_carried(bearer.shown_id(second) or "")
    assert (call_id, carried.thoughts) == ("b", ())
    assert (carried.seal, carried.sealed_by) == ("g", "gemini")


def test_a_call_of_the_old_form_bears_nothing() -> None:
    bearer = Bearer()
    bearer.hear(ReasoningSealed(seal="s", sealed_by="anthropic"))
    assert bearer.shown_id(ToolCallDelta(call=0, arguments="", name="f")) is None


def test_joined_gives_what_can_be_read() -> None:
    assert joined([THOUGHT, Reasoning(text="!", redacted=True)]) == "Hm…!"
