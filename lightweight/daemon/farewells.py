"""Telling the operator in time of models whose last provider retires them.

One process of a server does it: the bookkeeper's, or the only one.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from lightweight.amounts import counted
from lightweight.records import Model

AHEAD_DAYS = 30
"""From how many days before its last one a model is told of, once a day."""

LOOK_SECONDS = 3600.0


def ending_soon(models: Sequence[Model], today: date) -> list[tuple[Model, int]]:
    """Give the models that end within AHEAD_DAYS, with the days that are left."""
    left = [
        (model, (model.shutdown_date - today).days)
        for model in models
        if model.shutdown_date is not None
    ]
    return [(model, days) for model, days in left if 0 <= days <= AHEAD_DAYS]


class Farewells:
    """Warns in the log, from ``start`` to ``stop``."""

    log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        wall: Callable[[], float],
        models: Callable[[], Sequence[Model]],
    ) -> None:
        """``wall`` gives seconds since the epoch, ``models`` those on offer."""
        self._clock = clock
        self._wall = wall
        self._models = models
        self._told_on: date | None = None
        self._next: IDelayedCall | None = None

    def start(self) -> None:
        """Look at once, then every hour whether the day is another."""
        self._next = self._clock.callLater(LOOK_SECONDS, self.start)
        today = datetime.fromtimestamp(self._wall(), UTC).date()
        if today != self._told_on:
            self._told_on = today
            for model, days in ending_soon(self._models(), today):
                self._tell(model, days)

    def stop(self) -> None:
        """Look no more."""
        if self._next is not None:
            self._next.cancel()
            self._next = None

    def _tell(self, model: Model, days: int) -> None:
        self.log.warn(
            "Model {id!r} ends on {day}, in {days}: no provider of this server "
            "has it from then on.{instead}",
            id=model.id,
            day=model.shutdown_date,
            days=counted(days, "day"),
            instead=f" Use {model.replacement!r}." if model.replacement else "",
        )
