"""Files of prompts on their way: bounded, without secrets, whole or not there."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from lightweight.records import Kept
from lightweight.store import spool
from lightweight.store.spool import (
    MOST_BYTES,
    WAITING,
    Spool,
    read,
    struck,
    tidy,
    waiting,
    write,
)

KEY = "lw-" + "aB3" * 16 + "x"


def kept(name: str = "req_1", prompt: str = "Hi", answer: str = "Ho") -> Kept:
    return Kept(
        request_id=name,
        key_id="key_1",
        at=1.0,
        prompt=prompt,
        prompt_bytes=len(prompt),
        answer=answer,
        answer_bytes=len(answer),
    )


class Later:
    """A thread that works when it is told to."""

    def __init__(self) -> None:
        self.works: list[tuple[Callable[[], None], Callable[[], None]]] = []

    def __call__(self, work: Callable[[], None], done: Callable[[], None]) -> None:
        self.works.append((work, done))

    def run(self) -> None:
        while self.works:
            work, done = self.works.pop(0)
            work()
            done()


def test_a_file_has_what_was_put_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    place, later = tmp_path / "kept", Later()
    one = Spool(place, secrets=lambda: ["sk-secret"], in_thread=later)
    one.put(kept(prompt=f"my key is {KEY}", answer="theirs is sk-secret!"))
    assert waiting(place, 9) == []
    later.run()
    (path,) = waiting(place, 9)
    assert path.stat().st_mode & 0o777 == 0o600
    assert place.stat().st_mode & 0o777 == 0o700
    (found,) = read([path, tmp_path / "gone.json"])
    assert (found.prompt, found.answer) == ("my key is ***", "theirs is ***!")
    assert [each.name for each in place.iterdir()] == ["req_1.json"]


def test_it_is_cut_and_no_secret_is_cut_in_two() -> None:
    text = "é" * (MOST_BYTES // 2 - 2) + "sk-secret" + "z" * 99
    told = struck(text, ["sk-secret", "", "sk-secret-longer"])
    assert told.endswith("é***z")
    assert len(told.encode()) == MOST_BYTES
    assert struck("é" * MOST_BYTES, []).encode() == "é".encode() * (MOST_BYTES // 2)
    assert struck("a-sk-secret-longer", ["sk-secret", "sk-secret-longer"]) == "a-***"


def test_more_than_may_wait_is_not_kept(tmp_path: Path) -> None:
    later = Later()
    one = Spool(tmp_path, secrets=list, in_thread=later)
    for number in range(WAITING + 3):
        one.put(kept(f"req_{number}"))
    later.run()
    assert len(waiting(tmp_path, 1000)) == WAITING
    assert len(waiting(tmp_path, 2)) == 2
    one.put(kept("req_after"))
    later.run()
    assert len(waiting(tmp_path, 1000)) == WAITING + 1


def test_a_full_disk_loses_it_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    later = Later()
    one = Spool(tmp_path, secrets=list, in_thread=later)
    with monkeypatch.context() as patch:
        patch.setattr(spool, "write", full)
        one.put(kept())
        later.run()
    one.put(kept("req_2"))
    later.run()
    assert [path.name for path in waiting(tmp_path, 9)] == ["req_2.json"]


def test_what_was_never_finished_goes(tmp_path: Path) -> None:
    write(tmp_path, kept(), ())
    left = tmp_path / ".req_killed"
    left.write_text("{")
    os.utime(left, (100.0, 100.0))
    tidy(tmp_path, 100.0)
    assert left.exists()
    tidy(tmp_path, 101.0)
    assert [each.name for each in tmp_path.iterdir()] == ["req_1.json"]
    tidy(tmp_path / "none", 101.0)


def test_what_is_no_record_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("{}")
    assert read(waiting(tmp_path, 9)) == []
