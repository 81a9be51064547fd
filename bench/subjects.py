"""What can be measured: the gateway, and yardsticks that stand in its place.

Each has a ``port`` that takes calls, a file of ``keys``, the ``workers`` whose CPU time
counts, and ``stop``.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from machine import (
    HERE,
    READY_SECONDS,
    Provider,
    answers,
    children,
    command_of,
    cores,
    cpu_seconds,
    free_port,
    started,
    stopped,
    wait_for,
)

TWISTD = "from twisted.scripts.twistd import run; run()"
COMMAND = "from lightweight.cli.main import main; main()"
NGINX = "nginx"


class Subject(Protocol):
    """Something that answers calls."""

    port: int
    workers: Sequence[int]
    """The processes that serve."""

    def keys(self, account: str) -> Path:
        """Give a file with a key on each line."""

    def others(self) -> float:
        """Give the CPU seconds of its other processes."""

    def stop(self) -> None:
        """Stop it in order."""


class Gateway:
    """A daemon of some revision, with an account for each kind of limits."""

    def __init__(
        self,
        tree: Path,
        place: Path,
        provider: Provider,
        *,
        root: Path | None = None,
        workers: int = 1,
        models: int = 0,
        more: str = "",
    ) -> None:
        """``root`` is who vouches for the provider; ``more`` is configuration."""
        self._place = place
        self._environ = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(tree),
            "HOME": str(place),
            **({"SSL_CERT_FILE": str(root)} if root else {}),
        }
        self._config = place / "lightweight.toml"
        self._size = workers
        self.models = models
        self.port = free_port()
        self._config.write_text(
            _configuration(self.port, place, provider, workers, models) + more
        )
        self.state = place / "state"
        self.state.mkdir(mode=0o700, exist_ok=True)
        # More than one worker needs more than one core.
        ours, theirs = cores()
        self.on = ours if workers == 1 else ours | theirs
        self.workers: Sequence[int] = ()

    def with_accounts(self) -> "Gateway":
        """Make the accounts, each with one key."""
        for account in ("free", "limited"):
            self.keys(account).write_text(self._key(account))
        return self

    def start(self) -> float:
        """Start it; give the seconds until it is ready."""
        began = time.monotonic()
        self._child = started(
            [
                *(sys.executable, "-P", "-c", TWISTD, "-n", "--pidfile="),
                *(f"--logfile={self._place}/log", "lightweight", "-c", self._config),
            ],
            self.on,
            env=self._environ,
            cwd=self._place,
        )
        wait_for(self.port, self._child)
        while not answers(self.port, "/readyz"):
            if time.monotonic() - began > READY_SECONDS:
                raise SystemExit(f"It is not ready: see {self._place}/log")
            time.sleep(0.01)
        seconds = time.monotonic() - began
        self.workers = self.serving()
        return seconds

    def keys(self, account: str) -> Path:
        """Give a file with a key on each line."""
        return self._place / f"keys-{account}"

    def _key(self, tier: str) -> str:
        for verb in (
            ["accounts", "create", tier, "--tier", tier],
            ["keys", "create", "--account", tier, "--json"],
        ):
            told = subprocess.run(
                [
                    *(sys.executable, "-P", "-c", COMMAND),
                    *("-c", self._config, *verb),
                ],
                env=self._environ,
                cwd=self._place,
                check=True,
                capture_output=True,
                text=True,
            ).stdout
        return str(json.loads(told)["key"])

    @property
    def parent(self) -> int:
        """The process that was started, which supervises the rest."""
        return self._child.pid

    def serving(self) -> list[int]:
        """Give the processes that serve; the bookkeeper does not."""
        return [
            child
            for child in children(self._child.pid)
            if "--worker" in (command := command_of(child))
            and '"task":"keep_books"' not in command
        ]

    def others(self) -> float:
        """Give the CPU seconds of every process of the daemon but the workers."""
        rest = {self._child.pid, *children(self._child.pid)} - {*self.workers}
        return cpu_seconds(rest)

    def stop(self) -> None:
        """Stop it in order."""
        stopped(self._child)


def _configuration(
    port: int, place: Path, provider: Provider, workers: int, models: int
) -> str:
    def model(name: str) -> str:
        return (
            f'[[models]]\nid = "{name}"\ncontext = "128K"\ntargets = '
            f'[{{ provider = "bench", model = "{name}", dialect = "openai_chat" }}]\n'
        )

    return f"""
