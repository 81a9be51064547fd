"""``twistd lightweight``: its options, and which of its processes this one is."""

import os
import sys
import time
from typing import Any

from twisted.application.service import Service
from twisted.python import usage

from lightweight import __version__
from lightweight.config.named import CONFIG_VARIABLE, config_path
from lightweight.daemon.settle import loading


class Options(usage.Options):
    """The command line after ``twistd lightweight``."""

    synopsis = "[-c FILE] [--check] [--single]"
    longdesc = (
        "An OpenAI-compatible AI gateway. Without a configuration file it uses the "
        "provider keys in its environment, local servers on loopback, or a built-in "
        "demo model."
    )
    optParameters = [  # noqa: RUF012 -- Twisted's way to declare options
        ["config", "c", None, f"Configuration file [default: ${CONFIG_VARIABLE}]"],
        ["worker", None, None, "What the parent process starts its workers with"],
    ]
    optFlags = [  # noqa: RUF012 -- Twisted's way to declare options
        ["check", None, "Check the configuration and exit: 0 if it is good, else 1"],
        ["single", None, "Serve in this one process, without workers"],
    ]

    def opt_version(self) -> None:
        """Show the version of Lightweight and exit."""
        sys.stdout.write(f"lightweight {__version__}\n")
        sys.exit(0)


def makeService(options: Options, reactor: Any = None) -> Service:
    """Read the configuration and put the parts together; nothing is opened yet.

    Ends the process with one line for each problem where the configuration is wrong.
    """
    # Modules are most of a start: each process loads what it is for and no more.
    with loading():
        if reactor is None:
            from twisted.internet import reactor  # noqa: PLC0415, TID251 -- the composition root
        if options["worker"] is None:
            from lightweight.chief import service_of  # noqa: PLC0415 -- as it says
        else:
            from lightweight.child import service_of  # noqa: PLC0415 -- as it says
    # Before anything is scheduled: timers must not follow the wall clock's jumps.
    reactor.seconds = time.monotonic
    environ = dict(os.environ)
    return service_of(
        options, config_path(options["config"], environ), environ, reactor
    )
