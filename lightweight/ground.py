"""What parent, worker, bookkeeper and single process stand on alike.

A part of the composition root that knows no room of those who serve and no database:
the parent starts without them.
"""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from twisted.logger import Logger

from lightweight.amounts import counted
from lightweight.catalog.load import Catalog
from lightweight.config.load import Loaded
from lightweight.daemon.judge import judged
from lightweight.daemon.listen import CannotListen
from lightweight.observe.logs import LogObserver
from lightweight.observe.place import STDOUT, behind_journal, log_format, log_place
from lightweight.observe.writer import LogWriter
from lightweight.store.problems import StoreProblem


class Ground:
    """What parent, worker and single process stand on alike."""

    def __init__(
        self,
        loaded: Loaded,
        path: Path | None,
        catalog: Catalog,
        environ: dict[str, str],
        reactor: Any,
        where: Mapping[str, object],
    ) -> None:
        """``where`` are twistd's own options: they say where the log goes."""
        self.loaded = loaded
        self.path = path
        self.catalog = catalog
        self.environ = environ
        self.reactor = reactor
        self.place = log_place(where)
        self.journal = behind_journal(self.place, environ)
        self.form = log_format(loaded.config.log_format, self.place)
        self.writer = LogWriter(self.place, reactor, _lines_lost)
        self.observer = LogObserver(self.writer, self.form, journal=self.journal)
        foreground = self.place == STDOUT and not self.journal
        self.tell = self._show if foreground else None
        self.ends: list[Callable[[], None]] = []
        """What is told last, before the log ends."""
        reactor.addSystemEventTrigger("after", "shutdown", self._end)

    def _end(self) -> None:
        for tell in self.ends:
            tell()
        self.writer.finish()

    def _show(self, text: str) -> None:
        self.writer.write(f"\n{text}")

    def reread(self) -> Loaded:
        """Read and judge the configuration again."""
        return judged(self.path, self.environ, self.catalog, self.reactor)


TOLD = (CannotListen, StoreProblem)
"""Problems of a start that the log has told in one sentence: no traceback helps."""


def only_told_problems(
    kind: type[BaseException], problem: BaseException, trace: TracebackType | None
) -> None:
    """Be ``sys.excepthook``: say nothing of what was TOLD."""
    if not issubclass(kind, TOLD):
        sys.__excepthook__(kind, problem, trace)


def _lines_lost(count: int) -> None:
    Logger(namespace=__name__).warn(
        "Lost {lines}: whoever reads the log did not take them.",
        lines=counted(count, "log line"),
    )
