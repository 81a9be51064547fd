"""The product as it is installed: a wheel and an editable install, away from here."""

from pathlib import Path

import pytest
from support.daemon import spawn
from support.wheels import (
    RUN_TWISTD,
    build_wheel,
    copy_of_sources,
    install,
    new_venv,
    run,
)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_wheel(tmp_path_factory.mktemp("wheel"))


@pytest.mark.timeout(300)
def test_twistd_lists_the_plugin_from_a_wheel(wheel: Path, tmp_path: Path) -> None:
    python = new_venv(tmp_path)
    install(python, wheel)

    listed = run(python, "-c", RUN_TWISTD, "--help", cwd=Path("/"))

    assert "A self-hosted, OpenAI-compatible AI gateway." in listed


@pytest.mark.timeout(300)
def test_twistd_lists_the_plugin_from_an_editable_install(tmp_path: Path) -> None:
    source = copy_of_sources(tmp_path)
    python = new_venv(tmp_path)
    install(python, "-e", source)

    listed = run(python, "-c", RUN_TWISTD, "--help", cwd=Path("/"))
    place = run(
        python, "-c", "import lightweight; print(lightweight.__file__)", cwd=Path("/")
    )

    assert "A self-hosted, OpenAI-compatible AI gateway." in listed
    assert Path(place.strip()).is_relative_to(source)


@pytest.mark.async_limit(300)
async def test_a_wheel_serves_from_the_root_directory(
    wheel: Path, tmp_path: Path
) -> None:
    """Catalog, pages, guides, migrations and static files all come out of the wheel."""
    from support.http import fetch

    python = new_venv(tmp_path)
    install(python, wheel)
    config = tmp_path / "lightweight.toml"
    config.write_text(
        'listen = ["tcp:0:interface=127.0.0.1"]\ndiscover = false\n'
        f'state = "{tmp_path / "state"}"\n[providers.demo]\nkind = "demo"\n'
    )
    child = spawn(
        [python, "-c", RUN_TWISTD, "--pidfile=", "-n", "lightweight", "-c", config],
        cwd=Path("/"),
    )
    try:
        root = (await child.line(r"Listening on (http://127\.0\.0\.1:\d+)"))[1]
        await child.line(r"Ready\b")
        first_run = (tmp_path / "state" / "first-run.txt").read_text()
        key = next(word for word in first_run.split() if word.startswith("lw-"))
        models = await fetch(f"{root}/v1/models", key=key)
        docs = await fetch(f"{root}/docs")
        guide = await fetch(f"{root}/docs/integrations/curl")
        style = await fetch(f"{root}/static/docs.css")
    finally:
        await child.stop()

    assert [model["id"] for model in models.json()["data"]] == ["demo"]
    assert docs.status == 200
    assert root in docs.text
    assert guide.status == 200
    assert root in guide.text
    assert style.status == 200
    assert style.headers["content-type"].startswith("text/css")
