"""`lightweight top`: what the daemon does, as it does it."""

import os
import select
import shutil
import sys
import termios
import time
import tty
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lightweight.amounts import counted
from lightweight.cli.control import ask, socket_option
from lightweight.cli.output import NOTHING, in_json, json_option, table

if TYPE_CHECKING:
    from lightweight.cli.main import Opened

REFRESH_SECONDS = 1.0
HOME, END_OF_LINE, END_OF_SCREEN = "\x1b[H", "\x1b[K", "\x1b[J"
"""ECMA-48: move to the top left, clear to the end of the line, of the screen."""

_MIB = 1024 * 1024
_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_WORKERS = ("GEN", "PID", "STATE", "UP", "CPU%", "MiB", "CONN", "CALLS", "STREAMS")
_RATES = ("CALLS/s", "ERR/s", "LAG ms")
_IN_ALL = {"connections": "connection", "calls": "call", "streams": "stream"}
_IN_ALL_A_SECOND = {"calls_per_s": "calls/s", "errors_per_s": "errors/s"}
_PROVIDERS = ("PROVIDER", "BREAKER", "WAIT s", "LIMITED MODELS")


@click.command()
@socket_option
@json_option
@click.option("--once", is_flag=True, help="Show it once instead of each second.")
@click.pass_obj
def top(opened: "Opened", given: Path | None, *, as_json: bool, once: bool) -> None:
    """Watch the workers of the running daemon: q or Ctrl-C ends it."""
    if as_json:
        click.echo(in_json(ask(opened, given, "top")))
    elif once or not (sys.stdout.isatty() and sys.stdin.isatty()):
        click.echo(shown(ask(opened, given, "top")))
    else:
        _watch(opened, given)


def _watch(opened: "Opened", given: Path | None) -> None:
    with _single_keys(), _ended_by_interrupt():
        while True:
            began = time.monotonic()
            click.echo(_screen(shown(ask(opened, given, "top"))), nl=False)
            while (left := began + REFRESH_SECONDS - time.monotonic()) > 0:
                if select.select([sys.stdin], [], [], left)[0] and _key() in "qQ\x04":
                    return


def _key() -> str:
    """Give the key that waits; the empty string once the terminal is gone."""
    return os.read(sys.stdin.fileno(), 1).decode("latin-1")


@contextmanager
def _single_keys() -> Iterator[None]:
    """Let keys come one by one and unseen."""
    before = termios.tcgetattr(sys.stdin)
    tty.setcbreak(sys.stdin)
    try:
        yield
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)


@contextmanager
def _ended_by_interrupt() -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        return


def _screen(text: str) -> str:
    """Write over what is there: a screen that is cleared first flickers."""
    columns, lines = shutil.get_terminal_size()
    kept = [line[: columns - 1] for line in text.splitlines()[: lines - 1]]
    written = "".join(f"{line}{END_OF_LINE}\n" for line in kept)
    return f"{HOME}{written}{END_OF_SCREEN}"


def shown(answer: Mapping[str, Any]) -> str:
    """Give what the daemon answered, for a terminal of any width."""
    process = f"lightweight {answer['state']}, process {answer['pid']}"
    lines = [
        f"{process}, listening on {', '.join(answer['listen'])}",
        ", ".join(_sums(answer["in_all"])),
        "",
        table((*_WORKERS, *_RATES), _workers(answer["generations"])),
    ]
    if answer["providers"]:
        rows = [_provider(*pair) for pair in answer["providers"].items()]
        lines += ["", table(_PROVIDERS, rows)]
    if answer["last_refusal"]:
        first = answer["last_refusal"].splitlines()[0]
        lines += ["", f"Last reload refused: {first}"]
    return "\n".join(lines)


def _sums(in_all: Mapping[str, float]) -> Iterator[str]:
    for name, noun in _IN_ALL.items():
        yield counted(int(in_all[name]), noun)
    for name, unit in _IN_ALL_A_SECOND.items():
        yield f"{in_all[name]:g} {unit}"


def _workers(generations: Sequence[Mapping[str, Any]]) -> Sequence[Sequence[str]]:
    return [
        (str(each["number"]), str(worker["pid"]), worker["state"], *_figures(worker))
        for each in generations
        for worker in each["workers"]
    ]


def _figures(worker: Mapping[str, Any]) -> Sequence[str]:
    if "uptime" not in worker:
        return [NOTHING] * (len(_WORKERS) + len(_RATES) - 3)
    return (
        _span(worker["uptime"]),
        f"{worker['cpu']:.0f}",
        _mib(worker["memory"]),
        str(worker["connections"]),
        str(worker["calls"]),
        str(worker["streams"]),
        f"{worker['calls_per_s']:g}",
        f"{worker['errors_per_s']:g}",
        f"{worker['lag'] * 1000:.1f}",
    )


def _provider(name: str, told: Mapping[str, Any]) -> Sequence[str]:
    state = told["state"]
    if state != "closed":
        state += f" in {told['workers']}"
    resting = [f"{model} {wait:g} s" for model, wait in told["resting"].items()]
    wait = f"{told['wait']:g}" if told["wait"] else NOTHING
    return name, state, wait, ", ".join(resting) or NOTHING


def _mib(size: float) -> str:
    return f"{size / _MIB:.0f}"


def _span(seconds: float) -> str:
    """Give a time as its two largest units: ``2d 3h``, ``1h 5m``, ``2m 7s``, ``7s``."""
    whole = int(seconds)
    if whole >= _DAY:
        return f"{whole // _DAY}d {whole % _DAY // _HOUR}h"
    if whole >= _HOUR:
        return f"{whole // _HOUR}h {whole % _HOUR // _MINUTE}m"
    if whole >= _MINUTE:
        return f"{whole // _MINUTE}m {whole % _MINUTE}s"
    return f"{whole}s"
