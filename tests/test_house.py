"""The house keeps its rules: who may import whom, how long things are, what is tested.

Sources are read as text and as syntax trees; nothing of the product is imported here.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
HOUSE = ROOT / "lightweight"
TESTS = ROOT / "tests"

MAX_FILE = 500
MAX_FUNCTION = 80

FLOOR = {
    "amounts": 0,
    "records": 0,
    "events": 0,
    "errors": 0,
    "prompts": 0,
    "dialects": 1,
    "policy": 1,
    "config": 1,
    "catalog": 1,
    "upstream": 2,
    "store": 2,
    "observe": 2,
    "web": 3,
    "plan": 3,
    "runtime": 3,
    "daemon": 4,
    "meters": 5,
    "ground": 5,
    "instruments": 5,
    "stored": 5,
    "assembly": 5,
    "chief": 5,
    "child": 5,
    "tap": 5,
    "cli": 5,
}
"""A room imports from lower floors, and from its own as OWN_FLOOR says."""

OWN_FLOOR = {
    "events": {"records"},
    "prompts": {"records"},
    "runtime": {"plan"},
    "web": {"plan", "runtime"},
    # The composition root, in eight files.
    "assembly": {"ground", "instruments", "meters"},
    "stored": {"ground"},
    "chief": {"assembly", "ground", "stored"},
    "child": {"assembly", "ground", "meters", "stored"},
    "tap": {"chief", "child"},
    # A target is tried with the provider that the daemon would make.
    "cli": {"assembly"},
}
"""Rooms of the same floor that a room may import; floor 1 and 2 rooms never do."""

PURE = {"dialects", "policy", "config", "catalog"}
IMPURE_MODULES = {
    "twisted",
    "treq",
    "klein",
    "txredisapi",
    "sqlalchemy",
    "alembic",
    "time",
    "random",
    "secrets",
    "socket",
    "threading",
}
LOADERS = {"config/load.py", "config/secret.py", "catalog/load.py"}
"""The only pure files that may open a file."""

ONLY_IN = {
    "klein": {"web"},
    "treq": {"upstream"},
    "txredisapi": {"store"},
    "sqlalchemy": {"store"},
    "alembic": {"store"},
    "click": {"cli"},
    "prometheus_client": {"observe"},
    "opentelemetry": {"observe"},
    "jwt": {"upstream"},
}

WEAK_WORDS = {
    "utils",
    "helpers",
    "common",
    "base",
    "core",
    "manager",
    "handler",
    "engine",
}

MIGRATION = "store/migrations/"


def sources() -> list[Path]:
    return sorted(HOUSE.rglob("*.py"))


def name_of(source: Path) -> str:
    return source.relative_to(HOUSE).as_posix()


def room_of(module: str) -> str | None:
    """Give the room of ``lightweight.room…``; None for what is not ours."""
    parts = module.split(".")
    if parts[0] != "lightweight":
        return None
    return parts[1] if len(parts) > 1 else ""


def imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield node.module or ""
            if node.module == "lightweight":
                yield from (f"lightweight.{alias.name}" for alias in node.names)


def breaches(source: str, tree: ast.AST) -> Iterator[str]:
    """Give each import in ``source`` (``room/file.py``) that the house forbids."""
    room = source.split("/", maxsplit=1)[0].removesuffix(".py")
    for module in imports(tree):
        top = module.split(".")[0]
        if top in ONLY_IN and room not in ONLY_IN[top]:
            yield f"{source} imports {module}: only {sorted(ONLY_IN[top])} may"
        if room in PURE and top in IMPURE_MODULES:
            yield f"{source} imports {module}: the room is pure"
        if room in {"records", "events", "errors", "prompts"} and top in IMPURE_MODULES:
            yield f"{source} imports {module}: floor 0 holds nouns only"
        theirs = room_of(module)
        if not theirs or theirs in {room, "__version__"} or room == "__init__":
            continue
        allowed = OWN_FLOOR.get(room, set())
        if FLOOR[theirs] >= FLOOR[room] and theirs not in allowed:
            yield f"{source} imports {module}: floor {FLOOR[theirs]} from {FLOOR[room]}"


@pytest.mark.parametrize("source", sources(), ids=name_of)
def test_imports_go_down(source: Path) -> None:
    assert list(breaches(name_of(source), ast.parse(source.read_text()))) == []


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("dialects/x.py", "from twisted.internet import defer"),
        ("policy/x.py", "import time"),
        ("upstream/x.py", "from lightweight.store import keys"),
        ("store/x.py", "import treq"),
        ("web/x.py", "from lightweight.daemon.service import Service"),
        ("runtime.py", "from lightweight.web.app import App"),
        ("observe/x.py", "from klein import Klein"),
    ],
)
def test_a_forbidden_import_is_seen(source: str, text: str) -> None:
    assert list(breaches(source, ast.parse(text)))


@pytest.mark.parametrize("source", sources(), ids=name_of)
def test_nothing_is_too_long(source: Path) -> None:
    text = source.read_text()
    assert len(text.splitlines()) <= MAX_FILE
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            assert length <= MAX_FUNCTION, f"{node.name} has {length} lines"


def test_test_files_are_not_too_long_either() -> None:
    long = {
        path.name: lines
        for path in TESTS.rglob("*.py")
        if (lines := len(path.read_text().splitlines())) > MAX_FILE
    }
    assert long == {}


def test_every_source_file_has_its_test_file() -> None:
    missing = [
        name_of(source)
        for source in sources()
        if source.name != "__init__.py"
        and not name_of(source).startswith(MIGRATION)
        and not is_contract(source)
        and not (
            TESTS / source.relative_to(HOUSE).parent / f"test_{source.name}"
        ).exists()
    ]
    assert missing == []


def is_contract(source: Path) -> bool:
    """Tell whether a file only declares types: nothing in it could be tested."""
    tree = ast.parse(source.read_text())
    functions = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    # A Protocol's method is its docstring.
    return all(
        len(f.body) == 1
        and isinstance(f.body[0], ast.Expr)
        and isinstance(f.body[0].value, ast.Constant)
        for f in functions
    )


@pytest.mark.parametrize("source", sources(), ids=name_of)
def test_package_faces_only_say_what_the_room_is_for(source: Path) -> None:
    if source.name != "__init__.py":
        return
    body = ast.parse(source.read_text()).body
    assert isinstance(body[0], ast.Expr), "a room says what it is for"
    assert all(isinstance(node, ast.Assign | ast.ImportFrom) for node in body[1:])


@pytest.mark.parametrize("source", sources(), ids=name_of)
def test_pure_rooms_open_nothing_and_read_no_environment(source: Path) -> None:
    if name_of(source).split("/")[0] not in PURE or name_of(source) in LOADERS:
        return
    for node in ast.walk(ast.parse(source.read_text())):
        if isinstance(node, ast.Name):
            assert node.id != "open", f"line {node.lineno} opens a file"
        if isinstance(node, ast.Attribute):
            assert node.attr not in {"environ", "read_text", "read_bytes", "getenv"}, (
                f"line {node.lineno} reads {node.attr}"
            )


def test_names_say_something() -> None:
    weak = [name_of(s) for s in sources() if s.stem in WEAK_WORDS]
    for source in sources():
        for node in ast.walk(ast.parse(source.read_text())):
            if isinstance(node, ast.ClassDef):
                words = re.findall(r"[A-Z][a-z0-9]*", node.name)
                weak += [node.name for word in words if word.lower() in WEAK_WORDS]
    assert weak == []


def test_twisted_stays_importable() -> None:
    """An __init__.py under twisted/ would shadow Twisted itself or hide the plugin."""
    assert not list((ROOT / "twisted").rglob("__init__.py"))


def test_the_plugin_imports_nothing_of_ours() -> None:
    plugin = ROOT / "twisted" / "plugins" / "lightweight_plugin.py"
    assert [m for m in imports(ast.parse(plugin.read_text())) if room_of(m)] == []
