"""What goes over the pair of sockets comes out as it went in."""

import pytest
from msgspec import MsgspecError
from support.limits_contract import ask, settlement

from lightweight.policy.pace import Recent, Refusal, Room, Used, Verdict
from lightweight.records import Limits
from lightweight.store.limits.wire import (
    VERSION,
    Admit,
    Answer,
    Hello,
    Look,
    Raise,
    Replayed,
    Seed,
    ToKeeper,
    Whose,
    Withdraw,
    WriterDone,
    answers_of,
    encode,
    hello_of,
    settle_of,
    to_keeper_of,
)

ASK = ask("r1", account=Limits(rpm=3, prepaid=True), key=Limits(quota_tokens=4))
MESSAGES: list[ToKeeper] = [
    Whose(0, ASK.account, ASK.subjects),
    Admit(1, 0, ASK.id, ASK.tokens, ASK.micro_usd),
    Look(2, 0, ASK.id, ASK.tokens, ASK.micro_usd),
    settle_of(settlement(ASK, 5, 6)),
    Withdraw(3),
    Withdraw(4, settlement(ASK, refund=True)),
    Raise(Used(account="a", subject="", month=0, tokens=1, micro_usd=2)),
    Seed(Recent(account="a", subject="k", requests={5: 6})),
    WriterDone("worker_1"),
    Replayed(),
]


def test_messages_come_through() -> None:
    assert to_keeper_of(encode(MESSAGES)) == MESSAGES


def test_answers_come_through() -> None:
    refused = Verdict(
        refused=Refusal(subject="", limit="requests", allowed=3, retry_after_ms=None),
        requests=Room(limit=3, remaining=0, reset_ms=5),
    )
    answers = [Answer(1, Verdict()), Answer(2, refused)]
    assert answers_of(encode(answers)) == answers


def test_a_greeting_is_understood_by_every_version() -> None:
    later = encode({"version": VERSION + 1, "name": "w", "new": True})
    assert hello_of(later) == Hello(VERSION + 1, "w")


@pytest.mark.parametrize("frame", [b"", b"\xc1", encode([1]), encode([[2, 1]])])
def test_anything_else_is_refused(frame: bytes) -> None:
    with pytest.raises(MsgspecError):
        to_keeper_of(frame)
