"""Which modules each process of a daemon had loaded in the end."""

import json
from collections.abc import Mapping
from pathlib import Path

RECORDER = """
import atexit, json, os, pathlib, sys

def record():
    task = next((word for word in sys.argv if word.startswith("{")), "{}")
    task = json.loads(task).get("task", "parent")
    place = pathlib.Path(os.environ["RECORDS"], task)
    place.write_text(json.dumps(sorted(sys.modules)))

atexit.register(record)
"""
"""Is every interpreter's ``sitecustomize``: tells what it had loaded in the end."""


def recording(directory: Path) -> Mapping[str, str]:
    """Give the environment of a daemon that leaves its records in ``directory``."""
    (directory / "records").mkdir()
    (directory / "sitecustomize.py").write_text(RECORDER)
    return {"PYTHONPATH": str(directory), "RECORDS": str(directory / "records")}


def recorded(directory: Path) -> Mapping[str, set[str]]:
    """Give the modules by task; ``parent`` is one."""
    records = (directory / "records").iterdir()
    return {each.name: {*json.loads(each.read_text())} for each in records}
