"""What the admin API and the dashboard stand on, and how the store's problems read."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from twisted.internet.interfaces import IReactorTime

from lightweight.errors import BadRequest, Conflict, NotFound, Overloaded
from lightweight.runtime import Runtime
from lightweight.store.database import Database
from lightweight.store.directory import DirectoryProblem, Missing
from lightweight.store.passwords import PasswordProblem, Passwords
from lightweight.store.problems import StoreUnusable
from lightweight.upstream.openid import OpenIdProvider
from lightweight.web.rates import Rates

NOT_HERE = "There is nothing of this id, or it is not yours to see."
"""The same for what is another's and for what is nobody's."""


@dataclass(frozen=True, kw_only=True)
class Office:
    """What every administrative request needs and none owns."""

    database: Database
    passwords: Passwords
    pepper: bytes
    clock: IReactorTime
    wall: Callable[[], float]
    """Seconds since the epoch."""
    random_bytes: Callable[[int], bytes]
    """Gives bytes fit for secrets."""
    new_id: Callable[[str], str]
    """Makes an id: ``new_id("key")`` gives ``key_…``."""
    current: Callable[[], Runtime]
    rates: Rates
    openid: Callable[[], OpenIdProvider | None] = lambda: None
    """The provider that people may sign in by; None: there is none."""


@contextmanager
def told_as_faults() -> Iterator[None]:
    """Turn what the store cannot do into the Fault that a client reads."""
    try:
        yield
    except Missing:
        raise NotFound(NOT_HERE) from None
    except DirectoryProblem as problem:
        raise Conflict(str(problem)) from None
    except PasswordProblem as problem:
        raise BadRequest(str(problem), param="password") from None
    except StoreUnusable:
        raise Overloaded(
            "The database cannot be asked. Try again in a moment."
        ) from None
