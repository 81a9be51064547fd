import pytest

from lightweight.store.directory import DirectoryProblem
from lightweight.store.migrate import SchemaTooNew
from lightweight.store.pepper import PepperProblem
from lightweight.store.problems import StoreProblem, StoreUnusable


@pytest.mark.parametrize(
    "kind", [DirectoryProblem, SchemaTooNew, PepperProblem, StoreUnusable]
)
def test_whoever_catches_store_problems_catches_all(kind: type[Exception]) -> None:
    assert issubclass(kind, StoreProblem)
    assert str(kind("One sentence.")) == "One sentence."
