import pytest

from lightweight.errors import BadRequest, Conflict, Fault, NotFound, Overloaded
from lightweight.store.directory import DirectoryProblem, Missing
from lightweight.store.passwords import PasswordProblem
from lightweight.store.problems import StoreProblem, StoreUnusable
from lightweight.web.office import NOT_HERE, told_as_faults


@pytest.mark.parametrize(
    ("problem", "fault", "told"),
    [
        (Missing("There is no key: 'lightweight keys list'."), NotFound, NOT_HERE),
        (DirectoryProblem("It is taken."), Conflict, "It is taken."),
        (PasswordProblem("Too short."), BadRequest, "Too short."),
        (StoreUnusable("disk /var/lib"), Overloaded, "The database cannot be asked."),
    ],
)
def test_what_the_store_cannot_do_is_a_fault(
    problem: StoreProblem, fault: type[Fault], told: str
) -> None:
    with pytest.raises(fault) as raised, told_as_faults():
        raise problem
    assert raised.value.message.startswith(told)
    assert raised.value.__suppress_context__
