"""Records: the little arithmetic there is."""

import msgspec
import pytest

from lightweight.records import Usage


def test_usage_shows_inclusive_figures_from_disjoint_classes() -> None:
    usage = Usage(fresh=10, cached=20, cache_write=3, answer=7, reasoning=5)

    assert (usage.prompt, usage.completion, usage.total) == (33, 12, 45)


def test_records_do_not_change() -> None:
    with pytest.raises(AttributeError):
        Usage().fresh = 1  # type: ignore[misc]  # the point of the test
    assert msgspec.structs.replace(Usage(), fresh=1).fresh == 1
