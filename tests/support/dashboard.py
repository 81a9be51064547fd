"""A real daemon for a browser: started and stopped without a reactor in the test."""

import re
import secrets
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from support.daemon import BIN, HOME_LESS
from support.until import PATIENCE

from lightweight.records import Role
from lightweight.store.connect import open_engine, writing
from lightweight.store.invites import create_invite
from lightweight.store.tokens import mint_token

DEMO = """
[providers.demo]
kind = "demo"
"""

PASSWORD = "correct horse battery"


class Served:
    """A daemon that serves on a free loopback port."""

    def __init__(self, directory: Path, log: Path) -> None:
        self._directory = directory
        self._state = directory / "state"
        self.log = log
        self.root = ""
        self.key = ""

    @property
    def started(self) -> bool:
        """Whether it is ready; then its address and first key are known."""
        text = self.log.read_text()
        if "Ready" not in text:
            return False
        listening = re.search(r"Listening on (http://127\.0\.0\.1:\d+)", text)
        assert listening is not None
        self.root = listening[1]
        found = re.search(r"lw-[0-9A-Za-z]{49}", self.first_run)
        assert found is not None
        self.key = found[0]
        return True

    @property
    def first_run(self) -> str:
        """What the first start tells whoever may read it."""
        return (self._state / "first-run.txt").read_text()

    def invite(
        self, role: Role = "operator", *, account: str = "default", new: bool = False
    ) -> str:
        """Make an invite and give its link."""
        secret = mint_token(secrets.token_bytes)
        engine = open_engine(f"sqlite:///{self._state / 'lightweight.db'}")
        with writing(engine) as connection:
            create_invite(
                connection,
                invite_id=f"invite_{secrets.token_hex(4)}",
                secret=secret,
                pepper=(self._state / "pepper").read_bytes().strip(),
                role=role,
                account=None if new else account,
                account_name=account if new else None,
                tier="beta" if new else None,
                now=time.time(),
                who="test",
            )
        engine.dispose()
        return f"{self.root}/dashboard/join?invite={secret}"

    def run(self, *words: str) -> None:
        """Run ``lightweight …`` on the same configuration."""
        subprocess.run(
            [BIN / "lightweight", "-c", self._directory / "lightweight.toml", *words],
            check=True,
            capture_output=True,
            env={**HOME_LESS, "HOME": str(self._directory)},
        )


@contextmanager
def serving(directory: Path, config: str = DEMO, *, port: int = 0) -> Iterator[Served]:
    """Serve with ``config`` (TOML tables) until the block is left.

    ``port``: one that is free; 0 for any.
    """
    path = directory / "lightweight.toml"
    path.write_text(
        f'listen = ["tcp:{port}:interface=127.0.0.1"]\n'
        f'state = "{directory / "state"}"\ndiscover = false\n{config}'
    )
    path.chmod(0o600)
    log = directory / "log"
    with log.open("wb") as out:
        child = subprocess.Popen(
            [BIN / "twistd", "--pidfile=", "-n", "lightweight", "-c", path],
            stdout=out,
            stderr=out,
            cwd=directory,
            env={**HOME_LESS, "HOME": str(directory)},
        )
    served = Served(directory, log)
    try:
        end = time.monotonic() + PATIENCE
        while not served.started:
            assert time.monotonic() < end, log.read_text()
            time.sleep(0.05)
        yield served
    finally:
        child.send_signal(signal.SIGTERM)
        try:
            child.wait(30)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
