"""What a worker and the keeper of limits say to each other, over a pair of sockets.

Frames of msgpack with their length before them (four bytes, the highest first). The
worker's first frame is its Hello; every other one is a list: all that one turn of the
reactor had to say. Both ends come from one release, but not always from one start.
"""

from collections.abc import Callable
from typing import Final, TypeAlias, cast

from msgspec import Struct
from msgspec.msgpack import Decoder, Encoder

from lightweight.policy.pace import Recent, Settlement, Subject, Used, Verdict

VERSION = 2
"""Raised whenever a message changes its meaning, the nouns in it included."""

LONGEST = 4 * 1024 * 1024
"""Bytes of a frame, at most."""

MOST = 1000
"""Messages in a frame, at most: far from LONGEST."""

KNOWN = 10_000
"""How many Whose a link knows; then their numbers begin anew."""


class Hello(Struct, frozen=True):
    """Who speaks. Its form is the one thing that never changes."""

    version: int
    name: str
    """The worker's journal is called so too."""


class Whose(Struct, frozen=True, tag=1, array_like=True):
    """Whose limits count in the asks that name this number; it may be given anew."""

    number: int
    account: str
    subjects: tuple[Subject, ...]


class Admit(Struct, frozen=True, tag=2, array_like=True, gc=False):
    """Take it; owes an Answer. The rest of the ask is in the Whose."""

    number: int
    whose: int
    id: str
    tokens: int
    micro_usd: int


class Look(Struct, frozen=True, tag=3, array_like=True, gc=False):
    """Take nothing; owes an Answer."""

    number: int
    whose: int
    id: str
    tokens: int
    micro_usd: int


class Settle(Struct, frozen=True, tag=4, array_like=True, gc=False):
    """End an ask, one's own or one that a dead process left.

    A Settlement without its subjects, which the keeper knows.
    """

    id: str
    account: str
    tokens: int
    micro_usd: int
    refund: bool


class Withdraw(Struct, frozen=True, tag=5, array_like=True):
    """Nobody waits for this answer any more."""

    number: int
    refund: Settlement | None = None
    """What to do if it was given already, and took something."""


class Raise(Struct, frozen=True, tag=6, array_like=True):
    """The ledger's word on what is used."""

    used: Used


class Seed(Struct, frozen=True, tag=7, array_like=True):
    """The ledger's word on the last minute."""

    recent: Recent


class WriterDone(Struct, frozen=True, tag=8, array_like=True):
    """All that this worker left is settled; what it still holds it never used."""

    name: str


class Replayed(Struct, frozen=True, tag=9, array_like=True):
    """The ledger has said all it knows: answers may be given."""


ToKeeper: TypeAlias = (
    Whose | Admit | Look | Settle | Withdraw | Raise | Seed | WriterDone | Replayed
)


class Answer(Struct, frozen=True, array_like=True, gc=False):
    """The verdict on the ask of that number."""

    number: int
    verdict: Verdict


def settle_of(settlement: Settlement) -> Settle:
    """Give what says it to the keeper."""
    return Settle(
        settlement.id,
        settlement.account,
        settlement.tokens,
        settlement.micro_usd,
        settlement.refund,
    )


encode: Final = Encoder().encode
hello_of: Final = Decoder(Hello).decode
to_keeper_of: Final = cast(
    "Callable[[bytes], list[ToKeeper]]", Decoder(list[ToKeeper]).decode
)
answers_of: Final = Decoder(list[Answer]).decode
