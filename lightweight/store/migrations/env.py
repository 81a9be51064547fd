"""What Alembic runs to migrate: on the connection and in the transaction given to it.

It comes by ``config.attributes``; ``lightweight.store.migrate`` is who gives it.
"""

from alembic import context

from lightweight.store.indexes import PARTIAL
from lightweight.store.schema import metadata

assert PARTIAL, "the metadata knows them, too"

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    # SQLite alters a table by copying it.
    render_as_batch=True,
)
context.run_migrations()
