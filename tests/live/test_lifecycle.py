"""A real ``twistd``: start, reload, drain and stop, attached and as a daemon."""

import os
import re
import signal
from pathlib import Path

from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater

from support.daemon import BIN, Gateway, spawn
from support.http import Fetched, fetch
from support.live import CANARY, config_for
from support.scripted import Gate, ScriptedProvider
from support.until import until

TWISTD = str(BIN / "twistd")
LIGHTWEIGHT = str(BIN / "lightweight")
HELLO = {"messages": [{"role": "user", "content": "Hello!"}]}

SIX_MISTAKES = """\
[providers.openai]
api_key = { env = "NO_SUCH_VARIABLE" }
timout = "5s"
[drain]
stop = "soon"
[edge]
max_body = 12.5
[tiers.beta]
rpm = "many"
[[models]]
context = "128K"
"""


def stream_of(seconds_open: Gate) -> tuple[list[bytes], Gate]:
    first = b'data: {"choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}'
    last = b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}'
    return [first + b"\n\n", last + b"\n\n", b"data: [DONE]\n\n"], seconds_open


async def streaming(
    gateway: Gateway, provider: ScriptedProvider
) -> "Deferred[Fetched]":
    """Start a stream through the gateway; give the Deferred of its whole answer."""
    call = Deferred.fromCoroutine(
        fetch(
            f"{gateway.base_url}/chat/completions",
            method="POST",
            key=gateway.key,
            body={"model": "test-model", "stream": True, **HELLO},
        )
    )
    await provider.request_seen()
    return call


async def test_six_mistakes_print_six_lines(tmp_path: Path) -> None:
    config = tmp_path / "bad.toml"
    config.write_text(SIX_MISTAKES)

    for command in (
        [LIGHTWEIGHT, "-c", "bad.toml", "check"],
        [TWISTD, "-n", "lightweight", "-c", "bad.toml", "--check"],
        [TWISTD, "-n", "lightweight", "-c", "bad.toml"],
    ):
        child = spawn(command, cwd=tmp_path)
        assert await child.ended() == 1
        lines = [line for line in child.lines if line]
        assert len(lines) == 6, child.text
        assert all(re.search(r"bad\.toml:\d+: ", line) for line in lines), child.text
        assert "did you mean 'timeouts'?" in child.text


async def test_a_good_configuration_passes_the_check(tmp_path: Path) -> None:
    (tmp_path / "good.toml").write_text('[providers.demo]\nkind = "demo"\n')

    for command in (
        [LIGHTWEIGHT, "-c", "good.toml", "check"],
        [TWISTD, "-n", "lightweight", "-c", "good.toml", "--check"],
    ):
        child = spawn(command, cwd=tmp_path)
        assert (await child.ended(), child.text.endswith(": ok")) == (0, True)


async def test_a_secret_in_the_file_is_warned_about(
    provider: ScriptedProvider, tmp_path: Path
) -> None:
    config = config_for(provider).replace('{ env = "SCRIPTED_KEY" }', f'"{CANARY}"')
    gateway = await Gateway.start(tmp_path, config)

    assert await gateway.stop() == 0
    assert "the secret itself stands here" in gateway.child.text
    assert CANARY not in gateway.child.text


async def test_a_bad_reload_keeps_serving_and_a_good_one_takes_over(
    gateway: Gateway, provider: ScriptedProvider
) -> None:
    good = gateway.config.read_text()
    gateway.config.write_text(SIX_MISTAKES)
    gateway.child.send(signal.SIGHUP)
    await gateway.child.line("Reload refused, the old configuration stays in force")

    refused = next(line for line in gateway.child.lines if "Reload refused" in line)
    assert refused.count("lightweight.toml:") == 6
    listed = await fetch(f"{gateway.base_url}/models", key=gateway.key)
    assert len(listed.json()["data"]) == 2

    gateway.config.write_text(good.replace('id = "renamed"', 'id = "new-name"'))
    gateway.child.send(signal.SIGHUP)
    await gateway.child.line("Reloaded: 1 provider, 2 models")
    # For a moment both generations accept.
    await gateway.child.line("Generation [12] has left")
    listed = await fetch(f"{gateway.base_url}/models", key=gateway.key)
    assert [model["id"] for model in listed.json()["data"]] == [
        "new-name",
        "test-model",
    ]


async def test_a_reload_leaves_running_streams_alone(
    gateway: Gateway, provider: ScriptedProvider
) -> None:
    pieces, gate = stream_of(Gate())
    provider.stream(pieces, gap=gate)
    call = await streaming(gateway, provider)
    gateway.config.write_text(
        gateway.config.read_text().replace('"test-model"', '"another"')
    )
    gateway.child.send(signal.SIGHUP)
    await gateway.child.line("Reloaded:")
    gate.open()

    answer = await call

    assert answer.text.endswith("data: [DONE]\n\n")
    await gateway.child.line('"ending":"finished"')


