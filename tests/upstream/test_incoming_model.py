"""An answer beside a simple model of it: whatever happens, and whenever."""

from collections.abc import Sequence

from twisted.internet.defer import CancelledError
from twisted.internet.task import Clock
from twisted.python.failure import Failure

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from support.sink import RecordingSink

from lightweight.errors import ProviderTimeout
from lightweight.upstream.deadlines import Deadlines
from lightweight.upstream.incoming import Incoming

FIRST_BYTE, IDLE, TOTAL = 7.0, 5.0, 20.0

STEPS = ["head", "piece", "framing", "end", "break", "deliver", "pause", "resume"]
Step = str | float
"""Something that happens, or so many seconds that go by."""


class Line:
    """A line that knows whether it is read, and whether it was reset."""

    def __init__(self) -> None:
        self.paused = False
        self.reset = False

    def pause(self) -> None:
        self.paused = True

    def resume(self) -> None:
        self.paused = False

    def abort(self) -> None:
        self.reset = True


class Model:
    """What should be: two clocks, of which each is looked at every second."""

    def __init__(self) -> None:
        self.now = 0.0
        self.headed = self.ended = self.delivered = self.paused = False
        self.late = self.over = False
        self.heard = 0.0
        self.sent: list[bytes] = []

    @property
    def flows(self) -> bool:
        return self.delivered and not self.paused

    def second(self) -> None:
        self.now += 1
        silent = self.now - self.heard
        waits = self.flows and silent >= IDLE
        if not self.headed:
            waits = silent >= FIRST_BYTE
        if not self.ended and (waits or self.now >= TOTAL):
            self.ended = self.late = self.over = True

    def may(self, step: str) -> bool:
        """Whether this can happen now."""
        comes = not self.ended
        return (
            not self.over
            and {
                "head": comes and not self.headed,
                "piece": comes and self.headed,
                "framing": comes and self.headed,
                "end": comes and self.headed,
                "break": comes,
                "deliver": self.headed and not self.delivered,
                "pause": self.headed,
                "resume": self.headed,
            }[step]
        )

    def take(self, step: str) -> None:
        self.headed |= step == "head"
        self.ended |= step in {"end", "break"}
        if step == "piece":
            self.sent.append(b"%d," % len(self.sent))
        if step in {"piece", "deliver"} or (step == "resume" and self.paused):
            self.heard = self.now
        self.delivered |= step == "deliver"
        self.paused = step == "pause" or (self.paused and step != "resume")
        self.over = self.ended and (self.flows or not self.headed)


@given(
    st.lists(
        st.one_of(st.sampled_from(STEPS), st.integers(1, 8).map(float)), max_size=25
    )
)
@example(["head", "deliver", "piece", 4.0, "piece", 4.0, "framing", 1.0])
@example(["head", "deliver", "pause", "piece", "end", 8.0, 8.0, 8.0, "resume"])
@example(["head", "deliver", "pause", 6.0, "resume", 4.0, "piece", 4.0])
@example(["head", "piece", "pause", "deliver", 8.0, 8.0, 8.0])
@example(["head", "deliver", 8.0])
@example(["head", "piece", "end", "deliver"])
@example(["head", "piece", "piece", "end", "pause", "deliver", 8.0, 8.0, "resume"])
@example(["head", "piece", "break", "deliver"])
@example(["head", "deliver", 3.0, "pause", "resume", 3.0, 3.0])
@example([8.0])
@example(["break"])
def test_it_is_what_the_model_is(steps: Sequence[Step]) -> None:
    clock, model, line, sink = Clock(), Model(), Line(), RecordingSink()
    incoming = Incoming(
        Deadlines(clock), name="acme", first_byte=FIRST_BYTE, idle=IDLE, total=TOTAL
    )
    failures: list[Failure] = []
    incoming.sent(line).addErrback(failures.append)
    for step in steps:
        if isinstance(step, float):
            for _ in range(int(step)):
                clock.advance(1)
                model.second()
        elif model.may(step):
            model.take(step)
            happen(incoming, step, model, sink)
        assert b"".join(model.sent).startswith(sink.data)
        assert model.late or not model.flows or sink.data == b"".join(model.sent)
        assert (len(sink.ends) == 1) is (model.over and model.delivered)
        assert (len(failures) == 1) is (model.over and not model.headed)
        if model.late:
            assert line.reset
            assert not failures or failures[0].check(CancelledError)
        elif model.headed and not model.ended:
            assert line.paused is not model.flows
        assert bool(clock.getDelayedCalls()) is not model.ended


def happen(incoming: Incoming, step: str, model: Model, sink: RecordingSink) -> None:
    match step:
        case "head":
            incoming.head(200, "OK", {})
            incoming.read()
        case "piece":
            incoming.body(model.sent[-1])
            incoming.read()
        case "framing":
            incoming.read()
        case "end":
            incoming.ended(None)
        case "break":
            incoming.ended(ConnectionError())
            if not model.headed:
                # Its pool gives it up.
                incoming.abort()
        case "deliver":
            incoming.deliver(sink)
        case "pause":
            incoming.pause()
        case _:
            incoming.resume()


@pytest.mark.parametrize("how", ["whole", "aborted", "late"])
def test_one_that_is_over_leaves_the_clocks_of_the_next_alone(how: str) -> None:
    """The next one has its deadline."""
    clock, sink = Clock(), RecordingSink()
    deadlines = Deadlines(clock)
    first = Incoming(deadlines, "acme", FIRST_BYTE, IDLE, TOTAL)
    first.sent(Line())
    first.head(200, "OK", {})
    first.body(b"1")
    first.read()
    if how == "whole":
        first.ended(None)
    elif how == "aborted":
        first.abort()
    else:
        first.deliver(RecordingSink())
        clock.advance(IDLE)
    assert len(deadlines.spare) == 1
    second = Incoming(deadlines, "acme", FIRST_BYTE, IDLE, TOTAL)
    second.sent(Line())
    second.head(200, "OK", {})
    second.read()
    second.deliver(sink)
    assert deadlines.spare == []
    first.hurry(1.0)
    first.pause()
    first.deliver(RecordingSink())
    first.resume()
    first.abort()
    clock.advance(IDLE - 0.1)
    assert (sink.ends, len(clock.getDelayedCalls())) == ([], 1)
    clock.advance(0.2)
    assert [type(end) for end in sink.ends] == [ProviderTimeout]
