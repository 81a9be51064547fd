"""Which file is the configuration; known without what reads it."""

from collections.abc import Mapping
from pathlib import Path

CONFIG_VARIABLE = "LIGHTWEIGHT_CONFIG"
"""The environment variable that names the configuration file."""


def config_path(given: str | None, environ: Mapping[str, str]) -> Path | None:
    """Give the absolute path of the configuration file; None for no file at all."""
    named = given or environ.get(CONFIG_VARIABLE)
    return Path(named).absolute() if named else None
