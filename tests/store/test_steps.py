from alembic.script import ScriptDirectory

from lightweight.store.migrate import NEWEST
from lightweight.store.steps import _config, known


def test_the_newest_that_is_known_is_the_one_databases_are_brought_to() -> None:
    assert ScriptDirectory.from_config(_config()).get_current_head() == NEWEST
    assert max(known()) == NEWEST
