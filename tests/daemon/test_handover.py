"""The configuration on its way from the parent to a worker."""

import os
from pathlib import Path

import pytest

from lightweight.config.load import load
from lightweight.daemon.handover import handed_over, texts_at


def test_the_files_arrive_as_they_were(tmp_path: Path) -> None:
    main, more = tmp_path / "lw.toml", tmp_path / "conf.d" / "a.toml"
    more.parent.mkdir()
    main.write_text("workers = 2\n")
    more.write_text("discover = false  # \u00e9\n")
    loaded = load(main, {})
    main.write_text("broken")
    more.unlink()

    with handed_over(loaded) as descriptor:
        texts = [texts_at(os.dup(descriptor)) for _ in range(2)]

    assert texts[0] == texts[1]
    assert list(texts[0]) == [main, more]
    assert load(main, {}, texts=texts[0]).config == loaded.config


def test_it_has_no_name_and_ends_with_the_block() -> None:
    with handed_over(load(None, {})) as descriptor:
        assert os.fstat(descriptor).st_nlink == 0
        assert texts_at(os.dup(descriptor)) == {}
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)
