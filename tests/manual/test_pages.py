"""The manual: its commands run, its configuration is taken, its codes exist."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from support.daemon import BIN, HOME_LESS, Gateway, spawn

from lightweight import errors
from lightweight.cli.main import main

DOCS = Path(__file__).parents[2] / "docs"
BLOCK = re.compile(r"^```([^\n`{]+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)

NOT_RUN = {
    "sh root": "changes the system it runs on, and systemd must be its first process",
    "sh clients": "needs the network: tests/clients/test_tools.py runs them",
    "sh foreground": "runs until it is ended: the README's own, which CI follows",
    "console key": "names a key of the reader's: tests/cli/test_keys.py runs them",
    "console checkout": "makes a venv from a checkout: the README's own command does",
}
"""Kinds of blocks that no test here runs, and why."""

RUN = {"console", "sh daemon"}
"""Commands in their order, each page in a directory of its own."""

SHOWN = {"toml", "ini", "nginx", "yaml"}
"""What is no command."""


def blocks(page: Path) -> Iterator[tuple[str, str]]:
    for found in BLOCK.finditer(page.read_text()):
        yield found[1].strip(), found[2]


def commands(page: Path) -> list[str]:
    lines: list[str] = []
    for kind, text in blocks(page):
        if kind == "console":
            assert all(line.startswith("$ ") for line in text.splitlines()), text
            lines += [line.removeprefix("$ ") for line in text.splitlines()]
        elif kind == "sh daemon":
            lines += text.splitlines()
    return lines


PAGES = sorted(DOCS.glob("*.md"))


def test_every_block_is_of_a_known_kind() -> None:
    kinds = {kind for page in PAGES for kind, _ in blocks(page)}
    assert kinds - RUN - SHOWN - NOT_RUN.keys() == set()
    assert kinds >= RUN


@pytest.mark.parametrize(
    "page", [page for page in PAGES if commands(page)], ids=lambda page: page.stem
)
async def test_the_commands_of_a_page_run(page: Path, tmp_path: Path) -> None:
    gateway = await Gateway.start(tmp_path, '[providers.demo]\nkind = "demo"\n')
    try:
        for command in commands(page):
            child = spawn(
                ["/bin/sh", "-c", command],
                cwd=tmp_path,
                environ={
                    "PATH": f"{BIN}:{HOME_LESS['PATH']}",
                    "LIGHTWEIGHT_CONFIG": str(gateway.config),
                },
            )
            assert await child.ended() == 0, f"{command}\n{child.text}"
    finally:
        await gateway.stop()


@pytest.mark.parametrize(
    ("page", "text"),
    [
        pytest.param(page, text, id=f"{page.stem}-{number}")
        for page in PAGES
        for number, (kind, text) in enumerate(blocks(page))
        if kind == "toml"
    ],
)
def test_configuration_that_is_shown_is_taken(
    page: Path, text: str, tmp_path: Path
) -> None:
    file = tmp_path / f"{page.stem}.toml"
    file.write_text(text.replace("/etc/lightweight", str(tmp_path)))
    (tmp_path / "pepper").write_text("0123456789abcdef" * 4)
    (tmp_path / "oidc.secret").write_text("s3cret")
    result = CliRunner().invoke(main, ["-c", str(file), "models", "list"])
    assert result.exit_code == 0, result.output


def test_every_code_of_an_error_is_explained() -> None:
    page = (DOCS / "troubleshooting.md").read_text()
    faults = [
        each
        for each in vars(errors).values()
        if isinstance(each, type) and issubclass(each, errors.Fault) and each.code
    ]
    assert len(faults) > 20
    missing = {
        (fault.status, fault.code)
        for fault in faults
        if not re.search(
            rf"^\| [^|]*\b{fault.status}\b[^|]*\| .*`{fault.code}`", page, re.MULTILINE
        )
    }
    assert missing == set()


def test_every_page_can_be_found() -> None:
    contents = (DOCS / "index.md").read_text()
    pages = {page.stem for page in PAGES} - {"index"}
    assert pages == {page for page in pages if f"\n{page}\n" in contents}
