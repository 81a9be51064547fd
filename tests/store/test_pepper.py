import os
import threading
from pathlib import Path

import pytest

from lightweight.store.pepper import PepperProblem, pepper_of, read_or_make_pepper


def test_the_first_call_makes_it_and_later_ones_read_it(tmp_path: Path) -> None:
    made = read_or_make_pepper(tmp_path, os.urandom)
    assert len(made) == 64
    assert (tmp_path / "pepper").stat().st_mode & 0o777 == 0o600
    assert read_or_make_pepper(tmp_path, os.urandom) == made


def test_it_holds_the_random_bytes_it_was_given(tmp_path: Path) -> None:
    assert read_or_make_pepper(tmp_path, lambda n: b"\xab" * n) == b"ab" * 32


def test_who_starts_at_once_agrees(tmp_path: Path) -> None:
    for round_ in range(20):
        state = tmp_path / str(round_)
        state.mkdir()
        barrier = threading.Barrier(4)
        seen: list[bytes] = []

        def start(
            state: Path = state,
            barrier: threading.Barrier = barrier,
            seen: list[bytes] = seen,
        ) -> None:
            barrier.wait()
            seen.append(read_or_make_pepper(state, os.urandom))

        threads = [threading.Thread(target=start) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(seen) == 4
        assert len(set(seen)) == 1


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_one_that_others_read_is_refused(tmp_path: Path, mode: int) -> None:
    read_or_make_pepper(tmp_path, os.urandom)
    (tmp_path / "pepper").chmod(mode)
    with pytest.raises(PepperProblem, match=f"mode {mode:04o}.*chmod 600 .*pepper"):
        read_or_make_pepper(tmp_path, os.urandom)


def test_a_pepper_closed_even_to_writing_is_fine(tmp_path: Path) -> None:
    made = read_or_make_pepper(tmp_path, os.urandom)
    (tmp_path / "pepper").chmod(0o400)
    assert read_or_make_pepper(tmp_path, os.urandom) == made


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"", "0 characters"), (b"  short\n", "5 characters"), (b"\xff" * 64, "damaged")],
)
def test_a_damaged_one_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "pepper").write_bytes(content)
    (tmp_path / "pepper").chmod(0o600)
    with pytest.raises(PepperProblem, match=message):
        read_or_make_pepper(tmp_path, os.urandom)


def test_no_state_directory_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(PepperProblem, match="No such file or directory"):
        read_or_make_pepper(tmp_path / "none", os.urandom)


def test_a_copy_of_the_file_is_the_same_pepper(tmp_path: Path) -> None:
    made = read_or_make_pepper(tmp_path, os.urandom)
    copied = f"\n {(tmp_path / 'pepper').read_text()} \n"
    assert pepper_of(copied, "keys.pepper") == made


def test_a_short_configured_one_is_refused_by_its_place() -> None:
    with pytest.raises(PepperProblem, match=r"keys\.pepper has 3 characters") as caught:
        pepper_of("abc", "keys.pepper")
    assert "abc" not in str(caught.value)
