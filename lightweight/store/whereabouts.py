"""Where the database is that nobody configured; known without what opens it."""

from pathlib import Path
from urllib.parse import quote

FILE = "lightweight.db"


def file_url(state: Path) -> str:
    """Give the URL of the database in the state directory."""
    return f"sqlite:///{quote(str(state / FILE), safe=' +/')}"
