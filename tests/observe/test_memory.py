"""How much memory there is, read from a made-up and from the real system."""

from pathlib import Path

from lightweight.observe.memory import memory_limit, resident


def system(
    directory: Path, cgroup: str, limits: dict[str, str], statm: str = "9 5 1 1 0 1 0"
) -> tuple[Path, Path]:
    proc, cgroups = directory / "proc", directory / "cgroup"
    proc.mkdir()
    (proc / "cgroup").write_text(cgroup)
    (proc / "statm").write_text(statm)
    for name, limit in limits.items():
        (cgroups / name).mkdir(parents=True, exist_ok=True)
        (cgroups / name / "memory.max").write_text(limit + "\n")
    return proc, cgroups


def test_resident_memory_is_the_second_figure(tmp_path: Path) -> None:
    proc, _ = system(tmp_path, "", {})
    assert resident(proc) % 5 == 0
    assert resident(proc) > 0


def test_this_process_holds_some_but_not_all() -> None:
    assert 0 < resident() < memory_limit()


def test_the_smallest_limit_on_the_way_up_counts(tmp_path: Path) -> None:
    limits = {"": "max", "a.slice": "3000000", "a.slice/b.service": "5000000"}
    proc, cgroups = system(tmp_path, "1:x:/\n0::/a.slice/b.service\n", limits)
    assert memory_limit(proc, cgroups) == 3_000_000


def test_a_container_sees_its_own_limit_at_the_top(tmp_path: Path) -> None:
    proc, cgroups = system(tmp_path, "0::/\n", {"": "2000000"})
    assert memory_limit(proc, cgroups) == 2_000_000


def test_without_cgroups_the_machine_is_the_limit(tmp_path: Path) -> None:
    proc, cgroups = system(tmp_path, "4:memory:/x\n", {})
    assert memory_limit(proc, cgroups) > 2**20
    assert memory_limit(tmp_path / "absent", cgroups) > 2**20
    assert resident(tmp_path / "absent") == 0
