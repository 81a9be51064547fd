"""The Debian package on a machine of its own: installed, used, upgraded, purged."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support.machine import on_a_machine

ROOT = Path(__file__).parents[2]
NEWER = "0.1.1"

CALLS = """\
import http.client, json, pathlib, threading
KEY = pathlib.Path("/trial/key").read_text().strip()
ENOUGH = pathlib.Path("/trial/enough")
BODY = {"model": "demo", "messages": [{"role": "user", "content": "Hello!"}]}
done, failed = [], []

def call(number):
    connection = None
    while not ENOUGH.exists():
        stream = bool(number % 2)
        try:
            if connection is None or number > 3:
                connection = http.client.HTTPConnection("127.0.0.1", 8080, timeout=60)
            body = json.dumps({**BODY, "stream": stream})
            headers = {"Authorization": f"Bearer {KEY}"}
            connection.request("POST", "/v1/chat/completions", body, headers)
            answer = connection.getresponse()
            text = answer.read()
            whole = text.endswith(b"data: [DONE]\\n\\n") if stream else json.loads(text)
            assert answer.status == 200 and whole, (answer.status, text[-200:])
            done.append(1)
        except Exception as problem:
            failed.append(repr(problem))
            connection = None

callers = [threading.Thread(target=call, args=(each,)) for each in range(6)]
for each in callers: each.start()
for each in callers: each.join()
print("calls", len(done), "failed", len(failed), failed[:3])
raise SystemExit(bool(failed) or len(done) < 20)
"""

SCRIPT = """\
until() { for _ in $(seq 150); do if eval "$1"; then return; fi; sleep 0.2; done
          echo "never came: $1"; return 1; }

echo === it installs
dpkg --install /trial/lightweight_0.1.0_*.deb
systemd-analyze verify lightweight.service lightweight.socket
getent passwd lightweight
test "$(stat -c %a:%U /etc/lightweight)" = 755:root

echo === it serves, sandboxed, as its user
install -m 0600 /dev/stdin /etc/lightweight/openai.key <<< not-a-real-key
install -D /dev/stdin /etc/systemd/system/lightweight.service.d/override.conf <<END
[Service]
LoadCredential=openai:/etc/lightweight/openai.key
END
cat >> /etc/lightweight/lightweight.toml <<END
[providers.openai]
api_key = { credential = "openai" }
[providers.demo]
kind = "demo"
END
systemctl daemon-reload
systemctl enable --now lightweight
grep -om1 'lw-[0-9A-Za-z]*' /var/lib/lightweight/first-run.txt > /trial/key
auth="Authorization: Bearer $(cat /trial/key)"
curl -sS http://127.0.0.1:8080/v1/models -H "$auth" | grep -q '"gpt-'
curl -sS http://127.0.0.1:8080/v1/chat/completions -H "$auth" \
    -d '{"model": "demo", "stream": true, "messages": [{"role": "user", "content": "Hi"}]}' |
    grep -q '^data: \\[DONE\\]'
pid=$(systemctl show --property MainPID --value lightweight)
test "$(ps -o user= -p "$pid")" = lightweig+ || test "$(ps -o user= -p "$pid")" = lightweight
for child in $(pgrep -P "$pid"); do grep '^CapEff:.*0000000000000000' "/proc/$child/status"; done
test "$(stat -c %a /var/lib/lightweight/)" = 700

echo === root runs its commands
lightweight accounts create acme --tier pro
lightweight keys create --account acme --name laptop --expires 90d --json
until "lightweight usage --account default --json | grep -q '\\"requests\\": 1'"
lightweight reconcile

echo === it is upgraded under load
python3 /trial/calls.py > /trial/calls 2>&1 & calls=$!
sleep 2
dpkg --install /trial/lightweight_NEWER_*.deb
until "lightweight status | grep 'serving, version NEWER,'"
sleep 1
touch /trial/enough
wait $calls || { cat /trial/calls; journalctl -u lightweight | tail -50; exit 1; }
cat /trial/calls
systemctl restart lightweight
lightweight status | grep 'Version  *NEWER'

echo === what others may read is refused
chmod 644 /var/lib/lightweight/first-run.txt
! systemctl restart lightweight
journalctl -u lightweight | grep 'chmod go= /var/lib/lightweight/first-run.txt'
chmod go= /var/lib/lightweight/first-run.txt

echo === systemd holds the port
sed -i 's|^#listen = .*|listen = ["systemd:domain=INET:name=api"]|' /etc/lightweight/lightweight.toml
systemctl reset-failed lightweight
systemctl stop lightweight
systemctl enable --now lightweight.socket
curl -sS http://127.0.0.1:8080/readyz | grep -q '"ready"'

echo === nothing is left
dpkg --purge lightweight
! ls -d /opt/lightweight /etc/lightweight /var/lib/lightweight /usr/bin/lightweight \
    /etc/systemd/system/*.wants/lightweight*
! systemctl is-active lightweight.service lightweight.socket
"""


def newer(deb: Path, out: Path) -> None:
    """Pack a release of another version: the same code."""
    tree = out / "tree"
    subprocess.run(["dpkg-deb", "--raw-extract", deb, tree], check=True)
    (package,) = tree.glob("opt/lightweight/lib/python3*/site-packages/lightweight")
    for path in (package / "__init__.py", tree / "DEBIAN" / "control"):
        path.write_text(path.read_text().replace("0.1.0", NEWER))
    for compiled in (package / "__pycache__").glob("__init__.*"):
        compiled.unlink()
    subprocess.run(
        ["dpkg-deb", "--build", "--root-owner-group", "-Zzstd", "-z1", tree, out],
        check=True,
    )
    shutil.rmtree(tree)


@pytest.mark.debian
@pytest.mark.timeout(900)
@pytest.mark.async_limit(900)
async def test_from_installation_to_purge(tmp_path: Path) -> None:
    """Needs pip's index: the package is built of what the lock pins."""
    wheels, shared = tmp_path / "wheels", tmp_path / "shared"
    shared.mkdir()
    environ = {**os.environ, "SOURCE_DATE_EPOCH": "1790000000"}
    for command in (
        [sys.executable, ROOT / "release" / "build.py", wheels],
        ["/bin/sh", "-c", f"{ROOT}/release/deb {wheels}/*.whl {shared}"],
    ):
        subprocess.run(command, env=environ, check=True)
    (deb,) = shared.glob("*.deb")
    newer(deb, shared)
    (shared / "calls.py").write_text(CALLS)

    said = await on_a_machine(shared, SCRIPT.replace("NEWER", NEWER), patience=300)

    assert "failed 0" in said
