"""Telling systemd how the service fares: sd_notify(3), as far as it is needed."""

import os
import socket
from collections.abc import Mapping

SOCKET = "NOTIFY_SOCKET"

NOT_INHERITED = (
    SOCKET,
    "WATCHDOG_USEC",
    "WATCHDOG_PID",
    "LISTEN_FDS",
    "LISTEN_PID",
    "LISTEN_FDNAMES",
)
"""Variables that are meant for the service's main process only."""

MILLION = 1_000_000


class Notifier:
    """Sends states to the service manager, if there is one; else does nothing."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        """Take address and watchdog from the variables that systemd sets."""
        address = environ.get(SOCKET, "")
        # A name that begins with @ is abstract: unix(7).
        self._address = "\0" + address[1:] if address[:1] == "@" else address
        usec = environ.get("WATCHDOG_USEC", "")
        ours = environ.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        self.watchdog_seconds = (
            int(usec) / MILLION if ours and usec.isdigit() and int(usec) else None
        )
        """How long systemd waits for a WATCHDOG=1; None: it does not."""

    def __call__(self, *states: str) -> None:
        """Send ``NAME=value`` states; a manager that is not there is no problem."""
        if not self._address:
            return
        kind = socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC
        with socket.socket(socket.AF_UNIX, kind) as manager:
            try:
                manager.sendto("\n".join(states).encode(), self._address)
            except OSError:
                # It is told again with the next state.
                return


def status(text: str) -> str:
    """Give the state that ``systemctl status`` shows: it has one line."""
    return "STATUS=" + " ".join(text.split())
