"""How workers are started: what they are told, what they inherit and what not."""

import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lightweight.config.load import Loaded
from lightweight.config.schema import Config
from lightweight.config.secret import Secret
from lightweight.daemon.handover import texts_at
from lightweight.daemon.launch import spawner, words
from lightweight.daemon.messages import LIMITS, Assignment, decode

LOADED = Loaded(
    config=Config(),
    warnings=(),
    origins={},
    files=(Path("/etc/lw.toml"),),
    texts=(Secret("workers = 1"),),
)
SOCKETS = [("tcp:8080", 12), ("unix:/run/x", 14)]


KEPT: list[socket.socket] = []
"""This end of the connections to the limits, which nobody keeps here."""


def connect() -> socket.socket:
    ours, theirs = socket.socketpair()
    KEPT.append(ours)
    return theirs


def unheard(_series: object) -> None:
    """Take what nobody counts here."""


@pytest.fixture(autouse=True)
def disconnected() -> Iterator[None]:
    yield
    while KEPT:
        KEPT.pop().close()


class Recorder:
    """A reactor that starts nothing."""

    def spawnProcess(
        self, protocol: Any, executable: str, args: Any, env: Any, *, childFDs: Any
    ) -> None:
        self.args, self.env, self.descriptors = args, env, childFDs
        told = decode(args[args.index("--worker") + 1], Assignment)
        self.told = told
        self.texts = texts_at(os.dup(childFDs[told.configuration]))
        with socket.socket(fileno=os.dup(childFDs[LIMITS])) as limits:
            limits.sendall(b"hello")


def test_sockets_arrive_where_the_worker_looks_for_them() -> None:
    reactor = Recorder()
    spawn = spawner(reactor, {}, None, 1, connect=connect, counted=unheard)
    spawn("serve", 3, 2, SOCKETS, LOADED)(lambda _: None)

    told = reactor.told
    assert (told.task, told.generation, told.size) == ("serve", 3, 2)
    assert [
        (description, reactor.descriptors[number])
        for description, number in told.sockets
    ] == SOCKETS


def test_a_worker_does_not_speak_for_the_service() -> None:
    reactor = Recorder()
    environ = {"NOTIFY_SOCKET": "/x", "WATCHDOG_USEC": "1", "LISTEN_FDS": "1", "A": "b"}
    spawn = spawner(reactor, environ, None, 1, connect=connect, counted=unheard)
    spawn("serve", 1, 1, SOCKETS, LOADED)(lambda _: None)

    assert reactor.env == {"A": "b"}


def test_every_worker_gets_the_texts_that_the_parent_read() -> None:
    reactor = Recorder()
    config = Path("/etc/lw.toml")
    of_generation = spawner(reactor, {}, config, 1, connect=connect, counted=unheard)
    spawn = of_generation("serve", 1, 1, SOCKETS, LOADED)
    for _ in range(2):
        spawn(lambda _: None)
        assert reactor.texts == {config: "workers = 1"}


def test_every_child_has_a_way_of_its_own_to_the_limits() -> None:
    reactor = Recorder()
    of_generation = spawner(reactor, {}, None, 1, connect=connect, counted=unheard)
    of_generation("keep_books", 4, 1, (), LOADED)(lambda _: None)
    of_generation("serve", 4, 1, SOCKETS, LOADED)(lambda _: None)
    assert [kept.recv(9) for kept in KEPT] == [b"hello", b"hello"]
    # The child's end is in the child alone.
    assert [kept.recv(9) for kept in KEPT] == [b"", b""]
    assert reactor.told.task == "serve"


def test_configuration_and_log_are_the_parents() -> None:
    command = words(
        Assignment(generation=1, size=1, sockets=(), configuration=5),
        Path("/etc/lw.toml"),
        Path("/log"),
    )

    assert command[0] == sys.executable
    assert command[command.index("--logfile") + 1] == "/log"
    assert command[command.index("--config") + 1] == "/etc/lw.toml"
    assert command.index("--logfile") < command.index("lightweight")
