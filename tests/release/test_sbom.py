"""The bill of materials: good CycloneDX, and all that the lock pins."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

ROOT = Path(__file__).parents[2]


def written(**environ: str) -> str:
    return subprocess.run(
        [sys.executable, ROOT / "release" / "sbom.py"],
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def test_it_is_what_the_standard_says() -> None:
    judge = JsonStrictValidator(SchemaVersion.V1_6)
    for text in (written(), written(SOURCE_DATE_EPOCH="1790000000")):
        assert judge.validate_str(text) is None
    assert judge.validate_str(written().replace('"library"', '"thing"')) is not None


def test_it_lists_the_lock_and_the_scripts_of_others() -> None:
    told: dict[str, Any] = json.loads(written())
    listed = {f"{each['name']}=={each['version']}" for each in told["components"]}
    lock = (ROOT / "release" / "locks" / "gateway.txt").read_text()
    pinned = set(re.findall(r"^[a-z0-9-]+==[^ ;\\]+", lock, re.MULTILINE))
    assert len(pinned) > 30
    assert listed - pinned == {"htmx.org==4.0.1", "uplot==1.6.32"}
    assert pinned <= listed


def test_everything_in_it_is_there_for_somebody() -> None:
    told: dict[str, Any] = json.loads(written())
    needs = {each["ref"]: set(each["dependsOn"]) for each in told["dependencies"]}
    reached: set[str] = set()
    todo = {told["metadata"]["component"]["bom-ref"]}
    while todo:
        ref = todo.pop()
        reached.add(ref)
        todo |= needs.get(ref, set()) - reached
    assert {each["bom-ref"] for each in told["components"]} <= reached
    klein = next(ref for ref in needs if ref.startswith("pkg:pypi/klein@"))
    assert "werkzeug" in " ".join(needs[klein])


def test_the_same_commit_gives_the_same_bytes() -> None:
    assert written(PYTHONHASHSEED="1") == written(PYTHONHASHSEED="2")
