"""What etc/ holds besides units and proxies: completion, containers, log rotation."""

import json
import re
import shutil
import stat
import subprocess
from pathlib import Path

import pytest
import yaml
from support.daemon import BIN, HOME_LESS

ROOT = Path(__file__).parents[2]
ETC = ROOT / "etc"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_completion_is_what_the_command_says(shell: str) -> None:
    made = subprocess.run(
        [BIN / "lightweight"],
        env={**HOME_LESS, "_LIGHTWEIGHT_COMPLETE": f"{shell}_source"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert (ETC / "completion" / f"lightweight.{shell}").read_text() == made.stdout


def test_the_completion_completes() -> None:
    bash = shutil.which("bash")
    assert bash is not None
    script = ETC / "completion" / "lightweight.bash"
    pressed = (
        f"source {script}; COMP_WORDS=(lightweight keys r); COMP_CWORD=2; "
        "_lightweight_completion lightweight; echo ${COMPREPLY[@]}"
    )
    done = subprocess.run(
        [bash, "-c", pressed],
        env={**HOME_LESS, "PATH": f"{BIN}:{HOME_LESS['PATH']}"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["revoke", "rotate"]


def test_the_container_is_made_of_what_is_there() -> None:
    """Without an engine: its files exist, and it starts what the unit starts."""
    text = (ETC / "container" / "Dockerfile").read_text()
    sources = re.findall(r"^COPY (?!--from)(\S+) ", text, re.MULTILINE)
    assert sources == [".", "etc/container/lightweight.toml"]
    assert all((ROOT / source).exists() for source in sources)
    found = re.search(r"^CMD (\[.*\])$", text, re.MULTILINE)
    assert found is not None
    unit = (ETC / "systemd" / "lightweight.service").read_text()
    assert f"ExecStart=/opt/lightweight/bin/{' '.join(json.loads(found[1]))}\n" in unit


def test_the_containers_configuration_is_good() -> None:
    config = ETC / "container" / "lightweight.toml"
    subprocess.run(
        [BIN / "lightweight", "-c", config, "check"], env=HOME_LESS, check=True
    )


def test_compose_builds_that_container_and_waits_for_its_drain() -> None:
    compose = yaml.safe_load((ETC / "container" / "compose.yaml").read_text())
    service = compose["services"]["lightweight"]
    context = (ETC / "container" / service["build"]["context"]).resolve()
    assert (context / service["build"]["dockerfile"]).is_file()
    assert int(service["stop_grace_period"].removesuffix("s")) > 60
    assert service["ports"] == ["127.0.0.1:8080:8080"]


@pytest.mark.debian
def test_logrotate_takes_its_rules(tmp_path: Path) -> None:
    logrotate = shutil.which("logrotate", path="/usr/sbin:/usr/bin")
    assert logrotate is not None, "install logrotate"
    rules = tmp_path / "rules"
    log = tmp_path / "lightweight.log"
    log.write_text("a line\n")
    text = (ETC / "logrotate.conf").read_text()
    rules.write_text(text.replace("/var/log/lightweight.log", str(log)))
    rules.chmod(0o644)
    subprocess.run(
        [logrotate, "--force", "--state", tmp_path / "state", rules], check=True
    )
    assert (tmp_path / "lightweight.log.1").read_text() == "a line\n"


@pytest.mark.debian
def test_the_user_and_the_directories_are_made(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    files = ETC / "systemd"
    subprocess.run(
        ["systemd-sysusers", f"--root={tmp_path}", files / "sysusers.conf"], check=True
    )
    user = (tmp_path / "etc" / "passwd").read_text()
    assert re.search(r"^lightweight:.*:/var/lib/lightweight:/usr/sbin/nologin$", user)
    secret = tmp_path / "etc" / "lightweight" / "openai.key"
    secret.parent.mkdir()
    secret.write_text("secret")
    secret.chmod(0o644)
    subprocess.run(
        [
            *("systemd-tmpfiles", "--create", f"--root={tmp_path}"),
            files / "tmpfiles.conf",
        ],
        check=True,
    )
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    assert (secret.parent / "conf.d").is_dir()
