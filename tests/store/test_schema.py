from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateTable

from lightweight.store.schema import audit, metadata


def test_every_constraint_and_index_has_a_name() -> None:
    for table in metadata.tables.values():
        assert all(constraint.name for constraint in table.constraints)
        assert all(index.name for index in table.indexes)


def test_postgresql_can_have_the_same_tables() -> None:
    dialect = postgresql.dialect()
    for table in metadata.sorted_tables:
        assert "CREATE TABLE" in str(CreateTable(table).compile(dialect=dialect))
    assert "id BIGSERIAL" in str(CreateTable(audit).compile(dialect=dialect))
