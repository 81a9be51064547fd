"""What a worker and the keeper of limits say to each other, over a pair of sockets.

Frames of msgpack with their length before them (four bytes, the highest first). The
worker's first frame is its Hello; every other one is a list: all that one turn of the
reactor had to say. Both ends come from one release, but not always from one start.
"""

import os
import socket
from collections.abc import Callable
from typing import Any, Final, TypeAlias, cast

from twisted.internet.protocol import Factory, Protocol

from msgspec import Struct
from msgspec.msgpack import Decoder, Encoder

from lightweight.policy.pace import Ask, Recent, Settlement, Used, Verdict

VERSION = 1
"""Raised whenever a message changes its meaning, the nouns in it included."""

LONGEST = 4 * 1024 * 1024
"""Bytes of a frame, at most."""

MOST = 1000
"""Messages in a frame, at most: far from LONGEST."""


class Hello(Struct, frozen=True):
    """Who speaks. Its form is the one thing that never changes."""

    version: int
    name: str
    """The worker's journal is called so too."""


class Admit(Struct, frozen=True, tag="admit", array_like=True):
    """Take it; owes an Answer."""

    number: int
    ask: Ask


class Look(Struct, frozen=True, tag="look", array_like=True):
    """Take nothing; owes an Answer."""

    number: int
    ask: Ask


class Settle(Struct, frozen=True, tag="settle", array_like=True):
    """End an ask, one's own or one that a dead process left."""

    settlement: Settlement


class Withdraw(Struct, frozen=True, tag="withdraw", array_like=True):
    """Nobody waits for this answer any more."""

    number: int
    refund: Settlement | None = None
    """What to do if it was given already, and took something."""


class Raise(Struct, frozen=True, tag="raise", array_like=True):
    """The ledger's word on what is used."""

    used: Used


class Seed(Struct, frozen=True, tag="seed", array_like=True):
    """The ledger's word on the last minute."""

    recent: Recent


class WriterDone(Struct, frozen=True, tag="writer_done", array_like=True):
    """All that this worker left is settled; what it still holds it never used."""

    name: str


class Replayed(Struct, frozen=True, tag="replayed", array_like=True):
    """The ledger has said all it knows: answers may be given."""


ToKeeper: TypeAlias = (
    Admit | Look | Settle | Withdraw | Raise | Seed | WriterDone | Replayed
)


class Answer(Struct, frozen=True, array_like=True):
    """The verdict on the ask of that number."""

    number: int
    verdict: Verdict


encode: Final = Encoder().encode
hello_of: Final = Decoder(Hello).decode
to_keeper_of: Final = cast(
    "Callable[[bytes], list[ToKeeper]]", Decoder(list[ToKeeper]).decode
)
answers_of: Final = Decoder(list[Answer]).decode


def adopt(reactor: Any, descriptor: int, protocol: Protocol) -> None:
    """Let ``protocol`` speak over the stream ``descriptor``, which is used up."""
    os.set_blocking(descriptor, False)
    reactor.adoptStreamConnection(descriptor, socket.AF_UNIX, _Only(protocol))
    os.close(descriptor)


class _Only(Factory):
    """Twisted adopts by factory; there is one connection and one protocol."""

    def __init__(self, protocol: Protocol) -> None:
        self._protocol = protocol

    def buildProtocol(self, addr: object) -> Protocol:  # noqa: ARG002 -- Twisted's
        return self._protocol
