"""Writers of journals and an importer that are killed at random, and what remains."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from msgspec import Struct
from sqlalchemy import select

from lightweight.store.connect import open_engine, reading, writing
from lightweight.store.importer import carry_out, survey
from lightweight.store.migrate import upgrade
from lightweight.store.reconcile import reconcile
from lightweight.store.schema import uses

WRITERS = 2
PATIENCE_S = 60.0

WRITER = """
import os, sys, time
from pathlib import Path
from support.uses import dispatch, use
from lightweight.records import Usage
from lightweight.store.journal import Journal, JournalFull

journal = Journal(Path(sys.argv[1]), sys.argv[2], size=256 * 1024)
acknowledged = os.open(sys.argv[3], os.O_WRONLY | os.O_APPEND)
running, number = [], 0
while True:
    number += 1
    name = f"{sys.argv[2]}-{number}"
    while journal.why_full:
        time.sleep(0.002)
    journal.start(dispatch(name))
    running.append((name, number))
    if len(running) > 5:
        name, fresh = running.pop(number % 5)
        journal.finish(use(name, usage=Usage(fresh=fresh)))
        os.write(acknowledged, f"{name}\\n".encode())
    if number % 5 == 0:
        time.sleep(0.001)
"""

IMPORTER = """
import os, sys
from pathlib import Path
from lightweight.store.connect import open_engine, reading, writing
from lightweight.store.importer import carry_out, survey
from lightweight.store.problems import StoreUnusable
engine = open_engine(sys.argv[1])
imports = os.open(sys.argv[3], os.O_WRONLY | os.O_APPEND)
while True:
    try:
        with reading(engine) as connection:
            plan = survey(connection, Path(sys.argv[2]))
        with writing(engine) as connection:
            carry_out(connection, plan)
    except StoreUnusable:
        continue
    os.write(imports, b"once\\n")
"""


class Remains(Struct, frozen=True, kw_only=True):
    """What was found when all were dead and all was imported."""

    acknowledged: int
    recorded: int
    """Rows of uses that ended."""
    aborted: int
    lost: set[str]
    """Acknowledged, and without a row of their own end."""
    wrong: set[str]
    """Rows that nobody wrote so."""
    adds_up: bool
    """The sums by day are the sums of the rows, and no journal is left."""


class _Process:
    """A child with a file in which it tells how far it is."""

    def __init__(self, directory: Path, name: str, script: str, *words: str) -> None:
        self.told = directory / f"{name}.told"
        self.told.touch()
        self._child = subprocess.Popen(
            [sys.executable, "-c", script, *words, self.told],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )

    def await_a_word(self) -> None:
        """Wait until it is at work."""
        deadline = time.monotonic() + PATIENCE_S
        while not self.told.stat().st_size:
            assert self._child.poll() is None, "it ended by itself"
            assert time.monotonic() < deadline, "it does nothing"
            time.sleep(0.005)

    def kill(self) -> None:
        """Kill it at once."""
        assert self._child.poll() is None, "it ended by itself"
        self._child.kill()
        assert self._child.wait() == -signal.SIGKILL


def kill_at_random(
    directory: Path, url: str, *, writer_kills: int, importer_kills: int, seed: int
) -> Remains:
    """Let writers and an importer work, kill them so often, and count what remains."""
    choose = random.Random(seed)
    journal = directory / "journal"
    engine = open_engine(url)
    upgrade(engine)
    begun: list[_Process] = []

    def write() -> _Process:
        name = f"w{len(begun)}"
        begun.append(_Process(directory, name, WRITER, str(journal), name))
        return begun[-1]

    def bring_in() -> _Process:
        name = f"i{len(begun)}"
        begun.append(_Process(directory, name, IMPORTER, url, str(journal)))
        return begun[-1]

    victims = ["writer"] * writer_kills + ["importer"] * importer_kills
    choose.shuffle(victims)
    writers = [write() for _ in range(WRITERS)]
    importer = bring_in()
    for victim in victims:
        if victim == "writer":
            chosen = writers.pop(choose.randrange(WRITERS))
            writers.append(write())
        else:
            chosen, importer = importer, bring_in()
        chosen.await_a_word()
        time.sleep(choose.random() * 0.2)
        chosen.kill()
    for process in [*writers, importer]:
        process.await_a_word()
        process.kill()

    more = True
    while more:
        with reading(engine) as connection:
            plan = survey(connection, journal)
        with writing(engine) as connection:
            carry_out(connection, plan)
        more = not plan.empty
    with reading(engine) as connection:
        rows = connection.execute(select(uses.c.id, uses.c.ending, uses.c.fresh)).all()
        adds_up = reconcile(connection, journal).agree
    engine.dispose()
    ended = {row.id: row.fresh for row in rows if row.ending == "finished"}
    told = {
        name
        for process in begun
        if process.told.name.startswith("w")
        for name in process.told.read_text().split("\n")[:-1]
    }
    return Remains(
        acknowledged=len(told),
        recorded=len(ended),
        aborted=len(rows) - len(ended),
        lost=told - ended.keys(),
        wrong={n for n, fresh in ended.items() if fresh != int(n.split("-")[1])},
        adds_up=adds_up and not list(journal.iterdir()),
    )