listen = ["tcp:{port}:interface=127.0.0.1"]
state = "{place}/state"
workers = {workers}
discover = false
[providers.bench]
kind = "openai"
base_url = "{provider.url}/v1"
[tiers.free]
[tiers.limited]
rpm = 1000000
tpm = 1000000000
concurrency = 10000
quota_tokens = 1000000000000
quota_usd = 1000000
{model("bench")}
{"".join(model(f"m{at}") for at in range(models))}
"""


class Plain:
    """A yardstick: no keys, no limits, nothing kept."""

    def __init__(self, place: Path) -> None:
        self._keys = place / "keys-none"
        self._keys.write_text("lw-none")
        self.port = free_port()
        self.workers: Sequence[int] = ()

    def keys(self, account: str) -> Path:
        """Give a file with something where a key would be."""
        assert account
        return self._keys

    def others(self) -> float:
        """Give nothing: what else there is does nothing."""
        return 0.0

    def stop(self) -> None:
        """Stop what was started: nothing."""


class Direct(Plain):
    """The provider itself: what there is without a gateway."""

    def __init__(self, place: Path, provider: Provider) -> None:
        super().__init__(place)
        self.port = provider.port


class Naive(Plain):
    """klein and treq as their manuals show them (naive.py)."""

    def __init__(self, place: Path, provider: Provider, root: Path | None) -> None:
        super().__init__(place)
        ours, _ = cores()
        self._child = started(
            [sys.executable, HERE / "naive.py", self.port, provider.url],
            ours,
            env={**os.environ, **({"SSL_CERT_FILE": str(root)} if root else {})},
        )
        wait_for(self.port, self._child)
        self.workers = (self._child.pid,)

    def stop(self) -> None:
        """Stop it."""
        stopped(self._child)


class Nginx(Plain):
    """nginx as a reverse proxy: near what the machine can do at all."""

    def __init__(self, place: Path, provider: Provider, root: Path | None) -> None:
        super().__init__(place)
        ours, _ = cores()
        config = place / "nginx.conf"
        scheme = "https" if provider.tls else "http"
        vouched = (
            f"proxy_ssl_verify on; proxy_ssl_trusted_certificate {root}; "
            "proxy_ssl_name localhost;"
            if root
            else ""
        )
        config.write_text(f"""
daemon off; worker_processes 1; pid {place}/nginx.pid; error_log {place}/nginx.log;
worker_rlimit_nofile 20000;
events {{ worker_connections 10000; }}
http {{
  access_log off; client_body_temp_path {place}/body; proxy_temp_path {place}/proxy;
  fastcgi_temp_path {place}/f; uwsgi_temp_path {place}/u; scgi_temp_path {place}/s;
  client_max_body_size 0; client_body_buffer_size 512k; keepalive_requests 1000000;
  upstream provider {{
    server 127.0.0.1:{provider.port}; keepalive 1024; keepalive_requests 1000000;
  }}
  server {{
    listen 127.0.0.1:{self.port} backlog=4096;
    location = /healthz {{ return 200; }}
    location / {{
      proxy_pass {scheme}://provider; proxy_http_version 1.1; proxy_buffering off;
      proxy_set_header Connection ""; {vouched}
    }}
  }}
}}
""")
        self._child = started([NGINX, "-p", place, "-c", config], ours)
        wait_for(self.port, self._child)
        while not (workers := children(self._child.pid)):
            time.sleep(0.01)
        # The master does not serve.
        self.workers = workers

    def stop(self) -> None:
        """Stop it."""
        stopped(self._child)


def nginx_is_here() -> bool:
    """Tell whether there is an nginx on PATH."""
    return shutil.which(NGINX) is not None
