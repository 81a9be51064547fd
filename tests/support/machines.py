"""Several machines on one: network namespaces that meet on a bridge (ip-netns(8)).

All of it goes with the process that holds it. Who is not root gets a user namespace of
its own, in which it is.
"""

import os
import shutil
import subprocess
from typing import Self

HUB = "10.77.0.1"
"""The address of what all machines share."""


class Machines:
    """The hub and ``count`` machines, numbered from 1, a cable from it to each."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._holder: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        unshare = shutil.which("unshare")
        assert unshare is not None, "install util-linux"
        # /run is where ip keeps the names of its namespaces.
        keep = "mount -t tmpfs none /run && echo ready && exec cat"
        user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
        self._holder = subprocess.Popen(
            [unshare, *user, "--net", "--mount", "sh", "-c", keep],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self._holder.stdout is not None
        assert self._holder.stdout.readline() == b"ready\n"
        steps = [
            "ip link set lo up",
            "ip link add hub type bridge",
            f"ip addr add {HUB}/24 dev hub",
            "ip link set hub up",
        ]
        for number in range(1, self._count + 1):
            steps += [
                f"ip netns add m{number}",
                f"ip link add cable{number} type veth peer name eth0 netns m{number}",
                f"ip link set cable{number} master hub up",
                f"ip -n m{number} addr add 10.77.0.{10 + number}/24 dev eth0",
                f"ip -n m{number} link set eth0 up",
                f"ip -n m{number} link set lo up",
            ]
        self._run("\n".join(["set -e", *steps]))
        return self

    def __exit__(self, *_: object) -> None:
        assert self._holder is not None
        self._holder.communicate()  # its input ends, and so does it

    @property
    def hub(self) -> list[str]:
        """The words that run the words after them at the hub."""
        assert self._holder is not None
        nsenter = shutil.which("nsenter")
        assert nsenter is not None, "install util-linux"
        user = [] if os.geteuid() == 0 else ["--user", "--preserve-credentials"]
        return [nsenter, f"--target={self._holder.pid}", *user, "--net", "--mount"]

    def on(self, number: int) -> list[str]:
        """Give the words that run the words after them on a machine."""
        return [*self.hub, "ip", "netns", "exec", f"m{number}"]

    def cut(self, number: int) -> None:
        """Pull a machine's cable: packets vanish, nobody is told."""
        self._run(f"ip link set cable{number} nomaster")

    def join(self, number: int) -> None:
        """Put the cable back."""
        self._run(f"ip link set cable{number} master hub")

    def _run(self, script: str) -> None:
        subprocess.run([*self.hub, "sh", "-c", script], check=True)
