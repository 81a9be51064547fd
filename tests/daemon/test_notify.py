"""What systemd is told, read at the other end of a real socket."""

import os
import socket
from pathlib import Path

from lightweight.daemon.notify import Notifier, status


def test_states_arrive_as_one_datagram(tmp_path: Path) -> None:
    path = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(path)
        notify = Notifier({"NOTIFY_SOCKET": path})
        notify("READY=1", status("Serving:\n1 provider."))

        assert manager.recv(1000) == b"READY=1\nSTATUS=Serving: 1 provider."


def test_an_abstract_address_begins_with_an_at_sign() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(f"\0lightweight-test-{os.getpid()}")
        Notifier({"NOTIFY_SOCKET": f"@lightweight-test-{os.getpid()}"})("STOPPING=1")

        assert manager.recv(100) == b"STOPPING=1"


def test_without_a_manager_nothing_happens(tmp_path: Path) -> None:
    Notifier({})("READY=1")
    Notifier({"NOTIFY_SOCKET": str(tmp_path / "gone")})("READY=1")


def test_the_watchdog_counts_only_for_this_process() -> None:
    usec = {"WATCHDOG_USEC": "20000000"}

    assert Notifier(usec).watchdog_seconds == 20
    assert Notifier(usec | {"WATCHDOG_PID": str(os.getpid())}).watchdog_seconds == 20
    assert Notifier(usec | {"WATCHDOG_PID": "1"}).watchdog_seconds is None
    assert Notifier({"WATCHDOG_USEC": "soon"}).watchdog_seconds is None
