import pytest
from support.people import NOW, somebody

from lightweight.store.connect import Connection
from lightweight.store.pages import page_of
from lightweight.store.rows import owned, row_of_id
from lightweight.store.schema import people


@pytest.mark.parametrize("row_id", ["person_p", "", "a\nb", "a\x00", "\ud800"])
def test_an_id_that_nobody_has(connection: Connection, row_id: str) -> None:
    assert row_of_id(connection, people, row_id) is None


def test_an_id_that_somebody_has(connection: Connection) -> None:
    somebody(connection, "p", now=NOW)
    found = row_of_id(connection, people, "person_p")
    assert found is not None
    assert found.id == "person_p"


def test_whose_rows_they_are(connection: Connection) -> None:
    somebody(connection, "ruler", role="operator")
    found = page_of(connection, people, after=None, most=1)
    assert [row.id for row in found] == ["person_ruler"]
    for whose in (
        owned(people, None, operators=False),
        owned(people, "acct_other", operators=True),
    ):
        assert not page_of(connection, people, *whose, after=None, most=1)
