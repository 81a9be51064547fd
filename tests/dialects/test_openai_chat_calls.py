import pytest

from lightweight.dialects.openai_chat_calls import Function, ToolCall, ToolCalls
from lightweight.errors import ProviderGarbage
from lightweight.events import ToolCallDelta


def piece(
    index: int | None, call_id: str | None, name: str | None, text: str | None
) -> ToolCall:
    return ToolCall(
        index=index, id=call_id, function=Function(name=name, arguments=text)
    )


def delta(
    call: int, arguments: str, call_id: str | None = None, name: str | None = None
) -> ToolCallDelta:
    return ToolCallDelta(
        call=call, arguments=arguments, id=call_id, name=name, choice=2
    )


# (a name for the habit, the provider's pieces, the events)
HABITS = [
    (
        "as specified",
        [
            piece(0, "a", "f", ""),
            piece(0, None, None, "{"),
            piece(0, None, None, "}"),
            piece(1, "b", "g", "{}"),
            piece(0, None, None, " "),
        ],
        [
            delta(0, "", "a", "f"),
            delta(0, "{"),
            delta(0, "}"),
            delta(1, "{}", "b", "g"),
            delta(0, " "),
        ],
    ),
    (
        "counts from one, with a gap",
        [piece(1, "a", "f", ""), piece(4, "b", "g", ""), piece(1, None, None, "x")],
        [delta(0, "", "a", "f"), delta(1, "", "b", "g"), delta(0, "x")],
    ),
    (
        "every call has index 0",
        [piece(0, "a", "f", "1"), piece(0, "b", "f", "2"), piece(0, None, None, "3")],
        [delta(0, "1", "a", "f"), delta(1, "2", "b", "f"), delta(1, "3")],
    ),
    (
        "no index",
        [
            piece(None, "a", "f", "1"),
            piece(None, None, None, "2"),
            piece(None, "a", "f", "3"),
            piece(None, "b", "f", "4"),
        ],
        [
            delta(0, "1", "a", "f"),
            delta(0, "2"),
            delta(0, "3"),
            delta(1, "4", "b", "f"),
        ],
    ),
    (
        "no index and no id",
        [piece(None, None, "f", "1"), piece(None, "", "g", "2")],
        [delta(0, "1", "p_0", "f"), delta(1, "2", "p_1", "g")],
    ),
    (
        "id and name repeated, or empty later",
        [piece(0, "a", "f", ""), piece(0, "a", "f", "1"), piece(0, "", "", "2")],
        [delta(0, "", "a", "f"), delta(0, "1"), delta(0, "2")],
    ),
    (
        "nothing more to say",
        [piece(0, "a", "f", None), piece(0, None, None, ""), ToolCall(index=0)],
        [delta(0, "", "a", "f")],
    ),
    (
        "an id that comes late",
        [piece(0, None, "f", ""), piece(0, "a", None, "1")],
        [delta(0, "", "p_0", "f"), delta(0, "1")],
    ),
]


@pytest.mark.parametrize(
    ("pieces", "events"), [habit[1:] for habit in HABITS], ids=[h[0] for h in HABITS]
)
def test_calls_are_numbered(
    pieces: list[ToolCall], events: list[ToolCallDelta]
) -> None:
    calls = ToolCalls(2, "p")
    assert [event for told in pieces for event in calls.hear(told)] == events


def test_a_custom_call() -> None:
    calls = ToolCalls(0, "p")
    first = ToolCall(index=0, id="a", custom=Function(name="f", input="x"))
    then = ToolCall(index=0, custom=Function(input="y"))
    assert [*calls.hear(first), *calls.hear(then)] == [
        ToolCallDelta(call=0, arguments="x", id="a", name="f", custom=True),
        ToolCallDelta(call=0, arguments="y", custom=True),
    ]


def test_the_legacy_call_has_no_id() -> None:
    calls = ToolCalls(2, "p")
    pieces = [Function(name="f", arguments=""), Function(arguments="{}"), Function()]
    assert [event for told in pieces for event in calls.hear_legacy(told)] == [
        delta(0, "", None, "f"),
        delta(0, "{}"),
    ]


@pytest.mark.parametrize("name", [None, ""])
def test_a_call_without_a_name_is_garbage(name: str | None) -> None:
    with pytest.raises(ProviderGarbage):
        list(ToolCalls(0, "p").hear(piece(0, "a", name, "{}")))
    with pytest.raises(ProviderGarbage):
        list(ToolCalls(0, "p").hear_legacy(Function(name=name)))
