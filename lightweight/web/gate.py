"""What is refused before its body is read: strangers, and work that cannot be done.

Cannot, since there is too much of it or since the account's limits leave no room.
"""

from collections.abc import Callable
from typing import Protocol

from lightweight.errors import Fault, InvalidKey, Overloaded
from lightweight.records import Headers, Identity
from lightweight.web.auth import Keyring, presented_key
from lightweight.web.edge import body_too_large

KEYED = (b"/v1/", b"/api/")
"""Nothing below them takes a body without a key."""

SMALL = (b"/admin/", b"/dashboard")
"""What people and their programs send is short, and strangers may send it."""

MOST_SMALL = 256 * 1024
"""Bytes of a body there."""


class Arriving(Protocol):
    """A request whose head is whole."""

    method: bytes
    path: bytes
    digest: bytes | None
    """Of the key that its fields present; set by the gate, or before it."""
    identity: Identity | None
    """Set by the gate, where memory knows who asks."""

    def fields(self) -> Headers:
        """Give its header fields."""


class Gate:
    """Judges requests whose head is whole, out of memory alone."""

    def __init__(
        self,
        keyring: Keyring,
        overloaded: Callable[[], str | None],
        refusal: Callable[[Identity], Fault | None],
    ) -> None:
        """``overloaded`` says in one sentence why no new work is taken, else None.

        ``refusal`` says why the limits refuse whatever an account may ask.
        """
        self._keyring = keyring
        self._overloaded = overloaded
        self._refusal = refusal

    def judge(self, request: Arriving, length: int | None) -> Fault | None:
        """Say why to refuse the request now; None where its route must decide.

        ``length`` is the body's, in bytes; None: chunked.
        """
        if not request.path.startswith(KEYED):
            small = length is not None and length <= MOST_SMALL
            if small or not request.path.startswith(SMALL):
                return None
            return body_too_large(MOST_SMALL)
        identity = None
        if length != 0:
            try:
                identity = request.identity = self._recognised(request)
            except InvalidKey as fault:
                return fault
        if request.method != b"POST":
            return None
        why = self._overloaded()
        if why is not None:
            return Overloaded(why)
        return None if identity is None else self._refusal(identity)

    def _recognised(self, request: Arriving) -> Identity | None:
        keyring, digest = self._keyring, request.digest
        if digest is None:
            digest = keyring.digest(presented_key(request.fields()))
            request.digest = digest
        identity = keyring.holder(digest)
        # What memory lacks and has the form of a key may be new: its route asks.
        if identity is None and not keyring.plausible(presented_key(request.fields())):
            raise InvalidKey
        return identity
