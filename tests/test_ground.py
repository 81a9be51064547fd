"""What every process stands on: what becomes of a problem that was told already."""

import sys

import pytest

from lightweight.daemon.listen import CannotListen
from lightweight.ground import only_told_problems
from lightweight.store.problems import StoreUnusable


@pytest.mark.parametrize("told", [CannotListen("taken"), StoreUnusable("full")])
def test_what_was_told_shows_no_traceback(
    told: Exception, capsys: pytest.CaptureFixture[str]
) -> None:
    only_told_problems(type(told), told, None)
    assert capsys.readouterr().err == ""

    only_told_problems(OSError, OSError("a bug"), None)
    assert "a bug" in capsys.readouterr().err
    assert sys.excepthook is not only_told_problems
