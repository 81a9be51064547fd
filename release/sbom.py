"""Say what a release is made of, as CycloneDX 1.6.

    python release/sbom.py > sbom.json

The components are those that release/locks/gateway.txt pins, and the scripts of others
in web/static/vendor; who needs whom is what uv noted in the lock. The hashes of the
files that may be installed are in the lock itself. The same commit gives the same
bytes: the date is SOURCE_DATE_EPOCH, or else there is none.
"""

import json
import os
import re
import sys
import tomllib
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
LOCK = ROOT / "release" / "locks" / "gateway.txt"
VENDORED = ROOT / "lightweight" / "web" / "static" / "vendor" / "README.md"

PINNED = re.compile(
    r"^(?P<name>[a-z0-9-]+)==(?P<version>[^ ;\\]+)[^\n]*\n"
    r"(?:    --hash=[^\n]+\n)+"
    r"    # via(?P<via>.*\n(?:    # .*\n)*)",
    re.MULTILINE,
)
"""One package in the lock, as uv writes it."""

SCRIPT = re.compile(r"npm package (?P<name>[\w.]+) (?P<version>[\d.]+)")


def bill() -> dict[str, Any]:
    """Give the whole document."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    ours = f"pkg:pypi/{project['name']}@{project['version']}"
    lock = LOCK.read_text()
    pinned = list(PINNED.finditer(lock))
    refs = {
        each["name"]: f"pkg:pypi/{each['name']}@{each['version']}" for each in pinned
    }
    refs[project["name"]] = ours
    needs: dict[str, set[str]] = {ref: set() for ref in refs.values()}
    for each in pinned:
        for name in re.findall(r"[A-Za-z0-9._-]+(?= \(|$|\n)", each["via"]):
            needs[refs[name]].add(refs[each["name"]])
    components = [component(each["name"], each["version"], "pypi") for each in pinned]
    for script in SCRIPT.finditer(VENDORED.read_text()):
        components.append(component(script["name"], script["version"], "npm"))
        needs[ours].add(components[-1]["bom-ref"])
    date = os.environ.get("SOURCE_DATE_EPOCH")
    when = (
        {"timestamp": datetime.fromtimestamp(int(date), UTC).isoformat()}
        if date
        else {}
    )
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_OID, ours + lock)}",
        "version": 1,
        "metadata": {
            **when,
            "component": {
                **component(project["name"], project["version"], "pypi"),
                "type": "application",
                "description": project["description"],
                "licenses": [{"license": {"id": project["license"]}}],
            },
        },
        "components": components,
        "dependencies": [
            {"ref": ref, "dependsOn": sorted(needed)}
            for ref, needed in sorted(needs.items())
        ],
    }


def component(name: str, version: str, index: str) -> dict[str, Any]:
    """Give one library."""
    ref = f"pkg:{index}/{name}@{version}"
    told = {"type": "library", "name": name, "version": version}
    return {**told, "bom-ref": ref, "purl": ref}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(bill(), indent=2) + "\n")
