from collections.abc import Callable
from typing import Any

from twisted.internet.defer import CancelledError, Deferred

import pytest
from support.until import until

from lightweight.store import passwords
from lightweight.store.passwords import (
    AT_ONCE,
    LONGEST,
    MOST_WAITING,
    PasswordProblem,
    Passwords,
    check_password,
)

PASSWORD = "correct horse"


def made() -> Passwords:
    from twisted.internet import reactor

    return Passwords(reactor)


async def test_a_password_is_known_again() -> None:
    ours = made()
    stored = await ours.hashed(PASSWORD)
    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert stored != await ours.hashed(PASSWORD)
    assert await ours.verified(PASSWORD, stored)
    assert not await ours.verified(PASSWORD + "!", stored)
    assert not await ours.verified("x" * 10**6, stored)
    assert not await ours.verified("\ud800", stored)
    assert not await ours.verified(PASSWORD, "damaged")


async def test_the_same_letters_are_the_same_password() -> None:
    ours = made()
    stored = await ours.hashed("cafe\u0301 au lait")
    assert await ours.verified("caf\u00e9 au lait", stored)


async def test_nobodys_password_takes_the_same_work(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is checked where there is nobody has the cost of a real hash."""
    ours = made()
    stored = await ours.hashed(PASSWORD)
    checked: list[str] = []

    class Spy:
        def verify(self, known: str, given: bytes) -> bool:
            checked.append(known)
            return hasher.verify(known, given)

    hasher = passwords._HASHER
    monkeypatch.setattr(passwords, "_HASHER", Spy())
    assert not await ours.verified(PASSWORD, None)
    assert await ours.verified(PASSWORD, stored)
    costs = [known.split("$")[1:4] for known in checked]
    assert costs[0] == costs[1]


@pytest.mark.parametrize("password", ["", "123456789", "x" * (LONGEST + 1)])
async def test_a_password_that_cannot_be_taken(password: str) -> None:
    with pytest.raises(PasswordProblem, match="10 to 200"):
        check_password(password)
    with pytest.raises(PasswordProblem):
        await made().hashed(password)


class Threads:
    """A reactor that lends threads whose work ends when the test says."""

    def __init__(self) -> None:
        self.works: list[Callable[[], None]] = []

    def getThreadPool(self) -> "Threads":
        return self

    def callInThreadWithCallback(
        self, done: Callable[[bool, Any], None], work: Callable[[], Any], *_: Any
    ) -> None:
        self.works.append(lambda: done(True, "hash"))

    def callFromThread(self, work: Callable[..., Any], *arguments: Any) -> None:
        work(*arguments)


async def test_two_are_checked_at_once_and_few_wait() -> None:
    threads = Threads()
    ours = Passwords(threads)
    waiting = [
        Deferred.fromCoroutine(ours.hashed(PASSWORD)) for _ in range(MOST_WAITING)
    ]
    assert len(threads.works) == AT_ONCE
    with pytest.raises(PasswordProblem, match="Too many"):
        await ours.hashed(PASSWORD)
    while threads.works:
        assert len(threads.works) <= AT_ONCE
        threads.works.pop()()
    assert [await each for each in waiting] == ["hash"] * MOST_WAITING


async def test_who_gives_up_makes_no_room() -> None:
    threads = Threads()
    ours = Passwords(threads)
    asked = [Deferred.fromCoroutine(ours.hashed(PASSWORD)) for _ in range(AT_ONCE)]
    for each in asked:
        each.cancel()
        with pytest.raises(CancelledError):
            await each
    later = Deferred.fromCoroutine(ours.hashed(PASSWORD))
    assert len(threads.works) == AT_ONCE
    threads.works.pop()()
    assert len(threads.works) == AT_ONCE
    threads.works.pop()()
    threads.works.pop()()
    await until(lambda: later.called)
    assert await later == "hash"
