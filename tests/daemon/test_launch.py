"""How workers are started: what they are told, what they inherit and what not."""

import sys
from pathlib import Path
from typing import Any

from lightweight.daemon.launch import spawner, words
from lightweight.daemon.messages import Assignment, decode

SOCKETS = [("tcp:8080", 12), ("unix:/run/x", 14)]


class Recorder:
    """A reactor that starts nothing."""

    def spawnProcess(
        self, protocol: Any, executable: str, args: Any, env: Any, *, childFDs: Any
    ) -> None:
        self.args, self.env, self.descriptors = args, env, childFDs


def test_sockets_arrive_where_the_worker_looks_for_them() -> None:
    reactor = Recorder()
    spawner(reactor, {}, None, 1)(3, SOCKETS)(lambda _: None)

    told = decode(reactor.args[reactor.args.index("--worker") + 1], Assignment)

    assert told.generation == 3
    assert [
        (description, reactor.descriptors[number])
        for description, number in told.sockets
    ] == SOCKETS


def test_a_worker_does_not_speak_for_the_service() -> None:
    reactor = Recorder()
    environ = {"NOTIFY_SOCKET": "/x", "WATCHDOG_USEC": "1", "LISTEN_FDS": "1", "A": "b"}
    spawner(reactor, environ, None, 1)(1, SOCKETS)(lambda _: None)

    assert reactor.env == {"A": "b"}


def test_configuration_and_log_are_the_parents() -> None:
    command = words(
        Assignment(generation=1, sockets=()), Path("/etc/lw.toml"), Path("/log")
    )

    assert command[0] == sys.executable
    assert command[command.index("--logfile") + 1] == "/log"
    assert command[command.index("--config") + 1] == "/etc/lw.toml"
    assert command.index("--logfile") < command.index("lightweight")
