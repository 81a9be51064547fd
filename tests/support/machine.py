"""A throw-away Debian machine: this one's files, a systemd of its own, gone afterwards.

Its disk is an overlay in memory over this machine's root, its network is a loopback of
its own, and its first process is systemd, so units, users and packages are real and
nothing here changes. Needs root, systemd-nspawn (Debian: systemd-container) and leave
to mount.
"""

import shutil
from pathlib import Path

from support.daemon import Child, spawn

START = """\
set -eu
mount -t tmpfs tmpfs "$PLACE"
mkdir -p "$PLACE/disk/etc/systemd/system" "$PLACE/work" "$PLACE/root"
: > "$PLACE/disk/etc/machine-id"
cp "$SHARED/trial.service" "$PLACE/disk/etc/systemd/system/"
mount -t overlay overlay "$PLACE/root" \
    -o "lowerdir=/,upperdir=$PLACE/disk,workdir=$PLACE/work"
exec systemd-nspawn --quiet --directory="$PLACE/root" --register=no --keep-unit \
    --machine="trial-$$" --private-network --bind="$SHARED:/trial" \
    --boot systemd.unit=trial.service
"""

TRIAL = """\
[Unit]
Requires=basic.target dbus.socket
After=basic.target dbus.socket
SuccessAction=poweroff-force
FailureAction=poweroff-force

[Service]
Type=oneshot
Environment=HOME=/root LANG=C.UTF-8 PYTHONUNBUFFERED=1
WorkingDirectory=/trial
ExecStart=/bin/bash -eu /trial/script
StandardOutput=append:/trial/said
StandardError=inherit
"""


async def on_a_machine(shared: Path, script: str, *, patience: float) -> str:
    """Run a bash script as root on a machine of its own; give what it said.

    ``shared`` is a directory here, ``/trial`` there. The script ends at the first
    command that fails, and then so does the test. ``patience`` is in seconds.
    """
    nspawn = shutil.which("systemd-nspawn")
    assert nspawn is not None, "install systemd-container"
    (shared / "script").write_text(f"{script}\necho ALL IS WELL\n")
    (shared / "trial.service").write_text(TRIAL)
    place = shared / "place"
    place.mkdir()
    # With the namespace go its mounts, and with its first process all others.
    child: Child = spawn(
        [
            *("/usr/bin/unshare", "--mount", "--pid", "--fork", "--kill-child"),
            *("--mount-proc", "/bin/bash", "-c", START),
        ],
        cwd=shared,
        environ={
            "PLACE": str(place),
            "SHARED": str(shared),
            "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "0",
        },
    )
    try:
        await child.ended(patience)
    finally:
        await child.stop()
    said = shared / "said"
    text = said.read_text() if said.exists() else child.text
    assert text.endswith("ALL IS WELL\n"), text
    return text
