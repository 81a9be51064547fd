"""`lightweight status`, `reload` and `drain`: a word with the running daemon."""

import json
import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from lightweight.amounts import counted
from lightweight.cli.output import facts, in_json, json_option
from lightweight.config.schema import state_directory
from lightweight.daemon.messages import (
    CONTROL,
    Misunderstood,
    Request,
    Versioned,
    control_path,
    decode,
    encode,
)

if TYPE_CHECKING:
    from lightweight.cli.main import Opened

SERVICE = Path("/run/lightweight") / CONTROL
"""Where the packaged systemd unit has it."""

socket_option = click.option(
    "--socket",
    "given",
    type=click.Path(path_type=Path),
    help="The daemon's control socket [default: where its configuration puts it].",
)


def candidates(opened: "Opened") -> list[Path]:
    """Give where the socket may be, the likeliest first."""
    state = opened.config.config.state or state_directory(os.environ)
    return [control_path(os.environ, state), state / CONTROL, SERVICE]


def ask(
    opened: "Opened",
    given: Path | None,
    do: Literal["status", "top", "reload", "drain"],
) -> Any:
    """Ask the daemon and give its answer; end the command where there is none."""
    for path in [given] if given else candidates(opened):
        try:
            line = _exchange(path, encode(Request(do=do)))
            decode(line, Versioned)
        except Misunderstood as problem:
            raise click.ClickException(str(problem)) from problem
        except (FileNotFoundError, NotADirectoryError, ConnectionRefusedError):
            continue
        except OSError as problem:
            raise click.ClickException(
                f"{path}: {problem.strerror}. Ask as the user who runs the daemon."
            ) from problem
        answer = json.loads(line)
        if "error" in answer:
            raise click.ClickException(answer["error"])
        return answer
    raise click.ClickException(
        "No running daemon found; name its control socket with --socket, or its "
        "configuration with -c."
    )


def _exchange(path: Path, line: bytes) -> bytes:
    directory = os.open(path.parent, os.O_PATH | os.O_CLOEXEC)
    try:
        with socket.socket(socket.AF_UNIX) as client:
            # A path may be longer than the 108 bytes of unix(7).
            client.connect(f"/proc/self/fd/{directory}/{path.name}")
            client.sendall(line)
            return client.makefile("rb").readline()
    finally:
        os.close(directory)


@click.command()
@socket_option
@json_option
@click.pass_obj
def status(opened: "Opened", given: Path | None, *, as_json: bool) -> None:
    """Show what the running daemon does."""
    answer = ask(opened, given, "status")
    if as_json:
        click.echo(in_json(answer))
        return
    shown = {
        "State": answer["state"],
        "Process": str(answer["pid"]),
        "Version": answer["release"],
        "Listening": ", ".join(answer["listen"]),
    }
    for each in answer["generations"]:
        workers = ", ".join(map(str, each["workers"])) or "none"
        shown[f"Generation {each['number']}"] = (
            f"{each['state']}, version {each['release']}, workers {workers}"
        )
    for name, told in answer["providers"].items():
        if told["state"] != "closed":
            where = counted(told["workers"], "worker")
            shown[f"Provider {name}"] = (
                f"{told['state']} in {where}, asked again in {told['wait']:g} s"
            )
    tested = answer["self_test"]
    shown["Self-test"] = " ".join([f"{tested['state']}.", *tested["problems"]])
    if answer["last_refusal"]:
        shown["Last reload"] = f"refused: {answer['last_refusal']}"
    click.echo(facts(shown))


@click.command()
@socket_option
@json_option
@click.pass_obj
def reload(opened: "Opened", given: Path | None, *, as_json: bool) -> None:
    """Replace the workers: configuration, code and certificates are read again.

    Waits for the outcome; exits 1 if the reload was refused.
    """
    answer = ask(opened, given, "reload")
    if as_json:
        click.echo(in_json(answer))
    elif answer["reloaded"]:
        click.echo(f"Reloaded: generation {answer['generation']} serves.")
    else:
        click.echo(f"Reload refused:\n{answer['why']}", err=True)
    if not answer["reloaded"]:
        raise SystemExit(1)


@click.command()
@socket_option
@json_option
@click.pass_obj
def drain(opened: "Opened", given: Path | None, *, as_json: bool) -> None:
    """Stop the daemon as SIGTERM does: running calls may end first."""
    answer = ask(opened, given, "drain")
    click.echo(in_json(answer) if as_json else "It stops when its calls have ended.")
