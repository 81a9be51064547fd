"""Where the database is: what SQLAlchemy reads in the URL is the path."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from lightweight.store.connect import read_url
from lightweight.store.whereabouts import FILE, file_url

NAMES = st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]))


@given(NAMES)
def test_any_path_is_read_as_it_is(name: str) -> None:
    state = Path("/var/lib") / name

    assert read_url(file_url(state)).database == str(state / FILE)
