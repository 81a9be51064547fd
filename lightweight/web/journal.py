"""The contract of the journal: what is used is written down before anyone is told."""

from typing import Protocol

from lightweight.records import Dispatch, Use


class Journal(Protocol):
    """Takes each use twice: when it begins and when it ended. Neither call waits."""

    @property
    def why_full(self) -> str | None:
        """Say in one sentence why no use may begin; None where one may."""

    def start(self, dispatch: Dispatch) -> None:
        """Write that a use begins; raise StoreProblem where there is no room."""

    def finish(self, use: Use) -> None:
        """Write how a use that was started ended: for that there is always room."""
