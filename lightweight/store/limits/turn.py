"""What one turn of the reactor says leaves at its end, together."""

from collections.abc import Callable
from functools import partial
from typing import Any, TypeAlias

PutOff: TypeAlias = Callable[[Callable[[], object]], object]
"""Lets a call happen at the end of this turn, or at the beginning of the next."""


def put_off_by(reactor: Any) -> PutOff:
    """Give the reactor's own way (``daemon/turns``), or that of any IReactorTime."""
    own: PutOff | None = getattr(reactor, "at_end", None)
    return own or partial(reactor.callLater, 0)
