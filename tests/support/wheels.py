"""Wheels of these sources, and venvs that they are put into.

Dependencies are borrowed from the environment that runs the tests through a plain path
entry: no .pth file of that environment is read, so the package under test can only come
from its own install.
"""

import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

from support.daemon import HOME_LESS

ROOT = Path(__file__).parent.parent.parent
RUN_TWISTD = "import sys; from twisted.scripts.twistd import run; sys.exit(run())"

LEFT_OUT = shutil.ignore_patterns(".*", "build", "dist", "*.egg-info", "__pycache__")


def copy_of_sources(directory: Path) -> Path:
    """Copy what is in the repository to ``directory/source``."""
    return Path(shutil.copytree(ROOT, directory / "source", ignore=LEFT_OUT))


def run(*command: str | Path, cwd: Path) -> str:
    """Run a command without a home of anybody; give what it printed."""
    done = subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env=HOME_LESS | {"HOME": str(cwd)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def new_venv(directory: Path) -> Path:
    """Make a venv that sees only Twisted and friends of the running one."""
    run(sys.executable, "-m", "venv", "--without-pip", "venv", cwd=directory)
    python = directory / "venv" / "bin" / "python"
    places = run(
        python, "-c", "import site; print(site.getsitepackages()[0])", cwd=directory
    )
    borrowed = sysconfig.get_path("purelib")
    (Path(places.strip()) / "borrowed.pth").write_text(borrowed + "\n")
    return python


def install(python: Path, *what: str | Path) -> None:
    """Install into the venv of ``python``, over what is there, without a network."""
    run(
        sys.executable,
        *("-m", "pip", "--python", python, "install", "--quiet", "--force-reinstall"),
        *("--no-deps", "--no-index", "--no-build-isolation", *what),
        cwd=python.parent,
    )


def build_wheel(directory: Path, version: str | None = None) -> Path:
    """Build a wheel of these sources; ``version``: the same code by another name."""
    source = copy_of_sources(directory)
    if version is not None:
        for name in ("pyproject.toml", "lightweight/__init__.py"):
            path = source / name
            text = path.read_text()
            assert text.count('"0.1.0"') == 1
            path.write_text(text.replace('"0.1.0"', f'"{version}"'))
    run(
        sys.executable,
        *("-m", "pip", "wheel", "--quiet", "--no-deps", "--no-index"),
        *("--no-build-isolation", "--wheel-dir", directory, source),
        cwd=directory,
    )
    (built,) = directory.glob("*.whl")
    return built
