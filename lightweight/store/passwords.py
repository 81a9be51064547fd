"""Passwords: argon2id, in threads.

One hash takes tens of milliseconds of a processor: done in the reactor it would hold up
every stream, and done without bound strangers could keep all processors busy.
"""

import unicodedata
from collections.abc import Callable
from typing import Any, TypeVar

from twisted.internet.defer import Deferred, DeferredSemaphore
from twisted.internet.threads import deferToThreadPool
from twisted.python.failure import Failure

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from lightweight.store.problems import StoreProblem

T = TypeVar("T")

AT_ONCE = 2

MOST_WAITING = 20
"""Passwords that are taken at all at one time: about a second's work."""

SHORTEST = 10
LONGEST = 200
"""Characters of a password (NIST SP 800-63B: length is what counts, no rules else)."""

_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
"""OWASP's least: two at once take 38 MiB, and a worker is to stay small."""

_NOBODYS = (
    "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5J3MgcGFzc3dvcmQ"
    "$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
)
"""Checked where there is no such person: it takes as long as where there is one."""


class PasswordProblem(StoreProblem):
    """The password cannot be taken; the text says why, for whoever chose it."""


class Passwords:
    """Hashes and checks passwords, AT_ONCE of them at one time."""

    def __init__(self, reactor: Any) -> None:
        """``reactor`` lends its threads, which end with it."""
        self._reactor = reactor
        self._turns = DeferredSemaphore(AT_ONCE)
        self._taken = 0

    async def hashed(self, password: str) -> str:
        """Give what to store of a new password.

        Raises PasswordProblem for one that is too short or too long, or where too many
        are being checked. Cancelling gives up the answer.
        """
        check_password(password)
        return await self._in_thread(lambda: _HASHER.hash(_bytes(password)))

    async def verified(self, password: str, stored: str | None) -> bool:
        """Tell whether it is the password; it takes the same time for None, nobody's.

        Raises PasswordProblem where too many are being checked. Cancelling gives up
        the answer.
        """
        right = await self._in_thread(lambda: _verified(password, stored or _NOBODYS))
        return right and stored is not None

    async def _in_thread(self, work: Callable[[], T]) -> T:
        if self._taken >= MOST_WAITING:
            raise PasswordProblem(
                "Too many people sign in at this moment: try again in a few seconds."
            )
        self._taken += 1
        # A thread cannot be stopped: who gives up must not make room for another one.
        answer: Deferred[T] = Deferred()
        running = self._turns.run(
            deferToThreadPool, self._reactor, self._reactor.getThreadPool(), work
        )
        running.addBoth(self._ended, answer)
        return await answer

    def _ended(self, result: T | Failure, answer: "Deferred[T]") -> None:
        self._taken -= 1
        if isinstance(result, Failure):
            answer.errback(result)
        else:
            answer.callback(result)


def check_password(password: str) -> None:
    """Raise PasswordProblem for a password that cannot be taken."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise PasswordProblem(
            f"A password has {SHORTEST} to {LONGEST} characters: choose another."
        )


def _verified(password: str, stored: str) -> bool:
    try:
        # Nobody has a longer one: a stranger's megabyte is not worth the time.
        return _HASHER.verify(stored, _bytes(password[: LONGEST + 1]))
    except (VerificationError, InvalidHashError):
        return False


def _bytes(password: str) -> bytes:
    # The same letters may be typed as different code points (RFC 8265 section 4.2).
    return unicodedata.normalize("NFC", password).encode("utf-8", "surrogatepass")