async def test_sigterm_lets_running_calls_end(
    gateway: Gateway, provider: ScriptedProvider
) -> None:
    pieces, gate = stream_of(Gate())
    provider.stream(pieces, gap=gate)
    call = await streaming(gateway, provider)

    gateway.child.send(signal.SIGTERM)
    await gateway.child.line("Stopping: 1 call may")
    gate.open()

    answer = await call
    assert answer.text.endswith("data: [DONE]\n\n")
    assert await gateway.child.ended() == 0
    # Also the lines that waited for company are written.
    assert [entry["ending"] for entry in gateway.access()] == ["finished"]


async def test_a_second_sigterm_ends_calls_with_an_error_event(
    gateway: Gateway, provider: ScriptedProvider
) -> None:
    pieces, gate = stream_of(Gate())
    provider.stream(pieces, gap=gate)
    call = await streaming(gateway, provider)

    gateway.child.send(signal.SIGTERM)
    await gateway.child.line("Stopping: 1 call may")
    gateway.child.send(signal.SIGTERM)

    answer = await call
    assert '"code":"overloaded"' in answer.text
    assert await gateway.child.ended() == 0
    assert "Traceback" not in gateway.child.text
    assert [entry["ending"] for entry in gateway.access()] == ["failed"]


async def test_the_drain_has_a_deadline(
    provider: ScriptedProvider, tmp_path: Path
) -> None:
    gateway = await Gateway.start(
        tmp_path,
        config_for(provider, '[drain]\nstop = "200ms"\n'),
        environ={"SCRIPTED_KEY": CANARY},
    )
    try:
        pieces, gate = stream_of(Gate())
        provider.stream(pieces, gap=gate)
        call = await streaming(gateway, provider)
        gateway.child.send(signal.SIGTERM)
        answer = await call
        assert '"code":"overloaded"' in answer.text
        assert await gateway.child.ended() == 0
    finally:
        await gateway.stop()


async def test_a_moved_log_is_reopened_on_sigusr1(tmp_path: Path) -> None:
    (tmp_path / "lw.toml").write_text(
        'listen = ["tcp:0:interface=127.0.0.1"]\ndiscover = false\n'
        f'state = "{tmp_path / "state"}"\n'
    )
    log = tmp_path / "lw.log"
    child = spawn(
        [TWISTD, "-n", "--pidfile=", "--logfile", log, "lightweight"],
        cwd=tmp_path,
        environ={"LIGHTWEIGHT_CONFIG": "lw.toml"},
    )
    try:
        await written(log, "Ready")
        log.rename(tmp_path / "lw.log.1")
        child.send(signal.SIGUSR1)
        await written(log, "")
        child.send(signal.SIGHUP)
        await written(log, "Reloaded")
    finally:
        child.send(signal.SIGTERM)
        assert await child.ended() == 0


async def written(path: Path, text: str) -> str:
    """Wait until a file has ``text`` in it."""
    from twisted.internet import reactor

    while not (path.exists() and text in path.read_text()):
        await deferLater(reactor, 0.02)
    return path.read_text()


async def gone(pid: int) -> None:
    """Wait until no process has this pid: a daemon is not our child to wait for."""
    from twisted.internet import reactor

    while Path(f"/proc/{pid}").exists():
        await deferLater(reactor, 0.02)


async def test_the_daemonised_one_serves_reloads_and_stops(tmp_path: Path) -> None:
    (tmp_path / "relative.toml").write_text(
        f'listen = ["tcp:0:interface=127.0.0.1"]\nstate = "{tmp_path / "state"}"\n'
        'discover = false\n[providers.demo]\nkind = "demo"\n'
    )
    options = ["--pidfile", "P", "--logfile", "L", "lightweight"]
    starter = spawn([TWISTD, *options, "-c", "relative.toml"], cwd=tmp_path)
    assert await starter.ended() == 0, starter.text
    log = await written(tmp_path / "L", "Ready")
    pid = int((tmp_path / "P").read_text())
    try:
        root = re.search(r"Listening on (http://[0-9.:]+)", log)
        assert root is not None
        assert (await fetch(f"{root[1]}/readyz")).status == 200
        os.kill(pid, signal.SIGHUP)
        await written(tmp_path / "L", "Reloaded")
    finally:
        os.kill(pid, signal.SIGTERM)
    await gone(pid)
    assert not (tmp_path / "P").exists()
    assert "Stopped." in (tmp_path / "L").read_text()


async def test_a_taken_port_ends_the_start_with_one_sentence(
    gateway: Gateway, tmp_path: Path
) -> None:
    taken = gateway.root.rsplit(":", 1)[1]
    other = tmp_path / "other"
    other.mkdir()
    (other / "taken.toml").write_text(
        f'listen = ["tcp:{taken}:interface=127.0.0.1"]\nstate = "{other / "state"}"\n'
    )
    twistd = [TWISTD, "--pidfile", "P", "--logfile", "L"]
    daemonised = spawn([*twistd, "lightweight", "-c", "taken.toml"], cwd=other)
    assert await daemonised.ended() == 1
    assert "in use" in (other / "L").read_text()
    # The daemon clears up after itself once it has told who started it.
    await until(lambda: not (other / "P").exists())

    command = [TWISTD, "-n", "--pidfile=", "lightweight", "-c", "taken.toml"]
    foreground = spawn(command, cwd=other)
    assert await foreground.ended() == 1
    assert "Traceback" not in foreground.text
    assert "change 'listen' in the configuration" in foreground.text
