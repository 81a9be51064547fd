"""The order of blocks; what they hold is judged with the writer."""

from lightweight.dialects.anthropic_blocks import Blocks
from lightweight.events import TextDelta, ToolCallDelta


def kinds(blocks: Blocks) -> list[str]:
    return [f"{step['type'].split('_')[-1]} {step['index']}" for step in blocks.steps()]


def test_one_block_is_open_at_a_time() -> None:
    blocks = Blocks()
    assert kinds(blocks) == []
    blocks.hear(TextDelta(text="a"))
    assert kinds(blocks) == ["start 0", "delta 0"]
    blocks.hear(ToolCallDelta(call=0, arguments="{", id="c", name="f"))
    assert kinds(blocks) == ["stop 0", "start 1", "delta 1"]


def test_nothing_overtakes_an_open_call() -> None:
    blocks = Blocks()
    blocks.hear(ToolCallDelta(call=0, arguments="{", id="c", name="f"))
    blocks.hear(TextDelta(text="a"))
    assert kinds(blocks) == ["start 0", "delta 0"]
    blocks.hear(ToolCallDelta(call=0, arguments="}"))
    assert kinds(blocks) == ["delta 0"]
    last = [step["type"] for step in blocks.last_steps()]
    assert last == [
        "content_block_stop",
        "content_block_start",
        "content_block_delta",
        "content_block_stop",
    ]
    assert kinds(blocks) == []


def test_whether_there_was_a_call() -> None:
    blocks = Blocks()
    blocks.hear(TextDelta(text="a"))
    assert not blocks.called
    blocks.hear(ToolCallDelta(call=0, arguments="", id="c", name="f"))
    assert blocks.called
