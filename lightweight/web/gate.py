"""What is refused before its body is read: strangers, and new work under overload."""

from collections.abc import Callable

from lightweight.errors import Fault, InvalidKey, Overloaded
from lightweight.web.auth import Keyring, presented_key
from lightweight.web.site_request import GatewayRequest

KEYED = b"/v1/"
"""Nothing below it is served without a key."""


class Gate:
    """Judges requests whose head is whole, out of memory alone."""

    def __init__(self, keyring: Keyring, overloaded: Callable[[], str | None]) -> None:
        """``overloaded`` says in one sentence why no new work is taken, else None."""
        self._keyring = keyring
        self._overloaded = overloaded

    def __call__(self, request: GatewayRequest, length: int | None) -> Fault | None:
        """Say why to refuse the request now; None where its route must decide.

        ``length`` is the body's, in bytes; None: chunked.
        """
        if not request.path.startswith(KEYED):
            return None
        if length != 0:
            try:
                self._recognise(presented_key(request.fields()))
            except InvalidKey as fault:
                return fault
        why = self._overloaded() if request.method == b"POST" else None
        return None if why is None else Overloaded(why)

    def _recognise(self, key: str) -> None:
        # What memory lacks and has the form of a key may be new: its route asks.
        if self._keyring.known(key) is None and not self._keyring.plausible(key):
            raise InvalidKey
