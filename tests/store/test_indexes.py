"""The indexes of failures, as each database is told of them."""

import pytest
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Dialect
from sqlalchemy.schema import CreateIndex

from lightweight.store.indexes import PARTIAL
from lightweight.store.schema import metadata


@pytest.mark.parametrize("dialect", [postgresql.dialect(), sqlite.dialect()])
def test_every_database_is_told_of_which_rows(dialect: Dialect) -> None:
    for index in PARTIAL:
        assert "WHERE ending NOT IN" in str(CreateIndex(index).compile(dialect=dialect))


def test_they_are_the_tables_own() -> None:
    assert {*PARTIAL} <= metadata.tables["uses"].indexes
