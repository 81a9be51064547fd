"""How a child is started: a fresh interpreter that runs ``twistd lightweight`` again.

Being fresh it has the code and the certificates that are on disk. The configuration is
the one its parent read when the generation was started.
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from socket import socket
from typing import Any, TypeAlias

import msgspec

from lightweight.config.load import Loaded
from lightweight.daemon.generation import Spawn
from lightweight.daemon.handover import handed_over
from lightweight.daemon.messages import (
    FIRST_SOCKET,
    LIMITS,
    ORDERS,
    REPORTS,
    Assignment,
    Task,
)
from lightweight.daemon.notify import NOT_INHERITED
from lightweight.daemon.worker import STDERR, Told, Worker

Spawner: TypeAlias = Callable[
    [Task, int, int, Sequence[tuple[str, int]], Loaded], Spawn
]
"""Takes a task, the generation's number and size, its sockets, its configuration."""

TWISTD = (
    "import gc; gc.disable(); "
    "from lightweight.daemon.turns import install; install(); "
    "from twisted.scripts.twistd import run; run()"
)
"""``settle`` gives it back its collector, once everything is loaded."""


def words(assignment: Assignment, config: Path | None, log: Path | int) -> list[str]:
    """Give the command line of a worker."""
    # -P: the working directory is no place to import from.
    command = [sys.executable, "-P", "-c", TWISTD, "--nodaemon", "--pidfile="]
    if isinstance(log, Path):
        command += ["--logfile", str(log)]
    command += ["lightweight", "--worker", msgspec.json.encode(assignment).decode()]
    if config is not None:
        command += ["--config", str(config)]
    return command


def spawner(
    reactor: Any,
    environ: Mapping[str, str],
    config: Path | None,
    log: Path | int,
    *,
    connect: Callable[[], socket],
    counted: Told,
) -> Spawner:
    """Give what makes the way to start a child for some task of a generation.

    ``connect`` gives a child's end of a new connection to the limits kept here;
    ``counted`` takes what children count.
    """
    passed_on = {k: v for k, v in environ.items() if k not in NOT_INHERITED}

    def of_generation(
        task: Task,
        number: int,
        size: int,
        sockets: Sequence[tuple[str, int]],
        loaded: Loaded,
    ) -> Spawn:
        configuration = FIRST_SOCKET + len(sockets)
        assignment = Assignment(
            task=task,
            generation=number,
            size=size,
            configuration=configuration,
            sockets=tuple(
                (description, FIRST_SOCKET + at)
                for at, (description, _) in enumerate(sockets)
            ),
        )
        descriptors: dict[int, int | str] = {0: 0, 1: 1, STDERR: "r"}
        descriptors |= {ORDERS: "w", REPORTS: "r"}
        descriptors |= {
            FIRST_SOCKET + at: descriptor for at, (_, descriptor) in enumerate(sockets)
        }

        def spawn(ended: Callable[[Worker], None]) -> Worker:
            worker = Worker(ended, counted)
            command = words(assignment, config, log)
            with handed_over(loaded) as texts, connect() as limits:
                reactor.spawnProcess(
                    worker,
                    command[0],
                    command,
                    passed_on,
                    childFDs={
                        **descriptors,
                        LIMITS: limits.fileno(),
                        configuration: texts,
                    },
                )
            return worker

        return spawn

    return of_generation
